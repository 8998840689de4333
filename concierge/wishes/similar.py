""" "If not this one": pieces in stock in her size that come nearest to the one she asked for, by plain points."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

MOST = 3
# Below this, two pieces have too little in common to be shown beside each other.
_ENOUGH = 4.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One variant in stock, or the piece she asked for. `fits` are all the ways its size is written, e.g. {"EU 36"}."""

    sku: str
    product_id: int
    category: str
    colour: str
    designer: str
    price_cents: int
    fits: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Taste:
    """What her purchases tell: what she kept, what she sent back, what she passed on; products by number."""

    owned: frozenset[int] = frozenset()
    disliked: frozenset[int] = frozenset()
    liked_designers: frozenset[str] = frozenset()
    disliked_designers: frozenset[str] = frozenset()
    ceiling_cents: int | None = None


def choose_similar(
    asked: Candidate, stock: Iterable[Candidate], taste: Taste, *, sizes: Collection[str], most: int = MOST
) -> tuple[str, ...]:
    """The SKUs to show, nearest first: one of a product, another product than asked for, in one of `sizes`.

    `sizes` are those she asked for, written in every system. What she has or sent back, and what is dearer than she
    would pay, is left out.
    """
    wanted = frozenset(sizes)
    points = [(points_of(asked, each, taste), each) for each in stock if _may_be_shown(asked, each, taste, wanted)]
    ranked = sorted((-score, each.price_cents, each.sku, each) for score, each in points if score >= _ENOUGH)
    chosen: dict[int, str] = {}
    for *_order, each in ranked:
        chosen.setdefault(each.product_id, each.sku)
    return tuple(chosen.values())[:most]


def points_of(asked: Candidate, other: Candidate, taste: Taste) -> float:
    """How near a piece comes: kind 4, colour 3, designer 2, each word in common half; the price up to 2.

    A price more than sixty per cent away costs points instead: a bag at twice the price is no match for its kind alone.
    """
    points = 4.0 * (other.category == asked.category)
    points += 3.0 * (bool(other.colour) and other.colour.casefold() == asked.colour.casefold())
    points += 2.0 * (other.designer == asked.designer)
    points += 2.0 * max(-1.0, 1 - abs(other.price_cents - asked.price_cents) / max(1, asked.price_cents) / 0.6)
    points += 0.5 * min(4, len(other.tags & asked.tags))
    points += 1.0 * (other.designer in taste.liked_designers)
    points -= 2.0 * (other.designer in taste.disliked_designers)
    return points


def _may_be_shown(asked: Candidate, other: Candidate, taste: Taste, wanted: frozenset[str]) -> bool:
    if other.product_id == asked.product_id or other.product_id in taste.owned | taste.disliked:
        return False
    if taste.ceiling_cents is not None and other.price_cents > taste.ceiling_cents:
        return False
    return not other.fits or bool(other.fits & wanted)
