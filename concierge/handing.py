"""Handing out: with many machines the clock finds what is due and hands it to a queue, so many rows in a task.

A task is a hint and nothing more. What it names is claimed where it is worked, by the same job as on one machine: one
that is lost is found due again, one that comes twice finds nothing left to do, one that comes late finds what is left.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from concierge import clock, copies
from concierge.config import Config
from concierge.db import Sessions
from concierge.lines import QUIET_SECONDS, Line
from concierge.working import sharing

# What was handed out and is still due after so long is handed out again, and a task that nobody began is void.
AGAIN_SECONDS = 30.0

# line, rows (None: the whole job), the clock's lease, seconds until the task is void
Post = Callable[[Line, Sequence[int] | None, int | None, float], None]


class Handing:
    """The clock's part of one line."""

    def __init__(self, line: Line, post: Post) -> None:
        """Nothing is handed out yet."""
        self._line, self._post = line, post
        # row → when it was handed out; of those alone that are still due
        self._handed: dict[int, float] = {}

    def __call__(self, config: Config, sessions: Sessions) -> int:
        """Look once, and hand out what is due and not in somebody's hands; how many rows."""
        line, number = self._line, copies.OURS.number
        if line.chunk is None:
            self._post(line, None, number, max(line.every, AGAIN_SECONDS))
            return 0
        with sharing(None) as share:
            line.job(config, sessions)
        now = time.monotonic()
        due = list(dict.fromkeys(share.due))
        self._handed = {row: at for row in due if (at := self._handed.get(row)) is not None}
        fresh = [row for row in due if now - self._handed.get(row, -AGAIN_SECONDS) >= AGAIN_SECONDS]
        for begin in range(0, len(fresh), line.chunk):
            rows = fresh[begin : begin + line.chunk]
            self._post(line, rows, number, AGAIN_SECONDS)
            self._handed |= dict.fromkeys(rows, now)
        return len(fresh)

    def next_due(self, session: Session) -> datetime | None:
        """When to look again: soon while something handed out is still due, else when the line's next row is."""
        if self._handed:
            return clock.now()
        return self._line.due(session) if self._line.due else None


def hand_out(timetable: Sequence[Line], post: Post) -> tuple[Line, ...]:
    """The clock's timetable: the same lines, each of which hands out instead of doing, unless it has no queue."""
    return tuple(_handed(line, post) if line.queue else line for line in timetable)


def _handed(line: Line, post: Post) -> Line:
    handing, called = Handing(line, post), f"{line.name} → {line.queue}"
    its = {"by_clock": True, "limit": 90.0, "quiet": QUIET_SECONDS}
    return replace(line, job=handing, due=handing.next_due, called=called, **its)  # type: ignore[arg-type]
