"""The one clock: aware UTC instants; only edges read it, everything else is told the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
