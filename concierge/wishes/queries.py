"""Reading wishes, queues, waves and offers."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload, selectinload

from concierge.config import Policy
from concierge.setbacks import NONE, Rows
from concierge.wishes.models import LIVING, Wish, WishNotFound, WishState, WishVariant
from concierge.wishes.offer_models import (
    Offer,
    OfferEnding,
    OfferNotFound,
    WavePolicy,
)
from concierge.wishes.waves import Place, Running, Standing, order, tiers_ahead

# As the partial indexes say it, and without a type: SQLAlchemy compares a Boolean with 1 on SQLite, which then does not
# recognise its index and reads the wishes of the whole house.
IS_WAITING: sa.ColumnElement[bool] = sa.literal_column("wish_variant.is_waiting")
IS_LIVING: sa.ColumnElement[bool] = sa.literal_column("wish_variant.is_living")
# How many of a product's last offers a wave's running sequence begins with.
REMEMBERED = 9
# How many answered offers the house's history of takers is read from.
HISTORY = 1000
# To change one row, its neighbours need not be read.
_WISH_ALONE = (
    lazyload(Wish.customer),
    lazyload(Wish.product),
    lazyload(Wish.mailbox),
    lazyload(Wish.editor),
    selectinload(Wish.choices).lazyload(WishVariant.variant),
)
_OFFER_ALONE = tuple(
    lazyload(each)
    for each in (
        Offer.wave,
        Offer.wish,
        Offer.customer,
        Offer.variant,
        Offer.editor,
        Offer.covered_for,
        Offer.delivery,
    )
)
_CLAIMED = (OfferEnding.BOUGHT,)
_NOT_CLAIMED = (OfferEnding.PASSED, OfferEnding.NOT_NOW, OfferEnding.LAPSED, OfferEnding.BOUGHT_ELSEWHERE)


def get_wish(session: Session, wish_id: int) -> Wish:
    """The wish with this number; raises WishNotFound."""
    if (wish := session.get(Wish, wish_id)) is None:
        raise WishNotFound
    return wish


def get_wish_alone(session: Session, wish_id: int) -> Wish:
    """The wish without its neighbours, which are read when asked for; raises WishNotFound."""
    statement = sa.select(Wish).where(Wish.id == wish_id).options(*_WISH_ALONE)
    if (wish := session.scalars(statement).one_or_none()) is None:
        raise WishNotFound
    return wish


def lock_wish(session: Session, wish_id: int) -> Wish:
    """The wish as it is now, ours until the transaction ends; raises WishNotFound.

    Whoever needs a wish, its offer and the variant's units takes them in this order, so that nobody waits in a circle.
    """
    statement = (
        sa.select(Wish)
        .where(Wish.id == wish_id)
        .options(*_WISH_ALONE)
        .with_for_update(of=Wish)
        .execution_options(populate_existing=True)
    )
    if (wish := session.scalars(statement).one_or_none()) is None:
        raise WishNotFound
    return wish


def list_wishes_of(session: Session, customer_id: int, *, living_only: bool = False) -> list[Wish]:
    """A customer's wishes: what is held for her before what she waits for, what has ended last; each newest first."""
    where = sa.case((Wish.state == WishState.OFFERED, 0), (Wish.state.in_(LIVING), 1), else_=2)
    statement = sa.select(Wish).where(Wish.customer_id == customer_id).order_by(where, Wish.id.desc())
    if living_only:
        statement = statement.where(Wish.state.in_(LIVING))
    return list(session.scalars(statement))


def find_policy(session: Session) -> WavePolicy | None:
    """The wave policy that counts: the newest; None before anybody saved one."""
    return session.scalar(sa.select(WavePolicy).order_by(WavePolicy.id.desc()).limit(1))


def policy_or_first(session: Session) -> WavePolicy:
    """The wave policy that counts; before anybody saved one, the house's first, which is in no table yet."""
    return find_policy(session) or WavePolicy(
        rule="one_per_unit",
        alpha=0.05,
        prior_taken=1.0,
        prior_passed=3.0,
        hold_hours=24.0,
        wakes_at=8,
        sleeps_at=22,
        head_starts={},
        tier_share=0.5,
        desk_minutes=0,
    )


def list_places(session: Session, variant_id: int) -> list[Place]:
    """Everybody who waits for a variant, in the order of their ranks; those who rest or are skipped among them."""
    statement = (
        sa.select(
            WishVariant.wish_id,
            WishVariant.rank_at,
            Wish.confirmed_at,
            Wish.quantity,
            Wish.moved_at.is_not(None),
            Wish.skipped_because,
        )
        .join(Wish, Wish.id == WishVariant.wish_id)
        .where(WishVariant.variant_id == variant_id, IS_WAITING)
        .order_by(WishVariant.rank_at, Wish.confirmed_at, WishVariant.wish_id)
    )
    rows: Sequence[Any] = session.execute(statement).all()
    return [
        Place(wish_id, rank_at, confirmed_at, quantity, moved, (variant_id,), void)
        for wish_id, rank_at, confirmed_at, quantity, moved, void in rows
    ]


def count_waiting(session: Session, variant_id: int) -> int:
    """How many wait for a variant."""
    statement = (
        sa.select(sa.func.count()).select_from(WishVariant).where(WishVariant.variant_id == variant_id, IS_WAITING)
    )
    return session.scalar(statement) or 0


def stand(session: Session, variant_id: int) -> dict[int, Standing]:
    """Where everybody who waits for a variant stands, by wish, first to last."""
    places = [_present(each) for each in list_places(session, variant_id)]
    policy = policy_or_first(session)
    turns, tiers = order(places, policy, running_of(session, [variant_id])), tiers_ahead(policy)
    return {
        turn.who.wish_id: Standing(turn.place, len(turns), turn.before_by_tier, turn.who.confirmed_at, tiers)
        for turn in turns
    }


def _present(place: Place) -> Place:
    """Somebody who keeps her place, whatever stands in her way today."""
    return Place(place.wish_id, place.rank_at, place.confirmed_at, place.quantity, place.moved, place.choices)


def queue_of(session: Session, variant_id: int, *, limit: int = 50) -> list[tuple[Wish, Standing]]:
    """Who waits for a variant, first to last, each with where she stands; at most `limit`."""
    standings = dict(list(stand(session, variant_id).items())[:limit])
    found = {wish.id: wish for wish in session.scalars(sa.select(Wish).where(Wish.id.in_(standings)))}
    return [(found[wish_id], standing) for wish_id, standing in standings.items()]


def place_by_rank(session: Session, wish: Wish, *, variant_id: int) -> Standing | None:
    """Where a wish stands by rank alone, counted and not read: near enough in a queue of many thousands."""
    if wish.state is not WishState.WAITING or wish.rank_at is None or wish.confirmed_at is None:
        return None
    before = sa.select(sa.func.count()).where(
        WishVariant.variant_id == variant_id,
        IS_WAITING,
        sa.tuple_(WishVariant.rank_at, WishVariant.wish_id) < (wish.rank_at, wish.id),
    )
    place = (session.scalar(before) or 0) + 1
    return Standing(place, max(place, count_waiting(session, variant_id)), 0, wish.confirmed_at)


def list_offers_of_wishes(session: Session, wish_ids: Collection[int]) -> dict[int, Offer]:
    """The running offers of these wishes, by wish."""
    if not wish_ids:
        return {}
    statement = sa.select(Offer).where(Offer.wish_id.in_(wish_ids), Offer.ended_at.is_(None))
    return {offer.wish_id: offer for offer in session.scalars(statement)}


def running_of(session: Session, variant_ids: Sequence[int]) -> Running:
    """The end of the running sequence of offers for these variants: the last few, and how many overtook by tier."""
    last = sa.select(Offer.by_tier).where(Offer.variant_id.in_(variant_ids)).order_by(Offer.id.desc()).limit(REMEMBERED)
    flags = list(session.scalars(last))
    return Running(len(flags), sum(flags))


def count_takers(session: Session) -> tuple[int, int]:
    """How many of the house's last answered offers were claimed, and how many were not."""
    ended = (
        sa.select(Offer.ended_because)
        .where(Offer.ended_because.in_(_CLAIMED + _NOT_CLAIMED))
        .order_by(Offer.id.desc())
        .limit(HISTORY)
        .subquery()
    )
    statement = sa.select(ended.c.ended_because, sa.func.count()).group_by(ended.c.ended_because)
    found = {because: number for because, number in session.execute(statement)}
    taken = sum(found.get(each, 0) for each in _CLAIMED)
    return taken, sum(found.values()) - taken


def get_offer(session: Session, offer_id: int) -> Offer:
    """The offer with this number; raises OfferNotFound."""
    if (offer := session.get(Offer, offer_id)) is None:
        raise OfferNotFound
    return offer


def lock_offer(session: Session, offer_id: int) -> Offer:
    """The offer as it is now with its wish, both ours until the transaction ends; raises OfferNotFound."""
    if (wish_id := session.scalar(sa.select(Offer.wish_id).where(Offer.id == offer_id))) is None:
        raise OfferNotFound
    lock_wish(session, wish_id)
    statement = (
        sa.select(Offer)
        .where(Offer.id == offer_id)
        .options(*_OFFER_ALONE)
        .with_for_update(of=Offer)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).one()


def find_open_offer(session: Session, *, wish_id: int) -> Offer | None:
    """The offer that has not ended for a wish; there is one at most."""
    found = sa.select(Offer).where(Offer.wish_id == wish_id, Offer.ended_at.is_(None)).options(*_OFFER_ALONE)
    return session.scalar(found)


def list_open_offers(session: Session, customer_id: int) -> list[Offer]:
    """A customer's offers that have not ended, the oldest first."""
    statement = sa.select(Offer).where(Offer.customer_id == customer_id, Offer.ended_at.is_(None)).order_by(Offer.id)
    return list(session.scalars(statement))


def list_to_ask(session: Session, *, now: datetime, policy: Policy, limit: int = 200, but: Rows = NONE) -> list[Wish]:
    """Waiting wishes that end soon and whose customers have not been asked "still want it?", the soonest first."""
    statement = (
        sa.select(Wish)
        .where(Wish.state == WishState.WAITING, Wish.asked_at.is_(None), Wish.id.not_in(but))
        .where(Wish.expires_at <= now + timedelta(days=policy.wish_ask_days))
        .order_by(Wish.expires_at, Wish.id)
        .limit(limit)
    )
    return list(session.scalars(statement))
