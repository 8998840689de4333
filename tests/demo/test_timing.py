"""When things happened in the demo's past: in the hours people work, whenever the house is furnished."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from concierge.demo.timing import at_her_desk

MONDAY = datetime(2026, 5, 11, tzinfo=UTC)


def test_whenever_it_is_the_moment_before_lies_in_working_hours_and_not_long_ago():
    chance = Random(1)
    for hours in range(24 * 8):
        now = MONDAY + timedelta(hours=hours, minutes=47)
        then = at_her_desk(now, chance).astimezone(ZoneInfo("Europe/Rome"))
        assert then.weekday() < 5
        assert 9 <= then.hour < 18
        assert timedelta() <= now - then < timedelta(days=4)


def test_a_moment_at_her_desk_stays_and_nights_are_spread():
    noon, night = MONDAY + timedelta(hours=10, minutes=3), MONDAY + timedelta(hours=1)
    assert at_her_desk(noon, Random(1)) == noon
    assert len({at_her_desk(night, Random(seed)) for seed in range(20)}) > 15
