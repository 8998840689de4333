"""The wish board: products by what is wished for them, with their size run; pages by key, however many products."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, ProductText, Variant
from concierge.reports import chances
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
    """One size of a product: how many wish for it first, how many more would be content with it, what is there.

    `wishes` and `units` are of the age asked for, `wishes_by_age` and `oldest_at` of all.
    """

    variant: Variant
    wishes: int = 0
    also: int = 0
    on_its_way: int = 0
    units: int = 0
    likely_units: float = 0.0
    wishes_by_age: Sequence[int] = (0,) * chances.COUNT
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A product on the board; money in cents, of the age asked for."""

    product: Product
    wishes: int
    units: int
    value: int
    likely: int
    oldest_at: datetime | None
    sizes: list[SizeCell]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Some products, and the token of the page behind; None on the last."""

    rows: list[BoardRow]
    next: str | None


def list_board(
    session: Session, shown: BoardFilter, at_each_age: Sequence[float], *, after: str = "", limit: int = 25
) -> BoardPage:
    """One page of the board, from behind the token `after` on; a token nobody can read is the beginning.

    `at_each_age` is the chance that somebody whose wish is of that age still wants it.
    """
    found = session.execute(_board(shown, after).limit(limit + 1)).all()
    rows, more = found[:limit], len(found) > limit
    ids = [row.id for row in rows]
    products, tallies = products_by_id(session, ids), _tallies(session, ids)
    made = [
        BoardRow(
            products[row.id], row.wishes, row.units, row.value,
            row.likely if shown.age is None else round(row.value * at_each_age[shown.age]), row.oldest_at,
            [_cell(each, tallies.get(each.id), shown.age, at_each_age) for each in products[row.id].variants],
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


def _tallies(session: Session, product_ids: Sequence[int]) -> dict[int, VariantTally]:
    found = session.scalars(sa.select(VariantTally).where(VariantTally.product_id.in_(product_ids)))
    return {each.variant_id: each for each in found}


def _cell(variant: Variant, tally: VariantTally | None, age: int | None, at_each_age: Sequence[float]) -> SizeCell:
    """One size; its wishes and pieces are those of one age, if one is asked for."""
    if tally is None:
        return SizeCell(variant)
    # a tally from before pieces were counted by age says nothing of them until the next count
    pieces = tally.units_by_age or [0] * chances.COUNT
    units = [count if age in {None, number} else 0 for number, count in enumerate(pieces)]
    return SizeCell(
        variant=variant,
        wishes=tally.wishes if age is None else tally.wishes_by_age[age],
        also=tally.also,
        on_its_way=tally.on_its_way,
        units=sum(units),
        likely_units=chances.likely(units, at_each_age),
        wishes_by_age=tally.wishes_by_age,
        oldest_at=tally.oldest_at,
    )
