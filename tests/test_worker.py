"""The timetable: jobs that raise are tried again, jobs in hand are finished, and nobody waits for one that hangs."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from concierge.config import Config
from concierge.db import Sessions
from concierge.timekeeping import Attempt, Line
from concierge.worker import TIMETABLE

ROOT = Path(__file__).parent.parent


def _work(tmp_path: Path, job: str) -> subprocess.Popen[str]:
    """A worker of its own with one job."""
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


def test_told_to_stop_it_finishes_what_is_in_hand(tmp_path: Path):  # F13
    worker = _work(
        tmp_path,
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


def test_it_does_not_wait_for_a_job_that_hangs(tmp_path: Path):  # F04
    worker = _work(
        tmp_path,
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


def test_a_job_that_raises_is_tried_again(tmp_path: Path):  # F16
    worker = _work(
        tmp_path,
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


def test_no_job_runs_beside_itself(tmp_path: Path):  # F05
    worker = _work(
        tmp_path,
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


def test_every_job_has_a_name_of_its_own():
    names = [line.name for line in TIMETABLE]
    assert len(names) == len(set(names))


def test_every_job_runs_on_an_empty_house(config: Config, sessions: Sessions):
    for line in TIMETABLE:
        assert line.job(config, sessions) == 0, line.name
