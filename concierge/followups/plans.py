"""The rules of plans: which step comes next and when, in which window, what stops it besides, and when a date begins.

Nothing here is a timer: a run knows the fact that began it and what has left, and the rest follows.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from concierge.followups.conditions import Because
from concierge.followups.schedule import Window, in_days, instant_of, wall_of

# A fact older than this begins nothing: what it had to say is no longer meant.
FORGOTTEN: Final = timedelta(days=7)


class Start(StrEnum):
    """What begins a plan; any of them may be begun by hand too."""

    HAND = "hand"
    SILENT = "silent"  # answered, and nothing from her for so many days
    DELIVERED = "delivered"
    PASSED = "passed"  # she said no to an offer
    LAPSED = "lapsed"  # she said nothing to it
    EXPIRED = "expired"  # a wish ended without a piece
    DATE = "date"  # a birthday, or another date in her profile
    CLOSED = "closed"


# What these say is said of a piece: her order's, the offer's, the wish's.
_OF_A_PIECE: Final = frozenset({Start.DELIVERED, Start.PASSED, Start.LAPSED, Start.EXPIRED})


class StopsAlso(StrEnum):
    """What a plan may name to stop it, besides what stops every follow-up."""

    CLOSED = "closed"
    WISH = "wish"
    OFFER = "offer"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is true of a run when a mail of it is to leave.

    A mail is one to one when an editor began the run, or said yes to the mail; what goes by itself may be declined.
    """

    is_on: bool = True
    has_step: bool = True
    is_one_to_one: bool = False
    needs_consent: bool = False
    has_consent: bool = False
    has_declined: bool = False
    stops_also: frozenset[StopsAlso] = frozenset()
    met: frozenset[StopsAlso] = field(default=frozenset())


_ALSO: Final = {
    StopsAlso.CLOSED: Because.CLOSED,
    StopsAlso.OFFER: Because.OFFERED,
    StopsAlso.WISH: Because.WISHES,
    StopsAlso.PROMISE: Because.PROMISED,
}


def stop_of(facts: PlanFacts) -> Because | None:
    """What stops a mail of a plan besides what stops every follow-up; None when nothing does."""
    if not (facts.is_on and facts.has_step):
        return Because.PLAN_OFF
    if not facts.is_one_to_one:
        if facts.has_declined:
            return Because.DECLINED
        if facts.needs_consent and not facts.has_consent:
            return Because.NO_CONSENT
    return next((because for also, because in _ALSO.items() if also in facts.stops_also & facts.met), None)


def can_fill(start: Start, needs: Collection[str], *, needs_yes: bool) -> bool:
    """Whether a template that needs these can be filled in a plan with this start.

    What a person reads before it leaves may speak of the piece that her subject seems to mean.
    """
    return start in _OF_A_PIECE or needs_yes or not {"product", "variant"} & set(needs)


def next_place(places: Iterable[int], after: int | None) -> int | None:
    """The place of the step behind `after` (the first for None); None when there is none."""
    return min((each for each in places if after is None or each > after), default=None)


def wall_of_step(anchor: datetime, wait_days: int, zone: ZoneInfo) -> datetime:
    """What her clock shows when a step is meant: so many days after `anchor`, at the same hour of her clock.

    `anchor` is the instant of the fact, or the one at which the step before it left.
    """
    return in_days(anchor, wait_days, wall_of(anchor, zone).time().replace(second=0, microsecond=0), zone)


def meets(step: Window, house: Window) -> bool:
    """Whether a step's window ever meets the house's hours."""
    return _both(step, house).is_lawful


def window_of(step: Window, house: Window) -> Window:
    """When a step may reach her: in its own window and in the house's hours; in the house's where the two never meet.

    The days of the week are always the step's own.
    """
    if meets(step, house):
        return _both(step, house)
    return Window(house.from_hour, house.until_hour, step.weekdays or house.weekdays)


def _both(step: Window, house: Window) -> Window:
    return Window(max(step.from_hour, house.from_hour), min(step.until_hour, house.until_hour), step.weekdays)


def is_fresh(at: datetime, now: datetime, since: datetime) -> bool:
    """Whether a fact that came true at `at` begins a plan that is on since `since`."""
    return since <= at <= now and now - at < FORGOTTEN


def date_begins(
    month: int, day: int, before: int, zone: ZoneInfo, *, now: datetime, since: datetime
) -> tuple[int, datetime] | None:
    """Whether the days before a date of hers have just begun by her clock: the date's year, and the instant they did.

    The 29th of February is the 28th in years that have none.
    """
    today = wall_of(now, zone).date()
    for year in (today.year - 1, today.year, today.year + 1):
        begun = instant_of(datetime.combine(_on(year, month, day) - timedelta(days=before), time()), zone)
        if is_fresh(begun, now, since):
            return year, begun.astimezone(UTC)
    return None


def _on(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)
