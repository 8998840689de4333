"""Wherever a restore breaks off, it leaves no house or one that sends nothing; once more goes on (F11, F18)."""

import errno
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from concierge import blobs, restoring
from concierge.backups import back_up
from concierge.config import Config
from concierge.db import make_engine, make_sessions
from concierge.mailing import jobs, outbox
from concierge.mailing.models import Delivery
from concierge.mailing.providers.memory import MemoryProvider
from concierge.restoring import NotRestored, restore
from concierge.schema import NewerDatabase
from tests.factories import NOW
from tests.test_backups import elsewhere, furnished  # noqa: F401 fixtures

# Where the world is touched: files, folders, programs, databases.
_STEPS = ("open", "os.rename", "os.mkdir", "os.remove", "os.utime", "subprocess.Popen", "sqlite3.connect/handle")
_DIED = 9
# Every step in `make faults`; else every third.
_EVERY = 1 if os.environ.get("CONCIERGE_TESTS_KILLS") else 3


@pytest.fixture
def copy(furnished: Config, tmp_path: Path) -> Path:  # noqa: F811 a fixture
    """Yesterday's backup: a mail that is due, three files."""
    (furnished.data / "secret.key").write_text("kept")
    back_up(furnished, tmp_path / "copy", now=NOW)
    return tmp_path / "copy"


@pytest.fixture
def emptied(elsewhere: Config, request: pytest.FixtureRequest) -> Callable[[], Config]:  # noqa: F811 a fixture
    """Makes the place empty again."""

    def empty() -> Config:
        shutil.rmtree(elsewhere.data, ignore_errors=True)
        if not elsewhere.is_sqlite:
            server: sa.Connection = request.getfixturevalue("postgresql")
            server.exec_driver_sql("DROP DATABASE elsewhere WITH (FORCE)")
            server.exec_driver_sql("CREATE DATABASE elsewhere")
        return elsewhere

    return empty


def tables(config: Config) -> list[str]:
    engine = make_engine(config)
    try:
        return sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def sends(config: Config) -> int:
    """How many mails `concierge run` would send from there now."""
    if not tables(config):
        return 0
    sessions = make_sessions(config)
    try:
        return jobs.deliver_due(config, sessions, MemoryProvider())
    finally:
        sessions.kw["bind"].dispose()


def restore_and_break(config: Config, copy: Path, *, at: int, dies: bool) -> int:
    """Restore in a process of its own that dies, or finds its disk full, at the n-th step; how it ended."""
    child = multiprocessing.get_context("fork").Process(target=_restore_in_child, args=(config, copy, at, dies))
    child.start()
    child.join(60)
    assert child.exitcode is not None
    return child.exitcode


def _restore_in_child(config: Config, copy: Path, at: int, dies: bool) -> None:
    left, place = at, str(config.data)

    def step(event: str, details: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in _STEPS or (event != "subprocess.Popen" and place not in str(details)):
            return
        left -= 1
        if left == 0 and dies:
            os._exit(_DIED)
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sys.addaudithook(step)
    try:
        restore(config, copy, now=NOW)
    except NotRestored as told:
        os._exit(1 if "It broke off while" in str(told) else 2)
    except BaseException:
        os._exit(3)
    os._exit(0 if left > 0 else 4)


def points(config: Callable[[], Config], copy: Path, *, dies: bool) -> Iterator[tuple[int, Config, int]]:
    """Every step in its turn, until there are no more."""
    for at in range(1, 400, _EVERY):
        place = config()
        ended = restore_and_break(place, copy, at=at, dies=dies)
        if ended == 0:
            assert at > 8
            return
        yield at, place, ended


def wait_for_psql(config: Config, server: sa.Connection | None) -> None:
    """A psql whose master died ends by itself."""
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = 'elsewhere'")
    for _try in range(100):
        if server is None or not server.scalar(waiting):
            return
        time.sleep(0.05)
    raise AssertionError("a transaction stays open")


@pytest.mark.parametrize("dies", [True, False], ids=["killed", "disk full"])
def test_wherever_a_restore_breaks_off_nothing_is_sent_and_once_more_goes_on(copy, emptied, dies, request):  # F11, F18
    server = None if emptied().is_sqlite else request.getfixturevalue("postgresql")
    stood = 0
    for at, place, ended in points(emptied, copy, dies=dies):
        wait_for_psql(place, server)
        assert ended in ((_DIED,) if dies else (1, 4)), (at, ended)  # 4: what was swept up failed, and does no harm
        assert sends(place) == 0, at
        if tables(place):
            stood += 1  # in the last steps; then what lies beside it may be left lying
            with pytest.raises(NotRestored, match="concierge migrate"):
                restore(place, copy, now=NOW)
        else:
            restore(place, copy, now=NOW)
        sessions = make_sessions(place)
        with sessions() as session:
            assert outbox.is_shut(session)
            assert session.scalars(sa.select(Delivery.key)).all() == ["reply:1"]
        sessions.kw["bind"].dispose()
        assert len(list(blobs.open_store(place).keys())) == 3
        assert (place.data / "secret.key").read_text() == "kept"
        assert stood or not list(place.data.glob(".*"))


def test_what_postgresql_is_told_by_halves_is_not_done(copy, elsewhere, monkeypatch):  # noqa: F811 a fixture; F11
    if elsewhere.is_sqlite:
        return

    def by_halves(source: Any, to: Any) -> None:
        script = source.read()
        to.write(script[: len(script) // 2])
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(restoring.shutil, "copyfileobj", by_halves)
    with pytest.raises(NotRestored, match=r"There is no house in the database yet.*run the same command again"):
        restore(elsewhere, copy, now=NOW)
    monkeypatch.undo()
    assert tables(elsewhere) == []


def test_what_does_not_add_up_does_not_stand(copy, elsewhere, monkeypatch):  # noqa: F811 a fixture; F18
    whole = restoring.check_backup(copy)
    wrong = restoring.Manifest(**{**vars(whole), "rows": {**whole.rows, "delivery": 2}})
    monkeypatch.setattr(restoring, "check_backup", lambda _source: wrong)
    with pytest.raises(NotRestored, match=r"delivery has 1 rows of 2.*no house in the database yet"):
        restore(elsewhere, copy, now=NOW)
    assert tables(elsewhere) == []


def test_a_newer_backup_is_left_alone(copy, elsewhere, monkeypatch):  # noqa: F811 a fixture
    whole = restoring.check_backup(copy)
    newer = restoring.Manifest(**{**vars(whole), "revision": "9999"})
    monkeypatch.setattr(restoring, "check_backup", lambda _source: newer)
    with pytest.raises(NewerDatabase):
        restore(elsewhere, copy, now=NOW)
    assert tables(elsewhere) == []


def test_a_restored_house_that_is_not_shut_sends(copy, elsewhere):  # noqa: F811 a fixture
    """The negative control: what the tests above ask of it says so."""
    restore(elsewhere, copy, now=NOW)
    assert sends(elsewhere) == 0
    sessions = make_sessions(elsewhere)
    with sessions() as session:
        session.execute(sa.update(outbox.Outbox).values(shut_at=None))
        session.commit()
    sessions.kw["bind"].dispose()
    assert sends(elsewhere) == 1
