"""The returns radar: whose a unit on its way back would be, if nothing changed until it is inspected."""

from collections.abc import Iterable


def assign_softly(queue: Iterable[tuple[int, int]], units: int) -> tuple[int, ...]:
    """The wishes that `units` coming units would be for: `queue` holds (wish, quantity), first to last.

    A quantity is all or nothing, as with real units: who wants more than are left is passed over.
    """
    chosen = []
    for wish_id, quantity in queue:
        if units <= 0:
            break
        if quantity <= units:
            chosen.append(wish_id)
            units -= quantity
    return tuple(chosen)
