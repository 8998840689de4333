"""When the mails of a conversation were written: backwards from the last one, answers within the house's hours."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from concierge.demo.stories import Turn

SPAN = timedelta(days=30)
ROME = ZoneInfo("Europe/Rome")
_OPENS, _CLOSES = 9, 18
_WEEKDAYS = range(5)
# The least and the most minutes that pass before each turn.
_PAUSES = {
    Turn.HERS: (25, 26 * 60),
    Turn.OURS: (35, 15 * 60),
    Turn.NOTE: (5, 90),
    Turn.MACHINE: (1, 2),
    Turn.BOUNCE: (1, 2),
}


def schedule(turns: Sequence[Turn], *, last_at: datetime, now: datetime, chance: Random) -> list[datetime]:
    """A moment for each turn, rising, the last at `last_at` (earlier by hours when we wrote it outside our hours).

    Nothing lies more than 30 days before `now`: a longer exchange is drawn together.
    """
    at = _in_house_hours(last_at, chance) if turns[-1] is Turn.OURS else last_at
    moments = [at]
    for turn, before in zip(reversed(turns[1:]), reversed(turns[:-1]), strict=True):
        at -= timedelta(minutes=chance.uniform(*_PAUSES[turn]))
        if before is Turn.OURS and turn not in (Turn.MACHINE, Turn.BOUNCE):
            at = _in_house_hours(at, chance)
        moments.append(at)
    moments.reverse()
    return _drawn_together(moments, earliest=now - SPAN + timedelta(hours=1))


def morning_after(moment: datetime, days: int) -> datetime:
    """Nine o'clock in Rome, so many days later."""
    local = moment.astimezone(ROME) + timedelta(days=days)
    return local.replace(hour=_OPENS, minute=0, second=0, microsecond=0).astimezone(moment.tzinfo)


def at_her_desk(latest: datetime, chance: Random) -> datetime:
    """The last moment until `latest` when an editor sat at her desk: on a weekday, within the house's hours."""
    local = latest.astimezone(ROME)
    if local.weekday() in _WEEKDAYS and _OPENS <= local.hour < _CLOSES:
        return latest
    day = local if local.hour >= _CLOSES else local - timedelta(days=1)
    while day.weekday() not in _WEEKDAYS:
        day -= timedelta(days=1)
    then = day.replace(hour=chance.randrange(_OPENS, _CLOSES), minute=chance.randrange(60), second=0, microsecond=0)
    return then.astimezone(latest.tzinfo)


def _in_house_hours(moment: datetime, chance: Random) -> datetime:
    local = moment.astimezone(ROME)
    if _OPENS <= local.hour < _CLOSES:
        return moment
    day = local if local.hour >= _CLOSES else local - timedelta(days=1)
    evening = day.replace(hour=chance.randrange(_OPENS + 2, _CLOSES), minute=chance.randrange(60))
    return evening.astimezone(moment.tzinfo)


def _drawn_together(moments: list[datetime], *, earliest: datetime) -> list[datetime]:
    last = moments[-1]
    if moments[0] >= earliest or last <= earliest:
        return moments
    share = (last - earliest) / (last - moments[0])
    return [last - (last - moment) * share for moment in moments]
