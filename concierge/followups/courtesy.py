"""The courtesy budget: how many mails nobody asked for may reach one person in a week, with a rest after each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Courtesy:
    """So many planned and automatic mails in any seven days, and so long a rest after each."""

    per_week: int
    rest: timedelta


def free_from(sent: Sequence[datetime], now: datetime, courtesy: Courtesy) -> datetime:
    """From when, at the earliest `now`, she may be sent another; `sent` are the mails of the last week, in any order.

    Whatever is sent then, no seven days hold more than `per_week`, and none follows another without its rest.
    """
    times = sorted(sent)
    free = now
    if times:
        free = max(free, times[-1] + courtesy.rest)
    if len(times) >= courtesy.per_week:
        # the one that must have grown a week old before there is room
        free = max(free, times[-courtesy.per_week] + WEEK)
    return free
