"""Which rows each figure counts: said once, for the count and for the list that opens behind it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import COMING, Purchase, ReturnedUnit
from concierge.reports import chances
from concierge.wishes.models import Wish, WishEnding, WishVariant
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Wave

GONE_WITHIN: Final = timedelta(days=90)
SOLD_WITHIN: Final = timedelta(days=180)
ANSWERED_WITHIN: Final = timedelta(days=730)
NEWEST_OFFERS: Final = 2_000

# How an ending counts. Who bought elsewhere wanted it still; a bounce or a unit taken away says nothing about her.
TAKEN: Final = (OfferEnding.BOUGHT, OfferEnding.BOUGHT_ELSEWHERE)
SAID_NO: Final = (OfferEnding.PASSED, OfferEnding.NOT_NOW)
# She said no, or nothing: silence is no refusal, but the unit went to the next all the same.
NOT_TAKEN: Final = (*SAID_NO, OfferEnding.LAPSED)
# Endings of wishes we had nothing for in time.
LOST: Final = (WishEnding.TOO_OLD, WishEnding.NEEDED_BY_PASSED, WishEnding.WITHDRAWN_BY_HER)

# Units of a variant the house may give away now.
FREE: Final = sa.case(
    (
        Variant.on_hand > Variant.promised + Variant.safety_minimum,
        Variant.on_hand - Variant.promised - Variant.safety_minimum,
    ),
    else_=0,
)

Conditions = Iterator[sa.ColumnElement[bool]]


def is_first_choice() -> sa.ColumnElement[bool]:
    """Whether no other variant of the same wish is dearer to her."""
    other = WishVariant.__table__.alias("dearer")
    dearer = sa.select(other.c.wish_id).where(
        other.c.wish_id == WishVariant.wish_id, other.c.preference < WishVariant.preference
    )
    return sa.or_(WishVariant.preference == 0, ~dearer.exists())


def lost(now: datetime) -> Conditions:
    """Wishes that ended of late without ever having been offered anything."""
    yield from (Wish.ended_at >= now - GONE_WITHIN, Wish.confirmed_at.is_not(None), Wish.ended_because.in_(LOST))
    yield ~sa.select(Offer.id).where(Offer.wish_id == Wish.id).exists()


def sold(now: datetime) -> Conditions:
    """Purchases of late that did not come back."""
    yield from (Purchase.at >= now - SOLD_WITHIN, Purchase.returned_at.is_(None))


def coming() -> Conditions:
    """Units on their way back."""
    yield ReturnedUnit.state.in_(COMING)


def asked(now: datetime) -> Conditions:
    """Offers from which the house learns how likely somebody still wants what she wished for; needs their wishes."""
    yield from (Offer.made_at >= now - ANSWERED_WITHIN, Wish.confirmed_at.is_not(None))


def age_then(session: Session, at: Any) -> sa.ColumnElement[Any]:
    """Which of the ages (`chances.AGES`) a wish was of at this moment."""
    days = _days_between(session, Wish.confirmed_at, at)
    return sa.case(*((days <= most, number) for number, most in enumerate(chances.AGES)), else_=len(chances.AGES))


def is_taken(ending: OfferEnding | None, state: OfferState) -> bool:
    """Whether she said yes: bought it, or took it and is on her way to the checkout."""
    return ending in TAKEN or (ending is None and state is OfferState.TAKEN)


def was_taken() -> sa.ColumnElement[bool]:
    """What `is_taken` says, for the database."""
    return sa.or_(
        Offer.ended_because.in_([each for each in OfferEnding if is_taken(each, OfferState.OPEN)]),
        sa.and_(Offer.ended_because.is_(None), Offer.state == OfferState.TAKEN),
    )


def travelled() -> sa.ColumnElement[bool]:
    """The newest offers that left after a restock: those over which times are taken."""
    newest = (
        sa.select(Offer.id)
        .join_from(Offer, Wave, Offer.wave_id == Wave.id)
        .where(Offer.left_at.is_not(None), Wave.restock_id.is_not(None))
        .order_by(Offer.id.desc())
        .limit(NEWEST_OFFERS)
    )
    return Offer.id.in_(newest)


def was_bought() -> sa.ColumnElement[bool]:
    """She bought the very unit that was held for her."""
    return Offer.ended_because == OfferEnding.BOUGHT


def _days_between(session: Session, begin: Any, end: Any) -> sa.ColumnElement[Any]:
    """Days from one moment to another, each database in its own way."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.func.julianday(end) - sa.func.julianday(begin)
    return sa.extract("epoch", sa.type_coerce(end, sa.DateTime) - sa.type_coerce(begin, sa.DateTime)) / 86400.0
