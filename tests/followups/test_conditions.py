"""What stops a follow-up, what makes it wait or ask, and the courtesy budget."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.customers.courtesy import WAITS, WEEK, Courtesy, Late, free_from
from concierge.customers.feasts import Closing
from concierge.followups.conditions import (
    Asking,
    Asks,
    Because,
    Facts,
    Goes,
    Kindness,
    Moved,
    Stops,
    Waits,
    due_at,
    judge,
    why_moved,
)
from concierge.followups.schedule import Window
from concierge.mailing.models import LETTERS

ROME = ZoneInfo("Europe/Rome")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KIND = Kindness(Courtesy(3, DAY), Window(9, 20), DAY)
DUE = datetime(2026, 5, 15, 8, 0, tzinfo=UTC)  # Friday 10:00 in Rome
FACTS = Facts(wall=datetime(2026, 5, 15, 10), zone=ROME, country="IT")

STOPPING = {
    "she_wrote": Because.SHE_WROTE,
    "she_waits": Because.SHE_WAITS,
    "she_bought": Because.SHE_BOUGHT,
    "she_returned": Because.SHE_RETURNED,
    "colleague_wrote": Because.COLLEAGUE_WROTE,
    "not_for_us": Because.NOT_FOR_US,
    "suppressed": Because.SUPPRESSED,
    "has_hole": Because.HOLE,
}
MISSING = {
    "has_address": Because.NO_ADDRESS,
    "may_answer": Because.EDITOR_GONE,
    "mailbox_active": Because.MAILBOX_CLOSED,
}


def test_when_nothing_has_happened_it_goes():
    assert judge(FACTS, KIND, DUE) == Goes()


@pytest.mark.parametrize(("fact", "because"), STOPPING.items())
def test_each_fact_stops_it_and_is_the_reason(fact: str, because: Because):  # F09
    assert judge(replace(FACTS, **{fact: True}), KIND, DUE) == Stops(because)


def test_what_came_back_stops_it_as_that_and_not_as_the_answer_it_waits_for():
    assert judge(replace(FACTS, she_waits=True, suppressed=True), KIND, DUE) == Stops(Because.SUPPRESSED)


@pytest.mark.parametrize(("fact", "because"), MISSING.items())
def test_without_what_it_needs_it_stops(fact: str, because: Because):
    assert judge(replace(FACTS, **{fact: False}), KIND, DUE) == Stops(because)


def test_before_its_time_it_waits_and_in_her_night_until_she_is_up():
    assert judge(FACTS, KIND, DUE - HOUR) == Waits(DUE)
    night = replace(FACTS, wall=datetime(2026, 5, 15, 23, 0), is_named=True)
    assert judge(night, KIND, DUE) == Waits(datetime(2026, 5, 16, 7, 0, tzinfo=UTC))


def test_one_that_comes_late_in_the_evening_leaves_in_the_morning():
    late = datetime(2026, 5, 15, 18, 30, tzinfo=UTC)  # 20:30
    assert judge(FACTS, KIND, late) == Waits(datetime(2026, 5, 16, 7, 0, tzinfo=UTC))


def test_what_is_too_late_is_asked_skipped_or_sent_by_kind():  # F15
    later = DUE + DAY + HOUR
    assert judge(FACTS, KIND, later) == Asks(Asking.LATE)
    assert judge(FACTS, replace(KIND, when_late=Late.SKIPPED), later) == Stops(Because.TOO_LATE)
    rested = replace(FACTS, sent=[later - timedelta(hours=30)])
    assert judge(rested, KIND, later) == Goes(), "it could not have left before she had her rest"
    assert judge(FACTS, replace(KIND, when_late=Late.SENT), later) == Goes()
    assert judge(replace(FACTS, is_approved=True), KIND, later) == Goes()


def test_one_that_waits_for_a_yes_asks_for_it_and_goes_with_it():
    waiting = replace(FACTS, needs_yes=True)
    assert judge(waiting, KIND, DUE) == Asks(Asking.PLANNED_SO)
    assert judge(replace(waiting, is_approved=True), KIND, DUE) == Goes()


def test_she_is_not_written_to_more_often_than_is_kind():
    assert judge(replace(FACTS, sent=[DUE - HOUR]), KIND, DUE) == Waits(datetime(2026, 5, 16, 7, 0, tzinfo=UTC))
    week = [DUE - 6 * DAY, DUE - 4 * DAY, DUE - 2 * DAY]
    assert judge(replace(FACTS, sent=week), KIND, DUE) == Waits(DUE + DAY)


def test_sent_by_hand_it_goes_at_once_but_never_to_whom_we_may_not_write():
    now = replace(FACTS, at_once=True, sent=[DUE], wall=datetime(2026, 6, 1, 10), she_waits=True)
    assert judge(now, KIND, DUE + 14 * HOUR) == Goes()
    assert judge(replace(now, suppressed=True), KIND, DUE) == Stops(Because.SUPPRESSED)
    assert judge(replace(now, she_wrote=True), KIND, DUE) == Stops(Because.SHE_WROTE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7 * 24), max_size=6), st.integers(1, 4), st.integers(0, 48))
def test_whatever_was_sent_the_budget_holds_when_the_next_one_goes(hours: list[int], most: int, rest: int):
    sent = [DUE - hour * HOUR for hour in hours if hour > 0]
    went = free_from(sent, DUE, Courtesy(most, rest * HOUR))
    assert went >= DUE
    assert sum(went - each < WEEK for each in sent) < most
    assert all(went - each >= rest * HOUR for each in sent)
    if went > DUE:  # and no later than it must
        sooner = went - timedelta(minutes=1)
        assert any(sooner - each < rest * HOUR for each in sent) or sum(sooner - each < WEEK for each in sent) >= most


def test_on_a_day_on_which_the_house_is_closed_nothing_leaves_and_the_next_open_morning_it_does():
    """Named or not: nobody would be there when she answers. It is the house's day that counts, not hers."""
    closed = replace(KIND, closing=Closing({date(2026, 5, 15), date(2026, 5, 16)}.__contains__, ROME))
    for is_named in (False, True):
        facts = Facts(datetime(2026, 5, 15, 10), ROME, "IT", is_named)
        due = due_at(facts, closed)
        assert due == datetime(2026, 5, 17, 7, tzinfo=UTC) and why_moved(facts, closed, due) is Moved.CLOSED
    # in Auckland it is nine in the morning of the 17th while the house still has the 16th
    facts = Facts(datetime(2026, 5, 17, 9), ZoneInfo("Pacific/Auckland"), "NZ")
    assert due_at(facts, closed).astimezone(facts.zone).replace(tzinfo=None) == datetime(2026, 5, 18, 9)


def test_a_step_that_keeps_its_weekdays_says_so_and_not_that_it_is_her_hours():
    weekdays = replace(KIND, window=Window(9, 20, frozenset({3})))
    assert why_moved(FACTS, weekdays, due_at(FACTS, weekdays)) is Moved.WEEKDAY


@pytest.mark.parametrize(
    ("wall", "why"),
    [
        (datetime(2026, 12, 25, 10), Moved.HOLIDAY),
        (datetime(2026, 12, 28, 22), Moved.HOURS),
        (datetime(2026, 12, 28, 10), None),
    ],
)
def test_why_a_moment_was_moved_is_said(wall: datetime, why: Moved | None):
    facts = Facts(wall, ROME, "IT")
    assert why_moved(facts, KIND, due_at(facts, KIND)) is why
    named = replace(facts, is_named=True)
    assert why is not Moved.HOLIDAY or why_moved(named, KIND, due_at(named, KIND)) is None
    assert why is not None or why_moved(facts, KIND, due_at(facts, KIND) + DAY) is Moved.COURTESY


def test_every_kind_of_mail_nobody_wrote_that_day_keeps_to_the_one_budget():
    assert set(WAITS) == {*LETTERS, "follow_up"}
    assert {purpose for purpose, waits in WAITS.items() if waits} == {"follow_up", "still_wanted"}
