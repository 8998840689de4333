"""The queue, the waves and the holds, step by step beside the plain model, and with real workers at once.

A few runs here; 5,000 runs of 100 steps with CONCIERGE_TESTS_WISHES=full (or another number of runs instead of "full").
"""

import os
import random
from collections.abc import Callable, Iterator
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
from concierge.wishes import jobs, leaving, offering, rounds, shelves
from concierge.wishes.invariants import find_broken_invariants
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.offer_models import Offer, Wave, WavePolicy
from concierge.wishes.rounds import Round
from concierge.wishes.waves import Key, Place
from tests.factories import HOUR, NOW
from tests.wishes.builders import offers, sandals, wish_for
from tests.wishes.house import furnish
from tests.wishes.machine import Crowd

ASKED = os.environ.get("CONCIERGE_TESTS_WISHES", "")
RUNS, STEPS = ({"": 6, "full": 5000}.get(ASKED) or int(ASKED), 100 if ASKED else 25)
PHASES = (Phase.generate,) if ASKED else tuple(Phase)
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


def play(crowd: type[Crowd], runs: int = RUNS, *, steps: int = STEPS, phases: tuple[Phase, ...] = PHASES) -> None:
    """Run the machine."""
    run_state_machine_as_test(
        crowd,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=not ASKED or runs != RUNS,
            suppress_health_check=list(HealthCheck),
            phases=phases,
            report_multiple_bugs=False,
            print_blob=False,
        ),
    )


def test_no_unit_is_held_twice_and_the_order_is_the_models(crowd: type[Crowd]):  # F10
    play(crowd)


def _take_unasked(session: Session, variant_id: int, units: int) -> bool:
    """`catalogue.stock.take_units` without its condition."""
    session.execute(sa.update(Variant).where(Variant.id == variant_id).values(promised=Variant.promised + units))
    return True


def _drop_the_condition(monkeypatch: pytest.MonkeyPatch, _session: Session) -> None:
    """Units are taken whether or not they are free."""
    for module in (rounds, shelves, offering):
        monkeypatch.setattr(module, "take_units", _take_unasked)


def _drop_the_one_offer(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    """Nobody asks whether a wish still waits, and the index that allows it one open offer is gone."""
    monkeypatch.setattr(leaving, "STILL_WAITS", sa.true())
    monkeypatch.setattr(leaving, "STILL_WANTED", sa.true())
    monkeypatch.setattr(Round, "_places", _places_once(Round._places))
    session.execute(sa.text("DROP INDEX uq_offer_holding"))
    session.commit()


def _places_once(places: Callable[..., Iterator[Place]]) -> Callable[..., Iterator[Place]]:
    """A worker that reads the whole queue when it looks, and knows nothing newer when it acts."""

    def read(self: Round, behind: Key | None, *, plain_only: bool) -> Iterator[Place]:
        return iter(list(places(self, behind, plain_only=plain_only)))

    return read


def _drop_the_order(monkeypatch: pytest.MonkeyPatch, _session: Session) -> None:
    """Whoever came last goes first."""
    places = Round._places

    def read(self: Round, behind: Key | None, *, plain_only: bool) -> Iterator[Place]:
        return iter(list(places(self, behind, plain_only=plain_only))[::-1])

    monkeypatch.setattr(Round, "_places", read)


@pytest.mark.parametrize("drop", [_drop_the_condition, _drop_the_one_offer, _drop_the_order])
def test_the_machine_goes_red_when_one_check_is_dropped(
    crowd: type[Crowd], session: Session, monkeypatch: pytest.MonkeyPatch, drop: Callable[..., None]
):
    """Negative controls: the same machine, the same steps, and the first of them that goes wrong is found."""
    drop(monkeypatch, session)
    with pytest.raises(AssertionError):
        play(crowd, 60, steps=12, phases=(Phase.generate,))


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
