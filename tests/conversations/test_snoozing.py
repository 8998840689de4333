"""The moments offered for a snooze."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from concierge.conversations.snoozing import moments, read_moment

ROME = ZoneInfo("Europe/Rome")


def offered(now):
    return [(moment.preset.value, moment.at.astimezone(ROME).strftime("%a %H:%M")) for moment in moments(now, ROME)]


def test_on_a_tuesday_morning_three_moments_are_offered():
    now = datetime(2026, 5, 12, 8, tzinfo=UTC)
    assert offered(now) == [("evening", "Tue 18:00"), ("tomorrow", "Wed 09:00"), ("monday", "Mon 09:00")]


def test_in_the_evening_the_evening_is_not_offered():
    assert [name for name, _at in offered(datetime(2026, 5, 12, 16, tzinfo=UTC))] == ["tomorrow", "monday"]


def test_on_a_sunday_tomorrow_is_monday():
    assert offered(datetime(2026, 5, 17, 16, tzinfo=UTC)) == [("tomorrow", "Mon 09:00")]


def test_nine_is_nine_on_the_day_the_clocks_change():
    assert ("tomorrow", "Sun 09:00") in offered(datetime(2026, 10, 24, 8, tzinfo=UTC))


def test_every_moment_is_still_to_come():
    for hour in range(24 * 8):
        now = datetime(2026, 5, 11 + hour // 24, hour % 24, 59, tzinfo=UTC)
        assert all(moment.at > now for moment in moments(now, ROME))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-13T09:30", datetime(2026, 5, 13, 7, 30, tzinfo=UTC)),
        (" 2026-05-13T09:30 ", datetime(2026, 5, 13, 7, 30, tzinfo=UTC)),
        ("", None),
        ("tomorrow", None),
        ("0001-01-01T00:00", None),
        ("9999-12-31T23:59", None),
        ("9999-12-31T23:59-12:00", None),
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # skipped by the clocks in Rome: an hour on
    ],
)
def test_a_moment_is_read_in_her_own_time(text, expected):
    assert read_moment(text, ROME) == expected
