"""Drafts: saved by version, sent once, called back in time."""

from datetime import timedelta

import pytest

from concierge import audit
from concierge.accounts.models import Role
from concierge.catalogue.models import VariantNotFound
from concierge.drafts import body, commands, filling, queries
from concierge.drafts.commands import Content
from concierge.drafts.gate import Reason
from concierge.drafts.models import (
    DraftLeaving,
    DraftNotFound,
    DraftStale,
    EmptyFile,
    MayNotAnswer,
    NothingToUndo,
    NotSendable,
    SendInThePast,
    TooLarge,
    TooLateToUndo,
)
from concierge.mailing.models import Suppression, SuppressionReason
from concierge.templating.commands import Wording, add_template
from concierge.templating.rendering import FieldMissing
from tests.conversations.stories import answer
from tests.drafts.people import LETTER, LIMIT, begin, make_sandals, send, write, write_again
from tests.factories import HOUR, MINUTE, NOW, make_editor


@pytest.fixture
def conversation(session):
    return begin(session)


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def chiara(session):
    return make_editor(session, "Chiara Bellini")


def attach(session, draft, *, size=1000, filename="lookbook.pdf", content_type="application/pdf"):
    return commands.attach_file(
        session, draft, filename=filename, content_type=content_type, size=size, blob_key="a" * 64, limit=LIMIT, now=NOW
    )


def refused(session, draft, **values):
    with pytest.raises(NotSendable) as caught:
        send(session, draft, **values)
    return [each.reason for each in caught.value.objections]


def test_a_draft_is_begun_once_for_each_editor_and_answers_the_subject(session, conversation, nadia, chiara):
    draft = write(session, conversation, nadia)
    assert commands.open_draft(session, conversation, by=nadia, now=NOW) is draft
    assert write(session, conversation, chiara).id != draft.id
    assert draft.subject == "Re: Turquoise sandals"
    assert [each.editor for each in queries.list_drafts_of_others(session, conversation.id, nadia.id)] == [chiara]


def test_a_merchandiser_does_not_answer_customers(session, conversation):
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    with pytest.raises(MayNotAnswer):
        commands.open_draft(session, conversation, by=marta, now=NOW)


def test_saving_counts_versions_and_the_same_again_does_not(session, conversation, nadia):
    draft = write(session, conversation, nadia)
    assert draft.version == 1
    write(session, conversation, nadia)
    assert draft.version == 1
    write(session, conversation, nadia, "Dear Barbara,\n\nanother thought.")
    assert draft.version == 2


def test_an_old_window_never_overwrites_a_newer_text(session, conversation, nadia):  # F08
    draft = write(session, conversation, nadia)
    commands.save_draft(session, draft, Content("<p>newer</p>", draft.subject), version=1, now=NOW)
    with pytest.raises(DraftStale):
        commands.save_draft(session, draft, Content("<p>older window</p>", draft.subject), version=1, now=NOW)
    assert draft.body == "<p>newer</p>"


def test_an_old_window_with_the_same_text_is_no_conflict(session, conversation, nadia):
    draft = write(session, conversation, nadia)
    commands.save_draft(session, draft, Content("<p>newer</p>", draft.subject), version=1, now=NOW)
    again = commands.save_draft(session, draft, Content("<p>newer</p>", draft.subject), version=1, now=NOW)
    assert again.version == 2


def test_what_is_on_its_way_can_not_be_changed(session, conversation, nadia):
    draft = send(session, write(session, conversation, nadia))
    for change in (
        lambda: write(session, conversation, nadia, "Dear Barbara, wait"),
        lambda: attach(session, draft),
        lambda: commands.insert_product_card(session, draft, make_sandals(session).sku, now=NOW),
        lambda: commands.discard_draft(session, draft, by=nadia, now=NOW),
        lambda: send(session, draft),
    ):
        with pytest.raises(DraftLeaving):
            change()


def test_sending_freezes_it_until_it_is_due(session, conversation, nadia):
    draft = send(session, write(session, conversation, nadia))
    assert (draft.due_at, draft.seen_message_id) == (NOW + timedelta(seconds=10), conversation.last_message_id)
    assert draft.body == body.from_text(LETTER)


def test_nothing_is_sent_past_a_message_its_author_has_not_seen(session, conversation, nadia):  # F08
    seen = conversation.last_message_id
    draft = write(session, conversation, nadia)
    write_again(session, conversation)
    assert refused(session, draft, seen=seen) == [Reason.NEWER_MESSAGE]
    assert draft.body == body.from_text(LETTER)
    assert send(session, draft).is_leaving


def test_two_editors_answer_once(session, conversation, nadia, chiara):
    seen = conversation.last_message_id
    hers = write(session, conversation, chiara)
    answer(session, conversation, by=nadia)
    assert refused(session, hers, seen=seen) == [Reason.NEWER_MESSAGE]


def test_a_suppressed_address_is_not_written_to(session, conversation, nadia):
    address = conversation.customer.address
    session.add(Suppression(normalised=address, reason=SuppressionReason.HARD_BOUNCE, created_at=NOW))
    assert refused(session, write(session, conversation, nadia)) == [Reason.SUPPRESSED]


def test_a_card_of_a_product_that_is_gone_stops_the_mail(session, conversation, nadia):
    assert refused(session, write(session, conversation, nadia, LETTER + "\n\n[product GONE-1]")) == [
        Reason.UNKNOWN_PRODUCT
    ]


def test_a_warning_is_asked_once_and_can_be_waved_through(session, conversation, nadia):
    draft = write(session, conversation, nadia, "Dear Chloé,\n\nplease find attached the lookbook of the season.")
    assert refused(session, draft) == [Reason.OTHER_NAME, Reason.NO_ATTACHMENT]
    assert send(session, draft, overridden=frozenset({"other_name", "no_attachment"})).is_leaving


def test_undo_in_time_gives_the_draft_back(session, conversation, nadia):
    draft = send(session, write(session, conversation, nadia))
    commands.undo_draft(session, draft, by=nadia, now=NOW + timedelta(seconds=9))
    assert not draft.is_leaving
    write(session, conversation, nadia, "Dear Barbara,\n\nbetter words.")
    with pytest.raises(NothingToUndo):
        commands.undo_draft(session, draft, by=nadia, now=NOW)


def test_undo_while_the_worker_has_it_in_hand_is_too_late(session, conversation, nadia):
    draft = send(session, write(session, conversation, nadia))
    draft.claimed_at = NOW
    session.flush()
    with pytest.raises(TooLateToUndo):
        commands.undo_draft(session, draft, by=nadia, now=NOW)


def test_an_answer_planned_and_taken_back_stands_in_the_history(session, conversation, nadia):
    draft = send(session, write(session, conversation, nadia), after=10 * HOUR, later=True)
    commands.undo_draft(session, draft, by=nadia, now=NOW + MINUTE)
    verbs = [each.verb for each in audit.list_for(session, conversation)]
    assert verbs[-2:] == ["answer.scheduled", "answer.cancelled"]


def test_live_pages_hear_of_a_draft_but_not_of_every_word(session, conversation, nadia):
    draft = write(session, conversation, nadia, "Dear Barbara,")
    draft = send(session, write(session, conversation, nadia, "Dear Barbara, yes."))
    commands.undo_draft(session, draft, by=nadia, now=NOW)
    commands.discard_draft(session, draft, by=nadia, now=NOW)
    verbs = [each.verb for each in audit.list_for(session, conversation)]
    assert verbs[-4:] == ["draft.begun", "draft.sent", "draft.undone", "draft.discarded"]


def test_nothing_is_sent_into_the_past(session, conversation, nadia):
    with pytest.raises(SendInThePast):
        send(session, write(session, conversation, nadia), after=-MINUTE)


def test_a_discarded_draft_is_gone_and_saving_it_says_so(session, conversation, nadia):
    draft = write(session, conversation, nadia)
    commands.discard_draft(session, draft, by=nadia, now=NOW)
    assert queries.find_draft(session, conversation.id, nadia.id) is None
    with pytest.raises(DraftNotFound):
        commands.save_draft(session, draft, Content("<p>x</p>", ""), version=1, now=NOW)


def test_files_are_attached_and_taken_out_with_their_picture(session, conversation, nadia):
    draft = write(session, conversation, nadia)
    first = attach(session, draft, filename="../../etc/pass\u202ewd.PDF", content_type="Application/PDF; name=x")
    assert (first.filename, first.content_type) == ("pass_wd.PDF", "application/pdf")
    write(session, conversation, nadia, f"{LETTER}\n\n[picture {first.id}]")
    commands.detach_file(session, draft, first.id, now=NOW)
    assert draft.attachments == []
    assert draft.body == body.from_text(LETTER)


def test_files_too_large_together_and_empty_ones_are_refused(session, conversation, nadia):
    draft = write(session, conversation, nadia)
    attach(session, draft, size=LIMIT - 10)
    with pytest.raises(TooLarge):
        attach(session, draft, size=11)
    with pytest.raises(EmptyFile):
        attach(session, draft, size=0)


def test_a_product_card_is_put_at_the_end(session, conversation, nadia):
    draft = write(session, conversation, nadia)
    commands.insert_product_card(session, draft, make_sandals(session).sku, now=NOW)
    assert body.cards(draft.body) == ("CAL-TUR-36",)
    with pytest.raises(VariantNotFound):
        commands.insert_product_card(session, draft, "NO-SUCH", now=NOW)


def test_a_template_fills_the_draft_in_her_language_above_what_was_typed(session, conversation, nadia):
    conversation.customer.language, conversation.customer.language_guessed = "it", False
    wording = {
        "en": Wording("About {{ product.name }}", "Good news about {{ product.name }}."),
        "it": Wording(
            "{{ product.name }}",
            "{% if customer.first_name %}Cara {{ customer.first_name }},{% else %}Buongiorno,{% endif %}\n\n"
            "eccoli in {{ product.colour }}:\n\n{{ product.card }}\n\n{{ editor.sign_off }}",
        ),
    }
    template = add_template(session, name="Back", when_to_use="", wording=wording, by=nadia, now=NOW)
    draft = write(session, conversation, nadia, "la mia frase")
    with pytest.raises(FieldMissing):
        filling.fill_from_template(session, draft, template.current("it"), now=NOW)
    filling.fill_from_template(
        session, draft, template.current("it"), filling.Chosen(make_sandals(session).sku), now=NOW
    )
    assert body.to_text(draft.body) == (
        "Cara Barbara,\n\neccoli in turchese:\n\n[product CAL-TUR-36]\n\nUn caro saluto,\nNadia\n\nla mia frase"
    )
    assert draft.template_version_id == template.current("it").id
    assert template.uses == 1
    assert draft.subject == "Re: Turquoise sandals"


@pytest.mark.parametrize("name", ["[me](https://evil.example)", "[product CAL-TUR-36]", "**x**", "{{ editor.name }}"])
def test_a_customers_name_is_never_markup_or_template(session, nadia, name):  # T06
    conversation = begin(session)
    conversation.customer.first_name = name
    wording = {"en": Wording("Hello", "Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %}!")}
    template = add_template(session, name="Hello", when_to_use="", wording=wording, by=nadia, now=NOW)
    draft = commands.open_draft(session, conversation, by=nadia, now=NOW)
    filling.fill_from_template(session, draft, template.current("en"), now=NOW)
    assert body.words(draft.body) == f"Hello {name}!"
    assert body.cards(draft.body) == ()
