"""Whole counts of the shop's stock: what one would change is shown, and applied exactly as shown or not at all."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.blobs import BlobStore
from concierge.catalogue.comparing import Change, StockCount, compare, in_parts
from concierge.catalogue.levels import Report
from concierge.catalogue.models import StockLevel, Variant
from concierge.catalogue.sheets import read_sheet
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import (
    AlreadyDecided,
    ImportRun,
    ImportRunState,
    Purchase,
    StockReport,
)
from concierge.config import Policy
from concierge.errors import RuleBroken

# How much of a difference is kept to be shown; the numbers count all of it.
SHOWN: Final = 300


class WorldChanged(RuleBroken):
    """The stock has changed since this was shown. Look at it once more; nothing was applied."""


def propose_import(
    session: Session,
    store: BlobStore,
    data: bytes,
    *,
    source: str,
    name: str,
    location: str,
    zone: ZoneInfo,
    as_of: datetime,
    is_complete: bool,
    by: Editor | None,
    now: datetime,
) -> ImportRun:
    """Work out what a file would change, and keep both to be looked at; nothing is applied.

    Lines without a location or time of their own are at `location`, as of `as_of`; times without a zone are by the
    clock of `zone`. Raises NotASheet, SaidTwice, TooLong.
    """
    sheet = read_sheet(data, location=location, zone=zone)
    count = StockCount(sheet.lines, sheet.faults, min(as_of, now), is_complete)
    run = ImportRun(
        source=source,
        name=name[:255],
        state=ImportRunState.PROPOSED,
        is_complete=is_complete,
        blob_key=store.put(data),
        outcome=_outcome(count, list(compare(session, count)), location, zone.key),
        created_at=now,
        created_by=by,
    )
    session.add(run)
    audit.record(session, "import.proposed", run, by=by, now=now)
    return run


def apply_import(
    session: Session,
    store: BlobStore,
    run: ImportRun,
    *,
    by: Editor | None,
    now: datetime,
    policy: Policy,
    approved: bool,
) -> None:
    """Do what was shown. Raises AlreadyDecided, and WorldChanged when it would do something else by now.

    `approved` says that somebody has seen the difference; otherwise each jump in it waits for a merchandiser.
    """
    _settle(session, run, ImportRunState.APPLIED, by=by, now=now)
    count = _read_again(store, run)
    changes = list(compare(session, count, is_locked=True))
    if _fingerprint(changes) != run.outcome["fingerprint"]:
        raise WorldChanged
    settling = set(session.scalars(sa.select(Purchase.variant_id).where(Purchase.unsettled > 0).distinct()))
    levels = _levels(session, changes)
    for change in changes:
        level = levels.get((change.line.sku, change.line.location))
        is_known = change.kind == "same" and level is not None and level.balance == change.line.units
        if is_known and level is not None and level.variant_id not in settling:
            level.as_of = max(level.as_of, change.line.as_of or count.as_of)
        elif change.kind in {"changed", "same", "missing"}:
            report_stock(session, _report(run, change, count.as_of, approved=approved), now=now, policy=policy)
    audit.record(session, "import.applied", run, by=by, now=now, changed=run.outcome["changed"])
    session.flush()


def discard_import(session: Session, run: ImportRun, *, by: Editor | None, now: datetime) -> None:
    """It was a mistake: nothing of it is applied; raises AlreadyDecided."""
    _settle(session, run, ImportRunState.DISCARDED, by=by, now=now)
    audit.record(session, "import.discarded", run, by=by, now=now)


def look_again(session: Session, store: BlobStore, run: ImportRun) -> None:
    """Work out anew what a proposed count would change; raises AlreadyDecided."""
    session.refresh(run, ["state"])
    if run.state is not ImportRunState.PROPOSED:
        raise AlreadyDecided
    count = _read_again(store, run)
    run.outcome = _outcome(count, list(compare(session, count)), run.outcome["location"], _zone_of(run).key)
    session.flush()


def find_import(session: Session, source: str, name: str) -> ImportRun | None:
    """The newest import a source brought under this name."""
    statement = sa.select(ImportRun).where(ImportRun.source == source, ImportRun.name == name)
    return session.scalar(statement.order_by(ImportRun.id.desc()).limit(1))


def wants_a_look(run: ImportRun, policy: Policy) -> bool:
    """Whether a full count leaves out so much of what is on hand that it may be a file cut short."""
    counted = run.outcome["counted"]
    return bool(run.is_complete and counted and run.outcome["missing"] * 100 > counted * policy.stock_vanish_percent)


def _read_again(store: BlobStore, run: ImportRun) -> StockCount:
    assert run.blob_key is not None
    sheet = read_sheet(store.get(run.blob_key), location=run.outcome["location"], zone=_zone_of(run))
    return StockCount(sheet.lines, sheet.faults, datetime.fromisoformat(run.outcome["as_of"]), run.is_complete)


def _zone_of(run: ImportRun) -> ZoneInfo:
    """By whose clock its times are; counts proposed before it was kept were read in UTC."""
    return ZoneInfo(run.outcome.get("zone", "UTC"))


def _settle(session: Session, run: ImportRun, state: ImportRunState, *, by: Editor | None, now: datetime) -> None:
    settled = session.execute(
        sa.update(ImportRun)
        .where(ImportRun.id == run.id, ImportRun.state == ImportRunState.PROPOSED)
        .values(state=state, settled_at=now, settled_by_id=by.id if by else None)
        .execution_options(synchronize_session=False)
    )
    session.refresh(run)
    if settled.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided


def _levels(session: Session, changes: list[Change]) -> dict[tuple[str, str], StockLevel]:
    same = sorted({change.line.sku for change in changes if change.kind == "same"})
    levels = {}
    for some in in_parts(same):
        statement = sa.select(Variant.sku, StockLevel).join(Variant, Variant.id == StockLevel.variant_id)
        for sku, level in session.execute(statement.where(Variant.sku.in_(some))):
            levels[sku, level.location] = level
    return levels


def _report(run: ImportRun, change: Change, as_of: datetime, *, approved: bool) -> Report:
    line = change.line
    name = f"run:{run.id}:{line.number}" if line.number else f"run:{run.id}:{line.sku}:{line.location}"
    return Report(
        "import", name, line.sku, line.location, StockReport.SNAPSHOT, line.units, line.as_of or as_of,
        import_run_id=run.id, approved=approved,
    )  # fmt: skip


def _outcome(count: StockCount, changes: list[Change], location: str, zone: str) -> dict[str, Any]:
    tally = {kind: sum(change.kind == kind for change in changes) for kind in ("changed", "same", "late", "unknown")}
    missing = [change for change in changes if change.kind == "missing"]
    counted = sum(1 for change in changes if change.before > 0)
    shown = [change for change in changes if change.kind in {"changed", "missing"}]
    unknown = [change.line.sku for change in changes if change.kind == "unknown"]
    return {
        "lines": len(count.lines) + len(count.faults),
        **tally,
        "missing": len(missing),
        "counted": counted,
        "faults": [asdict(fault) for fault in count.faults[:SHOWN]],
        "wrong": len(count.faults),
        "unknown_skus": unknown[:SHOWN],
        "changes": [
            [change.line.sku, change.line.location, change.before, change.after, change.kind]
            for change in shown[:SHOWN]
        ],
        "as_of": count.as_of.isoformat(),
        "location": location,
        "zone": zone,
        "fingerprint": _fingerprint(changes),
    }


def _fingerprint(changes: Iterable[Change]) -> str:
    digest = hashlib.sha256()
    for change in changes:
        line = change.line
        digest.update(repr((line.sku, line.location, change.kind, change.before, change.after)).encode())
    return digest.hexdigest()
