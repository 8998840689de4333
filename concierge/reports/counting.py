"""Counts the house: wishes by variant and age, how offers to wishes of each age were answered, waves, times.

Each statement goes through many rows once; the worker runs them, pages read what came out.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, Variant
from concierge.catalogue.stock_models import Purchase, Restock, ReturnedUnit
from concierge.customers.models import Customer
from concierge.customers.zones import zone_of
from concierge.reports import chances, conditions, summing
from concierge.reports.chances import Answers, Prior
from concierge.reports.figures import HouseCount, Journeys, WaveCount
from concierge.reports.quantiles import spread
from concierge.reports.summing import Article, Tally
from concierge.wishes.clockwork import hours_left
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Wave, WavePolicy

NEWEST_WAVES: Final = 24
SAMPLE: Final = 200


@dataclass(frozen=True, slots=True)
class Count:
    """One count: the figures of the house, and what `VariantTally` and `ProductTally` keep, by number."""

    house: HouseCount
    variants: dict[int, dict[str, Any]]
    products: dict[int, dict[str, Any]]


def count_house(session: Session, policy: WavePolicy, *, now: datetime) -> Count:
    """Count everything: some statements that each go through many rows once, then sums."""
    ages, endings = _answers_by_age(session, now=now)
    prior = Prior(policy.prior_taken, policy.prior_passed)
    tallies = _tallies(session, chances.chances(ages, prior), now=now)
    articles = _articles(session)
    house = HouseCount(
        ages=ages,
        said_no=sum(endings[ending] for ending in conditions.SAID_NO),
        lapsed=endings[OfferEnding.LAPSED],
        delays=_delays(session, policy),
        waves=_waves(session),
        journeys=_journeys(session),
        prior=prior,
        totals=summing.totals(articles, tallies),
        curves=summing.curves(articles, tallies),
        orders=summing.orders(articles, tallies),
    )
    return Count(house, summing.by_variant(articles, tallies), summing.by_product(articles, tallies))


def _articles(session: Session) -> list[Article]:
    """Every variant with what its product says."""
    statement = sa.select(
        Variant.id, Variant.product_id, Product.category, Variant.size_system, Variant.size, Variant.position,
        Variant.sku, Product.price_cents, Product.currency, conditions.FREE,
    ).join_from(Variant, Product, Variant.product_id == Product.id)  # fmt: skip
    return [Article(*row) for row in session.execute(statement)]


def _tallies(session: Session, at_each_age: list[float], *, now: datetime) -> dict[int, Tally]:
    """What there is to say of every variant there is something to say of."""
    tallies: dict[int, Tally] = defaultdict(Tally)
    for variant_id, is_first, age, wishes, units, oldest in session.execute(_open_wishes(now)):
        if is_first:
            tallies[variant_id].add(age, wishes, units, at_each_age[age], oldest)
        else:
            tallies[variant_id].also += wishes
    for variant_id, age, wishes, units in session.execute(_gone_wishes(session, now)):
        tallies[variant_id].lose(wishes, units, at_each_age[age])
    for variant_id, units in session.execute(_sold(now)):
        tallies[variant_id].sold = units
    for variant_id, units in session.execute(_on_its_way()):
        tallies[variant_id].on_its_way = units
    return dict(tallies)


def _open_wishes(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    is_first = conditions.is_first_choice()
    age = sa.case(
        *((Wish.confirmed_at >= now - timedelta(days=days), number) for number, days in enumerate(chances.AGES)),
        else_=len(chances.AGES),
    )
    statement = (
        sa.select(
            WishVariant.variant_id,
            is_first,
            age,
            sa.func.count(),
            sa.func.sum(Wish.quantity),
            sa.func.min(Wish.confirmed_at),
        )
        .join_from(Wish, WishVariant, WishVariant.wish_id == Wish.id)
        # Said so that no index answers it: nearly all are read, and in the order in which they lie a third as long.
        .where(sa.case((Wish.ended_at.is_(None), 1), else_=0) == 1)
        .where(sa.case((Wish.confirmed_at.is_not(None), 1), else_=0) == 1)
    )
    return statement.group_by(WishVariant.variant_id, is_first, age)


def _gone_wishes(session: Session, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Those that ended without ever having been offered anything, at the age they had then."""
    age = conditions.age_then(session, Wish.ended_at)
    statement = (
        sa.select(WishVariant.variant_id, age, sa.func.count(), sa.func.sum(Wish.quantity))
        .join_from(Wish, WishVariant, sa.and_(WishVariant.wish_id == Wish.id, conditions.is_first_choice()))
        .where(*conditions.lost(now))
    )
    return statement.group_by(WishVariant.variant_id, age)


def _sold(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    statement = sa.select(Purchase.variant_id, sa.func.sum(Purchase.units))
    return statement.where(*conditions.sold(now)).group_by(Purchase.variant_id)


def _on_its_way() -> sa.Select[*tuple[Any, ...]]:
    statement = sa.select(ReturnedUnit.variant_id, sa.func.sum(ReturnedUnit.units))
    return statement.where(*conditions.coming()).group_by(ReturnedUnit.variant_id)


def _answers_by_age(session: Session, *, now: datetime) -> tuple[list[Answers], dict[OfferEnding, int]]:
    """How offers were answered by the age of the wish when they were made, and how often each ending came."""
    age = conditions.age_then(session, Offer.made_at)
    statement = (
        sa.select(age, Offer.ended_because, Offer.state, sa.func.count())
        .join_from(Offer, Wish, Offer.wish_id == Wish.id)
        .where(*conditions.asked(now))
    )
    taken, not_taken = [0] * chances.COUNT, [0] * chances.COUNT
    endings: dict[OfferEnding, int] = defaultdict(int)
    for number, ending, state, count in session.execute(statement.group_by(age, Offer.ended_because, Offer.state)):
        taken[number] += count if conditions.is_taken(ending, state) else 0
        not_taken[number] += count if ending in conditions.NOT_TAKEN else 0
        if ending is not None:
            endings[ending] += count
    return [Answers(*each) for each in zip(taken, not_taken, strict=True)], endings


def _delays(session: Session, policy: WavePolicy) -> list[float]:
    """Waking hours between the mail and her yes, of the newest offers that were taken."""
    statement = (
        sa.select(Offer.left_at, Offer.answered_at, Customer.zone_name, Customer.country)
        .join_from(Offer, Customer, Offer.customer_id == Customer.id)
        .where(Offer.state == OfferState.TAKEN, Offer.left_at.is_not(None), Offer.answered_at.is_not(None))
    )
    newest = session.execute(statement.order_by(Offer.id.desc()).limit(SAMPLE))
    return [
        round(hours_left(left, answered, zone_of(zone, country, ZoneInfo("UTC")), policy), 3)
        for left, answered, zone, country in newest
        if left and answered and answered > left
    ]


def _waves(session: Session) -> list[WaveCount]:
    newest = (
        sa.select(Wave.id, Variant.sku, Wave.restock_id, Wave.at, Wave.units)
        .join_from(Wave, Variant, Wave.variant_id == Variant.id)
        .order_by(Wave.id.desc())
        .limit(NEWEST_WAVES)
    )
    rows = session.execute(newest).all()
    became = became_of_waves(session, [row.id for row in rows])
    rounds = _rounds(session, {row.restock_id for row in rows if row.restock_id is not None})
    return [
        WaveCount(
            row.id, row.sku, row.restock_id, rounds.get(row.id, 1), row.at.isoformat(), row.units, *became[row.id]
        )
        for row in rows
    ]


def became_of_waves(session: Session, wave_ids: Iterable[int]) -> dict[int, tuple[int, int, int]]:
    """For each of these waves: how many offers, how many taken, how many not (she said no, or nothing)."""
    statement = sa.select(Offer.wave_id, Offer.ended_because, Offer.state, sa.func.count())
    grouped = statement.where(Offer.wave_id.in_(list(wave_ids))).group_by(
        Offer.wave_id, Offer.ended_because, Offer.state
    )
    found: dict[int, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for wave_id, ending, state, count in session.execute(grouped):
        offers, taken, not_taken = found[wave_id]
        found[wave_id] = (
            offers + count,
            taken + (count if conditions.is_taken(ending, state) else 0),
            not_taken + (count if ending in conditions.NOT_TAKEN else 0),
        )
    return found


def _rounds(session: Session, restock_ids: set[int]) -> dict[int, int]:
    """Which wave of its restock each is, beginning with 1."""
    statement = sa.select(Wave.restock_id, Wave.id).where(Wave.restock_id.in_(restock_ids))
    ordered = session.execute(statement.order_by(Wave.restock_id, Wave.id)).all()
    rounds: dict[int, int] = {ordered[0].id: 1} if ordered else {}
    for before, this in pairwise(ordered):
        rounds[this.id] = rounds[before.id] + 1 if this.restock_id == before.restock_id else 1
    return rounds


def _journeys(session: Session) -> Journeys:
    """From the restock to the mail to the purchase, over the newest offers that left."""
    statement = (
        sa.select(Restock.at, Offer.left_at, Offer.ended_at, conditions.was_bought().label("is_bought"))
        .join_from(Offer, Wave, Offer.wave_id == Wave.id)
        .join(Restock, Wave.restock_id == Restock.id)
        .where(conditions.travelled())
    )
    rows = session.execute(statement).all()
    bought = [row for row in rows if row.is_bought]
    return Journeys(
        to_mail=spread([_hours(row.at, row.left_at) for row in rows]),
        to_purchase=spread([_hours(row.left_at, row.ended_at) for row in bought]),
        together=spread([_hours(row.at, row.ended_at) for row in bought]),
    )


def _hours(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin) / timedelta(hours=1))
