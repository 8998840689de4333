"""Keeps to a timetable: runs each line's job when something was stored for it, when its next row is due, or anyway."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.blocking import BlockingScheduler
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from concierge import clock, closing, copies, lifeline
from concierge.config import Config
from concierge.copies import Overtaken
from concierge.db import Sessions, make_sessions, reading
from concierge.heartbeat import Heartbeat, Report
from concierge.lines import LastRuns, Line
from concierge.nudges import EVERYTHING, Ear, Topic, listening
from concierge.setbacks import words_for

log = logging.getLogger(__name__)

FINISHING_SECONDS = 25.0
# After so long it is gone, whatever holds it up: a provider, the database, a mailbox that is read.
LEAVING_SECONDS = 28.0
SILENCE_SECONDS = 60.0
# A job that did something is asked again after so long: there may be more.
_AGAIN_SECONDS = 0.05
# A row that is due, and that the job left, is looked at again after so long: somebody else has it, or it has to wait.
_LEFT_SECONDS = 0.5
# A job that raised is tried again after so long.
_FAILED_SECONDS = 1.0
_HEARING_SECONDS = 0.5
_DEAF_SECONDS = 2.0
# How often a demo looks whether its days are to pass; how long a job is waited for in each of their hours.
_DAYS_SECONDS, _PATIENCE_SECONDS = 0.2, 60.0
# A clock that moved so far against the monotonic one was set.
_STEP_SECONDS = 2.0


class Companion(Protocol):
    """What runs beside the timetable, in threads of its own, for as long as this copy is the clock."""

    def start(self, is_clock: Callable[[], bool]) -> None:
        """Begin; returns at once."""

    def stop(self) -> None:
        """Leave off within some seconds."""


class Attempt:
    """Runs one line's job, never beside itself; one that raises is written down, once a minute if it goes on."""

    def __init__(self, line: Line, config: Config, sessions: Sessions) -> None:
        """The connections of `sessions` are shared by all jobs."""
        self.line, self._config = line, config
        self._last = LastRuns()
        # the same in a name of its own, by which it is seen that the job gets on, in whatever thread
        self._sessions = sessionmaker(class_=sessions.class_, **sessions.kw)
        for moment in ("after_begin", "after_transaction_end"):
            event.listen(self._sessions, moment, self._last.stir)
        self._guard = threading.Lock()
        self._in_hand = False
        self._wanted = False
        self._idle = threading.Event()
        self._idle.set()
        self._closing = False
        self._fault = ""
        self._written_at = 0.0

    def __call__(self) -> float | None:
        """Do what is due, and again if that was asked for meanwhile; in how many seconds to look again.

        None when it is in hand already: then it looks again by itself.
        """
        with self._guard:
            self._wanted = True
            if self._in_hand:
                return None
            self._in_hand = True
            self._idle.clear()
        done: int | None = 0
        while self._goes_on():
            done = self._run()
        return self._rest(done)

    def run_once(self) -> int:
        """Do it once, for a task; how much was done."""
        return self._run() or 0

    def report(self) -> dict[str, Any]:
        """How its runs went, for the heartbeat; all values are plain, none is about a person."""
        line = {"every": self.line.every, "limit": self.line.limit, "quiet": self.line.quiet}
        line["by_clock"] = self.line.by_clock
        return line | {"on": list(self.line.on)} | self._last.report()

    def finish(self, latest: float) -> bool:
        """Begin no more, and wait until `latest` (monotonic seconds) for what is in hand; whether it was finished."""
        with self._guard:
            self._closing = True
        return self._idle.wait(max(0.01, latest - time.monotonic()))

    def came_to_rest(self) -> bool:
        """Wait for what is in hand, a minute at most; whether it has ended."""
        return self._idle.wait(_PATIENCE_SECONDS)

    def _goes_on(self) -> bool:
        with self._guard:
            if self._wanted and not self._closing:
                self._wanted = False
                return True
            self._in_hand = False
            self._idle.set()
            return False

    def _run(self) -> int | None:
        """How much was done; None when it failed."""
        self._last.begin()
        try:
            with structlog.contextvars.bound_contextvars(job=self.line.name):
                done = self.line.job(self._config, self._sessions)
        except Overtaken:
            self._last.end(0)
            log.warning("%s was overtaken", self.line.name)
            return 0
        except Exception as error:
            self._last.end(0, words_for(error))
            self._write_down(f"{type(error).__name__}: {error}".splitlines()[0])
            return None
        self._last.end(done)
        if self._fault:
            log.warning("%s works again", self.line.name)
            self._fault = ""
        if done:
            log.info("%s: %d", self.line.name, done, extra={"job": self.line.name, "done": done})
        return done

    def _rest(self, done: int | None) -> float:
        """Seconds until it should look again: soon while there is more, else when the next row is due."""
        every = self.line.every
        if done is None:
            return min(every, _FAILED_SECONDS)
        if done and self.line.on:
            return min(every, _AGAIN_SECONDS)
        if self.line.due is None or self._closing:
            return every
        try:
            with reading(self._sessions) as session:
                due_at = self.line.due(session)
        except SQLAlchemyError:
            return min(every, _FAILED_SECONDS)
        if due_at is None:
            return every
        return min(every, max((due_at - clock.now()).total_seconds(), _LEFT_SECONDS * (due_at <= clock.now())))

    def _write_down(self, fault: str) -> None:
        if fault == self._fault and time.monotonic() - self._written_at < SILENCE_SECONDS:
            return
        self._fault, self._written_at = fault, time.monotonic()
        log.exception("%s failed and will be tried again", self.line.name, extra={"job": self.line.name})


class Timekeeper:
    """A running timetable: its attempts, and the scheduler that makes them."""

    def __init__(
        self, config: Config, timetable: Sequence[Line], provider: Report = dict, beside: Sequence[Companion] = ()
    ) -> None:
        """Nothing runs before `run`. `provider` says how the provider is found, for the heartbeat."""
        self._config, self._beside = config, beside
        self._sessions = make_sessions(config)
        self._attempts = {line.name: Attempt(line, config, self._sessions) for line in timetable}
        # Two at a time, of which one only asks the other to look again: nothing asked for is lost.
        self._scheduler = BlockingScheduler(
            executors={"default": ThreadPoolExecutor(max(1, 2 * len(timetable)))},
            job_defaults={"coalesce": True, "max_instances": 2, "misfire_grace_time": None},
            timezone="UTC",
        )
        self.heartbeat = Heartbeat(self._sessions, self.report, provider, self._elected)
        self._closed = threading.Event()
        self._unfinished: list[str] = []
        self._offset = _offset()

    def run(self) -> list[str]:
        """Keep to it until `close`; the names of the jobs that did not finish then.

        The scheduler runs in this thread, the main one: should it ever die, so does the process, and whoever started
        it sees that.
        """
        for name, attempt in self._attempts.items():
            self._scheduler.add_job(
                self._try,
                "interval",
                [attempt],
                seconds=attempt.line.every,
                id=name,
                name=name,
                next_run_time=clock.machine_now(),
            )
        listener = threading.Thread(target=self._listen, name="nudges", daemon=True)
        listener.start()
        if clock.followed() is not None:
            threading.Thread(target=self._let_days_pass, name="days", daemon=True).start()
        self.heartbeat.start()
        for each in self._beside:
            each.start(lambda: self.heartbeat.number is not None)
        self._scheduler.start()
        with suppress(SQLAlchemyError):
            self.heartbeat.stop()
        if not self._unfinished:
            listener.join(4 * _HEARING_SECONDS)
            self._sessions.kw["bind"].dispose()
        return self._unfinished

    def close(self) -> None:
        """Begin nothing more, let the jobs in hand finish, for half a minute at most, and end `run`."""
        latest = time.monotonic() + FINISHING_SECONDS
        self._closed.set()
        while not self._scheduler.running:
            time.sleep(0.01)
        self._scheduler.pause()
        for each in self._beside:
            each.stop()
        self._unfinished += [name for name, attempt in self._attempts.items() if not attempt.finish(latest)]
        self._scheduler.shutdown(wait=False)

    def nudge(self, topics: frozenset[Topic]) -> None:
        """Run at once the jobs that these concern."""
        for attempt in self._attempts.values():
            if not topics.isdisjoint(attempt.line.on):
                self._look_in(attempt, 0.0)

    def report(self) -> dict[str, Any]:
        """How the runs of every job went."""
        return {name: attempt.report() for name, attempt in self._attempts.items()}

    def _elected(self) -> None:
        """This copy has become the clock: what nobody did lately is done now."""
        for attempt in self._attempts.values():
            if attempt.line.by_clock:
                self._look_in(attempt, 0.0)

    def _try(self, attempt: Attempt) -> None:
        if attempt.line.by_clock and self.heartbeat.number is None:
            return
        copies.OURS.number = self.heartbeat.number
        again = attempt()
        if again is not None and again < attempt.line.every:
            self._look_in(attempt, again)

    def _look_in(self, attempt: Attempt, seconds: float) -> None:
        with suppress(JobLookupError):  # it is being shut down
            self._scheduler.modify_job(
                attempt.line.name, next_run_time=clock.machine_now() + timedelta(seconds=seconds)
            )

    def _listen(self) -> None:
        """Hear nudges, on a line that is made anew when it breaks."""
        is_deaf = False
        while not self._closed.is_set():
            try:
                with listening(self._config) as ear:
                    if is_deaf:
                        log.warning("nudges are heard again")
                    is_deaf = False
                    self._hear(ear)
            except Exception:
                if not is_deaf:
                    log.exception("nudges are not heard; the timetable goes on")
                is_deaf = True
                self._closed.wait(_DEAF_SECONDS)

    def _hear(self, ear: Ear) -> None:
        self.nudge(EVERYTHING)  # what was stored before
        while not self._closed.is_set():
            self.nudge(ear.hear(_HEARING_SECONDS))
            if abs(_offset() - self._offset) > _STEP_SECONDS:
                # The scheduler reckons by the wall clock, which was set: what it would wait for may be a day away.
                log.warning("the clock was set by %.0f s", _offset() - self._offset)
                self._offset = _offset()
                self._look_at_all()

    def _let_days_pass(self) -> None:
        """While a demo's days pass: do what fell due in each hour before the next one comes."""
        while not self._closed.wait(_DAYS_SECONDS):
            try:
                while self.heartbeat.number is not None and not self._closed.is_set() and clock.go_on():
                    for attempt in self._attempts.values():
                        self._try(attempt)
                        attempt.came_to_rest()
            except OSError:
                log.exception("the days can't pass")
                self._closed.wait(_DEAF_SECONDS)

    def _look_at_all(self) -> None:
        for attempt in self._attempts.values():
            self._look_in(attempt, 0.0)


def _offset() -> float:
    return time.time() - time.monotonic()


def keep_time(
    config: Config, timetable: Sequence[Line], provider: Report = dict, beside: Sequence[Companion] = ()
) -> None:
    """Keep to the timetable until SIGTERM or SIGINT; then finish what is in hand, for half a minute at most."""
    clock.follow(config.clock_file)
    keeper = Timekeeper(config, timetable, provider, beside)
    # In a thread of its own, once: a signal may come in the middle of anything.
    stopping = threading.Thread(target=keeper.close, name="closing", daemon=True)

    def told(_number: int, _frame: object) -> None:
        closing.TOLD.set()
        if stopping.ident is None:
            stopping.start()
            lifeline.leave_within(LEAVING_SECONDS)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, told)
    lifeline.hold(os.getpid())
    if unfinished := keeper.run():
        # What it holds stays claimed until its lease ends; then another worker takes it up.
        log.warning("not finished in time, to be taken up again: %s", ", ".join(unfinished))
    lifeline.leave()
