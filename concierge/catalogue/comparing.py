"""What a whole count of the shop's stock would change, line by line, against what we know."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload, selectinload

from concierge.catalogue.models import StockLevel, Variant
from concierge.catalogue.sheets import Fault, SheetLine
from concierge.catalogue.stock_models import StockEvent, StockEventState, StockReport

T = TypeVar("T")

_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class Change:
    """What one line would do; `kind` is "changed", "same", "late", "unknown" or "missing" (from a full count)."""

    line: SheetLine
    kind: str
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class StockCount:
    """A file's lines, what is wrong with others, and how it counts: as of when, and whether it is everything."""

    lines: Sequence[SheetLine]
    faults: Sequence[Fault]
    as_of: datetime
    is_complete: bool


def compare(session: Session, count: StockCount, *, is_locked: bool = False) -> Iterator[Change]:
    """What each line of a count would do, by SKU and location; `is_locked` keeps others from the variants meanwhile."""
    lines = sorted(count.lines, key=lambda line: (line.sku, line.location))
    for some in in_parts(lines):
        yield from _compare_some(session, some, count.as_of, is_locked=is_locked)
    if count.is_complete:
        yield from _missing(session, lines, {fault.sku for fault in count.faults}, count.as_of)


def _compare_some(
    session: Session, lines: Sequence[SheetLine], as_of: datetime, *, is_locked: bool
) -> Iterator[Change]:
    statement = (
        sa.select(Variant)
        .where(Variant.sku.in_({line.sku for line in lines}))
        .order_by(Variant.sku)
        .options(lazyload(Variant.product), selectinload(Variant.stock))
        .execution_options(populate_existing=True)
    )
    if is_locked:
        statement = statement.with_for_update(of=Variant)
    variants = {variant.sku: variant for variant in session.scalars(statement)}
    moved = _moved_since(session, [variant.id for variant in variants.values()], min(_as_of(lines, as_of)))
    for line in lines:
        if (variant := variants.get(line.sku)) is None:
            yield Change(line, "unknown", 0, line.units)
            continue
        level = next((each for each in variant.stock if each.location == line.location), None)
        at = line.as_of or as_of
        since = sum(units for when, units in moved.get((variant.id, line.location), ()) if when > at)
        yield _change(line, level, at, max(0, line.units + since))


def _change(line: SheetLine, level: StockLevel | None, at: datetime, after: int) -> Change:
    before = level.on_hand if level else 0
    if level is not None and at < level.as_of:
        return Change(line, "late", before, before)
    return Change(line, "changed" if before != after else "same", before, after)


def _as_of(lines: Iterable[SheetLine], as_of: datetime) -> list[datetime]:
    return [line.as_of or as_of for line in lines]


def _moved_since(
    session: Session, variant_ids: list[int], since: datetime
) -> dict[tuple[int, str], list[tuple[datetime, int]]]:
    """What came and went after the count, as far as we heard of it: it goes on top of what was counted."""
    statement = sa.select(StockEvent.variant_id, StockEvent.location, StockEvent.as_of, StockEvent.units).where(
        StockEvent.variant_id.in_(variant_ids),
        StockEvent.report == StockReport.DELTA,
        StockEvent.state == StockEventState.APPLIED,
        StockEvent.as_of > since,
    )
    moved: dict[tuple[int, str], list[tuple[datetime, int]]] = {}
    for variant_id, location, as_of, units in session.execute(statement):
        moved.setdefault((variant_id, location), []).append((as_of, units))
    return moved


def _missing(session: Session, lines: Sequence[SheetLine], unread: set[str], as_of: datetime) -> Iterator[Change]:
    """What a full count leaves out of the places it names counts as none, but not what is in a line nobody can read."""
    named = {(line.sku, line.location) for line in lines}
    for sku, level in _on_hand(session, {line.location for line in lines}):
        if (sku, level.location) not in named and sku not in unread and level.as_of <= as_of:
            yield Change(SheetLine(0, sku, level.location, 0), "missing", level.on_hand, 0)


def _on_hand(session: Session, locations: set[str]) -> list[tuple[str, StockLevel]]:
    statement = sa.select(Variant.sku, StockLevel).join(Variant, Variant.id == StockLevel.variant_id)
    statement = statement.where(StockLevel.location.in_(locations), StockLevel.on_hand > 0)
    return [(sku, level) for sku, level in session.execute(statement.order_by(Variant.sku, StockLevel.location))]


def in_parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows a few hundred at a time, as many as one statement asks for."""
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]
