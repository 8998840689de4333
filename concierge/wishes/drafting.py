"""What an editor does with offers before they leave: her own words, other pieces, not her after all, send."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.audit import AuditEntry
from concierge.catalogue.queries import get_variant_by_sku
from concierge.config import Config
from concierge.errors import BadInput, RuleBroken
from concierge.mailing.sheets import typed_lines
from concierge.wishes import leaving, queries, release
from concierge.wishes.commands import withdraw_wish
from concierge.wishes.likenesses import NONE, may_stand_beside
from concierge.wishes.models import NoReason, Wish, WishEnding
from concierge.wishes.offer_models import Offer, OfferEnding
from concierge.wishes.offering import end_offer
from concierge.wishes.similar import MOST

LONGEST = 4_000


class OfferHasLeft(RuleBroken):
    """This offer has left already, or is over; nothing was changed."""


class WordsChanged(RuleBroken):
    """A colleague changed the words of this mail meanwhile. Go back, copy yours, and look again; nothing was sent."""


class WordsTooLong(BadInput):
    """That is longer than anybody reads in an offer; 4,000 characters are the most."""


class NotBesideIt(BadInput):
    """This piece is not there in her size; choose another one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the offers an editor sent: mails that left, and offers that could not."""

    mails: int = 0
    asleep: int = 0
    withheld: int = 0
    gone: int = 0


def keep_words(
    session: Session, offer_ids: Collection[int], words: str, *, version: str, by: Editor, now: datetime
) -> str:
    """Keep what she writes into the mail of these offers, on the first of them; the version of what is kept now.

    `version` is that of the words she saw. Nothing happens to offers that have left. Raises WordsChanged, WordsTooLong.
    """
    if len(words) > LONGEST:
        raise WordsTooLong
    words = typed_lines(words)
    offers = [each for each in (queries.lock_offer(session, number) for number in sorted(offer_ids)) if _waits(each)]
    if not offers:
        return version
    present = "\n\n".join(filter(None, (each.words.strip() for each in offers)))
    if words != present:
        if version_of(present) != version:
            raise WordsChanged
        for number, each in enumerate(offers):
            each.words = "" if number else words
        audit.record(session, "offer.worded", offers[0], by=by, now=now, letters=len(words))
    return version_of(words)


def version_of(words: str) -> str:
    """A short word that changes with an editor's words."""
    return f"{crc32(words.encode()):x}"


def choose_pieces(
    session: Session, offer: Offer, skus: Sequence[str], *, by: Editor, now: datetime, added: str = ""
) -> None:
    """Show these pieces under "if not this one", none if there are none; `added` is looked at, the others were shown.

    Raises OfferHasLeft, NotBesideIt, VariantNotFound.
    """
    offer = queries.lock_offer(session, offer.id)
    if not _waits(offer):
        raise OfferHasLeft
    if added and not may_stand_beside(offer.variant, get_variant_by_sku(session, added)):
        raise NotBesideIt
    offer.similar = list(dict.fromkeys(skus))[:MOST] or [NONE]
    audit.record(session, "offer.similar_chosen", offer, by=by, now=now, skus=offer.similar)


def forget_pieces(session: Session, offer: Offer, *, by: Editor, now: datetime) -> None:
    """Let the house propose the pieces again; raises OfferHasLeft."""
    offer = queries.lock_offer(session, offer.id)
    if not _waits(offer):
        raise OfferHasLeft
    offer.similar = []
    audit.record(session, "offer.similar_forgotten", offer, by=by, now=now)


def withdraw_offer(
    session: Session, offer: Offer, *, because: str, until: datetime | None, by: Editor, now: datetime
) -> None:
    """Not her: the offer ends before it leaves, for this reason, and the next one gets it; twice is fine.

    Her wish rests until then, or ends too (None). What was written for its mail goes to another piece of hers, if one
    waits. Raises NoReason, OfferHasLeft.
    """
    because = " ".join(because.split())[:300]
    if not because:
        raise NoReason
    offer = queries.lock_offer(session, offer.id)
    if offer.ended_because is OfferEnding.WITHDRAWN and offer.left_at is None:
        return
    if not _waits(offer):
        raise OfferHasLeft
    _hand_on(session, offer)
    if until is None:
        withdraw_wish(session, offer.wish, WishEnding.WITHDRAWN_BY_EDITOR, by=by, now=now)
    else:
        end_offer(session, offer, OfferEnding.WITHDRAWN, now=now, rest=until - now)
    audit.record(session, "offer.withdrawn", offer, by=by, now=now, because=because)


def send_offers(session: Session, config: Config, offer_ids: Collection[int], *, by: Editor, now: datetime) -> Sent:
    """Let these offers leave in her name; what has left or is in another's hand is passed over, so twice is fine.

    Raises MouldsMissing before anything is written (see `release`).
    """
    due = leaving.list_chosen(session, offer_ids)
    release.release_offers(session, config, due, now=now, by=by)
    session.flush()
    wanted = [each.offer_id for each in due]
    rows = session.execute(
        sa.select(Offer.id, Offer.left_at, Offer.ended_at, Offer.delivery_id).where(Offer.id.in_(wanted))
    ).all()
    left = [row for row in rows if row.left_at is not None]
    session.add_all(_sent(row.id, by, now) for row in left)
    return Sent(
        mails=len({row.delivery_id for row in left}),
        asleep=sum(row.left_at is None and row.ended_at is None for row in rows),
        withheld=sum(row.ended_at is not None for row in rows),
        gone=len(set(offer_ids)) - len(due),
    )


def _waits(offer: Offer) -> bool:
    return offer.left_at is None and not offer.is_over


def _hand_on(session: Session, offer: Offer) -> None:
    if not offer.words:
        return
    others = leaving.list_chosen(session, _siblings(session, offer))
    if others:
        heir = queries.lock_offer(session, others[0].offer_id)
        heir.words = "\n\n".join(filter(None, (offer.words, heir.words)))
        session.flush()


def _siblings(session: Session, offer: Offer) -> list[int]:
    found = (
        sa.select(Offer.id)
        .join(Wish, Wish.id == Offer.wish_id)
        .where(Wish.customer_id == offer.customer_id, Offer.id != offer.id)
        .where(Offer.left_at.is_(None), Offer.ended_at.is_(None))
        .order_by(Offer.leaves_at, Offer.id)
    )
    return list(session.scalars(found))


def _sent(offer_id: int, by: Editor, now: datetime) -> AuditEntry:
    return AuditEntry(at=now, verb="offer.sent", subject_type="offer", subject_id=offer_id, editor_id=by.id, details={})
