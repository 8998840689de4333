"""May a planned mail go now? A rule over facts, asked in the transaction that lets it go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from concierge.customers.courtesy import Courtesy, Late, free_from
from concierge.customers.feasts import ALWAYS_OPEN, Closing, holidays_of, no_holiday
from concierge.followups.schedule import Window, instant_of, is_late, next_open


class Because(StrEnum):
    """Why a planned mail did not leave, the first that holds."""

    BY_EDITOR = "by_editor"  # somebody took it back
    SHE_WROTE = "she_wrote"
    SHE_WAITS = "she_waits"  # for an answer to something older
    SHE_BOUGHT = "she_bought"
    SHE_RETURNED = "she_returned"
    COLLEAGUE_WROTE = "colleague_wrote"
    NOT_FOR_US = "not_for_us"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    EDITOR_GONE = "editor_gone"
    MAILBOX_CLOSED = "mailbox_closed"
    HOLE = "hole"
    UNSENDABLE = "unsendable"
    TOO_LATE = "too_late"
    # of plans alone
    DECLINED = "declined"  # she asked for no more of what goes by itself
    NO_CONSENT = "no_consent"
    PLAN_OFF = "plan_off"  # its plan is off, or no longer has this step
    OVERLAPS = "overlaps"  # she is in this plan already
    CLOSED = "closed"
    WISHES = "wishes"  # she waits for a piece
    OFFERED = "offered"  # one is put aside for her
    PROMISED = "promised"


class Asking(StrEnum):
    """Why an editor is asked for her yes before it goes."""

    PLANNED_SO = "planned_so"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Kindness:
    """The house's rules for mails nobody asked for: the courtesy budget, her hours, how late is too late."""

    courtesy: Courtesy
    window: Window
    limit: timedelta
    when_late: Late = Late.ASKED
    closing: Closing = ALWAYS_OPEN


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a planned mail and its reader at one moment; everything "since" counts from when it was planned.

    `wall` is what her clock shows when it is due, `zone` is hers. `sent` are the planned and automatic mails she was
    sent in the last week. `is_approved`: an editor said yes after it was late or had to be asked for; `at_once`: she
    wants it to leave now, whatever the hour.
    """

    wall: datetime
    zone: ZoneInfo
    country: str = ""
    is_named: bool = False
    # nobody knows when it is due: the shop has not said that her order came
    awaits_delivery: bool = False
    she_wrote: bool = False
    she_waits: bool = False
    she_bought: bool = False
    she_returned: bool = False
    colleague_wrote: bool = False
    not_for_us: bool = False
    has_address: bool = True
    suppressed: bool = False
    may_answer: bool = True
    mailbox_active: bool = True
    has_hole: bool = False
    needs_yes: bool = False
    is_approved: bool = False
    at_once: bool = False
    sent: Sequence[datetime] = field(default=())
    # what stops it as a mail of a plan, see `plans.stop_of`
    plan_stop: Because | None = None


@dataclass(frozen=True, slots=True)
class Goes:
    """It may go."""


@dataclass(frozen=True, slots=True)
class Stops:
    """It does not go, for this reason."""

    because: Because


@dataclass(frozen=True, slots=True)
class Waits:
    """It goes later: then everything is asked again."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Asks:
    """An editor must say yes first."""

    why: Asking


Verdict = Goes | Stops | Waits | Asks

_STOPS: Final = (
    ("not_for_us", Because.NOT_FOR_US),
    ("she_wrote", Because.SHE_WROTE),
    ("suppressed", Because.SUPPRESSED),  # what came back to its editor also waits for an answer
    ("she_waits", Because.SHE_WAITS),
    ("she_returned", Because.SHE_RETURNED),
    ("she_bought", Because.SHE_BOUGHT),
    ("colleague_wrote", Because.COLLEAGUE_WROTE),
    ("has_hole", Because.HOLE),
)
_NEEDS: Final = (
    ("has_address", Because.NO_ADDRESS),
    ("may_answer", Because.EDITOR_GONE),
    ("mailbox_active", Because.MAILBOX_CLOSED),
)


def judge(facts: Facts, kindness: Kindness, now: datetime) -> Verdict:
    """What becomes of it at `now`. Whatever stops it does so before anybody is asked, and before it waits."""
    if stops := stopped(facts):
        return Stops(stops)
    if facts.at_once:
        return Goes()
    if facts.awaits_delivery and not facts.is_approved:
        return Asks(Asking.LATE)  # it never goes by itself
    due = now if facts.awaits_delivery else due_at(facts, kindness)
    if due > now:
        return Waits(due)
    if not facts.is_approved:
        if facts.needs_yes:
            return Asks(Asking.PLANNED_SO)
        # the rest after another mail is courtesy, and no delay of ours
        if is_late(free_at(facts, kindness, due), now, kindness.limit) and kindness.when_late is not Late.SENT:
            return Asks(Asking.LATE) if kindness.when_late is Late.ASKED else Stops(Because.TOO_LATE)
    open_at = free_at(facts, kindness, now)
    return Waits(open_at) if open_at > now else Goes()


# What an editor may know and let it go all the same: with her yes, "since" begins anew.
BYGONES: Final = frozenset({Because.SHE_WROTE, Because.SHE_RETURNED, Because.SHE_BOUGHT, Because.COLLEAGUE_WROTE})


def stopped(facts: Facts) -> Because | None:
    """What stops it for good, whatever the hour; None when nothing does."""
    return next(iter(all_stops(facts)), None)


def all_stops(facts: Facts) -> list[Because]:
    """Everything that stops it for good, what weighs most first."""
    found = [because for name, because in _STOPS if getattr(facts, name)]
    if facts.at_once:  # whoever sends it now answers her with it
        found = [each for each in found if each is not Because.SHE_WAITS]
    found += [because for name, because in _NEEDS if not getattr(facts, name)]
    found += [facts.plan_stop] if facts.plan_stop else []
    return found


def due_at(facts: Facts, kindness: Kindness) -> datetime:
    """When it is due: when her clock shows `wall`, or when she next may be written to after that."""
    return opening(
        facts.wall, facts.zone, facts.country, kindness.window, is_named=facts.is_named, closing=kindness.closing
    )


def opening(
    wall: datetime, zone: ZoneInfo, country: str, window: Window, *, is_named: bool, closing: Closing = ALWAYS_OPEN
) -> datetime:
    """The instant for a wall time of hers, moved out of her quiet hours, off the days on which the house is closed, and
    off a holiday unless its day was named."""
    is_holiday = no_holiday if is_named else holidays_of(country)
    return next_open(instant_of(wall, zone), zone, window, is_holiday, closing)


class Moved(StrEnum):
    """Why a planned mail does not leave at the moment that was meant."""

    HOLIDAY = "holiday"  # where she lives
    CLOSED = "closed"  # the house is
    HOURS = "hours"  # she is not to be written to then
    WEEKDAY = "weekday"  # its step leaves on others
    COURTESY = "courtesy"  # she was written to lately


def why_moved(facts: Facts, kindness: Kindness, due: datetime) -> Moved | None:
    """Why it leaves at `due` and not at its wall time; None when it does."""
    meant = instant_of(facts.wall, facts.zone)
    if due <= meant:
        return None
    if not facts.is_named and holidays_of(facts.country)(facts.wall.date()):
        return Moved.HOLIDAY
    if kindness.closing.holds(meant):
        return Moved.CLOSED
    if facts.wall.weekday() not in kindness.window.weekdays:
        return Moved.WEEKDAY
    return Moved.COURTESY if kindness.window.shows(facts.wall) else Moved.HOURS


def free_at(facts: Facts, kindness: Kindness, now: datetime) -> datetime:
    """When the budget and her hours next let it go, at the earliest now.

    What had to wait has lost its named day, so from then on holidays count, but not on the day itself.
    """
    free = free_from(facts.sent, now, kindness.courtesy)
    named: date | None = facts.wall.date() if facts.is_named else None
    holiday = holidays_of(facts.country)
    return next_open(free, facts.zone, kindness.window, lambda day: day != named and holiday(day), kindness.closing)
