"""When an answer may leave later: this evening, tomorrow morning, Monday morning, or a moment somebody names."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from concierge.conversations.snoozing import Moment, Preset, read_moment

_EVENING = time(18, 30)
_MORNING = time(9)


def offered(now: datetime, zone: ZoneInfo) -> list[Moment]:
    """The moments still to come, in `zone`: this evening until half an hour before it, Monday unless it is tomorrow."""
    here = now.astimezone(zone)
    moments = []
    evening = _at(here.date(), _EVENING, zone)
    if evening - here >= timedelta(minutes=30):
        moments.append(Moment(Preset.EVENING, evening))
    moments.append(Moment(Preset.TOMORROW, _at(here.date() + timedelta(days=1), _MORNING, zone)))
    days = (7 - here.weekday()) % 7 or 7
    if days > 1:
        moments.append(Moment(Preset.MONDAY, _at(here.date() + timedelta(days=days), _MORNING, zone)))
    return moments


def read(choice: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant meant by a preset's name or by what a date-time field says in `zone`; None when it can't be read."""
    for moment in offered(now, zone):
        if moment.preset == choice:
            return moment.at.astimezone(UTC)
    return read_moment(choice, zone)


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """That hour of the day; where the clocks skip it in spring, the one an hour on (PEP 495)."""
    return datetime.combine(day, hour, zone).astimezone(UTC).astimezone(zone)
