"""Reads when a mail shall leave as people say it, in English and Italian: "in 3 days", "venerdì alle 10"."""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from concierge.followups.schedule import wall_of
from concierge.followups.silence import without_silence

MORNING: Final = time(10)
_MOST_DAYS: Final = 730

_NUMBERS: Final = {
    name: number
    for number, names in enumerate(
        (
            "a an one un uno una", "two due", "three tre", "four quattro", "five cinque", "six sei", "seven sette",
            "eight otto", "nine nove", "ten dieci", "eleven undici", "twelve dodici",
        ),
        1,
    )
    for name in names.split()
} | {"quindici": 15, "fifteen": 15, "twenty": 20, "venti": 20, "thirty": 30, "trenta": 30}  # fmt: skip
_UNITS: Final = {
    "minute": "minutes", "minutes": "minutes", "minuto": "minutes", "minuti": "minutes",
    "hour": "hours", "hours": "hours", "ora": "hours", "ore": "hours",
    "day": "days", "days": "days", "giorno": "days", "giorni": "days",
    "week": "weeks", "weeks": "weeks", "settimana": "weeks", "settimane": "weeks",
    "month": "months", "months": "months", "mese": "months", "mesi": "months",
}  # fmt: skip
_WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon lunedi lun", "tuesday tue martedi mar", "wednesday wed mercoledi mer",
            "thursday thu giovedi gio", "friday fri venerdi ven", "saturday sat sabato sab", "sunday sun domenica dom",
        )
    )
    for name in names.split()
}  # fmt: skip
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan gennaio gen", "february feb febbraio", "march mar marzo", "april apr aprile",
            "may maggio mag", "june jun giugno giu", "july jul luglio lug", "august aug agosto ago",
            "september sep sept settembre set", "october oct ottobre ott", "november nov novembre",
            "december dec dicembre dic",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_RELATIVE_DAYS: Final = {
    "today": 0, "oggi": 0, "tonight": 0, "stasera": 0, "tomorrow": 1, "domani": 1, "dopodomani": 2,
}  # fmt: skip
_TIMES: Final = {
    "morning": MORNING, "mattina": MORNING, "mattino": MORNING, "noon": time(12), "midday": time(12),
    "mezzogiorno": time(12), "afternoon": time(15), "pomeriggio": time(15), "evening": time(18), "sera": time(18),
    "tonight": time(18), "stasera": time(18),
}  # fmt: skip
# Words that carry no date: what stands besides them and a date makes the phrase unreadable.
_FILLERS: Final = frozenset(
    "on the at by next coming this il alle all le ore prossimo prossima di del h o clock".split()
)


def _any(names: dict[str, int] | dict[str, str]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_NUMBER: Final = rf"(?P<number>\d{{1,3}}|{_any(_NUMBERS)})"
_UNIT: Final = rf"(?P<unit>{_any(_UNITS)})"
_HER_TIME: Final = re.compile(
    r",? ?\b(?:(?:by |in )?(?:her|his|their) (?:own )?(?:time|clock)|(?:l')?ora sua|(?:la )?sua ora)\b"
)
_IN: Final = re.compile(
    rf"\b(?:in|tra|fra|after|dopo) {_NUMBER} {_UNIT}\b|"
    rf"^{_NUMBER.replace('number', 'n2')} {_UNIT.replace('unit', 'u2')}$"
)
# What she waits for comes, as people say it; with or without a subject.
_DELIVERY: Final = (
    r"(?:it|they|this|everything|the (?:parcel|order|package)|her (?:parcel|order|package))"
    r"(?:'s| is| was| has| are| were| have)?(?: been)? ?(?:delivered|arrived?s?|there|come)|"
    r"she (?:has|gets|got|receives|received) (?:it|them|her order|the parcel)|"
    r"(?:the |its |her )?(?:delivery|arrival)|"
    r"(?:la |sua |la sua )?consegna|(?:l'|il suo )?arrivo|(?:che )?(?:e|sara|sono) (?:stat[oaie] )?"
    r"(?:consegnat|arrivat)[oaie]|(?:che )?l'ha (?:ricevut|avut)[oa]|(?:che )?arriva"
)
_AFTER_DELIVERY: Final = re.compile(
    rf"\b{_NUMBER} {_UNIT} (?:after|from|following|dopo|da(?:ll')?|dalla) ?(?:{_DELIVERY})\b"
)
_ISO: Final = re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})t?\b")
_NUMERIC: Final = re.compile(
    r"\b(?P<d>\d{1,2})(?:/(?P<m>\d{1,2})(?:/(?P<y>\d{4}))?|\.(?P<m2>\d{1,2})\.(?P<y2>\d{4}))(?!\d)"
)
_NAMED: Final = re.compile(
    rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of |di )?(?P<m>{_any(_MONTHS)})\b(?: (?P<y>\d{{4}})\b)?|"
    rf"\b(?P<m2>{_any(_MONTHS)}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y2>\d{{4}})\b)?"
)
_WEEKDAY: Final = re.compile(rf"\b(?:{_any(_WEEKDAYS)})\b")
_DAY_AFTER: Final = re.compile(r"\bthe day after tomorrow\b|\bday after tomorrow\b|\bdopo domani\b")
_CLOCK: Final = re.compile(r"\b(?P<h>\d{1,2})(?:[:.h](?P<m>\d{2}))? ?(?P<half>am|pm)?\b")


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


def read_phrase(text: str, now: datetime, zone: ZoneInfo) -> Meant | None:
    """What `text` means when it is said at `now` about a clock in `zone`; None when it can't be read to its end.

    A day without an hour means ten in the morning; a bare hour, its next time.
    """
    plain = _plain(text)
    here = wall_of(now, zone)
    if (found_at := _after_delivery(plain, here)) or (found_at := _soon(plain, now, zone)):
        return found_at
    found = _day(plain, here.date())
    rest = found.rest if found else plain
    at, rest = _time(rest)
    if (found is None and at is None) or not set(re.findall(r"[^\s,']+", rest)) <= _FILLERS:
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
    plain = _HER_TIME.sub("", without_silence(re.sub(r"\bun'", "un ", " ".join(plain.split()))))
    return " ".join(plain.split()).strip(" .,!")


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else _NUMBERS[text]


def _days(number: int, unit: str) -> int | None:
    return {"days": number, "weeks": 7 * number, "months": 30 * number}.get(unit)


def _after_delivery(plain: str, here: datetime) -> Meant | None:
    """So many days after her order is delivered, perhaps at an hour."""
    found = _AFTER_DELIVERY.search(plain)
    days = _days(_count(found["number"]), _UNITS[found["unit"]]) if found else None
    if found is None or days is None or days > _MOST_DAYS:
        return None
    at, rest = _time(_without(plain, found))
    if not set(re.findall(r"[^\s,']+", rest)) <= _FILLERS:
        return None
    return Meant(datetime.combine(here.date() + timedelta(days=days), at or MORNING), after_delivery=days)


def _soon(plain: str, now: datetime, zone: ZoneInfo) -> Meant | None:
    """In so many minutes or hours: by the stopwatch, whatever the clock does meanwhile."""
    found = _IN.fullmatch(plain)
    if found is None or (unit := _UNITS[found["unit"] or found["u2"]]) not in {"minutes", "hours"}:
        return None
    then = now + timedelta(**{unit: _count(found["number"] or found["n2"])})
    return Meant(wall_of(then + timedelta(seconds=59), zone).replace(second=0, microsecond=0), is_named=True)


def _day(plain: str, today: date) -> _Found | None:
    """The day a phrase names or counts to, and what else it says."""
    for read in (_counted, _iso, _numeric, _with_month, _relative, _weekday):
        if (found := read(plain, today)) is not None:
            return _of_that_weekday(found)
    return None


def _of_that_weekday(found: _Found) -> _Found:
    """A date may name its weekday too; the wrong one stays standing, and makes the phrase unreadable."""
    named = _WEEKDAY.search(found.rest)
    if named is None or _WEEKDAYS[named[0]] != found.day.weekday():
        return found
    return found._replace(rest=_without(found.rest, named))


def _counted(plain: str, today: date) -> _Found | None:
    found = _IN.search(plain)
    if found is None:
        return None
    number, unit = _count(found["number"] or found["n2"]), _UNITS[found["unit"] or found["u2"]]
    days = _days(number, unit)
    if days is None or days > _MOST_DAYS:
        return None
    day = _in_months(today, number) if unit == "months" else today + timedelta(days=days)
    return _Found(day, _without(plain, found), is_named=False)


def _in_months(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def _iso(plain: str, _today: date) -> _Found | None:
    found = _ISO.search(plain.replace("t", "t ") if re.search(r"\d{4}-\d{2}-\d{2}t\d", plain) else plain)
    if found is None:
        return None
    day = _date(int(found["y"]), int(found["m"]), int(found["d"]))
    return _Found(day, _without(found.string, found)) if day else None


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
    month, number = _MONTHS[found["m"] or found["m2"]], int(found["d"] or found["d2"])
    day = _this_or_next(today, found["y"] or found["y2"], month, number)
    return _Found(day, _without(plain, found)) if day else None


def _relative(plain: str, today: date) -> _Found | None:
    if after := _DAY_AFTER.search(plain):
        return _Found(today + timedelta(days=2), _without(plain, after))
    for word, days in _RELATIVE_DAYS.items():
        if found := re.search(rf"\b{word}\b", plain):
            rest = plain if word in _TIMES else _without(plain, found)
            return _Found(today + timedelta(days=days), rest)
    return None


def _weekday(plain: str, today: date) -> _Found | None:
    found = _WEEKDAY.search(plain)
    if found is None:
        return None
    days = (_WEEKDAYS[found[0]] - today.weekday()) % 7 or 7
    return _Found(today + timedelta(days=days), _without(plain, found))


def _time(plain: str) -> tuple[time | None, str]:
    """The hour a phrase says, and what else it says."""
    if found := _CLOCK.search(plain):
        hour, minute = int(found["h"]), int(found["m"] or 0)
        if found["half"] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if found["half"] == "pm" else 0)
        return (time(hour, minute), _without(plain, found)) if hour < 24 and minute < 60 else (None, plain)
    for word, at in _TIMES.items():
        if found := re.search(rf"\b{word}\b", plain):
            return at, _without(plain, found)
    return None, plain


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
