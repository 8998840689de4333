"""Keeping the books of stock: what the shop reports, what becomes of a restock, and the units set aside."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload, selectinload

from concierge import audit
from concierge.accounts.models import Editor
from concierge.catalogue.levels import Known, Mark, Report, Verdict, weigh
from concierge.catalogue.models import StockLevel, Variant, VariantNotFound
from concierge.catalogue.settling import Count, Drop, Sale, still_unsettled
from concierge.catalogue.stock_models import (
    AlreadyDecided,
    NotThatManyPromised,
    Purchase,
    Restock,
    StockEvent,
    StockEventState,
    StockReport,
)
from concierge.config import Policy


def report_stock(session: Session, report: Report, *, now: datetime, policy: Policy) -> StockEvent:
    """Write down what the shop reports, and what follows: units on hand, a restock begun or ended, sales settled.

    A report we have (same source and external_id) changes nothing and is given back. A late one is kept and changes
    nothing; one that moves more than `policy.stock_jump` units waits for a merchandiser. A clock that goes before ours
    counts as ours. Raises VariantNotFound.
    """
    variant = _lock_variant(session, Variant.sku == report.sku)
    if (event := find_stock_event(session, report.source, report.external_id)) is not None:
        return event
    event = StockEvent(
        source=report.source,
        external_id=report.external_id,
        variant=variant,
        location=report.location,
        report=report.report,
        units=report.units,
        version=report.version,
        as_of=min(report.as_of, now),
        received_at=now,
        import_run_id=report.import_run_id,
        state=StockEventState.WAITING,
    )
    session.add(event)
    _judge(session, variant, event, approved=report.approved, now=now, policy=policy)
    return event


def approve_stock_event(
    session: Session, event: StockEvent, *, by: Editor | None, now: datetime, policy: Policy
) -> None:
    """Let a jump count after all, unless a newer count has made it late; raises AlreadyDecided."""
    variant = _lock_variant(session, Variant.id == event.variant_id)
    _decide(session, event, by=by, now=now)
    _judge(session, variant, event, approved=True, now=now, policy=policy)
    audit.record(session, "stock.approved", event, by=by, now=now, after=event.after)


def refuse_stock_event(session: Session, event: StockEvent, *, by: Editor | None, now: datetime) -> None:
    """A jump was a mistake: it is kept and never counts; raises AlreadyDecided."""
    _lock_variant(session, Variant.id == event.variant_id)
    _decide(session, event, by=by, now=now)
    event.state = StockEventState.REFUSED
    audit.record(session, "stock.refused", event, by=by, now=now)
    session.flush()


def take_units(session: Session, variant_id: int, units: int) -> bool:
    """Set units of a variant aside, all of them or none; whether that many were free. One UPDATE decides."""
    free = Variant.on_hand - Variant.promised - Variant.safety_minimum
    return _promise(session, variant_id, units, free >= units)


def give_back_units(session: Session, variant_id: int, units: int) -> None:
    """Units set aside are free again; raises NotThatManyPromised, for then somebody gave them back already."""
    if not _promise(session, variant_id, -units, Variant.promised >= units):
        raise NotThatManyPromised


def set_safety_minimum(session: Session, variant: Variant, units: int, *, by: Editor, now: datetime) -> None:
    """Keep so many units of a variant from ever being offered."""
    if variant.safety_minimum != units:
        before, variant.safety_minimum = variant.safety_minimum, units
        audit.record(session, "variant.safety_changed", variant, by=by, now=now, before=before, after=units)


def settle_sales(session: Session, variant: Variant) -> None:
    """Free what was promised to sales which the shop's reports have missing by now; `variant` is locked."""
    open_since = session.scalar(
        sa.select(sa.func.min(Purchase.at)).where(Purchase.variant_id == variant.id, Purchase.unsettled > 0)
    )
    if open_since is None:
        return
    sold = session.scalars(
        sa.select(Purchase).where(
            Purchase.variant_id == variant.id, Purchase.at >= open_since, Purchase.returned_at.is_(None)
        )
    ).all()
    sales = [Sale(each.id, each.at, each.units, each.location) for each in sold]
    counts = {each.location: Count(each.as_of, each.on_hand) for each in variant.stock}
    remaining = still_unsettled(sales, counts, _list_drops(session, variant, open_since))
    for purchase in sold:
        settled = purchase.unsettled - remaining[purchase.id]
        if settled > 0:
            purchase.unsettled -= settled
            give_back_units(session, variant.id, settled)


def promise_sold(session: Session, variant_id: int, units: int) -> None:
    """Units were sold: they are spoken for until a report has them missing, whether or not we thought them there."""
    _promise(session, variant_id, units, sa.true())


def lock_variant(session: Session, sku: str) -> Variant:
    """The variant with its levels as they are now, ours until the transaction ends; raises VariantNotFound."""
    return _lock_variant(session, Variant.sku == sku)


def find_stock_event(session: Session, source: str, external_id: str) -> StockEvent | None:
    """The report a source sent under this name, if it did."""
    known = (StockEvent.source == source, StockEvent.external_id == external_id)
    return session.scalar(sa.select(StockEvent).where(*known))


def _lock_variant(session: Session, which: sa.ColumnElement[bool]) -> Variant:
    """PostgreSQL: the row's lock makes two reporters take turns. SQLite: the transaction has the write lock."""
    statement = (
        sa.select(Variant)
        .where(which)
        .options(lazyload(Variant.product), selectinload(Variant.stock))
        .with_for_update(of=Variant)
        .execution_options(populate_existing=True)
    )
    if (variant := session.scalar(statement)) is None:
        raise VariantNotFound
    return variant


def _decide(session: Session, event: StockEvent, *, by: Editor | None, now: datetime) -> None:
    session.refresh(event, ["state"])
    if event.state is not StockEventState.WAITING:
        raise AlreadyDecided
    event.decided_at, event.decided_by = now, by


def _judge(
    session: Session, variant: Variant, event: StockEvent, *, approved: bool, now: datetime, policy: Policy
) -> None:
    level = next((each for each in variant.stock if each.location == event.location), None)
    report = Report(
        event.source, event.external_id, variant.sku, event.location, event.report, event.units, event.as_of,
        event.version, approved=approved,
    )  # fmt: skip
    with session.no_autoflush:
        verdict = weigh(
            report,
            Known(Mark(level.as_of, level.version), level.balance) if level else Known(),
            moved_since=_sum_moves_after(session, event),
            # a variant nobody has ever counted may begin with any number
            jump=policy.stock_jump if variant.stock else None,
        )
    event.state, event.before, event.after = verdict.state, verdict.before, verdict.after
    if verdict.state is StockEventState.APPLIED:
        _apply(session, variant, level, event, verdict, now=now, policy=policy)
    session.flush()


def _apply(
    session: Session,
    variant: Variant,
    level: StockLevel | None,
    event: StockEvent,
    verdict: Verdict,
    *,
    now: datetime,
    policy: Policy,
) -> None:
    if level is None:
        level = StockLevel(location=event.location)
        variant.stock.append(level)
    known = verdict.known
    level.on_hand, level.balance = known.on_hand, known.balance
    level.as_of, level.version = known.counted.as_of, known.counted.version
    before, variant.on_hand = variant.on_hand, sum(each.on_hand for each in variant.stock)
    session.flush()
    if event.report is StockReport.SNAPSHOT:
        _overtake_waiting(session, event)
    if before == 0 and variant.on_hand > 0:
        _begin_restock(session, variant, event, now=now, policy=policy)
    elif before > 0 and variant.on_hand == 0:
        _end_restock(session, variant, now=now)
    settle_sales(session, variant)


def _begin_restock(session: Session, variant: Variant, event: StockEvent, *, now: datetime, policy: Policy) -> None:
    """From none to some. A unit that was gone for a moment (a transfer, a flapping report) makes no new restock."""
    variant.offered_from = now + policy.stock_settling
    restock = _find_last_restock(session, variant)
    if restock is not None and restock.ended_at is not None and now - restock.ended_at < policy.stock_settling:
        restock.ended_at, restock.flapped, restock.units = None, False, variant.on_hand
        return
    restock = Restock(variant=variant, stock_event_id=event.id, units=variant.on_hand, at=now)
    session.add(restock)
    audit.record(session, "restock.began", restock, by=None, now=now)


def _end_restock(session: Session, variant: Variant, *, now: datetime) -> None:
    restock = _find_last_restock(session, variant)
    if restock is not None and restock.ended_at is None:
        restock.ended_at = now
        restock.flapped = variant.offered_from is not None and now < variant.offered_from
    variant.offered_from = None


def _find_last_restock(session: Session, variant: Variant) -> Restock | None:
    statement = sa.select(Restock).where(Restock.variant_id == variant.id).order_by(Restock.id.desc()).limit(1)
    return session.scalar(statement.options(lazyload(Restock.variant)))


def _overtake_waiting(session: Session, event: StockEvent) -> None:
    """A count that counts makes waiting reports from before it late: nobody needs to decide them any more."""
    session.execute(
        sa.update(StockEvent)
        .where(
            StockEvent.variant_id == event.variant_id,
            StockEvent.location == event.location,
            StockEvent.state == StockEventState.WAITING,
            StockEvent.as_of < event.as_of,
        )
        .values(state=StockEventState.LATE)
        .execution_options(synchronize_session="fetch")
    )


def _sum_moves_after(session: Session, event: StockEvent) -> int:
    """Units that came and went after a count, as far as we heard of it before the count itself."""
    if event.report is not StockReport.SNAPSHOT:
        return 0
    later = StockEvent.as_of > event.as_of
    if event.version is not None:
        later = sa.case((StockEvent.version.is_not(None), StockEvent.version > event.version), else_=later)
    total = session.scalar(
        sa.select(sa.func.sum(StockEvent.units)).where(
            StockEvent.variant_id == (event.variant_id or event.variant.id),
            StockEvent.location == event.location,
            StockEvent.report == StockReport.DELTA,
            StockEvent.state == StockEventState.APPLIED,
            later,
        )
    )
    return int(total or 0)


def _list_drops(session: Session, variant: Variant, since: datetime) -> list[Drop]:
    statement = sa.select(StockEvent.as_of, StockEvent.location, StockEvent.before - StockEvent.after).where(
        StockEvent.variant_id == variant.id,
        StockEvent.state == StockEventState.APPLIED,
        StockEvent.as_of >= since,
        StockEvent.before > StockEvent.after,
    )
    return [Drop(as_of, location, units or 0) for as_of, location, units in session.execute(statement)]


def _promise(session: Session, variant_id: int, units: int, when: sa.ColumnElement[bool]) -> bool:
    changed = session.execute(
        sa.update(Variant)
        .where(Variant.id == variant_id, when)
        .values(promised=Variant.promised + units)
        .execution_options(synchronize_session=False)
    )
    variant = session.identity_map.get(session.identity_key(Variant, variant_id))
    if variant is not None:
        session.expire(variant, ["promised"])
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]
