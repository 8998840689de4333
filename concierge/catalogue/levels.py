"""What a report does to the units known at one location, whatever order reports come in; and when it is too much."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from concierge.catalogue.stock_models import StockEventState, StockReport

# The years a report may be of: at the edges of the calendar an instant can't be written in every zone.
YEARS: Final = range(2000, 2200)
# The as-of of a location that was never counted, of which we only heard that units came or went.
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """A stock report as the shop sent it: `units` are there (snapshot), or came or went (delta), at `as_of`.

    `(source, external_id)` names the report. `version` is the shop's own count of its reports about this variant and
    location, where it keeps one; it goes before the time. What a merchandiser looked at before is `approved`.
    """

    source: str
    external_id: str
    sku: str
    location: str
    report: StockReport
    units: int
    as_of: datetime
    version: int | None = None
    import_run_id: int | None = None
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a report stands among those about the same variant and location."""

    as_of: datetime
    version: int | None = None

    def is_after(self, other: "Mark") -> bool:
        """Whether what `other` counted can't have this in it: by version where both have one, else by time."""
        if self.version is not None and other.version is not None:
            return self.version > other.version
        return self.as_of > other.as_of

    def replaces(self, other: "Mark") -> bool:
        """Whether a count with this mark goes before one with the other; of two at one instant the latter to come."""
        return self.is_after(other) or (self.as_of == other.as_of and None in (self.version, other.version))


@dataclass(frozen=True, slots=True)
class Known:
    """What the books say of a location: the newest count's mark, and that count plus all that came and went since.

    The balance may be below none: what was reported gone before we heard that it had come.
    """

    counted: Mark = Mark(NEVER)
    balance: int = 0

    @property
    def on_hand(self) -> int:
        """Units there."""
        return max(0, self.balance)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a report, and what the books say after it (as before unless it is applied)."""

    state: StockEventState
    before: int
    after: int
    known: Known


def weigh(report: Report, known: Known, *, moved_since: int, jump: int | None) -> Verdict:
    """Judge a report: late when the newest count has it in already, waiting when it moves more than `jump` units.

    `moved_since` is the sum of the deltas known already that are after a snapshot. `jump` None lets anything pass.
    The books end up the same in whatever order reports come: the newest count, and the deltas after it.
    """
    mark = Mark(report.as_of, report.version)
    before = known.on_hand
    is_count = report.report is StockReport.SNAPSHOT
    if not (mark.replaces(known.counted) if is_count else mark.is_after(known.counted)):
        return Verdict(StockEventState.LATE, before, before, known)
    if is_count:
        becomes = Known(mark, report.units + moved_since)
    else:
        becomes = Known(known.counted, known.balance + report.units)
    is_jump = jump is not None and abs(becomes.on_hand - before) > jump
    if is_jump and not report.approved:
        return Verdict(StockEventState.WAITING, before, becomes.on_hand, known)
    return Verdict(StockEventState.APPLIED, before, becomes.on_hand, becomes)
