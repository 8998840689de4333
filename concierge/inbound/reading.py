"""Reads mail in a process of its own, which may die of it; the worker goes on, and says why."""

import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import concierge
from concierge.inbound import wire
from concierge.inbound.parsed import ParsedMail, Unreadable

log = logging.getLogger(__name__)

# By the clock, from the moment the reading process is ready and has been handed the mail; it allows itself as much CPU.
# On a machine that is busy with other things an honest mail may need another try, which the worker gives it.
SECONDS_A_MAIL = 2.0
_SECONDS_TO_START = 30.0
_MAILS_A_CHILD = 2_000
_CHUNK = 1024 * 1024
# How it ended → why. Python itself ends with 1 when there is no memory left even to say so.
_DEATHS = {
    -signal.SIGPROF: "too-slow",
    -signal.SIGXCPU: "too-slow",
    -signal.SIGKILL: "too-much-memory",
    -signal.SIGABRT: "too-much-memory",
    1: "too-much-memory",
}


class _Died(Exception):
    """The reading process ended in the middle of a mail."""


class _TooSlow(Exception):
    """The reading process took longer than a mail may."""


class MailReader:
    """One reading process, kept for many mails and replaced when one of them kills it; safe to share among threads."""

    def __init__(self, *, most_bytes: int = 32 * 1024 * 1024, seconds: float = SECONDS_A_MAIL) -> None:
        """*most_bytes* is the largest mail that is read, *seconds* the longest a mail may take by the clock."""
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._read = 0
        self._lock = threading.Lock()

    def read(self, raw: bytes, *, envelope_from: str | None = None) -> ParsedMail | Unreadable:
        """Return the mail understood, or why it can't be; raises OSError only when no process can be started."""
        if len(raw) > self._most_bytes:
            return Unreadable("too-large")
        with self._lock:
            child = self._ready_child()
            try:
                answer = self._ask(child, wire.pack_question(raw, envelope_from, self._most_bytes))
            except _TooSlow:
                self._end()
                return Unreadable("too-slow")
            except (_Died, BrokenPipeError):
                return self._explain_death()
            self._read += 1
        try:
            return wire.unpack_answer(answer)
        except (ValueError, KeyError, TypeError):
            log.exception("the reading process gave no lawful answer")
            return Unreadable("surprise", "no lawful answer")

    def prepare(self) -> None:
        """Start the reading process if none is there, so that the first mail need not wait for it; raises OSError."""
        with self._lock:
            self._ready_child()

    def close(self) -> None:
        """End the reading process; the next mail starts another."""
        with self._lock:
            self._end()

    def __enter__(self) -> "MailReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The number of the present reading process."""
        return self._child.pid if self._child else None

    def _ready_child(self) -> subprocess.Popen[bytes]:
        if self._child is not None and (self._child.poll() is not None or self._read >= _MAILS_A_CHILD):
            self._end()
        if self._child is None:
            self._child = _start()
            self._read = 0
        return self._child

    def _ask(self, child: subprocess.Popen[bytes], question: bytes) -> bytes:
        assert child.stdin is not None
        assert child.stdout is not None
        deadline = time.monotonic() + self._seconds
        _write(child.stdin.fileno(), question, deadline)
        return _read_answer(child.stdout.fileno(), deadline)

    def _explain_death(self) -> Unreadable:
        child, self._child = self._child, None
        code = _stop(child) if child else 0
        log.warning("the reading process ended with %s", code)
        return Unreadable(_DEATHS.get(code, "crash"), f"exit {code}")

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            _stop(child)


def _start() -> subprocess.Popen[bytes]:
    """Start a fresh interpreter, not a fork: threads and open sessions of this process stay here."""
    root = str(Path(concierge.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCIERGE_")}
    child = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "concierge.inbound.reading_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
        bufsize=0,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    os.set_blocking(child.stdin.fileno(), False)
    os.set_blocking(child.stdout.fileno(), False)
    try:
        _expect_ready(child.stdout.fileno(), time.monotonic() + _SECONDS_TO_START)
    except (_Died, _TooSlow) as error:
        raise OSError("the reading process did not start") from error
    return child


def _expect_ready(descriptor: int, deadline: float) -> None:
    seen = b""
    while not seen.endswith(b"ready\n"):
        seen += _receive(descriptor, deadline)


def _stop(child: subprocess.Popen[bytes]) -> int:
    """End *child* for good; return how it ended."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        return child.wait(0.2)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return 0


def _write(descriptor: int, data: bytes, deadline: float) -> None:
    view = memoryview(data)
    while view:
        if not select.select([], [descriptor], [], max(0.0, deadline - time.monotonic()))[1]:
            raise _TooSlow
        view = view[os.write(descriptor, view[:_CHUNK]) :]


def _read_answer(descriptor: int, deadline: float) -> bytes:
    received = bytearray()
    while (size := wire.announced_size(received)) is None or len(received) < size:
        received += _receive(descriptor, deadline)
    return bytes(received)


def _receive(descriptor: int, deadline: float) -> bytes:
    if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        raise _TooSlow
    data = os.read(descriptor, _CHUNK)
    if not data:
        raise _Died
    return data
