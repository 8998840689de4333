"""The queue, the waves and the holds, step by step beside the plain model, and with real workers at once.

A few runs here; 5,000 runs of 100 steps with CONCIERGE_TESTS_WISHES=full (or another number of runs instead of "full").
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import Session

from concierge.audit import AuditEntry
from concierge.catalogue.models import StockLevel, Variant
from concierge.catalogue.stock_models import Purchase, Restock, StockEvent
from concierge.config import Config
from concierge.db import Sessions
from concierge.errors import RuleBroken
from concierge.mailing.models import Suppression
from concierge.wishes import jobs, offering, rounds
from concierge.wishes.invariants import find_broken_invariants
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.offer_models import Offer, Wave, WavePolicy
from concierge.wishes.rounds import Round
from tests.factories import HOUR, NOW
from tests.wishes.builders import offers, sandals, wish_for
from tests.wishes.house import ZONE, furnish
from tests.wishes.machine import Crowd

ASKED = os.environ.get("CONCIERGE_TESTS_WISHES", "")
RUNS, STEPS = ({"": 6, "full": 5000}.get(ASKED) or int(ASKED), 100 if ASKED else 25)
CHANGING = (
    Offer,
    Wave,
    WishVariant,
    Wish,
    Purchase,
    Restock,
    StockEvent,
    StockLevel,
    Suppression,
    WavePolicy,
    AuditEntry,
)


@pytest.fixture
def crowd(sessions: Sessions) -> type[Crowd]:
    """The machine in a house whose changing tables are emptied before each run."""
    with sessions() as session:
        furnish(session)

    def renew() -> None:
        with sessions() as session:
            for table in CHANGING:
                session.execute(sa.delete(table))
            session.execute(sa.update(Variant).values(on_hand=0, promised=0, offered_from=None))
            session.commit()

    return type("CrowdHere", (Crowd,), {"sessions": sessions, "renew": staticmethod(renew)})


def play(crowd: type[Crowd], runs: int = RUNS) -> None:
    """Run the machine."""
    run_state_machine_as_test(
        crowd,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=not ASKED,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,) if ASKED else tuple(Phase),
        ),
    )


def test_no_unit_is_held_twice_and_the_order_is_the_models(crowd: type[Crowd]):  # F10
    play(crowd)


def _crossing(sessions: Sessions, variant_id: int) -> int:
    """Two workers read the queue; one makes its offer, then the other, who knows nothing of it; units promised."""
    first, second = (_look(sessions, variant_id) for _ in range(2))
    for dealing in (first, second):
        with sessions() as session:
            dealing.deal(session, limit=1)
            session.commit()
    with sessions() as session:
        return session.get_one(Variant, variant_id).promised


def _look(sessions: Sessions, variant_id: int) -> Round:
    """A worker that has read what there is, and holds on to it."""
    with sessions() as session:
        dealing = Round(session, variant_id, zone=ZONE, now=NOW)
        dealing.begin(session)
        return dealing


@pytest.fixture
def one_pair(session: Session) -> int:
    """One pair in 36, and three who wait for it."""
    (size,) = sandals(session, s36=1)
    for number in range(3):
        wish_for(session, size, name=f"N{number}", now=NOW + number * HOUR)
    session.commit()
    return size.id


def test_a_worker_who_read_an_old_number_holds_nothing_too_many(sessions: Sessions, one_pair: int):
    assert _crossing(sessions, one_pair) == 1


def test_without_the_conditional_update_it_would(sessions: Sessions, one_pair: int, monkeypatch: pytest.MonkeyPatch):
    """Negative control: the check dropped, a unit is held twice, and the invariants say so."""

    def take(session: Session, variant_id: int, units: int) -> bool:
        session.execute(sa.update(Variant).where(Variant.id == variant_id).values(promised=Variant.promised + units))
        return True

    monkeypatch.setattr(rounds, "take_units", take)
    assert _crossing(sessions, one_pair) == 2
    with sessions() as session:
        session.execute(sa.update(Offer).values(state="taken"))
        assert {each.rule for each in find_broken_invariants(session)} == {"holds and sales fit the units"}


def test_eight_workers_at_once_offer_each_unit_once(config: Config, sessions: Sessions, session: Session):
    """Real threads, real commits: workers share out while customers answer."""
    size, other = sandals(session, s36=9, s36_5=5)
    for number in range(20):
        choices = [(size,), (other, size), (size, other)][number % 3]
        wish_for(session, *choices, name=f"N{number}", now=NOW + number * HOUR, quantity=1 + (number % 7 == 0))
    session.commit()
    begin, chance = Barrier(8), random.Random(7)
    answers = [chance.choice([offering.take_offer, offering.pass_offer]) for _ in range(8)]

    def work(worker: int) -> None:
        begin.wait()
        for _ in range(2):
            jobs.deal_all(config, sessions, size.id)
            with sessions() as own:
                found = offers(own)
                if found:
                    try:
                        answers[worker](own, found[worker % len(found)], now=NOW)
                        own.commit()
                    except RuleBroken:  # somebody answered it first
                        own.rollback()

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(8)))
    jobs.deal_all(config, sessions, size.id)
    session.rollback()
    assert find_broken_invariants(session) == []
    for variant in session.scalars(sa.select(Variant).execution_options(populate_existing=True)):
        held = [each for each in offers(session) if each.variant_id == variant.id]
        assert sum(each.quantity for each in held) == variant.promised <= variant.on_hand
    assert len({each.wish_id for each in offers(session)}) == len(offers(session)) >= 10
