"""The clock of a hold: it counts her waking hours, by her own wall clock, and sleeps when she does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
# Nobody's hold is longer; a walk that goes on so long has met a zone without mornings.
_FOREVER = timedelta(days=3660)


class WakingPolicy(Protocol):
    """Her waking hours by her own clock, [wakes_at, sleeps_at); a saved wave policy is one."""

    @property
    def wakes_at(self) -> int: ...
    @property
    def sleeps_at(self) -> int: ...


def held_until(start: datetime, hours: float, zone: ZoneInfo, policy: WakingPolicy) -> datetime:
    """The instant by which so many waking hours have passed since `start`, as aware UTC."""
    left = timedelta(hours=max(0.0, hours))
    for begins, ends in _waking(start, zone, policy):
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    raise AssertionError("a day has waking hours")


def hours_left(now: datetime, until: datetime, zone: ZoneInfo, policy: WakingPolicy) -> float:
    """How many of her waking hours lie between two instants; 0 when `until` has passed."""
    passed = timedelta()
    for begins, ends in _waking(now, zone, policy):
        if begins >= until:
            break
        passed += min(ends, until) - begins
    return passed / timedelta(hours=1)


def next_waking(moment: datetime, zone: ZoneInfo, policy: WakingPolicy) -> datetime:
    """`moment` itself when she is awake then, else when she wakes next; as aware UTC."""
    return next(_waking(moment, zone, policy))[0]


def _waking(start: datetime, zone: ZoneInfo, policy: WakingPolicy) -> Iterator[tuple[datetime, datetime]]:
    """Her waking spans from `start` on, as UTC instants; a span is as long as the day's clock makes it."""
    begin, wakes, sleeps = start.astimezone(UTC), policy.wakes_at, policy.sleeps_at
    if not 0 <= wakes < sleeps <= 24:
        wakes, sleeps = 0, 24
    day = begin.astimezone(zone).date() - _DAY
    while day < begin.date() + _FOREVER:
        begins = max(begin, _shows(day, wakes, zone))
        ends = _shows(day, sleeps, zone)
        if begins < ends:
            yield begins, ends
        day += _DAY


def _shows(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The first instant at which a clock in `zone` shows this hour of this day, or later.

    A repeated hour counts from its first time; one that is skipped, from the moment the clock jumps.
    """
    wall = datetime.combine(day + _DAY, time()) if hour == 24 else datetime.combine(day, time(hour))
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    before, after = found - _DAY - _DAY, found
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
