"""Rows by the hundred: numbers reserved beforehand, and one statement for all of them, without the cost of each."""

import gc
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, count, islice, repeat
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from concierge.db import Instant

# Rows in one statement on SQLite, which allows 32,766 values in each.
_TOGETHER = 100


class Encoded(str):
    """JSON that is written already, for a column that holds it."""

    __slots__ = ()


class Same(NamedTuple):
    """One value for all rows of a column."""

    value: Any


Columns = Mapping[str, "Same | Sequence[Any]"]
Values = Mapping[str, Any]
_Make = Callable[[Any], Any] | None


@contextmanager
def unswept() -> Iterator[None]:
    """Let Python's collector rest while rows are made by the thousand.

    They hold no cycles and are gone by themselves; looking through them again and again was a tenth of the work.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def reserve_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    """The numbers of the next `count` rows of a table, for rows that name each other before they are written.

    PostgreSQL's sequence gives them out. On SQLite the transaction holds the write lock, so the numbers behind the
    highest one are ours (which is how it numbers rows itself).
    """
    if session.get_bind().dialect.name == "sqlite":
        [(highest,)] = read_rows(session, _highest(table), {})
        first = (highest or 0) + 1
        return list(range(first, first + count))
    return [number for (number,) in read_rows(session, _next(table), {"count": count})]


@lru_cache(maxsize=64)
def _highest(table: sa.Table) -> sa.Select[int]:
    return sa.select(sa.func.max(table.c.id))


@lru_cache(maxsize=64)
def _next(table: sa.Table) -> sa.Select[int]:
    each = sa.func.nextval(sa.func.pg_get_serial_sequence(table.name, "id"))
    return sa.select(each).select_from(sa.func.generate_series(1, sa.bindparam("count", type_=sa.Integer)))


def insert_columns(session: Session, table: sa.Table, columns: Columns, count: int) -> None:
    """Add `count` rows given column by column; column defaults do not apply.

    What all of them share is handed over once: for a thousand rows of which most is alike that is most of the work.
    SQLite gets a hundred rows in a statement, for there beginning and ending one costs as much as writing its row.
    """
    insertion = _insertion(table, tuple(columns))
    if count >= _TOGETHER and session.get_bind().dialect.name == "sqlite":
        whole = count - count % _TOGETHER
        _insert_together(session, insertion, columns, whole)
        columns = {name: each if isinstance(each, Same) else each[whole:] for name, each in columns.items()}
        count -= whole
    run_columns(session, insertion, columns, count)


def _insert_together(session: Session, insertion: sa.Insert, columns: Columns, count: int) -> None:
    """Add so many of these rows, which are hundreds."""
    session.flush()
    connection = session.connection()
    ready = _ready(insertion, connection.dialect)
    are_shared = tuple(isinstance(columns[name], Same) for name in ready.places)
    statement = _together(ready.sql, are_shared)
    made = [_made(columns[name], make, count) for name, make in ready.places.items()]
    shared = [next(iter(each)) for each, is_shared in zip(made, are_shared, strict=True) if is_shared]
    own = [each for each, is_shared in zip(made, are_shared, strict=True) if not is_shared]
    values = chain.from_iterable(zip(*own, strict=False))  # columns may go on behind these rows
    for _ in range(0, count, _TOGETHER):
        connection.exec_driver_sql(statement, (*shared, *islice(values, len(own) * _TOGETHER)))


def run_columns(
    session: Session, statement: sa.Insert | sa.Update | sa.TextClause, columns: Columns, count: int
) -> None:
    """Run a statement `count` times, its open places filled by name from columns of that length.

    What SQLAlchemy would do to each value of each row is done once to a value that many of them share, and the driver
    gets the rows as they are: that is what most of the time went into.
    """
    if not count:
        return
    if count == 1:
        run_row(session, statement, {name: _first(column) for name, column in columns.items()})
        return
    session.flush()
    connection = session.connection()
    ready = _ready(statement, connection.dialect)
    all_columns = {**{name: Same(value) for name, value in ready.fixed.items()}, **columns}
    made = [_made(all_columns[name], make, count) for name, make in ready.places.items()]
    rows: list[Any] = list(zip(*made, strict=True))
    if not connection.dialect.positional:
        rows = [dict(zip(ready.places, row, strict=True)) for row in rows]
    connection.exec_driver_sql(ready.sql, rows)


def insert_row(session: Session, table: sa.Table, values: Values) -> None:
    """Add one row; column defaults do not apply."""
    run_row(session, _insertion(table, tuple(values)), values)


def run_row(session: Session, statement: sa.Insert | sa.Update | sa.TextClause, values: Values) -> int:
    """Run a statement once, its places filled by name; how many rows it changed.

    For what is done to every mail: like `read_rows` it is put together once, and the driver gets the values.
    """
    cursor, _readers = _run(session, statement, values)
    changed = int(cursor.rowcount)
    cursor.close()
    return changed


def read_rows(session: Session, statement: sa.Executable, values: Values) -> list[tuple[Any, ...]]:
    """What a statement finds (or returns) whose places are filled by name; of a list with `one_of`, never `in_`."""
    cursor, readers = _run(session, statement, values)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    cursor.close()
    if not any(readers):
        return found
    return [tuple(read(value) if read else value for read, value in zip(readers, row, strict=True)) for row in found]


def _run(session: Session, statement: sa.Executable, values: Values) -> tuple[Any, tuple[_Make, ...]]:
    """The driver's own cursor, and how its columns are read: SQLAlchemy's account of it all costs ten times as much."""
    session.flush()
    connection = session.connection()
    ready = _ready(statement, connection.dialect)
    all_values = {**ready.fixed, **values}
    made = [make(all_values[name]) if make else all_values[name] for name, make in ready.places.items()]
    row = tuple(made) if connection.dialect.positional else dict(zip(ready.places, made, strict=True))
    cursor = connection.connection.cursor()
    try:
        cursor.execute(ready.sql, row)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, ready.sql, error) from error
    return cursor, ready.readers


def _told(connection: sa.Connection, sql: str, error: Exception) -> Exception:
    """A driver's error as SQLAlchemy's, without the values; a connection that broke is not used again."""
    dialect, raw = connection.dialect, connection.connection
    broken = dialect.is_disconnect(error, raw, None)  # type: ignore[arg-type]
    if broken:
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    told: Exception = sa.exc.DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, connection_invalidated=broken, dialect=dialect
    )
    return told


def _first(column: Same | Sequence[Any]) -> Any:
    return column.value if isinstance(column, Same) else column[0]


def _made(column: Same | Sequence[Any], make: _Make, count: int) -> Iterable[Any]:
    if isinstance(column, Same):
        return repeat(make(column.value) if make else column.value, count)
    if make is None:
        return column
    return map(make if make is _json else _once(make), column)


def _once(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Many rows share a value, which is made once."""
    known: dict[Any, Any] = {}

    def made(value: Any) -> Any:
        try:
            return known[value]
        except KeyError:
            known[value] = make(value)
            return known[value]

    return made


@lru_cache(maxsize=256)
def _insertion(table: sa.Table, names: tuple[str, ...]) -> sa.Insert:
    return sa.insert(table).values({name: sa.bindparam(name) for name in names})


@lru_cache(maxsize=256)
def _together(insertion: str, are_shared: tuple[bool, ...]) -> str:
    """The insertion of one row as that of many: the places are numbered, and those the rows share come first."""
    known, own = range(1, sum(are_shared) + 1), count(sum(are_shared) + 1)
    rows = []
    for _ in range(_TOGETHER):
        shared = iter(known)
        places = [next(shared) if is_shared else next(own) for is_shared in are_shared]
        rows.append(",".join(f"?{place}" for place in places))
    head, values, _ = insertion.rpartition("VALUES ")
    return f"{head}{values}({'),('.join(rows)})"


class _Ready(NamedTuple):
    """A statement as the driver takes it: its places in order and how a value is handed over in each, the values that
    are always the same, and how each of its columns is read.
    """

    sql: str
    places: Mapping[str, _Make]
    fixed: Values
    readers: tuple[_Make, ...]


@lru_cache(maxsize=256)
def _ready(statement: sa.Executable, dialect: sa.Dialect) -> _Ready:
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    names = compiled.positiontup if dialect.positional else compiled.binds
    places = {name: _maker(compiled.binds[name].type, dialect) for name in names}
    defaulted = {column.key for column in compiled.prefetch}  # of these nobody has said anything
    fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required and name not in defaulted}
    readers = tuple(_reader(each.type, dialect) for each in compiled._result_columns or ())
    return _Ready(str(compiled), places, fixed, readers)


def _maker(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> _Make:
    """How a value of this type is handed to the driver; None when as it is."""
    if isinstance(kind, sa.JSON):
        return _json
    made = kind.dialect_impl(dialect).bind_processor(dialect)
    # One moment stands in many rows, and in many columns of one.
    return lru_cache(maxsize=64)(made) if made and isinstance(kind, Instant) else made


def _reader(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> _Make:
    """What becomes of a value of this type that the driver gives; None when nothing."""
    return kind.dialect_impl(dialect).result_processor(dialect, None)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: Any) -> str:
    if isinstance(value, Encoded):
        return value
    return _encode(value) if value else "{}" if isinstance(value, dict) else "[]"


class Several(sa.types.TypeDecorator[Any]):
    """A list of numbers or texts as one value, an array or (on SQLite) JSON.

    So a statement is the same for one and for thousands, and is put together once.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: sa.types.TypeEngine[Any]) -> None:
        """`kind` is that of each."""
        super().__init__()
        self.kind = sa.BigInteger() if isinstance(kind, sa.Integer) else sa.Text()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """How it travels."""
        return sa.Text() if dialect.name == "sqlite" else sa.ARRAY(self.kind)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """The value that travels."""
        return _encode(list(value)) if dialect.name == "sqlite" else list(value)


class _OneOf(FunctionElement[Any]):
    """A column and the place of a list.

    Not of a boolean type: SQLite has none, the condition would be compared with 1, and no index would be asked.
    """

    name = "one_of"
    inherit_cache = True


@compiles(_OneOf)
def _any_of_array(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, place = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY({place})"


@compiles(_OneOf, "sqlite")
def _any_of_json(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, place = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({place}))"  # noqa: S608 - a column and a place, both compiled


def one_of(column: Any, among: str | Collection[int] | Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a number or a text is among these, which travel as one value; or among those that fill the place named.

    `read_rows` fills places by name; a statement that SQLAlchemy runs brings its values along.
    """
    kind = Several(column.type)
    if isinstance(among, str):
        return _OneOf(column, sa.bindparam(among, type_=kind))
    return _OneOf(column, sa.bindparam(None, list(among), type_=kind, unique=True))


def at_most(count: int) -> sa.ColumnElement[int]:
    """A limit that stands in the statement itself: with a place for it, SQLite plans the statement anew each time."""
    return sa.literal_column(str(count), sa.Integer)


def pairs(session: Session, values: Mapping[int, int | None]) -> sa.FromClause:
    """A table of these pairs, `key` and `value`, in the order of their keys; they travel as one value (or two)."""
    ordered = dict(sorted(values.items()))
    if session.get_bind().dialect.name == "sqlite":
        found = sa.func.json_each(_encode(ordered)).table_valued("key", sa.column("value", sa.Integer))
        return sa.select(sa.cast(found.c.key, sa.Integer).label("key"), found.c.value).subquery()
    keys, others = (
        sa.bindparam(None, list(each), type_=sa.ARRAY(sa.BigInteger()), unique=True)
        for each in (ordered.keys(), ordered.values())
    )
    columns = (sa.column("key", sa.BigInteger), sa.column("value", sa.BigInteger))
    return sa.func.unnest(keys, others).table_valued(*columns).render_derived()
