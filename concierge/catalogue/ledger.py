"""Reading the books of stock: reports of a product, jumps that wait, imports, restocks, units on their way."""

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, Variant
from concierge.catalogue.stock_models import (
    COMING,
    ImportRun,
    ImportRunNotFound,
    ImportRunState,
    Restock,
    ReturnedUnit,
    StockEvent,
    StockEventNotFound,
    StockEventState,
)


def get_stock_event(session: Session, event_id: int) -> StockEvent:
    """The report with this number; raises StockEventNotFound."""
    if (event := session.get(StockEvent, event_id)) is None:
        raise StockEventNotFound
    return event


def get_import(session: Session, run_id: int) -> ImportRun:
    """The import with this number; raises ImportRunNotFound."""
    if (run := session.get(ImportRun, run_id)) is None:
        raise ImportRunNotFound
    return run


def list_events_of(session: Session, product: Product, *, limit: int = 40) -> list[StockEvent]:
    """What was last reported of a product's variants, the newest first."""
    theirs = StockEvent.variant_id.in_([each.id for each in product.variants])
    return list(session.scalars(sa.select(StockEvent).where(theirs).order_by(StockEvent.id.desc()).limit(limit)))


def list_restocks_of(session: Session, product: Product, *, limit: int = 20) -> list[Restock]:
    """When a product's variants came back, the newest first; those that flapped are left out."""
    theirs = (Restock.variant_id.in_([each.id for each in product.variants]), Restock.flapped.is_(False))
    return list(session.scalars(sa.select(Restock).where(*theirs).order_by(Restock.id.desc()).limit(limit)))


def list_waiting_events(session: Session, *, limit: int = 100) -> list[StockEvent]:
    """Jumps that wait for a merchandiser, the oldest first."""
    statement = sa.select(StockEvent).where(StockEvent.state == StockEventState.WAITING)
    return list(session.scalars(statement.order_by(StockEvent.id).limit(limit)))


def list_waiting_imports(session: Session, *, limit: int = 100) -> list[ImportRun]:
    """Counts that wait for a merchandiser, the oldest first."""
    statement = sa.select(ImportRun).where(ImportRun.state == ImportRunState.PROPOSED)
    return list(session.scalars(statement.order_by(ImportRun.id).limit(limit)))


def list_imports(session: Session, *, limit: int = 30) -> list[ImportRun]:
    """The last imports: those that wait for a look first, then the newest."""
    waits = sa.case((ImportRun.state == ImportRunState.PROPOSED, 0), else_=1)
    return list(session.scalars(sa.select(ImportRun).order_by(waits, ImportRun.id.desc()).limit(limit)))


class Undone(NamedTuple):
    """Of what an applied import was to change, what has not changed: jumps that wait for a yes, or got a no."""

    waiting: int = 0
    refused: int = 0


def list_undone(session: Session, runs: Iterable[ImportRun]) -> dict[int, Undone]:
    """What of these imports has not changed, by their numbers; those of which all has are left out."""
    statement = (
        sa.select(
            StockEvent.import_run_id,
            sa.func.sum(sa.case((StockEvent.state == StockEventState.WAITING, 1), else_=0)),
            sa.func.sum(sa.case((StockEvent.state == StockEventState.REFUSED, 1), else_=0)),
        )
        .where(StockEvent.import_run_id.in_([each.id for each in runs]))
        .where(StockEvent.state.in_((StockEventState.WAITING, StockEventState.REFUSED)))
        .group_by(StockEvent.import_run_id)
    )
    return {run_id: Undone(waiting, refused) for run_id, waiting, refused in session.execute(statement)}


def count_waiting(session: Session) -> int:
    """How many jumps and imports wait for a merchandiser."""
    events = sa.select(sa.func.count()).select_from(StockEvent).where(StockEvent.state == StockEventState.WAITING)
    runs = sa.select(sa.func.count()).select_from(ImportRun).where(ImportRun.state == ImportRunState.PROPOSED)
    return (session.scalar(events) or 0) + (session.scalar(runs) or 0)


def list_returns(session: Session, variants: Iterable[Variant] | None = None, *, limit: int = 60) -> list[ReturnedUnit]:
    """Units on their way back, of these variants or of all, those expected soonest first."""
    statement = sa.select(ReturnedUnit).where(ReturnedUnit.state.in_(COMING))
    if variants is not None:
        statement = statement.where(ReturnedUnit.variant_id.in_([each.id for each in variants]))
    order = (ReturnedUnit.expected_on.is_(None), ReturnedUnit.expected_on, ReturnedUnit.id)
    return list(session.scalars(statement.order_by(*order).limit(limit)))
