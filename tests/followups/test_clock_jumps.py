"""The machine's clock is set under a running worker (libfaketime): none twice, none lost, none in her night."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from concierge import schema
from concierge.db import reading
from concierge.followups.conditions import Asking
from concierge.followups.models import FollowUp, FollowUpState
from tests.factories import DAY, HOUR, make_editor
from tests.followups.builders import FRIDAY, ROME, WALL, answered, follow_up
from tests.postgresql import private_server

_LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
pytestmark = [
    pytest.mark.skipif(_LIBRARY is None, reason="libfaketime is not installed"),
    pytest.mark.skipif("CONCIERGE_TESTS_FOLLOWUPS" not in os.environ, reason="takes minutes: only when asked for"),
]
SECOND = timedelta(seconds=1)


class SetClock:
    """A worker in a process of its own, and the clock it lives by."""

    def __init__(self, config, folder: Path) -> None:
        self._file, self._config = folder / "faketime", config
        self._worker: subprocess.Popen[bytes] | None = None

    def set(self, moment: datetime) -> None:
        """From now on it goes on from here; written in one piece, for it is read at every look."""
        part = self._file.with_suffix(".part")
        part.write_text(f"{(moment - datetime.now(UTC)).total_seconds():+.3f}\n", encoding="ascii")
        part.replace(self._file)

    def start(self) -> None:
        """The worker begins."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONCIERGE_")}
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "concierge", "worker"],
            env=inherited
            | {
                "LD_PRELOAD": str(_LIBRARY),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "CONCIERGE_DATA": str(self._config.data),
                "CONCIERGE_DATABASE_URL": self._config.database_url,
            },
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """It is told to stop, and does."""
        if self._worker is not None and self._worker.poll() is None:
            self._worker.send_signal(signal.SIGTERM)
            assert self._worker.wait(35) == 0
        self._worker = None


@pytest.fixture
def config(config):
    """On PostgreSQL one that forgets nothing: the command refuses to work with the tests' quick one."""
    if config.is_sqlite:
        yield config
        return
    with private_server(durable=True) as server:
        durable = config.model_copy(update={"database_url": server.format("postgres")})
        schema.migrate(durable)
        yield durable


@pytest.fixture
def worker(config, tmp_path):
    worker = SetClock(config, tmp_path)
    yield worker
    worker.stop()


def wait_for(true: Callable[[], bool], seconds: float = 120.0) -> None:
    """Until it is so; a busy machine is waited for."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def states(sessions) -> Counter[tuple[FollowUpState, Asking | None]]:
    """How many are where."""
    with reading(sessions) as session:
        return Counter((each.state, each.asking) for each in session.scalars(sa.select(FollowUp)))


def sent(sessions) -> int:
    """How many have left."""
    return states(sessions)[FollowUpState.SENT, None]


def test_whatever_jump_the_clock_makes_none_is_sent_twice_none_lost_and_none_at_night(
    session, sessions, config, worker
):  # F15
    nadia = make_editor(session)
    walls = (WALL, WALL + 9.5 * HOUR, WALL + DAY, WALL + 3 * DAY, WALL + 5 * DAY)
    for name, wall in zip(("Now", "Evening", "Tomorrow", "Monday", "Later"), walls, strict=True):
        for number in range(2):
            follow_up(session, answered(session, nadia, f"{name}{number} Rossi"), nadia, wall=wall)
    session.commit()
    worker.set(FRIDAY - 2 * SECOND)
    worker.start()
    wait_for(lambda: sent(sessions) == 2)
    for jump in (-HOUR, HOUR, -DAY, 2 * HOUR):
        worker.set(FRIDAY + jump)
        time.sleep(1.5)
        assert sent(sessions) == 2, jump
    # over her evening into her night: what was meant for the evening waits for the morning
    worker.set(FRIDAY + 17 * HOUR)
    time.sleep(1.5)
    assert sent(sessions) == 2
    worker.set(FRIDAY + DAY - 2 * SECOND)
    wait_for(lambda: sent(sessions) == 6)
    # back by a day and on again: nothing leaves anew
    for jump in (0 * HOUR, DAY + HOUR):
        worker.set(FRIDAY + jump)
        time.sleep(1.5)
        assert sent(sessions) == 6
    # three days of standstill: Monday's is late and asks, Wednesday's leaves in its time
    worker.stop()
    worker.set(FRIDAY + 5 * DAY - 2 * SECOND)
    worker.start()
    wait_for(lambda: states(sessions) == {(FollowUpState.SENT, None): 8, (FollowUpState.SCHEDULED, Asking.LATE): 2})
    wait_for(lambda: len(list(config.outbox.glob("*.eml"))) == 8)
    with reading(sessions) as looking:
        settled = [each.settled_at for each in looking.scalars(sa.select(FollowUp)) if each.settled_at]
    assert all(9 <= each.astimezone(ROME).hour < 20 for each in settled)
