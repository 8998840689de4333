"""The one clock: aware UTC instants; only edges read it, everything else is told the time. A demo's may be ahead."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lead:
    """How far a demo's clock is ahead, in seconds: from `since` (Unix time) on it grows evenly, for `lasts` seconds."""

    since: float = 0.0
    lasts: float = 0.0
    before: float = 0.0
    after: float = 0.0

    def at(self, moment: float) -> float:
        """Seconds ahead at a moment (Unix time) of the machine's clock."""
        if not self.grows(moment):
            return self.after
        return self.before + (self.after - self.before) * max(moment - self.since, 0.0) / self.lasts

    def grows(self, moment: float) -> bool:
        """Whether the days are still passing at a moment (Unix time)."""
        return moment < self.since + self.lasts


_AS_IT_IS = Lead()
# The file a demo keeps its lead in, what it said when it was last read, and by what it is known to have changed.
_file: Path | None = None
_lead = _AS_IT_IS
_mark: tuple[int, int] | None = None


def now() -> datetime:
    """The present instant, aware, in UTC; of a demo whose clock was moved, its own."""
    moment = datetime.now(UTC)
    if _file is None or (lead := _read()) is _AS_IT_IS:
        return moment
    return moment + timedelta(seconds=lead.at(moment.timestamp()))


def machine_now() -> datetime:
    """The present instant by the machine's clock, for what is agreed on between machines: leases and timers."""
    return now() if _file is None else datetime.now(UTC)


def follow(file: Path | None) -> None:
    """Go by the lead kept in this file of a demo, in this process; None: by the machine's clock, as every other house.

    What the file says counts at once in every process that follows it.
    """
    global _file, _lead, _mark
    _file, _lead, _mark = file, _AS_IT_IS, None


def followed() -> Path | None:
    """The file this process follows; None in every house but a demo."""
    return _file


def lead() -> Lead:
    """How far this house's clock is ahead."""
    return _AS_IT_IS if _file is None else _read()


def _read() -> Lead:
    """What the file says; read anew only when it is another than before."""
    global _lead, _mark
    assert _file is not None
    try:
        found = _file.stat()
        mark = (found.st_ino, found.st_mtime_ns)
        if mark != _mark:
            _lead, _mark = Lead(**json.loads(_file.read_text(encoding="ascii"))), mark
    except FileNotFoundError:
        return _AS_IT_IS
    return _lead
