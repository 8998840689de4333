"""Whether the house runs as it should: what is wrong, told from what the worker last said and from what waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from concierge.lines import QUIET_SECONDS


class Kind(StrEnum):
    """What can be wrong."""

    NO_WORKER = "no_worker"  # none was ever seen, or the last one said goodbye
    SILENT = "silent"  # the last one fell silent
    STUCK = "stuck"  # one is alive, but a job of it does not end
    PROVIDER = "provider"  # mail can't be handed over
    SHUT = "shut"  # a restored copy, which sends nothing until somebody says so
    MAILBOX = "mailbox"  # one that is read over IMAP can't be
    BACKLOG = "backlog"  # something waits for too long


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `what` names the job, the queue or the mailbox, `seconds` how long it has been so."""

    kind: Kind
    what: str = ""
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """For machines and the log, in English."""
        seconds = f"{self.seconds:.0f} s"
        return {
            Kind.NO_WORKER: "worker: none is running",
            Kind.SILENT: f"worker: no sign of life for {seconds}",
            Kind.STUCK: f"worker: {self.what} has been in hand for {seconds}",
            Kind.PROVIDER: f"provider: {self.what} has been out of reach for {seconds}",
            Kind.SHUT: "outbox: shut since the house was restored; an admin opens it on the page Mail out",
            Kind.MAILBOX: f"mailbox: {self.what} has not been readable for {seconds}",
            Kind.BACKLOG: f"backlog: {self.what} has waited for {seconds}",
        }[self.kind]


@dataclass(frozen=True)
class Seen:
    """A copy of the worker as it was last seen."""

    id: int
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    lines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provider: Mapping[str, Any] = field(default_factory=dict)

    def is_alive(self, now: datetime, silence: timedelta) -> bool:
        """Whether it spoke lately; what it says from the future was said by a clock that was set back since."""
        return abs(now - self.seen_at) <= silence


@dataclass(frozen=True)
class Unread:
    """A mailbox outside that can't be read, and since when."""

    name: str
    since: datetime


@dataclass(frozen=True)
class Queue:
    """Rows of one kind that wait: how many (counted up to a bound), and since when the oldest does.

    `moved_at` is when one last left a queue that lets go little by little: its oldest may be old, and nothing is wrong.
    """

    name: str
    waiting: int
    oldest_at: datetime | None
    moved_at: datetime | None = None

    def age(self, now: datetime) -> float:
        """Seconds the oldest has waited; 0 when none does."""
        return max((now - self.oldest_at).total_seconds(), 0.0) if self.oldest_at else 0.0

    def still(self, now: datetime) -> float:
        """Seconds for which rows have waited and none has left; for most queues the age of the oldest."""
        moved = max((now - self.moved_at).total_seconds(), 0.0) if self.moved_at else None
        return self.age(now) if moved is None else min(self.age(now), moved)


def find_faults(
    copies: Iterable[Seen],
    queues: Iterable[Queue],
    unread: Iterable[Unread] = (),
    *,
    now: datetime,
    silence: timedelta,
    patience: timedelta,
) -> list[Fault]:
    """All that is wrong, the worst first; nothing when all is well.

    A copy is gone after `silence`; a queue, a provider or a mailbox is a fault after `patience`. `now` is the
    database's.
    """
    seen = list(copies)
    alive = [each for each in seen if each.is_alive(now, silence)]
    faults = _of_the_worker(seen, alive, now)
    for copy in alive:
        away = copy.provider.get("away_since")
        if away and (seconds := (now - datetime.fromisoformat(away)).total_seconds()) > patience.total_seconds():
            faults.append(Fault(Kind.PROVIDER, str(copy.provider.get("name", "")), seconds))
            break
    shut_out = [Fault(Kind.MAILBOX, each.name, (now - each.since).total_seconds()) for each in unread]
    faults += [each for each in shut_out if each.seconds > patience.total_seconds()]
    late = [queue for queue in queues if queue.still(now) > patience.total_seconds()]
    return faults + [Fault(Kind.BACKLOG, queue.name, queue.age(now)) for queue in late]


def _of_the_worker(seen: list[Seen], alive: list[Seen], now: datetime) -> list[Fault]:
    if not alive:
        latest = max((each.seen_at for each in seen), default=None)
        return [Fault(Kind.SILENT, "", abs((now - latest).total_seconds())) if latest else Fault(Kind.NO_WORKER)]
    stuck: dict[str, float] = {}
    for copy in alive:
        for job, run in copy.lines.items():
            if seconds := _stuck(copy, run, now):
                stuck[job] = max(seconds, stuck.get(job, 0.0))
    return [Fault(Kind.STUCK, job, seconds) for job, seconds in sorted(stuck.items())]


def _stuck(copy: Seen, run: Mapping[str, Any], now: datetime) -> float:
    """For how many seconds a run has been going on that goes on for too long, or stands still; 0: all is well.

    That it got on since its copy last spoke nobody can know: how long it stands still is only what the copy said.
    """
    if (said := run.get("in_hand")) is None:
        return 0.0
    in_hand = float(said) + max((now - copy.seen_at).total_seconds(), 0.0)
    is_still = float(run.get("still", 0.0)) > float(run.get("quiet", QUIET_SECONDS))
    return in_hand if is_still or in_hand > float(run.get("limit", 90.0)) else 0.0
