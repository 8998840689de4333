"""The courtesy budget: how many mails nobody asked for may reach one person in a week, with a rest after each.

One budget for all kinds of planned and automatic mail, follow-ups, offers and letters; what each kind does when there
is no room stands in `WAITS`. Only a follow-up can be late: the others are sent whenever they can be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

WEEK = timedelta(days=7)


class Late(StrEnum):
    """What becomes of a mail that is later than its limit."""

    ASKED = "asked"  # its editor is asked whether it may still go
    SKIPPED = "skipped"  # it does not go
    SENT = "sent"  # it goes all the same


# Whether a mail waits for room and for her hours, by the purpose of its delivery. All of them count.
WAITS: Mapping[str, bool] = MappingProxyType(
    {
        # by hand or by a plan
        "follow_up": True,
        # there is time for it: a wish ends long after she was asked
        "still_wanted": True,
        # a unit is held for her, and she asked for exactly this mail; its own policy knows her hours
        "offer": False,
        # she has asked a moment ago, or would go to the shop for what is gone
        "wish_confirm": False,
        "offer_gone": False,
    }
)


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
