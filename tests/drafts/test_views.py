"""The composer through HTTP, without JavaScript and with htmx: nothing is lost, nothing leaves twice."""

import re
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from concierge.accounts.models import Role
from concierge.conversations.models import Direction, Message
from concierge.drafts.models import Draft
from concierge.mailing.models import Delivery
from concierge.templating.commands import Wording, add_template
from tests.drafts.people import LETTER, make_sandals, write, write_again
from tests.drafts.windows import HTMX, Window, stored
from tests.factories import NOW, make_editor, sign_in


def test_looking_begins_no_draft_and_shows_exactly_who_receives_it(window, session):
    assert session.scalars(sa.select(Draft)).all() == []
    assert "<strong>Barbara Rossi</strong> <barbara@example.com>" in window.page
    assert "from Nadia Ferrant at care@maison-solenne.example" in window.page
    assert "Will they come back in 36?" in window.page
    assert "Re: Turquoise sandals" in window.page
    assert "Warmly," in window.page


def test_nobody_is_greeted_by_an_address(window, session, conversation):
    assert 'placeholder="Dear Barbara, …"' in window.page
    conversation.customer.name = conversation.customer.first_name = ""
    session.commit()
    assert "Dear barbara" not in window.open().page


def test_a_letter_is_greeted_in_its_own_language_as_it_is_signed(window, session, conversation):
    conversation.customer.language, conversation.customer.language_guessed = "it", False
    session.commit()
    page = window.open().page
    assert 'lang="en"' in page and 'placeholder="Gentile Barbara, …"' in page and "Warmly," not in page


def test_a_marked_text_is_saved_and_shown_again(window, session, conversation, nadia):
    window.press(body_text="Dear *Barbara*,\n\n- one\n- two")
    assert stored(session, conversation, nadia).body == "<p>Dear <em>Barbara</em>,</p><ul><li>one</li><li>two</li></ul>"
    assert window.fields["body_text"] == "Dear *Barbara*,\n\n- one\n- two"


def test_the_rich_editor_saves_as_one_types(window, session, conversation, nadia):
    rich = {"body_html": "<div>Dear <strong>Barbara</strong>,<br><br>yes.<script>x</script></div>", "version": 0}
    answer = window.client.post(window.here, data=rich, headers={"Accept": "application/json"})
    assert answer.json["version"] == 1
    assert stored(session, conversation, nadia).body == "<p>Dear <strong>Barbara</strong>,</p><p>yes.</p>"


def test_an_old_window_is_shown_both_texts_and_overwrites_nothing(client, window, session, conversation, nadia):  # F08
    other = Window(client, conversation.id).open()
    window.press(body_text="written here first")
    answer = other.press(body_text="written elsewhere")
    assert answer.status_code == 409
    assert "The other window says" in other.page
    assert "written here first" in other.page
    assert other.fields["body_text"] == "written elsewhere"
    assert stored(session, conversation, nadia).body == "<p>written here first</p>"
    other.press()
    assert stored(session, conversation, nadia).body == "<p>written elsewhere</p>"


def test_autosave_of_an_old_window_is_told_so_in_words(window, session, conversation, nadia):
    window.press(body_text="first")
    late = {"body_text": "late", "version": 0}
    answer = window.client.post(window.here, data=late, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert "another window" in answer.json["message"]


def test_send_undo_and_send_again_without_javascript(window, session, conversation, nadia):
    window.press("/send", body_text=LETTER, when="now")
    assert "is on its way" in window.page
    assert stored(session, conversation, nadia).is_leaving
    window.press("/undo")
    assert window.fields["body_text"] == LETTER
    assert not stored(session, conversation, nadia).is_leaving
    window.press("/send", when="now")
    assert window.worker() == 1
    window.open()
    assert window.fields["body_text"] == ""
    assert "is on its way" not in window.page


def test_pressing_send_twice_sends_once(window, session, conversation, nadia):  # F08
    fields = dict(window.fields) | {"body_text": LETTER, "when": "now"}
    first = window.client.post(window.here + "/send", data=fields)
    second = window.client.post(window.here + "/send", data=fields)
    assert (first.status_code, second.status_code) == (303, 303)
    window.worker()
    assert len(session.scalars(sa.select(Delivery)).all()) == 1


def test_back_and_send_again_after_it_left_sends_nothing_and_keeps_the_text(  # F08
    window, session, conversation, nadia
):
    window.press(body_text=LETTER)
    fields = dict(window.fields)
    window.press("/send", when="now")
    window.worker()
    other = f"{LETTER} And one more thing."
    answer = window.press("/send", **(fields | {"when": "now", "body_text": other}))
    assert answer.status_code == 404
    assert "has left or was discarded" in window.page
    assert window.fields["body_text"] == other
    assert len(session.scalars(sa.select(Delivery)).all()) == 1


@pytest.mark.parametrize("path", ["/send", "", "/preview"])
@pytest.mark.parametrize("saved", [True, False])
def test_the_same_form_posted_late_says_it_was_sent_and_leaves_nothing(window, session, saved, path):  # F08
    if saved:
        window.press(body_text=LETTER)
    fields = dict(window.fields) | {"body_text": LETTER, "when": "now"}
    window.press("/send", **fields)
    assert window.worker() == 1
    answer = window.press(path, **fields)
    assert answer.status_code == 409
    assert "This answer was sent already; nothing was sent again." in window.page
    assert window.fields["body_text"] == ""
    assert session.scalars(sa.select(Draft)).all() == []
    assert len(session.scalars(sa.select(Delivery)).all()) == 1


def test_the_same_form_posted_late_does_not_touch_the_next_answer(window, session, conversation, nadia):
    window.press(body_text=LETTER)
    fields = dict(window.fields) | {"when": "now"}
    window.press("/send", **fields)
    window.worker()
    window.open().press(body_text="Dear Barbara,\n\nanother thought.")
    window.press("/send", **fields)
    assert "another thought" in stored(session, conversation, nadia).body


def test_the_same_words_as_a_new_answer_are_sent(window, session, conversation, nadia):
    """Negative control: who has seen her first answer and writes the same again means it."""
    window.press("/send", body_text=LETTER, when="now")
    window.worker()
    window.open().press("/send", body_text=LETTER, when="now")
    assert window.worker() == 1


def test_what_came_meanwhile_is_shown_beside_the_draft_and_then_it_may_go(window, session, conversation, nadia):  # F08
    write_again(session, conversation, "Please wait, I am coming to Milan!")
    session.commit()
    answer = window.press("/send", body_text=LETTER, when="now")
    assert answer.status_code == 409
    assert "Please wait, I am coming to Milan!" in window.page
    assert "Send anyway, I have read it" in window.page
    assert window.fields["body_text"] == LETTER
    assert not stored(session, conversation, nadia).is_leaving
    window.press("/send", when="now")
    assert stored(session, conversation, nadia).is_leaving


def test_sending_anyway_covers_only_what_was_shown(window, session, conversation, nadia):
    write_again(session, conversation, "Please wait!")
    session.commit()
    window.press("/send", body_text=LETTER, when="now")
    write_again(session, conversation, "And one more thing.")
    session.commit()
    answer = window.press("/send", when="now")
    assert answer.status_code == 409
    assert "And one more thing." in window.page


def test_filling_a_template_does_not_count_as_reading(window, session, conversation, nadia):
    wording = {"en": Wording("Hello", "Hello,\n\nall good.")}
    template = add_template(session, name="Hello", when_to_use="", wording=wording, by=nadia, now=NOW)
    write_again(session, conversation, "Did I say 37? I meant 36.")
    session.commit()
    window.press("/fill", template_id=template.id)
    assert "Did I say 37? I meant 36." in window.page  # shown beside the draft, so seen from now on


def test_a_warning_is_asked_once(window, session, conversation, nadia):
    answer = window.press("/send", body_text="Dear Chloé,\n\nyour sandals are here.", when="now")
    assert answer.status_code == 409
    assert "“Chloé”" in window.page
    window.press("/send", when="now")
    assert stored(session, conversation, nadia).is_leaving


def test_a_hole_can_not_be_waved_through(window, session, conversation, nadia):
    for _try in range(2):
        answer = window.press("/send", body_text="Dear ,\n\nyes.", when="now", overridden=["hole"])
        assert answer.status_code == 409
    assert "hole in the text: “Dear ,”" in window.page


def test_send_later_waits_and_can_be_taken_back(window, session, conversation, nadia):
    window.press("/send", body_text=LETTER, when="tomorrow")
    draft = stored(session, conversation, nadia)
    assert draft.send_later
    assert "If she writes before, it waits for you instead." in window.page
    window.press("/undo")
    for never in ("2020-01-01T09:00", "9999-12-31T23:59", "0001-01-01T00:00"):
        answer = window.press("/send", when="at", at=never)
        assert answer.status_code == 422
        assert "Choose a moment that is still to come" in window.page
    assert window.fields["body_text"] == LETTER


def test_htmx_gets_the_block_and_the_toast(window):
    answer = window.press("/send", body_text=LETTER, when="now", headers=HTMX)
    page = answer.get_data(as_text=True)
    assert "<html" not in page
    assert 'hx-swap-oob="beforeend:#toasts"' in page
    assert 'data-undo-total="10"' in page
    assert "/undo?within=" in page
    again = window.client.get(window.here, headers=HTMX).get_data(as_text=True)
    assert "data-undo-total" not in again


def test_a_product_card_is_inserted_and_previewed_as_it_will_arrive(window, session):
    make_sandals(session)
    session.commit()
    window.press("/card", body_text=LETTER, sku="CAL-TUR-36")
    assert "[product CAL-TUR-36]" in window.fields["body_text"]
    window.press("/preview")
    assert "To Barbara Rossi <barbara@example.com>" in window.page
    mail = window.client.get(re.search(r'src="(/conversations/[^"]+/mail[^"]*)"', window.page)[1])
    assert "Calanque sandals" in mail.text
    assert "sandbox" in mail.headers["Content-Security-Policy"]
    assert "default-src 'none'" in mail.headers["Content-Security-Policy"]


def test_files_are_attached_offered_and_taken_out(window, session, conversation, nadia):
    window.press("/files", body_text=LETTER, files=[(BytesIO(b"<script>"), "care card.html", "text/html")])
    (file,) = stored(session, conversation, nadia).attachments
    assert "care card.html" in window.page
    got = window.client.get(f"{window.here}/files/{file.id}")
    assert got.mimetype == "application/octet-stream"
    assert got.headers["Content-Disposition"].startswith("attachment")
    window.press(f"/files/{file.id}/detach")
    assert stored(session, conversation, nadia).attachments == []
    assert window.fields["body_text"] == LETTER


def test_a_picture_is_placed_in_the_text_and_shown_as_drawn_anew(window, session, conversation, nadia):
    out = BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 99)).save(out, "PNG")
    window.press("/files", body_text=LETTER, files=[(BytesIO(out.getvalue()), "window.png", "image/png")])
    (file,) = stored(session, conversation, nadia).attachments
    window.press(f"/files/{file.id}/place")
    assert window.fields["body_text"] == f"{LETTER}\n\n[picture {file.id}]"
    assert f'<template data-picture="{file.id}">' in window.page
    shown = window.client.get(f"{window.here}/files/{file.id}/picture")
    assert (shown.mimetype, shown.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_files_too_large_are_refused_with_the_text_kept(window, app):
    app.extensions["concierge"].policy.attachment_megabytes = 1
    answer = window.press(body_text=LETTER, files=[(BytesIO(b"x" * 1_100_000), "film.mov", "video/quicktime")])
    assert answer.status_code == 422
    assert "too large" in window.page
    assert window.fields["body_text"] == LETTER


def test_a_colleague_sees_that_somebody_is_writing(client, window, session, conversation, nadia):
    chiara = make_editor(session, "Chiara Bellini")
    write(session, conversation, chiara)
    session.commit()
    assert "Chiara Bellini has a draft here." in window.open().page
    presence = client.get(f"{window.here}/presence?seen=0").get_data(as_text=True)
    assert "Something new has arrived" in presence


def test_discarding_empties_the_page(window, session, conversation, nadia):
    window.press(body_text=LETTER)
    window.press("/discard")
    assert stored(session, conversation, nadia) is None
    assert window.fields["body_text"] == ""


def test_nobody_reaches_another_editors_draft_or_answers_without_the_role(  # T02
    app, window, session, conversation
):
    window.press("/files", body_text="secret plans", files=[(BytesIO(b"plan"), "plan.txt", "text/plain")])
    chiara, marta = (
        make_editor(session, "Chiara Bellini"),
        make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER),
    )
    session.commit()
    hers = app.test_client()
    sign_in(hers, chiara)
    theirs = Window(hers, conversation.id).open()
    assert "secret plans" not in theirs.page
    assert hers.get(f"{theirs.here}/files/1").status_code == 404
    other = app.test_client()
    sign_in(other, marta)
    assert Window(other, conversation.id).open().press(body_text="x").status_code == 403


def test_the_message_that_left_is_in_the_conversation(window, session, conversation):
    window.press("/send", body_text=LETTER, when="now")
    window.worker()
    (message,) = session.scalars(sa.select(Message).where(Message.direction == Direction.OUT))
    assert message.conversation_id == conversation.id
    assert message.text.startswith("Dear Barbara,")
