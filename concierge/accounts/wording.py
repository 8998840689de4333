"""How an editor's absence is said on pages."""

from datetime import date

from flask_babel import format_date
from flask_babel import gettext as _

from concierge.accounts.absences import Away

_A_WEEK = 7


def away_words(away: Away, today: date) -> str:
    """Until when she is away, on a day of her calendar on which she is: "away until Friday"."""
    days = (away.last_day - today).days
    if days <= 0:
        return str(_("away today"))
    if days == 1:
        return str(_("away until tomorrow"))
    day = format_date(away.last_day, "EEEE") if days < _A_WEEK else _day(away.last_day, today)
    return str(_("away until %(day)s", day=day))


def span_words(away: Away, today: date) -> str:
    """From which day to which, both among them."""
    if away.first_day == away.last_day:
        return _day(away.first_day, today)
    return str(_("%(first)s to %(last)s", first=_day(away.first_day, today), last=_day(away.last_day, today)))


def _day(day: date, today: date) -> str:
    return str(format_date(day, "EEEE d MMMM" if day.year == today.year else "EEEE d MMMM y"))
