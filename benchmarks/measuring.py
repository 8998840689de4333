"""Figures, and how they are taken: houses of either database in a temporary folder, ours and the limit by turns."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from concierge import schema
from concierge.config import Config, read_config
from concierge.db import Sessions, make_sessions
from tests.postgresql import private_server

# The name of a process that is not ours: what it works is not counted.
FAR_END = "far end"


@dataclass(frozen=True)
class Figure:
    """One measurement beside a bare limit taken by turns with it, both in `unit`.

    Both are work: the processor time of this process, those it started and the database's. `clock` is how long ours
    took by the clock, in ms: on a machine that does nothing else the same and the waiting for its disk. `ratio` is how
    close to the limit we come (1 = equal); `beside` is what there is to say about it.
    """

    work: str
    where: str
    ours: float
    bare: float
    unit: str
    bare_is: str
    clock: float | None = None
    beside: str = ""

    @property
    def ratio(self) -> float:
        """The part of the bare speed that is left."""
        return self.ours / self.bare if self.unit.endswith("/s") else self.bare / self.ours


@dataclass(frozen=True)
class Place:
    """A migrated house to measure in, and how many conversations (of one message each) it holds.

    `part` is that of all other sizes: 1, or less to try a benchmark out.
    """

    name: str
    config: Config
    sessions: Sessions
    conversations: int = 0
    part: float = 1.0

    def of(self, size: int) -> int:
        """The part of a size, but at least 50."""
        return max(50, round(size * self.part))

    def at(self, conversations: int) -> "Place":
        """The same house when it holds so many."""
        return replace(self, conversations=conversations)

    @property
    def size(self) -> str:
        """Its size and its database, as a figure says where it was taken."""
        return f"{self.conversations:,} conversations, {self.name}"

    @property
    def version(self) -> str:
        """E.g. "SQLite 3.53.4"."""
        question = "SELECT sqlite_version()" if self.config.is_sqlite else "SHOW server_version"
        with self.sessions() as session:
            return f"{self.name} {str(session.scalar(sa.text(question))).split()[0]}"


@contextmanager
def places(only: str | None = None, *, part: float = 1.0) -> Iterator[list[Place]]:
    """One house on SQLite and one on a private, durable PostgreSQL, or `only` one; they are taken down after."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)))
        configs = {}
        if only in {None, "SQLite"}:
            configs["SQLite"] = _config(folder / "sqlite")
        if only in {None, "PostgreSQL"}:
            url = stack.enter_context(private_server(durable=True)).format("postgres")
            configs["PostgreSQL"] = _config(folder / "postgresql", database_url=url)
        made = []
        for name, config in configs.items():
            schema.migrate(config)
            made.append(Place(name, config, make_sessions(config), part=part))
            stack.callback(made[-1].sessions.kw["bind"].dispose)
        yield made


def _config(folder: Path, **settings: str) -> Config:
    folder.mkdir(parents=True)
    return read_config(data=folder, demo=False, secret_key="a secret for measuring only 0123456789", **settings)


@dataclass(frozen=True)
class Taken:
    """How long something took, in ms, shortest first: what was worked, and what passed by the clock."""

    work: Sequence[float]
    clock: Sequence[float]

    @property
    def middle(self) -> float:
        """The median of the work."""
        return self.work[len(self.work) // 2]

    @property
    def slow(self) -> float:
        """The 95th percentile of the work."""
        return self.work[int(len(self.work) * 0.95)]

    @property
    def waited(self) -> float:
        """The median by the clock."""
        return self.clock[len(self.clock) // 2]


def milliseconds(
    place: Place, ours: Callable[[], object], bare: Callable[[], object], times: int = 200, warm: int = 5
) -> tuple[Taken, Taken]:
    """Both by turns, `times` each, so that whatever slows the machine slows both; the first `warm` are not counted."""
    spans: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for number in range(times + warm):
        for work, taken in zip((ours, bare), spans, strict=True):
            span = _spent(place, work)[:2]
            if number >= warm:
                taken.append((span[0] * 1000, span[1] * 1000))
    ours_taken, bare_taken = (
        Taken(sorted(work for work, _ in each), sorted(clock for _, clock in each)) for each in spans
    )
    return ours_taken, bare_taken


def per_second(
    place: Place,
    ours: Callable[[], int],
    bare: Callable[[], int],
    prepare: Callable[[], object] = lambda: None,
    rounds: int = 3,
) -> tuple[float, float]:
    """How many things each did in a second of work, by turns; of the round whose ratio is the median one.

    `prepare` comes before each of ours, uncounted.
    """
    pairs = []
    for _ in range(rounds):
        prepare()
        speeds = []
        for work in (ours, bare):
            seconds, _clock, done = _spent(place, work)
            speeds.append(done / seconds)
        pairs.append((speeds[0], speeds[1]))
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[rounds // 2]


def _spent(place: Place, work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds worked, seconds by the clock, and what `work` gave back."""
    before, begun = _cpu(place), time.perf_counter()
    result = work()
    clock, after = time.perf_counter() - begun, _cpu(place)
    return (clock if before is None or after is None else max(after - before, 1e-6)), clock, result


def _cpu(place: Place) -> float | None:
    """Seconds worked so far by us, our children and PostgreSQL's server; only Linux tells (proc(5))."""
    try:
        servers = [] if place.config.is_sqlite else _servers(place)
        far_ends = {each.pid for each in active_children() if each.name == FAR_END}
        ours = [each for each in _children(os.getpid()) if each not in far_ends]
        return time.process_time() + sum(_worked(each) for each in (*ours, *servers))
    except (OSError, IndexError, ValueError):
        return None


def _worked(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:  # it has just gone
        return 0.0


def _children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _servers(place: Place) -> list[int]:
    """The server's processes; it keeps its own number in its folder."""
    folder = sa.make_url(place.config.database_url).query["host"]
    postmaster = (Path(str(folder)) / "data" / "postmaster.pid").read_text().split()[0]
    return _children(int(postmaster))
