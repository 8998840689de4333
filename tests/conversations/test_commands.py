"""Each verb, its opposite, twice, and by another."""

import pytest

from concierge import audit
from concierge.accounts.models import Role
from concierge.conversations.commands import (
    add_note,
    assign_conversation,
    close_conversation,
    mark_not_for_us,
    reopen_conversation,
    see_mentions,
    snooze_conversation,
    tag_conversation,
    unassign_conversation,
    unmark_not_for_us,
    untag_conversation,
    wake_conversation,
)
from concierge.conversations.models import (
    AlreadyAssigned,
    AlreadyClosed,
    AlreadyNotForUs,
    AlreadyOpen,
    AlreadyTagged,
    CannotAnswer,
    ConversationState,
    EmptyNote,
    EmptyTag,
    NotAssigned,
    NotMarked,
    NotSnoozed,
    NotTagged,
    SnoozeInThePast,
)
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor


@pytest.fixture
def conversation(session):
    return receive(session).conversation


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def chiara(session):
    return make_editor(session, "Chiara Bellini")


def history(session, conversation):
    return [(entry.verb, entry.editor_id) for entry in audit.list_for(session, conversation)][1:]


def test_assigning_makes_it_hers_and_is_written_down(session, conversation, nadia, chiara):
    assign_conversation(session, conversation, chiara, by=nadia, now=NOW)
    assert conversation.editor is chiara
    assert history(session, conversation) == [("conversation.assigned", nadia.id)]


def test_assigning_twice_is_refused(session, conversation, nadia):
    assign_conversation(session, conversation, nadia, by=nadia, now=NOW)
    with pytest.raises(AlreadyAssigned):
        assign_conversation(session, conversation, nadia, by=nadia, now=NOW)


def test_nothing_is_assigned_to_who_does_not_answer(session, conversation, nadia):
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    with pytest.raises(CannotAnswer):
        assign_conversation(session, conversation, marta, by=nadia, now=NOW)
    assert conversation.editor is None


def test_unassigning_makes_it_nobodys_once(session, conversation, nadia, chiara):
    assign_conversation(session, conversation, nadia, by=nadia, now=NOW)
    unassign_conversation(session, conversation, by=chiara, now=NOW)
    assert conversation.editor is None
    with pytest.raises(NotAssigned):
        unassign_conversation(session, conversation, by=chiara, now=NOW)


def test_closing_twice_is_refused_and_leaves_the_first_closer(session, conversation, nadia, chiara):
    close_conversation(session, conversation, by=nadia, now=NOW)
    with pytest.raises(AlreadyClosed):
        close_conversation(session, conversation, by=chiara, now=NOW + MINUTE)
    assert (conversation.closed_by, conversation.closed_at) == (nadia, NOW)
    assert conversation.waiting_since is None


def test_reopening_lets_her_wait_again_since_her_mail(session, conversation, nadia):
    close_conversation(session, conversation, by=nadia, now=NOW + HOUR)
    reopen_conversation(session, conversation, by=nadia, now=NOW + DAY)
    assert conversation.state is ConversationState.OPEN
    assert conversation.waiting_since == NOW
    with pytest.raises(AlreadyOpen):
        reopen_conversation(session, conversation, by=nadia, now=NOW + DAY)


def test_reopening_what_was_answered_makes_nobody_wait(session, conversation, nadia):
    answer(session, conversation, by=nadia, at=NOW + MINUTE)
    close_conversation(session, conversation, by=nadia, now=NOW + HOUR)
    reopen_conversation(session, conversation, by=nadia, now=NOW + DAY)
    assert conversation.waiting_since is None


def test_snoozing_hides_until_then_and_again_is_a_new_date(session, conversation, nadia):
    snooze_conversation(session, conversation, until=NOW + HOUR, by=nadia, now=NOW)
    snooze_conversation(session, conversation, until=NOW + DAY, by=nadia, now=NOW)
    assert (conversation.state, conversation.snoozed_until) == (ConversationState.SNOOZED, NOW + DAY)
    assert conversation.waiting_since == NOW


def test_snoozing_into_the_past_is_refused(session, conversation, nadia):
    with pytest.raises(SnoozeInThePast):
        snooze_conversation(session, conversation, until=NOW, by=nadia, now=NOW)


def test_what_is_closed_can_not_be_snoozed(session, conversation, nadia):
    close_conversation(session, conversation, by=nadia, now=NOW)
    with pytest.raises(AlreadyClosed):
        snooze_conversation(session, conversation, until=NOW + DAY, by=nadia, now=NOW)


def test_waking_brings_it_back_once(session, conversation, nadia):
    snooze_conversation(session, conversation, until=NOW + DAY, by=nadia, now=NOW)
    wake_conversation(session, conversation, by=nadia, now=NOW)
    assert (conversation.state, conversation.snoozed_until) == (ConversationState.OPEN, None)
    with pytest.raises(NotSnoozed):
        wake_conversation(session, conversation, by=nadia, now=NOW)


def test_closing_what_is_snoozed_ends_the_snooze(session, conversation, nadia):
    snooze_conversation(session, conversation, until=NOW + DAY, by=nadia, now=NOW)
    close_conversation(session, conversation, by=nadia, now=NOW)
    assert (conversation.state, conversation.snoozed_until) == (ConversationState.CLOSED, None)


def test_not_for_us_closes_and_back_again_opens(session, conversation, nadia):
    mark_not_for_us(session, conversation, by=nadia, now=NOW)
    assert (conversation.state, conversation.not_for_us_at) == (ConversationState.CLOSED, NOW)
    with pytest.raises(AlreadyNotForUs):
        mark_not_for_us(session, conversation, by=nadia, now=NOW)
    unmark_not_for_us(session, conversation, by=nadia, now=NOW + HOUR)
    assert (conversation.state, conversation.not_for_us_at) == (ConversationState.OPEN, None)
    assert conversation.waiting_since == NOW
    with pytest.raises(NotMarked):
        unmark_not_for_us(session, conversation, by=nadia, now=NOW)


def test_a_tag_is_put_on_once_whatever_its_case(session, conversation, nadia):
    tag_conversation(session, conversation, name="  #Wedding  guest ", by=nadia, now=NOW)
    with pytest.raises(AlreadyTagged):
        tag_conversation(session, conversation, name="WEDDING GUEST", by=nadia, now=NOW)
    other = receive(session, "Chloé Martin").conversation
    tag_conversation(session, other, name="wedding guest", by=nadia, now=NOW)
    assert conversation.tags == other.tags
    assert [tag.name for tag in conversation.tags] == ["wedding guest"]


def test_a_tag_is_taken_off_once(session, conversation, nadia, chiara):
    tag_conversation(session, conversation, name="wedding", by=nadia, now=NOW)
    untag_conversation(session, conversation, name="Wedding", by=chiara, now=NOW)
    assert conversation.tags == []
    with pytest.raises(NotTagged):
        untag_conversation(session, conversation, name="wedding", by=chiara, now=NOW)


@pytest.mark.parametrize("name", ["", "  ", "#", "x" * 41, "a\x00b"])
def test_a_tag_needs_a_word(session, conversation, nadia, name):
    with pytest.raises(EmptyTag):
        tag_conversation(session, conversation, name=name, by=nadia, now=NOW)


def test_a_note_names_colleagues_by_first_name(session, conversation, nadia, chiara):
    make_editor(session, "Omar Haddad", active=False)
    note = add_note(session, conversation, text="@chiara, @Omar and @Nobody: look @Nadia", by=nadia, now=NOW)
    assert [mention.editor_id for mention in note.mentions] == [chiara.id]


def test_a_name_with_an_accent_is_found_without(session, conversation, nadia):
    zoe = make_editor(session, "Zoé Laurent", email="zoe@maison-solenne.example")
    note = add_note(session, conversation, text="What do you think, @zoe?", by=nadia, now=NOW)
    assert [mention.editor_id for mention in note.mentions] == [zoe.id]


def test_an_address_in_a_note_names_nobody(session, conversation, nadia, chiara):
    note = add_note(session, conversation, text="she writes from me@2chiara.example", by=nadia, now=NOW)
    assert note.mentions == []


@pytest.mark.parametrize("text", ["", "  \n "])
def test_a_note_needs_words(session, conversation, nadia, text):
    with pytest.raises(EmptyNote):
        add_note(session, conversation, text=text, by=nadia, now=NOW)


def test_mentions_are_seen_once_and_by_her_alone(session, conversation, nadia, chiara):
    add_note(session, conversation, text="@Chiara, please", by=nadia, now=NOW)
    assert see_mentions(session, conversation, by=nadia, now=NOW) == 0
    assert see_mentions(session, conversation, by=chiara, now=NOW) == 1
    assert see_mentions(session, conversation, by=chiara, now=NOW) == 0


def test_everything_done_is_in_the_history(session, conversation, nadia, chiara):
    assign_conversation(session, conversation, chiara, by=nadia, now=NOW)
    add_note(session, conversation, text="hm", by=chiara, now=NOW)
    snooze_conversation(session, conversation, until=NOW + DAY, by=chiara, now=NOW)
    wake_conversation(session, conversation, by=None, now=NOW + DAY)
    assert history(session, conversation) == [
        ("conversation.assigned", nadia.id),
        ("conversation.noted", chiara.id),
        ("conversation.snoozed", chiara.id),
        ("conversation.woken", None),
    ]
