"""Wishes that go along when two customers are one person: what she had twice is one wish (`uniting`)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.customers.models import Consent, Customer
from concierge.wishes import queries, standings
from concierge.wishes.answers import PURPOSE
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState
from concierge.wishes.offering import end_offer
from concierge.wishes.standings import Kept
from concierge.wishes.uniting import Held, Living, United, unite

_TERMS = ("quantity", "needed_by", "ceiling_cents")


def must_stay(session: Session, customer: Customer) -> bool:
    """Whether she has agreed to anything but mails about wishes: that is about her own address."""
    others = sa.select(Consent.id).where(Consent.customer_id == customer.id, Consent.purpose != PURPOSE)
    return session.scalar(others.limit(1)) is not None


def bring_wishes(session: Session, customer: Customer, other: Customer, *, by: Editor, now: datetime) -> dict[str, Any]:
    """`other`'s wishes, her yes to them and her orders are `customer`'s; of two wishes that are one, one stays.

    What was done, as `parting.give_wishes_back` takes it. Raises TakenTwice.
    """
    wishes = standings.lock_living(session, (customer.id, other.id))
    offers = _open_offers(session, wishes)
    united = unite([_living(wish, offers.get(wish.id)) for wish in wishes.values()])
    rows = standings.rows_of(session, other.id)
    pieces = _pieces(session, wishes, united, offers)
    for one in united:
        _make_room(session, wishes, one, by=by, now=now)
    standings.give(session, rows, customer.id)
    wishes = standings.lock_wishes(session, wishes)
    for one in united:
        _unite(session, wishes, one, by=by, now=now)
    for piece in pieces:
        piece["after"] = {number: standings.standing_of(session, wishes[int(number)]) for number in piece["before"]}
    return {"rows": rows, "pieces": pieces}


def _open_offers(session: Session, wish_ids: Collection[int]) -> dict[int, Offer]:
    """The open offer of each of these wishes that has one, by the wish."""
    found = sa.select(Offer).where(Offer.wish_id.in_(wish_ids), Offer.ended_at.is_(None))
    return {each.wish_id: each for each in session.scalars(found).unique()}


def _living(wish: Wish, offer: Offer | None) -> Living:
    held = Held(offer.id, offer.variant_id, offer.state is OfferState.TAKEN, offer.is_promised) if offer else None
    return Living(wish.id, wish.created_at, wish.rank_at, tuple(each.variant_id for each in wish.choices), held)


def _pieces(
    session: Session, wishes: Mapping[int, Wish], united: Collection[United], offers: Mapping[int, Offer]
) -> list[Kept]:
    """For each product of which wishes change, how all those wishes and offers stand before; keys as JSON has them."""
    by_offer = {offer.id: number for number, offer in offers.items()}
    pieces: dict[int, Kept] = {}
    for one in united:
        product = wishes[one.wish_id].product_id
        piece = pieces.setdefault(product, {"product": product, "into": {}, "before": {}, "moved": {}, "ended": []})
        piece["into"] |= {str(number): one.wish_id for number in one.ends}
        if one.offer_id is not None and by_offer[one.offer_id] != one.wish_id:
            piece["moved"][str(one.offer_id)] = by_offer[one.offer_id]
        piece["ended"] += [standings.offer_as_kept(offers[by_offer[number]]) for number in one.withdrawn]
        touched = {one.wish_id, *one.ends, *(by_offer[each] for each in (one.offer_id, *one.withdrawn) if each)}
        piece["before"] |= {str(each): standings.standing_of(session, wishes[each]) for each in sorted(touched)}
    return list(pieces.values())


def _make_room(session: Session, wishes: Mapping[int, Wish], one: United, *, by: Editor, now: datetime) -> None:
    """End what is one with another: the database allows no two living wishes of a person for a variant."""
    for number in one.withdrawn:
        end_offer(session, queries.lock_offer(session, number), OfferEnding.WITHDRAWN, now=now)
    for number in one.ends:
        wishes[number].end(WishEnding.JOINED, now=now)
        told = {"because": WishEnding.JOINED.value, "into": one.wish_id}
        audit.record(session, "wish.withdrawn", wishes[number], by=by, now=now, **told)
    wish = wishes[one.wish_id]
    standings.let_name(session, wish, [each.variant_id for each in wish.choices if each.variant_id in one.variants])


def _unite(session: Session, wishes: Mapping[int, Wish], one: United, *, by: Editor, now: datetime) -> None:
    """Let the one that stays have the variants, the terms and the offer of all of them, at its own place."""
    wish = wishes[one.wish_id]
    theirs = [wish, *(wishes[number] for number in one.ends if wishes[number].rank_at is not None)]
    standings.let_name(session, wish, one.variants)
    for name in _TERMS:
        setattr(wish, name, getattr(wishes[one.terms_of], name))
    wish.or_similar = any(each.or_similar for each in theirs)
    wish.expires_at = max(each.expires_at for each in theirs)
    wish.rests_until = max((each.rests_until for each in theirs if each.rests_until), default=None)
    wish.skipped_because = ""
    if one.offer_id is not None:
        queries.lock_offer(session, one.offer_id).wish_id = wish.id
        wish.stand(WishState.OFFERED)
    else:
        wish.stand(WishState.UNCONFIRMED if wish.rank_at is None else WishState.WAITING)
    session.flush()
    if one.ends:
        audit.record(session, "wish.united", wish, by=by, now=now, ends=list(one.ends))
