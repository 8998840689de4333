"""A line of the timetable, the queues of many machines, and what is remembered of a job's runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from concierge import clock
from concierge.config import Config
from concierge.db import Sessions
from concierge.nudges import Topic

# A run that neither ended nor came by the database for so long stands still. With the time between two heartbeats, and
# between two looks of the pages, it is seen within half a minute.
QUIET_SECONDS = 15.0

Job = Callable[[Config, Sessions], int]
NextDue = Callable[[Session], datetime | None]


class Queue(StrEnum):
    """What many machines share out, by kind: no kind waits behind another (see docs/operations.md)."""

    ANSWERS = "answers"  # what somebody waits for: her answer, and its way to the provider
    MAIL = "mail"  # what came in
    FOLLOW_UPS = "follow-ups"
    STOCK = "stock"  # purchases, units, waves, offers
    LETTERS = "letters"  # mail by the thousand on its way to the provider
    HOUSE = "house"  # counting, checking, tidying


@dataclass(frozen=True)
class Line:
    """One line of the timetable: a job, when it runs at the latest, what nudges it, and when its next row is due.

    `by_clock`: one copy of the worker is enough for it. A run counts as stuck that goes on for more than `limit`
    seconds, or for more than `quiet` without beginning or ending a transaction.

    With many machines the clock hands it to `queue`: so many rows (`chunk`) in a task, or all of it in one. Without a
    queue every clock does it itself.
    """

    job: Job
    every: float
    on: tuple[Topic, ...] = ()
    due: NextDue | None = None
    by_clock: bool = False
    limit: float = 90.0
    quiet: float = QUIET_SECONDS
    queue: Queue | None = None
    chunk: int | None = None
    # another name than its job's
    called: str = ""

    @property
    def name(self) -> str:
        """What the job is called in the log: its part and its function."""
        return (
            self.called or f"{self.job.__module__.removeprefix('concierge.').removesuffix('.jobs')}.{self.job.__name__}"
        )


@dataclass
class LastRuns:
    """How a job's runs went in this process: the last one, the last that did something, and the sums."""

    since: datetime | None = None
    began: float = 0.0
    stirred: float = 0.0
    at: datetime | None = None
    took: float = 0.0
    fault: str = ""
    did_at: datetime | None = None
    did: int = 0
    runs: int = 0
    failures: int = 0
    seconds: float = 0.0
    done: int = 0

    def begin(self) -> None:
        """A run begins."""
        self.since, self.began = clock.now(), time.monotonic()
        self.stirred = self.began

    def stir(self, *_event: object) -> None:
        """It does something."""
        self.stirred = time.monotonic()

    def end(self, done: int, fault: str = "") -> None:
        """It ended; `fault` says why it failed, in words about nobody."""
        self.at, self.took = self.since, time.monotonic() - self.began
        self.since, self.fault = None, fault
        self.runs, self.failures = self.runs + 1, self.failures + bool(fault)
        self.seconds, self.done = self.seconds + self.took, self.done + done
        if done:
            self.did_at, self.did = self.at, done

    def report(self) -> dict[str, Any]:
        """The same as plain values: moments as texts, how long it has been in hand by the steady clock."""
        return {
            "in_hand": round(time.monotonic() - self.began, 1) if self.since else None,
            "still": round(time.monotonic() - self.stirred, 1) if self.since else None,
            "at": self.at.isoformat() if self.at else None,
            "took": round(self.took, 4),
            "fault": self.fault,
            "did_at": self.did_at.isoformat() if self.did_at else None,
            "did": self.did,
            "runs": self.runs,
            "failures": self.failures,
            "seconds": round(self.seconds, 3),
            "done": self.done,
        }
