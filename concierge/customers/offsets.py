"""Which time zone her mails speak for: the offsets their dates were written with, seen over a year."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

# So many are kept, one a day at most; somebody who travels is at home in three of four.
MOST = 24
_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mail of hers was written at this moment (aware), by a clock so many minutes ahead of UTC."""

    at: datetime
    minutes: int


def add_sighting(seen: Sequence[Sighting], new: Sighting) -> tuple[Sighting, ...]:
    """What was seen, with the new one: the last offset of each day, the latest days, in order."""
    if any(each.at.date() == new.at.date() and each.minutes == new.minutes for each in seen):
        return tuple(seen)
    days = {each.at.date(): each for each in sorted((*seen, new), key=lambda each: each.at)}
    return tuple(days.values())[-MOST:]


def read_zone(seen: Sequence[Sighting], candidates: Iterable[str]) -> str:
    """The zone (IANA) that explains most of them, at least three of four; of equals the first; "" when none does.

    UTC alone says nothing: servers and webmail write it for everybody, wherever they are.
    """
    if not any(each.minutes for each in seen):
        return ""
    best, most = "", 0
    for zone in candidates:
        explained = sum(_explains(_zone(zone), each) for each in seen)
        if explained == len(seen):
            return zone
        if explained > most:
            best, most = zone, explained
    return best if most >= _SHARE * len(seen) else ""


@cache
def _zone(name: str) -> ZoneInfo:
    """A zone, kept: the library itself keeps the last eight, and reads the others from their files each time."""
    return ZoneInfo(name)


def _explains(zone: ZoneInfo, seen: Sighting) -> bool:
    return seen.at.astimezone(zone).utcoffset() == timedelta(minutes=seen.minutes)
