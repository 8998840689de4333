"""The hold clock beside a walk from minute to minute, where clocks are turned and where they are not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.customers.zones import zone_of
from concierge.wishes.clockwork import held_until, hours_left, next_waking

MINUTE = timedelta(minutes=1)
ROME = ZoneInfo("Europe/Rome")


@dataclass(frozen=True)
class Hours:
    """Waking hours."""

    wakes_at: int = 8
    sleeps_at: int = 22


def is_awake(moment: datetime, zone: ZoneInfo, hours: Hours) -> bool:
    """What the wall clock says."""
    return hours.wakes_at <= moment.astimezone(zone).hour < hours.sleeps_at


def walk(start: datetime, minutes: int, zone: ZoneInfo, hours: Hours) -> datetime:
    """The oracle: minute by minute."""
    at = start
    while minutes:
        minutes -= is_awake(at, zone, hours)
        at += MINUTE
    return at


# Clocks turned in the night, at midnight, by half an hour, back into the day before; a day skipped; none turned.
ZONES = [
    "Europe/Rome", "America/New_York", "America/Havana", "Australia/Lord_Howe", "America/Asuncion", "Africa/Cairo",
    "Asia/Kathmandu", "Pacific/Apia", "UTC",
]  # fmt: skip
DAYS = [(2026, 3, 28), (2026, 10, 24), (2026, 11, 1), (2026, 4, 5), (2023, 10, 1), (2024, 3, 24), (2011, 12, 29)]
zones = st.sampled_from([ZoneInfo(each) for each in ZONES])
starts = st.builds(
    lambda day, minutes: datetime(*day, tzinfo=UTC) + timedelta(minutes=minutes),
    st.sampled_from(DAYS),
    st.integers(0, 2 * 24 * 60),
)
hours = st.sampled_from([Hours(), Hours(0, 24), Hours(2, 3), Hours(1, 4), Hours(0, 2), Hours(23, 24), Hours(7, 23)])


@given(starts, st.integers(1, 40 * 60), zones, hours)
@settings(max_examples=40, deadline=None)
def test_a_hold_ends_where_a_walk_by_minutes_ends(start, minutes, zone, policy):
    if policy.sleeps_at - policy.wakes_at < 4:
        minutes = minutes % 240 + 1
    until = held_until(start, minutes / 60, zone, policy)
    assert abs(until - walk(start, minutes, zone, policy)) <= timedelta(seconds=1)


@given(starts, st.integers(0, 3 * 24 * 60), zones, hours)
@settings(max_examples=40, deadline=None)
def test_hours_left_are_the_waking_minutes_between(start, minutes, zone, policy):
    awake = sum(is_awake(start + each * MINUTE, zone, policy) for each in range(minutes))
    assert hours_left(start, start + minutes * MINUTE, zone, policy) * 60 == pytest.approx(awake, abs=0.05)


@given(starts, zones, hours)
@settings(max_examples=40, deadline=None)
def test_she_is_awake_when_a_mail_waited_for_it_leaves(start, zone, policy):
    leaves = next_waking(start, zone, policy)
    assert leaves >= start
    assert is_awake(leaves, zone, policy)
    assert leaves == start or not is_awake(leaves - timedelta(seconds=2), zone, policy)


def test_the_clock_sleeps_at_night():
    evening = datetime(2026, 5, 12, 21, 0, tzinfo=ROME)
    assert held_until(evening, 24, ROME, Hours()) == datetime(2026, 5, 14, 17, 0, tzinfo=ROME)
    assert held_until(evening + timedelta(hours=3), 1, ROME, Hours()) == datetime(2026, 5, 13, 9, 0, tzinfo=ROME)
    assert hours_left(evening, evening - MINUTE, ROME, Hours()) == 0


def test_a_pause_keeps_what_was_left():
    start = datetime(2026, 3, 28, 20, 0, tzinfo=ROME)
    left = hours_left(start + timedelta(hours=1), held_until(start, 24, ROME, Hours()), ROME, Hours())
    assert left == 23
    assert held_until(start + timedelta(hours=1), left, ROME, Hours()) == held_until(start, 24, ROME, Hours())


def test_where_somebody_lives():
    house = ROME
    assert zone_of("Asia/Tokyo", "IT", house).key == "Asia/Tokyo"
    assert zone_of("", "us", house).key == "America/New_York"
    assert zone_of("Mars/Olympus", "JP", house).key == "Asia/Tokyo"
    assert zone_of("", "", house) is house
    assert zone_of("../etc/passwd", "XX", house) is house
