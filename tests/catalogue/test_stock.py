"""The books of stock: late, repeated and sudden reports, restocks that last, units set aside and sold."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue import stock
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Variant, VariantNotFound
from concierge.catalogue.queries import get_variant_by_sku
from concierge.catalogue.stock_models import (
    AlreadyDecided,
    NotThatManyPromised,
    Restock,
    StockEvent,
    StockEventState,
    StockReport,
)
from concierge.config import Policy
from concierge.db import Sessions
from tests.catalogue.builders import make_product, make_variant
from tests.factories import MINUTE, NOW

SKU = "CAL-TUR-36"
POLICY = Policy(stock_settle_minutes=5, stock_jump=50)


def count(session: Session, units: int, at: datetime, **more: Any) -> StockEvent:
    """The shop counted: so many are there."""
    return _report(session, StockReport.SNAPSHOT, units, at, **more)


def move(session: Session, units: int, at: datetime, **more: Any) -> StockEvent:
    """So many came, or went."""
    return _report(session, StockReport.DELTA, units, at, **more)


def _report(session: Session, kind: StockReport, units: int, at: datetime, **more: Any) -> StockEvent:
    location = more.setdefault("location", "online")
    values = {"source": "shop", "external_id": f"{kind}:{location}:{at.isoformat()}", "sku": SKU} | more
    report = Report(report=kind, units=units, as_of=at, **values)
    return stock.report_stock(session, report, now=max(at, NOW), policy=POLICY)


@pytest.fixture
def sandal(session: Session) -> Variant:
    """The turquoise sandals in 36, never counted."""
    product = make_product(session, sizes={})
    return make_variant(session, product, sku=SKU, size="36", colour="Turquoise")


def restocks(session: Session) -> list[tuple[int, bool, bool]]:
    """Each restock: units, whether it is over, whether it flapped."""
    session.flush()
    rows = session.scalars(sa.select(Restock).order_by(Restock.id))
    return [(each.units, each.ended_at is not None, each.flapped) for each in rows]


def test_a_count_a_move_and_a_late_count(session: Session, sandal: Variant) -> None:
    count(session, 2, NOW)
    move(session, -1, NOW + 2 * MINUTE)
    late = count(session, 9, NOW - MINUTE)
    assert late.state is StockEventState.LATE
    between = count(session, 5, NOW + MINUTE)  # the pair that went at +2 is missing from it still
    assert (between.before, between.after) == (1, 4)
    assert sandal.on_hand == 4
    assert move(session, -3, NOW).state is StockEventState.LATE  # the count at +1 has it in


def test_the_same_report_again_changes_nothing(session: Session, sandal: Variant) -> None:
    first = move(session, 3, NOW, external_id="7")
    assert move(session, 3, NOW, external_id="7") is first
    assert sandal.on_hand == 3


def test_a_version_goes_before_a_clock(session: Session, sandal: Variant) -> None:
    count(session, 2, NOW, version=7)
    assert count(session, 9, NOW + MINUTE, version=6).state is StockEventState.LATE
    count(session, 4, NOW - MINUTE, version=8)
    assert sandal.on_hand == 4


def test_a_clock_that_goes_before_ours_does_not_silence_later_reports(session: Session, sandal: Variant) -> None:
    report = Report("shop", "1", SKU, "online", StockReport.SNAPSHOT, 2, NOW + 999 * MINUTE)
    assert stock.report_stock(session, report, now=NOW, policy=POLICY).as_of == NOW
    assert count(session, 1, NOW + MINUTE).state is StockEventState.APPLIED


def test_goings_heard_of_before_their_comings_cancel_out(session: Session, sandal: Variant) -> None:
    move(session, -1, NOW + MINUTE)
    assert sandal.on_hand == 0
    move(session, 1, NOW)
    assert sandal.on_hand == 0


def test_a_jump_waits_for_a_yes(session: Session, sandal: Variant) -> None:
    count(session, 2, NOW)
    jump = count(session, 500, NOW + MINUTE)
    assert (jump.state, jump.before, jump.after, sandal.on_hand) == (StockEventState.WAITING, 2, 500, 2)
    stock.approve_stock_event(session, jump, by=None, now=NOW + 2 * MINUTE, policy=POLICY)
    assert (jump.state, sandal.on_hand) == (StockEventState.APPLIED, 500)
    with pytest.raises(AlreadyDecided):
        stock.refuse_stock_event(session, jump, by=None, now=NOW)


def test_a_jump_that_was_refused_or_overtaken_never_counts(session: Session, sandal: Variant) -> None:
    count(session, 2, NOW)
    refused, overtaken = count(session, 500, NOW + MINUTE), count(session, 600, NOW + 2 * MINUTE)
    stock.refuse_stock_event(session, refused, by=None, now=NOW)
    count(session, 3, NOW + 3 * MINUTE)
    assert (refused.state, overtaken.state, sandal.on_hand) == (StockEventState.REFUSED, StockEventState.LATE, 3)
    with pytest.raises(AlreadyDecided):
        stock.approve_stock_event(session, overtaken, by=None, now=NOW, policy=POLICY)


def test_from_none_to_some_is_a_restock_and_is_offered_once_it_has_settled(session: Session, sandal: Variant) -> None:
    count(session, 2, NOW)
    assert sandal.offered_from == NOW + 5 * MINUTE
    count(session, 1, NOW + MINUTE)
    count(session, 0, NOW + 60 * MINUTE)
    assert sandal.offered_from is None
    assert restocks(session) == [(2, True, False)]


def test_a_report_that_flaps_is_no_restock_to_be_believed(session: Session, sandal: Variant) -> None:  # F10
    for minute, units in enumerate((1, 0, 1, 0)):
        count(session, units, NOW + minute * MINUTE)
    assert restocks(session) == [(1, True, True)]
    count(session, 1, NOW + 90 * MINUTE)
    assert restocks(session) == [(1, True, True), (1, False, False)]


def test_a_transfer_makes_no_restock(session: Session, sandal: Variant) -> None:
    count(session, 1, NOW, location="Milano")
    move(session, -1, NOW + 60 * MINUTE, location="Milano")
    move(session, 1, NOW + 62 * MINUTE, location="online")
    assert restocks(session) == [(1, False, False)]
    assert sandal.offered_from == NOW + 67 * MINUTE


def test_nobody_reports_what_we_do_not_sell(session: Session) -> None:
    with pytest.raises(VariantNotFound):
        count(session, 1, NOW, sku="NOTHING")


def test_units_set_aside_are_not_there_for_others(session: Session, sandal: Variant) -> None:
    count(session, 3, NOW)
    sandal.safety_minimum = 1
    session.flush()
    assert not stock.take_units(session, sandal.id, 3)
    assert stock.take_units(session, sandal.id, 2)
    assert (sandal.promised, sandal.available) == (2, 0)
    assert not stock.take_units(session, sandal.id, 1)
    stock.give_back_units(session, sandal.id, 1)
    assert sandal.available == 1
    with pytest.raises(NotThatManyPromised):
        stock.give_back_units(session, sandal.id, 2)


def _eight(take: Callable[[int], int]) -> int:
    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(take, range(8)))


def test_eight_at_once_never_take_more_than_there_is(session: Session, sessions: Sessions, sandal: Variant) -> None:
    count(session, 10, NOW)
    session.commit()

    def take(_number: int) -> int:
        taken = 0
        for _ in range(4):
            with sessions() as own:
                taken += stock.take_units(own, sandal.id, 1)
                own.commit()
        return taken

    assert _eight(take) == 10
    session.expire_all()
    assert session.get_one(Variant, sandal.id).promised == 10


def test_eight_who_look_first_and_take_then_take_too_many(
    session: Session, sessions: Sessions, sandal: Variant
) -> None:
    """The negative control: without the condition in the UPDATE, the same eight promise one pair eight times."""
    count(session, 1, NOW)
    session.commit()
    everybody_looked = Barrier(8)

    def take(_number: int) -> int:
        with sessions() as own:
            is_free = own.get_one(Variant, sandal.id).available > 0
        everybody_looked.wait()
        with sessions() as own:
            own.execute(sa.update(Variant).values(promised=Variant.promised + 1))
            own.commit()
        return is_free

    assert _eight(take) == 8


def test_two_who_report_at_once_lose_nothing(session: Session, sessions: Sessions, sandal: Variant) -> None:
    count(session, 5, NOW)
    session.commit()

    def report(number: int) -> None:
        for each in range(5):
            with sessions() as own:
                move(own, 1, NOW + MINUTE, location=("online", "Milano")[number % 2], external_id=f"{number}:{each}")
                own.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(report, range(4)))
    session.expire_all()
    assert get_variant_by_sku(session, SKU).on_hand == 25
