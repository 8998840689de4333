"""The timetable: everything the house does by itself, one line a job; all truth is in our tables, none of it here."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from concierge import lifeline
from concierge.catalogue import jobs as catalogue
from concierge.config import Config
from concierge.conversations import jobs as conversations
from concierge.db import Sessions, make_sessions
from concierge.drafts import jobs as drafts
from concierge.inbound import jobs as inbound
from concierge.mailing import jobs as mailing
from concierge.public import jobs as public
from concierge.reports import jobs as reports
from concierge.wishes import jobs as wishes
from concierge.wishes import release as offers

log = logging.getLogger(__name__)

Job = Callable[[Config, Sessions], int]
FINISHING_SECONDS = 25.0
SILENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Line:
    """One line of the timetable: a job, and how many seconds pass between two looks."""

    job: Job
    every: float

    @property
    def name(self) -> str:
        """What the job is called in the log: its part and its function."""
        return f"{self.job.__module__.removeprefix('concierge.').removesuffix('.jobs')}.{self.job.__name__}"


TIMETABLE: tuple[Line, ...] = (
    Line(drafts.release_due, every=0.5),
    Line(mailing.deliver_due, every=0.5),
    Line(mailing.settle_orphans, every=30),
    Line(inbound.file_received, every=0.25),
    Line(inbound.release_stale, every=15),
    Line(conversations.wake_due, every=10),
    Line(conversations.return_failed, every=2),
    Line(public.forget_requests, every=3600),
    Line(catalogue.read_stock_folder, every=5),
    Line(wishes.match_purchases, every=1),
    Line(wishes.settle_mail, every=5),
    Line(wishes.lapse_due, every=1),
    Line(wishes.free_missing, every=1),
    Line(wishes.open_waves, every=0.5),
    Line(offers.release_due, every=0.5),
    Line(wishes.reconsider_skipped, every=60),
    Line(wishes.ask_due, every=60),
    Line(wishes.expire_due, every=60),
    Line(wishes.check_invariants, every=60),
    Line(reports.count_demand, every=5),
    Line(reports.rank_anew, every=5),
)


class Attempt:
    """Runs one line's job; a job that raises is written down, once a minute if it goes on, and tried again."""

    def __init__(self, line: Line, config: Config, sessions: Sessions) -> None:
        """`sessions` is shared by all jobs."""
        self._line, self._config, self._sessions = line, config, sessions
        self._in_hand = threading.Lock()
        self._closing = False
        self._fault = ""
        self._written_at = 0.0

    def __call__(self) -> None:
        """Do what is due."""
        with self._in_hand:
            if self._closing:
                return
            try:
                done = self._line.job(self._config, self._sessions)
            except Exception as error:
                self._write_down(f"{type(error).__name__}: {error}".splitlines()[0])
                return
            if self._fault:
                log.warning("%s works again", self._line.name)
                self._fault = ""
            if done:
                log.info("%s: %d", self._line.name, done)

    def finish(self, latest: float) -> bool:
        """Begin no more, and wait until `latest` (monotonic seconds) for what is in hand; whether it was finished."""
        self._closing = True
        return self._in_hand.acquire(timeout=max(0.01, latest - time.monotonic()))

    def _write_down(self, fault: str) -> None:
        if fault == self._fault and time.monotonic() - self._written_at < SILENCE_SECONDS:
            return
        self._fault, self._written_at = fault, time.monotonic()
        log.exception("%s failed and will be tried again", self._line.name)


def work(config: Config, timetable: tuple[Line, ...] = TIMETABLE) -> None:
    """Keep to the timetable until SIGTERM or SIGINT; then let the jobs in hand finish, for half a minute at most.

    The scheduler runs in the main thread: should it ever die, so does the process, and whoever started it sees that.
    """
    sessions = make_sessions(config)
    attempts = {line.name: Attempt(line, config, sessions) for line in timetable}
    scheduler = BlockingScheduler(
        executors={"default": ThreadPoolExecutor(max(1, len(timetable)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    for line in timetable:
        scheduler.add_job(attempts[line.name], "interval", seconds=line.every, id=line.name, name=line.name)
    unfinished: list[str] = []

    def close() -> None:
        while not scheduler.running:
            time.sleep(0.01)
        scheduler.pause()
        latest = time.monotonic() + FINISHING_SECONDS
        unfinished.extend(name for name, attempt in attempts.items() if not attempt.finish(latest))
        scheduler.shutdown(wait=False)

    _when_told_to_stop(close)
    lifeline.hold(os.getpid())
    scheduler.start()
    if unfinished:
        # What it holds stays claimed until its lease ends; then another worker takes it up.
        log.warning("not finished in time, to be taken up again: %s", ", ".join(unfinished))
        os._exit(0)
    sessions.kw["bind"].dispose()


def _when_told_to_stop(close: Callable[[], None]) -> None:
    """Run `close` once, in a thread of its own (a signal may come in the middle of anything)."""
    closing = threading.Thread(target=close, name="closing", daemon=True)

    def told(_number: int, _frame: object) -> None:
        if closing.ident is None:
            closing.start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, told)
