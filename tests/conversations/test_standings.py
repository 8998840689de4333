"""How conversations stand once they are merged, and once that is undone."""

from hypothesis import given
from hypothesis import strategies as st

from concierge.conversations.standings import (
    CLOSED,
    OPEN,
    SNOOZED,
    Standing,
    emptied,
    from_json,
    taken_back,
    to_json,
    together,
)
from tests.factories import DAY, HOUR, NOW

WAITS = Standing(OPEN, waiting_since=NOW - DAY, editor_id=1)
DONE = Standing(CLOSED, closed_at=NOW, closed_by_id=2, editor_id=2)
ASIDE = Standing(SNOOZED, snoozed_until=NOW + DAY)
SPAM = Standing(CLOSED, closed_at=NOW, closed_by_id=2, not_for_us_at=NOW)
STANDINGS = st.sampled_from([WAITS, DONE, ASIDE, SPAM, Standing(OPEN, failed_at=NOW, waiting_since=NOW)])


def test_whoever_waits_in_either_goes_on_waiting_since_the_earlier():
    both = together(Standing(OPEN, waiting_since=NOW), WAITS)
    assert (both.state, both.waiting_since, both.editor_id) == (OPEN, NOW - DAY, 1)
    assert together(DONE, WAITS) == Standing(OPEN, waiting_since=NOW - DAY, editor_id=2)


def test_what_is_put_aside_comes_back_at_the_earlier_moment():
    both = together(ASIDE, Standing(SNOOZED, snoozed_until=NOW + HOUR))
    assert (both.state, both.snoozed_until) == (SNOOZED, NOW + HOUR)
    assert together(ASIDE, DONE).snoozed_until == NOW + DAY


def test_what_is_for_us_in_one_is_for_us_in_both():
    assert together(SPAM, DONE).not_for_us_at is None
    assert together(SPAM, SPAM).not_for_us_at == NOW
    assert together(SPAM, WAITS).not_for_us_at is None


@given(STANDINGS, STANDINGS)
def test_a_merge_that_is_undone_leaves_no_trace(one, other):
    merged, left = together(one, other), emptied(other, 7, now=NOW)
    assert taken_back(merged, before=one, after=merged) == one
    assert taken_back(left, before=other, after=left) == other


def test_what_changed_since_stays():
    merged = together(DONE, WAITS)
    closed = Standing(CLOSED, closed_at=NOW + DAY, closed_by_id=3, editor_id=3)
    assert taken_back(closed, before=DONE, after=merged) == closed
    answered = Standing(OPEN, editor_id=2)
    assert taken_back(answered, before=DONE, after=merged).waiting_since is None


@given(STANDINGS)
def test_it_is_kept_and_read_back(standing):
    assert from_json(to_json(standing)) == standing
