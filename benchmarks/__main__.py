"""`make bench`: takes every figure and, told to `--write`, writes docs/benchmarks.md.

Each module here with a function `measure(place) -> Iterator[Figure]` is taken along; `HOUSES` says in which houses it
measures, ("small", "large") or, without it, the large one alone.
"""

import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import FrameType, ModuleType

import click

import benchmarks
from benchmarks import filling
from benchmarks.measuring import Figure, Place, places

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
LAST = "<!-- end of the figures -->"
SMALL, LARGE = 1_000, 100_000
_began = time.monotonic()


def found() -> dict[str, ModuleType]:
    """The modules that measure something, by name."""
    names = [each.name for each in iter_modules(benchmarks.__path__) if each.name != "__main__"]
    modules = {name: import_module(f"benchmarks.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "measure")}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(found())))
@click.option("--large", default=LARGE, show_default=True, help="Conversations in the large house.")
@click.option("--part", default=1.0, show_default=True, help="This part of all other sizes, to try it out.")
@click.option("--database", type=click.Choice(["SQLite", "PostgreSQL"]), help="This one alone.")
@click.option("--write", is_flag=True, help=f"Write their tables in docs/{PAGE.name}, too.")
def main(names: tuple[str, ...], large: int, part: float, database: str | None, *, write: bool) -> None:
    """Take all figures, or those of NAMES; print each as it comes."""
    modules = {name: module for name, module in found().items() if not names or name in names}
    figures: dict[str, list[Figure]] = {name: [] for name in modules}
    begun = datetime.now(UTC)
    load = os.getloadavg()
    # What is stopped takes down what it put up, as it does at Ctrl-C.
    signal.signal(signal.SIGTERM, _stop)
    with places(database, part=part) as houses:
        versions = ", ".join(place.version for place in houses)
        for place in houses:
            for name, figure in _measure(place, modules, large):
                figures[name].append(figure)
                click.echo(_line(figure))
    if write:
        machine = (
            f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
        )
        busy = f"load {load[0]:.1f} when it began, {os.getloadavg()[0]:.1f} when it ended"
        page = PAGE.read_text(encoding="utf-8")
        for name, module in modules.items():
            head = [f"### {_title(module)}", "", f"{begun:%d %B %Y}, {machine}, {versions}; {busy}.", ""]
            page = _put(page, name, "\n".join(head + _table(figures[name])))
        PAGE.write_text(page, encoding="utf-8")
    _tell("done")


def _measure(place: Place, modules: dict[str, ModuleType], large: int) -> Iterator[tuple[str, Figure]]:
    filling.furnish(place.sessions)
    for house, conversations in (("small", SMALL), ("large", large)):
        here = {name: each for name, each in modules.items() if house in getattr(each, "HOUSES", ("large",))}
        if not here:
            continue
        if any(getattr(each, "NEEDS_CONVERSATIONS", True) for each in here.values()):
            _tell(f"{place.name}: {conversations:,} conversations are made")
            filling.fill(place.sessions, conversations)
        for name, module in here.items():
            _tell(f"{place.at(conversations).size}: {name}")
            for figure in module.measure(place.at(conversations)):
                yield name, figure


def _tell(words: str) -> None:
    """Say on stderr how far we are."""
    minutes, seconds = divmod(int(time.monotonic() - _began), 60)
    click.echo(f"{minutes:3}:{seconds:02}  {words}", err=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit("stopped")


def _title(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().splitlines()[0]


def _put(page: str, name: str, words: str) -> str:
    """Put one benchmark's words between its marks, a new one behind the others; the words around are people's."""
    begin, end = f"<!-- figures of {name}: written by make bench -->", f"<!-- end of {name} -->"
    before, mark, rest = page.partition(begin)
    if mark:
        after = rest.partition(end)[2]
    else:
        before, last, rest = page.partition(LAST)
        after = f"\n\n{last}{rest}"
    return f"{before}{begin}\n{words}\n{end}{after}"


def _table(figures: list[Figure]) -> list[str]:
    lines = [
        "| left of the limit | work | where | ours | by the clock | bare limit | the limit is |",
        "|--:|---|---|--:|--:|--:|---|",
        *(_line(figure) for figure in figures),
    ]
    notes = [f"- {figure.work}, {figure.where}: {figure.beside}" for figure in figures if figure.beside]
    return [*lines, "", *notes] if notes else lines


def _line(figure: Figure) -> str:
    digits = ",.0f" if figure.unit.endswith("/s") else ",.1f"
    ours, bare = f"{figure.ours:{digits}} {figure.unit}", f"{figure.bare:{digits}} {figure.unit}"
    clock = f"{figure.clock:,.1f} ms" if figure.clock is not None else ""
    return f"| {figure.ratio:.2f} | {figure.work} | {figure.where} | {ours} | {clock} | {bare} | {figure.bare_is} |"


if __name__ == "__main__":
    main()
