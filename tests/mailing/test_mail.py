import email
import re
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.addresses import Address
from concierge.mailing.mail import (
    ControlCharacter,
    HeaderNotAllowed,
    Mail,
    MailFile,
    UnlawfulAddress,
    UnlawfulMail,
    ancestry,
    build,
)
from tests.mailing.samples import BLOBS, NOW, PIXEL, lines, make_full_mail, make_mail, read_mail

CONTROLS = ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1f", "\x7f", "\x80", "\x85", "\x9f", "\u2028", "\u2029"]
LONE_SURROGATE = "\ud800"
HEADER_NAMES = {
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
}  # fmt: skip

letters = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029")
single_lines = st.text(letters, max_size=300)
bodies = st.text(st.one_of(letters, st.just("\n"), st.just("\t"), st.just(" "), st.just("."))).filter(str.strip)


def written(mail: Mail) -> bytes:
    return build(mail, BLOBS.__getitem__, now=NOW)


def header_names(raw: bytes) -> list[str]:
    head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
    return [line.split(":", 1)[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]


def test_a_mail_arrives_with_everything_it_was_given():
    seen = read_mail(written(make_full_mail()))
    assert (seen.sender_name, seen.sender) == ("Nadia Ferrant", "care@maison-solenne.example")
    assert (seen.to_name, seen.to) == ("Barbara Weiss", "barbara@example.com")
    assert seen.reply_to == "care+k3y@maison-solenne.example"
    assert seen.subject == "Re: The turquoise sandals in 36"
    assert seen.text == "Dear Barbara,\n\nthey are yours.\n\nNadia"
    assert seen.html == '<p>Dear Barbara, <img src="cid:photo" alt="Nadia"></p>'
    assert seen.in_reply_to == "<q2@example.com>"
    assert seen.references == ("<q1@example.com>", "<q2@example.com>")
    picture, attachment = seen.files
    assert (picture.cid, picture.inline, picture.data) == ("photo", True, PIXEL)
    assert (attachment.filename, attachment.inline) == ("Pflege & Größe.pdf", False)
    assert attachment.data == BLOBS["letter"]


def test_the_parts_are_nested_as_mail_programs_expect():
    mail = email.message_from_bytes(written(make_full_mail()))
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]


def test_a_mail_without_html_is_one_plain_part():
    mail = email.message_from_bytes(written(make_mail()))
    assert mail.get_content_type() == "text/plain"
    assert parsedate_to_datetime(mail["Date"]) == NOW


def test_the_same_mail_gives_the_same_bytes():
    assert written(make_full_mail()) == written(make_full_mail())


def test_a_stored_mail_is_the_same_mail():
    mail = make_full_mail()
    assert Mail.from_json(mail.to_json()) == mail


def test_only_the_known_headers_are_written_once_each():
    names = header_names(written(make_full_mail()))
    assert set(names) == HEADER_NAMES
    assert len(names) == len(set(names))


@pytest.mark.parametrize("control", [*CONTROLS, LONE_SURROGATE])
@pytest.mark.parametrize(
    "field", ["subject", "message_id", "in_reply_to", "sender", "to", "reply_to", "name", "file", "header", "reference"]
)
def test_a_control_character_is_refused_with_the_field_named(field, control):  # T07
    bad = f"a{control}Bcc: mallory@evil.example"
    changes = {
        "subject": {"subject": bad},
        "message_id": {"message_id": f"<x{control}@y.example>"},
        "in_reply_to": {"in_reply_to": f"<x{control}@y.example>"},
        "reference": {"references": (f"<x{control}@y.example>",)},
        "sender": {"sender": Address("Nadia", f"care{control}@maison-solenne.example")},
        "to": {"to": Address("Barbara", f"barbara@example.com{control}")},
        "reply_to": {"reply_to": Address(bad, "care@maison-solenne.example")},
        "name": {"to": Address(bad, "barbara@example.com")},
        "file": {"attachments": (MailFile(bad, "application/pdf", "letter"),)},
        "header": {"headers": {"List-Unsubscribe": bad}},
    }[field]
    with pytest.raises(ControlCharacter) as refused:
        written(make_mail(**changes))
    assert refused.value.field in refused.value.sentence()


@pytest.mark.parametrize("control", ["\x00", "\x0b", "\x1b", "\x7f", "\x85", LONE_SURROGATE, "\r"])
def test_a_control_character_in_the_body_is_refused(control):  # T07
    with pytest.raises(ControlCharacter, match="text"):
        written(make_mail(text=f"Dear{control} Barbara"))
    with pytest.raises(ControlCharacter, match="HTML"):
        written(make_mail(html=f"<p>Dear{control} Barbara</p>"))


@pytest.mark.parametrize(
    "trick",
    [
        "=?utf-8?q?hi=0ABcc:_evil=40x?=",
        "=?utf-8?b?aGkKQmNjOiBldmlsQHg=?=",
        "=?utf-8?q?a?= =?utf-8?q?=0D=0ABcc:_x?=",
        "Hi =?us-ascii*en?q?=0d=0ABcc=3A_x?= there",
    ],
)
def test_encoded_words_in_what_people_type_stay_what_they_typed(trick):  # T07, CVE-2024-6923
    raw = written(make_full_mail(subject=trick, to=Address(trick, "barbara@example.com")))
    assert set(header_names(raw)) == HEADER_NAMES
    mail = email.message_from_bytes(raw)
    assert str(make_header(decode_header(mail["Subject"]))) == trick
    assert b"=?utf-8?q?hi=0A" not in raw


@given(subject=single_lines.filter(str.strip), name=single_lines, filename=single_lines.filter(str.strip))
@settings(max_examples=300, deadline=None)
def test_any_unicode_in_subject_names_and_file_names_arrives_unchanged(subject, name, filename):  # T06, T07
    raw = written(
        make_mail(
            subject=subject,
            to=Address(name, "barbara@example.com"),
            attachments=(MailFile(filename, "text/csv", "letter"),),
        )
    )
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    assert raw.isascii()
    mail = email.message_from_bytes(raw)
    assert set(header_names(raw)) == HEADER_NAMES - {"In-Reply-To", "References", "X-Auto-Response-Suppress"}
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", mail["Subject"])
    assert str(make_header(decode_header(unfolded))) == " ".join(subject.split())
    assert mail.get_payload()[1].get_filename() == filename.strip()
    wanted = " ".join(name.split())
    phrase, _, address = re.sub(r"\r?\n(?=[ \t])", "", mail["To"]).rpartition(" ")
    assert address.strip("<>") == "barbara@example.com"
    if phrase.startswith('"'):
        phrase = re.sub(r"\\(.)", r"\1", phrase[1:-1])
    assert str(make_header(decode_header(phrase))) == wanted


@given(text=bodies)
@settings(max_examples=300, deadline=None)
def test_any_text_arrives_unchanged_in_short_lines(text):
    raw = written(make_mail(text=text, html=text))
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    plain, html = email.message_from_bytes(raw).get_payload()
    for part in (plain, html):
        assert lines(part.get_payload(decode=True).decode("utf-8")) == text.rstrip("\n")


def test_no_line_is_longer_than_an_encoded_word_allows():
    name = "Ærø " * 40
    raw = written(make_mail(subject="Größe " * 60, to=Address(name.strip(), "barbara@example.com")))
    head = raw.split(b"\r\n\r\n")[0]
    assert all(len(line) <= 76 for line in head.split(b"\r\n") if b"=?" in line)


def test_a_long_conversation_keeps_its_first_and_its_last_references():
    ids = tuple(f"<message-{number}@a-rather-long-host.example.com>" for number in range(200))
    kept = ancestry(ids, "<parent@example.com>")
    assert kept[0] == ids[0]
    assert kept[-2:] == (ids[-1], "<parent@example.com>")
    assert sum(map(len, kept)) < 1600
    assert len(kept) > 20


def test_unlawful_ids_of_odd_mail_programs_do_not_hold_an_answer_up():
    assert ancestry(("<ok@x>", "<not ok>", "<ünlawful@x>", "<ok@x>"), "bare@x") == ("<ok@x>", "<bare@x>")
    seen = read_mail(written(make_mail(in_reply_to="<un lawful>", references=("<q1@x>",))))
    assert seen.in_reply_to is None
    assert seen.references == ("<q1@x>",)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "barbara",
        "barbara@",
        "a@b, c@d",
        "a@b>, <c@d",
        "a b@c",
        "bar\u202ebara@example.com",
        "bar\u200bbara@example.com",
        "ü" * 33 + "@example.com",
        "a@" + "x" * 300,
        "a@b@c",
        "a@-.com",
    ],
)
def test_an_address_that_could_mean_somebody_else_is_refused(address):  # T07, T11
    with pytest.raises(UnlawfulAddress):
        written(make_mail(to=Address("Barbara", address)))


def test_other_letters_before_the_at_are_hers_to_have_and_not_ours():
    raw = written(make_mail(to=Address("Łucja", "łucja@example.com")))
    assert "<łucja@example.com>".encode() in raw
    for ours in ({"sender": Address("", "cüra@example.com")}, {"reply_to": Address("", "cüra@example.com")}):
        with pytest.raises(UnlawfulAddress):
            written(make_mail(**ours))


def test_a_domain_in_other_letters_goes_out_in_ascii():
    assert b"<barbara@xn--mnchen-3ya.example>" in written(make_mail(to=Address("B", "barbara@münchen.example")))


@pytest.mark.parametrize("name", ["Bcc", "To", "Subject", "Content-Type", "X-Mallory", "list-unsubscribe"])
def test_a_header_outside_the_list_is_refused(name):  # T07
    with pytest.raises(HeaderNotAllowed):
        written(make_mail(headers={name: "x"}))


def test_pictures_need_html_and_a_mail_needs_words():
    with pytest.raises(UnlawfulMail, match="pictures"):
        written(make_mail(pictures=(MailFile("a.png", "image/png", "pixel", "a"),)))
    with pytest.raises(UnlawfulMail, match="text"):
        written(make_mail(text=" \n"))
    with pytest.raises(UnlawfulMail, match="file type"):
        written(make_mail(attachments=(MailFile("a", "text/html; charset=x", "letter"),)))


def test_a_mail_as_an_attachment_goes_as_bytes():
    seen = read_mail(written(make_mail(attachments=(MailFile("her.eml", "message/rfc822", "mail"),))))
    assert seen.files[0].content_type == "application/octet-stream"
    assert seen.files[0].data == BLOBS["mail"]
