"""Days and hours as a customer's own clock shows them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_timezone_location
from flask_babel import gettext as _

from concierge.config import locale_of


def held_words(until: datetime, *, zone: ZoneInfo, is_hers: bool, language: str, now: datetime) -> str:
    """ "Friday, 14:00 (your time)"; with the date when it is more than six days off, in the house's city if need be."""
    here = until.astimezone(zone)
    is_near = here.date() - now.astimezone(zone).date() < timedelta(days=6)
    moment = format_datetime(here, "EEEE, HH:mm" if is_near else "EEEE d MMMM, HH:mm", locale=locale_of(language))
    if is_hers:
        return str(_("%(moment)s (your time)", moment=moment))
    city = get_timezone_location(zone, locale=locale_of(language), return_city=True)
    return str(_("%(moment)s (time in %(city)s)", moment=moment, city=city))


def day_words(day: date | datetime, language: str, zone: ZoneInfo | None = None) -> str:
    """ "3 May 2026"."""
    if isinstance(day, datetime):
        day = day.astimezone(zone).date()
    return str(format_date(day, "d MMMM y", locale=locale_of(language)))
