"""The returns radar: units on their way back, from the announcement to the inspection that makes them real."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.catalogue.levels import Report
from concierge.catalogue.stock import lock_variant, report_stock
from concierge.catalogue.stock_models import COMING, ReturnedUnit, ReturnState, StockReport
from concierge.config import Policy

_RANK: Final = {
    ReturnState.ANNOUNCED: 0,
    ReturnState.IN_TRANSIT: 1,
    ReturnState.INSPECTED: 2,
    ReturnState.FAILED: 2,
}
# Stock that inspected returns add comes from this source.
SOURCE: Final = "returns"


@dataclass(frozen=True, slots=True)
class ReturnReport:
    """What the shop says of a return at `as_of`; `(source, external_id)` names the return, not the report."""

    source: str
    external_id: str
    sku: str
    location: str
    state: ReturnState
    as_of: datetime
    units: int = 1
    expected_on: datetime | None = None


def report_return(session: Session, report: ReturnReport, *, now: datetime, policy: Policy) -> ReturnedUnit:
    """Write down where a return is. It only ever goes forward, so late and repeated reports change nothing.

    At inspection its units are added to the stock, once, and may be offered without settling: somebody has seen them
    (unless `policy.returns_add_stock` is off, where the shop's own report does so). Raises VariantNotFound.
    """
    variant = lock_variant(session, report.sku)
    known = find_return(session, report.source, report.external_id)
    as_of = min(report.as_of, now)
    if known is None:
        known = ReturnedUnit(
            source=report.source,
            external_id=report.external_id,
            variant=variant,
            location=report.location,
            units=report.units,
            state=ReturnState.ANNOUNCED,
            expected_on=report.expected_on,
            as_of=as_of,
            announced_at=now,
        )
        session.add(known)
        audit.record(session, "return.announced", known, by=None, now=now)
    if as_of >= known.as_of:
        known.as_of, known.expected_on = as_of, report.expected_on or known.expected_on
    if _RANK[report.state] > _RANK[known.state]:
        _move_on(session, known, report.state, as_of=as_of, now=now, policy=policy)
    session.flush()
    return known


def _move_on(
    session: Session, returned: ReturnedUnit, state: ReturnState, *, as_of: datetime, now: datetime, policy: Policy
) -> None:
    returned.state = state
    audit.record(session, f"return.{state.value}", returned, by=None, now=now)
    if state in COMING:
        return
    returned.settled_at = now
    if state is ReturnState.INSPECTED and policy.returns_add_stock:
        report_stock(
            session,
            Report(
                SOURCE,
                f"{returned.source}:{returned.external_id}",
                returned.variant.sku,
                returned.location,
                StockReport.DELTA,
                returned.units,
                as_of,
            ),
            now=now,
            policy=policy.at_once,
        )


def find_return(session: Session, source: str, external_id: str) -> ReturnedUnit | None:
    """The return a source announced under this name, if it did."""
    known = (ReturnedUnit.source == source, ReturnedUnit.external_id == external_id)
    return session.scalar(sa.select(ReturnedUnit).where(*known))


def probable_units(session: Session, variant_id: int) -> list[ReturnedUnit]:
    """Units of a variant that are on their way back, those nearest first: in transit, then announced; then by date."""
    statement = sa.select(ReturnedUnit).where(ReturnedUnit.variant_id == variant_id, ReturnedUnit.state.in_(COMING))
    is_near = sa.case((ReturnedUnit.state == ReturnState.IN_TRANSIT, 0), else_=1)
    order = (is_near, ReturnedUnit.expected_on.is_(None), ReturnedUnit.expected_on, ReturnedUnit.id)
    return list(session.scalars(statement.order_by(*order)))
