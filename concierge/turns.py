"""Turns: whoever writes to an SQLite database waits in line, the longest waiting first, within and among processes.

SQLite itself lets writers knock again and again until one is lucky; of sixty, some are unlucky for a quarter of a
minute. So in each process one writer at a time goes to knock, and she knocks from a doorstep where there is room for
one: a process whose writers follow one another without a gap must soon step on it too, and lets others in before.
"""

import fcntl
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

# How long a writer stands in line before she gives up, in seconds; SQLite's own lock may take as long again.
PATIENCE_SECONDS = 15.0
# So long a process's writers may follow one another while another process waits.
_RUN_SECONDS = 0.05
_LOOK_SECONDS = 0.002


class NoTurn(Exception):
    """The database is locked: so many wrote before that the turn did not come in time."""


class Line:
    """First come, first served; a turn may be ended by another thread than the one that waited for it."""

    def __init__(self, doorstep: Path | None = None) -> None:
        """Nobody writes, nobody waits. `doorstep` is a file all processes of this database share; None: no others."""
        self._guard = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()
        self._doorstep = doorstep.open("ab") if doorstep else None
        self._run_ends = 0.0

    def enter(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for one's turn in this process, up to `seconds`; raises NoTurn."""
        with self._guard:
            if not self._taken:
                self._taken, self._run_ends = True, 0.0
                return
            bell = Lock()
            bell.acquire()
            self._waiting.append(bell)
        if not bell.acquire(timeout=seconds):
            with self._guard:
                if bell in self._waiting:
                    self._waiting.remove(bell)
                    raise NoTurn
            # It rang in the very moment we gave up: the turn is ours after all.

    def leave(self) -> None:
        """End one's turn; the longest waiting is next."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    @contextmanager
    def doorstep(self, seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
        """Stand where one process at a time may knock at the database's lock, up to `seconds`; raises NoTurn."""
        if self._doorstep is None:
            yield
            return
        latest = time.monotonic() + seconds
        while not _locked(self._doorstep.fileno()):
            if time.monotonic() > latest:
                raise NoTurn
            time.sleep(_LOOK_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(self._doorstep, fcntl.LOCK_UN)
            self._run_ends = time.monotonic() + _RUN_SECONDS

    @property
    def is_in_run(self) -> bool:
        """Whether one may knock past the doorstep, following another of this process."""
        return time.monotonic() < self._run_ends

    @property
    def is_free(self) -> bool:
        """Whether nobody writes."""
        return not self._taken

    @property
    def length(self) -> int:
        """How many wait."""
        return len(self._waiting)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_lines: dict[str, Line] = {}
_making = Lock()


def _begin_anew() -> None:
    """In a forked child nobody is left to end the turns that threads of its parent had."""
    global _making  # noqa: PLW0603 - the parent may have held it
    _making = Lock()
    _lines.clear()


os.register_at_fork(after_in_child=_begin_anew)


def line_for(database: str) -> Line:
    """This process's line at `database`, the path of its file; "" is one that no other process sees."""
    with _making:
        if database not in _lines:
            _lines[database] = Line(Path(f"{database}-turns") if database else None)
        return _lines[database]
