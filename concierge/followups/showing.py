"""Follow-ups as pages show them: when by her clock and by ours, what they say, what would stop them now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from flask_babel import format_date, format_datetime
from sqlalchemy.orm import Session

from concierge.config import Policy
from concierge.drafts import body
from concierge.followups import words
from concierge.followups.calendar import Sheet, View
from concierge.followups.conditions import BYGONES, Because, Facts, Moved, all_stops, why_moved
from concierge.followups.models import FollowUp
from concierge.followups.plan_conditions import kindness_for
from concierge.followups.queries import HerClock, facts_of, her_clock, kindness_of
from concierge.followups.schedule import wall_of

_WALL, _WALL_OF_A_YEAR = "EEEE d MMMM, HH:mm", "EEEE d MMMM y, HH:mm"
_LONGEST = 240


@dataclass(frozen=True, slots=True)
class Shown:
    """One follow-up; `would_stop` is what would stop it if it were due now, what weighs most first."""

    follow_up: FollowUp
    her_time: str
    her_hour: str
    clock: HerClock
    first_words: str
    would_stop: tuple[Because, ...]
    seen: int
    moved: Moved | None = None

    @property
    def stops(self) -> str:
        """`would_stop` as a form takes it along: what an editor knows who says yes."""
        return ",".join(self.would_stop)

    @property
    def goes_all_the_same(self) -> bool:
        """Whether a yes lets it go although something has happened."""
        return bool(self.would_stop) and BYGONES.issuperset(self.would_stop)


@dataclass(frozen=True, slots=True)
class Day:
    """What leaves on one day, by the reader's own clock."""

    words: str
    shown: tuple[Shown, ...]


def show(session: Session, follow_up: FollowUp, *, policy: Policy, now: datetime, looking_ahead: bool = True) -> Shown:
    """One of them, made ready; what would stop it now is looked up unless told otherwise."""
    customer, would_stop = follow_up.conversation.customer, list[Because]()
    clock = her_clock(customer, policy.zone)
    if looking_ahead and follow_up.is_scheduled:
        would_stop = all_stops(facts_of(session, follow_up, house=policy.zone, now=now))
    kindness = kindness_for(follow_up, kindness_of(policy))
    meant = Facts(follow_up.wall, clock.zone, customer.country, follow_up.is_named)
    wall = wall_of(follow_up.due_at, clock.zone)
    waits = follow_up.awaits_delivery
    return Shown(
        follow_up,
        words.awaiting_words(follow_up.awaited_days or 0, follow_up.wall.time())
        if waits
        else wall_words(wall, now.astimezone(clock.zone).year),
        f"{wall:%H:%M}",
        clock,
        " ".join(body.words(follow_up.body).split())[:_LONGEST],
        tuple(would_stop),
        follow_up.conversation.last_message_id or 0,
        why_moved(meant, kindness, follow_up.due_at) if follow_up.is_scheduled and not waits else None,
    )


def by_day(shown: Sequence[Shown], zone: ZoneInfo) -> list[Day]:
    """What is coming, by the day on which it leaves in `zone`."""
    days = groupby(shown, key=lambda each: each.follow_up.due_at.astimezone(zone).date())
    return [Day(format_date(day, "EEEE d MMMM y"), tuple(group)) for day, group in days]


def sheet_words(sheet: Sheet, day: date) -> str:
    """What a calendar shows: "May 2026", "11 – 17 May 2026"."""
    if sheet.view is View.MONTH:
        return str(format_date(day, "LLLL y"))
    first, last = sheet.weeks[0][0].day, sheet.weeks[0][-1].day
    return f"{format_date(first, 'd MMMM' if first.month != last.month else 'd')} – {format_date(last, 'd MMMM y')}"


def wall_words(wall: datetime, this_year: int) -> str:
    """What her clock shows: "Friday 15 May, 10:00"; with the year where it is another."""
    return str(format_datetime(wall, _WALL if wall.year == this_year else _WALL_OF_A_YEAR, rebase=False))
