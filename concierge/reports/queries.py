"""Reading what was counted: the newest count, the demand of the whole house, size curves, what to order again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.stock_models import Purchase, ReturnedUnit
from concierge.reports import chances
from concierge.reports.models import DemandCount, Reranking, VariantTally
from concierge.reports.reorder import Shelf, Suggestion, suggest_all
from concierge.wishes.offer_models import WavePolicy

FREE = sa.case(
    (
        Variant.on_hand > Variant.promised + Variant.safety_minimum,
        Variant.on_hand - Variant.promised - Variant.safety_minimum,
    ),
    else_=0,
)


@dataclass(frozen=True, slots=True)
class Total:
    """The demand of the house in one currency; money in cents."""

    currency: str
    wishes: int
    units: int
    value: int
    likely: int
    gone: int
    gone_value: int
    gone_likely: int


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a kind of product: units wished for, there to sell, and sold of late."""

    system: str
    size: str
    wished: int
    stocked: int
    sold: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of product with the sizes it comes in, and how many units of it are wished for."""

    category: str
    system: str
    units: int


def find_count(session: Session, *, finished_only: bool = True) -> DemandCount | None:
    """The newest count; of those that are finished unless told otherwise."""
    statement = sa.select(DemandCount).order_by(DemandCount.id.desc()).limit(1)
    return session.scalar(statement.where(DemandCount.counted_at.is_not(None)) if finished_only else statement)


def pulse(session: Session) -> int:
    """A number that grows with whatever could change a count: something done, sold, or announced."""
    newest = (sa.select(sa.func.max(each)).scalar_subquery() for each in (Purchase.id, ReturnedUnit.id))
    return audit.latest_id(session) + sum(each or 0 for each in session.execute(sa.select(*newest)).one())


def find_unranked_policy_id(session: Session) -> int | None:
    """A policy under which not all waiting wishes are ranked yet."""
    statement = sa.select(Reranking.policy_id).where(Reranking.finished_at.is_(None))
    return session.scalar(statement.order_by(Reranking.policy_id).limit(1))


def list_policies(session: Session, *, limit: int = 20) -> list[WavePolicy]:
    """The policies as they were saved, the newest first."""
    return list(session.scalars(sa.select(WavePolicy).order_by(WavePolicy.id.desc()).limit(limit)))


def list_totals(session: Session) -> list[Total]:
    """The demand in each currency, the most first."""
    price, tally = Product.price_cents, VariantTally
    value = sa.func.sum(tally.units * price)
    statement = (
        sa.select(
            Product.currency,
            sa.func.sum(tally.wishes),
            sa.func.sum(tally.units),
            value,
            sa.func.sum(tally.likely_units * price),
            sa.func.sum(tally.gone),
            sa.func.sum(tally.gone_units * price),
            sa.func.sum(tally.gone_likely_units * price),
        )
        .join_from(tally, Product, tally.product_id == Product.id)
        .group_by(Product.currency)
        .order_by(value.desc())
    )
    return [Total(currency, *(round(each) for each in sums)) for currency, *sums in session.execute(statement)]


def count_by_age(session: Session) -> list[int]:
    """How many wishes wait of each age."""
    ages = [sa.func.sum(VariantTally.wishes_by_age[age].as_integer()) for age in range(chances.COUNT)]
    return [each or 0 for each in session.execute(sa.select(*ages)).one()]


def list_kinds(session: Session) -> list[Kind]:
    """The kinds of products somebody wishes for, by the size system they come in, the most wished for first."""
    units = sa.func.sum(VariantTally.units)
    statement = (
        sa.select(Product.category, Variant.size_system, units)
        .join_from(VariantTally, Product, VariantTally.product_id == Product.id)
        .join(Variant, VariantTally.variant_id == Variant.id)
        .where(Variant.size != "")
        .group_by(Product.category, Variant.size_system)
        .having(units > 0)
    )
    return [Kind(*row) for row in session.execute(statement.order_by(units.desc(), Product.category))]


def size_curve(session: Session, kind: Kind) -> list[Size]:
    """The sizes of a kind as they run: wished for, free to sell now, sold of late."""
    wished = sa.func.coalesce(sa.func.sum(VariantTally.units), 0)
    sold = sa.func.coalesce(sa.func.sum(VariantTally.sold), 0)
    statement = (
        sa.select(Variant.size_system, Variant.size, wished, sa.func.sum(FREE), sold)
        .join_from(Variant, Product, Variant.product_id == Product.id)
        .outerjoin(VariantTally, VariantTally.variant_id == Variant.id)
        .where(Product.category == kind.category, Variant.size_system == kind.system, Variant.size != "")
        .group_by(Variant.size_system, Variant.size)
        .order_by(sa.func.avg(Variant.position), Variant.size)
    )
    return _as_they_run([Size(*row) for row in session.execute(statement)])


def _as_they_run(sizes: list[Size]) -> list[Size]:
    """Numbers by their value; letters as the shop puts them."""
    if all(each.size.replace(".", "", 1).isdecimal() for each in sizes):
        return sorted(sizes, key=lambda each: float(each.size))
    return sizes


def list_suggestions(session: Session, *, limit: int = 40) -> list[tuple[int, list[Suggestion]]]:
    """What to order again, by product, what would bring most first; at most `limit` sizes."""
    missing = VariantTally.likely_units - FREE - VariantTally.on_its_way
    statement = (
        sa.select(
            Product.id, Variant.sku, Variant.size, VariantTally.units, VariantTally.likely_units, FREE,
            VariantTally.on_its_way, Product.price_cents, Variant.position,
        )
        .join_from(VariantTally, Variant, VariantTally.variant_id == Variant.id)
        .join(Product, VariantTally.product_id == Product.id)
        .where(missing >= 0.5)
        .order_by((missing * Product.price_cents).desc(), Variant.id)
        .limit(limit)
    )  # fmt: skip
    by_product: dict[int, list[Any]] = {}
    for product_id, *shelf, position in session.execute(statement):
        by_product.setdefault(product_id, []).append((position, Shelf(*shelf)))
    return [
        (product_id, suggest_all(shelf for _, shelf in sorted(shelves, key=lambda each: each[0])))
        for product_id, shelves in by_product.items()
    ]


def products_by_id(session: Session, ids: Sequence[int]) -> dict[int, Product]:
    """These products with their texts, pictures and variants."""
    return {each.id: each for each in session.scalars(sa.select(Product).where(Product.id.in_(ids)))}
