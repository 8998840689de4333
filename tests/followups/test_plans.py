"""The rules of plans: which step is next and when, in which window, what stops it besides, when a date begins."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.followups.conditions import Because
from concierge.followups.plans import (
    FORGOTTEN,
    PlanFacts,
    StopsAlso,
    date_begins,
    is_fresh,
    next_place,
    stop_of,
    wall_of_step,
    window_of,
)
from concierge.followups.schedule import EVERY_DAY, Window, instant_of, next_open, wall_of
from tests.factories import DAY, HOUR, NOW
from tests.followups.builders import ROME

HOUSE = Window(9, 20)
hours = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
zones = st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC"]).map(ZoneInfo)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))


@given(st.sets(st.integers(0, 40)))
def test_from_step_to_step_every_one_comes_once_and_in_order(places):
    met, place = [], None
    while (place := next_place(places, place)) is not None:
        met.append(place)
    assert met == sorted(places)


@given(moments, st.integers(0, 400), zones)
def test_a_step_comes_so_many_days_later_at_the_same_hour_of_her_clock(anchor, days, zone):
    wall = wall_of_step(anchor, days, zone)
    here = wall_of(anchor, zone)
    assert (wall.date() - here.date()).days == days
    assert (wall.hour, wall.minute, wall.second) == (here.hour, here.minute, 0)
    # never before the days are over, but for an hour that a clock is turned by
    assert instant_of(wall, zone) - anchor >= days * DAY - HOUR - timedelta(minutes=1)


@given(hours, weekdays, hours, zones, moments)
def test_whatever_its_window_a_step_leaves_in_the_houses_hours_and_on_its_days(step, days, house, zone, moment):
    window = window_of(Window(*step, days), Window(*house))
    assert window.is_lawful
    wall = wall_of(next_open(moment, zone, window), zone)
    assert house[0] <= wall.hour < house[1]
    assert wall.weekday() in days
    if max(step[0], house[0]) < min(step[1], house[1]):
        assert step[0] <= wall.hour < step[1]


ALSO = [frozenset(some) for size in range(5) for some in combinations(StopsAlso, size)]


@pytest.mark.parametrize("named", ALSO)
def test_only_what_a_plan_names_stops_it_besides(named):
    for met in ALSO:
        assert (stop_of(PlanFacts(stops_also=named, met=met)) is not None) == bool(named & met)


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        (PlanFacts(), None),
        (PlanFacts(is_on=False, is_one_to_one=True), Because.PLAN_OFF),
        (PlanFacts(has_step=False, is_one_to_one=True), Because.PLAN_OFF),
        (PlanFacts(needs_consent=True), Because.NO_CONSENT),
        (PlanFacts(needs_consent=True, has_consent=True), None),
        (PlanFacts(has_declined=True), Because.DECLINED),
        (PlanFacts(needs_consent=True, has_consent=True, has_declined=True), Because.DECLINED),
        (PlanFacts(needs_consent=True, has_declined=True, is_one_to_one=True), None),
        (PlanFacts(stops_also=frozenset(StopsAlso), met=frozenset({StopsAlso.WISH})), Because.WISHES),
    ],
)
def test_what_goes_by_itself_is_declined_and_wants_a_yes_where_the_plan_says_so(facts, because):
    assert stop_of(facts) is because


def test_a_fact_begins_only_what_was_on_then_and_only_for_a_week():
    assert is_fresh(NOW, NOW, NOW)
    assert not is_fresh(NOW - HOUR, NOW, NOW - HOUR / 2), "it was off"
    assert not is_fresh(NOW - 7 * DAY, NOW, NOW - 30 * DAY), "too long ago"
    assert not is_fresh(NOW + HOUR, NOW, NOW - DAY), "to come"


@given(st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.integers(0, 60), zones, st.integers(2026, 2029))
def test_each_year_a_date_begins_once_in_its_hour_by_her_clock(day, before, zone, year):
    on = date(year, day.month, day.day if (day.month, day.day) != (2, 29) or year % 4 == 0 else 28)
    begins = instant_of(datetime.combine(on - before * DAY, datetime.min.time()), zone)
    since = begins - 400 * DAY
    assert date_begins(day.month, day.day, before, zone, now=begins, since=since) == (year, begins)
    assert date_begins(day.month, day.day, before, zone, now=begins + FORGOTTEN - HOUR, since=since) == (year, begins)
    for never in (begins - HOUR, begins + FORGOTTEN):
        assert date_begins(day.month, day.day, before, zone, now=never, since=since) is None


def test_who_is_born_on_the_29th_of_february_is_not_forgotten_in_other_years():
    morning = datetime(2027, 2, 28, 7, tzinfo=UTC)
    begun = date_begins(2, 29, 0, ROME, now=morning, since=morning - 9 * DAY)
    assert begun == (2027, datetime(2027, 2, 27, 23, tzinfo=UTC))
    assert HOUSE.weekdays == EVERY_DAY
