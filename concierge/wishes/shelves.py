"""What there is to share out: free units of a product's variants, and units owed to open offers."""

from collections.abc import Collection
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.catalogue.stock import take_units
from concierge.catalogue.stock_models import Restock
from concierge.wishes import queries, waves
from concierge.wishes.offer_models import Offer, OfferState, Rule, WavePolicy
from concierge.wishes.waves import Shelf

FREE = Variant.on_hand - Variant.promised - Variant.safety_minimum


def may_be_offered(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a variant has free units that are believed in by now."""
    return (Variant.on_hand > 0) & (FREE > 0) & (Variant.offered_from.is_(None) | (Variant.offered_from <= now))


def free_units(session: Session, variant_id: int, now: datetime) -> dict[int, int]:
    """The free units of all variants of this one's product that may be offered now, by variant."""
    product = sa.select(Variant.product_id).where(Variant.id == variant_id).scalar_subquery()
    statement = (
        sa.select(Variant.id, FREE).where(Variant.product_id == product, may_be_offered(now)).order_by(Variant.id)
    )
    return {found: units for found, units in session.execute(statement)}


def promote(session: Session, variant_id: int, units: int) -> int:
    """Set free units aside first for those told of them without (the bounded rule); the units that are left."""
    owed = (
        sa.select(Offer.id, Offer.quantity)
        .where(Offer.variant_id == variant_id, Offer.ended_at.is_(None), ~Offer.holds)
        .order_by(Offer.wave_id, Offer.place)
        .limit(units)
        .with_for_update(of=Offer)
    )
    for offer_id, quantity in session.execute(owed).all():
        if quantity <= units and take_units(session, variant_id, quantity):
            units -= quantity
            session.execute(
                sa.update(Offer)
                .where(Offer.id == offer_id)
                .values(holds=True)
                .execution_options(synchronize_session=False)
            )
    session.expire_all()
    return units


def fill(session: Session, variant_id: int, free: int, policy: WavePolicy) -> Shelf:
    """The shelf of a variant with so many free units, bearing more offers than units if the policy says so."""
    if policy.rule is not Rule.BOUNDED:
        return Shelf(free)
    singles, held = _open_singles(session, variant_id)
    taken, passed = queries.count_takers(session)
    at_most = singles + queries.count_waiting(session, variant_id)

    @cache
    def bears(units: int) -> int:
        return waves.bounded_offers(units, taken=taken, passed=passed, policy=policy, at_most=at_most)

    return Shelf(free, singles, held, bears)


def skus_there(session: Session, variant_ids: Collection[int]) -> dict[int, str]:
    """The SKUs of those of these variants of which no more is promised than there is: their mails may leave."""
    there = sa.select(Variant.id, Variant.sku).where(Variant.id.in_(variant_ids), Variant.promised <= Variant.on_hand)
    return {variant_id: sku for variant_id, sku in session.execute(there)}


def find_restock(session: Session, variant_id: int) -> int | None:
    """The restock these units came with: the variant's newest that is not over."""
    statement = (
        sa.select(Restock.id)
        .where(Restock.variant_id == variant_id, Restock.ended_at.is_(None))
        .order_by(Restock.id.desc())
        .limit(1)
    )
    return session.scalar(statement)


def _open_singles(session: Session, variant_id: int) -> tuple[int, int]:
    """How many open offers of one unit nobody has answered, nor was told it is held; how many of them have a unit."""
    statement = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((Offer.holds, 1), else_=0)), 0)).where(
        Offer.variant_id == variant_id,
        Offer.ended_at.is_(None),
        Offer.state == OfferState.OPEN,
        Offer.quantity == 1,
        ~Offer.says_held,
    )
    singles, held = session.execute(statement).one()
    return singles, held
