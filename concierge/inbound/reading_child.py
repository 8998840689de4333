"""The process that reads hostile mail: one question in, one answer out, under limits on memory and CPU."""

import gc
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import BinaryIO

from concierge.inbound import wire
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail

MOST_MEMORY = 256 * 1024 * 1024
MOST_CPU_SECONDS = 2
READY = b"ready\n"

_WARM_UP = (
    b"From: Barbara <barbara@example.com>\r\nContent-Type: text/html; charset=unknown\r\n\r\n"
    b"<p>Buongiorno, avete ancora i sandali turchesi nella taglia trentasei? \xe8 perch\xe9 li vorrei tanto.</p>"
)


def main() -> None:
    """Warm up, fix the limits above what is used now, then answer until the other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes our input
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    parse_mail(_WARM_UP)
    _let_rest()
    _limit_memory()
    answers.write(READY)
    answers.flush()
    while (message := _read_message(questions)) is not None:
        _limit_cpu()
        answer = _answer(message)
        answers.write(answer)
        answers.flush()
        del message, answer


def _let_rest() -> None:
    """Python's collector looks at what is loaded by now no more, and seldom at the rest: a mail leaves few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def _answer(message: bytes) -> bytes:
    try:
        raw, envelope_from, most_bytes = wire.unpack_question(message)
        answer: ParsedMail | Unreadable = parse_mail(raw, envelope_from=envelope_from, most_bytes=most_bytes)
        return wire.pack_answer(answer)
    except MemoryError:
        return wire.pack_answer(Unreadable("too-much-memory"))


def _read_message(questions: BinaryIO) -> bytes | None:
    start = questions.read(8)
    size = wire.announced_size(start)
    return None if size is None else start + questions.read(size - len(start))


def _limit_memory() -> None:
    """Let the process grow by MOST_MEMORY beyond what it has mapped now (Linux; elsewhere the clock must do)."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return
    mapped = int(status.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _lower(resource.RLIMIT_AS, mapped + MOST_MEMORY)
    _lower(resource.RLIMIT_CORE, 0)


def _limit_cpu() -> None:
    """Give every mail its own CPU seconds, to the hundredth; the kernel's limit, in whole seconds, stands behind."""
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_SECONDS)
    _lower(resource.RLIMIT_CPU, int(time.process_time()) + 2 + MOST_CPU_SECONDS)


def _lower(which: int, limit: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    main()
