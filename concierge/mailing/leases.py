"""By which clock a claim runs out: the database's, the same for every machine, whatever their own clocks say."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from concierge import clock
from concierge.db import database_now


def lease_now(session: Session) -> datetime:
    """The database's present; an SQLite file has no clock but that of its one machine."""
    if session.connection().dialect.name == "sqlite":
        return clock.machine_now()
    return database_now(session)


@dataclass(frozen=True, slots=True)
class LeaseClock:
    """The database's time, asked once and then counted on: a clock of this machine that is set meanwhile is unheard."""

    asked: datetime
    counted_from: float

    @classmethod
    def ask(cls, session: Session) -> "LeaseClock":
        """Ask the database."""
        return cls(lease_now(session), time.monotonic())

    def now(self) -> datetime:
        """The database's present, as far as this process can tell."""
        return self.asked + timedelta(seconds=time.monotonic() - self.counted_from)
