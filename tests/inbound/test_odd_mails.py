"""Every odd mail is read as it must be: quickly, in little memory, and none is fatal (T08, T09, T10, T11, T14)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.reading import MailReader
from concierge.inbound.reasons import codes
from tests.inbound.odd_mails import ODD_MAILS
from tests.inbound.odd_mails.making import Odd


@pytest.fixture(scope="module")
def reader() -> Iterator[MailReader]:
    with MailReader() as opened:
        yield opened


def look(mail: ParsedMail, what: str) -> Any:
    """What is seen of a mail under one name."""
    views = {
        "sender_name": lambda: mail.sender.name if mail.sender else None,
        "sender_address": lambda: mail.sender.address if mail.sender else None,
        "files": lambda: [each.filename for each in mail.attachments],
        "file_count": lambda: len(mail.attachments),
        "inline": lambda: [each.filename for each in mail.attachments if each.inline],
        "last_reference": lambda: mail.references[-1],
        "reference_count": lambda: len(mail.references),
        "to_count": lambda: len(mail.to),
        "sent_at": lambda: mail.sent_at.isoformat() if mail.sent_at else None,
        "above_fold": lambda: "" if mail.fold_at is None else mail.text[: mail.fold_at].strip(),
        "html_above_fold": lambda: _above_fold(mail.html or ""),
        "storable": lambda: mail.text.encode() is not None and "\0" not in mail.text,
    }
    return views[what]() if what in views else getattr(mail, what)


def _above_fold(html: str) -> str:
    above, folded, _ = html.partition("<details data-fold")
    return above.removeprefix("<html>").removeprefix("<body>") if folded else ""


def differs(mail: ParsedMail, what: str, expected: Any) -> bool:
    """Whether a mail shows something else than it must."""
    if what == "flags":
        return not expected <= set(mail.flags)
    if what == "no_flags":
        return bool(expected & set(mail.flags))
    if what == "text":
        return expected not in mail.text if expected else mail.text != ""
    if what == "html":
        return expected not in (mail.html or "")
    if what == "not_in_text":
        return expected in mail.text
    return bool(look(mail, what) != expected)


def test_there_are_at_least_two_hundred_of_them_each_different():
    assert len(ODD_MAILS) >= 200
    assert len({odd.name for odd in ODD_MAILS}) == len({odd.raw for odd in ODD_MAILS}) == len(ODD_MAILS)


@pytest.mark.parametrize("odd", ODD_MAILS, ids=str)
def test_an_odd_mail_is_read_as_it_must_be(odd: Odd, reader: MailReader):
    began = time.monotonic()
    answer = reader.read(odd.raw)
    assert time.monotonic() - began < 4  # by the clock of a busy machine; 2 s of CPU are enforced in the process
    if odd.quarantine:
        assert isinstance(answer, Unreadable)
        assert answer.reason == odd.quarantine
    else:
        assert isinstance(answer, ParsedMail), answer
        wrong = {
            what: look_again(answer, what) for what, expected in odd.seen.items() if differs(answer, what, expected)
        }
        assert not wrong, odd.seen


def look_again(mail: ParsedMail, what: str) -> Any:
    """What was seen instead, short enough to read."""
    what = {"no_flags": "flags", "not_in_text": "text"}.get(what, what)
    return str(look(mail, what))[:300]


def test_no_odd_mail_makes_the_parser_raise_or_leaves_what_a_database_refuses():
    for odd in ODD_MAILS:
        answer = parse_mail(odd.raw)
        if isinstance(answer, Unreadable):
            assert answer.reason in codes()
        else:
            names = [answer.subject, answer.text, answer.html or "", *(each.filename for each in answer.attachments)]
            assert not any("\0" in each for each in names), odd.name
            assert all(each.encode() is not None for each in names)
            assert set(answer.flags) <= codes(), odd.name
            assert not answer.kind_reason or answer.kind_reason in codes()


def test_the_check_itself_sees_a_difference():
    """Negative control: what must be seen is not what is seen of another mail."""
    by_name = {odd.name: odd for odd in ODD_MAILS}
    mail = parse_mail(by_name["charset koi8-r"].raw)
    assert isinstance(mail, ParsedMail)
    assert differs(mail, "text", by_name["charset euc-jp"].seen["text"])
    assert differs(mail, "flags", {"empty"})
    assert differs(mail, "subject", "something else")
