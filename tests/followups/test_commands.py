"""Planning a follow-up, changing it, taking it back, saying yes; and what is refused."""

from datetime import datetime, timedelta

import pytest

from concierge.accounts.models import Role
from concierge.config import Policy
from concierge.customers.zones import Whence
from concierge.drafts import body
from concierge.drafts.models import MayNotAnswer
from concierge.followups import commands, queries
from concierge.followups.commands import Seen
from concierge.followups.conditions import Because
from concierge.followups.models import (
    AlreadyPlanned,
    AlreadySettled,
    FollowUpState,
    HoleInWords,
    MomentPassed,
    NothingSaid,
    Overtaken,
)
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, NOW, make_editor
from tests.followups.builders import FRIDAY, WALL, answered, follow_up, planned


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def conversation(session, nadia):
    return answered(session, nadia)


def test_it_is_due_when_her_clock_shows_the_hour(session, conversation, nadia):
    found = follow_up(session, conversation, nadia)
    assert (found.state, found.due_at, found.editor) == (FollowUpState.SCHEDULED, FRIDAY, nadia)
    conversation.customer.timezone = "Asia/Tokyo"
    session.flush()
    assert follow_up(session, conversation, nadia, wall=WALL + HOUR).due_at == FRIDAY - 6 * HOUR


def test_the_same_one_is_planned_once_however_often_the_button_is_pressed(session, conversation, nadia):
    follow_up(session, conversation, nadia)
    with pytest.raises(AlreadyPlanned):
        follow_up(session, conversation, nadia)
    assert len(queries.list_of_conversation(session, conversation.id)) == 1


def test_nothing_is_planned_over_a_mail_nobody_has_read(session, conversation, nadia):
    seen = conversation.last_message_id
    receive(session, at=NOW + HOUR, references=(_last_id(conversation, session),))
    with pytest.raises(Overtaken):
        follow_up(session, conversation, nadia, seen=Seen(seen))


def _last_id(conversation, session):
    from concierge.conversations.queries import last_answer

    return last_answer(session, conversation).rfc_message_id


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"body": ""}, NothingSaid),
        ({"body": body.from_text("Dear ,\n\ndid you see it?")}, HoleInWords),
        ({"wall": datetime(2026, 5, 12, 11, 0)}, MomentPassed),
        ({"wall": datetime(2031, 5, 12, 11, 0)}, MomentPassed),
    ],
)
def test_what_could_not_leave_is_not_planned(session, conversation, nadia, values, refusal):
    with pytest.raises(refusal):
        follow_up(session, conversation, nadia, **values)


def test_her_own_answer_that_left_meanwhile_is_nothing_new_to_her(session, conversation, nadia):
    """Planned from the composer, the answer leaves while she chooses the moment."""
    assert follow_up(session, conversation, nadia, seen=Seen(conversation.last_message_id - 1)).is_scheduled


def test_only_who_answers_customers_plans_mails_to_them(session, conversation, nadia):
    marta = make_editor(session, "Marta Villa", role=Role.MERCHANDISER)
    with pytest.raises(MayNotAnswer):
        follow_up(session, conversation, marta)
    found = follow_up(session, conversation, nadia)
    with pytest.raises(MayNotAnswer):
        commands.cancel_follow_up(session, found, Seen(), by=marta, now=NOW)


def test_taken_back_it_is_over_and_says_by_whom(session, conversation, nadia):
    found = follow_up(session, conversation, nadia)
    chiara = make_editor(session, "Chiara Bassi")
    commands.cancel_follow_up(session, found, Seen(), by=chiara, now=NOW + HOUR)
    assert (found.state, found.because, found.settled_by_id) == (
        FollowUpState.CANCELLED,
        Because.BY_EDITOR,
        chiara.id,
    )
    with pytest.raises(AlreadySettled):
        commands.cancel_follow_up(session, found, Seen(), by=nadia, now=NOW)
    with pytest.raises(AlreadySettled):
        commands.change_follow_up(session, found, planned(conversation), by=nadia, policy=Policy(), now=NOW)
    assert follow_up(session, conversation, nadia).is_scheduled, "and may be planned anew"


def test_changed_it_counts_what_is_new_from_then_on(session, conversation, nadia):
    found = follow_up(session, conversation, nadia)
    message = receive(session, at=NOW + HOUR, references=(_last_id(conversation, session),))
    again = planned(conversation, wall=WALL + DAY, body=body.from_text("Dear Barbara,\n\nas you asked: ivory."))
    commands.change_follow_up(session, found, again, by=nadia, policy=Policy(), now=NOW + 2 * HOUR)
    assert (found.due_at, found.since_message_id) == (FRIDAY + DAY, message.id)
    assert "as you asked" in found.body


def test_changed_into_one_that_is_planned_already_both_stay_as_they_were(session, conversation, nadia):
    first = follow_up(session, conversation, nadia)
    second = follow_up(session, conversation, nadia, wall=WALL + DAY)
    session.commit()
    with pytest.raises(AlreadyPlanned):
        commands.change_follow_up(session, second, planned(conversation), by=nadia, policy=Policy(), now=NOW)
    session.commit()
    assert (first.wall, second.wall) == (WALL, WALL + DAY)


def test_sent_now_it_is_due_at_once_whatever_the_hour(session, conversation, nadia):
    found = follow_up(session, conversation, nadia)
    night = NOW + timedelta(hours=14)
    seen = conversation.last_message_id
    commands.send_follow_up_now(session, found, Seen(seen), by=nadia, policy=Policy(), now=night)
    assert (found.at_once, found.due_at) == (True, night)
    receive(session, at=night, references=(_last_id(conversation, session),))
    with pytest.raises(Overtaken):
        commands.send_follow_up_now(session, found, Seen(seen), by=nadia, policy=Policy(), now=night)


def test_a_zone_nobody_told_us_is_a_guess(session, conversation, config):
    customer = conversation.customer
    assert queries.her_clock(customer, config.policy.zone).whence is Whence.HERS
    customer.timezone, customer.country = "", "JP"
    found = queries.her_clock(customer, config.policy.zone)
    assert (found.zone.key, found.whence) == ("Asia/Tokyo", Whence.COUNTRY)
