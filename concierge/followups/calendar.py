"""A calendar of days: which weeks a month or a week shows, and where its neighbours begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from concierge.followups.schedule import instant_of

_DAY = timedelta(days=1)
Item = TypeVar("Item")


class View(StrEnum):
    """How much of a calendar is shown at a time."""

    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Cell:
    """One day; `is_aside` belongs to the month before or after."""

    day: date
    is_today: bool
    is_aside: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown: its weeks from Monday on, the instants between which they lie, and the days before and after."""

    view: View
    weeks: tuple[tuple[Cell, ...], ...]
    starts: datetime
    ends: datetime
    before: date
    after: date


def open_sheet(view: View, day: date, *, today: date, zone: ZoneInfo) -> Sheet:
    """The week or the month around a day, in a calendar kept in `zone`."""
    first = day.replace(day=1) if view is View.MONTH else day
    last = (first + 31 * _DAY).replace(day=1) - _DAY if view is View.MONTH else day
    monday = first - first.weekday() * _DAY
    sunday = last + (6 - last.weekday()) * _DAY
    days = [monday + number * _DAY for number in range((sunday - monday).days + 1)]
    cells = [Cell(each, each == today, view is View.MONTH and each.month != first.month) for each in days]
    is_month = view is View.MONTH
    return Sheet(
        view,
        tuple(tuple(cells[number : number + 7]) for number in range(0, len(cells), 7)),
        instant_of(datetime.combine(monday, time()), zone),
        instant_of(datetime.combine(sunday + _DAY, time()), zone),
        (first - _DAY).replace(day=1) if is_month else monday - 7 * _DAY,
        last + _DAY if is_month else monday + 7 * _DAY,
    )


def read_day(text: str, today: date) -> date:
    """The day a link names as 2026-05-15; today where it is none, or too far for a calendar."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day - today) < 3660 * _DAY else today


def sort_by_day(items: Sequence[Item], moments: Sequence[datetime], zone: ZoneInfo) -> Mapping[date, list[Item]]:
    """The items by the day their moment falls on in `zone`, in their order."""
    days: dict[date, list[Item]] = {}
    for item, moment in zip(items, moments, strict=True):
        days.setdefault(moment.astimezone(zone).date(), []).append(item)
    return days
