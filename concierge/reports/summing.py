"""Sums what was counted of each variant: by product, by currency, by kind and size, and into what to order again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from concierge.reports import chances
from concierge.reports.figures import Curve, Reorder, Size, Total
from concierge.reports.reorder import Shelf, suggest

_MOST_ORDERS: Final = 40


@dataclass(frozen=True, slots=True)
class Article:
    """A variant with what its product says of it; `free` units may be given away."""

    id: int
    product_id: int
    category: str
    system: str
    size: str
    position: int
    sku: str
    price_cents: int
    currency: str
    free: int


@dataclass(slots=True)
class Tally:
    """What was counted of one variant: wishes whose first choice it is, those also content with it, sales, returns."""

    wishes: int = 0
    also: int = 0
    units: int = 0
    wishes_by_age: list[int] = field(default_factory=lambda: [0] * chances.COUNT)
    units_by_age: list[int] = field(default_factory=lambda: [0] * chances.COUNT)
    likely: float = 0.0
    oldest_at: datetime | None = None
    gone: int = 0
    gone_units: int = 0
    gone_likely: float = 0.0
    sold: int = 0
    on_its_way: int = 0

    def add(self, age: int, wishes: int, units: int, chance: float, oldest: datetime | None) -> None:
        """So many wishes of this age, the oldest since then."""
        self.wishes += wishes
        self.units += units
        self.wishes_by_age[age] += wishes
        self.units_by_age[age] += units
        self.likely += units * chance
        self.oldest_at = min((each for each in (self.oldest_at, oldest) if each), default=None)

    def lose(self, wishes: int, units: int, chance: float) -> None:
        """So many wishes ended with nothing to offer, at an age with this chance."""
        self.gone += wishes
        self.gone_units += units
        self.gone_likely += units * chance


Tallies = Mapping[int, Tally]


def by_variant(articles: Sequence[Article], tallies: Tallies) -> dict[int, dict[str, Any]]:
    """What the board says of each variant somebody wishes for, or that is on its way back."""
    return {
        each.id: {
            "product_id": each.product_id, "wishes": tally.wishes, "also": tally.also,
            "wishes_by_age": tally.wishes_by_age, "units_by_age": tally.units_by_age, "oldest_at": tally.oldest_at,
            "on_its_way": tally.on_its_way,
        }
        for each in articles
        if (tally := tallies.get(each.id)) and (tally.wishes or tally.also or tally.on_its_way)
    }  # fmt: skip


def by_product(articles: Sequence[Article], tallies: Tallies) -> dict[int, dict[str, Any]]:
    """What the board says of each product somebody wishes for; money in cents."""
    found: dict[int, dict[str, Any]] = {}
    for each in articles:
        tally = tallies.get(each.id)
        if tally is None or not tally.wishes:
            continue
        row = found.setdefault(each.product_id, _nothing())
        row["wishes"] += tally.wishes
        row["units"] += tally.units
        row["value_cents"] += tally.units * each.price_cents
        row["likely_cents"] += round(tally.likely * each.price_cents)
        row["wishes_by_age"] = _plus(row["wishes_by_age"], tally.wishes_by_age)
        row["units_by_age"] = _plus(row["units_by_age"], tally.units_by_age)
        row["oldest_at"] = min(moment for moment in (row["oldest_at"], tally.oldest_at) if moment)
    return found


def _nothing() -> dict[str, Any]:
    sums = dict.fromkeys(("wishes", "units", "value_cents", "likely_cents"), 0)
    return {**sums, "wishes_by_age": [0] * chances.COUNT, "units_by_age": [0] * chances.COUNT, "oldest_at": None}


def totals(articles: Sequence[Article], tallies: Tallies) -> list[Total]:
    """The demand in each currency, the most valuable first."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * 7)
    ages: dict[str, list[int]] = defaultdict(lambda: [0] * chances.COUNT)
    for each in articles:
        if (tally := tallies.get(each.id)) is None or not (tally.wishes or tally.gone):
            continue
        price = each.price_cents
        more = (
            tally.wishes, tally.units, tally.units * price, tally.likely * price, tally.gone,
            tally.gone_units * price, tally.gone_likely * price,
        )  # fmt: skip
        sums[each.currency] = [old + new for old, new in zip(sums[each.currency], more, strict=True)]
        ages[each.currency] = _plus(ages[each.currency], tally.wishes_by_age)
    names = [each.name for each in fields(Total)][1:-1]
    found = [
        Total(currency, wishes_by_age=ages[currency], **dict(zip(names, map(round, row), strict=True)))
        for currency, row in sums.items()
    ]
    return sorted(found, key=lambda each: (-each.value, each.currency))


def curves(articles: Sequence[Article], tallies: Tallies) -> list[Curve]:
    """The size curve of every kind of product that comes in sizes and is wished for, the most wished for first."""
    kinds: dict[tuple[str, str], dict[str, list[Any]]] = defaultdict(dict)
    for each in articles:
        if each.size:
            tally = tallies.get(each.id) or Tally()
            row = kinds[each.category, each.system].setdefault(each.size, [0, 0, 0, each.position])
            row[0], row[1], row[2] = row[0] + tally.units, row[1] + each.free, row[2] + tally.sold
            row[3] = min(row[3], each.position)
    made = [
        Curve(category, system, sum(row[0] for row in sizes.values()), _as_they_run(sizes))
        for (category, system), sizes in kinds.items()
    ]
    return sorted((each for each in made if each.wished), key=lambda each: (-each.wished, each.category, each.system))


def _as_they_run(sizes: Mapping[str, Sequence[Any]]) -> list[Size]:
    """Numbers by their value; letters as the shop puts them."""
    are_numbers = all(each.replace(".", "", 1).isdecimal() for each in sizes)
    ordered = sorted(sizes, key=lambda each: (float(each) if are_numbers else sizes[each][3], each))
    return [Size(each, *sizes[each][:3]) for each in ordered]


def orders(articles: Sequence[Article], tallies: Tallies) -> list[Reorder]:
    """What to order again, by product, what would bring most first; so many sizes at most."""
    found = []
    for each in articles:
        tally = tallies.get(each.id)
        if tally is None or not tally.units:
            continue
        shelf = Shelf(each.sku, each.size, tally.units, tally.likely, each.free, tally.on_its_way, each.price_cents)
        if (suggestion := suggest(shelf)) is not None:
            found.append((each, suggestion))
    found.sort(key=lambda pair: (-pair[1].value_cents, pair[0].id))
    by_id: dict[int, list[Any]] = defaultdict(list)
    for article, suggestion in found[:_MOST_ORDERS]:
        by_id[article.product_id].append((article.position, suggestion))
    return [
        Reorder(product_id, [suggestion for _, suggestion in sorted(rows, key=lambda row: row[0])])
        for product_id, rows in by_id.items()
    ]


def _plus(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]
