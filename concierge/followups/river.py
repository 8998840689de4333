"""A plan drawn as a river: as wide as there are people in it, narrower from step to step; SVG without any style."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

_WIDE: Final = 132  # from one station to the next
_HIGH: Final = 64  # of a river in which all are still there
_MIDDLE: Final = 48
_LEFT: Final = 24
_FOOT: Final = 40
_LEAST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Station:
    """A place on the river: what stands below it, how many came by, and how many of these answered."""

    label: str
    came: int
    answered: int = 0


def draw(stations: Sequence[Station], *, title: str) -> str:
    """The river from its spring, the first station, to the last; an empty one is a thread."""
    most = max((each.came for each in stations), default=0)
    heights = [max(_LEAST, _HIGH * each.came / most) if most else _LEAST for each in stations]
    parts = [f'<path class="river__water" d="{_banks(heights)}"/>']
    for number, (station, height) in enumerate(zip(stations, heights, strict=True)):
        parts += _station(station, _LEFT + number * _WIDE, height)
    width, tall = _LEFT * 2 + _WIDE * max(1, len(stations) - 1) + 24, _MIDDLE * 2 + _FOOT
    head = f'<svg class="river" viewBox="0 0 {width} {tall}" width="{width}" height="{tall}" role="img"'
    return f'{head} aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _banks(heights: Sequence[float]) -> str:
    """The upper bank downstream, the lower one back."""
    xs = [_LEFT + number * _WIDE for number in range(len(heights))]
    upper = [(x, _MIDDLE - height / 2) for x, height in zip(xs, heights, strict=True)]
    lower = [(x, _MIDDLE + height / 2) for x, height in zip(reversed(xs), reversed(heights), strict=True)]
    if len(heights) == 1:
        upper, lower = [*upper, (xs[0] + _WIDE, upper[0][1])], [(xs[0] + _WIDE, lower[0][1]), *lower]
    return f"M{_point(upper[0])}{_bends(upper)}L{_point(lower[0])}{_bends(lower)}Z"


def _bends(points: Sequence[tuple[float, float]]) -> str:
    bends = ""
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        bends += f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    return bends


def _point(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _station(station: Station, x: float, height: float) -> list[str]:
    """A line across the river; as much of it as answered is bold."""
    top = _MIDDLE - height / 2
    parts = [f'<line class="river__line" x1="{x}" y1="{top:.1f}" x2="{x}" y2="{top + height:.1f}"/>']
    if station.came and station.answered:
        bold = height * min(1.0, station.answered / station.came)
        parts.append(f'<line class="river__answered" x1="{x}" y1="{top:.1f}" x2="{x}" y2="{top + bold:.1f}"/>')
    below = _MIDDLE * 2
    parts.append(f'<text class="river__count" x="{x}" y="{below + 14}" text-anchor="middle">{station.came}</text>')
    label = escape(station.label)
    parts.append(f'<text class="river__words" x="{x}" y="{below + 32}" text-anchor="middle">{label}</text>')
    return parts
