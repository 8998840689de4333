"""Rows by the hundred: numbers reserved beforehand, and one statement for all of them, without the cost of each."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session


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


def insert_many(session: Session, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add many rows that have the same columns, in one statement; column defaults do not apply.

    What SQLAlchemy would do to each value of each row is done once to a value that many of them share.
    """
    if not rows:
        return
    session.flush()
    names = tuple(rows[0])
    dialect = session.get_bind().dialect
    makers = [_bound_by(table.c[name].type, dialect) for name in names]
    values = [
        {name: make(row[name]) if make else row[name] for name, make in zip(names, makers, strict=True)} for row in rows
    ]
    session.connection().execute(_insertion(table, names), values)


@cache
def _insertion(table: sa.Table, names: tuple[str, ...]) -> sa.TextClause:
    """Written out, for a construct would work on every value of every row once more."""
    columns = ", ".join(f'"{name}"' for name in names)
    return sa.text(f'INSERT INTO "{table.name}" ({columns}) VALUES ({", ".join(f":{name}" for name in names)})')  # noqa: S608


def _bound_by(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """How a value of this type is handed to the driver; None when as it is."""
    if isinstance(kind, sa.JSON):
        return _json
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return None
    known: dict[Any, Any] = {}

    def make(value: Any) -> Any:
        if value not in known:
            known[value] = process(value)
        return known[value]

    return make


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
