"""What the shop of the demo house reported before it opens: sales, a return, a whole count, and one slip."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.blobs import BlobStore
from concierge.catalogue.imports import apply_import, propose_import
from concierge.catalogue.levels import Report
from concierge.catalogue.models import StockLevel, Variant
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.queries import get_variant_by_sku
from concierge.catalogue.returns import ReturnReport, report_return
from concierge.catalogue.sheets import SheetLine, write_sheet
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import ReturnState, StockReport
from concierge.config import Policy
from concierge.customers.models import Customer
from concierge.demo.goods import read

SOURCE = "demo-shop"
_COUNTED = timedelta(hours=8)


def bring_shop_history(session: Session, blobs: BlobStore, customers: Mapping[str, Customer], *, now: datetime) -> None:
    """Let the shop tell its last days, as it would have told them then."""
    sheet, policy = read("shop"), Policy()
    place = read("products")["locations"][0]
    for each in sheet["sold"]:
        _sell(session, each, customers[each["customer"]], place=place, at=_ago(now, each), policy=policy)
    for each in sheet["returned"]:
        at = _ago(now, each)
        due = now + timedelta(hours=each["expected_in_hours"])
        told = ReturnReport(SOURCE, each["id"], each["sku"], place, ReturnState(each["state"]), at, 1, due)
        report_return(session, told, now=at, policy=policy)
    _count(session, blobs, place, now - _COUNTED, policy)
    for each in sheet["counted"]:
        at = _ago(now, each)
        report = Report(SOURCE, f"C-{each['hours']}", each["sku"], place, StockReport.SNAPSHOT, each["units"], at)
        report_stock(session, report, now=at, policy=policy)


def _ago(now: datetime, each: Mapping[str, Any]) -> datetime:
    return now - timedelta(hours=each["hours"])


def _sell(
    session: Session, sold: Mapping[str, Any], buyer: Customer, *, place: str, at: datetime, policy: Policy
) -> None:
    """An order, and an hour later the till's own word that the unit is gone."""
    variant = get_variant_by_sku(session, sold["sku"])
    order = PurchaseReport(
        source=SOURCE,
        external_id=f"{sold['order']}:1",
        sku=sold["sku"],
        at=at,
        price_cents=variant.product.price_cents,
        address=buyer.address,
        location=place,
    )
    report_purchase(session, order, now=at)
    gone = Report(SOURCE, f"T-{sold['order']}", sold["sku"], place, StockReport.DELTA, -1, at + timedelta(hours=1))
    report_stock(session, gone, now=gone.as_of, policy=policy)


def _count(session: Session, blobs: BlobStore, place: str, at: datetime, policy: Policy) -> None:
    """Last night's count of the warehouse, which found everything in its place."""
    statement = sa.select(Variant.sku, StockLevel.on_hand).join(StockLevel).where(StockLevel.location == place)
    lines = [SheetLine(0, sku, place, units) for sku, units in session.execute(statement.order_by(Variant.sku))]
    run = propose_import(
        session,
        blobs,
        write_sheet(lines),
        source="folder",
        name=f"full-{at:%Y-%m-%d}.csv",
        location=place,
        zone=policy.zone,
        as_of=at,
        is_complete=True,
        by=None,
        now=at,
    )
    session.flush()
    apply_import(session, blobs, run, by=None, now=at, policy=policy, approved=False)
