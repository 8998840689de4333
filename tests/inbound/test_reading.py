"""The process that reads may die of a mail; the one that asks does not (T08, T09)."""

import os
import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from concierge.inbound import wire
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.reading import Answer, MailReader, Question
from tests.inbound.arriving import letter
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


def ask(reader: MailReader, *texts: str, most: int = 16) -> Generator[list[Answer], None, None]:
    """Read these ahead, each about its own words."""
    return reader.read_ahead((Question(text, letter(text=text), None) for text in texts), most=most)


def test_only_the_mails_that_kill_the_process_or_hold_it_up_suffer():
    texts = ["one", "poison", "two", "sleep", "three", "x" * 100_000, "four"]
    with MailReader(seconds=0.5, module="tests.inbound.dying_child") as reader:
        answers = [each for some in ask(reader, *texts) for each in some]
    assert [each.about for each in answers] == texts
    unreadable = {each.about: each.mail.reason for each in answers if isinstance(each.mail, Unreadable)}
    assert unreadable == {"poison": "crash", "sleep": "too-slow"}
    assert all(each.mail.text == each.about for each in answers if isinstance(each.mail, ParsedMail))


def test_the_next_mails_are_read_while_the_last_are_looked_at(reader: MailReader):
    texts = [f"letter {number}" for number in range(20)]
    with closing(ask(reader, *texts)) as answers:
        first = next(answers)
        time.sleep(0.2)  # the asker is busy with it
        second = next(answers)
    assert len(first) < 16
    assert len(second) == min(16, 20 - len(first))


def test_answers_nobody_waited_for_are_not_taken_for_others(reader: MailReader):
    with closing(ask(reader, "one", "two", "three", most=1)) as answers:
        next(answers)
    assert reader.read(FULL) == parse_mail(FULL)


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
