"""How many of each size to order again, and why: those likely to buy, less what is free and what is on its way back."""

from dataclasses import dataclass
from math import floor


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is known of one variant: who wants it, what is there."""

    sku: str
    size: str
    wished: int
    likely: float
    free: int
    on_its_way: int
    price_cents: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """So many units of a variant to order, worth `value_cents` if they sell."""

    shelf: Shelf
    units: int

    @property
    def value_cents(self) -> int:
        """What they bring at the present price."""
        return self.units * self.shelf.price_cents


def suggest(shelf: Shelf) -> Suggestion | None:
    """The likely buyers, less what is free and on its way back, to the nearest unit; None when enough is there."""
    missing = floor(shelf.likely - shelf.free - shelf.on_its_way + 0.5)
    return Suggestion(shelf, missing) if missing > 0 else None
