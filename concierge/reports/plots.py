"""Plots as SVG: every axis begins at zero and is named, colours come from the sheet by class, no style stands inside.

Series differ by pattern as well as by colour: the first is filled, the second outlined, the third hatched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

_TOP, _LEFT, _BOTTOM, _RIGHT = 44, 52, 48, 16
_PLOT_HEIGHT: Final = 200
_COLUMN: Final = 16
_GAP: Final = 20
_ROW: Final = 44
_ACROSS: Final = 84  # percent: what is said behind the longest bar finds room
_LETTER: Final = 6.4  # about as wide as a letter of 12 px is


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that stand together, with what stands below them: one value a series."""

    label: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One measure and how it is said behind its bar; there is no bar where nothing can be measured."""

    label: str
    value: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Span:
    """A duration as three quantiles: half, three quarters, nine tenths."""

    label: str
    median: float
    p75: float
    p90: float


def columns(groups: Sequence[Group], series: Sequence[str], *, title: str, unit: str, axis: str = "") -> str:
    """Groups of columns on a common scale from zero; `unit` names the upright axis, `axis` the level one."""
    count = max(1, len(series))
    width = max(count * _COLUMN + _GAP, *(int(len(each.label) * _LETTER) + 10 for each in groups))
    across = max(width * len(groups), _legend_width(series), int(len(unit) * _LETTER))
    scale = ticks(max((value for each in groups for value in each.values), default=0))
    parts = [_grid(scale, across), _name(unit, _LEFT, 34)]
    for number, group in enumerate(groups):
        left = _LEFT + number * width
        begin = left + (width - count * _COLUMN) / 2
        for which, value in enumerate(group.values):
            parts.append(_column(begin + which * _COLUMN, value / scale[-1], which))
        parts.append(_words(group.label, left + width / 2, _TOP + _PLOT_HEIGHT + 18, "middle"))
    parts += _legend(series) if len(series) > 1 else []
    if axis:
        parts.append(_name(axis, _LEFT, _TOP + _PLOT_HEIGHT + 40))
    return _svg(_LEFT + across + _RIGHT, _TOP + _PLOT_HEIGHT + _BOTTOM, title, parts)


def bars(rows: Sequence[Bar], *, title: str, unit: str) -> str:
    """Level bars from zero, each below its label; as wide as the place they stand in, so that a phone shows all."""
    scale = ticks(max((each.value or 0.0 for each in rows), default=0))
    parts = _level_grid(scale, _ROW * len(rows), unit)
    for place, each in enumerate(rows):
        top = _ROW * place
        parts.append(_words(each.label, 6, top + 14, "start"))
        long = _ACROSS * (each.value or 0.0) / scale[-1]
        if each.value is not None:
            parts.append(_level_box(long, top + 21, 14, 0))
        parts.append(_said(each.said, long, top + 32))
    return _fluid_svg(_ROW * len(rows) + 44, title, parts)


def spans(rows: Sequence[Span], *, title: str, unit: str) -> str:
    """Durations on one level scale from zero: filled to the median, outlined to p75, a line to p90."""
    scale = ticks(max((each.p90 for each in rows), default=0))
    parts = _level_grid(scale, _ROW * len(rows), unit)
    for place, each in enumerate(rows):
        top, middle = _ROW * place, _ROW * place + 28
        half, most, last = (_ACROSS * value / scale[-1] for value in (each.median, each.p75, each.p90))
        parts.append(_words(each.label, 6, top + 14, "start"))
        parts.append(f'<line class="plot__line" x1="0" y1="{middle}" x2="{last:.2f}%" y2="{middle}"/>')
        parts += [_level_box(most, top + 21, 14, 1), _level_box(half, top + 21, 14, 0)]
        parts.append(f'<line class="plot__line" x1="{last:.2f}%" y1="{top + 22}" x2="{last:.2f}%" y2="{top + 34}"/>')
    return _fluid_svg(_ROW * len(rows) + 44, title, parts)


def bar(share: float) -> str:
    """One bar of a table, as long as its share (0 to 1) of the longest; the number stands beside it."""
    long = 100 * min(1.0, max(0.0, share))
    return (
        '<svg class="bar-plot" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="plot__0" width="{long:.2f}" height="6"/></svg>'
    )


def ticks(most: float, about: int = 4) -> list[float]:
    """Round numbers from zero to at least `most`, about as many as asked."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / about
    power = 10.0 ** floor(log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999999)
    if most >= 3:
        step = max(1.0, ceil(step))
    return [step * each for each in range(ceil(most / step - 1e-9) + 1)]


def number(value: float) -> str:
    """A number as an axis shows it: without decimals it does not need."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}".rstrip("0")


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg class="plot" role="img" {size} aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _fluid_svg(height: float, title: str, parts: Sequence[str]) -> str:
    size = f'width="100%" height="{height:.0f}"'
    return f'<svg class="plot plot--fluid" role="img" {size} aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _level_grid(scale: Sequence[float], height: int, unit: str) -> list[str]:
    parts = []
    for value in scale:
        x, kind = _ACROSS * value / scale[-1], "grid" if value else "axis"
        parts.append(f'<line class="plot__{kind}" x1="{x:.2f}%" y1="0" x2="{x:.2f}%" y2="{height}"/>')
        words = (
            f'<text class="plot__words" x="{x:.2f}%" y="{height + 18}" text-anchor="{"middle" if value else "start"}">'
        )
        parts.append(f"{words}{number(value)}</text>")
    return [*parts, _name(unit, 0, height + 38)]


def _level_box(long: float, y: float, height: float, series: int) -> str:
    return f'<rect class="plot__{series}" x="0" y="{y}" width="{long:.2f}%" height="{height}"/>'


def _said(words: str, after: float, y: float) -> str:
    return f'<text class="plot__words" x="{after:.2f}%" dx="6" y="{y}">{escape(words)}</text>'


def _grid(scale: Sequence[float], across: float) -> str:
    lines = []
    for value in scale:
        y = _TOP + _PLOT_HEIGHT * (1 - value / scale[-1])
        kind = "grid" if value else "axis"
        lines.append(f'<line class="plot__{kind}" x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + across}" y2="{y:.1f}"/>')
        lines.append(_words(number(value), _LEFT - 8, y + 4, "end"))
    return "".join(lines)


def _column(x: float, share: float, series: int) -> str:
    high = _PLOT_HEIGHT * share
    return _box(x + 2, _TOP + _PLOT_HEIGHT - high, _COLUMN - 4, high, series) if high > 0 else ""


def _box(x: float, y: float, width: float, height: float, series: int) -> str:
    box = f'<rect class="plot__{series}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    return box + (_hatching(x, y, width, height) if series == 2 else "")


def _hatching(x: float, y: float, width: float, height: float) -> str:
    """Level lines, six px apart."""
    steps = (y + 3 + 6 * each for each in range(int(height // 6) + 1))
    lines = (f"M{x:.1f} {at:.1f}h{width:.1f}" for at in steps if at < y + height)
    return f'<path class="plot__hatching" d="{"".join(lines)}"/>' if height > 3 else ""


def _legend(series: Sequence[str]) -> list[str]:
    parts, x = [], float(_LEFT)
    for number_, name in enumerate(series):
        parts.append(_box(x, 4, 12, 12, number_))
        parts.append(_words(name, x + 18, 14, "start"))
        x += 18 + len(name) * _LETTER + 20
    return parts


def _legend_width(series: Sequence[str]) -> int:
    return int(sum(38 + len(each) * _LETTER for each in series)) if len(series) > 1 else 0


def _words(words: str, x: float, y: float, anchor: str) -> str:
    return f'<text class="plot__words" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _name(words: str, x: float, y: float) -> str:
    return f'<text class="plot__name" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
