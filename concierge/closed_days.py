"""Days on which the house is closed, as they are written in its configuration: "12-24..12-26, 2026-08-17"."""

from datetime import date
from functools import lru_cache


def check(text: str) -> str:
    """The text as it is; raises ValueError saying what can't be read."""
    _read(text)
    return text


def covers(text: str, day: date) -> bool:
    """Whether the text names the day: "12-24" every year's, "2026-08-17" one year's; a span may go over New Year."""
    for first, last in _read(text):
        key = day.isoformat()[-len(first) :]
        if first <= key <= last or (first > last and (key >= first or key <= last)):
            return True
    return False


@lru_cache
def _read(text: str) -> tuple[tuple[str, str], ...]:
    spans = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        first, _, last = part.partition("..")
        span = (first, last or first)
        if {len(each) for each in span} not in ({5}, {10}):
            raise ValueError(f"can't be read at “{part}”")
        for each in span:
            date.fromisoformat(each if len(each) > 5 else f"2028-{each}")  # a leap year: 29 February may be named
        spans.append(span)
    return tuple(spans)
