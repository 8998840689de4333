"""Public holidays by country: days on which nobody is written to unasked."""

from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache

from concierge.followups.schedule import no_holiday


def holidays_of(country: str) -> Callable[[date], bool]:
    """Says of a day whether it is a public holiday in the country (ISO 3166); nobody knows of any elsewhere."""
    return _holidays(country.upper()) if country else no_holiday


@cache
def _holidays(country: str) -> Callable[[date], bool]:
    import holidays  # read when first asked: only the worker and one page want to know

    if country not in holidays.list_supported_countries():
        return no_holiday

    @lru_cache(maxsize=2048)
    def is_holiday(day: date) -> bool:
        return day in _year(country, day.year)

    return is_holiday


@lru_cache(maxsize=256)
def _year(country: str, year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays(country, years=year))
