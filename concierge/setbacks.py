"""Setbacks: rows a job failed at, passed over while they rest; after the third time an admin decides."""

from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from concierge import audit
from concierge.db import Base, BigId
from concierge.errors import ConciergeError, NotFound

# How long a row rests after each failure; when there is no more rest, it is set aside.
RESTS = (timedelta(seconds=30), timedelta(minutes=2))

Rows = sa.Select[int]


class Setback(Base):
    """A row that a job failed at: how often, why in words without personal data, and when it is tried again."""

    __tablename__ = "setback"
    __table_args__ = (sa.UniqueConstraint("job", "row_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # the job's name in the timetable
    job: Mapped[str] = mapped_column(sa.String(80))
    row_id: Mapped[int] = mapped_column(BigId)
    tries: Mapped[int]
    fault: Mapped[str] = mapped_column(sa.String(200))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    # None: set aside
    rests_until: Mapped[datetime | None]
    # the house will do without
    discarded_at: Mapped[datetime | None]
    discarded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))


class SetbackNotFound(NotFound):
    """This is not set aside any more."""


_WAITS = (Setback.rests_until.is_(None), Setback.discarded_at.is_(None))


def resting(job: str, now: datetime, *others: str) -> Rows:
    """The numbers of the rows that `job` (or one of `others`, on rows of the same table) passes over for now, as a
    subquery: `.where(Offer.id.not_in(resting(…)))`.
    """
    return sa.select(Setback.row_id).where(Setback.job.in_({job, *others}), _rests(now))


def rests(job: str, row_id: Any, now: datetime, *, since: Any) -> sa.ColumnElement[bool]:
    """Whether a row is passed over, for a read that asks row by row; what came true after the last try (`since`, a
    column) is tried anew.
    """
    return sa.exists().where(Setback.job == job, Setback.row_id == row_id, _rests(now), Setback.last_at >= since)


def _rests(now: datetime) -> sa.ColumnElement[bool]:
    """Whether it is set aside, or not tried again yet."""
    return Setback.rests_until.is_(None) | (Setback.rests_until > now)


# For reads that ask for every row.
NONE: Rows = sa.select(Setback.row_id).where(sa.false())


def note(session: Session, job: str, row_id: int, error: Exception, *, now: datetime) -> Setback:
    """The job failed at the row once more."""
    found = session.scalar(sa.select(Setback).where(Setback.job == job, Setback.row_id == row_id).with_for_update())
    if found is None:
        found = Setback(job=job, row_id=row_id, tries=0, first_at=now)
        session.add(found)
    found.tries, found.fault, found.last_at = found.tries + 1, words_for(error), now
    found.rests_until = now + RESTS[found.tries - 1] if found.tries <= len(RESTS) else None
    return found


def is_last_try(session: Session, job: str, row_id: int) -> bool:
    """Whether the job has failed at the row so often that one more failure sets it aside."""
    tries = session.scalar(sa.select(Setback.tries).where(Setback.job == job, Setback.row_id == row_id))
    return (tries or 0) >= len(RESTS)


def forget(session: Session, job: str, row_id: int) -> None:
    """The job succeeded after all."""
    session.execute(sa.delete(Setback).where(Setback.job == job, Setback.row_id == row_id))


def list_failed(session: Session, job: str) -> set[int]:
    """The rows the job has failed at and may succeed at now."""
    return set(session.scalars(sa.select(Setback.row_id).where(Setback.job == job)))


def list_set_aside(session: Session, *, limit: int = 200) -> list[Setback]:
    """What waits for an admin, the newest first."""
    return list(session.scalars(sa.select(Setback).where(*_WAITS).order_by(Setback.last_at.desc()).limit(limit)))


def count_set_aside(session: Session) -> int:
    """How many rows wait for an admin."""
    return session.scalar(sa.select(sa.func.count()).select_from(Setback).where(*_WAITS)) or 0


def get_set_aside(session: Session, setback_id: int) -> Setback:
    """One that waits for an admin, for her alone; raises SetbackNotFound."""
    if (found := session.scalar(sa.select(Setback).where(Setback.id == setback_id, *_WAITS).with_for_update())) is None:
        raise SetbackNotFound
    return found


def retry(session: Session, setback: Setback, *, by: audit.HasId, now: datetime) -> None:
    """Try it again from the beginning."""
    setback.tries, setback.rests_until = 0, now
    audit.record(session, "setback.retried", setback, by=by, now=now)


def discard(session: Session, setback: Setback, *, by: audit.HasId, now: datetime) -> None:
    """Leave the row as it is for good; the job passes it over from now on."""
    setback.discarded_at, setback.discarded_by_id = now, by.id
    audit.record(session, "setback.discarded", setback, by=by, now=now)


def words_for(error: BaseException) -> str:
    """What went wrong and where, without what it went wrong with: a message may quote a customer."""
    name = type(error).__name__
    if isinstance(error, ConciergeError):
        return f"{name}: {(type(error).__doc__ or '').strip()}"[:200]
    ours = [frame for frame in extract_tb(error.__traceback__) if "concierge" in Path(frame.filename).parts]
    place = f" ({Path(ours[-1].filename).stem}.{ours[-1].name}, line {ours[-1].lineno})" if ours else ""
    return f"{name}{place}"[:200]
