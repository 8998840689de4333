"""Many workers see the same facts, and something happens in the very moment a plan is begun or a mail of it leaves."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.catalogue.purchases import report_purchase
from concierge.customers.commands import decline_unasked
from concierge.customers.models import Customer
from concierge.db import make_sessions
from concierge.followups import carrying, jobs, releasing
from concierge.followups.conditions import Because
from concierge.followups.models import FollowUp, FollowUpState
from concierge.followups.plan_models import Plan
from concierge.followups.plans import Start
from concierge.mailing.models import Delivery
from tests.catalogue.builders import make_product
from tests.factories import DAY, HOUR, NOW, make_editor
from tests.followups.builders import answered
from tests.followups.plan_builders import make_plan, runs, steps_planned
from tests.followups.test_plan_facts import LINE
from tests.followups.test_races import PATIENCE, leave_while, storm


@pytest.fixture
def nadia(session, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    nadia = make_editor(session)
    make_product(session, sizes={"37": 5000})
    session.commit()
    return nadia


def readers(session, nadia, count, *, first=0):
    """So many who have their orders in their hands, each told of by two lines."""
    for number in range(first, first + count):
        answered(session, nadia, f"Reader{number} Rossi", at=NOW - HOUR)
        for line in (1, 2):
            sold = replace(LINE, external_id=f"S-{number}:{line}", address=f"reader{number}@example.com")
            report_purchase(session, replace(sold, delivered_at=NOW), now=NOW)
    session.commit()


def work_together(config, workers):
    """So many workers at once, each with a database connection of its own."""
    together = threading.Barrier(workers)

    def work():
        sessions = make_sessions(config)
        together.wait(PATIENCE)
        idle = 0
        while idle < 3:
            done = [job(config, sessions) for job in (jobs.begin_plans, jobs.release_due, jobs.carry_plans)]
            idle = 0 if any(done) else idle + 1
        sessions.kw["bind"].dispose()

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work) for _each in range(workers)]:
            done.result()


def test_four_workers_make_one_run_of_each_fact_and_one_mail_of_each_step(session, config, nadia):  # F05
    make_plan(session, nadia, Start.DELIVERED, waits=[0, 0])
    readers(session, nadia, 2)
    config.policy.courtesy_rest_hours = 0
    work_together(config, 4)
    assert [(each.because, each.is_living) for each in runs(session)] == [(None, False)] * 2
    assert [each.state for each in steps_planned(session)] == [FollowUpState.SENT] * 4
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 4


def test_without_one_run_for_a_fact_there_would_be_more(session, sessions, config, nadia, monkeypatch):
    """Negative control: with its index gone and no run looked for, the second look begins it once more."""
    make_plan(session, nadia, Start.DELIVERED)
    readers(session, nadia, 1)
    found = jobs.list_facts(session, session.scalars(sa.select(Plan)).one(), now=NOW, house=config.policy.zone)
    session.commit()
    monkeypatch.setattr(carrying, "list_facts", lambda *_values, **_named: found)
    monkeypatch.setattr(jobs, "list_facts", lambda *_values, **_named: found)
    monkeypatch.setattr(carrying, "find_living", lambda *_values: None)
    assert [jobs.begin_plans(config, sessions) for _look in range(2)] == [1, 0], "the database itself refuses"
    session.execute(sa.text("DROP INDEX uq_plan_run_living"))
    session.execute(sa.text("UPDATE plan_run SET fact_mark = 1"))
    session.commit()
    assert jobs.begin_plans(config, sessions) == 1


def she_declines(session, found):
    customer = session.get(Customer, found.conversation.customer_id)
    decline_unasked(session, customer, by=None, way="one-click", now=NOW)


@pytest.fixture
def step(session, sessions, config, nadia):
    """A mail of a plan that is due."""
    make_plan(session, nadia, Start.DELIVERED)
    readers(session, nadia, 1)
    assert jobs.begin_plans(config, sessions) == 1
    return steps_planned(session)[0]


def test_who_declined_first_is_seen(session, sessions, config, step):  # F09
    with sessions() as other, ThreadPoolExecutor(1) as pool:
        she_declines(other, other.get(FollowUp, step.id))
        other.flush()
        looking = pool.submit(jobs.release_due, config, sessions)
        time.sleep(0.05)
        other.commit()
        looking.result()
    jobs.release_due(config, sessions)
    [found] = steps_planned(session)
    assert (found.state, found.because) == (FollowUpState.WITHHELD, Because.DECLINED)


def test_who_declines_before_she_is_held_is_seen(sessions, session, config, step, monkeypatch):  # F09
    if config.is_sqlite:
        pytest.skip("SQLite has one lock for both")
    hold = releasing.hold_her_still

    def decline_first(ours, conversation_id, *, wait):
        with sessions() as other:
            she_declines(other, other.get(FollowUp, step.id))
            other.commit()
        return hold(ours, conversation_id, wait=wait)

    monkeypatch.setattr(releasing, "hold_her_still", decline_first)
    jobs.release_due(config, sessions)
    [found] = steps_planned(session)
    assert (found.state, found.because) == (FollowUpState.WITHHELD, Because.DECLINED)


def test_who_declines_while_it_leaves_does_so_after_it_has_left(session, sessions, config, step, monkeypatch):  # F09
    assert not leave_while(she_declines, config, sessions, step.id, monkeypatch)
    [found] = steps_planned(session)
    assert found.state is FollowUpState.SENT
    monkeypatch.setattr(clock, "now", lambda: NOW + 4 * DAY)
    jobs.carry_plans(config, sessions)
    assert jobs.release_due(config, sessions) == 0
    assert steps_planned(session)[-1].because is Because.DECLINED


def test_in_a_storm_no_mail_of_a_plan_leaves_after_who_declined_first(
    session, sessions, config, nadia, monkeypatch
):  # F09
    make_plan(session, nadia, Start.DELIVERED)

    def make(number):
        readers(session, nadia, 1, first=number)
        assert jobs.begin_plans(config, sessions) == 1
        return steps_planned(session)[-1].id

    storm(she_declines, make, session, sessions, config, monkeypatch)
