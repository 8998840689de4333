from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from concierge.mailing.backoff import (
    CAP,
    GIVE_UP_AFTER,
    exhausted,
    next_attempt,
    read_reset,
    read_retry_after,
    wait,
)
from tests.mailing.samples import NOW

MINUTE = timedelta(minutes=1)


def test_waits_double_up_to_a_ceiling():
    longest = [wait(attempts, chance=1.0) for attempts in (1, 2, 3, 4, 7, 8, 1000)]
    assert longest == [MINUTE / 2, MINUTE, 2 * MINUTE, 4 * MINUTE, CAP, CAP, CAP]


def test_a_thousand_mails_do_not_come_back_in_step():  # F12
    waits = sorted(wait(6, chance=number / 1000) for number in range(1000))
    assert max(b - a for a, b in pairwise(waits)) < timedelta(seconds=2)
    assert waits[0] == timedelta(seconds=1)


def test_a_named_time_is_waited_for_and_then_a_little():
    asked = NOW + 10 * MINUTE
    assert asked <= next_attempt(NOW, 1, chance=0.5, retry_after=asked) <= asked + MINUTE
    assert next_attempt(NOW, 1, chance=0.0, retry_after=NOW - MINUTE) == NOW + timedelta(seconds=1)


def test_nobody_can_hold_a_mail_for_a_week():
    asked = NOW + timedelta(days=7)
    assert next_attempt(NOW, 1, chance=0.5, retry_after=asked) <= NOW + timedelta(hours=7)


def test_a_mail_is_given_up_after_two_days():
    assert not exhausted(NOW, NOW + GIVE_UP_AFTER - MINUTE)
    assert exhausted(NOW, NOW + GIVE_UP_AFTER)


@pytest.mark.parametrize(
    ("value", "when"),
    [
        ("120", NOW + 2 * MINUTE),
        ("Fri, 20 Nov 2026 10:00:00 GMT", NOW + 30 * MINUTE),
        ("", None),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("9" * 500, NOW + timedelta(days=1)),
        ("²", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value, when):
    assert read_retry_after(value, NOW) == when


def test_the_reset_of_a_rate_limit_is_unix_seconds():
    assert read_reset("1795168800") == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert read_reset("nonsense") is read_reset(None) is read_reset("9" * 40) is None
