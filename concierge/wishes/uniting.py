"""Which wishes of two customers who are one person are one wish: a rule from wishes to what becomes of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from concierge.errors import RuleBroken


@dataclass(frozen=True, slots=True)
class Held:
    """A wish's open offer: what it is for, whether she has taken it, and whether she knows that it is held."""

    offer_id: int
    variant_id: int
    is_taken: bool = False
    is_promised: bool = False


@dataclass(frozen=True, slots=True)
class Living:
    """A living wish; `rank_at` is None before she has said yes. The first of `variants` is the dearest."""

    wish_id: int
    created_at: datetime
    rank_at: datetime | None
    variants: tuple[int, ...]
    held: Held | None = None

    @property
    def place(self) -> tuple[bool, datetime, datetime, int]:
        """Who stands before whom; what she has not said yes to stands last."""
        return (self.rank_at is None, self.rank_at or self.created_at, self.created_at, self.wish_id)


@dataclass(frozen=True, slots=True)
class United:
    """What a wish is from now on: its variants, whose terms count, and which of the open offers is its own.

    `ends` are the wishes that it is now; `withdrawn` the offers that end, since a person is held one piece a wish.
    """

    wish_id: int
    variants: tuple[int, ...]
    ends: tuple[int, ...]
    terms_of: int
    offer_id: int | None
    withdrawn: tuple[int, ...]


class TakenTwice(RuleBroken):
    """She has taken a piece in each of two wishes for the same. Join the two once she has bought it."""


def unite(wishes: Sequence[Living]) -> tuple[United, ...]:
    """What becomes of every wish of hers that does not stay as it is.

    Of two for one variant the one before stays in line, and takes the other's variants; what she said last counts, or
    what an open offer was made for. One she has not said yes to gives up what another has. Raises TakenTwice.
    """
    ordered = sorted(wishes, key=lambda each: each.place)
    into, named = _one_line([each for each in ordered if each.rank_at is not None])
    _give_up([each for each in ordered if each.rank_at is None], into, named)
    owner = {variant: number for number, variants in named.items() for variant in variants}
    staying = [each for each in ordered if each.wish_id not in into]
    found = [
        _united(each, [other for other in ordered if into.get(other.wish_id) == each.wish_id], named, owner, ordered)
        for each in staying
    ]
    return tuple(one for one, each in zip(found, staying, strict=True) if one != _alone(each))


def _one_line(confirmed: Sequence[Living]) -> tuple[dict[int, int], dict[int, list[int]]]:
    """The wishes that are one with an earlier one, each with that; and what those that stay are for."""
    into: dict[int, int] = {}
    named: dict[int, list[int]] = {}
    for each in confirmed:
        before = next((one for one, variants in named.items() if {*variants} & {*each.variants}), None)
        if before is None:
            named[each.wish_id] = list(each.variants)
            continue
        into[each.wish_id] = before
        spoken_for = {variant for variants in named.values() for variant in variants}
        named[before] += [variant for variant in each.variants if variant not in spoken_for]
    return into, named


def _give_up(unconfirmed: Sequence[Living], into: dict[int, int], named: dict[int, list[int]]) -> None:
    for each in unconfirmed:
        owner = {variant: number for number, variants in named.items() for variant in variants}
        if left := [variant for variant in each.variants if variant not in owner]:
            named[each.wish_id] = left
        else:
            into[each.wish_id] = owner[each.variants[0]]


def _united(
    wish: Living,
    ends: Sequence[Living],
    named: Mapping[int, Sequence[int]],
    owner: Mapping[int, int],
    everybody: Sequence[Living],
) -> United:
    mine = [wish, *(each for each in ends if each.rank_at is not None)]
    offered = [each for each in everybody if each.held and owner[each.held.variant_id] == wish.wish_id]
    # What she has taken goes before all, then what she was told is held; of two alike the one of her place stays.
    offered.sort(key=lambda each: (_worth(each.held), each is not wish, each.place))
    if sum(each.held is not None and each.held.is_taken for each in offered) > 1:
        raise TakenTwice
    kept = offered[0] if offered else None
    said_last = max(mine, key=lambda each: (each.created_at, each.wish_id))
    return United(
        wish_id=wish.wish_id,
        variants=tuple(named[wish.wish_id]),
        ends=tuple(each.wish_id for each in ends),
        terms_of=(kept if kept in mine else wish if kept else said_last).wish_id,
        offer_id=kept.held.offer_id if kept and kept.held else None,
        withdrawn=tuple(each.held.offer_id for each in offered[1:] if each.held),
    )


def _worth(held: Held | None) -> tuple[bool, bool]:
    assert held is not None
    return (not held.is_taken, not held.is_promised)


def _alone(wish: Living) -> United:
    """A wish that stays as it is."""
    offer_id = wish.held.offer_id if wish.held else None
    return United(wish.wish_id, wish.variants, (), wish.wish_id, offer_id, ())
