"""Sending later: the moments offered, in the customer's own time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from concierge.drafts.moments import Preset, offered, read

ROME = ZoneInfo("Europe/Rome")
TOKYO = ZoneInfo("Asia/Tokyo")
TUESDAY = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def shown(now: datetime, zone: ZoneInfo = ROME) -> dict[Preset, str]:
    return {each.preset: each.at.strftime("%a %d %H:%M") for each in offered(now, zone)}


def test_three_moments_are_offered_on_an_ordinary_morning():
    assert shown(TUESDAY) == {
        Preset.EVENING: "Tue 12 18:30",
        Preset.TOMORROW: "Wed 13 09:00",
        Preset.MONDAY: "Mon 18 09:00",
    }


def test_the_day_is_hers_not_ours():
    assert shown(TUESDAY, TOKYO)[Preset.TOMORROW] == "Wed 13 09:00"
    late = datetime(2026, 5, 12, 16, 0, tzinfo=UTC)  # one in the morning of the 13th in Tokyo
    assert shown(late, TOKYO)[Preset.TOMORROW] == "Thu 14 09:00"


def test_an_evening_that_has_begun_is_not_offered():
    assert Preset.EVENING not in shown(datetime(2026, 5, 12, 16, 10, tzinfo=UTC))


def test_monday_is_not_offered_twice_on_a_sunday():
    assert Preset.MONDAY not in shown(datetime(2026, 5, 17, 9, 0, tzinfo=UTC))


def test_a_monday_offers_the_next_one():
    assert shown(datetime(2026, 5, 11, 9, 0, tzinfo=UTC))[Preset.MONDAY] == "Mon 18 09:00"


@pytest.mark.parametrize(
    ("choice", "instant"),
    [
        ("tomorrow", "2026-05-13T07:00:00+00:00"),
        ("2026-05-20T09:15", "2026-05-20T07:15:00+00:00"),
        ("2026-05-20T09:15+09:00", "2026-05-20T00:15:00+00:00"),
        ("2027-03-28T02:30", "2027-03-28T01:30:00+00:00"),  # skipped by the clocks in Rome: an hour on
        ("", None),
        ("soon", None),
        ("9999-12-31T23:59", None),
        ("9999-12-31T23:59-12:00", None),
        ("0001-01-01T00:00+14:00", None),
    ],
)
def test_a_choice_is_read_in_her_zone(choice, instant):
    found = read(choice, TUESDAY, ROME)
    assert (found.isoformat() if found else None) == instant
