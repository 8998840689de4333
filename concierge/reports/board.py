"""The wish board: products by what is wished for them, with their size run; pages by key, however many products."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, ProductText, Variant
from concierge.reports.models import ProductTally, VariantTally
from concierge.reports.queries import products_by_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN = re.compile(r"(-?\d{1,18})-(\d{1,18})")
_MOST_WORDS = 6


class Order(StrEnum):
    """What comes first on the board."""

    VALUE = "value"
    PEOPLE = "people"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What to show; `age` is one of the ages of `chances`, None for all."""

    text: str = ""
    category: str = ""
    age: int | None = None
    order: Order = Order.VALUE


@dataclass(frozen=True, slots=True)
class SizeCell:
    """One size of a product: how many wish for it first, how many more would be content with it, what is there."""

    variant: Variant
    wishes: int
    also: int
    on_its_way: int


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A product on the board; money in cents."""

    product: Product
    wishes: int
    units: int
    value: int
    likely: int
    oldest_at: datetime | None
    sizes: list[SizeCell] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Some products, and the token of the page behind; None on the last."""

    rows: list[BoardRow]
    next: str | None


def list_board(session: Session, shown: BoardFilter, *, after: str = "", limit: int = 25) -> BoardPage:
    """One page of the board, from behind the token `after` on; a token nobody can read is the beginning."""
    found = session.execute(_board(shown, after).limit(limit + 1)).all()
    rows, more = found[:limit], len(found) > limit
    ids = [row.id for row in rows]
    products, cells = products_by_id(session, ids), _cells(session, ids, shown.age)
    made = [
        BoardRow(
            products[row.id], row.wishes, row.units, row.value, row.likely, row.oldest_at,
            _run(products[row.id].variants, cells),
        )
        for row in rows
    ]  # fmt: skip
    return BoardPage(made, f"{_key(shown.order, rows[-1])}-{rows[-1].id}" if more else None)


def _board(shown: BoardFilter, after: str) -> sa.Select[*tuple[Any, ...]]:
    tally = ProductTally
    wishes: Any = tally.wishes if shown.age is None else tally.wishes_by_age[shown.age].as_integer()
    units: Any = tally.units if shown.age is None else tally.units_by_age[shown.age].as_integer()
    value: Any = tally.value_cents if shown.age is None else units * Product.price_cents
    statement = (
        sa.select(
            Product.id, wishes.label("wishes"), units.label("units"), value.label("value"),
            tally.likely_cents.label("likely"), tally.oldest_at,
        )
        .join_from(tally, Product, tally.product_id == Product.id)
        .where(wishes > 0, *_matching(shown))
    )  # fmt: skip
    measure: Any = {Order.VALUE: value, Order.PEOPLE: wishes, Order.OLDEST: tally.oldest_at}[shown.order]
    statement = statement.order_by(measure if shown.order is Order.OLDEST else measure.desc(), Product.id)
    if (token := _TOKEN.fullmatch(after)) is None:
        return statement
    key, product_id = int(token[1]), int(token[2])
    if shown.order is Order.OLDEST:
        at = _EPOCH + timedelta(microseconds=min(abs(key), 10**17))
        return statement.where(sa.or_(measure > at, sa.and_(measure == at, Product.id > product_id)))
    return statement.where(sa.or_(measure < key, sa.and_(measure == key, Product.id > product_id)))


def _key(order: Order, row: Any) -> int:
    if order is Order.OLDEST:
        return int((row.oldest_at - _EPOCH) // timedelta(microseconds=1))
    return int(row.value if order is Order.VALUE else row.wishes)


def _matching(shown: BoardFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [Product.category == shown.category] if shown.category else []
    for word in re.findall(r"[^\s,;]+", shown.text)[:_MOST_WORDS]:
        named = Product.texts.any(ProductText.name.icontains(word, autoescape=True))
        conditions.append(
            sa.or_(
                named,
                Product.code.istartswith(word, autoescape=True),
                Product.designer.icontains(word, autoescape=True),
                Product.variants.any(Variant.sku == word.upper()),
            )
        )
    return conditions


def _cells(session: Session, product_ids: Sequence[int], age: int | None) -> dict[int, tuple[int, int, int]]:
    wishes = VariantTally.wishes if age is None else VariantTally.wishes_by_age[age].as_integer()
    statement = sa.select(VariantTally.variant_id, wishes, VariantTally.also, VariantTally.on_its_way)
    found = session.execute(statement.where(VariantTally.product_id.in_(product_ids)))
    return {variant_id: (count, also, coming) for variant_id, count, also, coming in found}


def _run(variants: Sequence[Variant], cells: dict[int, tuple[int, int, int]]) -> list[SizeCell]:
    return [SizeCell(each, *cells.get(each.id, (0, 0, 0))) for each in variants]
