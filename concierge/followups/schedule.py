"""When a planned mail is due by her own clock: wall times, hours and days on which she may be written to, lateness."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from concierge.customers.feasts import ALWAYS_OPEN, Closing, no_holiday

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# Nobody rests longer; a search that goes on so long has met a window that never opens.
_FOREVER = 800

EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of her clock, [from_hour, until_hour), and weekdays (Monday is 0) on which a mail may reach her."""

    from_hour: int = 9
    until_hour: int = 20
    weekdays: frozenset[int] = EVERY_DAY

    @property
    def is_lawful(self) -> bool:
        """Whether it ever opens."""
        return 0 <= self.from_hour < self.until_hour <= 24 and bool(self.weekdays & EVERY_DAY)

    def shows(self, wall: datetime) -> bool:
        """Whether it is open while a clock shows this, holidays aside."""
        return wall.weekday() in self.weekdays and self.from_hour <= wall.hour < self.until_hour


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant, aware UTC, at which a clock in `zone` first shows the naive `wall`.

    A time that the clock skips in spring is the moment it jumps; one that it shows twice in autumn is the first.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if wall_of(first, zone) == wall:
        return first
    # PEP 495: in a gap, fold=1 reads it with the later offset and lies before the jump, fold=0 behind it.
    before, after = second, first
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if wall_of(middle, zone) >= wall:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def wall_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in `zone` shows at an aware instant, naive."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def next_open(
    moment: datetime,
    zone: ZoneInfo,
    window: Window,
    is_holiday: Callable[[date], bool] = no_holiday,
    closing: Closing = ALWAYS_OPEN,
) -> datetime:
    """`moment` itself when the window is open then by her clock and the house too, else when it opens next; aware UTC.

    A window that never opens is no window: `moment` itself.
    """
    moment = moment.astimezone(UTC)
    if not window.is_lawful:
        return moment
    for opening in _openings(moment, zone, window):
        wall = wall_of(opening, zone)
        if window.shows(wall) and not is_holiday(wall.date()) and not closing.holds(opening):
            return opening
    return moment


def _openings(moment: datetime, zone: ZoneInfo, window: Window) -> Iterator[datetime]:
    """Every instant at which it may open, the earliest first: `moment`, each day's hour (twice where it is shown
    twice), and the turning of the clock, which may go back into an hour that was over."""
    yield moment
    day = wall_of(moment, zone).date() - _DAY
    for _each in range(_FOREVER):
        wall = datetime.combine(day, time(window.from_hour))
        first = instant_of(wall, zone)
        again = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        yield from (each for each in sorted({first, max(first, again), *_turnings(first, zone)}) if each > moment)
        day += _DAY


def _turnings(since: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instant within a day from `since` on at which the clock is turned, if it is."""
    before, after = since, since + _DAY
    offset = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == offset:
        return
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    yield after.replace(microsecond=0)


def in_days(now: datetime, days: int, at: time, zone: ZoneInfo) -> datetime:
    """What her clock shows on the day so many days from now, at that hour: "in three days"."""
    return datetime.combine(wall_of(now, zone).date() + timedelta(days=days), at)


def is_late(moment: datetime, now: datetime, limit: timedelta) -> bool:
    """Whether a mail that was due at `moment` is later than it may be."""
    return now - moment > limit
