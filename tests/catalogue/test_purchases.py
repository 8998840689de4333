"""Orders of the shop: who bought, and that a sold unit is never free before it is missing."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from concierge.catalogue import stock
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Variant
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.stock_models import Purchase, StockReport
from concierge.config import Policy
from tests.catalogue.builders import make_product, make_variant
from tests.factories import HOUR, MINUTE, NOW, make_customer

SKU = "CAL-TUR-36"


@pytest.fixture
def sandal(session: Session) -> Variant:
    product = make_product(session, sizes={})
    variant = make_variant(session, product, sku=SKU, size="36")
    count(session, 2, NOW - HOUR)
    return variant


def count(session: Session, units: int, at: datetime, kind: StockReport = StockReport.SNAPSHOT) -> None:
    report = Report("shop", f"{kind}{at}", SKU, "online", kind, units, at)
    stock.report_stock(session, report, now=NOW + HOUR, policy=Policy())


def sell(session: Session, *, at: datetime = NOW, name: str = "S-1:1", **values: object) -> Purchase:
    report = PurchaseReport("shop", name, SKU, at, **values)  # type: ignore[arg-type]
    return report_purchase(session, report, now=NOW + HOUR)


def test_a_sold_unit_is_spoken_for_until_the_shop_has_it_missing(session: Session, sandal: Variant) -> None:
    barbara = make_customer(session)
    purchase = sell(session, address="Barbara@Example.com", price_cents=42_000, hold_token="t")
    assert (purchase.customer_id, purchase.matched_at, sandal.available) == (barbara.id, None, 1)
    count(session, 1, NOW + MINUTE)
    assert (sandal.on_hand, sandal.promised, sandal.available, purchase.unsettled) == (1, 0, 1, 0)


@pytest.mark.parametrize("kind", list(StockReport))
def test_the_shop_may_have_it_missing_before_we_hear_of_the_order(
    session: Session, sandal: Variant, kind: StockReport
) -> None:
    count(session, 1 if kind is StockReport.SNAPSHOT else -1, NOW, kind)
    sell(session)
    assert (sandal.promised, sandal.available) == (0, 1)


def test_the_same_order_twice_is_one_sale(session: Session, sandal: Variant) -> None:
    assert sell(session) is sell(session)
    assert sandal.promised == 1


def test_a_cancelled_order_frees_its_unit_once(session: Session, sandal: Variant) -> None:
    sell(session)
    sell(session, returned=1)
    sell(session, returned=1)
    assert sandal.promised == 0
    count(session, 2, NOW + MINUTE)
    assert sandal.available == 2


def test_a_cancellation_may_come_before_its_order(session: Session, sandal: Variant) -> None:
    sell(session, returned=1)
    purchase = sell(session)
    assert purchase.returned_at
    assert purchase.matched_at
    assert sandal.promised == 0


def test_what_is_undone_in_part_gives_back_exactly_that(session: Session, sandal: Variant) -> None:
    purchase = sell(session, units=2)
    assert (sandal.promised, sandal.available) == (2, 0)
    for _again in range(2):
        sell(session, units=2, returned=1)
        assert (sandal.promised, sandal.available, purchase.units, purchase.returned_at) == (1, 1, 1, None)
    sell(session, units=2)  # the order as it was, late: what was undone stays so
    assert (sandal.promised, purchase.units) == (1, 1)
    sell(session, units=2, returned=2)
    assert (sandal.promised, sandal.available) == (0, 2)
    assert purchase.returned_at


def test_of_what_the_shop_has_missing_in_part_the_kept_unit_stays_promised(session: Session, sandal: Variant) -> None:
    sell(session, units=2)
    count(session, -1, NOW + MINUTE, StockReport.DELTA)
    sell(session, units=2, returned=1)
    assert (sandal.on_hand, sandal.promised, sandal.available) == (1, 1, 0)
    count(session, 1, NOW + 2 * MINUTE)
    assert (sandal.promised, sandal.available) == (0, 1)


def test_an_order_undone_in_part_before_we_heard_of_it_sells_the_rest(session: Session, sandal: Variant) -> None:
    purchase = sell(session, units=2, returned=1)
    assert (purchase.units, purchase.matched_at, sandal.promised) == (1, None, 1)


def test_an_old_report_settles_nothing(session: Session, sandal: Variant) -> None:
    sell(session)
    count(session, 2, NOW - MINUTE)
    assert sandal.available == 1
