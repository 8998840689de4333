"""Wall times, quiet hours and holidays, in every zone of the world and over every turning of its clocks."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.customers.feasts import holidays_of
from concierge.followups.conditions import opening
from concierge.followups.schedule import Window, in_days, instant_of, next_open, wall_of

ROME = ZoneInfo("Europe/Rome")
# Each turns its clocks in a way of its own: by half an hour, at midnight, backwards for Ramadan, not at all …
ODD = (
    "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut", "America/Havana",
    "Pacific/Chatham", "America/Santiago", "Africa/Cairo", "Asia/Gaza", "Antarctica/Troll", "Asia/Kathmandu",
    "Pacific/Apia", "America/St_Johns",
)  # fmt: skip
EVERY = sorted(available_timezones()) if os.environ.get("CONCIERGE_TESTS_ZONES") == "full" else ODD
FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@cache
def turnings(name: str) -> tuple[datetime, ...]:
    """Every instant from 2026 to 2030 at which the zone's clocks are turned."""
    zone, found, step = ZoneInfo(name), [], timedelta(hours=48)
    moment, offset = FROM, FROM.astimezone(zone).utcoffset()
    while moment < UNTIL:
        later = (moment + step).astimezone(zone).utcoffset()
        if later != offset:
            before, after = moment, moment + step
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) / 2
                before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
            found.append(after.replace(microsecond=0))
            offset = later
        moment += step
    return tuple(found)


def around(moment: datetime, hours: int = 3) -> Iterator[datetime]:
    """Every quarter of an hour near an instant."""
    for quarter in range(-4 * hours, 4 * hours + 1):
        yield moment + quarter * QUARTER


@pytest.mark.parametrize("name", EVERY)
def test_each_wall_time_has_one_instant_and_none_is_lost(name: str):  # F14
    zone = ZoneInfo(name)
    for turning in turnings(name):
        walls = [wall_of(turning - timedelta(hours=3), zone) + each * QUARTER for each in range(25)]
        instants = [instant_of(wall, zone) for wall in walls]
        assert instants == sorted(instants), "the order of wall times is the order of instants"
        for wall, instant in zip(walls, instants, strict=True):
            shown = wall_of(instant, zone)
            if shown == wall:
                assert wall_of(instant - timedelta(hours=1), zone) != wall, "of two, the first"
            else:  # a time the clock skips: the moment it jumps, and not a minute later
                assert instant == turning
                assert wall_of(instant - timedelta(seconds=1), zone) < wall < shown


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_sent_in_quiet_hours_and_nothing_waits_longer_than_it_must(name: str):  # F14
    zone = ZoneInfo(name)
    for window in (Window(9, 20), Window(0, 24), Window(2, 3), Window(1, 24, frozenset({5, 6}))):
        for turning in turnings(name):
            for moment in around(turning, hours=2):
                found = next_open(moment, zone, window)
                assert found >= moment
                assert window.shows(wall_of(found, zone))
                earlier = moment
                while earlier < min(found, moment + timedelta(hours=12)):
                    assert not window.shows(wall_of(earlier, zone)), "it was open before"
                    earlier += QUARTER


def test_a_time_that_does_not_exist_moves_to_the_next_minute_that_does():
    assert instant_of(datetime(2026, 3, 29, 2, 30), ROME) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_time_that_occurs_twice_is_the_first():
    assert instant_of(datetime(2026, 10, 25, 2, 30), ROME) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_wall_time_is_kept_over_the_turning_of_the_clocks():
    now = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)  # 16:00 in Rome, two days before summer time
    wall = in_days(now, 3, datetime(2026, 1, 1, 10).time(), ROME)
    assert instant_of(wall, ROME) == datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


def test_a_holiday_of_her_country_is_passed_over_unless_its_day_was_named():
    christmas, window = datetime(2026, 12, 25, 10), Window(9, 20)
    assert opening(christmas, ROME, "IT", window, is_named=False) == datetime(2026, 12, 27, 8, 0, tzinfo=UTC)
    assert opening(christmas, ROME, "IT", window, is_named=True) == datetime(2026, 12, 25, 9, 0, tzinfo=UTC)
    assert opening(christmas, ROME, "JP", window, is_named=False) == datetime(2026, 12, 25, 9, 0, tzinfo=UTC)


def test_holidays_are_each_countrys_own():
    assert holidays_of("it")(date(2026, 6, 2))
    assert not holidays_of("FR")(date(2026, 6, 2))
    assert not holidays_of("")(date(2026, 12, 25))
    assert not holidays_of("ZZ")(date(2026, 12, 25))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1)),
    st.sampled_from(sorted(available_timezones())),
    st.tuples(st.integers(0, 23), st.integers(1, 24), st.frozensets(st.integers(0, 6), min_size=1)),
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_window_a_mail_finds_its_hour(moment: datetime, name: str, hours):
    window, zone = Window(min(hours[0], hours[1] - 1), hours[1], hours[2]), ZoneInfo(name)
    found = next_open(moment.replace(tzinfo=UTC), zone, window)
    assert window.shows(wall_of(found, zone))
    assert found - moment.replace(tzinfo=UTC) < timedelta(days=8)
    assert next_open(found, zone, window) == found


def test_a_window_that_never_opens_holds_nothing_back():
    moment = datetime(2026, 5, 12, 2, 0, tzinfo=UTC)
    assert next_open(moment, ROME, Window(9, 9)) == moment
    assert next_open(moment, ROME, Window(9, 20, frozenset())) == moment
