"""Writers take turns: the longest waiting first, whatever became of the one before, among threads and processes."""

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from concierge.config import Config
from concierge.db import lock_for_writing, reading, sqlite_module
from concierge.extensions import db
from concierge.turns import Line, NoTurn, line_for
from tests.factories import make_editor

SMALL = "UPDATE alembic_version SET version_num = version_num"


def wait_until(met: Callable[[], bool]) -> None:
    latest = time.monotonic() + 10
    while not met():
        assert time.monotonic() < latest
        time.sleep(0.001)


@pytest.fixture
def line(config: Config) -> Line:
    """The line at the test's own database."""
    if not config.is_sqlite:
        pytest.skip("PostgreSQL needs no line")
    return line_for(str(config.data / "concierge.db"))


def in_the_order_they_come(line: Line, enter: Callable[[], None], leave: Callable[[], None]) -> list[int]:
    """Who wrote after whom, of twelve who came one after the other while somebody wrote."""
    wrote: list[int] = []

    def write(number: int) -> None:
        enter()
        wrote.append(number)
        leave()

    enter()
    threads = []
    for number in range(12):
        threads.append(threading.Thread(target=write, args=(number,)))
        threads[-1].start()
        wait_until(lambda: line.length == len(threads))
    leave()
    for thread in threads:
        thread.join()
    return wrote


def test_the_longest_waiting_is_next():
    line = Line()
    assert in_the_order_they_come(line, line.enter, line.leave) == list(range(12))
    assert line.is_free


def test_the_check_itself_sees_who_is_passed():
    """Negative control: a line that rings for the last who came."""

    class Unfair(Line):
        def leave(self) -> None:
            self._waiting.rotate(1)
            super().leave()

    line = Unfair()
    assert in_the_order_they_come(line, line.enter, line.leave) != list(range(12))


def test_who_has_waited_too_long_goes_and_holds_up_nobody():
    line = Line()
    line.enter()
    with pytest.raises(NoTurn):
        line.enter(0.01)
    line.leave()
    assert line.is_free
    line.enter(0.01)


def test_nobody_passes_the_process_on_the_doorstep(tmp_path):
    """Two processes are two lines at one file; who may not follow her own any longer must step there too."""
    ours, theirs = Line(tmp_path / "turns"), Line(tmp_path / "turns")
    with theirs.doorstep():
        assert not theirs.is_in_run
        with pytest.raises(NoTurn), ours.doorstep(0.01):
            pass
    assert theirs.is_in_run
    with ours.doorstep(0.01):
        pass
    assert ours.is_in_run


def test_a_greedy_writer_lets_the_patient_one_in_before_she_writes_again(sessions, line):  # F16
    wrote: list[str] = []

    def write(name: str) -> None:
        with sessions() as session:
            session.execute(sa.text(SMALL))
            wrote.append(name)
            session.commit()

    patient = threading.Thread(target=write, args=("patient",))
    with sessions() as session:
        session.execute(sa.text(SMALL))
        patient.start()
        wait_until(lambda: line.length == 1)
        session.commit()
    write("greedy")
    patient.join()
    assert wrote == ["patient", "greedy"]
    assert line.is_free


def test_a_turn_ends_with_its_transaction_however_that_ends(sessions, session, line):
    make_editor(session)
    assert not line.is_free
    session.commit()
    assert line.is_free
    make_editor(session, "Chiara Bellini")
    session.rollback()
    assert line.is_free
    with pytest.raises(IntegrityError):
        make_editor(session)
    session.close()
    assert line.is_free
    with pytest.raises(ZeroDivisionError), sessions() as other:
        make_editor(other, "Omar Haddad")
        raise ZeroDivisionError
    assert line.is_free


def test_a_commit_that_fails_ends_it_too(sessions, line):
    with sessions() as session:
        session.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
        session.execute(sa.text("INSERT INTO sign_off (editor_id, language, text) VALUES (99, 'en', 'Warmly')"))
        with pytest.raises(IntegrityError):
            session.commit()
    assert line.is_free


def test_a_thread_that_dies_with_a_session_in_hand_takes_no_turn_with_it(sessions, line):
    def die() -> None:
        sessions().execute(sa.text(SMALL))

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    gc.collect()
    assert line.is_free


def test_a_database_that_stays_locked_by_a_stranger_ends_it_too(sessions, line, config, monkeypatch):
    monkeypatch.setattr("concierge.db._BUSY_SECONDS", 0)
    stranger = sqlite_module().connect(config.data / "concierge.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), sessions() as session:
        session.execute(sa.text(SMALL))
    stranger.close()
    assert line.is_free
    with sessions() as session:
        session.execute(sa.text(SMALL))


def test_a_child_process_begins_with_an_empty_line(line, config):
    line.enter()
    if not (child := os.fork()):
        os._exit(0 if line_for(str(config.data / "concierge.db")).is_free else 1)
    assert os.waitpid(child, 0)[1] == 0
    line.leave()


def test_pages_and_worker_of_one_process_wait_in_the_same_line(app, session, line):
    with app.app_context():
        lock_for_writing(db.session)
        assert not line.is_free
        db.session.rollback()
    assert line.is_free
    with reading(lambda: session) as looking:  # type: ignore[arg-type]
        looking.execute(sa.text("SELECT 1"))
        assert line.is_free


def test_the_doorstep_is_a_file_beside_the_database(session, line, config):
    make_editor(session)
    session.commit()
    assert Path(f"{config.data / 'concierge.db'}-turns").exists()
