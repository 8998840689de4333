"""Copies of the worker: which there are, when each was last seen, and which of them is the clock.

All of it by the database's time, which is the same for every machine. The clock's lease saves work and nothing else:
jobs that one copy is enough for run there. Whoever was overtaken while asleep is told so by the lease's number, a
fencing number that grows each time the clock changes hands.
"""

import threading
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from concierge.db import Base, BigId
from concierge.errors import RuleBroken

CLOCK = "clock"
BEAT = timedelta(seconds=7)
LEASE = 3 * BEAT
# A copy that said nothing for so long is gone, or stands still.
SILENCE = 3 * BEAT
# So long its last words are kept.
KEPT = timedelta(days=1)


class WorkerCopy(Base):
    """One process of the worker."""

    __tablename__ = "worker_copy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    host: Mapped[str] = mapped_column(sa.String(200))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(sa.String(40))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    # job → how its runs went, see `timekeeping.Attempt.report`
    lines: Mapped[dict[str, Any]]
    # the provider as this copy finds it: name, and since when it can't be reached
    provider: Mapped[dict[str, Any]]


class Lease(Base):
    """What one copy holds until a moment; `number` grows with each new holder."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    copy_id: Mapped[int | None] = mapped_column(BigId)
    number: Mapped[int] = mapped_column(BigId)
    until: Mapped[datetime | None]


class _Ours(threading.local):
    """The lease under which the job in this thread was begun."""

    number: int | None = None


# Set by the timekeeper before each run; a job reads it when it begins, and fences its writes with it.
OURS = _Ours()


class Overtaken(RuleBroken):
    """Another copy of the worker has become the clock."""


def take_lease(session: Session, copy_id: int, *, now: datetime) -> int | None:
    """Become the clock, if nobody is; the lease's new number, or None. `now` is the database's.

    A lease that reaches further than any is given was given by a clock that was set back since: it holds nobody off.
    """
    free = Lease.until.is_(None) | (Lease.until < now) | (Lease.until > now + 2 * LEASE)
    taken = sa.update(Lease).where(Lease.name == CLOCK, free)
    taken = taken.values(copy_id=copy_id, number=Lease.number + 1, until=now + LEASE)
    return session.scalar(taken.returning(Lease.number).execution_options(synchronize_session=False))


def renew_lease(session: Session, copy_id: int, number: int, *, now: datetime) -> bool:
    """Stay the clock; False when the lease ran out or another copy has it."""
    ours = (Lease.name == CLOCK, Lease.copy_id == copy_id, Lease.number == number, Lease.until >= now)
    renewed = sa.update(Lease).where(*ours).values(until=now + LEASE).returning(Lease.number)
    return session.scalar(renewed.execution_options(synchronize_session=False)) is not None


def give_up_lease(session: Session, copy_id: int, number: int) -> None:
    """Let another copy be the clock at once."""
    ours = (Lease.name == CLOCK, Lease.copy_id == copy_id, Lease.number == number)
    session.execute(sa.update(Lease).where(*ours).values(until=None, copy_id=None))


def fence(session: Session, number: int | None) -> None:
    """Raise Overtaken unless `number` is still the lease's; nobody becomes the clock before this transaction ends.

    None is no lease at all: a job that a person or a test runs.
    """
    if number is None:
        return
    ours = sa.select(Lease.number).where(Lease.name == CLOCK, Lease.number == number).with_for_update(read=True)
    if session.scalar(ours) is None:
        raise Overtaken


def list_copies(session: Session) -> list[WorkerCopy]:
    """All that are remembered, the last seen first."""
    statement = sa.select(WorkerCopy).order_by(WorkerCopy.seen_at.desc(), WorkerCopy.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def find_clock(session: Session, *, now: datetime) -> Lease | None:
    """The lease, while somebody holds it."""
    return session.scalar(sa.select(Lease).where(Lease.name == CLOCK, Lease.until >= now))


def is_any_old(session: Session, *, now: datetime) -> bool:
    """Whether there is one to forget."""
    return session.scalar(sa.select(WorkerCopy.id).where(WorkerCopy.seen_at < now - KEPT).limit(1)) is not None


def forget_copies(session: Session, *, now: datetime) -> int:
    """Forget the copies that said nothing for a day; how many."""
    old = sa.delete(WorkerCopy).where(WorkerCopy.seen_at < now - KEPT)
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]
