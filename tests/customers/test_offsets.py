"""The zone her mails speak for: seen over the year, never from what machines write."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from concierge.customers.offsets import MOST, Sighting, add_sighting, read_zone
from concierge.customers.zones import Whence, candidates, countries, guess_from_mails, whence, zone_of, zones_in

WINTER, SUMMER = datetime(2026, 1, 14, 9, tzinfo=UTC), datetime(2026, 7, 14, 9, tzinfo=UTC)
HOUSE = ZoneInfo("Europe/Rome")


def seen(*pairs: tuple[datetime, int]) -> list[Sighting]:
    return [Sighting(at + timedelta(days=number), minutes) for number, (at, minutes) in enumerate(pairs)]


def written_in(zone: str, *moments: datetime) -> list[Sighting]:
    offsets = [each.astimezone(ZoneInfo(zone)).utcoffset() for each in moments]
    return [
        Sighting(at, int(each / timedelta(minutes=1)))
        for at, each in zip(moments, offsets, strict=True)
        if each is not None
    ]


@pytest.mark.parametrize(
    ("sightings", "country", "language", "zone"),
    [
        # no country known: language first, then where most people live
        (seen((WINTER, 60), (SUMMER, 120)), "", "it", "Europe/Rome"),
        (seen((WINTER, 60), (SUMMER, 120)), "", "de", "Europe/Berlin"),
        (seen((WINTER, 0), (SUMMER, 60)), "", "en", "Europe/London"),
        (seen((WINTER, 0), (SUMMER, 60)), "", "pt", "Europe/Lisbon"),
        (seen((WINTER, -300), (SUMMER, -240)), "", "en", "America/New_York"),
        (seen((WINTER, -480), (SUMMER, -420)), "", "en", "America/Los_Angeles"),
        (seen((WINTER, -420), (SUMMER, -420)), "", "en", "America/Phoenix"),
        (seen((WINTER, 540), (SUMMER, 540)), "", "en", "Asia/Tokyo"),
        (seen((WINTER, 660), (SUMMER, 600)), "", "en", "Australia/Sydney"),
        (seen((WINTER, 330)), "", "en", "Asia/Kolkata"),
        # a country with several zones: they tell which
        (seen((WINTER, -480), (SUMMER, -420)), "US", "it", "America/Los_Angeles"),
        (seen((WINTER, 0), (SUMMER, 60)), "ES", "es", "Atlantic/Canary"),
        # one with a single zone, or that they don't fit, is believed before them
        (seen((WINTER, -480), (SUMMER, -420)), "IT", "it", ""),
        (seen((WINTER, 60), (SUMMER, 120)), "US", "en", ""),
        # servers write UTC for everybody; nobody lives at 13 hours 45 minutes and 7 hours at once
        (seen((WINTER, 0), (SUMMER, 0)), "", "en", ""),
        (seen((WINTER, 825), (SUMMER, -420)), "", "en", ""),
        ([], "", "en", ""),
    ],
)  # fmt: skip
def test_the_offsets_of_a_year_tell_a_zone(sightings, country, language, zone):
    assert guess_from_mails(sightings, country=country, language=language) == zone


def test_somebody_who_travels_is_at_home_in_three_of_four():
    home = [(WINTER, 60)] * 3
    assert guess_from_mails(seen(*home, (WINTER, -300)), country="", language="it") == "Europe/Rome"
    assert guess_from_mails(seen(*home, (WINTER, -300), (WINTER, -300)), country="", language="it") == ""


def test_of_every_country_each_zone_is_told_by_a_year_of_mails():
    """Not always by its name, but by its hours: on no day of the year is she written to by another clock."""
    year = [WINTER + timedelta(days=30 * number) for number in range(12)]
    wrong = []
    for country in countries():
        zones = zones_in(country)
        for zone in zones[:3]:
            mails = written_in(zone, *year)
            found = zone_of(guess_from_mails(mails, country=country, language="en"), country, HOUSE)
            is_silent = len(zones) == 1 or not any(each.minutes for each in mails)
            if (found.key != zones[0]) if is_silent else (written_in(found.key, *year) != mails):
                wrong.append((country, zone, found.key))
    assert len(countries()) > 240 and not wrong


def test_one_a_day_is_kept_and_the_latest_days():
    kept: tuple[Sighting, ...] = ()
    for number in range(3 * MOST):
        kept = add_sighting(kept, Sighting(WINTER + timedelta(hours=8 * number), 60))
    assert len(kept) == MOST and kept[-1].at.date() == (WINTER + timedelta(hours=8 * (3 * MOST - 1))).date()
    flown = add_sighting(kept, Sighting(kept[-1].at + timedelta(hours=1), -300))
    assert len(flown) == MOST and flown[-1].minutes == -300


def test_a_zone_says_where_it_comes_from():
    assert whence("Europe/Paris", "Asia/Tokyo", "IT") is Whence.HERS
    assert whence("", "America/Denver", "US") is Whence.MAILS
    assert whence("", "", "us") is Whence.COUNTRY
    assert whence("", "", "") is Whence.HOUSE
    assert whence("Atlantis/Harbour", "", "") is Whence.HOUSE
    assert read_zone([Sighting(WINTER, 60)], []) == ""
    assert candidates("IT", "it") == () and candidates("", "xx")[0] == "Europe/Rome"
