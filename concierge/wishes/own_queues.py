"""Where each stood in the queue of one variant, while the queues of several are shared out as one."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from concierge.wishes.queues import Waiting
from concierge.wishes.waves import Key, Place, Turn


class Stood(NamedTuple):
    """Her place in a variant's own queue, and how many before her overtook somebody of that queue by their tier."""

    place: int
    before_by_tier: int


class OwnQueues:
    """Counts each variant's queue for itself while a walk goes through all of them; who waits for several is in each.

    `plain(variant_id, key)` gives those without a head start who wait for it behind `key`, in order; it is asked only
    where a tier put somebody ahead. `fits(variant_id, quantity)` says whether so many could be given.
    """

    def __init__(
        self, plain: Callable[[int, Key], Iterator[Waiting]], fits: Callable[[int, int], bool], *, several: bool
    ) -> None:
        """With one variant only (not `several`) the walk's own figures are right."""
        self._open_plain, self._fits, self._several = plain, fits, several
        self._seen: Counter[int] = Counter()
        self._by_tier: Counter[int] = Counter()
        self._given: set[int] = set()
        # the longest waiting without a head start of each queue, and those behind them
        self._heads: dict[int, Waiting | None] = {}
        self._plain: dict[int, Iterator[Waiting]] = {}

    def pass_over(self, who: Place) -> None:
        """She is passed over, and keeps her place in each queue."""
        if self._several:
            self._seen.update(who.choices)

    def give(self, turn: Turn, variant_id: int) -> Stood:
        """It is her turn, and she is offered this variant: where she stood in its queue. Asked before it is given."""
        if not self._several:
            return Stood(turn.place, turn.before_by_tier)
        who = turn.who
        self._seen.update(who.choices)
        stood = Stood(self._seen[variant_id], self._by_tier[variant_id])
        if turn.by_tier:
            self._by_tier.update([each for each in who.choices if self._overtakes(who, each)])
        else:
            self._given.add(who.wish_id)
        return stood

    def _overtakes(self, who: Place, variant_id: int) -> bool:
        """Whether somebody without a head start waits longer than her for this very variant."""
        if variant_id not in self._plain:
            self._plain[variant_id] = self._open_plain(variant_id, who.key)
            self._heads[variant_id] = next(self._plain[variant_id], None)
        while (head := self._heads[variant_id]) is not None and not self._waits(head, who.key):
            self._heads[variant_id] = next(self._plain[variant_id], None)
        return head is not None and head.key < who.key_by_time

    def _waits(self, head: Waiting, passed: Key) -> bool:
        is_behind = head.key > passed and head.wish_id not in self._given
        return is_behind and not head.void and self._fits(head.variant_id, head.quantity)
