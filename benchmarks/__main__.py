"""`make bench`: takes every figure and writes docs/benchmarks.md."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks import delivering, filing, filling, inbox, searching
from benchmarks.measuring import Figure, Place, places

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
SMALL, LARGE = 1_000, 100_000
HEAD = """# What the house does in a second

Written by `make bench`: all figures of one run on one machine, ours beside the bare limit there. The ratio is what
counts. It says how much of the machine's own speed is left when everything a house needs has been done (1 = all), and
it travels from one machine to another; the figures do not.

{machine}

| left of the limit | work | where | ours | bare limit | the limit is |
|--:|---|---|--:|--:|---|
"""


@click.command()
@click.option("--large", default=LARGE, show_default=True, help="Conversations in the large house.")
@click.option("--write/--no-write", default=True, help=f"Write {PAGE.name}.")
def main(large: int, write: bool) -> None:
    """Take all figures, print each as it comes, and write the page."""
    figures = []
    with places() as both:
        versions = ", ".join(filing.database_version(place) for place in both)
        for place in both:
            for figure in _measure(place, large):
                figures.append(figure)
                click.echo(_line(figure))
    if write:
        machine = (
            f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
        )
        lines = "".join(f"{_line(figure)}\n" for figure in sorted(figures, key=lambda each: each.work))
        PAGE.write_text(HEAD.format(machine=f"{machine}, {versions}.") + lines, encoding="utf-8")


def _measure(place: Place, large: int) -> Iterator[Figure]:
    filling.furnish(place.sessions)
    filling.fill(place.sessions, SMALL)
    yield from inbox.measure(place, SMALL)
    filling.fill(place.sessions, large)
    yield from inbox.measure(place, large)
    yield from searching.measure(place, large)
    yield from delivering.measure(place)
    yield from filing.measure(place)


def _line(figure: Figure) -> str:
    digits = ",.0f" if figure.unit.endswith("/s") else ",.2f"
    ours, bare = f"{figure.ours:{digits}} {figure.unit}", f"{figure.bare:{digits}} {figure.unit}"
    return f"| {figure.ratio:.2f} | {figure.work} | {figure.where} | {ours} | {bare} | {figure.bare_is} |"


if __name__ == "__main__":
    main()
