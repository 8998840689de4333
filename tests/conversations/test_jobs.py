"""What the house does by itself: waking, and bringing back answers that did not arrive."""

from datetime import timedelta

import pytest

from concierge import audit, clock
from concierge.conversations.commands import close_conversation, snooze_conversation
from concierge.conversations.jobs import return_failed, wake_due
from concierge.conversations.models import Conversation, ConversationState
from concierge.mailing.models import Delivery, DeliveryState
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, NOW, make_editor


@pytest.fixture
def nadia(session):
    return make_editor(session)


def delivery(session, state=DeliveryState.QUEUED, key="reply:1"):
    row = Delivery(
        key=key, purpose="reply", state=state, message_id=f"{key}@maison-solenne.example", reason="no such mailbox",
        to_address="barbara@example.com", to_normalised="barbara@example.com", subject="Re", content={},
        due_at=NOW, created_at=NOW, settled_at=NOW + HOUR,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def again(session, conversation_id):
    session.expire_all()
    return session.get(Conversation, conversation_id)


def test_what_is_due_wakes_once_and_nothing_else(session, sessions, config, nadia):
    now = clock.now()
    due, later = receive(session).conversation, receive(session).conversation
    snooze_conversation(session, due, until=now - timedelta(seconds=1), by=nadia, now=now - DAY)
    snooze_conversation(session, later, until=now + DAY, by=nadia, now=now)
    session.commit()
    assert wake_due(config, sessions) == 1
    assert wake_due(config, sessions) == 0
    assert again(session, due.id).state is ConversationState.OPEN
    assert again(session, later.id).state is ConversationState.SNOOZED
    assert audit.list_for(session, due)[-1].verb == "conversation.woken"


@pytest.mark.parametrize("state", [DeliveryState.BOUNCED, DeliveryState.FAILED, DeliveryState.WITHHELD])
def test_an_answer_that_did_not_arrive_is_work_again_once(session, sessions, config, nadia, state):
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia, at=NOW + HOUR, delivery=delivery(session, state))
    close_conversation(session, conversation, by=nadia, now=NOW + HOUR)
    session.commit()
    assert return_failed(config, sessions) == 1
    assert return_failed(config, sessions) == 0
    back = again(session, conversation.id)
    assert back.state is ConversationState.OPEN
    assert back.failed_at is not None
    assert back.waiting_since == NOW
    assert back.editor is nadia
    last = audit.list_for(session, back)[-1]
    assert (last.verb, last.details["reason"]) == ("conversation.returned", "no such mailbox")


def test_an_unknown_outcome_is_shown_but_she_may_have_it(session, sessions, config, nadia):
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia, at=NOW + HOUR, delivery=delivery(session, DeliveryState.UNCERTAIN))
    session.commit()
    assert return_failed(config, sessions) == 1
    back = again(session, conversation.id)
    assert (back.failed_at is not None, back.waiting_since) == (True, None)


def test_a_failure_after_a_later_answer_makes_nobody_wait(session, sessions, config, nadia):
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia, at=NOW + HOUR, delivery=delivery(session, DeliveryState.FAILED))
    answer(session, conversation, by=nadia, at=NOW + DAY, delivery=delivery(session, DeliveryState.SENT, "reply:2"))
    session.commit()
    assert return_failed(config, sessions) == 1
    assert again(session, conversation.id).waiting_since is None


def test_sent_again_and_failed_again_returns_again(session, sessions, config, nadia):
    conversation = receive(session).conversation
    row = delivery(session, DeliveryState.FAILED)
    answer(session, conversation, by=nadia, at=NOW + HOUR, delivery=row)
    session.commit()
    assert return_failed(config, sessions) == 1
    row.settled_at = clock.now() + HOUR
    session.commit()
    assert return_failed(config, sessions) == 1


def test_a_mail_that_arrived_is_left_alone(session, sessions, config, nadia):
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia, delivery=delivery(session, DeliveryState.DELIVERED))
    session.commit()
    assert return_failed(config, sessions) == 0


def test_answering_again_settles_the_failure(session, sessions, config, nadia):
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia, delivery=delivery(session, DeliveryState.FAILED))
    session.commit()
    return_failed(config, sessions)
    back = again(session, conversation.id)
    answer(session, back, by=nadia, at=NOW + DAY)
    assert back.failed_at is None
