"""Which days of her own calendar an editor is away, and who writes for her meanwhile: rules over values."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Away:
    """Days on which she is away, both ends among them; `stand_in_id` is whom she named to write for her."""

    first_day: date
    last_day: date
    stand_in_id: int | None = None
    id: int = 0


def away_on(absences: Iterable[Away], day: date) -> Away | None:
    """The absence the day lies in; where others follow it without a day between, it lasts as long as they do."""
    found: Away | None = None
    for each in sorted(absences, key=lambda one: one.first_day):
        if found is None and each.first_day <= day <= each.last_day:
            found = each
        elif found is not None and each.first_day == found.last_day + _DAY:
            found = replace(found, last_day=each.last_day)
    return found


def overlaps(absences: Iterable[Away], first_day: date, last_day: date) -> bool:
    """Whether she is away already on one of these days."""
    return any(each.first_day <= last_day and first_day <= each.last_day for each in absences)


def find_stand_in(away: Mapping[int, Away], editor_id: int, *, answering: Collection[int]) -> int | None:
    """Who writes for somebody who is away: whom she named, or, while that one is away herself, whom she named in turn.

    None when nobody is named who is there and may answer, or the names lead in a circle.
    """
    asked = {editor_id}
    while (absence := away.get(editor_id)) is not None:
        named = absence.stand_in_id
        if named is None or named in asked or named not in answering:
            return None
        if named not in away:
            return named
        asked.add(named)
        editor_id = named
    return None
