"""What a report's smaller words and wrappings mean: who is gone for good, who is not, and whom it doesn't speak of."""

import pytest

from concierge.inbound.parsed import Kind, ParsedMail
from concierge.inbound.parsing import parse_mail
from tests.inbound.dialects import BARBARA, dsn, group, plain
from tests.inbound.odd_mails.making import multi, part

_POSTMASTER = "postmaster@mx.example.com"
_SUBJECT = "Delivery Status Notification (Failure)"
_GONE = group("failed", "5.1.1", "550 5.1.1 unknown user")


def read(raw: bytes) -> ParsedMail:
    mail = parse_mail(raw)
    assert isinstance(mail, ParsedMail)
    return mail


def wrapped(*parts: bytes, sender: str = _POSTMASTER, subject: str = _SUBJECT) -> ParsedMail:
    """A mail that holds *parts*, without an empty return path of its own."""
    head = f"From: {sender}\r\nTo: care@maison-solenne.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    return read(head.encode() + multi("mixed", *parts, boundary=b"gateway"))


@pytest.mark.parametrize(
    ("words", "hard"),
    [
        (f"553 sorry, badrcptto (user mail-box not found), {BARBARA}", True),
        (f"551 <{BARBARA}> is a deactivated mailbox", True),
        ("550 No mailbox found", True),
        ("550 ** No mail box available for this user **", True),
        (f"554 Rcpt <{BARBARA}> does not exist", True),
        (f"550 {BARBARA} is not an active address at this host", True),
        ("Name service error for name=example.com type=MX: Host not found", True),
        ("Name service error for name=example.com type=MX: Malformed or unexpected name server reply", False),
        ("550 No mailbox found, try again later", False),
        ("550 Recipient rejected", False),
    ],
)
def test_an_address_is_gone_if_it_is_said_to_be_and_not_for_a_broken_name_server(words: str, hard: bool) -> None:
    mail = read(dsn(_SUBJECT, "It failed.", group("failed", "5.0.0", words)))
    assert (mail.kind, [(each.addresses, each.hard) for each in mail.failures]) == (Kind.BOUNCE, [((BARBARA,), hard)])


def test_a_report_of_a_type_of_its_own_names_whom_it_could_not_reach() -> None:
    raw = dsn(_SUBJECT, "has encountered a problem.", _GONE).replace(b"delivery-status\r\n", b"xdelivery-status\r\n")
    assert b"message/xdelivery-status" in raw
    assert [(each.addresses, each.hard) for each in read(raw).failures] == [((BARBARA,), True)]


def test_a_reason_may_stand_between_a_mailbox_and_where_it_has_its_mail_from() -> None:
    line = f"<inner@mx.example.com>\n    (reason: 550 5.1.1 user unknown)\n    (expanded from: <{BARBARA}>)\n"
    text = f"   ----- The following addresses had permanent fatal errors -----\n{line}"
    mail = read(plain("Returned mail: see transcript for details", text))
    assert [(each.addresses, each.hard) for each in mail.failures] == [(("inner@mx.example.com", BARBARA), False)]


def test_whose_mail_it_was_did_not_fail() -> None:
    of = "A message sent by\n\n  <chloe@example.org>\n\ncould not be delivered."
    mail = read(plain("Mail delivery failed", f"{of} These failed:\n\n  {BARBARA}\n    no such user"))
    assert [(each.addresses, each.hard) for each in mail.failures] == [((BARBARA,), True)]


@pytest.mark.parametrize(
    ("heading", "hard"),
    [
        ("The user account is disabled.", True),
        ("Delivery to the following recipients failed.", False),
        ("The mailbox is full.", False),
        ("<chloe@example.org>: user unknown", False),
    ],
)
def test_why_may_stand_above_whom(heading: str, hard: bool) -> None:
    mail = read(plain("Mail System Error - Returned Mail", f"It came back.\n\n{heading}\n\n<{BARBARA}>\n"))
    assert [each.hard for each in mail.failures if BARBARA in each.addresses] == [hard]


@pytest.mark.parametrize("below", [[], [part("text/plain", b"This e-mail is confidential.")]])
def test_a_report_that_a_gateway_put_into_a_mail_is_a_report(below: list[bytes]) -> None:
    report = part("message/rfc822", dsn(_SUBJECT, "It failed.", _GONE), b"Content-Disposition: attachment")
    mail = wrapped(report, *below)
    assert (mail.kind, [(each.addresses, each.hard) for each in mail.failures]) == (Kind.BOUNCE, [((BARBARA,), True)])
    assert mail.returned
    assert mail.text.startswith("It failed.")
    assert ("confidential" in mail.text) == bool(below)


def test_a_person_who_attaches_a_report_is_a_person() -> None:
    report = part("message/rfc822", dsn(_SUBJECT, "It failed.", _GONE))
    alone = [report]
    for sender, subject, parts in [
        ("chloe@example.org", _SUBJECT, alone),
        (_POSTMASTER, f"Fwd: {_SUBJECT}", alone),
        (_POSTMASTER, "What is this?", alone),
        (_POSTMASTER, _SUBJECT, [part("text/plain", b"This came back to me, why?"), report]),
        (_POSTMASTER, _SUBJECT, [part("message/rfc822", b"Subject: Sandals\r\n\r\nDear Barbara")]),
    ]:
        mail = wrapped(*parts, sender=sender, subject=subject)
        assert (mail.kind, mail.failures, len(mail.attachments)) == (Kind.HUMAN, (), 1), (sender, subject)
