"""Copies of the worker: who lives, who is the clock, and what one that slept through its lease may still do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import copies
from concierge.config import Config
from concierge.copies import LEASE, Lease, Overtaken, WorkerCopy
from concierge.db import Sessions, database_now, reading
from concierge.heartbeat import Heartbeat
from tests.factories import NOW

ROOT = Path(__file__).parent.parent


def beating(sessions: Sessions) -> Heartbeat:
    """A copy's heart, not started: it beats when told."""
    return Heartbeat(sessions, dict, dict, lambda: None)


def test_one_copy_at_a_time_is_the_clock(sessions: Sessions, session: Session):
    first, second = beating(sessions), beating(sessions)
    for each in (first, second, first, second):
        each.beat()
    assert (first.number, second.number) == (1, None)
    assert len(copies.list_copies(session)) == 2


def test_a_copy_that_says_goodbye_is_forgotten_and_the_next_is_the_clock_at_once(sessions, session):
    first, second = beating(sessions), beating(sessions)
    first.beat()
    first._thread.start()
    first.stop()
    second.beat()
    assert second.number == 2
    assert [each.id for each in copies.list_copies(session)] == [second._copy_id]


def test_a_lease_that_ran_out_goes_to_whoever_comes_first(session: Session):  # F06
    assert copies.take_lease(session, 1, now=NOW) == 1
    assert copies.take_lease(session, 2, now=NOW + LEASE) is None
    assert copies.renew_lease(session, 1, 1, now=NOW + LEASE)
    late = NOW + 2 * LEASE + timedelta(seconds=1)
    assert not copies.renew_lease(session, 1, 1, now=late)
    assert copies.take_lease(session, 2, now=late) == 2
    assert not copies.renew_lease(session, 1, 1, now=late)


def test_writes_of_an_overtaken_clock_are_refused(session: Session):  # F04
    number = copies.take_lease(session, 1, now=NOW)
    copies.fence(session, number)
    copies.take_lease(session, 2, now=NOW + 2 * LEASE)
    with pytest.raises(Overtaken):
        copies.fence(session, number)
    copies.fence(session, None)


def test_a_lease_from_a_clock_that_was_set_back_since_holds_nobody_off(session: Session):  # F15
    copies.take_lease(session, 1, now=NOW)
    assert copies.take_lease(session, 2, now=NOW - timedelta(days=1)) == 2


def test_a_copy_forgotten_in_its_sleep_is_known_again_with_its_next_beat(sessions: Sessions, session: Session):
    heart = beating(sessions)
    heart.beat()
    session.execute(sa.delete(WorkerCopy))
    session.commit()
    heart.beat()
    assert len(copies.list_copies(session)) == 1


@contextmanager
def copy_of(config: Config, tmp_path: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process with one fenced job that writes down under which lease it began, and whether it could write."""
    program = tmp_path / f"{name}.py"
    program.write_text(
        "import time, pathlib\n"
        "from datetime import timedelta\n"
        "from concierge import copies, timekeeping\n"
        "from concierge.config import read_config\n"
        "copies.BEAT, copies.LEASE = timedelta(seconds=0.2), timedelta(seconds=1)\n"
        f"log = pathlib.Path({str(tmp_path / name)!r})\n"
        "def job(config, sessions):\n"
        "    number = copies.OURS.number\n"
        "    with log.open('a') as out: out.write(f'begun {number}\\n')\n"
        "    time.sleep(0.3)\n"
        "    with sessions() as session:\n"
        "        try: copies.fence(session, number)\n"
        "        except copies.Overtaken:\n"
        "            with log.open('a') as out: out.write(f'refused {number}\\n')\n"
        "            raise\n"
        "        with log.open('a') as out: out.write(f'written {number}\\n')\n"
        "    return 0\n"
        f"config = read_config(data={str(config.data)!r}, database_url={config.database_url!r})\n"
        "timekeeping.keep_time(config, (timekeeping.Line(job, every=0.1, by_clock=True),))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, program], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(10)


def wait_for(path: Path, words: str, seconds: float = 20.0) -> float:
    """How long it took until the file said so."""
    began = time.monotonic()
    while not path.exists() or words not in path.read_text():
        assert time.monotonic() - began < seconds, f"no {words!r}"
        time.sleep(0.02)
    return time.monotonic() - began


def test_when_the_clock_is_killed_or_falls_asleep_another_takes_over_and_it_writes_no_more(
    config: Config, sessions: Sessions, tmp_path: Path
):  # F04, F06
    with copy_of(config, tmp_path, "one") as one:
        wait_for(tmp_path / "one", "written 1")
        with copy_of(config, tmp_path, "two") as two:
            with reading(sessions) as session:  # both are up
                began = time.monotonic()
                while session.scalar(sa.select(sa.func.count()).select_from(WorkerCopy)) < 2:
                    session.rollback()
                    assert time.monotonic() - began < 20
                    time.sleep(0.05)
            begun = (tmp_path / "one").read_text().count("begun")
            while (tmp_path / "one").read_text().count("begun") == begun:
                time.sleep(0.01)
            one.send_signal(signal.SIGSTOP)  # in the middle of a run
            assert wait_for(tmp_path / "two", "written 2") < 3.0
            one.send_signal(signal.SIGCONT)
            wait_for(tmp_path / "one", "refused 1")
            two.kill()
            assert wait_for(tmp_path / "one", "written 3") < 3.0
            assert "written 3" not in (tmp_path / "two").read_text()


def test_the_database_tells_the_same_time_to_all(session: Session):
    first = database_now(session)
    assert timedelta() <= database_now(session) - first < timedelta(seconds=5)
    assert session.get_one(Lease, copies.CLOCK).number == 0
