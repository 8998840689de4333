"""Reads mail in a process of its own, which may die of it; the worker goes on, and says why."""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from concierge.inbound import wire
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.reading_process import Died, ReadingProcess, TooSlow

log = logging.getLogger(__name__)

# By the clock, from the moment the reading process is ready and its answer is waited for; it allows itself as much CPU.
# On a machine that is busy with other things an honest mail may need another try, which the worker gives it.
SECONDS_A_MAIL = 2.0
# It is replaced now and then, lest it keep something of each mail; to start one costs as much as to read a thousand.
_MAILS_A_CHILD = 20_000
# Handed over before they are waited for: as much as lies in a pipe (pipe(7)), so that nobody waits to hand it over.
_AHEAD, _AHEAD_BYTES = 32, 48 * 1024
# How it ended → why. Python itself ends with 1 when there is no memory left even to say so.
_DEATHS = {
    -signal.SIGPROF: "too-slow",
    -signal.SIGXCPU: "too-slow",
    -signal.SIGKILL: "too-much-memory",
    -signal.SIGABRT: "too-much-memory",
    1: "too-much-memory",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A mail to be read, its envelope's sender, and what the asker wants back with the answer: it is `about` that."""

    about: Any
    raw: bytes
    envelope_from: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The mail understood, or why it can't be, and what the question was `about`."""

    about: Any
    mail: ParsedMail | Unreadable


@dataclass(slots=True)
class _Asked:
    """A question under way: its bytes, whether the present process has them, and the answer once there is one."""

    about: Any
    question: bytes
    size: int
    handed_over: bool = False
    mail: ParsedMail | Unreadable | None = None


class MailReader:
    """One reading process, kept for many mails and replaced when one of them kills it; safe to share among threads."""

    def __init__(
        self,
        *,
        most_bytes: int = 32 * 1024 * 1024,
        seconds: float = SECONDS_A_MAIL,
        module: str = "concierge.inbound.reading_child",
    ) -> None:
        """*most_bytes* is the largest mail that is read, *seconds* the longest a mail may take by the clock; *module*
        is what the process runs.
        """
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._module = module
        self._process: ReadingProcess | None = None
        self._lock = threading.Lock()

    def read(self, raw: bytes, *, envelope_from: str | None = None) -> ParsedMail | Unreadable:
        """Return the mail understood, or why it can't be; raises OSError only when no process can be started."""
        with closing(self.read_ahead([Question(None, raw, envelope_from)])) as answers:
            return next(answers)[0].mail

    def read_ahead(self, questions: Iterable[Question], *, most: int = 1) -> Generator[list[Answer], None, None]:
        """Read these in their order; give back what is read by now, one at least and `most` at a time.

        While the asker looks at some the next are read already. A mail that kills the process, or takes too long, is
        the only one that suffers: those behind it are handed to another process. Nobody else reads meanwhile, so close
        it (`contextlib.closing`). Raises OSError when no process can be started.
        """
        coming, under_way = _Coming(questions), deque[_Asked]()
        with self._lock:
            try:
                self._hand_over(coming, under_way)
                while under_way:
                    answers = self._wait(under_way, most)
                    self._hand_over(coming, under_way)
                    yield answers
            finally:
                if under_way:  # nobody will hear these answers
                    self._end()

    def prepare(self) -> None:
        """Start the reading process if none is there, so that the first mail need not wait for it; raises OSError."""
        with self._lock:
            self._ready_process()

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
        return self._process.pid if self._process else None

    def _hand_over(self, coming: "_Coming", under_way: deque[_Asked]) -> None:
        """As many of the next as lie in a pipe; one at least."""
        self._ask(under_way)
        ahead = sum(each.size for each in under_way)
        while (question := coming.peek()) is not None:
            size = len(question.raw)
            if under_way and (len(under_way) >= _AHEAD or ahead + size > _AHEAD_BYTES):
                return
            under_way.append(self._asked(coming.take()))
            ahead += size
            self._ask(under_way)

    def _asked(self, question: Question) -> _Asked:
        if (size := len(question.raw)) > self._most_bytes:
            return _Asked(question.about, b"", size, mail=Unreadable("too-large"))
        return _Asked(question.about, wire.pack_question(question.raw, question.envelope_from, self._most_bytes), size)

    def _ask(self, under_way: deque[_Asked]) -> None:
        """Hand over what no process has yet, in order."""
        while waiting := [each for each in under_way if each.mail is None and not each.handed_over]:
            is_free = not _unanswered(under_way)
            if not is_free and self._is_worn_out:
                return
            process = self._ready_process() if is_free or self._process is None else self._process
            waiting[0].handed_over = True
            try:
                process.ask(waiting[0].question, seconds=self._seconds)
            except (Died, TooSlow) as error:
                self._lay_to_first(error, under_way)

    @property
    def _is_worn_out(self) -> bool:
        return self._process is not None and self._process.asked >= _MAILS_A_CHILD

    def _ready_process(self) -> ReadingProcess:
        """One that nothing is asked of, and may be asked much."""
        if self._process is not None and (self._is_worn_out or not self._process.is_alive):
            self._end()
        if self._process is None:
            self._process = ReadingProcess(self._module)
        return self._process

    def _wait(self, under_way: deque[_Asked], most: int) -> list[Answer]:
        """What is answered by now, in order; at least the first, whose time begins now."""
        deadline = time.monotonic() + self._seconds
        self._listen(under_way, 0.0)
        while under_way[0].mail is None:
            if not under_way[0].handed_over:
                self._ask(under_way)
                deadline = time.monotonic() + self._seconds
            elif not self._listen(under_way, deadline - time.monotonic()):
                self._lay_to_first(TooSlow(), under_way)
        answers: list[Answer] = []
        while under_way and len(answers) < most and (mail := under_way[0].mail) is not None:
            answers.append(Answer(under_way.popleft().about, mail))
        return answers

    def _listen(self, under_way: deque[_Asked], seconds: float) -> bool:
        """Lay what is answered within so many seconds to what was asked; whether anything was heard."""
        if self._process is None or not _unanswered(under_way):
            return False
        try:
            heard = self._process.listen(seconds=seconds)
        except Died as error:
            self._lay_to_first(error, under_way)
            return True
        self._hear(under_way)
        return heard

    def _hear(self, under_way: deque[_Asked]) -> None:
        while self._process is not None and (answer := self._process.answer()) is not None:
            _unanswered(under_way)[0].mail = _understood(answer)

    def _lay_to_first(self, error: Died | TooSlow, under_way: deque[_Asked]) -> None:
        """It died of, or hangs in, the first it had not answered; the others wait for the next process."""
        self._hear(under_way)
        code = self._end()
        first, *others = _unanswered(under_way)
        for each in others:
            each.handed_over = False
        first.mail = Unreadable("too-slow")
        if isinstance(error, Died):
            log.warning("the reading process ended with %s", code)
            first.mail = Unreadable(_DEATHS.get(code, "crash"), f"exit {code}")

    def _end(self) -> int:
        process, self._process = self._process, None
        return process.end() if process else 0


class _Coming:
    """Questions still to be handed over, of which one may look at the next."""

    def __init__(self, questions: Iterable[Question]) -> None:
        self._questions = iter(questions)
        self._next: Question | None = None

    def peek(self) -> Question | None:
        if self._next is None:
            self._next = next(self._questions, None)
        return self._next

    def take(self) -> Question:
        question, self._next = self.peek(), None
        assert question is not None
        return question


def _unanswered(under_way: Iterable[_Asked]) -> list[_Asked]:
    """What the process was asked and has not answered, in order."""
    return [each for each in under_way if each.handed_over and each.mail is None]


def _understood(answer: bytes) -> ParsedMail | Unreadable:
    try:
        return wire.unpack_answer(answer)
    except (ValueError, KeyError, TypeError):
        log.exception("the reading process gave no lawful answer")
        return Unreadable("surprise", "no lawful answer")
