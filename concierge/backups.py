"""`concierge backup` and `restore`: the database and the files of a house in a folder, counted, and put back counted.

The database is copied first, in one glance (SQLite's own backup; `pg_dump` of one snapshot), then the blobs: they are
never changed once written, so whatever the copied rows name is there. What is put back sends nothing until a person
opens its outbox (`mailing.outbox`).
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

import concierge.app  # noqa: F401 it knows every table
from concierge import schema
from concierge.blobs import open_store
from concierge.config import Config
from concierge.db import Base, make_engine, make_sessions, sqlite_module
from concierge.errors import ConciergeError
from concierge.mailing import outbox

_MANIFEST, _BLOBS = "backup.json", "blobs"
_FILES = {True: "concierge.db", False: "concierge.pgdump"}  # by whether it is SQLite
_KEYS = ("secret.key", "inbound.key")


class BackupFailed(ConciergeError):
    """The backup could not be made, or is not whole."""


class NotRestored(ConciergeError):
    """The house could not be restored from there."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, by which it is counted: rows of each table, blobs, and the database file's SHA-256."""

    made_at: str
    revision: str
    is_sqlite: bool
    rows: dict[str, int]
    blobs: int
    sha256: str

    @property
    def words(self) -> str:
        """The same for a person."""
        return f"{sum(self.rows.values()):,} rows in {len(self.rows)} tables and {self.blobs:,} files"


def back_up(config: Config, to: Path, *, now: datetime) -> Manifest:
    """Copy the house into a new folder, and count the copy; raises BackupFailed, and leaves nothing half-made."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BackupFailed(f"{to} is not empty; name a new folder.")
    part = to.with_name(f".{to.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        manifest = _copy(config, part, now)
        (part / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        check_backup(part)
        if to.exists():
            to.rmdir()
        part.rename(to)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return manifest


def restore(config: Config, source: Path, *, now: datetime) -> Manifest:
    """Put a backup into an empty place, count it, shut its outbox and bring it to this program's version.

    Raises BackupFailed for a backup that is not whole, NotRestored where there is a house already or the sums differ.
    """
    manifest = check_backup(source)
    if manifest.is_sqlite is not config.is_sqlite:
        raise NotRestored("The backup is of the other kind of database; set CONCIERGE_DATABASE_URL to one of its kind.")
    _require_empty(config)
    config.data.mkdir(parents=True, exist_ok=True)
    _put_back(config, source / _FILES[manifest.is_sqlite])
    engine = make_engine(config)
    with engine.connect() as connection:
        counted = _count_rows(connection)
    engine.dispose()
    if counted != manifest.rows:
        raise NotRestored(f"What was put back does not add up: {_differences(counted, manifest.rows)}.")
    store = open_store(config)
    for key, data in _read_blobs(source):
        if store.put(data) != key:
            raise NotRestored(f"The file {key} was put back otherwise than it was.")
    _put_back_keys(config, source)
    schema.migrate(config)
    _shut(config, now)
    return manifest


def check_backup(source: Path) -> Manifest:
    """Read a backup through: every file whole, and all of them there; raises BackupFailed."""
    try:
        manifest = Manifest(**json.loads((source / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BackupFailed(f"{source} holds no backup ({_MANIFEST} can't be read).") from error
    database = source / _FILES[manifest.is_sqlite]
    if not database.exists() or _sha256(database) != manifest.sha256:
        raise BackupFailed(f"{database} is not the file that was written.")
    if manifest.is_sqlite:
        _check_sqlite(database, manifest)
    found = sum(1 for _blob in _read_blobs(source))
    if found != manifest.blobs:
        raise BackupFailed(f"The backup has {found} of {manifest.blobs} files.")
    return manifest


def _copy(config: Config, to: Path, now: datetime) -> Manifest:
    database = to / _FILES[config.is_sqlite]
    rows, revision = _copy_sqlite(config, database) if config.is_sqlite else _copy_postgresql(config, database)
    store, blobs = open_store(config), 0
    for key in store.keys():  # noqa: SIM118 - a store, not a mapping
        place = to / _BLOBS / key[:2] / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(store.get(key))
        blobs += 1
    for name in _KEYS:
        if (kept := config.data / name).exists():
            shutil.copy2(kept, to / name)
    return Manifest(now.isoformat(), revision, config.is_sqlite, rows, blobs, _sha256(database))


def _copy_sqlite(config: Config, to: Path) -> tuple[dict[str, int], str]:
    sqlite = sqlite_module()
    with closing(sqlite.connect(_sqlite_file(config))) as source, closing(sqlite.connect(to)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    engine = sa.create_engine(f"sqlite+pysqlite:///{to}", module=sqlite)
    with engine.connect() as connection:
        found = _count_rows(connection), schema.stands_at(connection) or ""
    engine.dispose()
    return found


def _copy_postgresql(config: Config, to: Path) -> tuple[dict[str, int], str]:
    """Counted in the very snapshot that is dumped."""
    engine = make_engine(config)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            options = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
            _run(config, "pg_dump", *options, f"--file={to}")
            return _count_rows(connection), schema.stands_at(connection) or ""
    finally:
        engine.dispose()


def _put_back(config: Config, database: Path) -> None:
    if config.is_sqlite:
        shutil.copyfile(database, _sqlite_file(config))
    else:
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run(config, "pg_restore", *options, str(database))


def _put_back_keys(config: Config, source: Path) -> None:
    for name in _KEYS:
        if (source / name).exists() and not (config.data / name).exists():
            shutil.copy2(source / name, config.data / name)


def _shut(config: Config, now: datetime) -> None:
    sessions = make_sessions(config)
    with sessions() as session:
        outbox.shut_outbox(session, outbox.RESTORED, now=now)
        session.commit()
    sessions.kw["bind"].dispose()


def _require_empty(config: Config) -> None:
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            if sa.inspect(connection).get_table_names():
                raise NotRestored("There is a house in this database; restore into an empty one.")
    finally:
        engine.dispose()


def _check_sqlite(database: Path, manifest: Manifest) -> None:
    engine = sa.create_engine(f"sqlite+pysqlite:///file:{database}?mode=ro&uri=true", module=sqlite_module())
    try:
        with engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            if said != "ok":
                raise BackupFailed(f"The copied database is damaged: {said}.")
            if (counted := _count_rows(connection)) != manifest.rows:
                raise BackupFailed(f"The copied database does not add up: {_differences(counted, manifest.rows)}.")
    finally:
        engine.dispose()


def _count_rows(connection: sa.Connection) -> dict[str, int]:
    """Of the tables this program knows and the database has (an older one has fewer)."""
    there = set(sa.inspect(connection).get_table_names())
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for name, table in sorted(Base.metadata.tables.items())
        if name in there
    }


def _differences(counted: dict[str, int], wanted: dict[str, int]) -> str:
    names = sorted(name for name in {*counted, *wanted} if counted.get(name) != wanted.get(name))
    return ", ".join(f"{name} has {counted.get(name, 'no')} rows of {wanted.get(name, 'none')}" for name in names[:5])


def _read_blobs(source: Path) -> Iterator[tuple[str, bytes]]:
    """Each file of a backup, as whole as its name says."""
    for path in _sorted_files(source / _BLOBS):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != path.name:
            raise BackupFailed(f"The file {path.name} of the backup is damaged.")
        yield path.name, data


def _sorted_files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sqlite_file(config: Config) -> str:
    return str(sa.make_url(config.database_url).database)


def _run(config: Config, program: str, *options: str) -> None:
    """A program of PostgreSQL's own; where the database is, and its password, stand in no process list."""
    if shutil.which(program) is None:
        raise BackupFailed(f"There is no {program} on this machine; install PostgreSQL's client programs.")
    url = sa.make_url(config.database_url)
    command = [program, *options, f"--dbname={url.database}"]
    done = subprocess.run(command, env=_environment(url), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupFailed(f"{program}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")


def _environment(url: sa.URL) -> dict[str, str]:
    told = {
        "PGHOST": url.host or str(url.query.get("host", "")),
        "PGPORT": str(url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGSSLMODE": str(url.query.get("sslmode", "")),
    }
    return os.environ | {name: value for name, value in told.items() if value}
