"""Days on which nobody is written to unasked: public holidays where she lives, days on which the house is closed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache


def no_holiday(_day: date) -> bool:
    """A country without holidays."""
    return False


@dataclass(frozen=True, slots=True)
class Closing:
    """The days on which the house is closed, by its own calendar: nobody would be there when she answers."""

    is_closed: Callable[[date], bool] = no_holiday
    zone: tzinfo = UTC

    def holds(self, moment: datetime) -> bool:
        """Whether the house is closed at an aware moment."""
        return self.is_closed(moment.astimezone(self.zone).date())


ALWAYS_OPEN = Closing()


def holidays_of(country: str) -> Callable[[date], bool]:
    """Says of a day whether it is a public holiday in the country (ISO 3166); nobody knows of any elsewhere."""
    return _holidays(country.upper()) if country else no_holiday


@cache
def _holidays(country: str) -> Callable[[date], bool]:
    import holidays  # read when first asked: it is slow to read, and few processes want to know

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
