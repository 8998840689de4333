"""Keeps what was counted of the wishes, a few variants at a time."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.reports.counting import HouseCount, Tally
from concierge.reports.models import DemandCount, VariantTally

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


def list_changed(session: Session, tallies: Mapping[int, Tally]) -> list[int]:
    """The variants whose tally is not what is kept: new, different, or nothing any more."""
    columns = [getattr(VariantTally, name) for name in _NAMES]
    kept = {
        row.variant_id: dict(zip(_NAMES, row[1:], strict=True))
        for row in session.execute(sa.select(VariantTally.variant_id, *columns))
    }
    return [each for each in {**kept, **tallies} if kept.get(each) != tallies.get(each)]


def keep_tallies(session: Session, variant_ids: Iterable[int], tallies: Mapping[int, Tally]) -> None:
    """Replace the tallies of these variants; who has none is forgotten, and so is a variant that is gone."""
    ids = list(variant_ids)
    session.execute(sa.delete(VariantTally).where(VariantTally.variant_id.in_(ids)))
    products = session.execute(sa.select(Variant.id, Variant.product_id).where(Variant.id.in_(ids))).all()
    rows: list[dict[str, Any]] = [
        {"variant_id": variant_id, "product_id": product_id, **tallies[variant_id]}
        for variant_id, product_id in products
        if variant_id in tallies
    ]
    if rows:
        session.execute(sa.insert(VariantTally), rows)


_NAMES = [each.key for each in sa.inspect(VariantTally).column_attrs if each.key not in ("variant_id", "product_id")]
