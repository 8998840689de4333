"""The middle, the upper quarter and the last tenth of how long things took."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Hours that half, three quarters and nine tenths needed at most, of `count` things."""

    count: int
    median: float
    p75: float
    p90: float


def quantile(rising: Sequence[float], share: float) -> float:
    """The value below which `share` of a sorted, non-empty sequence lies, between neighbours in proportion."""
    place = share * (len(rising) - 1)
    below = int(place)
    above = min(below + 1, len(rising) - 1)
    return rising[below] + (rising[above] - rising[below]) * (place - below)


def spread(hours: Sequence[float]) -> Spread | None:
    """The spread of some durations; None when there are none."""
    if not hours:
        return None
    rising = sorted(hours)
    return Spread(len(rising), *(quantile(rising, share) for share in (0.5, 0.75, 0.9)))
