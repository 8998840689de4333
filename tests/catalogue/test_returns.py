"""Returns on their way: only ever forward, and a real unit once, at inspection."""

from itertools import permutations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue import stock
from concierge.catalogue.models import Variant
from concierge.catalogue.returns import ReturnReport, probable_units, report_return
from concierge.catalogue.stock_models import ReturnedUnit, ReturnState, StockEvent
from concierge.config import Policy
from tests.catalogue.builders import make_product, make_variant
from tests.factories import DAY, HOUR, NOW

POLICY = Policy(stock_settle_minutes=5)
STATES = (ReturnState.ANNOUNCED, ReturnState.IN_TRANSIT, ReturnState.INSPECTED)


@pytest.fixture
def sandal(session: Session) -> Variant:
    product = make_product(session, sizes={})
    return make_variant(session, product, sku="CAL-TUR-36", size="36")


def say(
    session: Session, state: ReturnState, *, name: str = "R1", policy: Policy = POLICY, **values: object
) -> ReturnedUnit:
    at = NOW + HOUR * list(ReturnState).index(state)
    report = ReturnReport("shop", name, "CAL-TUR-36", "online", state, at, **values)  # type: ignore[arg-type]
    return report_return(session, report, now=NOW + DAY, policy=policy)


def test_a_unit_on_its_way_is_probable_and_becomes_real_at_inspection(session: Session, sandal: Variant) -> None:
    say(session, ReturnState.ANNOUNCED, expected_on=NOW + DAY)
    say(session, ReturnState.IN_TRANSIT, name="R2")
    assert [each.external_id for each in probable_units(session, sandal.id)] == ["R2", "R1"]
    assert sandal.on_hand == 0
    say(session, ReturnState.INSPECTED)
    assert [each.external_id for each in probable_units(session, sandal.id)] == ["R2"]
    assert (sandal.on_hand, sandal.offered_from) == (1, NOW + DAY)
    event = session.scalars(sa.select(StockEvent)).one()
    assert (event.source, event.external_id) == ("returns", "shop:R1")


def test_a_return_that_fails_is_no_unit(session: Session, sandal: Variant) -> None:
    say(session, ReturnState.IN_TRANSIT)
    say(session, ReturnState.FAILED)
    assert probable_units(session, sandal.id) == []
    assert sandal.on_hand == 0


def test_in_whatever_order_and_however_often_it_is_told_it_is_one_unit(session: Session, sandal: Variant) -> None:
    for number, order in enumerate(permutations(STATES)):
        for state in (*order, *reversed(order)):
            returned = say(session, state, name=f"R{number}")
        assert returned.state is ReturnState.INSPECTED
    assert sandal.on_hand == 6


def test_where_the_shop_counts_returns_itself_we_do_not(session: Session, sandal: Variant) -> None:
    say(session, ReturnState.INSPECTED, policy=Policy(returns_add_stock=False))
    assert sandal.on_hand == 0


def test_a_count_after_the_inspection_has_the_unit_in_it(session: Session, sandal: Variant) -> None:
    report = stock.Report("shop", "1", "CAL-TUR-36", "online", stock.StockReport.SNAPSHOT, 1, NOW + DAY)
    stock.report_stock(session, report, now=NOW + DAY, policy=POLICY)
    say(session, ReturnState.INSPECTED)
    assert sandal.on_hand == 1
