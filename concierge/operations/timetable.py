"""One timetable out of what all living copies of the worker say of their runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from concierge.operations.state import Seen


@dataclass(frozen=True)
class Row:
    """One job: when it runs, and how its runs went. `at` and `did_at` are of whichever copy ran it last."""

    job: str
    every: float
    on: tuple[str, ...]
    by_clock: bool
    at: datetime | None
    took: float
    did_at: datetime | None
    did: int
    fault: str
    is_in_hand: bool
    runs: int
    failures: int


def merge_lines(copies: Iterable[Seen]) -> list[Row]:
    """A row for each job, in the timetable's order as the copy seen last has it."""
    seen = list(copies)
    jobs = dict.fromkeys(job for copy in seen for job in copy.lines)
    return [_row(job, [dict(copy.lines[job]) for copy in seen if job in copy.lines]) for job in jobs]


def _row(job: str, runs: list[dict[str, object]]) -> Row:
    last = max(runs, key=lambda run: str(run.get("at") or ""))
    did = max(runs, key=lambda run: str(run.get("did_at") or ""))
    return Row(
        job,
        every=float(str(last.get("every", 0))),
        on=tuple(str(topic) for topic in _list(last.get("on"))),
        by_clock=bool(last.get("by_clock")),
        at=_moment(last.get("at")),
        took=float(str(last.get("took", 0))),
        did_at=_moment(did.get("did_at")),
        did=int(str(did.get("did", 0))),
        fault=str(last.get("fault", "")),
        is_in_hand=any(run.get("in_hand") is not None for run in runs),
        runs=sum(int(str(run.get("runs", 0))) for run in runs),
        failures=sum(int(str(run.get("failures", 0))) for run in runs),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
