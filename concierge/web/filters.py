"""What templates may call and filter with: assets, icons, and times as people say them."""

import math
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date as format_day
from babel.support import NullTranslations
from flask import Flask, g
from flask_babel import format_date, format_decimal, get_domain, get_locale, get_timezone, ngettext, to_user_timezone
from flask_babel import gettext as _

from concierge import clock
from concierge.addresses import readable
from concierge.web.assets import asset, icon


def waiting_words(span: timedelta) -> str:
    """Say how long something has waited, in one or two short units: "24 min", "3 h 10 min", "2 d"."""
    return _waiting(max(0, int(span.total_seconds() // 60)), get_locale())


@lru_cache(maxsize=4096)
def _waiting(minutes: int, _locale: Locale) -> str:
    hours, rest = divmod(minutes, 60)
    if hours == 0:
        return str(_("%(count)s min", count=minutes))
    if hours < 10 and rest:
        return str(_("%(count)s h", count=hours) + " " + _("%(count)s min", count=rest))
    if hours < 24:
        return str(_("%(count)s h", count=hours))
    return str(_("%(count)s d", count=hours // 24))


def waiting_since(moment: datetime) -> str:
    """Say how long ago an aware `moment` was, by the house's clock."""
    return waiting_words(clock.now() - moment)


def local_time(moment: datetime) -> str:
    """Say an aware `moment` in the reader's zone: the hour alone today, else the date, in other years with the year."""
    here, today = to_user_timezone(moment), to_user_timezone(clock.now())
    if here.date() == today.date():
        return f"{here:%H:%M}"
    return f"{local_day(moment)}, {here:%H:%M}" if here.year == today.year else local_day(moment)


def local_day(moment: datetime) -> str:
    """Say the day of an aware `moment` in the reader's zone, in other years with the year."""
    here, today = to_user_timezone(moment), to_user_timezone(clock.now())
    return _day(here.date(), "d MMM" if here.year == today.year else "d MMM y", get_locale())


def full_time(moment: datetime) -> str:
    """Say an aware `moment` with weekday, date and hour, as a title tells it."""
    return _full(moment, get_timezone(), get_locale())


@lru_cache(maxsize=4096)
def _full(moment: datetime, zone: tzinfo, locale: Locale) -> str:
    here = moment.astimezone(zone)
    return f"{_day(here.date(), 'EEEE d MMMM y', locale)}, {here:%H:%M}"


@lru_cache(maxsize=4096)
def _day(day: date, pattern: str, locale: Locale) -> str:
    """Kept, since a list says the same few days over and over."""
    return format_day(day, pattern, locale)


def month_name(moment: datetime) -> str:
    """Say the month and year of an aware `moment`: "March 2024"."""
    return str(format_date(moment, "MMMM y"))


def number(count: float, digits: int = 0) -> str:
    """Write a number as the reader's language groups it, with so many decimals behind its own point or comma."""
    if digits:
        return str(format_decimal(count, f"#,##0.{'0' * digits}"))
    return str(count) if 0 <= count < 1000 else str(format_decimal(count))  # nothing to group


def file_size(size: float, binary: bool = False) -> str:
    """Say how large a file is as the reader writes it: "49 bytes", "1.4 MB"; `binary` counts in 1,024s."""
    step = 1024 if binary else 1000
    if size < step:
        return str(ngettext("%(num)s byte", "%(num)s bytes", int(size)))
    units = ("KiB", "MiB", "GiB", "TiB") if binary else ("kB", "MB", "GB", "TB")
    power = min(int(math.log(size, step)), len(units))
    return f"{format_decimal(round(size / step**power, 1))} {units[power - 1]}"


def language_name(code: str) -> str:
    """Say a language in the reader's own: "Italian"; the code itself when nobody knows it."""
    try:
        named = Locale.parse(code, sep="-").get_language_name(get_locale())
    except (UnknownLocaleError, ValueError):
        named = None
    return str(named or code).capitalize()


def _translations() -> NullTranslations:
    """The reader's, looked up once a request: a page asks for some two hundred phrases."""
    here = g._get_current_object()
    try:
        return here.translations
    except AttributeError:
        here.translations = get_domain().get_translations()
        return here.translations


def init_app(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda words: _translations().ugettext(words),
        ngettext=lambda one, many, count: _translations().ungettext(one, many, count),
        pgettext=lambda context, words: _translations().upgettext(context, words),
        npgettext=lambda context, one, many, count: _translations().unpgettext(context, one, many, count),
        newstyle=True,
    )
    app.jinja_env.globals.update(asset=asset, icon=icon)
    app.jinja_env.filters.update(waiting_words=waiting_words, waiting_since=waiting_since)
    app.jinja_env.filters.update(local_time=local_time, local_day=local_day, full_time=full_time)
    app.jinja_env.filters.update(month_name=month_name, number=number, language_name=language_name)
    app.jinja_env.filters.update(filesizeformat=file_size, readable=readable)
