"""The process that reads may die of a mail; the one that asks does not (T08, T09)."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from concierge.inbound import wire
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.reading import MailReader
from tests.inbound.odd_mails.making import b64, mail, multi, part, picture, whole

FULL = whole(
    multi(
        "mixed", part("text/html", b"<p>Look <img src='cid:p1'></p>"), picture(b"p1"), part("text/plain", b"see you")
    ),
    b"Subject: =?utf-8?Q?Citt=C3=A0?=",
    b"Date: Tue, 12 May 2026 09:30:00 +0200",
    b"Message-ID: <a@b>",
    b"References: <c@d>",
    b"Cc: =?utf-8?Q?Chlo=C3=A9?= <chloe@example.com>",
)


@pytest.fixture
def reader() -> Iterator[MailReader]:
    with MailReader() as opened:
        yield opened


def test_a_mail_read_in_the_other_process_is_the_same_mail(reader: MailReader):
    assert reader.read(FULL) == parse_mail(FULL)


def test_one_process_reads_many_mails(reader: MailReader):
    reader.read(FULL)
    first = reader.pid
    for _ in range(20):
        reader.read(FULL)
    assert reader.pid == first


def test_a_process_that_is_killed_is_replaced_and_the_next_mail_is_read(reader: MailReader):
    reader.read(FULL)
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert isinstance(reader.read(FULL), ParsedMail)


def test_a_process_killed_in_the_middle_of_a_mail_is_a_reason_not_an_error(reader: MailReader):
    reader.read(FULL)
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (reader.pid, signal.SIGKILL))
    killer.start()
    assert reader.read(FULL) == Unreadable("too-much-memory", "exit -9")
    assert isinstance(reader.read(FULL), ParsedMail)


def test_a_process_that_hangs_is_ended_by_the_clock():
    with MailReader(seconds=0.5) as reader:
        reader.read(FULL)
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGSTOP)
        began = time.monotonic()
        assert reader.read(FULL) == Unreadable("too-slow")
        assert time.monotonic() - began < 2
        assert isinstance(reader.read(FULL), ParsedMail)


def test_the_limits_on_memory_and_cpu_are_really_set(reader: MailReader):
    reader.read(FULL)
    process = Path(f"/proc/{reader.pid}")
    lines = (process / "limits").read_text().splitlines()[1:]
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines}
    mapped = int((process / "statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    assert int(limits["Max address space"]) <= mapped + 257 * 1024 * 1024
    assert int(limits["Max cpu time"]) <= 60


def test_a_mail_of_the_largest_size_is_read_in_time_and_a_larger_one_is_not(reader: MailReader):
    largest = whole(
        multi("mixed", part("application/x-a; name=a", b64(b"x" * 22_000_000), b"Content-Transfer-Encoding: base64"))
    )
    answer = reader.read(largest)
    assert isinstance(answer, ParsedMail)
    assert len(answer.attachments[0].data) == 22_000_000
    assert reader.read(b"x" * (33 * 1024 * 1024)) == Unreadable("too-large")


def test_several_threads_may_ask_one_reader(reader: MailReader):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(reader.read(FULL))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [parse_mail(FULL)] * 6


def test_what_travels_between_the_processes_comes_back_whole():
    parsed = parse_mail(FULL)
    assert wire.unpack_answer(wire.pack_answer(parsed)) == parsed
    assert wire.unpack_answer(wire.pack_answer(Unreadable("crash", "x"))) == Unreadable("crash", "x")
    assert wire.unpack_question(wire.pack_question(b"raw", "", 7)) == (b"raw", "", 7)


@pytest.mark.parametrize("answer", [b"", b"\0" * 8, b"\0\0\0\2\0\0\0\0[]", wire.pack_answer(Unreadable("x"))[:-1]])
def test_an_answer_that_is_none_is_refused(answer: bytes):
    with pytest.raises((ValueError, KeyError, TypeError, wire.struct.error)):
        wire.unpack_answer(answer)


def test_a_mail_without_an_envelope_and_one_with_the_null_path_are_told_apart(reader: MailReader):
    unknown, null = reader.read(mail(b"Subject: s")), reader.read(mail(b"Subject: s"), envelope_from="")
    assert isinstance(unknown, ParsedMail)
    assert isinstance(null, ParsedMail)
    assert (unknown.kind, null.kind) == ("human", "automatic")
