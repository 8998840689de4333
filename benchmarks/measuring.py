"""Figures, and how they are taken: houses of either database in a temporary folder, ours and the limit by turns."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from concierge import schema
from concierge.config import Config, read_config
from concierge.db import Sessions, make_sessions
from tests.postgresql import private_server


@dataclass(frozen=True)
class Figure:
    """One measurement beside a bare limit taken by turns with it, both in `unit`.

    `ratio` is how close to the limit we come (1 = equal). `cpu`: for a "ms" figure, how much of it was work, in this
    process and the database's; the rest was waiting, on a busy machine mostly for other programs. `beside` is what
    there is to say about it.
    """

    work: str
    where: str
    ours: float
    bare: float
    unit: str
    bare_is: str
    cpu: float | None = None
    beside: str = ""

    @property
    def ratio(self) -> float:
        """The part of the bare speed that is left."""
        return self.ours / self.bare if self.unit.endswith("/s") else self.bare / self.ours


@dataclass(frozen=True)
class Place:
    """A migrated house to measure in, and how many conversations (of one message each) it holds."""

    name: str
    config: Config
    sessions: Sessions
    conversations: int = 0

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


@dataclass(frozen=True)
class Taken:
    """How long something took, in ms by the clock, shortest first; and the median of what it worked, where known."""

    clock: Sequence[float]
    cpu: float | None

    @property
    def middle(self) -> float:
        """The median."""
        return self.clock[len(self.clock) // 2]

    @property
    def slow(self) -> float:
        """The 95th percentile."""
        return self.clock[int(len(self.clock) * 0.95)]


def milliseconds(
    place: Place, ours: Callable[[], object], bare: Callable[[], object], times: int = 200, warm: int = 5
) -> tuple[Taken, Taken]:
    """Both by turns, `times` each, so that whatever slows the machine slows both; the first `warm` are not counted."""
    works = (ours, bare)
    clock: tuple[list[float], list[float]] = ([], [])
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(times + warm):
        for work, clocked, worked in zip(works, clock, spent, strict=True):
            before, begun = _cpu(place), time.perf_counter()
            work()
            took, after = (time.perf_counter() - begun) * 1000, _cpu(place)
            if number >= warm:
                clocked.append(took)
                worked.append((after - before) * 1000 if before is not None and after is not None else -1)
    middles = [statistics.median(each) for each in spent]
    ours_taken, bare_taken = (
        Taken(sorted(each), cpu if cpu >= 0 else None) for each, cpu in zip(clock, middles, strict=True)
    )
    return ours_taken, bare_taken


def per_second(
    ours: Callable[[], int],
    bare: Callable[[], int],
    prepare: Callable[[], object] = lambda: None,
    rounds: int = 3,
) -> tuple[float, float]:
    """How many things each did in a second, by turns; of the round whose ratio is the median one.

    `prepare` comes before each of ours, uncounted.
    """
    pairs = []
    for _ in range(rounds):
        prepare()
        pairs.append((_speed(ours), _speed(bare)))
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[rounds // 2]


def _speed(work: Callable[[], int]) -> float:
    begun = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - begun)


def _cpu(place: Place) -> float | None:
    """Seconds worked so far by this process and, on PostgreSQL, by the server's (Linux alone tells: proc(5))."""
    here = time.process_time()
    if place.config.is_sqlite:
        return here
    try:
        return here + sum(int(Path(f"/proc/{each}/schedstat").read_text().split()[0]) / 1e9 for each in _servers(place))
    except (OSError, IndexError, ValueError):
        return None


def _servers(place: Place) -> list[int]:
    """The server's processes; it keeps its own number in its folder."""
    folder = sa.make_url(place.config.database_url).query["host"]
    postmaster = (Path(str(folder)) / "data" / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
    return [int(each) for each in children.split()]
