"""In whose name an offer is written: her own editor's, or, while she is away, a colleague's who says so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from concierge.accounts.absences import Away, away_on, find_stand_in

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on the staff; `hours` gives her spans of work by weekday ("0" is Monday), nothing at all: unknown.

    `absences` are days on which she is away, whatever her hours.
    """

    id: int
    first_name: str
    language: str
    may_answer: bool
    zone: ZoneInfo
    hours: Mapping[str, Sequence[Sequence[str]]]
    absences: tuple[Away, ...] = ()


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
    """The staff at one moment: everybody by number, those who may answer, those of them who are at work.

    `away` are those who may answer and are away for days, with their absence.
    """

    known: Mapping[int, Colleague]
    answering: tuple[Colleague, ...]
    present: tuple[Colleague, ...]
    away: Mapping[int, Away]

    @property
    def there(self) -> tuple[Colleague, ...]:
        """In whose name a mail may leave: who is at work; else who is only at home; else whoever may answer."""
        return self.present or tuple(each for each in self.answering if each.id not in self.away) or self.answering


def call_the_roll(staff: Iterable[Colleague], *, now: datetime, desk: timedelta | None) -> Roster:
    """Who is there between now and the end of the desk's time; without a desk (None) no hours and no days matter."""
    known = {each.id: each for each in staff}
    answering = tuple(known[number] for number in sorted(known) if known[number].may_answer)
    if desk is None:
        return Roster(known, answering, answering, {})
    present = tuple(each for each in answering if is_at_work(each, now, desk))
    away = {each.id: absence for each in answering if (absence := away_throughout(each, now, desk))}
    return Roster(known, answering, present, away)


def choose_voice(owner_id: int | None, roster: Roster, *, customer_id: int, language: str) -> Voice | None:
    """Who writes to this customer now; None when nobody in the house may answer.

    Her owner does, unless she has left or is away; then whom she named for these days, at any hour; else a colleague
    who is there, if anybody is. Somebody without an owner gets one, always the same as long as the staff is: by her
    number, among those who speak her language where there are any.
    """
    owner = roster.known.get(owner_id or 0)
    if owner is not None and owner in roster.there:
        return Voice(owner)
    named = find_stand_in(roster.away, owner.id, answering={each.id for each in roster.answering}) if owner else None
    chosen = roster.known[named] if named else _share(roster.there, customer_id, language)
    return Voice(chosen, owner) if chosen else None


def is_at_work(colleague: Colleague, now: datetime, within: timedelta = timedelta()) -> bool:
    """Whether she works now, or will before `within` has passed; somebody whose hours nobody wrote down always does.

    Nobody does on a day on which she is away.
    """
    start, end = now.astimezone(colleague.zone), (now + within).astimezone(colleague.zone)
    days = (day for day in _days(start, end) if not away_on(colleague.absences, day.date()))
    return any(_works_on(colleague, start, end, day) for day in days)


def away_throughout(colleague: Colleague, now: datetime, within: timedelta = timedelta()) -> Away | None:
    """The absence she is in now, if she is not back before `within` has passed."""
    start, end = now.astimezone(colleague.zone), (now + within).astimezone(colleague.zone)
    found = [away_on(colleague.absences, day.date()) for day in _days(start, end)]
    return found[0] if all(found) else None


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    return (start + _DAY * each for each in range(min((end.date() - start.date()).days, 14) + 1))


def _works_on(colleague: Colleague, start: datetime, end: datetime, day: datetime) -> bool:
    if not any(colleague.hours.values()):
        return True
    spans = colleague.hours.get(str(day.weekday()), ())
    return any(_at(day, begins) <= end and start < _at(day, ends) for begins, ends in spans)


def _at(day: datetime, hour: str) -> datetime:
    hours, minutes = (int(part) for part in hour.split(":"))
    midnight = datetime.combine(day.date() + (_DAY if hours == 24 else timedelta()), time(), day.tzinfo)
    return midnight.replace(hour=hours % 24, minute=minutes)


def _share(among: Sequence[Colleague], customer_id: int, language: str) -> Colleague | None:
    speaking = [each for each in among if each.language == language] or list(among)
    return speaking[customer_id % len(speaking)] if speaking else None
