"""Offers and waiting times agree: a letter answers nobody, and one that came back is work at the desk, not here."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.conversations import commands, jobs, queries
from concierge.conversations.models import Conversation, ConversationState, Message
from concierge.mailing.models import Delivery, DeliveryState
from concierge.wishes import jobs as wishes
from concierge.wishes import release
from concierge.wishes.desk import list_not_arrived
from concierge.wishes.offer_models import OfferEnding
from tests.conversations.stories import answer, receive
from tests.factories import HOUR, MINUTE, NOW, make_editor
from tests.wishes.builders import sandals, save_policy, share_out, wish_for

FRIDAY = datetime(2026, 5, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def offered(session, sessions, config, monkeypatch):
    """Barbara asked, Nadia answered, and an offer has left in that conversation; its number and Nadia's."""
    monkeypatch.setattr(clock, "now", lambda: FRIDAY)
    nadia = make_editor(session, language="en")
    editor_id = nadia.id
    save_policy(session)
    asked = receive(session, text="Do tell me when the 36 is back.", at=NOW)
    answer(session, asked.conversation, by=nadia, at=NOW + HOUR)
    number = asked.conversation_id
    [variant] = sandals(session)
    wish_for(session, variant, customer=asked.conversation.customer, conversation=asked.conversation, editor=nadia)
    variant.on_hand += 1
    session.flush()
    share_out(session, variant, now=FRIDAY)
    session.commit()
    assert release.release_due(config, sessions) == 1
    return number, editor_id


def conversation(session, number):
    return session.get(Conversation, number, populate_existing=True)


def test_a_conversation_whose_last_word_is_our_offer_does_not_wait(session, offered):
    number, _nadia = offered
    talk = conversation(session, number)
    assert (talk.waiting_since, queries.oldest_unanswered(session, talk)) == (None, None)


def test_who_asked_something_else_before_the_offer_left_still_waits_closed_and_opened_again(session, offered):
    number, editor_id = offered
    first = session.scalar(sa.select(Message.rfc_message_id).where(Message.conversation_id == number).limit(1))
    # filed late: the offer was quicker
    receive(session, text="And where is my parcel?", at=FRIDAY - MINUTE, in_reply_to=(first,))
    session.flush()
    talk = conversation(session, number)
    nadia = session.get(type(talk.editor), editor_id)
    assert talk.waiting_since == FRIDAY - MINUTE
    assert queries.last_answer(session, talk).created_at == NOW + HOUR
    commands.close_conversation(session, talk, by=nadia, now=FRIDAY)
    commands.reopen_conversation(session, talk, by=nadia, now=FRIDAY + HOUR)
    assert talk.waiting_since == FRIDAY - MINUTE


def test_an_offer_that_came_back_is_on_the_desk_and_its_conversation_stays_closed(session, sessions, config, offered):
    number, editor_id = offered
    talk = conversation(session, number)
    nadia = session.get(type(talk.editor), editor_id)
    commands.close_conversation(session, talk, by=nadia, now=FRIDAY)
    session.execute(
        sa.update(Delivery).values(state=DeliveryState.BOUNCED, settled_at=FRIDAY, reason="550 no such user")
    )
    session.commit()
    assert jobs.return_failed(config, sessions) == 0
    assert wishes.settle_mail(config, sessions) == 1
    assert conversation(session, number).state is ConversationState.CLOSED
    [lost] = list_not_arrived(session, editor=nadia, since=NOW)
    assert lost.ended_because is OfferEnding.BOUNCED
    assert list_not_arrived(session, editor=nadia, since=FRIDAY + HOUR) == []


def test_an_answer_that_came_back_is_still_work_in_its_conversation(session, sessions, config, offered):
    """Negative control: the same bounce of an editor's own answer."""
    number, _nadia = offered
    session.execute(
        sa.update(Delivery).values(state=DeliveryState.BOUNCED, settled_at=FRIDAY, purpose="reply", reason="550")
    )
    session.commit()
    assert jobs.return_failed(config, sessions) == 1
    assert conversation(session, number).failed_at == FRIDAY
    assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 3
