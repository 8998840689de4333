"""The names of all time zones; found once a process, for the library reads the whole folder of them each time."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """Every zone by its IANA name."""
    return frozenset(available_timezones())
