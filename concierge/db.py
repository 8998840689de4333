"""The database: declarative base, column types, engines for SQLite and PostgreSQL, sessions."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from concierge.config import Config
from concierge.errors import ConciergeError
from concierge.turns import Line, NoTurn, line_for

# Before 3.51.3 two writers resetting a WAL could corrupt the database; 3.44.6 and 3.50.7 carry the fix too
# (sqlite.org/wal.html).
_SAFE_SQLITE = ((3, 44, 6), (3, 50, 7), (3, 51, 3))

_BUSY_SECONDS = 15
_KNOCK_SECONDS = 0.002
# What a thousand letters touch fits in, so that no page is written twice before they are kept.
_CACHE_KIB = 20_480
# Of the WAL before it goes into the file (SQLite's own is 1,000): pages that are written again and again meanwhile, as
# those of an index are, go there once. What is committed is in the WAL, on the disk, either way.
_WAL_PAGES = 4000

Sessions = sessionmaker[Session]


class OldSQLite(ConciergeError):
    """This SQLite is too old to be trusted with mail."""


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC instant; timestamptz on PostgreSQL, UTC text on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive values; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give back UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: Instant(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        list[str]: sa.JSON(),
        int: sa.Integer(),
    }


def states(enum: type[StrEnum], name: str = "state") -> sa.Enum:
    """A column type that holds one of the values of `enum`, with a CHECK on both databases."""
    return sa.Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda members: [member.value for member in members],
    )


def engine_options(config: Config) -> dict[str, Any]:
    """The keyword arguments of `create_engine` (with `url`) for the configured database."""
    if config.is_sqlite:
        module = sqlite_module()
        return {
            "url": config.database_url,
            "hide_parameters": True,
            "module": module,
            "connect_args": {
                "timeout": _BUSY_SECONDS,
                "check_same_thread": False,
                "factory": _connection_class(module),
            },
            # Whoever waits for her turn to write holds a connection meanwhile; there is one for every thread.
            "pool_size": 40,
            "max_overflow": 60,
        }
    return {
        "url": config.database_url,
        "hide_parameters": True,  # errors would quote what customers wrote
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 20,
    }


def prepare(engine: sa.Engine) -> sa.Engine:
    """Give every connection of `engine` our settings: WAL, FULL and foreign keys on SQLite; UTC on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
    return engine


def make_engine(config: Config) -> sa.Engine:
    """A prepared engine for the configured database; the data folder is made if it isn't there."""
    if config.is_sqlite:
        config.data.mkdir(parents=True, exist_ok=True)
    options = engine_options(config)
    return prepare(sa.create_engine(options.pop("url"), **options))


def make_sessions(config: Config) -> Sessions:
    """A session factory for the worker, the doors and the command line.

    Its transactions begin with the write lock on SQLite, so that reading first and writing later can't fail half-way.
    """
    engine = make_engine(config).execution_options(writes=True)
    return sessionmaker(engine, expire_on_commit=False)


def lock_for_writing(session: Session) -> None:
    """Begin the session's transaction with the write lock (SQLite); nothing more than a beginning elsewhere.

    A transaction that has only looked so far (who is signed in?) is ended first: one that began by reading can't take
    the lock any more once somebody else has written, and would fail at its first write. Call before the first write.
    """
    if session.in_transaction():
        session.commit()
    session.connection(execution_options={"writes": True})


def take_turn(session: Session, number: int) -> None:
    """Let whoever counts and then adds do so alone: SQLite has its write lock, PostgreSQL a lock until the commit.

    `number` is the same for all who count the same, and nobody else's.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """A session of `sessions` that only looks: on SQLite it takes no write lock, so it holds nobody up, nor waits."""
    with sessions() as session:
        session.connection(execution_options={"writes": False})
        yield session


def database_now(session: Session | sa.Connection) -> datetime:
    """The database's own time, aware, in UTC: the same for every machine that uses it."""
    connection = session.connection() if isinstance(session, Session) else session
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')").scalar_one()
        return datetime.fromisoformat(found).replace(tzinfo=UTC)
    now: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return now.astimezone(UTC)


def sqlite_module() -> ModuleType:
    """The SQLite to use: Python's own when it is safe, else pysqlite3; raises OldSQLite."""
    if is_safe_sqlite(sqlite3.sqlite_version_info):
        return sqlite3
    try:
        import pysqlite3
    except ImportError as error:
        raise OldSQLite(
            f"{OldSQLite.__doc__} {sqlite3.sqlite_version} is linked; install pysqlite3 0.6 or newer."
        ) from error
    if not is_safe_sqlite(pysqlite3.sqlite_version_info):
        raise OldSQLite(f"{OldSQLite.__doc__} pysqlite3 carries {pysqlite3.sqlite_version}; 3.51.3 or newer is needed.")
    module: ModuleType = pysqlite3
    return module


def is_safe_sqlite(version: tuple[int, ...]) -> bool:
    """Whether this version of SQLite has the WAL-reset fix."""
    if version >= _SAFE_SQLITE[-1]:
        return True
    return any(version[:2] == safe[:2] and version >= safe for safe in _SAFE_SQLITE)


class _TakesTurns(sqlite3.Connection if TYPE_CHECKING else object):  # type: ignore[misc]
    """An SQLite connection whose writing transactions wait in their process's line, and leave it however they end.

    The turn belongs to the connection, not to a thread: a session that a dead thread leaves behind is collected, and
    the pool rolls its connection back.
    """

    turn: Line | None = None

    def begin_writing(self, line: Line) -> None:
        """Wait in `line`, then take SQLite's own write lock; raises NoTurn, or OperationalError when it stays taken."""
        line.enter()
        self.turn = line
        try:
            self._take_lock(line)
        except BaseException:
            self.leave()
            raise

    def _take_lock(self, line: Line) -> None:
        """Knock every few milliseconds: SQLite's own knocking slows down to ten times a second."""
        self.execute("PRAGMA busy_timeout=0")
        try:
            if line.is_in_run and self._lock_is_ours():
                return
            latest = time.monotonic() + _BUSY_SECONDS
            with line.doorstep():
                while not self._lock_is_ours(is_last=time.monotonic() > latest):
                    time.sleep(_KNOCK_SECONDS)
        finally:
            self.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")

    def _lock_is_ours(self, *, is_last: bool = False) -> bool:
        try:
            self.execute("BEGIN IMMEDIATE")
        except self.OperationalError as error:
            if is_last or "locked" not in str(error):
                raise
            return False
        return True

    def leave(self) -> None:
        """End the turn, if it is ours."""
        line, self.turn = self.turn, None
        if line is not None:
            line.leave()

    def commit(self) -> None:
        """Commit; one that fails (a full disk) is rolled back, or it would stay open unseen."""
        try:
            super().commit()
        except BaseException:
            self.rollback()
            raise
        self.leave()

    def rollback(self) -> None:
        """Roll back."""
        try:
            super().rollback()
        finally:
            self.leave()

    def close(self) -> None:
        """Close; SQLite rolls back what is open."""
        try:
            super().close()
        finally:
            self.leave()

    def __del__(self) -> None:
        self.leave()


@cache
def _connection_class(module: ModuleType) -> type[sqlite3.Connection]:
    """The connection of this SQLite, Python's own or pysqlite3's, that takes turns."""
    made: type[sqlite3.Connection] = type("Connection", (_TakesTurns, module.Connection), {})
    return made


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_SECONDS * 1000}",
        f"cache_size=-{_CACHE_KIB}",
        f"wal_autocheckpoint={_WAL_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    if not connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    # Not by exec_driver_sql: it rolls back after an error, and with that the turn would be gone.
    ours = connection.connection.driver_connection
    assert isinstance(ours, _TakesTurns)
    try:
        ours.begin_writing(line_for(connection.engine.url.database or ""))
    except (NoTurn, ours.OperationalError) as error:
        raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, error) from error


def _prepare_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.commit()
