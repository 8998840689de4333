"""The one clock: aware UTC instants; only edges read it, everything else is told the time. A demo's may be ahead."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, flock
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lead:
    """How many seconds a demo's clock is ahead; while its days pass, until which of its moments (Unix time) they do,
    and how many seconds pass at a time."""

    ahead: float = 0.0
    until: float | None = None
    step: float = 0.0

    def next(self, machine: float) -> "Lead":
        """Its lead a step later, by the machine's clock (Unix time); once it is there, no more days pass."""
        assert self.until is not None
        here = machine + self.ahead
        if here >= self.until:
            return Lead(self.ahead)
        return replace(self, ahead=min(here + self.step, self.until) - machine)


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
    return moment + timedelta(seconds=lead.ahead)


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


def set_lead(lead: Lead, *, instead_of: Lead | None = None) -> bool:
    """Let a demo's clock be so far ahead, in every process that follows it; False when it was not `instead_of` this."""
    assert _file is not None
    with _file.with_name(f".{_file.name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if instead_of is not None and _read() != instead_of:
            return False
        if lead == _AS_IT_IS:
            _file.unlink(missing_ok=True)
        else:
            part = _file.with_name(f".{_file.name}.part")
            part.write_text(json.dumps(asdict(lead)), encoding="ascii")
            part.replace(_file)
    return True


def go_on() -> bool:
    """Let the next hours of a demo pass; False when its days are not passing, or have passed."""
    if _file is None or (passing := _read()).until is None:
        return False
    following = passing.next(datetime.now(UTC).timestamp())
    return set_lead(following, instead_of=passing) and following.until is not None


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
