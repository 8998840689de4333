"""What must always be true of units, offers and wishes; each query finds what breaks it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.audit import AuditEntry
from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase
from concierge.wishes.models import LIVING, Wish, WishState, WishVariant
from concierge.wishes.offer_models import Offer, OfferState

# Of each kind so many are named; one is enough to look.
NAMED = 20
BROKEN = "invariant.broken"


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold for one row."""

    rule: str
    table: str
    id: int
    words: str


def find_broken_invariants(session: Session) -> list[Broken]:
    """Everything that is not as it must be; an empty list in a sound house."""
    return [
        Broken(rule, table, number, words.format(*figures))
        for rule, table, words, statement in _RULES
        for number, *figures in session.execute(statement.limit(NAMED))
    ]


def note_broken(session: Session, broken: Broken, *, now: datetime) -> bool:
    """Write it into the audit of its row, once a day; whether it was new."""
    mine = (
        AuditEntry.subject_type == broken.table,
        AuditEntry.subject_id == broken.id,
        AuditEntry.verb == BROKEN,
        AuditEntry.at > now - timedelta(days=1),
    )
    known = session.scalars(sa.select(AuditEntry.details).where(*mine))
    if any(details.get("rule") == broken.rule for details in known):
        return False
    details = {"rule": broken.rule, "words": broken.words}
    session.add(AuditEntry(at=now, verb=BROKEN, subject_type=broken.table, subject_id=broken.id, details=details))
    return True


def _promised() -> Any:
    held = (
        sa.select(sa.func.coalesce(sa.func.sum(Offer.quantity), 0))
        .where(Offer.variant_id == Variant.id, Offer.ended_at.is_(None), Offer.holds)
        .scalar_subquery()
    )
    sold = (
        sa.select(sa.func.coalesce(sa.func.sum(Purchase.unsettled), 0))
        .where(Purchase.variant_id == Variant.id)
        .scalar_subquery()
    )
    return held + sold


def unmatched() -> sa.ColumnElement[bool]:
    """Whether a variant was bought by somebody whose wish has not been looked for yet."""
    return sa.exists().where(Purchase.matched_at.is_(None), Purchase.variant_id == Variant.id)


def may_still_be_ended() -> sa.ColumnElement[bool]:
    """Whether a unit of a variant is held for somebody who has not answered."""
    return sa.exists().where(
        Offer.variant_id == Variant.id, Offer.ended_at.is_(None), Offer.holds, Offer.state == OfferState.OPEN
    )


_LIVES = Wish.state.in_(LIVING)
_WAITS = Wish.state == WishState.WAITING
_RULES: tuple[tuple[str, str, str, Any], ...] = (
    (
        "holds and sales fit the units",
        "variant",
        "{1} units are promised and {0} are there",
        sa.select(Variant.id, Variant.on_hand, Variant.promised).where(
            Variant.promised > Variant.on_hand, ~unmatched(), ~may_still_be_ended()
        ),
    ),
    (
        "what is promised is what is held and sold",
        "variant",
        "{0} units count as promised, {1} are held or sold",
        sa.select(Variant.id, Variant.promised, _promised()).where(
            (Variant.promised > 0) | (Variant.on_hand > 0), Variant.promised != _promised()
        ),
    ),
    (
        "one open offer a wish",
        "wish",
        "{0} offers are open",
        sa.select(Offer.wish_id, sa.func.count())
        .where(Offer.ended_at.is_(None))
        .group_by(Offer.wish_id)
        .having(sa.func.count() > 1),
    ),
    (
        "an offered wish has an open offer",
        "wish",
        "it counts as offered and no offer is open",
        sa.select(Wish.id).where(
            Wish.state == WishState.OFFERED,
            ~sa.exists().where(Offer.wish_id == Wish.id, Offer.ended_at.is_(None)),
        ),
    ),
    (
        "an open offer's wish is offered",
        "offer",
        "it is open and its wish is {0}",
        sa.select(Offer.id, sa.type_coerce(Wish.state, sa.String))
        .join(Wish, Wish.id == Offer.wish_id)
        .where(Offer.ended_at.is_(None), Wish.state != WishState.OFFERED),
    ),
    (
        "what was said to be held is held",
        "offer",
        "her mail says that it is held for her, and nothing is",
        sa.select(Offer.id).where(Offer.ended_at.is_(None), Offer.says_held, ~Offer.holds),
    ),
    (
        "a queue agrees with its wishes",
        "wish",
        "its place in the queue of variant {0} is not the wish's",
        sa.select(Wish.id, WishVariant.variant_id)
        .join(WishVariant, WishVariant.wish_id == Wish.id)
        .where(_LIVES | WishVariant.is_living | WishVariant.is_waiting)
        .where(
            (WishVariant.is_living != _LIVES)
            | (WishVariant.is_waiting != _WAITS)
            | (_WAITS & (WishVariant.rank_at.is_distinct_from(Wish.rank_at)))
            | (_WAITS & Wish.confirmed_at.is_(None))
        ),
    ),
    (
        "a living wish wishes for something",
        "wish",
        "it names no variant",
        sa.select(Wish.id).where(_LIVES, ~sa.exists().where(WishVariant.wish_id == Wish.id)),
    ),
)
