"""Writes down what shop systems tell by webhook, under the names they use."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.foreign import Alias, ArrivedLine, Counted, Gone, Goods, Item, SoldLine, Told
from concierge.catalogue.goods import is_code
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Product, ProductAlias, ProductIncomplete, Variant
from concierge.catalogue.products import Reported, report_product
from concierge.catalogue.purchases import PurchaseReport, report_delivery, report_purchase
from concierge.catalogue.queries import find_variant_by_sku
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockEvent, StockReport, VariantAlias
from concierge.config import Policy

log = logging.getLogger(__name__)


def hear_of_goods(
    session: Session, told: Goods | Gone, *, source: str, now: datetime, policy: Policy
) -> Reported | None:
    """Make or change the product that was told of; None where there is nothing to make one of.

    What has no name or price yet, can't be bought, or is a part of something we never heard of, is passed over.
    """
    if isinstance(told, Gone):
        session.execute(sa.delete(ProductAlias).where(*_called(source, told.number)))
        return None
    known = _find_product(session, source, told)
    code = known.code if known else _new_code(session, told)
    if not code:
        log.info("%s: product %s is passed over: we never heard of it, and can't make one of this", source, told.number)
        return None
    try:
        reported = report_product(session, replace(told.report, code=code), source=source, now=now, policy=policy)
    except ProductIncomplete:
        log.info("%s: product %s is passed over: it has no name or no price yet", source, told.number)
        return None
    _learn_product(session, source, told.number, reported.product)
    for sku, other in reported.elsewhere.items():
        log.warning("%s: SKU %s of product %s is passed over: %s has it", source, sku, code, other)
    for each in told.passed_over:
        log.warning("%s: variant %s of product %s is passed over: it has no SKU", source, each or "?", code)
    return reported


def _find_product(session: Session, source: str, told: Goods) -> Product | None:
    """The product another system means: by the name we learnt, else by a SKU or a code nobody there has yet."""
    learnt = sa.select(ProductAlias.product_id).where(*_called(source, told.number))
    if product := session.scalar(sa.select(Product).where(Product.id.in_(learnt))):
        return product
    is_free = Product.id.not_in(sa.select(ProductAlias.product_id).where(ProductAlias.source == source))
    skus = [each.sku for each in told.report.variants]
    by_sku = sa.select(Product).where(Product.variants.any(Variant.sku.in_(skus)), is_free)
    by_code = sa.select(Product).where(Product.code.in_(told.codes), is_free)
    return session.scalar(by_sku.order_by(Product.id).limit(1)) or session.scalar(by_code.order_by(Product.id).limit(1))


def _new_code(session: Session, told: Goods) -> str:
    """What a product is to be called from now on; "" for one nobody can buy yet, or whose SKUs are all of others."""
    skus = {each.sku for each in told.report.variants}
    taken = set(session.scalars(sa.select(Variant.sku).where(Variant.sku.in_(skus))))
    if not told.is_shown or (skus and skus == taken):
        return ""
    codes = [each for each in told.codes if is_code(each)]
    known = set(session.scalars(sa.select(Product.code).where(Product.code.in_(codes))))
    return next((each for each in codes if each not in known), "")


def _learn_product(session: Session, source: str, number: str, product: Product) -> None:
    if session.scalar(sa.select(ProductAlias.id).where(*_called(source, number))) is None:
        session.add(ProductAlias(source=source, external_id=number, product_id=product.id))
        session.flush()


def _called(source: str, number: str) -> tuple[sa.ColumnElement[bool], ...]:
    return ProductAlias.source == source, ProductAlias.external_id == number


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
