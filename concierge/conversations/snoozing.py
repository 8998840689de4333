"""When a snoozed conversation comes back: the moments offered, in the editor's own time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_MORNING, _EVENING = time(9), time(18)
_MONDAY = 0


class Preset(StrEnum):
    """A moment by name."""

    EVENING = "evening"
    TOMORROW = "tomorrow"
    MONDAY = "monday"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment offered."""

    preset: Preset
    at: datetime


def moments(now: datetime, zone: ZoneInfo) -> tuple[Moment, ...]:
    """This evening (until 17:00), tomorrow at nine, Monday at nine (unless that is tomorrow), as aware UTC instants."""
    today = now.astimezone(zone)
    offered = [(Preset.TOMORROW, today + timedelta(days=1), _MORNING)]
    if today.hour < 17:
        offered.insert(0, (Preset.EVENING, today, _EVENING))
    to_monday = (_MONDAY - today.weekday()) % 7 or 7
    if to_monday > 1:
        offered.append((Preset.MONDAY, today + timedelta(days=to_monday), _MORNING))
    return tuple(Moment(preset, _at(day, hour, zone)) for preset, day, hour in offered)


def _at(day: datetime, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day.date(), hour, zone).astimezone(UTC)


def read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant a date-and-time field means in `zone`; None when it can't be read, or is of another age.

    A time the clocks skip in spring is taken an hour on (PEP 495).
    """
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if not 2000 < wall.year < 2200:  # at the ends of the calendar a zone leads out of it
        return None
    return (wall.replace(tzinfo=zone) if wall.tzinfo is None else wall).astimezone(UTC)
