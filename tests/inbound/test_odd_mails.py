"""Every odd mail is read as it must be: quickly, in little memory, and none is fatal or lost (T08, T09, T10, T11, T14).

They are read once, by one reading process, as the worker does; every test here looks at what was read then.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from concierge import blobs
from concierge.conversations.models import Message
from concierge.inbound import jobs, queries
from concierge.inbound.commands import accept_mail
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.reading import SECONDS_A_MAIL, MailReader
from concierge.inbound.reasons import codes
from tests.factories import NOW, make_mailbox
from tests.inbound.arriving import CARE, AllAtOnce
from tests.inbound.odd_mails import ODD_MAILS
from tests.inbound.odd_mails.making import Odd

MEGABYTE = 1024 * 1024
TRIES = 3  # as many as the worker gives a mail that was too slow: the machine may have been busy


@dataclass(frozen=True)
class Readings:
    """What became of all odd mails, and what the process that read them looked like before and after."""

    answers: dict[bytes, ParsedMail | Unreadable]
    processes: int
    grown_by: int


@pytest.fixture(scope="module")
def readings() -> Readings:
    answers: dict[bytes, ParsedMail | Unreadable] = {}
    with MailReader() as reader:
        reader.prepare()
        before, pids = _peak(reader.pid), {reader.pid}
        for odd in ODD_MAILS:
            answers[odd.raw] = _read(reader, odd.raw)
            pids.add(reader.pid)
        return Readings(answers, len(pids), _peak(reader.pid) - before)


def _read(reader: MailReader, raw: bytes) -> ParsedMail | Unreadable:
    for _try in range(TRIES):
        answer = reader.read(raw)
        if answer != Unreadable("too-slow"):
            break
    return answer


def _peak(pid: int | None) -> int:
    """The most memory a process ever held, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024  # type: ignore[index]


def test_all_of_them_are_read_within_two_seconds_and_256_megabytes_each(readings: Readings):
    """The limits are enforced in the reading process; that none of them was met is what is shown here."""
    assert SECONDS_A_MAIL <= 2
    assert not [answer for answer in readings.answers.values() if answer == Unreadable("too-slow")]
    assert readings.grown_by < 256 * MEGABYTE


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
def test_an_odd_mail_is_read_as_it_must_be(odd: Odd, readings: Readings):
    answer = readings.answers[odd.raw]
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


def test_no_odd_mail_makes_the_parser_raise_or_leaves_what_a_database_refuses(readings: Readings):
    for odd in ODD_MAILS:
        answer = readings.answers[odd.raw]
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


def test_none_of_the_odd_mails_is_lost(config, sessions, session, monkeypatch, readings: Readings):
    """What came in is filed, set aside or in quarantine, each once."""
    config = config.model_copy(update={"blobs_url": "memory://odd-mails"})
    monkeypatch.setattr(jobs, "_reader", lambda _most_bytes: AllAtOnce(readings.answers.__getitem__))
    make_mailbox(session)
    for odd in ODD_MAILS:
        accept_mail(
            session, blobs.open_store(config), odd.raw,
            source="smtp", envelope_from=None, recipients=(CARE,), now=NOW,
        )  # fmt: skip
    session.commit()
    while jobs.file_received(config, sessions):
        pass
    tally = queries.tally(session)
    assert tally.waiting == 0
    assert tally.filed + tally.ignored + tally.quarantined == len(ODD_MAILS)
    assert tally.filed == session.scalar(sa.select(sa.func.count()).select_from(Message))
    assert tally.filed >= 300
    must_wait = {odd.quarantine for odd in ODD_MAILS if odd.quarantine}
    reasons = set(session.scalars(sa.select(InboundMail.reason).where(InboundMail.state == InboundState.QUARANTINED)))
    assert must_wait <= reasons
    assert not reasons & {"surprise", "not-filed", "crash"}
