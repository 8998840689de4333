"""Two lanes and a pace: a restock holds up no answer, and the provider is never given more than it wants."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address
from concierge.config import Config
from concierge.db import Sessions
from concierge.mailing import pace
from concierge.mailing.commands import queue_delivery
from concierge.mailing.jobs import deliver_answers, deliver_due, deliver_letters
from concierge.mailing.models import Delivery, DeliveryState, Lane
from concierge.mailing.pace import give_back, take
from tests.factories import NOW
from tests.mailing.samples import make_mail


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The database's present, which a test may move."""
    hand = [NOW]
    monkeypatch.setattr(pace, "database_now", lambda _session: hand[0])
    return hand


def taken(session: Session, wanted: int, rate: float, lane: Lane = Lane.SINGLE) -> int:
    granted = take(session, wanted, rate, lane)
    session.commit()
    return granted


def test_in_any_second_no_more_leave_than_the_house_allows(session, present):
    granted = []
    for _tick in range(100):
        granted.append(taken(session, 7, 10))
        present[0] += timedelta(milliseconds=50)
    assert sum(granted) == 10 + 49, "a second's worth at once, then ten a second for five seconds"
    assert all(sum(granted[begin : begin + 20]) <= 20 for begin in range(100))


def test_less_than_one_a_second_is_possible(session, present):
    granted = 0
    for _second in range(20):
        granted += taken(session, 5, 0.5)
        present[0] += timedelta(seconds=1)
    assert granted == 2 + 9


def test_what_is_written_by_the_thousand_leaves_a_quarter_to_those_who_wait(session, present):
    assert taken(session, 50, 20, Lane.BULK) == 15
    assert taken(session, 50, 20, Lane.BULK) == 0
    assert taken(session, 50, 20) == 5


def test_what_is_given_back_can_be_taken_again(session, present):
    assert take(session, 10, 10, Lane.SINGLE) == 10
    give_back(session, 4, 10)
    session.commit()
    assert taken(session, 10, 10) == 4


def test_a_clock_that_was_set_back_stops_nothing(session, present):  # F15
    taken(session, 10, 10)
    present[0] -= timedelta(days=1)
    assert taken(session, 10, 10) == 10


def test_many_machines_take_from_one_bucket(sessions: Sessions):
    def take_some(_number: int) -> int:
        with sessions() as session:
            granted = take(session, 3, 40, Lane.SINGLE)
            session.commit()
            return granted

    with ThreadPoolExecutor(8) as pool:
        assert 40 <= sum(pool.map(take_some, range(40))) < 120, "what filled it meanwhile, no more"


def queue(session: Session, purpose: str, count: int) -> None:
    for number in range(count):
        mail = make_mail(to=Address("", f"{purpose}{number}@example.com"))
        queue_delivery(session, mail, key=f"{purpose}:{number}", purpose=purpose, now=NOW)
    session.commit()


def left(session: Session, purpose: str) -> int:
    sent = (Delivery.purpose == purpose, Delivery.state == DeliveryState.SENT)
    found = session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(*sent)) or 0
    session.commit()
    return found


def test_an_answer_does_not_wait_behind_a_restock(config: Config, sessions: Sessions, session: Session):
    queue(session, "offer", 60)
    queue(session, "reply", 2)
    assert deliver_answers(config, sessions) == 2
    assert (left(session, "reply"), left(session, "offer")) == (2, 0)
    assert deliver_letters(config, sessions) == 60


def test_the_house_keeps_its_pace(config: Config, sessions: Sessions, session: Session, present, monkeypatch):
    monkeypatch.setattr("concierge.mailing.jobs.RUN_SECONDS", 0.3)
    slow = config.model_copy(update={"policy": config.policy.model_copy(update={"send_per_second": 4.0})})
    queue(session, "reply", 10)
    assert deliver_due(slow, sessions) == 4
    present[0] += timedelta(seconds=1)
    assert deliver_due(slow, sessions) == 4
    assert deliver_due(slow, sessions) == 0


@pytest.mark.parametrize("lane", Lane)
def test_each_lane_is_read_by_an_index_of_its_own(session: Session, lane: Lane):
    """However long the other one is."""
    due = sa.select(Delivery.id).where(lane.queued, Delivery.due_at <= NOW).order_by(Delivery.due_at, Delivery.id)
    if session.get_bind().dialect.name == "sqlite":
        plan = session.execute(sa.text(f"EXPLAIN QUERY PLAN {_spelt(due)}")).all()
    else:
        session.execute(sa.text("SET enable_seqscan = off"))
        plan = session.execute(sa.text(f"EXPLAIN {_spelt(due)}")).all()
    session.rollback()
    assert f"ix_delivery_due_{lane}" in str(plan)


def _spelt(statement: sa.Select[int]) -> str:
    return str(statement.limit(5)).replace(":due_at_1", "'2026-01-01'").replace(":param_1", "5")
