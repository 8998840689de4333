"""Mails find their conversation, and what they move."""

import os
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError

from concierge import audit, tokens
from concierge.addresses import Address
from concierge.conversations import queries
from concierge.conversations.commands import close_conversation, mark_not_for_us, snooze_conversation
from concierge.conversations.models import ConversationState, Direction, MessageKind
from concierge.drafts.queries import answered
from tests.conversations import guessing
from tests.conversations.stories import CARE, SECRET, answer, customer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor

# `make faults` asks for 100,000.
GUESSES = int(os.environ.get("CONCIERGE_TESTS_GUESSES", "200"))


def test_a_first_mail_begins_a_conversation_that_waits(session):
    message = receive(session)
    conversation = message.conversation
    assert conversation.state is ConversationState.OPEN
    assert conversation.waiting_since == NOW
    assert conversation.last_message_id == message.id
    assert conversation.subject == "The turquoise sandals"
    assert conversation.first_line == "Dear Maison Solenne, is there a pair left in 36? Barbara"
    assert conversation.editor is None
    assert [entry.verb for entry in audit.list_for(session, conversation)] == ["conversation.began"]


def test_the_same_mail_is_found_again_and_never_kept_twice(session):
    assert queries.find_copy(session, "f" * 64) is None
    first = receive(session, fingerprint="f" * 64)
    assert queries.find_copy(session, "f" * 64) == first.id
    with pytest.raises(IntegrityError):
        receive(session, fingerprint="f" * 64)


def test_an_answer_to_our_message_id_joins(session):
    nadia = make_editor(session)
    conversation = receive(session).conversation
    ours = answer(session, conversation, by=nadia)
    reply = receive(session, in_reply_to=(ours.rfc_message_id,), at=NOW + HOUR, subject="Another matter altogether")
    assert reply.conversation is conversation
    assert conversation.waiting_since == NOW + HOUR


def test_the_newest_mail_it_names_leads_and_what_it_answers_comes_last(session):
    """References are read from their end; all three are conversations of hers, so only the order decides."""
    oldest, newest, answered_one = (receive(session, subject=subject) for subject in ("One", "Two", "Three"))
    ids = (oldest.rfc_message_id, newest.rfc_message_id)
    reply = receive(session, references=ids, in_reply_to=(answered_one.rfc_message_id,), at=NOW + HOUR)
    assert reply.conversation is newest.conversation
    turned = receive(session, references=ids[::-1], in_reply_to=(answered_one.rfc_message_id,), at=NOW + 2 * HOUR)
    assert turned.conversation is oldest.conversation
    unknown = receive(session, references=("no.such@example.com",), in_reply_to=(answered_one.rfc_message_id,))
    assert unknown.conversation is answered_one.conversation


@pytest.mark.parametrize("where", ["recipients", "to", "message id", "message id of earlier days"])
def test_our_signed_key_leads_home(session, where):
    conversation = receive(session).conversation
    key = tokens.reply_key(SECRET, conversation.id)
    address = f"care+{key.upper()}@maison-solenne.example"
    values = {
        "recipients": {"recipients": (address,)},
        "to": {"to": (Address("", address),)},
        "message id": {"references": ("other@example.com", f"x1y2.{key}@maison-solenne.example")},
        "message id of earlier days": {"references": ("other@example.com", f"{key}.x1y2@maison-solenne.example")},
    }[where]
    assert receive(session, **values).conversation is conversation


def test_mallory_with_barbaras_key_gets_a_conversation_of_her_own_and_a_hint(session):  # T23
    hers = receive(session).conversation
    key = tokens.reply_key(SECRET, hers.id)
    stolen = receive(session, "Mallory Black", recipients=(f"care+{key}@maison-solenne.example",)).conversation
    assert stolen is not hers
    assert stolen.hint_conversation_id == hers.id
    assert stolen.customer.name == "Mallory Black"


def test_mallory_who_names_barbaras_message_id_gets_a_conversation_of_her_own(session):  # T23
    hers = receive(session)
    stolen = receive(session, "Mallory Black", references=(hers.rfc_message_id,), subject="Re: The turquoise sandals")
    assert stolen.conversation is not hers.conversation
    assert stolen.conversation.hint_conversation_id == hers.conversation_id


def test_the_same_subject_joins_nothing(session):  # T23
    first = receive(session)
    second = receive(session, subject=f"Re: {first.subject}")
    assert second.conversation is not first.conversation
    assert second.conversation.hint_conversation_id is None


def test_guessed_keys_lead_nowhere(session):  # T23
    assert guessing.guess(session, GUESSES) == []


def test_the_guessing_finds_a_reader_that_looks_at_the_number_alone(session):  # T23
    assert len(guessing.guess(session, 200, careless=True)) > 50


def test_whom_she_has_in_copy_takes_part(session):
    friend = customer(session, "Chloé Martin")
    first = receive(session, cc=(Address("", friend.address),))
    assert receive(session, "Chloé Martin", references=(first.rfc_message_id,)).conversation is first.conversation


def test_whom_we_have_in_copy_takes_part(session):
    nadia = make_editor(session)
    first, friend = receive(session), customer(session, "Chloé Martin")
    answer(session, first.conversation, by=nadia, cc=(Address("", friend.address),))
    assert receive(session, "Chloé Martin", references=(first.rfc_message_id,)).conversation is first.conversation


def test_what_somebody_in_copy_wrote_to_us_alone_is_not_quoted_to_her(session):
    she, friend = customer(session), customer(session, "Chloé Martin")
    hers = receive(session, cc=(Address("", friend.address),))
    aside = receive(session, "Chloé Martin", references=(hers.rfc_message_id,), text="She must not know: a surprise.")
    zone = ZoneInfo("Europe/Rome")
    assert not queries.has_seen(she, aside)
    assert answered(session, hers.conversation, zone).text == ""
    to_both = (Address("", CARE), Address("", she.address))
    receive(session, "Chloé Martin", references=(hers.rfc_message_id,), text="Lovely!", to=to_both, at=NOW + HOUR)
    assert answered(session, hers.conversation, zone).text == "Lovely!"


def test_whom_somebody_in_copy_names_takes_no_part(session):  # T23
    friend = customer(session, "Chloé Martin")
    first = receive(session, cc=(Address("", friend.address),))
    copied = (Address("", customer(session, "Mallory Black").address),)
    receive(session, "Chloé Martin", references=(first.rfc_message_id,), cc=copied)
    stolen = receive(session, "Mallory Black", references=(first.rfc_message_id,))
    assert stolen.conversation is not first.conversation


def test_an_id_that_a_thousand_mails_claim_leads_to_a_few_of_them(session):  # T08, T23
    hers = receive(session)
    for _copy in range(3):
        receive(session, "Mallory Black", rfc_message_id=hers.rfc_message_id)
    assert receive(session, references=(hers.rfc_message_id,)).conversation is hers.conversation


def test_an_editors_own_address_takes_no_part(session):  # T24
    nadia = make_editor(session)
    first = receive(session)
    answer(session, first.conversation, by=nadia, cc=(Address("Nadia", nadia.email),))
    forged = receive(session, sender=Address("Nadia", nadia.email), references=(first.rfc_message_id,))
    assert forged.conversation is not first.conversation
    assert (forged.direction, forged.editor_id) == (Direction.IN, None)


def test_her_second_address_belongs_to_her_conversation(session):
    from concierge.customers.models import CustomerAddress

    first = receive(session)
    first.conversation.customer.addresses.append(
        CustomerAddress(address="B.Rossi@work.example", normalised="b.rossi@work.example", created_at=NOW)
    )
    session.flush()
    second = receive(session, sender=Address("", "b.rossi@WORK.example"), references=(first.rfc_message_id,))
    assert second.conversation is first.conversation


def test_her_mail_reopens_and_goes_back_to_her_editor(session):
    nadia = make_editor(session)
    first = receive(session)
    answer(session, first.conversation, by=nadia)
    close_conversation(session, first.conversation, by=nadia, now=NOW)
    receive(session, references=(first.rfc_message_id,), at=NOW + DAY)
    assert first.conversation.state is ConversationState.OPEN
    assert first.conversation.editor is nadia
    assert first.conversation.waiting_since == NOW + DAY
    assert first.conversation.closed_at is None


def test_her_mail_goes_to_the_last_who_answered_when_it_is_nobodys(session):
    nadia, chiara = make_editor(session), make_editor(session, "Chiara Bellini")
    first = receive(session)
    answer(session, first.conversation, by=nadia)
    answer(session, first.conversation, by=chiara, at=NOW + MINUTE)
    first.conversation.unassign()
    receive(session, references=(first.rfc_message_id,), at=NOW + DAY)
    assert first.conversation.editor is chiara


def test_her_mail_does_not_wait_for_an_editor_who_has_left(session):
    nadia = make_editor(session)
    first = receive(session)
    answer(session, first.conversation, by=nadia)
    nadia.active = False
    receive(session, references=(first.rfc_message_id,), at=NOW + DAY)
    assert first.conversation.editor is None


def test_a_new_matter_of_hers_goes_to_her_editor(session):
    nadia = make_editor(session)
    answer(session, receive(session).conversation, by=nadia)
    assert receive(session, subject="A dress for June").conversation.editor is nadia
    assert receive(session, "Chloé Martin").conversation.editor is None


def test_her_mail_wakes_a_snoozed_conversation(session):
    nadia = make_editor(session)
    first = receive(session)
    snooze_conversation(session, first.conversation, until=NOW + DAY, by=nadia, now=NOW)
    receive(session, references=(first.rfc_message_id,), at=NOW + HOUR)
    assert first.conversation.state is ConversationState.OPEN
    assert first.conversation.snoozed_until is None


def test_her_mail_to_what_was_not_for_us_is_seen_again(session):
    nadia = make_editor(session)
    first = receive(session)
    mark_not_for_us(session, first.conversation, by=nadia, now=NOW)
    receive(session, references=(first.rfc_message_id,), at=NOW + HOUR)
    assert first.conversation.state is ConversationState.OPEN
    assert first.conversation.not_for_us_at is None


@pytest.mark.parametrize("kind", [MessageKind.AUTOMATIC, MessageKind.BOUNCE])
def test_automatic_mail_is_kept_and_moves_nothing(session, kind):  # T26
    nadia = make_editor(session)
    first = receive(session)
    ours = answer(session, first.conversation, by=nadia)
    close_conversation(session, first.conversation, by=nadia, now=NOW)
    filed = receive(session, references=(ours.rfc_message_id,), kind=kind, at=NOW + DAY, text="I am away")
    conversation = filed.conversation
    assert conversation is first.conversation
    assert conversation.state is ConversationState.CLOSED
    assert conversation.waiting_since is None
    assert conversation.last_message_id == ours.id
    assert conversation.last_message_at == NOW
    assert "away" not in conversation.first_line


def test_an_out_of_office_is_no_answer_of_hers_and_does_not_make_her_wait(session):  # T26
    nadia = make_editor(session)
    first = receive(session)
    answer(session, first.conversation, by=nadia, at=NOW + HOUR)
    receive(session, references=(first.rfc_message_id,), kind=MessageKind.AUTOMATIC, at=NOW + DAY)
    assert queries.oldest_unanswered(session, first.conversation) is None


def test_an_automatic_mail_of_its_own_is_kept_and_nobody_waits(session):  # T26
    conversation = receive(session, kind=MessageKind.AUTOMATIC).conversation
    assert conversation.state is ConversationState.CLOSED
    assert conversation.waiting_since is None


def test_a_bounce_of_our_mail_is_kept_where_it_belongs(session):
    nadia = make_editor(session)
    conversation = receive(session).conversation
    key = tokens.reply_key(SECRET, conversation.id)
    answer(session, conversation, by=nadia, at=NOW + HOUR)
    daemon = Address("", "mailer-daemon@example.com")
    bounce = receive(
        session, sender=daemon, kind=MessageKind.BOUNCE, references=(f"{key}.x@maison-solenne.example",), at=NOW + DAY
    )
    assert bounce.conversation is conversation
    assert conversation.waiting_since is None
    later = receive(session, "Mallory Black", sender=daemon, references=(bounce.rfc_message_id,))
    assert later.conversation is not conversation


def test_she_waits_since_her_oldest_unanswered_mail(session):
    nadia = make_editor(session)
    first = receive(session)
    receive(session, references=(first.rfc_message_id,), at=NOW + HOUR)
    assert first.conversation.waiting_since == NOW
    answer(session, first.conversation, by=nadia, at=NOW + 2 * HOUR)
    assert first.conversation.waiting_since is None


def test_an_old_mail_imported_late_makes_nobody_wait(session):
    nadia = make_editor(session)
    first = receive(session)
    answer(session, first.conversation, by=nadia, at=NOW + HOUR)
    receive(session, references=(first.rfc_message_id,), at=NOW + MINUTE, text="a line in between")
    assert first.conversation.waiting_since is None
    assert first.conversation.last_message_at == NOW + HOUR
    assert "in between" not in first.conversation.first_line


def test_an_answer_makes_a_conversation_hers_only_when_it_was_nobodys(session):
    nadia, chiara = make_editor(session), make_editor(session, "Chiara Bellini")
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia)
    assert conversation.editor is nadia
    answer(session, conversation, by=chiara)
    assert conversation.editor is nadia


def test_an_answer_knows_what_it_answers(session):
    first = receive(session, references=("older@example.com",))
    parents, parent = queries.references_for(session, first.conversation)
    assert (parents, parent) == (("older@example.com",), first.rfc_message_id)


def test_message_ids_are_kept_bare(session):
    assert receive(session, rfc_message_id="<x@example.com>").rfc_message_id == "x@example.com"
