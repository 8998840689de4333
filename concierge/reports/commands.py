"""Keeps what was counted of the wishes, a few rows at a time."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, Variant
from concierge.reports.figures import HouseCount
from concierge.reports.models import DemandCount, ProductTally, VariantTally

Values = Mapping[int, Mapping[str, Any]]

# How many counts are kept, the newest among them.
_KEPT = 5


def begin_count(session: Session, *, pulse: int, now: datetime) -> DemandCount:
    """Note that the house is being counted, and forget counts long past."""
    count = DemandCount(begun_at=now, pulse=pulse, figures={})
    session.add(count)
    session.flush()
    session.execute(sa.delete(DemandCount).where(DemandCount.id <= count.id - _KEPT))
    return count


def finish_count(session: Session, count_id: int, house: HouseCount, *, took_ms: int, now: datetime) -> None:
    """Keep the figures of the whole house: from now on the pages show them."""
    values = {"counted_at": now, "took_ms": took_ms, "figures": house.as_json()}
    session.execute(sa.update(DemandCount).where(DemandCount.id == count_id).values(**values))


def list_changed(session: Session, kind: type[VariantTally] | type[ProductTally], values: Values) -> list[int]:
    """The variants or products whose tally is not what is kept: new, different, or nothing any more."""
    key, *columns = cast(sa.Table, kind.__table__).columns
    names = [each.key for each in columns]
    kept = {row[0]: dict(zip(names, row[1:], strict=True)) for row in session.execute(sa.select(key, *columns))}
    return [each for each in {**kept, **values} if kept.get(each) != values.get(each)]


def keep_tallies(
    session: Session, kind: type[VariantTally] | type[ProductTally], ids: Iterable[int], values: Values
) -> None:
    """Replace these tallies; who has none any more is forgotten, and so is what has left the catalogue meanwhile."""
    wanted = list(ids)
    of_variants, of_products = (VariantTally.variant_id, Variant.id), (ProductTally.product_id, Product.id)
    key, catalogue = of_variants if kind is VariantTally else of_products
    session.execute(sa.delete(kind).where(key.in_(wanted)))
    there = session.scalars(sa.select(catalogue).where(catalogue.in_(wanted)))
    rows = [{key.key: each, **values[each]} for each in there if each in values]
    if rows:
        session.execute(sa.insert(kind), rows)
