"""Nudges: what was stored a moment ago, told to the worker at once, so that it need not ask all the time.

PostgreSQL tells (NOTIFY, by the triggers of migrations 0009 and 0011, in the transaction that stored it). SQLite is
asked ten times a second whether anybody committed, which is one look at shared memory; if so, a dozen counters say what
it was (the triggers of migration 0025). A nudge may be lost, for instance with a pooler in between that passes no
NOTIFY: then the timetable's next look finds the row.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any, Protocol

import sqlalchemy as sa

from concierge.config import Config
from concierge.db import sqlite_module

CHANNEL = "concierge"
_LOOK_SECONDS = 0.1
# So soon a line that was cut is noticed, when nothing is said on it.
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class Topic(StrEnum):
    """What may have been stored, as the triggers say it."""

    MAIL = "mail"  # a mail to file
    MESSAGE = "message"  # a message in a conversation
    ANSWER = "answer"  # a draft that is to leave
    DELIVERY = "delivery"  # a mail to send
    OUTCOME = "outcome"  # a mail that did not arrive
    STOCK = "stock"  # a report of the shop
    PURCHASE = "purchase"
    WISH = "wish"
    OFFER = "offer"
    FOLLOW_UP = "follow_up"
    POLICY = "policy"  # how a restock is shared out


EVERYTHING = frozenset(Topic)


class Ear(Protocol):
    """Hears what others store."""

    def hear(self, seconds: float) -> frozenset[Topic]:
        """What was stored lately; waits up to `seconds` for something. Raises the driver's errors."""


@contextmanager
def listening(config: Config) -> Iterator[Ear]:
    """An ear on a connection of its own; what was stored before it was open is not heard."""
    url = sa.make_url(config.database_url)
    if config.is_sqlite:
        connection = sqlite_module().connect(url.database, timeout=1.0, check_same_thread=False)
        try:
            yield EarOfSQLite(connection)
        finally:
            connection.close()
        return
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=_KEEPALIVE)
    raw = engine.raw_connection()
    try:
        driver = raw.driver_connection
        assert driver is not None
        driver.set_autocommit(True)
        driver.execute(f"LISTEN {CHANNEL}")
        yield EarOfPostgreSQL(driver)
    finally:
        with suppress(Exception):  # it may be gone already
            raw.close()


class EarOfPostgreSQL:
    """Listens on a connection that does nothing else."""

    def __init__(self, connection: Any) -> None:
        """`connection` is psycopg's, listening."""
        self._connection = connection

    def hear(self, seconds: float) -> frozenset[Topic]:
        """The topics named by the notifications that came; unknown ones are of a newer program."""
        notes = self._connection.notifies(timeout=seconds, stop_after=1)
        return frozenset(Topic(note.payload) for note in notes if note.payload in EVERYTHING)


class EarOfSQLite:
    """Sees that somebody else committed (sqlite.org/pragma.html#pragma_data_version), then looks at the counters."""

    def __init__(self, connection: Any) -> None:
        """`connection` is used for nothing else, or its own commits would go unseen."""
        self._connection = connection
        self._version, self._numbers = self._read(), self._count()

    def hear(self, seconds: float) -> frozenset[Topic]:
        """The topics whose counters have moved; most commits, such as another copy's heartbeat, move none."""
        latest = time.monotonic() + seconds
        while not (topics := self._news()):
            if (left := latest - time.monotonic()) <= 0:
                return frozenset()
            time.sleep(min(left, _LOOK_SECONDS))
        return topics

    def _news(self) -> frozenset[Topic]:
        if (version := self._read()) == self._version:
            return frozenset()
        before, self._version, self._numbers = self._numbers, version, self._count()
        moved = {topic for topic, number in self._numbers.items() if number != before.get(topic)}
        return frozenset(Topic(topic) for topic in moved if topic in EVERYTHING)

    def _count(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT topic, number FROM nudge"))

    def _read(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
