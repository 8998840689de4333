"""Writes down what shop systems tell by webhook, under the names they use."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.foreign import Alias, ArrivedLine, Counted, Item, SoldLine, Told
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Variant
from concierge.catalogue.purchases import PurchaseReport, report_delivery, report_purchase
from concierge.catalogue.queries import find_variant_by_sku
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockEvent, StockReport, VariantAlias
from concierge.config import Policy


def hear(session: Session, told: Iterable[Told], *, source: str, now: datetime, policy: Policy) -> tuple[int, int]:
    """Write down what was told; how much of it was about variants of ours, and how much about others."""
    named = [(find_item(session, source, _item(each)), each) for each in told]
    # always in this order, so that two who hear at once never wait for each other in a circle
    ours = sorted(((variant, each) for variant, each in named if variant is not None), key=lambda pair: pair[0].sku)
    for variant, each in ours:
        if isinstance(each, Alias):
            _learn(session, source, each.alias, variant)
        elif isinstance(each, Counted):
            _count(session, source, variant, each, now=now, policy=policy)
        elif isinstance(each, ArrivedLine):
            report_delivery(session, source, each.name, each.at, now=now)
        else:
            _sell(session, source, variant, each, now=now)
    return len(ours), len(named) - len(ours)


def find_item(session: Session, source: str, item: Item) -> Variant | None:
    """Our variant that another system means: by SKU, else by a name of its own that we learnt."""
    if item.sku and (variant := find_variant_by_sku(session, item.sku)) is not None:
        return variant
    if not item.alias:
        return None
    known = sa.select(VariantAlias.variant_id).where(
        VariantAlias.source == source, VariantAlias.external_id == item.alias
    )
    return session.scalar(sa.select(Variant).where(Variant.id.in_(known)))


def _item(told: Told) -> Item:
    return Item(told.sku) if isinstance(told, Alias) else told.item


def _learn(session: Session, source: str, name: str, variant: Variant) -> None:
    known = session.scalar(
        sa.select(VariantAlias).where(VariantAlias.source == source, VariantAlias.external_id == name)
    )
    if known is None:
        session.add(VariantAlias(source=source, external_id=name, variant_id=variant.id))
    elif known.variant_id != variant.id:
        known.variant_id = variant.id
    session.flush()


def _count(session: Session, source: str, variant: Variant, counted: Counted, *, now: datetime, policy: Policy) -> None:
    if counted.is_total:
        # A total of all places is worth something only where the places are not counted one by one.
        by_place = sa.select(StockEvent.id).where(StockEvent.variant_id == variant.id, StockEvent.source == source)
        if session.scalar(by_place.limit(1)) is not None:
            return
        source = f"{source}-total"
    report = Report(
        source, counted.name, variant.sku, counted.location or policy.shop_location, StockReport.SNAPSHOT,
        max(0, counted.units), counted.as_of,
    )  # fmt: skip
    report_stock(session, report, now=now, policy=policy)


def _sell(session: Session, source: str, variant: Variant, sold: SoldLine, *, now: datetime) -> None:
    report = PurchaseReport(
        source=source,
        external_id=sold.name,
        sku=variant.sku,
        at=sold.at,
        units=sold.units,
        price_cents=sold.price_cents,
        currency=sold.currency,
        address=sold.address,
        account=sold.account,
        hold_token=sold.hold_token,
        location=sold.location,
        returned=sold.returned,
        is_void=sold.is_void,
        delivered_at=sold.delivered_at,
        stated_at=sold.stated_at,
    )
    report_purchase(session, report, now=now)
