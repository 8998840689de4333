"""The house's pace: how many mails leave in a second, whoever hands them over, on however many machines.

One row is a bucket that fills evenly; whoever reserves mails takes as much from it as they are, under its lock. What is
written by the thousand leaves a quarter of it to the mails somebody waits for. Another bucket holds the mails no person
sent, a day's worth of them.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from concierge.db import Base, database_now
from concierge.mailing.models import Lane

_PROVIDER, _AUTOMATIC = "provider", "automatic"
_LEFT_TO_OTHERS = 0.25


class Pace(Base):
    """A bucket: when it was empty; since then it has filled with so many mails a second, up to a second's worth."""

    __tablename__ = "pace"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    empty_at: Mapped[datetime | None]


def take(session: Session, wanted: int, per_second: float, lane: Lane) -> int:
    """How many of the wanted mails may leave now; nobody else takes until the transaction ends. 0 a second: all."""
    if not per_second:
        return wanted
    pace = session.scalar(sa.select(Pace).where(Pace.name == _PROVIDER).with_for_update())
    assert pace is not None  # migration 0022 made it
    most = _most(per_second)
    spared = most * _LEFT_TO_OTHERS if lane is Lane.BULK else 0.0
    return _draw(pace, wanted, per_second, most=most, spared=spared, now=database_now(session))


def lock_automatic(session: Session) -> Pace:
    """The bucket of what leaves by itself: nobody else counts such mails, or takes any, until the transaction ends."""
    return session.scalars(sa.select(Pace).where(Pace.name == _AUTOMATIC).with_for_update()).one()


def take_automatic(session: Session, bucket: Pace, wanted: int, a_day: int) -> int:
    """How many of the wanted may leave: a day's worth at once, and as many in each day after. 0 a day: all."""
    if not a_day or not wanted:
        return wanted
    per_second = a_day / timedelta(days=1).total_seconds()
    return _draw(bucket, wanted, per_second, most=a_day, spared=0.0, now=database_now(session))


def _draw(pace: Pace, wanted: int, per_second: float, *, most: float, spared: float, now: datetime) -> int:
    since = _empty_since(pace.empty_at, now, most / per_second)
    # to the microsecond, or a whole mail would be lost to rounding
    granted = min(wanted, int((now - since).total_seconds() * per_second - spared + 1e-4))
    if granted > 0:
        pace.empty_at = since + timedelta(seconds=granted / per_second)
    return max(granted, 0)


def give_back(session: Session, unused: int, per_second: float) -> None:
    """What was taken and is not needed after all, in the same transaction."""
    if not per_second or not unused:
        return
    pace = session.get_one(Pace, _PROVIDER)
    if pace.empty_at is not None:
        pace.empty_at -= timedelta(seconds=unused / per_second)


def _most(per_second: float) -> float:
    return max(per_second, 2.0)


def _empty_since(empty_at: datetime | None, now: datetime, seconds_to_fill: float) -> datetime:
    """Since when it fills; what is in the future was written by a clock that was set back."""
    full = now - timedelta(seconds=seconds_to_fill)
    return full if empty_at is None or empty_at > now + timedelta(seconds=1) else max(empty_at, full)
