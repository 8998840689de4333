"""One mailbox, one form: domains in other letters are compared in ASCII

What was typed stays as it was; only what is compared changes. Where two rows of one mailbox meet:

- two addresses of one customer become one row; its audit entry keeps how the other was spelt;
- two customers stay two, since only an editor joins people: who has the mailbox in ASCII keeps it, for so her mail
  names it, else who is known longest; the other's row stays as it is, and her page proposes to join them;
- suppressions stay all of them: one that stands holds the mailbox back in either spelling. Where small letters had
  made one of two domains (straße, strasse), it stands for each that was typed.
"""

import re
from collections import defaultdict
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from concierge.addresses import normalise, person_behind
from concierge.db import BigId, Instant

revision = "0036"
down_revision = "0035"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_AT_ONCE = 1000
_ADDRESSES = sa.table(
    "customer_address",
    *map(sa.column, ("id", "customer_id", "address", "normalised", "is_primary")),
    sa.column("created_at", Instant),
)
_SUPPRESSIONS = sa.table(
    "suppression",
    *map(sa.column, ("id", "normalised", "reason", "evidence", "created_by_id", "released_because")),
    sa.column("created_at", Instant),
    sa.column("released_at", Instant),
)
_PURCHASES = sa.table("purchase", *map(sa.column, ("id", "customer_id", "normalised")))
_DELIVERIES = sa.table("delivery", *map(sa.column, ("id", "to_address", "to_normalised")))
_REQUESTS = sa.table("wish_request", *map(sa.column, ("id", "address", "normalised")))
_AUDIT = sa.table(
    "audit_entry",
    *map(sa.column, ("verb", "subject_type")),
    sa.column("at", Instant),
    sa.column("subject_id", BigId),
    sa.column("details", sa.JSON),
)


def upgrade() -> None:
    connection = op.get_bind()
    typed = _typed(connection)
    _write_anew(connection, _DELIVERIES.c.to_address, _DELIVERIES.c.to_normalised, normalise)
    _write_anew(connection, _REQUESTS.c.address, _REQUESTS.c.normalised, person_behind)
    hers = _bring_addresses_together(connection)
    _move_purchases(connection, hers)
    _spread_suppressions(connection, typed)


def downgrade() -> None:
    connection = op.get_bind()
    _write_anew(connection, _DELIVERIES.c.to_address, _DELIVERIES.c.to_normalised, _before)
    _write_anew(connection, _REQUESTS.c.address, _REQUESTS.c.normalised, lambda each: person_behind(_before(each)))
    _write_anew(connection, _ADDRESSES.c.address, _ADDRESSES.c.normalised, _before)
    by_form = defaultdict(set)
    for form, forms in _typed(connection).items():
        for each in forms:
            by_form[each].add(form)
    _spread_suppressions(connection, by_form, lambda each: each)


def _before(address: str) -> str:
    """How addresses were compared until now."""
    return _CONTROL.sub("", address).strip().casefold()


def _is_foreign(column: sa.ColumnClause) -> sa.ColumnElement[bool]:
    """Whether a text has letters beyond ASCII: in UTF-8 it is longer than it is."""
    if op.get_bind().dialect.name == "sqlite":
        return sa.func.length(sa.cast(column, sa.LargeBinary)) != sa.func.length(column)
    return sa.func.octet_length(column) != sa.func.length(column)


def _typed(connection: sa.Connection) -> dict[str, set[str]]:
    """What was compared until now → what it is from now on, for every address somebody typed with such letters."""
    found = defaultdict(set)
    for column in (_ADDRESSES.c.address, _DELIVERIES.c.to_address, _REQUESTS.c.address):
        for address in connection.scalars(sa.select(column).where(_is_foreign(column)).distinct()):
            found[_before(address)].add(normalise(address))
    return found


def _write_anew(connection: sa.Connection, typed: sa.ColumnClause, compared: sa.ColumnClause, form) -> None:
    table = typed.table
    rows = connection.execute(
        sa.select(table.c.id, typed, compared).where(sa.or_(_is_foreign(typed), _is_foreign(compared)))
    ).all()
    changed = [{"number": number, "form": form(address)} for number, address, was in rows if form(address) != was]
    _update(connection, compared, changed)


def _update(connection: sa.Connection, column: sa.ColumnClause, changed: list[dict]) -> None:
    table = column.table
    statement = sa.update(table).where(table.c.id == sa.bindparam("number")).values({column: sa.bindparam("form")})
    for start in range(0, len(changed), _AT_ONCE):
        connection.execute(statement, changed[start : start + _AT_ONCE])


def _bring_addresses_together(connection: sa.Connection) -> dict[tuple[int, str], str]:
    """Every address in its new form, but those whose mailbox another customer has; whose were changed, and how."""
    table, changed, gone = _ADDRESSES, {}, set()
    foreign = sa.or_(_is_foreign(table.c.address), _is_foreign(table.c.normalised))
    waiting = connection.execute(sa.select(table).where(foreign).order_by(table.c.id)).all()
    while waiting:
        left = []
        for row in (each for each in waiting if each.id not in gone):
            form = normalise(row.address)
            changed[row.customer_id, row.normalised] = form
            others = sa.select(table).where(table.c.normalised == form, table.c.id != row.id)
            holder = connection.execute(others).first()
            if holder is None:
                connection.execute(sa.update(table).where(table.c.id == row.id).values(normalised=form))
            elif holder.customer_id == row.customer_id:
                gone.add(_fold(connection, row, holder, form))
            else:
                left.append(row)
        if len(left) == len(waiting):  # nothing makes room for these any more
            break
        waiting = left
    return changed


def _fold(connection: sa.Connection, one: sa.Row, other: sa.Row, form: str) -> int:
    """Two addresses of one customer that are one mailbox: the one we write to stays, else the one known longest.

    The number of the one that does not.
    """
    kept, gone = sorted((one, other), key=lambda each: (not each.is_primary, each.id))
    connection.execute(sa.delete(_ADDRESSES).where(_ADDRESSES.c.id == gone.id))
    connection.execute(sa.update(_ADDRESSES).where(_ADDRESSES.c.id == kept.id).values(normalised=form))
    details = {"address": gone.address, "since": gone.created_at.isoformat(), "number": gone.id, "kept": kept.id}
    entry = {"verb": "customer.address_folded", "subject_type": "customer", "subject_id": kept.customer_id}
    connection.execute(sa.insert(_AUDIT).values(**entry, at=datetime.now(UTC), details=details))
    return gone.id


def _move_purchases(connection: sa.Connection, hers: dict[tuple[int, str], str]) -> None:
    """Of who bought we have the compared form alone; where small letters blurred it, her own address tells."""
    table = _PURCHASES
    blurred = {form for _customer, form in hers if form.isascii()}
    rows = connection.execute(
        sa.select(table).where(sa.or_(_is_foreign(table.c.normalised), table.c.normalised.in_(blurred)))
    ).all()
    forms = [(row, hers.get((row.customer_id, row.normalised), normalise(row.normalised))) for row in rows]
    changed = [{"number": row.id, "form": form[:320]} for row, form in forms if form != row.normalised]
    _update(connection, table.c.normalised, changed)


def _spread_suppressions(connection: sa.Connection, typed: dict[str, set[str]], form=normalise) -> None:
    """Each in its new form; one that stands, also for every other mailbox it held back until now."""
    table = _SUPPRESSIONS
    rows = connection.execute(
        sa.select(table).where(sa.or_(_is_foreign(table.c.normalised), table.c.normalised.in_(list(typed))))
    ).all()
    changed = [
        {"number": row.id, "form": form(row.normalised)} for row in rows if form(row.normalised) != row.normalised
    ]
    _update(connection, table.c.normalised, changed)
    copied = [each.name for each in table.c if each.name not in {"id", "normalised", "released_at"}]
    for row in rows:
        for other in sorted(typed.get(row.normalised, ())) if row.released_at is None else ():
            standing = sa.select(table.c.id).where(table.c.normalised == other, table.c.released_at.is_(None))
            if connection.scalar(standing.limit(1)) is None:
                same = {name: getattr(row, name) for name in copied}
                connection.execute(sa.insert(table).values(**same, normalised=other))
