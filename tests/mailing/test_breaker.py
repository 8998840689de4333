"""Leaving a provider alone, and coming back to it gently."""

from datetime import timedelta

from concierge.mailing.breaker import Breaker
from tests.mailing.samples import NOW

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def test_pauses_double_up_to_a_minute():  # F12
    breaker, now, pauses = Breaker(), NOW, []
    for _ in range(9):
        breaker.begin(now)
        assert breaker.until is not None
        pauses.append((breaker.until - now) / SECOND)
        now = breaker.until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert breaker.away_for(now) == now - NOW


def test_the_time_a_provider_names_is_kept_within_reason():  # F12
    breaker = Breaker()
    breaker.begin(NOW, NOW + 10 * MINUTE)
    assert breaker.holds(NOW + 9 * MINUTE)
    assert not breaker.holds(NOW + 10 * MINUTE)
    breaker.begin(NOW + HOUR, NOW + 1000 * HOUR)
    assert not breaker.holds(NOW + 2 * HOUR)


def test_an_answer_to_what_was_asked_before_it_went_away_does_not_bring_it_back():  # F12
    breaker = Breaker()
    breaker.begin(NOW + SECOND, NOW + HOUR)  # of several mails on the line one is answered: wait
    breaker.end(NOW + 2 * SECOND, NOW)  # another was taken, asked before
    assert breaker.holds(NOW + 3 * SECOND)
    assert breaker.away_for(NOW + 3 * SECOND) == 2 * SECOND
    breaker.end(NOW + HOUR, NOW + HOUR)
    assert not breaker.holds(NOW + HOUR)
    breaker.begin(NOW + HOUR)
    breaker.end(NOW, NOW)  # the clock was set back
    assert breaker.away_for(NOW) == 0 * SECOND


def test_one_doubt_is_a_mishap_and_three_in_a_row_are_an_outage():  # F03
    breaker = Breaker()
    breaker.doubt(NOW)
    breaker.doubt(NOW)
    breaker.end(NOW, NOW)
    breaker.doubt(NOW)
    assert not breaker.holds(NOW)
    breaker.doubt(NOW)
    breaker.doubt(NOW)
    assert breaker.holds(NOW + SECOND)


def test_a_day_of_doubt_costs_a_few_dozen_mails_and_no_more():  # F12
    breaker, now, called = Breaker(), NOW, 0
    while now < NOW + 24 * HOUR:
        if not breaker.holds(now):
            called += 1
            breaker.doubt(now)
        now += 10 * SECOND
    assert 24 < called < 60


def test_what_has_waited_does_not_come_back_in_one_burst():  # F12
    breaker = Breaker()
    assert breaker.room(NOW, 50) == 50
    breaker.begin(NOW)
    assert breaker.room(NOW + MINUTE, 50) == 1  # to see whether it is back
    breaker.end(NOW + MINUTE, NOW + MINUTE)
    given = []
    for seconds in range(0, 65, 5):
        given.append(sum(_take(breaker, NOW + MINUTE + seconds * SECOND) for _ in range(40)))
    assert given[:4] == [2, 2, 4, 8]
    assert given[-1] == 2000  # nothing is held back any more


def _take(breaker: Breaker, now) -> int:
    room = breaker.room(now, 50)
    breaker.took(room)
    return room
