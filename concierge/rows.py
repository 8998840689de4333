"""Rows by the hundred: numbers reserved beforehand, and one statement for all of them, without the cost of each."""

import gc
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session


class Encoded(str):
    """JSON that is written already, for a column that holds it."""

    __slots__ = ()


class Same(NamedTuple):
    """One value for all rows of a column."""

    value: Any


Columns = Mapping[str, "Same | Sequence[Any]"]
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
        first = (session.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1
        return list(range(first, first + count))
    sequence = sa.func.nextval(sa.func.pg_get_serial_sequence(table.name, "id"))
    return list(session.scalars(sa.select(sequence).select_from(sa.func.generate_series(1, count))))


def insert_columns(session: Session, table: sa.Table, columns: Columns, count: int) -> None:
    """Add `count` rows given column by column, in one statement; column defaults do not apply.

    What all of them share is handed over once: for a thousand rows of which most is alike that is most of the work.
    """
    run_columns(session, _insertion(table, tuple(columns)), columns, count)


def run_columns(
    session: Session, statement: sa.Insert | sa.Update | sa.TextClause, columns: Columns, count: int
) -> None:
    """Run a statement `count` times, its places filled by name from columns of that length.

    What SQLAlchemy would do to each value of each row is done once to a value that many of them share, and the driver
    gets the rows as they are: that is what most of the time went into.
    """
    if not count:
        return
    session.flush()
    connection = session.connection()
    sql, places, kinds = _compiled(statement, connection.dialect)
    made = [
        _made(columns[name], _maker(kind, connection.dialect), count) for name, kind in zip(places, kinds, strict=True)
    ]
    rows: list[Any] = list(zip(*made, strict=True))
    if not connection.dialect.positional:
        rows = [dict(zip(places, row, strict=True)) for row in rows]
    connection.exec_driver_sql(sql, rows)


def _made(column: Same | Sequence[Any], make: _Make, count: int) -> Iterable[Any]:
    if isinstance(column, Same):
        return repeat(make(column.value) if make else column.value, count)
    return map(make, column) if make else column


@lru_cache(maxsize=256)
def _insertion(table: sa.Table, names: tuple[str, ...]) -> sa.Insert:
    return sa.insert(table).values({name: sa.bindparam(name) for name in names})


@lru_cache(maxsize=256)
def _compiled(
    statement: sa.Insert | sa.Update | sa.TextClause, dialect: sa.Dialect
) -> tuple[str, tuple[str, ...], tuple[sa.types.TypeEngine[Any], ...]]:
    """The statement as the driver takes it, with the names and the types of its places."""
    compiled: Any = statement.compile(dialect=dialect)
    places = tuple(compiled.positiontup if dialect.positional else compiled.binds)
    return str(compiled), places, tuple(compiled.binds[name].type for name in places)


def _maker(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> _Make:
    """How a value of this type is handed to the driver; None when as it is."""
    if isinstance(kind, sa.JSON):
        return _json
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return None
    known: dict[Any, Any] = {}

    def make(value: Any) -> Any:
        try:
            return known[value]
        except KeyError:
            known[value] = process(value)
            return known[value]

    return make


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: Any) -> str:
    if isinstance(value, Encoded):
        return value
    return _encode(value) if value else "{}" if isinstance(value, dict) else "[]"


def is_one_of(session: Session, column: Any, values: Collection[int] | Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a number or a text is among these, which travel as one value.

    So the statement is the same for a few and for thousands, and is put together once.
    """
    if session.get_bind().dialect.name == "sqlite":
        each = sa.func.json_each(_encode(list(values))).table_valued("value")
        return cast("sa.ColumnElement[bool]", column.in_(sa.select(each.c.value)))
    kind = sa.BigInteger() if isinstance(column.type, sa.Integer) else sa.Text()
    array = sa.bindparam(None, list(values), type_=sa.ARRAY(kind), unique=True)
    return cast("sa.ColumnElement[bool]", column == sa.func.any(array))


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
