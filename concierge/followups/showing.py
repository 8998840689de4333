"""Follow-ups as pages show them: when by her clock and by ours, what they say, what would stop them now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from flask_babel import format_date, format_datetime
from sqlalchemy.orm import Session

from concierge.drafts import body
from concierge.followups.conditions import Because, stopped
from concierge.followups.models import FollowUp
from concierge.followups.queries import HerClock, facts_of, her_clock
from concierge.followups.schedule import wall_of

_WALL = "EEEE d MMMM, HH:mm"
_LONGEST = 240


@dataclass(frozen=True, slots=True)
class Shown:
    """One follow-up; `would_stop` is what would stop it if it were due now."""

    follow_up: FollowUp
    her_time: str
    clock: HerClock
    first_words: str
    would_stop: Because | None
    seen: int


@dataclass(frozen=True, slots=True)
class Day:
    """What leaves on one day, by the reader's own clock."""

    words: str
    shown: tuple[Shown, ...]


def show(session: Session, follow_up: FollowUp, *, house: ZoneInfo, now: datetime, looking_ahead: bool = True) -> Shown:
    """One of them, made ready; what would stop it now is looked up unless told otherwise."""
    clock, would_stop = her_clock(follow_up.conversation.customer, house), None
    if looking_ahead and follow_up.is_scheduled:
        would_stop = stopped(facts_of(session, follow_up, house=house, now=now))
    return Shown(
        follow_up,
        wall_words(wall_of(follow_up.due_at, clock.zone)),
        clock,
        " ".join(body.words(follow_up.body).split())[:_LONGEST],
        would_stop,
        follow_up.conversation.last_message_id or 0,
    )


def by_day(shown: Sequence[Shown], zone: ZoneInfo) -> list[Day]:
    """What is coming, by the day on which it leaves in `zone`."""
    days = groupby(shown, key=lambda each: each.follow_up.due_at.astimezone(zone).date())
    return [Day(format_date(day, "EEEE d MMMM y"), tuple(group)) for day, group in days]


def wall_words(wall: datetime) -> str:
    """What her clock shows: "Friday 15 May, 10:00"."""
    return str(format_datetime(wall, _WALL, rebase=False))
