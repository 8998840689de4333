"""By which day something is promised: "on Tuesday next week", "entro fine mese"; rather none than a wrong one."""

import re
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import count, islice
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from concierge.followups.moment_words import MONTHS, NUMBERS, WEEKDAYS
from concierge.followups.moments import read_phrase
from concierge.followups.schedule import wall_of

_FRIDAY: Final = 4
_SUNDAY: Final = 6
_MOST_WORDS: Final = 5
# No sentence is longer; nobody shall wait for one that is.
_LONGEST: Final = 2000
# What has been read already, and what can't be: nothing else is read out of it, nor a day beside it.
_BLANK: Final = "#"

_A_WEEKDAY: Final = rf"(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})"
_A_MONTH: Final = rf"(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})"
_WEEKDAY: Final = re.compile(rf"\b{_A_WEEKDAY}\b")
# How many weeks ahead it is.
_WEEKS: Final = (
    (2, re.compile(r"\b(?:week after next|settimana dopo la prossima)\b")),
    (1, re.compile(r"\b(?:next week(?!'|\w)|prossima settimana|settimana prossima)\b")),
    (
        0,
        re.compile(
            r"\b(?:this week(?!')|end of (?:the|this) week(?! after)|(?:before|by) the weekend|questa settimana|"
            r"in settimana|(?:entro|per|a) (?:la )?(?:fine (?:della |di questa )?)?settimana(?! prossima| dopo)|"
            r"fine della settimana(?! prossima| dopo)|(?:prima del|entro il) (?:fine settimana|weekend))\b"
        ),
    ),
)
_MONTH_END: Final = re.compile(
    rf"\b(?:end of|fine(?: del(?:l')?| di)?) ?(?:(?P<this>(?:the |this |questo )?(?:month|mese)\b(?! prossimo| dopo))|"
    rf"(?P<next>next month|prossimo mese|mese prossimo)|(?P<name>{_A_MONTH})\b(?!,? (?:of |del )?\d{{4}}))|"
    r"(?P<within>\bmonth(?:'?s)?[ -]end\b|\bentro (?:il|questo) mese\b(?! prossimo| di))"
)
_NEXT_MONTH: Final = re.compile(r"\b(?:next month|prossimo mese|mese prossimo)\b")
# "early next week" is no day, nor is "after the end of the month".
_VAGUE: Final = re.compile(
    r"\b(?:early|earlier|mid|middle|start|beginning|inizio|inizi|meta|primi|after|dopo|since|from|da|dalla|not|non|last)"
    r"[\s-](?:(?:of|in|the|di|della|la|il)\s)*$"
)
# What may stand between a weekday and its week: "Tuesday morning next week", "next week, on Tuesday or Wednesday".
_BETWEEN: Final = re.compile(
    rf"(?:[\s,–-]|\b(?:on|by|of|in|the|or|and|at|already|morning|afternoon|evening|[ap]m|di|del|della|la|entro|nella|o|e|"
    rf"gia|mattina|pomeriggio|sera|alle|ore|\d{{1,2}}(?:[.:]\d\d)?|{_A_WEEKDAY})\b)*"
)
# What stands before a day by which something is to be done, and the days that need nothing before them.
_A_DATE: Final = rf"(?:\d{{1,2}}[°º]?|primo) (?:di )?{_A_MONTH}\b|\d{{1,2}}/\d"
_BY: Final = re.compile(
    r"\b(?:(?:by|before|until|within|on|in|entro|per|prima di|tra|fra|nel giro di)\b (?:il |the )?|prima del |"
    rf"(?:(?:al|il) |(?:all|l|dell)')(?={_A_DATE})|"
    rf"(?=the day after tomorrow|dopo domani|(?:today|tonight|tomorrow|oggi|stasera|domani|dopodomani|{_A_WEEKDAY})\b))"
)
# "the first Friday", "after Friday", "two weeks on Friday", "non prima di venerdì": another day than that one, or none.
_NOT_THAT: Final = re.compile(
    # "la sfilata di venerdì", but "la mattina di venerdì"
    r"(?<!giornata)(?<!mattina)(?<!mattinata)(?<!serata)(?<!\bsera)(?<!pomeriggio)(?<!\d) d(?:i|el) $|"
    r"\b(?:after|since|from|dopo|da|dal|dalla|last|second|third|fourth|ultimo|secondo|terzo|quarto|first|primo|"
    r"weeks?|settiman[ae]|months?|mes[ei]|not|non)[\s,]+$"
)
# … and so are "Friday week", "Friday in two weeks", "venerdì di giugno", and "Friday 14" where 14 could not be read.
_ANOTHER: Final = re.compile(
    rf"[\s,]*(?:(?:of|in|the|on|della|del|dell'|di)\s+)*(?:{_BLANK}|week\b|fortnight|settiman|month|mes[ei]\b|year|"
    r"ann[oi]\b|"
    r"next\b|following|seguente|success|scors|last\b|(?:after|dopo)(?: next| that|[.,;!]|$)|\d|"
    r"(?:in|tra|fra) (?:\w+ ){1,2}(?:week|settiman|month|mes|day|giorn))|"
    rf"[\s,]*(?:of|in|di|a) {_A_MONTH}\b|[\s,]*(?:(?:on|di|il) )?{_A_WEEKDAY}\b"
)
_DEADLINE: Final = re.compile(r"by |entro |per ")
# … and "next Friday", "venerdi prossimo" are no bare weekday.
_WEEKDAY_FIRST: Final = rf"{_A_WEEKDAY}\b(?!.*\b(?:next|prossimo|prossima)\b).*"
_TODAY: Final = re.compile(r"\b(?:later today|this (?:afternoon|evening)|within the hour)\b")
# "within five working days": no Saturday and no Sunday counts.
_WORKING: Final = re.compile(
    rf"\b(?:within|in|entro|tra|fra|nel giro di)\s(?:the next )?(?P<number>\d{{1,2}}|{'|'.join(NUMBERS)})\s"
    r"(?:(?:working|business)[\s-]days?\b|giorn[oi] (?:lavorativ|feriali|feriale)\w*)"
)
# … which may be another day's: "by the end of the day on Friday".
_OF_A_DAY: Final = re.compile(
    r"\b(?:by (?:the )?end of (?:the )?day|in giornata|entro (?:la )?(?:fine )?giornata|entro la fine della giornata)\b"
)
_CLAUSE: Final = re.compile(r"[;:,](?!\d)|\s(?:and|but|while|then|e|ed|ma|mentre|poi)\s")

# What she shall do, or said.
_HERS: Final = re.compile(
    r"\b(?:you|your|please|(?:let|tell) (?:me|us)|mi (?:dica|faccia sapere|scriva|mandi|risponda)|"
    r"ci (?:dica|faccia sapere)|potrebbe|vorrebbe|lei|sua)\b"
)


class _Day(NamedTuple):
    at: int  # where in the sentence
    day: date


class _Week(NamedTuple):
    at: int
    until: int
    monday: date
    is_vague: bool


def day_promised(plain: str, promised_at: int, said_at: datetime, zone: ZoneInfo) -> date | None:
    """The first day that a sentence names, in small letters without accents, which promises something at that place.

    A day before the clause that promises counts only where none stands in it or behind ("On Friday I am in Paris, but
    I'll write on Monday"), and where it is not hers ("Tell me by Friday, and I'll put it aside").
    """
    plain, today = plain[:_LONGEST], wall_of(said_at, zone).date()
    clauses = [0, *(found.end() for found in _CLAUSE.finditer(plain))]
    since = clauses[bisect_right(clauses, promised_at) - 1]
    days = [each for each in _days(plain, clauses, said_at, zone) if each.day >= today]
    before = (each.day for each in days if not _HERS.search(plain[clauses[_clause(clauses, each.at) - 1] : since]))
    return min((each.day for each in days if each.at >= since), default=min(before, default=None))


def _days(plain: str, clauses: Sequence[int], said_at: datetime, zone: ZoneInfo) -> list[_Day]:
    today = wall_of(said_at, zone).date()
    days, rest = _in_weeks(plain, clauses, today)
    ends, rest = _ends_of_months(rest, today)
    days += ends
    days += [_Day(found.start(), today) for found in _TODAY.finditer(plain)]
    for found in _WORKING.finditer(rest):
        days.append(_Day(found.start(), _working_day(today, found["number"])))
        rest = _blanked(rest, [found.span()])
    days += _named_days(rest, said_at, zone)
    if not days and (found_day := _OF_A_DAY.search(plain)):
        days.append(_Day(found_day.start(), today))
    return days


def _in_weeks(plain: str, clauses: Sequence[int], today: date) -> tuple[list[_Day], str]:
    """The days of weeks that are named, and the sentence without them; a week without a weekday means its Friday.

    A weekday that stands in one clause with a week but not beside it may be of that week or not, so neither counts.
    """
    days, read, weekdays = [], [], list(_WEEKDAY.finditer(plain))
    for week in _weeks(plain, today):
        read.append((week.at, week.until))
        beside = [each for each in weekdays if _is_beside(plain, week, each)]
        astray = [each for each in weekdays if _clause(clauses, each.start()) == _clause(clauses, week.at)]
        if beside:
            days += [_Day(min(week.at, each.start()), week.monday + _weekday(each)) for each in beside]
        elif not astray and not week.is_vague:
            days.append(_Day(week.at, _last(week, today)))
        read += [each.span() for each in beside or astray]
    return days, _blanked(plain, read)


def _weeks(plain: str, today: date) -> Iterator[_Week]:
    monday = today - timedelta(days=today.weekday())
    for ahead, pattern in _WEEKS:
        for found in pattern.finditer(plain):
            is_vague = _VAGUE.search(plain, 0, found.start()) is not None
            yield _Week(found.start(), found.end(), monday + timedelta(weeks=ahead), is_vague)


def _is_beside(plain: str, week: _Week, weekday: re.Match[str]) -> bool:
    between = plain[week.until : weekday.start()] if week.at < weekday.start() else plain[weekday.end() : week.at]
    return _BETWEEN.fullmatch(between) is not None


def _clause(clauses: Sequence[int], at: int) -> int:
    return bisect_right(clauses, at)


def _weekday(found: re.Match[str]) -> timedelta:
    return timedelta(days=WEEKDAYS[found[0]])


def _last(week: _Week, today: date) -> date:
    friday = week.monday + timedelta(days=_FRIDAY)
    return friday if friday >= today else week.monday + timedelta(days=_SUNDAY)


def _ends_of_months(plain: str, today: date) -> tuple[list[_Day], str]:
    days, read = [], [found.span() for found in _NEXT_MONTH.finditer(plain)]
    for found in _MONTH_END.finditer(plain):
        month = MONTHS[found["name"]] if found["name"] else (today.month % 12 + 1 if found["next"] else today.month)
        year = today.year + (month < today.month)
        if not _VAGUE.search(plain, 0, found.start()):
            days.append(_Day(found.start(), date(year, month, monthrange(year, month)[1])))
        read.append(found.span())
    return days, _blanked(plain, read)


def _working_day(today: date, number: str) -> date:
    """The last of so many days on which people work."""
    ahead = (today + timedelta(days=days) for days in count(1))
    return next(islice((day for day in ahead if day.weekday() <= _FRIDAY), _count_of(number) - 1, None))


def _count_of(number: str) -> int:
    return max(1, int(number)) if number.isdecimal() else NUMBERS[number]


def _named_days(plain: str, said_at: datetime, zone: ZoneInfo) -> Iterator[_Day]:
    """The days by which, one behind the other; what stands in what was read, or makes another day of it, is over."""
    over = 0
    for found in _BY.finditer(plain):
        if found.start() < over:
            continue
        day, over = (
            (None, found.end() + 1)
            if _NOT_THAT.search(plain, 0, found.start())
            else _named(plain, found, said_at, zone)
        )
        if day is not None:
            yield _Day(found.start(), day)


def _named(plain: str, found: re.Match[str], said_at: datetime, zone: ZoneInfo) -> tuple[date | None, int]:
    """The day of the longest run of words behind this place that can be read as one, and where it ends."""
    is_span = re.match(r"(?:within|in|tra|fra|entro|nel giro di)\b", found[0]) is not None
    here = wall_of(said_at, zone)
    ends = [found.end() + word.end() for word in re.finditer(r"\S+", plain[found.end() :])][:_MOST_WORDS]
    for end in reversed(ends):
        phrase = plain[found.end() : end].strip(" .,!;:)")
        if phrase.endswith(" o"):  # "lunedì o martedì", and no "o'clock"
            continue
        if phrase.isdecimal():
            phrase = f"il {phrase}" if found[0].endswith("il ") else ""
        for said in (phrase, f"in {phrase}", f"al{phrase}") if is_span else (phrase,):  # "entro le 15"
            if meant := read_phrase(said, said_at, zone):
                another = _ANOTHER.match(plain, end)
                return (None, another.end()) if another else (_by_today(found[0], phrase, meant.wall, here), end)
    return None, 0


def _by_today(before: str, phrase: str, wall: datetime, here: datetime) -> date:
    """The day of `wall`; but "by Friday", said on a Friday, is this one, unless its hour is over or the next is meant.

    Whoever meant the next is reminded too early; whoever meant this one would have been reminded a week too late.
    """
    this = wall - timedelta(weeks=1)
    is_said_today = this.date() == here.date() and _DEADLINE.match(before) and re.fullmatch(_WEEKDAY_FIRST, phrase)
    return this.date() if is_said_today and (this > here or not re.search(r"\d", phrase)) else wall.date()


def _blanked(plain: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        plain = f"{plain[:start]}{_BLANK * (end - start)}{plain[end:]}"
    return plain
