"""The pieces behind a number: those that are free to sell, those sold of late, those on their way back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.cards import sized_words
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import colour_name
from concierge.catalogue.stock_models import Purchase, ReturnedUnit, ReturnState
from concierge.customers.models import Customer
from concierge.reports import conditions
from concierge.reports.rows import primary_addresses, product_names


class Goods(StrEnum):
    """Which pieces: those the house may give away now, those sold of late, those on their way back."""

    FREE = "free"
    SOLD = "sold"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class GoodsFilter:
    """Which pieces to list; a `size` is one of `system`."""

    goods: Goods = Goods.FREE
    variant_id: int | None = None
    category: str = ""
    system: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class GoodsRow:
    """Pieces of one variant: what is free of it, or one line of an order, or one return.

    `reference` is what the shop calls the order or the return; of what is free there is none, nor a moment.
    """

    id: int
    units: int
    product_code: str
    product: str
    colour: str
    size: str
    sku: str
    on_hand: int
    promised: int
    safety_minimum: int
    at: datetime | None
    expected_on: datetime | None
    state: ReturnState | None
    source: str
    reference: str
    customer_id: int | None
    customer: str


@dataclass(frozen=True, slots=True)
class GoodsPage:
    """Some pieces, and the number to go on from; None on the last page."""

    rows: list[GoodsRow]
    next: int | None


def list_goods(
    session: Session, shown: GoodsFilter, *, language: str, now: datetime, after: int | None = None, limit: int = 50
) -> GoodsPage:
    """One page of pieces, the newest first; what is free as the catalogue has it."""
    found = session.execute(_goods(shown, after, now=now).limit(limit + 1)).all()
    rows = found[:limit]
    names = product_names(session, {row.product_id for row in rows}, language)
    addresses = primary_addresses(session, {row.customer_id for row in rows if row.customer_id and not row.name})
    made = [_row(row, names, row.name or addresses.get(row.customer_id, ""), language) for row in rows]
    return GoodsPage(made, rows[-1].id if len(found) > limit else None)


def walk_goods(session: Session, shown: GoodsFilter, *, language: str, now: datetime) -> Iterator[GoodsRow]:
    """All of them, page by page; between two pages the session holds nothing."""
    after: int | None = None
    while True:
        page = list_goods(session, shown, language=language, now=now, after=after, limit=500)
        session.rollback()
        yield from page.rows
        if (after := page.next) is None:
            return


def _goods(shown: GoodsFilter, after: int | None, *, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    statement = {Goods.FREE: _free, Goods.SOLD: _sold, Goods.COMING: _coming}[shown.goods](now)
    if shown.variant_id is not None:
        statement = statement.where(Variant.id == shown.variant_id)
    if shown.category:
        statement = statement.where(Product.category == shown.category)
    if shown.size:
        statement = statement.where(Variant.size == shown.size, Variant.size_system == shown.system)
    key: Any = {Goods.FREE: Variant.id, Goods.SOLD: Purchase.id, Goods.COMING: ReturnedUnit.id}[shown.goods]
    if shown.goods is Goods.FREE:
        return statement.where(key > after).order_by(key) if after is not None else statement.order_by(key)
    return statement.where(key < after).order_by(key.desc()) if after is not None else statement.order_by(key.desc())


def _free(_now: datetime) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Variant.id, conditions.FREE.label("units"), *_PIECE, sa.null().label("at"), sa.null().label("expected_on"),
            sa.null().label("state"), sa.literal("").label("source"), sa.literal("").label("reference"),
            sa.null().label("customer_id"), sa.literal("").label("name"),
        )
        .join_from(Variant, Product, Variant.product_id == Product.id)
        .where(conditions.FREE > 0)
    )  # fmt: skip


def _sold(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Purchase.id, Purchase.units, *_PIECE, Purchase.at, sa.null().label("expected_on"), sa.null().label("state"),
            Purchase.source, Purchase.external_id.label("reference"), Purchase.customer_id, Customer.name,
        )
        .join_from(Purchase, Variant, Purchase.variant_id == Variant.id)
        .join(Product, Variant.product_id == Product.id)
        .outerjoin(Customer, Purchase.customer_id == Customer.id)
        .where(*conditions.sold(now))
    )  # fmt: skip


def _coming(_now: datetime) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            ReturnedUnit.id, ReturnedUnit.units, *_PIECE, ReturnedUnit.announced_at.label("at"),
            ReturnedUnit.expected_on, ReturnedUnit.state, ReturnedUnit.source,
            ReturnedUnit.external_id.label("reference"), sa.null().label("customer_id"), sa.literal("").label("name"),
        )
        .join_from(ReturnedUnit, Variant, ReturnedUnit.variant_id == Variant.id)
        .join(Product, Variant.product_id == Product.id)
        .where(*conditions.coming())
    )  # fmt: skip


_PIECE = (
    Variant.product_id, Product.code, Variant.colour, Variant.size_system, Variant.size, Variant.sku, Variant.on_hand,
    Variant.promised, Variant.safety_minimum,
)  # fmt: skip


def _row(row: Any, names: dict[int, str], customer: str, language: str) -> GoodsRow:
    return GoodsRow(
        id=row.id, units=row.units, product_code=row.code, product=names.get(row.product_id, row.code),
        colour=colour_name(row.colour, language), size=sized_words(row),
        sku=row.sku, on_hand=row.on_hand, promised=row.promised, safety_minimum=row.safety_minimum, at=row.at,
        expected_on=row.expected_on, state=row.state, source=row.source, reference=row.reference,
        customer_id=row.customer_id, customer=customer,
    )  # fmt: skip
