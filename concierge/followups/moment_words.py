"""The words of moments in English and Italian, in small letters without accents: numbers, units, days."""

from datetime import time
from typing import Final, NamedTuple

MORNING: Final = time(10)

NUMBERS: Final = {
    name: number
    for number, names in enumerate(
        (
            "a an one un uno una", "two due", "three tre", "four quattro", "five cinque", "six sei", "seven sette",
            "eight otto", "nine nove", "ten dieci", "eleven undici", "twelve dodici",
        ),
        1,
    )
    for name in names.split()
} | {"quindici": 15, "fifteen": 15, "twenty": 20, "venti": 20, "thirty": 30, "trenta": 30} | {
    "a couple of": 2, "un paio di": 2,
}  # fmt: skip
UNITS: Final = {
    "minute": "minutes", "minutes": "minutes", "minuto": "minutes", "minuti": "minutes",
    "hour": "hours", "hours": "hours", "ora": "hours", "ore": "hours",
    "day": "days", "days": "days", "giorno": "days", "giorni": "days",
    "week": "weeks", "weeks": "weeks", "settimana": "weeks", "settimane": "weeks",
    "fortnight": "fortnights", "fortnights": "fortnights",
    "month": "months", "months": "months", "mese": "months", "mesi": "months",
    "year": "years", "years": "years", "anno": "years", "anni": "years",
}  # fmt: skip
WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon lunedi lun", "tuesday tue martedi mar", "wednesday wed mercoledi mer",
            "thursday thu giovedi gio", "friday fri venerdi ven", "saturday sat sabato sab", "sunday sun domenica dom",
        )
    )
    for name in names.split()
}  # fmt: skip
MONTHS: Final = {
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
# Parts of an hour, in minutes; "un'" is read as "un ".
SPANS: Final = {
    "half an hour": 30, "a half hour": 30, "mezz'ora": 30, "mezzora": 30, "mezza ora": 30, "una mezz'ora": 30,
    "a quarter of an hour": 15, "un quarto d'ora": 15, "three quarters of an hour": 45, "tre quarti d'ora": 45,
    "an hour and a half": 90, "un ora e mezza": 90, "un ora e mezzo": 90,
}  # fmt: skip
RELATIVE_DAYS: Final = {
    "today": 0, "oggi": 0, "tonight": 0, "stasera": 0, "tomorrow": 1, "domani": 1, "domattina": 1, "dopodomani": 2,
}  # fmt: skip
NOONS: Final = ("noon", "midday", "mezzogiorno")


class Part(NamedTuple):
    """A part of the day: its hour when none is said, and the hours [since, until) that belong to it."""

    usual: time
    since: int
    until: int


_MORNING, _AFTERNOON, _EVENING = Part(MORNING, 1, 12), Part(time(15), 12, 19), Part(time(18), 17, 24)
PARTS: Final = {
    "morning": _MORNING, "mattina": _MORNING, "mattino": _MORNING, "domattina": _MORNING,
    "afternoon": _AFTERNOON, "pomeriggio": _AFTERNOON,
    "evening": _EVENING, "sera": _EVENING, "tonight": _EVENING, "stasera": _EVENING,
}  # fmt: skip
# Words that carry no date: what stands besides them and a date makes the phrase unreadable.
FILLERS: Final = frozenset(
    "on the at by next coming this il l alle all le ore prossimo prossima di del h o clock".split()
)
