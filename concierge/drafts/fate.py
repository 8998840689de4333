"""What became of an answer once Send was pressed: read from the draft, else from the delivery it became."""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.conversations.models import Message
from concierge.drafts import queries
from concierge.drafts.gate import Objection
from concierge.drafts.models import Draft
from concierge.mailing.models import Delivery, DeliveryState


class Fate(StrEnum):
    """Where an answer is."""

    LEAVING = "leaving"
    SENT = "sent"
    DELAYED = "delayed"
    TROUBLED = "troubled"
    CAME_BACK = "came_back"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Became:
    """What became of it: why it came back, or the delivery that says how its mail fares."""

    fate: Fate
    reasons: tuple[Objection, ...] = ()
    delivery: Delivery | None = None


def mark_of(draft: Draft) -> str:
    """What tells this answer from every other; its number alone would not do, SQLite gives numbers again."""
    return f"{draft.id}:{draft.created_at.timestamp():.6f}"


def find_fate(session: Session, conversation_id: int, editor_id: int, mark: str) -> Became | None:
    """What became of her answer with this mark; None when it was thrown away, or never was."""
    draft = queries.find_draft(session, conversation_id, editor_id)
    if draft is not None and mark_of(draft) == mark:
        return _of_draft(draft)
    sent = (
        sa.select(Delivery)
        .join(Message, Message.delivery_id == Delivery.id)
        .where(Message.conversation_id == conversation_id, Message.editor_id == editor_id)
        .where(Delivery.key.startswith(f"reply:{mark}:", autoescape=True))
    )
    delivery = session.scalar(sent.limit(1))
    return Became(_fare(delivery.state), delivery=delivery) if delivery else None


def _of_draft(draft: Draft) -> Became:
    if draft.is_leaving:
        return Became(Fate.LEAVING)
    if draft.returned_reason:
        return Became(Fate.CAME_BACK, tuple(Objection.from_line(line) for line in draft.returned_reason.splitlines()))
    return Became(Fate.TAKEN_BACK)


def _fare(state: DeliveryState) -> Fate:
    return _FARE.get(state, Fate.TROUBLED)


_FARE = {
    DeliveryState.QUEUED: Fate.LEAVING,
    DeliveryState.SENDING: Fate.LEAVING,
    DeliveryState.SENT: Fate.SENT,
    DeliveryState.DELIVERED: Fate.SENT,
    DeliveryState.DEFERRED: Fate.DELAYED,
}
