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
from concierge.db import Sessions, database_now
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
        "copies.BEAT, copies.LEASE = timedelta(seconds=0.3), timedelta(seconds=2)\n"
        f"log = pathlib.Path({str(tmp_path / name)!r})\n"
        "def job(config, sessions):\n"
        "    number = copies.OURS.number\n"
        "    with log.open('a') as out: out.write(f'begun {number}\\n')\n"
        "    while pathlib.Path(f'{log}.held').exists(): time.sleep(0.02)\n"
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


def last_number(path: Path, done: str, above: int = 0) -> int:
    """Wait until the last line says that this was done under a lease above that number; the number."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        lines = path.read_text().splitlines() if path.exists() else []
        did, _, number = (lines or [""])[-1].partition(" ")
        if did == done and number.isdigit() and int(number) > above:
            return int(number)
        time.sleep(0.01)
    raise AssertionError(f"nothing {done} in {path.name}")


def wait_for(path: Path, words: str) -> None:
    """Wait until the file says so."""
    began = time.monotonic()
    while words not in path.read_text():
        assert time.monotonic() - began < 60, f"no {words!r} in {path.name}"
        time.sleep(0.02)


def put_to_sleep(process: subprocess.Popen[bytes], sessions: Sessions) -> None:
    """Stop it between two of its transactions: within one it would keep the database's lock while it sleeps."""
    while True:
        process.send_signal(signal.SIGSTOP)
        with sessions() as session:
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            session.execute(sa.text("PRAGMA busy_timeout = 300" if is_sqlite else "SET LOCAL lock_timeout = 300"))
            try:
                session.execute(sa.update(Lease).values(number=Lease.number))
            except sa.exc.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.05)
            else:
                return
            finally:
                session.rollback()
                session.connection().invalidate()  # nobody after us waits so shortly


def test_when_the_clock_is_killed_or_falls_asleep_another_takes_over_and_it_writes_no_more(
    config: Config, sessions: Sessions, tmp_path: Path
):  # F04, F06
    one_says, two_says, held = tmp_path / "one", tmp_path / "two", tmp_path / "one.held"
    held.touch()
    with copy_of(config, tmp_path, "one") as one:
        number = last_number(one_says, "begun")
        with copy_of(config, tmp_path, "two") as two:
            put_to_sleep(one, sessions)  # in the middle of a run
            taken = last_number(two_says, "written", above=number)
            held.unlink()
            one.send_signal(signal.SIGCONT)
            wait_for(one_says, f"refused {number}")
            two.kill()
            last_number(one_says, "written", above=taken)
            assert f"written {taken}" not in one_says.read_text()


def test_the_database_tells_the_same_time_to_all(session: Session):
    first = database_now(session)
    assert timedelta() <= database_now(session) - first < timedelta(seconds=5)
    assert session.get_one(Lease, copies.CLOCK).number == 0
