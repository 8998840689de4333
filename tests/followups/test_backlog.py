"""What an outage held up leaves little by little, by all workers together, and behind what is on time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.followups import jobs
from concierge.followups.conditions import Asking, Because
from concierge.followups.models import FollowUpState
from concierge.followups.queries import list_due
from concierge.mailing.models import Delivery
from concierge.operations.queries import list_queues
from tests.factories import DAY, HOUR, MINUTE
from tests.followups.builders import FRIDAY, WALL, answered, follow_up, fresh


def count_sent(session):
    """How many mails were queued."""
    found = session.scalar(sa.select(sa.func.count()).select_from(Delivery))
    session.commit()
    return found


def test_what_an_outage_held_up_leaves_little_by_little(session, sessions, config, nadia, at):  # F12
    for number in range(5):
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
    session.commit()
    config.policy.follow_up_backlog_per_minute = 2
    at(FRIDAY + HOUR)
    looks = [jobs.release_due(config, sessions) for _look in range(3)]
    at(FRIDAY + HOUR + timedelta(seconds=61))
    assert [*looks, jobs.release_due(config, sessions)] == [2, 0, 0, 2]


def test_many_workers_hold_the_houses_figure_together(session, sessions, config, nadia, at):  # F12
    for number in range(8):
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
    session.commit()
    config.policy.follow_up_backlog_per_minute = 2
    at(FRIDAY + HOUR)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _worker: jobs.release_due(config, sessions), range(4)))
    jobs.release_due(config, sessions)
    assert count_sent(session) == 2


def test_what_leaves_little_by_little_makes_nothing_unwell(session, sessions, config, nadia, at):
    for number in range(3):
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
    session.commit()
    config.policy.follow_up_backlog_per_minute = 1

    def waiting(now):
        [found] = [each for each in list_queues(session, now=now) if each.name == "follow-ups"]
        session.rollback()
        return found

    assert waiting(FRIDAY + HOUR).still(FRIDAY + HOUR) == 3600
    at(FRIDAY + HOUR)
    assert jobs.release_due(config, sessions) == 1
    soon = FRIDAY + HOUR + MINUTE
    assert (waiting(soon).age(soon), waiting(soon).still(soon)) == (3660, 60)


def test_what_is_on_time_does_not_wait_behind_what_was_held_up(session, sessions, config, nadia, at, monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 3)
    for number in range(4):
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
    on_time = follow_up(session, answered(session, nadia), nadia, wall=WALL + HOUR)
    session.commit()
    config.policy.follow_up_backlog_per_minute = 1
    at(FRIDAY + HOUR)
    jobs.release_due(config, sessions)
    assert fresh(session, on_time).state is FollowUpState.SENT


def test_what_was_held_up_leaves_though_as_many_fall_due_every_minute(session, sessions, config, nadia, at):
    config.policy.follow_up_backlog_per_minute = 2
    held = follow_up(session, answered(session, nadia, "Anna Held"), nadia)
    for number in range(8):
        wall = WALL + (16 + number // 2) * MINUTE
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia, wall=wall)
    session.commit()
    for minute in range(16, 20):
        at(FRIDAY + minute * MINUTE)
        jobs.release_due(config, sessions)
    assert fresh(session, held).state is FollowUpState.SENT
    assert count_sent(session) == 9


def test_one_that_is_stuck_is_not_hidden_by_what_leaves_on_time(session, sessions, config, nadia, at):
    follow_up(session, answered(session, nadia, "Anna Held"), nadia)
    follow_up(session, answered(session, nadia), nadia, wall=WALL + HOUR)
    session.commit()
    config.policy.follow_up_backlog_per_minute = 0
    at(FRIDAY + HOUR)
    assert jobs.release_due(config, sessions) == 1
    [found] = [each for each in list_queues(session, now=FRIDAY + HOUR + MINUTE) if each.name == "follow-ups"]
    assert found.still(FRIDAY + HOUR + MINUTE) == 3660


@pytest.mark.parametrize("when_late", ["asked", "skipped", "sent"])
def test_a_worker_that_was_down_for_three_days_sends_no_burst(session, sessions, config, nadia, at, when_late):  # F12
    """Planned for Friday, Saturday, Sunday and Monday morning; on Monday at eleven it is back."""
    found = [
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia, wall=WALL + number % 4 * DAY)
        for number in range(12)
    ]
    session.commit()
    config.policy.follow_up_backlog_per_minute = 2
    config.policy.follow_up_when_late = when_late
    looks = []
    for minute in range(8):
        at(FRIDAY + 3 * DAY + HOUR + minute * (MINUTE + timedelta(seconds=1)))
        looks += [sum(jobs.release_due(config, sessions) for _look in range(3))]
    states = Counter((each.state, each.asking or each.because) for each in (fresh(session, each) for each in found))
    assert max(looks) == 2 and count_sent(session) == sum(looks) == (12 if when_late == "sent" else 3)
    assert (
        states
        == {
            "asked": {(FollowUpState.SENT, None): 3, (FollowUpState.SCHEDULED, Asking.LATE): 9},
            "skipped": {(FollowUpState.SENT, None): 3, (FollowUpState.WITHHELD, Because.TOO_LATE): 9},
            "sent": {(FollowUpState.SENT, None): 12},
        }[when_late]
    )


def test_a_look_takes_no_more_in_hand_than_it_may_those_on_time_first(session, nadia):
    late = [follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia).id for number in range(3)]
    on_time = follow_up(session, answered(session, nadia, "Anna Bianchi"), nadia, wall=WALL + HOUR).id
    now = FRIDAY + HOUR
    assert [number for number, _due in list_due(session, now=now, limit=2)] == [on_time, late[0]]
    assert [number for number, _due in list_due(session, now=now, limit=1)] == [on_time]
    assert [number for number, _due in list_due(session, now=now, limit=9)] == [on_time, *late]
