"""A calendar's weeks, its bounds and its neighbours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from concierge.followups.calendar import View, open_sheet, read_day, sort_by_day

ROME = ZoneInfo("Europe/Rome")
TODAY = date(2026, 5, 12)


@pytest.mark.parametrize("start", [date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2026, 3, 29), TODAY])
@pytest.mark.parametrize("view", list(View))
def test_whole_weeks_are_shown_and_none_is_missed_between_neighbours(view: View, start: date):
    day = start
    for _leaf in range(14):
        sheet = open_sheet(view, day, today=TODAY, zone=ROME)
        days = [each.day for week in sheet.weeks for each in week]
        assert day in days and days[0].weekday() == 0 and days[-1].weekday() == 6
        assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
        assert sheet.starts.astimezone(ROME).replace(tzinfo=None) == datetime.combine(days[0], datetime.min.time())
        assert sheet.ends.astimezone(ROME).date() == days[-1] + timedelta(days=1)
        following = open_sheet(view, sheet.after, today=TODAY, zone=ROME)
        assert following.starts <= sheet.ends and open_sheet(view, following.before, today=TODAY, zone=ROME) == sheet
        day = sheet.after


def test_a_month_tells_its_own_days_from_its_neighbours():
    sheet = open_sheet(View.MONTH, TODAY, today=TODAY, zone=ROME)
    cells = [each for week in sheet.weeks for each in week]
    assert [each.day.day for each in cells if not each.is_aside] == list(range(1, 32))
    assert [each.day for each in cells if each.is_today] == [TODAY]


def test_a_moment_belongs_to_the_day_of_the_readers_clock():
    moments = [datetime(2026, 5, 15, 21, 59, tzinfo=UTC), datetime(2026, 5, 15, 22, tzinfo=UTC)]
    assert sort_by_day("ab", moments, ROME) == {date(2026, 5, 15): ["a"], date(2026, 5, 16): ["b"]}


def test_a_day_that_is_none_is_today():
    assert [read_day(text, TODAY) for text in ("", "soon", "9999-01-01", "2026-05-32")] == [TODAY] * 4
    assert read_day("2026-06-01", TODAY) == date(2026, 6, 1)
