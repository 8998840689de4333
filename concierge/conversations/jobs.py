"""What the house does with conversations by itself: wakes those whose time has come, returns answers that failed."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit, clock
from concierge.audit import AuditEntry
from concierge.config import Config
from concierge.conversations import commands, queries
from concierge.conversations.models import Conversation, ConversationState, Message
from concierge.db import Sessions, reading
from concierge.mailing.models import UNASKED, Delivery, DeliveryState
from concierge.setbacks import resting
from concierge.working import work_each

_AT_ONCE = 200


def wake_due(config: Config, sessions: Sessions) -> int:
    """Bring back the snoozed conversations whose time has come; how many."""
    now, job = clock.now(), "conversations.wake_due"
    is_due = (Conversation.state == ConversationState.SNOOZED, Conversation.snoozed_until <= now)

    def wake(session: Session, conversation_id: int) -> bool:
        conversation = queries.lock_conversation(session, conversation_id)
        until = conversation.snoozed_until  # an editor or a mail may have been quicker
        if conversation.state is not ConversationState.SNOOZED or until is None or until > now:
            return False
        commands.wake_conversation(session, conversation, by=None, now=now)
        return True

    due = sa.select(Conversation.id).where(*is_due, Conversation.id.not_in(resting(job, now)))
    with reading(sessions) as session:
        found = list(session.scalars(due.order_by(Conversation.snoozed_until).limit(_AT_ONCE)))
    return work_each(sessions, job, found, wake)


def return_failed(config: Config, sessions: Sessions) -> int:
    """Put conversations whose answer did not arrive back on their editor's list, once for each failure; how many.

    A letter that left by itself is no work in its conversation: an offer that came back stands on the offers desk.
    """
    job = "conversations.return_failed"

    def back(session: Session, failed: tuple[int, int]) -> bool:
        message_id, conversation_id = failed
        conversation = queries.lock_conversation(session, conversation_id)
        if session.execute(_failed().where(Message.id == message_id)).first() is None:
            return False
        _return(session, conversation, queries.get_message(session, message_id))
        return True

    with reading(sessions) as session:
        failed = _failed().where(Message.id.not_in(resting(job, clock.now()))).limit(_AT_ONCE)
        found = [(message_id, conversation_id) for message_id, conversation_id in session.execute(failed)]
    return work_each(sessions, job, found, back)


def _failed() -> sa.Select[int, int]:
    returned = (
        sa.select(AuditEntry.id)
        .where(AuditEntry.subject_type == "message", AuditEntry.subject_id == Message.id)
        .where(AuditEntry.verb == "message.returned")
        .where(AuditEntry.at >= sa.func.coalesce(Delivery.settled_at, Delivery.created_at))
    )
    return (
        sa.select(Message.id, Message.conversation_id)
        .join(Delivery, Delivery.id == Message.delivery_id)
        .where(Delivery.state.in_(queries.NOT_ARRIVED), Delivery.purpose.not_in(UNASKED), ~returned.exists())
        .order_by(Message.id)
    )


def _return(session: Session, conversation: Conversation, message: Message) -> None:
    now, delivery = clock.now(), message.delivery
    assert delivery is not None
    newest = queries.last_answer(session, conversation)
    waits = None
    # Unknown is not undone: she may have it. And a later answer of ours has taken its place.
    if delivery.state is not DeliveryState.UNCERTAIN and newest is message:
        waits = queries.unanswered_before(session, message)
    conversation.return_failed(now=now, waiting_since=waits)
    audit.record(session, "message.returned", message, by=None, now=now)
    reason = delivery.reason[:600]
    audit.record(session, "conversation.returned", conversation, by=None, now=now, message=message.id, reason=reason)
