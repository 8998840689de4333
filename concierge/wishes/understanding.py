"""A customer's reply to an offer, put before her editor: which mail, which offers, what it probably means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import normalise
from concierge.audit import AuditEntry
from concierge.catalogue.cards import sized_words
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.conversations.queries import lock_conversation, own_words
from concierge.errors import RuleBroken
from concierge.wishes import queries, replies
from concierge.wishes.likenesses import candidate_of
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer, OfferState
from concierge.wishes.offering import pass_offer, put_off_offer, take_offer
from concierge.wishes.replies import Reading

DISMISSED = "offer.reply_dismissed"


class Verdict(StrEnum):
    """What an editor makes of a reply."""

    TAKE = "take"
    DECLINE = "pass"
    PUT_OFF = "put-off"
    DISMISS = "dismiss"


class SheWroteAgain(RuleBroken):
    """She has written again meanwhile. Read that first; nothing was done."""


class NotHerOffer(RuleBroken):
    """This mail answers no offer that is open; nothing was done."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Her newest mail, what it probably means, and the open offers it may answer, the first made first."""

    message_id: int
    at: datetime
    reading: Reading
    offers: tuple[Offer, ...]


def find_reply(session: Session, conversation: Conversation) -> Reply | None:
    """Her newest mail here, if it came after an offer that is still open and no editor has set it aside."""
    if not (sent := _open_offers(session, conversation.customer_id)):
        return None
    newest = _newest(session, conversation)
    if newest is None:
        return None
    aside = _set_aside(session, newest.id, [offer.id for offer, _mail in sent])
    offers = tuple(offer for offer, mail in sent if offer.id not in aside and _answers(newest, offer, mail))
    if not offers:
        return None
    sizes = {fit.rpartition(" ")[2] for offer in offers for fit in candidate_of(offer.variant).fits}
    reading = replies.read(own_words(newest), newest.language, sizes=sizes)
    return Reply(newest.id, newest.created_at, reading, offers)


def list_taken(session: Session, conversation: Conversation) -> list[Offer]:
    """What she has taken through offers of this conversation and not bought yet."""
    statement = (
        sa.select(Offer)
        .join(Wish, Wish.id == Offer.wish_id)
        .where(Wish.customer_id == conversation.customer_id, Wish.conversation_id == conversation.id)
        .where(Offer.ended_at.is_(None), Offer.state == OfferState.TAKEN)
        .order_by(Offer.id)
    )
    return list(session.scalars(statement).unique())


def judge_reply(
    session: Session,
    conversation: Conversation,
    offer_id: int,
    verdict: Verdict,
    *,
    message_id: int,
    until: datetime,
    by: Editor,
    now: datetime,
) -> None:
    """Do what the editor makes of the mail she saw; twice is fine. `until`: when "not now" is over.

    Raises SheWroteAgain, NotHerOffer, OfferAnswered, OfferLapsed: then nothing is done.
    """
    offer = queries.lock_offer(session, offer_id)
    conversation = lock_conversation(session, conversation.id)
    newest = _newest(session, conversation)
    if newest is None or newest.id != message_id:
        raise SheWroteAgain
    mail = session.get(Message, offer.message_id) if offer.message_id else None
    if offer.customer_id != conversation.customer_id or mail is None or not _answers(newest, offer, mail):
        raise NotHerOffer
    before = (offer.state, offer.ended_because)
    match verdict:
        case Verdict.TAKE:
            take_offer(session, offer, now=now, by=by)
        case Verdict.DECLINE:
            pass_offer(session, offer, now=now, by=by)
        case Verdict.PUT_OFF:
            put_off_offer(session, offer, until=until, now=now, by=by)
        case Verdict.DISMISS:
            _dismiss(session, offer, newest.id, by=by, now=now)
    if before != (offer.state, offer.ended_because):
        details = {"message": newest.id, "offer": offer.id, "verdict": verdict.value, "piece": _piece(offer)}
        audit.record(session, "conversation.reply_judged", conversation, by=by, now=now, **details)


def _piece(offer: Offer) -> str:
    return ", ".join(filter(None, (offer.variant.product.name(offer.wish.language), sized_words(offer.variant))))


def _dismiss(session: Session, offer: Offer, message_id: int, *, by: Editor, now: datetime) -> None:
    if not _set_aside(session, message_id, [offer.id]):
        audit.record(session, DISMISSED, offer, by=by, now=now, message=message_id)


def _open_offers(session: Session, customer_id: int) -> list[tuple[Offer, Message]]:
    statement = (
        sa.select(Offer, Message)
        .join(Wish, Wish.id == Offer.wish_id)
        .join(Message, Message.id == Offer.message_id)
        .where(Wish.customer_id == customer_id, Offer.ended_at.is_(None), Offer.state == OfferState.OPEN)
        .order_by(Offer.id)
    )
    return [(offer, mail) for offer, mail in session.execute(statement).unique()]


def _newest(session: Session, conversation: Conversation) -> Message | None:
    """The newest mail she sent us here; of a mail filed late, it is the number that tells.

    What somebody in copy says is no answer of hers.
    """
    hers = {each.normalised for each in conversation.customer.addresses}
    statement = (
        sa.select(Message.id, Message.from_address)
        .where(Message.conversation_id == conversation.id, Message.direction == Direction.IN)
        .where(Message.kind == MessageKind.HUMAN)
        .order_by(Message.id.desc())
    )
    number = next((number for number, writer in session.execute(statement) if normalise(writer) in hers), None)
    return session.get(Message, number) if number is not None else None


def _answers(message: Message, offer: Offer, mail: Message) -> bool:
    """Whether a mail of hers came in the conversation of an offer's mail, behind it, or names that mail."""
    if offer.left_at is None or message.created_at < offer.left_at:
        return False
    named = {each.strip().strip("<>") for each in (*message.in_reply_to, *message.references)}
    return message.conversation_id == mail.conversation_id or mail.rfc_message_id in named


def _set_aside(session: Session, message_id: int, offer_ids: Sequence[int]) -> set[int]:
    statement = sa.select(AuditEntry.subject_id, AuditEntry.details).where(
        AuditEntry.subject_type == Offer.__tablename__,
        AuditEntry.subject_id.in_(offer_ids),
        AuditEntry.verb == DISMISSED,
    )
    return {offer_id for offer_id, details in session.execute(statement) if details.get("message") == message_id}
