"""Figures, and how they are taken: houses of either database in a temporary folder, medians, percentiles."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from concierge import schema
from concierge.config import Config, read_config
from concierge.db import Sessions, make_sessions
from tests.postgresql import private_server


@dataclass(frozen=True)
class Figure:
    """One measurement beside its bare limit, both in `unit`; `ratio` is how close to the limit we come (1 = equal)."""

    work: str
    where: str
    ours: float
    bare: float
    unit: str
    bare_is: str

    @property
    def ratio(self) -> float:
        """The part of the bare speed that is left."""
        return self.ours / self.bare if self.unit.endswith("/s") else self.bare / self.ours


@dataclass(frozen=True)
class Place:
    """A migrated, empty house to measure in."""

    name: str
    config: Config
    sessions: Sessions


@contextmanager
def places() -> Iterator[tuple[Place, Place]]:
    """One house on SQLite and one on a private, durable PostgreSQL; both are taken down after."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        url = stack.enter_context(private_server(durable=True)).format("postgres")
        configs = {"SQLite": _config(folder / "sqlite"), "PostgreSQL": _config(folder / "postgresql", database_url=url)}
        made = []
        for name, config in configs.items():
            schema.migrate(config)
            made.append(Place(name, config, make_sessions(config)))
        yield made[0], made[1]
        for place in made:
            place.sessions.kw["bind"].dispose()


def _config(folder: Path, **settings: str) -> Config:
    folder.mkdir(parents=True)
    return read_config(data=folder, demo=False, secret_key="a secret for measuring only 0123456789", **settings)


def per_second(work: Callable[[], int], prepare: Callable[[], object] = lambda: None, rounds: int = 3) -> float:
    """The median over `rounds` of how many things `work` did in a second; `prepare` comes before each, uncounted."""
    speeds = []
    for _ in range(rounds):
        prepare()
        begun = time.perf_counter()
        done = work()
        speeds.append(done / (time.perf_counter() - begun))
    return statistics.median(speeds)


def milliseconds(work: Callable[[], object], times: int = 200) -> Sequence[float]:
    """How long `work` takes, in ms, each time, shortest first; the first five are not counted."""
    taken = []
    for number in range(times + 5):
        begun = time.perf_counter()
        work()
        if number >= 5:
            taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)


def middle(taken: Sequence[float]) -> float:
    """The median."""
    return taken[len(taken) // 2]


def slow(taken: Sequence[float]) -> float:
    """The 95th percentile."""
    return taken[int(len(taken) * 0.95)]
