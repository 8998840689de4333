"""Wishes that come back when one customer is two people after all: as they were, or said why not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.catalogue.models import Product
from concierge.catalogue.stock_models import Purchase
from concierge.conversations.brought import Separation
from concierge.customers.models import Customer
from concierge.wishes import queries, standings
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer
from concierge.wishes.standings import Kept


def list_changed(brought: dict[str, Any]) -> set[int]:
    """The wishes that are one with another since this join, or changed by it."""
    return {int(number) for piece in brought["pieces"] for number in piece["before"]}


def give_wishes_back(
    session: Session,
    customer: Customer,
    other: Customer,
    brought: dict[str, Any],
    leaving: Separation,
    *,
    by: Editor,
    now: datetime,
) -> list[str]:
    """Everything `joining.bring_wishes` did is undone, and what came from her address since goes along.

    Where a wish of both changed meanwhile it stays as it is now; the sentences say so.
    """
    rows = _rows_that_go(session, customer, brought["rows"], leaving)
    pieces = brought["pieces"]
    touched = list_changed(brought)
    wishes = standings.lock_wishes(session, {*touched, *rows["wish"]})
    unchanged = [piece for piece in pieces if _is_unchanged(session, wishes, piece)]
    for piece in unchanged:
        _let_go(session, wishes, piece)
    standings.give(session, rows, other.id)
    wishes = standings.lock_wishes(session, wishes)
    said = []
    for piece in pieces:
        part = _part if piece in unchanged else _part_what_is_left
        said.append(part(session, wishes, piece))
        for number in piece["before"]:
            audit.record(session, "wish.parted", wishes[int(number)], by=by, now=now)
    _settle_offers(session, touched)
    return [words for words in said if words]


def _rows_that_go(
    session: Session, customer: Customer, came: Mapping[str, list[int]], leaving: Separation
) -> dict[str, list[int]]:
    """What came with her, and what came from her address since: wishes in those conversations, and orders."""
    since = list(
        session.scalars(
            sa.select(Wish)
            .where(Wish.customer_id == customer.id, Wish.created_at >= leaving.since)
            .where(Wish.conversation_id.in_(leaving.talks), Wish.id.not_in(came["wish"]))
        ).unique()
    )
    bought = sa.select(Purchase.id).where(Purchase.customer_id == customer.id, Purchase.received_at >= leaving.since)
    return {
        "wish": [*came["wish"], *(each.id for each in since)],
        "consent": [*came["consent"], *(each.consent_id for each in since if each.consent_id is not None)],
        "purchase": [*came["purchase"], *session.scalars(bought.where(Purchase.normalised.in_(leaving.addresses)))],
    }


def _is_unchanged(session: Session, wishes: Mapping[int, Wish], piece: Kept) -> bool:
    now = {number: standings.standing_of(session, wishes[int(number)]) for number in piece["after"]}
    return all(standings.are_alike(now[number], kept) for number, kept in piece["after"].items())


def _let_go(session: Session, wishes: Mapping[int, Wish], piece: Kept) -> None:
    """Those that stayed name only what they named before, and have only their own offers."""
    for number, wish_id in piece["moved"].items():
        queries.lock_offer(session, int(number)).wish_id = wish_id
    session.flush()
    for number, kept in piece["before"].items():
        if number not in piece["into"]:
            wish = wishes[int(number)]
            before = [variant_id for variant_id, _preference in kept["choices"]]
            standings.let_name(session, wish, [each.variant_id for each in wish.choices if each.variant_id in before])


def _part(session: Session, wishes: Mapping[int, Wish], piece: Kept) -> str:
    """Everything as it was; but for a piece that was held twice, and is somebody else's by now."""
    lost = {kept["wish"] for kept in piece["ended"] if not standings.reopen_offer(session, kept)}
    for number, kept in piece["before"].items():
        was = WishState(kept["state"])
        state = WishState.WAITING if int(number) in lost else was
        standings.put_back(session, wishes[int(number)], kept, state=state)
    if not lost:
        return ""
    return str(
        _(
            "%(piece)s: what was held a second time is no longer free. That wish waits again.",
            piece=_name(session, piece),
        )
    )


def _part_what_is_left(session: Session, wishes: Mapping[int, Wish], piece: Kept) -> str:
    """The one that stayed is as it is now; those it took in live again, unless it has ended."""
    revived = [number for number in piece["into"] if _revive(session, wishes, piece, number)]
    name = _name(session, piece)
    if revived:
        return str(
            _("%(piece)s: her wish has changed since, and stays as it is. The other one waits again.", piece=name)
        )
    return str(_("%(piece)s: her wish has changed or ended since, and stays as it is.", piece=name))


def _revive(session: Session, wishes: Mapping[int, Wish], piece: Kept, number: str) -> bool:
    wish, into, kept = wishes[int(number)], wishes[piece["into"][number]], piece["before"][number]
    if wish.ended_because is not WishEnding.JOINED or not into.is_living:
        return False
    living = queries.list_wishes_of(session, wish.customer_id, living_only=True)
    if {choice.variant_id for each in living for choice in each.choices} & {each for each, _place in kept["choices"]}:
        return False
    state = WishState.UNCONFIRMED if wish.rank_at is None else WishState.WAITING
    standings.put_back(session, wish, kept, state=state)
    return True


def _settle_offers(session: Session, wish_ids: set[int]) -> None:
    """Every offer is whose wish it is for."""
    session.flush()
    whose = sa.select(Wish.customer_id).where(Wish.id == Offer.wish_id).scalar_subquery()
    settled = sa.update(Offer).where(Offer.wish_id.in_(wish_ids)).values(customer_id=whose)
    session.execute(settled.execution_options(synchronize_session=False))
    session.expire_all()


def _name(session: Session, piece: Kept) -> str:
    locale = get_locale()
    return session.get_one(Product, piece["product"]).name(locale.language if locale else "en")
