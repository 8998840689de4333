"""Rare ways of saying that a mail came back; whom they name, and that none of them takes a person for a machine."""

from time import perf_counter

import pytest

from concierge.inbound.bounces import is_hard
from concierge.inbound.parsed import Kind, ParsedMail
from concierge.inbound.parsing import parse_mail
from tests.inbound.arriving import letter
from tests.inbound.dialects import BARBARA, plain
from tests.inbound.odd_mails.making import multi, part

_SYSTEM = "MAILER-DAEMON@mx.example.com"
_POSTMASTER = "postmaster@mx.example.com"
_GATEWAY = "Anti_Virus_for_SMTP@mx.example.com"


def read(raw: bytes) -> ParsedMail:
    mail = parse_mail(raw)
    assert isinstance(mail, ParsedMail)
    return mail


def unmarked(subject: str, text: str, *, sender: str, path: str = "") -> bytes:
    """A mail whose envelope is not known to be empty, unless *path* says how."""
    head = [f"Return-Path: {path}"] if path else []
    head += [f"From: {sender}", "To: care@maison-solenne.example", f"Subject: {subject}"]
    return "\r\n".join([*head, "Content-Type: text/plain; charset=utf-8", "", *text.split("\n")]).encode()


@pytest.mark.parametrize(
    ("subject", "text", "sender", "hard"),
    [
        ("Failure notice", f"Unknown user: {BARBARA}\n\nRCPT TO was answered:\n550 no", _POSTMASTER, True),
        ("Undeliverable mail", f"Invalid final delivery userid: {BARBARA}", _POSTMASTER, True),
        ("Processing", f"Intended recipient: {BARBARA}\n\nThe mail has been returned.", _SYSTEM, False),
        ("It has failed", f"Returned mail - user unknown\n\n{BARBARA}: 550 user unknown", _SYSTEM, True),
        ("It has failed", f"Unable to deliver message to: <{BARBARA}>\nUser unknown", _SYSTEM, True),
        ("Undeliverable", f"{BARBARA}\n\nディレクトリのリストにありません", _SYSTEM, True),
        ("Notice", f"{BARBARA} - no such user here.\n\nAsk for the right name.", _SYSTEM, True),
        ("Failure notice", f"Unable to deliver your message to {BARBARA} for this:\n\n 552 Quota", _SYSTEM, False),
        ("Письмо", f"Не может быть доставлено.\nMailbox {BARBARA} is unavailable: user not found", _SYSTEM, True),
        ("Undeliverable", f"It did not reach:\n\nc=US;dda:SMTP={BARBARA}; on\n Unknown recipient", _SYSTEM, True),
        ("Returned mail", f"--- Failed recipients ---\n\n<{BARBARA}>: mailbox is full", _GATEWAY, False),
        ("Failure notice", f"<{BARBARA}>:\n553 5.3.0 <{BARBARA}>... No such user here", _SYSTEM, True),
        ("Failure notice", f"<{BARBARA}>:\n553 5.3.0 <{BARBARA}>... Too many hops", _SYSTEM, False),
    ],
)  # fmt: skip
def test_a_rare_report_names_whom_it_could_not_reach(subject: str, text: str, sender: str, hard: bool) -> None:
    mail = read(unmarked(subject, text, sender=sender))
    assert (mail.kind, [(each.addresses, each.hard) for each in mail.failures]) == (Kind.BOUNCE, [((BARBARA,), hard)])


@pytest.mark.parametrize(
    "text",
    [
        f"We could not deliver your message to {BARBARA}.\n\nDelivery attempts will continue to be made for 5 days.",
        f"Delivery of mail to this address\n\n{BARBARA}\n\nhas been postponed. We will keep trying.",
    ],
)
def test_a_gateway_that_tries_again_reports_a_delay(text: str) -> None:
    mail = read(unmarked("Mail delivery warning", text, sender=_GATEWAY))
    assert (mail.kind, [(each.addresses, each.hard) for each in mail.failures]) == (Kind.DELAY, [((BARBARA,), False)])


@pytest.mark.parametrize("path", ["<>", "<MAILER-DAEMON>", "<MAILER-DAEMON@mx.maison-solenne.example>"])
def test_a_path_that_names_a_mailer_is_an_empty_one(path: str) -> None:
    text = f"Your message could not be delivered to\n\n{BARBARA}"
    mail = read(unmarked("Mail could not be delivered", text, sender="scanner@mx.example.com", path=path))
    assert (mail.kind, [each.addresses for each in mail.failures]) == (Kind.BOUNCE, [(BARBARA,)])


def test_a_report_that_does_not_say_of_what_is_read_by_its_subject() -> None:
    text = (
        f"Delivery to the following recipients failed permanently:\r\n\r\n   * {BARBARA}\r\n\r\n550 no such user here"
    )
    pieces = multi("report", part("text/plain", text.encode()), part("message/rfc822", b"Subject: Sandals\r\n\r\nDear"))
    head = b"From: Mail Delivery System <mds@mx.example.com>\r\nMIME-Version: 1.0\r\nSubject: "
    mail = read(head + b"Delivery status notification\r\n" + pieces)
    assert (mail.kind, [(each.addresses, each.hard) for each in mail.failures]) == (Kind.BOUNCE, [((BARBARA,), True)])
    assert read(head + b"Sandals\r\n" + pieces).kind is not Kind.BOUNCE


@pytest.mark.parametrize(
    ("words", "kind", "failed"),
    [
        (
            f"Your message to <{BARBARA}> was automatically rejected:\r\nuser unknown",
            Kind.BOUNCE,
            [((BARBARA,), False)],
        ),
        (f"Your message to <{BARBARA}> was deleted without being read.", Kind.RECEIPT, []),
    ],
)
def test_what_her_filter_refused_came_back_but_she_is_there(words: str, kind: Kind, failed: list[object]) -> None:
    told = f"Final-Recipient: rfc822; {BARBARA}\r\nDisposition: automatic-action/MDN-sent-automatically; deleted\r\n"
    pieces = (part("text/plain", words.encode()), part("message/disposition-notification", told.encode()))
    head = f"From: Mail Delivery Subsystem <{BARBARA}>\r\nSubject: Rejected mail\r\nMIME-Version: 1.0\r\n".encode()
    mail = read(head + multi("report", *pieces, parameters=b"; report-type=disposition-notification"))
    assert (mail.kind, [(each.addresses, each.hard) for each in mail.failures]) == (kind, failed)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.7.1", "554 5.7.1 Client host rejected: unknown host [192.0.2.1]"),
        ("", "550 Unknown host mail.maison.example in HELO"),
        ("5.3.0", "553 5.3.0 Mail from 192.0.2.1 refused: unknown host"),
        ("5.3.0", "550 5.3.0 Message rejected, sender address unknown"),
        ("5.7.1", "Sender address rejected: Domain not found"),
        ("5.3.0", "Your host is unknown"),
        ("", "554 your certificate is invalid or no longer valid"),
        ("5.3.0", "554 rewrite: map ldap not found: user unknown (server down)"),
    ],
)
def test_what_they_have_against_us_says_nothing_of_her(status: str, words: str) -> None:
    assert not is_hard(status, words)
    assert is_hard(status, "553 No such user here")


def test_what_was_read_did_not_come_back_whatever_its_subject_was() -> None:
    words = "Your message\r\n\r\n    Subject: Your card was refused\r\n\r\nwas read on Monday."
    told = f"Final-Recipient: rfc822; {BARBARA}\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n"
    pieces = (part("text/plain", words.encode()), part("message/disposition-notification", told.encode()))
    head = f"From: <{BARBARA}>\r\nSubject: Read: Your card\r\nMIME-Version: 1.0\r\n".encode()
    mail = read(head + multi("report", *pieces, parameters=b"; report-type=disposition-notification"))
    assert (mail.kind, mail.failures) == (Kind.RECEIPT, ())


def test_a_person_whose_address_only_sounds_like_a_program_writes_herself() -> None:
    words = "The parcel to chloe@other.example could not be delivered. Please send it again."
    mail = read(letter("Chloe <smtpuser@example.com>", subject="Delivery failure: my parcel", text=words))
    assert mail.kind is Kind.HUMAN


@pytest.mark.parametrize(
    "line",
    [
        f"inner@mx.example.com\n    (expanded from: {BARBARA})\n550 user unknown",
        f"<inner@mx.example.com> (expanded from <{BARBARA}>): host mx said: 550 user unknown",
        f"  inner@mx.example.com\n    (ultimately generated from {BARBARA})\n    550 user unknown",
    ],
)
def test_a_mailbox_that_hands_on_is_known_and_not_gone_for_where_it_hands_to(line: str) -> None:
    mail = read(plain("Undelivered mail returned to sender", f"The mail could not be delivered to:\n\n{line}"))
    assert [(each.addresses, each.hard) for each in mail.failures] == [(("inner@mx.example.com", BARBARA), False)]


@pytest.mark.parametrize(
    "above",
    [
        "---- START OF RETURNED MESSAGE ----",
        "-------- Returned Mail --------",
        "|--------- Message text follows: ---------|",
        "The first 50 lines of your original message follow:",
    ],
)
def test_nobody_in_the_copy_of_our_mail_is_named(above: str) -> None:
    text = f"This mail, addressed to '{BARBARA}',\nfailed as nobody fetched it.\n\n{above}\nTo: x\n\nchloe@example.org"
    mail = read(plain("Mail delivery failure", text))
    assert [each.addresses for each in mail.failures] == [(BARBARA,)]


@pytest.mark.parametrize(
    ("subject", "text", "sender"),
    [
        ("Delivery failure?", f"My mail to {BARBARA} could not be delivered, is she on holiday?", "chloe@example.org"),
        ("Returned mail", f"Unknown user: {BARBARA}\n\nwhat does it mean? I wrote to her.", "chloe@example.org"),
        ("Undeliverable", f"Unable to deliver the message to {BARBARA}, may I send it to you?", "mailo@example.org"),
        ("Anna", "anna@example.org - no longer works here, please write to me instead", "postmaster@example.org"),
    ],
)
def test_a_person_who_writes_of_a_mail_that_came_back_is_a_person(subject: str, text: str, sender: str) -> None:
    assert read(unmarked(subject, text, sender=sender)).kind is Kind.HUMAN


@pytest.mark.parametrize("line", ["-" * 20_000, "a@b" * 6_000, "generated from " * 1_300, f"{BARBARA} " * 900])
def test_a_report_of_one_endless_line_is_read_at_once(line: str) -> None:
    begun = perf_counter()
    assert read(plain("Undelivered mail", line)).kind is Kind.BOUNCE
    assert perf_counter() - begun < 2
