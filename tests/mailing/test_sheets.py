"""Letters sent to many: cut at their blanks once, filled in for each reader."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.addresses import Address
from concierge.mailing.letters import render_letter
from concierge.mailing.mail import Mail, MailFile, unsubscribe_headers
from concierge.mailing.sheets import Folding, Sheet, blank, cut, fill_html, fill_text, folded, is_folded, typed, unfold

PICTURE = MailFile("sandals.jpg", "image/jpeg", "a" * 64, "sandals@maison-solenne.example")
NADIA = Address("Nadia Ferrant", "care@maison-solenne.example")
HEAD = {
    "sender": NADIA,
    "to": Address("Barbara Rossi", "barbara@example.com"),
    "reply_to": Address("Nadia Ferrant", "care+key@maison-solenne.example"),
    "subject": "A new password",
    "message_id": "<1@maison-solenne.example>",
    "in_reply_to": "<0@example.com>",
    "references": ("<0@example.com>",),
    "headers": {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
}


def written(name, link):
    return render_letter("password_reset", "en", name=name, link=link, house="Maison Solenne", hours=2, preview=name)


SHEET = cut(written(blank("name"), blank("link")), (PICTURE,))


@settings(max_examples=60)
@given(st.text(max_size=40), st.sampled_from(["https://x.example/?a=1&b=2", 'https://x.example/"><script>']))
def test_a_sheet_filled_in_is_byte_for_byte_the_letter_written_at_length(name, link):  # T06
    values = {"name": typed(name), "link": link}
    letter = written(**values)
    assert fill_text(SHEET, values) == letter.text
    assert fill_html(SHEET, values) == letter.html


def test_a_value_that_looks_like_a_blank_fills_none():
    values = {"name": typed(blank("link")), "link": "https://x.example/"}
    assert values["name"] == "link"
    assert fill_text(SHEET, values).count("https://x.example/") == 1


def test_a_value_that_is_missing_is_an_error_not_a_hole():
    with pytest.raises(KeyError):
        fill_text(SHEET, {"name": "Barbara"})


@settings(max_examples=40)
@given(
    st.text(max_size=20), st.text(max_size=20), st.lists(st.sampled_from(["<0@example.com>", '<"x"@b>']), max_size=2)
)
def test_mails_folded_together_are_stored_as_each_alone_would_be(name, subject, references):
    to, link = Address(name, "barbara@example.com"), "https://x.example/?a=1&b=2"
    together = Folding("a" * 64, ("name", "link"), NADIA).fold(
        [name, link],
        to=to,
        reply_address=HEAD["reply_to"].address,
        subject=subject,
        message_id="<1@maison-solenne.example>",
        references=references,
        unsubscribe=link,
    )
    own = {"to": to, "subject": subject, "references": references, "headers": unsubscribe_headers(link)}
    answers = references[-1] if references else None
    alone = folded("a" * 64, {"name": name, "link": link}, **HEAD | own | {"in_reply_to": answers})
    assert together == json.dumps(alone, ensure_ascii=False, separators=(",", ":"))


def test_a_sheet_is_kept_as_a_blob_and_is_the_same_again(store):
    key = store.put(SHEET.to_bytes())
    assert Sheet.from_bytes(store.get(key)) == SHEET
    assert store.put(SHEET.to_bytes()) == key
    assert SHEET.blanks == {"name", "link"}


def test_a_delivery_keeps_the_values_and_unfolds_to_the_whole_mail(store):
    values = {"name": "Barbara", "link": "https://x.example/1"}
    content = json.loads(json.dumps(folded(store.put(SHEET.to_bytes()), values, **HEAD)))
    assert is_folded(content)
    assert len(str(content)) < 1000
    letter = written(**values)
    mail = unfold(content, store.get)
    assert mail == Mail(**HEAD, text=letter.text, html=letter.html, pictures=(PICTURE,))
    assert unfold(mail.to_json(), store.get) == mail  # what is on no sheet is itself
