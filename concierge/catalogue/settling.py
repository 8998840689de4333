"""Which sold units the shop's stock reports don't have missing yet, so that none is offered a second time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sale:
    """Units of a variant that were sold; `location` is empty where the shop does not say from where."""

    id: int
    at: datetime
    units: int
    location: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """The newest count at a location, and whether there is anything to sell from."""

    as_of: datetime
    on_hand: int


@dataclass(frozen=True, slots=True)
class Drop:
    """A report by which units went missing at a location."""

    as_of: datetime
    location: str
    units: int


def still_unsettled(sales: Iterable[Sale], counts: Mapping[str, Count], drops: Sequence[Drop]) -> dict[int, int]:
    """Units of each sale that no report accounts for, by sale.

    A sale is accounted for when every place it may have come from was counted since, or by units that went missing
    there since, each used once, the oldest sale first. Sales whose place is known choose before the others.
    """
    left = [[drop, drop.units] for drop in sorted(drops, key=lambda drop: drop.as_of)]
    unsettled: dict[int, int] = {}
    for sale in sorted(sales, key=lambda sale: (sale.location not in counts, sale.at, sale.id)):
        places = _places(sale, counts)
        missing = _use(sale, places, left)
        counted = bool(places) and all(counts[place].as_of >= sale.at for place in places)
        unsettled[sale.id] = 0 if counted else missing
    return unsettled


def _places(sale: Sale, counts: Mapping[str, Count]) -> set[str]:
    """Where a sale may have come from: its own place, else wherever something is or was counted since."""
    if sale.location in counts:
        return {sale.location}
    return {place for place, count in counts.items() if count.on_hand or count.as_of >= sale.at}


def _use(sale: Sale, places: set[str], left: list[list[object]]) -> int:
    """Use up what went missing since the sale; how many units remain unaccounted for."""
    wanted = sale.units
    for entry in left:
        drop, units = entry
        assert isinstance(drop, Drop)
        assert isinstance(units, int)
        if drop.as_of >= sale.at and drop.location in places:
            used = min(wanted, units)
            entry[1], wanted = units - used, wanted - used
    return wanted
