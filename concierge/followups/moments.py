"""Reads when a mail shall leave as people say it, in English and Italian: "in 3 days", "venerdì alle 10"."""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from concierge.followups.moment_words import (
    FILLERS,
    MONTHS,
    MORNING,
    NOONS,
    NUMBERS,
    PARTS,
    RELATIVE_DAYS,
    SPANS,
    UNITS,
    WEEKDAYS,
    Part,
)
from concierge.followups.schedule import wall_of
from concierge.followups.silence import without_silence

_MOST_DAYS: Final = 730


def _any(names: Iterable[str]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


def _other(pattern: str, number: int) -> str:
    """The same where it stands once more in an expression."""
    return re.sub(r"\?P<(\w+)>", rf"?P<\g<1>{number}>", pattern)


_NUMBER: Final = rf"(?P<number>\d{{1,3}}|{_any(NUMBERS)})"
_UNIT: Final = rf"(?P<unit>{_any(UNITS)})"
_HER_TIME: Final = re.compile(
    r",? ?\b(?:(?:by |in )?(?:her|his|their) (?:own )?(?:time|clock)|(?:l')?ora sua|(?:la )?sua ora)\b"
)
_AHEAD: Final = r"(?:in|tra|fra|after|dopo|(?:da|di) qui a)"
# "in two weeks", "in two weeks' time", "two weeks from now"; so long alone only if nothing else is said.
_FROM_NOW: Final = r"(?:from (?:now|today)|(?:a partire )?da (?:oggi|adesso|ora))"
_IN: Final = re.compile(
    rf"\b(?:{_AHEAD} )?{_NUMBER} {_UNIT} {_FROM_NOW}\b|"
    rf"\b{_AHEAD} {_other(_NUMBER, 2)} {_other(_UNIT, 2)}(?:(?:'s?)? time)?(?![\w'])|"
    rf"^{_other(_NUMBER, 3)} {_other(_UNIT, 3)}$"
)
_SPAN: Final = re.compile(rf"(?:{_AHEAD} )?(?P<span>{_any(SPANS)})(?: {_FROM_NOW})?")
# What she waits for comes, as people say it; with or without a subject.
_DELIVERY: Final = (
    r"(?:it|they|this|everything|the (?:parcel|order|package)|her (?:parcel|order|package))"
    r"(?:'s| is| was| has| are| were| have)?(?: been)? ?(?:delivered|arrived?s?|there|come)|"
    r"she (?:has|gets|got|receives|received) (?:it|them|her order|the parcel)|"
    r"(?:the |its |her )?(?:delivery|arrival)|"
    r"(?:la |sua |la sua )?consegna|(?:l'|il suo )?arrivo|(?:che )?(?:le )?(?:e|sara|sono) (?:stat[oaie] )?"
    r"(?:consegnat|arrivat)[oaie]|(?:che )?l'ha (?:ricevut|avut)[oa]|(?:che )?arriva"
)
_AFTER_DELIVERY: Final = re.compile(
    rf"\b(?:the|il|la|{_NUMBER}) {_UNIT} (?:after|from|following|dopo|da(?:ll')?|dalla) ?(?:{_DELIVERY})\b"
)
_ISO: Final = re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?:t(?=\d)|\b)")
_NUMERIC: Final = re.compile(
    r"\b(?P<d>\d{1,2})(?:/(?P<m>\d{1,2})(?:/(?P<y>\d{4}))?|(?P<dot>[.-])(?P<m2>\d{1,2})(?P=dot)(?P<y2>\d{4}))(?!\d)"
)
_ORDINAL: Final = "(?:st|nd|rd|th|°|º)"
# "mar 10" is Tuesday the 10th as well; only "10 mar" is surely in March.
_NAMED: Final = re.compile(
    rf"\b(?P<d>\d{{1,2}}|primo|first){_ORDINAL}? (?:of |di )?(?P<m>{_any(MONTHS)})\b(?: (?P<y>\d{{4}})\b)?|"
    rf"\b(?P<m2>{_any(MONTHS.keys() - {'mar'})}) (?P<d2>\d{{1,2}}){_ORDINAL}?(?!\d|[:.]\d| ?[ap]m\b)"
    r"(?:,? (?P<y2>\d{4})\b)?"
)
# A day of the month that names no month stands behind its weekday, or is no mere number: "Friday 4", "the 27th".
_OF_MONTH: Final = re.compile(
    rf"\b(?:(?P<weekday>{_any(WEEKDAYS)}),? )(?:the |il |l')?(?P<d>\d{{1,2}}){_ORDINAL}?(?!\w|[:./-]\d| ?[ap]m\b)|"
    rf"\b(?:the |il |l')(?P<d2>\d{{1,2}}){_ORDINAL}?(?!\w|[:./-]\d| ?[ap]m\b)|\b(?P<d3>\d{{1,2}}){_ORDINAL}(?!\w)"
)
_NEXT_WEEK: Final = re.compile(
    r"\bnext week\b|\b(?:(?:del)?la )?prossima settimana\b|\b(?:(?:del)?la )?settimana prossima\b"
)
_NEXT_MONTH: Final = re.compile(
    r"(?:\b(?:the |il |l')(?P<d>\d{1,2})(?:st|nd|rd|th|°|º)? (?:of |del )?)?"
    r"\b(?:next month|(?:il |nel )?(?:prossimo mese|mese prossimo))\b"
)
_WEEKDAY: Final = re.compile(rf"\b(?:{_any(WEEKDAYS)})\b")
_DAY_AFTER: Final = re.compile(r"\bthe day after tomorrow\b|\bday after tomorrow\b|\bdopo domani\b")
_TODAYS: Final = re.compile(rf"\b(?:this|quest[ao]) (?={_any(PARTS)}\b)")
# "questo venerdì" is its next time, as "this Friday"
_THIS_WEEKDAY: Final = re.compile(rf"\bquest[ao] (?={_any(WEEKDAYS)}\b)")
_PART: Final = re.compile(rf"\b(?:(?:in the|nel|nella|del|della|di|al|alla|la) )?(?P<part>{_any(PARTS)})\b")
_NOON: Final = re.compile(rf"\b(?:a )?(?:{_any(NOONS)})\b")
_CLOCK: Final = re.compile(
    rf"\b(?P<at>at |alle |all'|ore )?(?P<h>\d{{1,2}})(?:[:.h](?P<m>\d{{2}}))? ?(?P<half>am|pm)?\b|"
    rf"\b(?P<at2>at |alle |all'|ore )(?P<h2>{_any(NUMBERS)})\b"
)
# "alle nove e mezza", "at half past nine"
_HALF_PAST: Final = re.compile(
    rf"\b(?:(?:at )?half past (?P<h>\d{{1,2}}|{_any(NUMBERS)})|"
    rf"(?:alle )?(?P<h2>\d{{1,2}}|{_any(NUMBERS)}) e mezz[ao])\b"
)
# In how many days a month may be named by its number alone: this one's, or the next's.
_NEAR: Final = 62


@dataclass(frozen=True, slots=True)
class Meant:
    """What a phrase means: what her clock shows then (naive), and whether a day was named (a holiday moves it not).

    With `after_delivery` it is so many days after her order is in her hands, and `wall` is right if that were now.
    """

    wall: datetime
    is_named: bool = False
    after_delivery: int | None = None


class _Found(NamedTuple):
    day: date
    rest: str
    is_named: bool = True
    takes_number: bool = True  # a mere number besides it is an hour: "tomorrow 9", but not "Friday 9"


def read_phrase(text: str, now: datetime, zone: ZoneInfo) -> Meant | None:
    """What `text` means when it is said at `now` about a clock in `zone`; None when it can't be read to its end.

    A day without an hour means ten in the morning; a bare hour, its next time.
    """
    plain = _plain(text)
    here = wall_of(now, zone)
    if (found_at := _after_delivery(plain, here)) or (found_at := _soon(plain, now, zone)):
        return found_at
    found = _day(plain, here.date())
    at, rest = _time(found.rest, takes_number=found.takes_number) if found else _time(plain)
    if (found is None and at is None) or not set(re.findall(r"[^\s,']+", rest)) <= FILLERS:
        return None
    if found is None:
        assert at is not None
        wall = datetime.combine(here.date(), at)
        return Meant(wall if wall > here else wall + timedelta(days=1), is_named=True)
    return Meant(datetime.combine(found.day, at or MORNING), found.is_named)


def _plain(text: str) -> str:
    """In small letters without accents, and without what is always so."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("\u2019", "'"))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    plain = _HER_TIME.sub(
        "", without_silence(re.sub(r"\bun'", "un ", " ".join(plain.split()).replace("un paio d'", "un paio di ")))
    )
    plain = _HALF_PAST.sub(lambda found: f"at {_count(found['h'] or found['h2'])}:30", _THIS_WEEKDAY.sub("", plain))
    return " ".join(plain.split()).strip(" .,!")


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else NUMBERS[text]


def _so_many(found: re.Match[str]) -> tuple[int, str]:
    return _count(found["number"] or found["number2"] or found["number3"]), UNITS[
        found["unit"] or found["unit2"] or found["unit3"]
    ]


def _days(number: int, unit: str) -> int | None:
    each = {"days": 1, "weeks": 7, "fortnights": 14, "months": 30, "years": 365}.get(unit)
    return number * each if each else None


def _after_delivery(plain: str, here: datetime) -> Meant | None:
    """So many days after her order is delivered, perhaps at an hour."""
    found = _AFTER_DELIVERY.search(plain)
    days = _days(_count(found["number"] or "one"), UNITS[found["unit"]]) if found else None
    if found is None or days is None or days > _MOST_DAYS:
        return None
    at, rest = _time(_without(plain, found))
    if not set(re.findall(r"[^\s,']+", rest)) <= FILLERS:
        return None
    return Meant(datetime.combine(here.date() + timedelta(days=days), at or MORNING), after_delivery=days)


def _soon(plain: str, now: datetime, zone: ZoneInfo) -> Meant | None:
    """In so many minutes or hours: by the stopwatch, whatever the clock does meanwhile."""
    if span := _SPAN.fullmatch(plain):
        number, unit = SPANS[span["span"]], "minutes"
    elif found := _IN.fullmatch(plain):
        number, unit = _so_many(found)
    else:
        return None
    if unit not in {"minutes", "hours"}:
        return None
    then = now + timedelta(**{unit: number})
    return Meant(wall_of(then + timedelta(seconds=59), zone).replace(second=0, microsecond=0), is_named=True)


def _day(plain: str, today: date) -> _Found | None:
    """The day a phrase names or counts to, and what else it says."""
    for read in (_counted, _iso, _numeric, _with_month, _next_month, _of_month, _next_week, _relative, _weekday):
        if (found := read(plain, today)) is not None:
            return _of_that_weekday(found)
    return None


def _of_that_weekday(found: _Found) -> _Found:
    """A date may name its weekday too; the wrong one stays standing, and makes the phrase unreadable."""
    named = _WEEKDAY.search(found.rest)
    if named is None or WEEKDAYS[named[0]] != found.day.weekday():
        return found
    return found._replace(rest=_without(found.rest, named))


def _counted(plain: str, today: date) -> _Found | None:
    found = _IN.search(plain)
    if found is None:
        return None
    number, unit = _so_many(found)
    days = _days(number, unit)
    if days is None or days > _MOST_DAYS:
        return None
    months = {"months": number, "years": 12 * number}.get(unit)
    day = _in_months(today, months) if months else today + timedelta(days=days)
    return _Found(day, _without(plain, found), is_named=False)


def _in_months(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def _iso(plain: str, _today: date) -> _Found | None:
    found = _ISO.search(plain)
    if found is None:
        return None
    day = _date(int(found["y"]), int(found["m"]), int(found["d"]))
    return _Found(day, _without(plain, found)) if day else None


def _numeric(plain: str, today: date) -> _Found | None:
    found = _NUMERIC.search(plain)
    if found is None:
        return None
    day = _this_or_next(today, found["y"] or found["y2"], int(found["m"] or found["m2"]), int(found["d"]))
    return _Found(day, _without(plain, found)) if day else None


def _with_month(plain: str, today: date) -> _Found | None:
    found = _NAMED.search(plain)
    if found is None:
        return None
    month, number = MONTHS[found["m"] or found["m2"]], _day_number(found["d"] or found["d2"])
    day = _this_or_next(today, found["y"] or found["y2"], month, number)
    return _Found(day, _without(plain, found)) if day else None


def _day_number(text: str) -> int:
    return int(text) if text.isdecimal() else 1


def _of_month(plain: str, today: date) -> _Found | None:
    """The next day of that number, this month's or the next's; on its weekday, if one is named."""
    found = _OF_MONTH.search(plain)
    if found is None:
        return None
    number, weekday = int(found["d"] or found["d2"] or found["d3"]), found["weekday"]
    for day in (today + timedelta(days=days) for days in range(_NEAR)):
        if day.day == number and (weekday is None or WEEKDAYS[weekday] == day.weekday()):
            return _Found(day, _without(plain, found), takes_number=False)
    return None


def _next_month(plain: str, today: date) -> _Found | None:
    """The same day of it, or the one that is named; no weekday, for it has four or five of each."""
    found = _NEXT_MONTH.search(plain)
    if found is None or _WEEKDAY.search(plain):
        return None
    day = _in_months(today, 1)
    if found["d"] is None:
        return _Found(day, _without(plain, found), is_named=False, takes_number=False)
    named = _date(day.year, day.month, int(found["d"]))
    return _Found(named, _without(plain, found), takes_number=False) if named else None


def _next_week(plain: str, today: date) -> _Found | None:
    """Its Monday, or the weekday that is named."""
    found = _NEXT_WEEK.search(plain)
    if found is None:
        return None
    rest, monday = _without(plain, found), today + timedelta(days=7 - today.weekday())
    if (named := _WEEKDAY.search(rest)) is None:
        return _Found(monday, rest, is_named=False)
    return _Found(monday + timedelta(days=WEEKDAYS[named[0]]), _without(rest, named), takes_number=False)


def _relative(plain: str, today: date) -> _Found | None:
    if after := _DAY_AFTER.search(plain):
        return _Found(today + timedelta(days=2), _without(plain, after))
    if this := _TODAYS.search(plain):
        return _Found(today, _without(plain, this))
    for word, days in RELATIVE_DAYS.items():
        if found := re.search(rf"\b{word}\b", plain):
            rest = plain if word in PARTS else _without(plain, found)
            return _Found(today + timedelta(days=days), rest)
    return None


def _weekday(plain: str, today: date) -> _Found | None:
    found = _WEEKDAY.search(plain)
    if found is None:
        return None
    days = (WEEKDAYS[found[0]] - today.weekday()) % 7 or 7
    return _Found(today + timedelta(days=days), _without(plain, found), takes_number=False)


def _time(plain: str, *, takes_number: bool = False) -> tuple[time | None, str]:
    """The hour a phrase says, and what else it says; a mere number is an hour only where nothing else is meant."""
    named = _PART.search(plain)
    part = PARTS[named["part"]] if named else None
    rest = _without(plain, named) if named else plain
    if found := _CLOCK.search(rest):
        is_hour = takes_number or part or found["at"] or found["at2"] or found["m"] or found["half"]
        at = _clock(found, part) if is_hour else None
        return (at, _without(rest, found)) if at else (None, plain)
    if part:
        return part.usual, rest
    noon = _NOON.search(plain)
    return (time(12), _without(plain, noon)) if noon else (None, plain)


def _clock(found: re.Match[str], part: Part | None) -> time | None:
    """What a clock shows then; None for what it never shows, and for an hour of another part of the day."""
    hour, minute = _count(found["h"] or found["h2"]), int(found["m"] or 0)
    if found["half"]:
        hour = (
            hour % 12 + (12 if found["half"] == "pm" else 0)
            if 1 <= hour <= 12 and (hour, found["half"]) != (12, "am")
            else 24
        )
    elif part and hour < part.since:
        hour += 12
    is_shown = hour < 24 and minute < 60 and (part is None or part.since <= hour < part.until)
    return time(hour, minute) if is_shown else None


def _this_or_next(today: date, year: str | None, month: int, number: int) -> date | None:
    """The day of that year, or where none is said, its next time."""
    if year:
        return _date(int(year), month, number)
    day = _date(today.year, month, number)
    return day if day is not None and day >= today else _date(today.year + 1, month, number)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year < 2200 else None
    except ValueError:
        return None


def _without(plain: str, found: re.Match[str]) -> str:
    return " ".join(f"{plain[: found.start()]} {plain[found.end() :]}".split())
