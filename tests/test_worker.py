"""The timetable: jobs that raise are tried again, jobs in hand are finished, and nobody waits for one that hangs."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from concierge.addresses import Address
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.mailing.commands import queue_delivery
from concierge.mailing.models import Delivery, DeliveryState
from concierge.timekeeping import Attempt, Line
from concierge.worker import TIMETABLE
from tests.factories import NOW
from tests.mailing.samples import make_mail

ROOT = Path(__file__).parent.parent


Work = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """Start a worker of its own with one job; whatever becomes of the test, it does not outlive it."""
    started: list[subprocess.Popen[str]] = []

    def start(job: str) -> subprocess.Popen[str]:
        started.append(_start(tmp_path, job))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait(20)


def _start(tmp_path: Path, job: str) -> subprocess.Popen[str]:
    program = tmp_path / "program.py"
    program.write_text(
        "import time, pathlib\n"
        "from concierge import timekeeping, worker\n"
        "from concierge.config import read_config\n"
        f"marks = pathlib.Path({str(tmp_path)!r})\n"
        f"{textwrap.dedent(job)}\n"
        "timekeeping.FINISHING_SECONDS = 2.0\n"
        f"worker.work(read_config(data={str(tmp_path / 'data')!r}), (timekeeping.Line(job, every=0.05),))\n"
    )
    return subprocess.Popen(
        [sys.executable, program], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, stderr=subprocess.PIPE
    )


def _wait_for(path: Path) -> None:
    latest = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < latest
        time.sleep(0.02)


def test_told_to_stop_it_finishes_what_is_in_hand(tmp_path: Path, work: Work):  # F13
    worker = work(
        """
        def job(config, sessions):
            (marks / "begun").touch()
            time.sleep(1)
            (marks / "finished").touch()
            return 1
        """,
    )
    _wait_for(tmp_path / "begun")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert (tmp_path / "finished").exists()


def test_it_does_not_wait_for_a_job_that_hangs(tmp_path: Path, work: Work):  # F04
    worker = work(
        """
        def job(config, sessions):
            (marks / "begun").touch()
            time.sleep(600)
        """,
    )
    _wait_for(tmp_path / "begun")
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert time.monotonic() - started < 10
    assert worker.stderr is not None
    assert "to be taken up again" in worker.stderr.read()


def test_a_job_that_raises_is_tried_again(tmp_path: Path, work: Work):  # F16
    worker = work(
        """
        def job(config, sessions):
            tries = len(list(marks.glob("try-*")))
            (marks / f"try-{tries}").touch()
            if tries < 3:
                raise OSError("disk full")
            return 1
        """,
    )
    _wait_for(tmp_path / "try-4")
    worker.send_signal(signal.SIGTERM)
    said = worker.communicate(timeout=20)[1]
    assert worker.returncode == 0
    assert said.count("OSError: disk full") == 1, "the same failure is written down once a minute, not each time"
    assert "works again" in said


def test_no_job_runs_beside_itself(tmp_path: Path, work: Work):  # F05
    worker = work(
        """
        def job(config, sessions):
            with open(marks / "log", "a") as log:
                print("in", file=log, flush=True)
                time.sleep(0.3)
                print("out", file=log, flush=True)
            if len((marks / "log").read_text().split()) > 6:
                (marks / "enough").touch()
            return 0
        """,
    )
    _wait_for(tmp_path / "enough")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    seen = (tmp_path / "log").read_text().split()
    assert seen == ["in", "out"] * (len(seen) // 2)


def test_nothing_begins_once_an_attempt_was_asked_to_finish(config: Config, sessions: Sessions):
    tried = []

    def job(_config: Config, _sessions: Sessions) -> int:
        tried.append(1)
        return 1

    attempt = Attempt(Line(job, every=1), config, sessions)
    attempt()
    assert attempt.finish(time.monotonic() + 1)
    assert tried == [1]


def test_it_is_gone_in_time_whatever_holds_it_up(tmp_path: Path, work: Work):  # F13
    worker = work(
        """
        timekeeping.LEAVING_SECONDS = 3.0

        class Deaf:
            def start(self, is_clock):
                (marks / "begun").touch()

            def stop(self):
                time.sleep(600)

        worker.beside = lambda config: (Deaf(),)

        def job(config, sessions):
            return 0
        """,
    )
    _wait_for(tmp_path / "begun")
    time.sleep(0.5)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_a_failure_with_another_reason_is_written_down_again(
    config: Config, sessions: Sessions, caplog: pytest.LogCaptureFixture
):
    reasons = iter(["one", "one", "two"])

    def job(_config: Config, _sessions: Sessions) -> int:
        raise ValueError(next(reasons))

    attempt = Attempt(Line(job, every=1), config, sessions)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            attempt()
    assert len(caplog.records) == 2


def test_a_job_that_gets_on_is_told_from_one_that_stands_still(config: Config, sessions: Sessions):
    still = []

    def job(_config: Config, sessions: Sessions) -> int:
        time.sleep(0.3)
        still.append(attempt.report()["still"])
        with ThreadPoolExecutor(1) as pool:  # as those who talk to a provider do
            pool.submit(look, sessions).result()
        still.append(attempt.report()["still"])
        return 0

    def look(sessions: Sessions) -> None:
        with reading(sessions) as session:
            session.execute(sa.text("SELECT 1"))

    attempt = Attempt(Line(job, every=1), config, sessions)
    attempt()
    assert still[0] >= 0.3 > still[1]
    assert attempt.report()["still"] is None


def test_every_job_has_a_name_of_its_own():
    names = [line.name for line in TIMETABLE]
    assert len(names) == len(set(names))


def test_every_job_runs_on_an_empty_house(config: Config, sessions: Sessions):
    for line in TIMETABLE:
        assert line.job(config, sessions) == 0, line.name


def test_told_to_stop_in_the_middle_of_forty_mails_it_ends_the_one_in_hand_and_gives_back_the_rest(
    config: Config, sessions: Sessions, tmp_path: Path, work: Work
):  # F13
    with sessions() as session:
        for number in range(40):
            mail = make_mail(to=Address("", f"customer{number}@example.com"))
            queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)
        session.commit()
    worker = work(
        f"""
        from concierge.mailing.jobs import deliver_due
        from concierge.mailing.providers.memory import MemoryProvider

        class Slow(MemoryProvider):
            def send(self, parcel):
                (marks / "begun").touch()
                time.sleep(0.4)
                return super().send(parcel)

        slow = Slow()
        read_config = lambda data, was=read_config: was(data={str(config.data)!r}, database_url={config.database_url!r})

        def job(config, sessions):
            return deliver_due(config, sessions, slow)
        """,
    )
    _wait_for(tmp_path / "begun")
    time.sleep(0.5)
    told = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert time.monotonic() - told < 8, "forty would have taken sixteen seconds"
    with reading(sessions) as session:
        rows = session.execute(sa.select(Delivery.state, Delivery.claim.is_(None)).distinct()).all()
        sent = session.scalar(sa.select(sa.func.count()).where(Delivery.state == DeliveryState.SENT))
    assert {tuple(row) for row in rows} == {(DeliveryState.SENT, False), (DeliveryState.QUEUED, True)}
    assert 1 <= sent < 50
