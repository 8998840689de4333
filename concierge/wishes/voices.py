"""In whose name an offer is written: her own editor's, or, while she is away, a colleague's who says so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on the staff; `hours` gives her spans of work by weekday ("0" is Monday), nothing at all: unknown."""

    id: int
    first_name: str
    language: str
    may_answer: bool
    zone: ZoneInfo
    hours: Mapping[str, Sequence[Sequence[str]]]


class Voice(NamedTuple):
    """Who writes; `covers_for` is the owner she writes for, None when she is the owner."""

    writer: Colleague
    covers_for: Colleague | None = None

    @property
    def owner(self) -> Colleague:
        """Whose customer she is, and stays; a colleague inherits her from somebody who has left the house."""
        return self.covers_for if self.covers_for and self.covers_for.may_answer else self.writer


@dataclass(frozen=True, slots=True)
class Roster:
    """The staff at one moment: everybody by number, those who may answer, those of them who are at work."""

    known: Mapping[int, Colleague]
    answering: tuple[Colleague, ...]
    present: tuple[Colleague, ...]


def call_the_roll(staff: Iterable[Colleague], *, now: datetime, desk: timedelta | None) -> Roster:
    """Who is there between now and the end of the desk's time; without a desk (None) no hours matter."""
    known = {each.id: each for each in staff}
    answering = tuple(known[number] for number in sorted(known) if known[number].may_answer)
    present = answering if desk is None else tuple(each for each in answering if is_at_work(each, now, desk))
    return Roster(known, answering, present)


def choose_voice(owner_id: int | None, roster: Roster, *, customer_id: int, language: str) -> Voice | None:
    """Who writes to this customer now; None when nobody in the house may answer.

    Her owner does, unless she has left or is away; then a colleague who is there, if anybody is. Somebody without an
    owner gets one, always the same as long as the staff is: by her number, among those who speak her language where
    there are any.
    """
    owner = roster.known.get(owner_id or 0)
    if owner is not None and owner.may_answer and (owner in roster.present or not roster.present):
        return Voice(owner)
    chosen = _share(roster.present or roster.answering, customer_id, language)
    return Voice(chosen, owner) if chosen else None


def is_at_work(colleague: Colleague, now: datetime, within: timedelta = timedelta()) -> bool:
    """Whether she works now, or will before `within` has passed; somebody whose hours nobody wrote down always does."""
    if not any(colleague.hours.values()):
        return True
    start, end = now.astimezone(colleague.zone), (now + within).astimezone(colleague.zone)
    days = (end.date() - start.date()).days
    return any(_works_on(colleague, start, end, start + _DAY * each) for each in range(min(days, 14) + 1))


def _works_on(colleague: Colleague, start: datetime, end: datetime, day: datetime) -> bool:
    spans = colleague.hours.get(str(day.weekday()), ())
    return any(_at(day, begins) <= end and start < _at(day, ends) for begins, ends in spans)


def _at(day: datetime, hour: str) -> datetime:
    hours, minutes = (int(part) for part in hour.split(":"))
    midnight = datetime.combine(day.date() + (_DAY if hours == 24 else timedelta()), time(), day.tzinfo)
    return midnight.replace(hour=hours % 24, minute=minutes)


def _share(among: Sequence[Colleague], customer_id: int, language: str) -> Colleague | None:
    speaking = [each for each in among if each.language == language] or list(among)
    return speaking[customer_id % len(speaking)] if speaking else None
