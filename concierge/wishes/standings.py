"""How a wish and its open offer stand, as plain values: kept when two wishes are made one, put back when they part."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.catalogue.stock import take_units
from concierge.catalogue.stock_models import Purchase
from concierge.customers.models import Consent
from concierge.wishes import queries
from concierge.wishes.models import LIVING, Wish, WishState, WishVariant
from concierge.wishes.offer_models import Offer, OfferState

Kept = dict[str, Any]
_ROWS: dict[str, type[Wish] | type[Consent] | type[Purchase]] = {
    "wish": Wish,
    "consent": Consent,
    "purchase": Purchase,
}


def lock_living(session: Session, customer_ids: Collection[int]) -> dict[int, Wish]:
    """What these customers wish for, ours until the transaction ends, by number."""
    living = (Wish.customer_id.in_(customer_ids), Wish.state.in_(LIVING))
    return lock_wishes(session, session.scalars(sa.select(Wish.id).where(*living)))


def lock_wishes(session: Session, numbers: Iterable[int]) -> dict[int, Wish]:
    """These wishes as they are now, ours until the transaction ends, taken in the order of their numbers."""
    return {number: queries.lock_wish(session, number) for number in sorted(set(numbers))}


def standing_of(session: Session, wish: Wish) -> Kept:
    """How a wish stands: where and what for, and its open offer; not its place, which nothing here touches."""
    offer = queries.find_open_offer(session, wish_id=wish.id)
    return {
        "state": wish.state.value,
        "ended": [wish.ended_because.value, _iso(wish.ended_at)] if wish.ended_because else None,
        "quantity": wish.quantity,
        "needed_by": _iso(wish.needed_by),
        "ceiling_cents": wish.ceiling_cents,
        "or_similar": wish.or_similar,
        "expires_at": _iso(wish.expires_at),
        "rests_until": _iso(wish.rests_until),
        "skipped_because": wish.skipped_because,
        "choices": [[each.variant_id, each.preference] for each in wish.choices],
        "offer": [offer.id, offer.state.value, offer.quantity] if offer else None,
    }


def are_alike(one: Kept, other: Kept) -> bool:
    """Whether two are the same, but for why she was left out, which the worker notes in passing."""
    return {**one, "skipped_because": ""} == {**other, "skipped_because": ""}


def put_back(session: Session, wish: Wish, kept: Kept, *, state: WishState) -> None:
    """Let a wish live again as it stood; `state` is where it is now that its offer may be another's."""
    wish.quantity, wish.ceiling_cents, wish.or_similar = kept["quantity"], kept["ceiling_cents"], kept["or_similar"]
    wish.needed_by = date.fromisoformat(kept["needed_by"]) if kept["needed_by"] else None
    wish.expires_at = datetime.fromisoformat(kept["expires_at"])
    wish.rests_until = datetime.fromisoformat(kept["rests_until"]) if kept["rests_until"] else None
    wish.skipped_because = kept["skipped_because"]
    wish.state, wish.ended_at, wish.ended_because = state, None, None
    let_name(session, wish, [variant_id for variant_id, _preference in kept["choices"]])
    for choice, (_variant_id, preference) in zip(wish.choices, kept["choices"], strict=True):
        choice.preference = preference
    wish.stand(state)
    session.flush()


def let_name(session: Session, wish: Wish, variant_ids: Iterable[int]) -> None:
    """A wish is for these variants, the dearest first."""
    known = {each.variant_id: each for each in wish.choices}
    choices = []
    for place, number in enumerate(variant_ids):
        choice = known.get(number)
        if choice is None:
            variant = session.get_one(Variant, number)
            choice = WishVariant(variant=variant, variant_id=number, customer_id=wish.customer_id, is_living=True)
        choice.preference = place
        choices.append(choice)
    wish.choices = choices
    session.flush()


def offer_as_kept(offer: Offer) -> Kept:
    """How an open offer stands before it ends."""
    return {
        "offer": offer.id,
        "wish": offer.wish_id,
        "state": offer.state.value,
        "holds": offer.holds,
        "left": offer.hold_left_seconds,
    }


def reopen_offer(session: Session, kept: Kept) -> bool:
    """Let an offer that ended stand again as it did, if what was held for it is still free; whether it does."""
    offer = queries.lock_offer(session, kept["offer"])
    if kept["holds"] and not take_units(session, offer.variant_id, offer.quantity):
        return False
    offer.state, offer.holds, offer.hold_left_seconds = OfferState(kept["state"]), kept["holds"], kept["left"]
    offer.ended_at = offer.ended_because = None
    session.flush()
    return True


def rows_of(session: Session, customer_id: int) -> dict[str, list[int]]:
    """The numbers of all that goes along with a customer's wishes, by table."""
    return {
        name: list(session.scalars(sa.select(table.id).where(table.customer_id == customer_id).order_by(table.id)))
        for name, table in _ROWS.items()
    }


def give(session: Session, rows: dict[str, list[int]], customer_id: int) -> None:
    """These are this customer's from now on, with the queues' copies and the offers of these wishes."""
    session.flush()
    whose = {"customer_id": customer_id}
    changes: list[sa.Update] = [
        sa.update(table).where(table.id.in_(rows[name])).values(whose) for name, table in _ROWS.items()
    ]
    for follower in (WishVariant, Offer):
        changes.append(sa.update(follower).where(follower.wish_id.in_(rows["wish"])).values(whose))
    for each in changes:
        session.execute(each.execution_options(synchronize_session=False))
    session.expire_all()


def _iso(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None
