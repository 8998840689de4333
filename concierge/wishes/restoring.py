"""Gives her wish and its place back when the order that was to fulfil it comes to nothing."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.catalogue.stock_models import Purchase
from concierge.customers.queries import list_consents
from concierge.wishes import queries
from concierge.wishes.answers import PURPOSE
from concierge.wishes.models import Wish, WishPurchase


def undo_purchase(session: Session, purchase: Purchase, *, now: datetime) -> bool:
    """What was bought in an order that was cancelled or never paid is wished for again; whether it is. Once each.

    A wish that ended with it lives again at its old place, unless she took her yes back meanwhile. Where she has wished
    for the same anew, that wish takes the older place.
    """
    if (bought := session.get(WishPurchase, purchase.id)) is None:
        return False
    units, wish = bought.units, queries.lock_wish(session, bought.wish_id)
    has_ended = _ended_by_purchase(session, wish)
    session.delete(bought)
    session.flush()
    if wish.is_living:
        wish.quantity, wish.skipped_because = wish.quantity + units, ""
    elif not has_ended or not _may_live(session, wish):
        return False
    elif (newer := _find_newer(session, wish)) is not None:
        wish = _let_stand_before(queries.lock_wish(session, newer.id), wish.rank_at)
    else:
        _revive(session, wish, units)
    audit.record(session, "wish.restored", wish, by=None, now=now, purchase=purchase.id, units=units)
    return True


def _revive(session: Session, wish: Wish, units: int) -> None:
    wish.revive(units)
    session.execute(sa.update(WishPurchase).where(WishPurchase.wish_id == wish.id).values(has_ended=False))


def _ended_by_purchase(session: Session, wish: Wish) -> bool:
    """Whether it is over because she bought all of it, as far as we know from the shop."""
    known = sa.select(WishPurchase.purchase_id).where(WishPurchase.wish_id == wish.id, WishPurchase.has_ended)
    return session.scalar(known.limit(1)) is not None


def _may_live(session: Session, wish: Wish) -> bool:
    """Whether she still says yes to it; one she never confirmed is asked for again as it was."""
    consents = list_consents(session, wish.customer_id, purpose=PURPOSE, standing_only=True)
    return wish.confirmed_at is None or bool(consents)


def _find_newer(session: Session, wish: Wish) -> Wish | None:
    """A living wish of hers for one of the same variants, of which there can't be two."""
    named = {choice.variant_id for choice in wish.choices}
    for other in queries.list_wishes_of(session, wish.customer_id, living_only=True):
        if named & {choice.variant_id for choice in other.choices}:
            return other
    return None


def _let_stand_before(newer: Wish, rank_at: datetime | None) -> Wish:
    """The newer wish at the older one's place, unless somebody moved it by hand."""
    if newer.rank_at is not None and rank_at is not None and rank_at < newer.rank_at and newer.moved_at is None:
        newer.rank(rank_at)
    return newer
