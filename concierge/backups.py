"""`concierge backup`: the database and the files of a house in a folder, counted. `restoring` puts them back.

The database is copied first, in one glance (SQLite's own backup; `pg_dump` of one snapshot), then the blobs: they are
never changed once written, so whatever the copied rows name is there.
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
from concierge.db import Base, make_engine, sqlite_module
from concierge.errors import ConciergeError

_MANIFEST, BLOBS_OF = "backup.json", "blobs"
FILES = {True: "concierge.db", False: "concierge.pgdump"}  # by whether it is SQLite
KEYS = ("secret.key", "inbound.key")


class BackupFailed(ConciergeError):
    """The backup could not be made, or is not whole."""


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


def check_backup(source: Path) -> Manifest:
    """Read a backup through: every file whole, and all of them there; raises BackupFailed."""
    try:
        manifest = Manifest(**json.loads((source / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BackupFailed(f"{source} holds no backup ({_MANIFEST} can't be read).") from error
    database = source / FILES[manifest.is_sqlite]
    if not database.exists() or _sha256(database) != manifest.sha256:
        raise BackupFailed(f"{database} is not the file that was written.")
    if manifest.is_sqlite:
        _check_sqlite(database, manifest)
    found = sum(1 for _blob in read_blobs(source / BLOBS_OF))
    if found != manifest.blobs:
        raise BackupFailed(f"The backup has {found} of {manifest.blobs} files.")
    return manifest


def _copy(config: Config, to: Path, now: datetime) -> Manifest:
    database = to / FILES[config.is_sqlite]
    rows, revision = _copy_sqlite(config, database) if config.is_sqlite else _copy_postgresql(config, database)
    store, blobs = open_store(config), 0
    for key in store.keys():  # noqa: SIM118 - a store, not a mapping
        place = to / BLOBS_OF / key[:2] / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(store.get(key))
        blobs += 1
    for name in KEYS:
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
        found = count_rows(connection), schema.stands_at(connection) or ""
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
            return count_rows(connection), schema.stands_at(connection) or ""
    finally:
        engine.dispose()


def _check_sqlite(database: Path, manifest: Manifest) -> None:
    engine = sa.create_engine(f"sqlite+pysqlite:///file:{database}?mode=ro&uri=true", module=sqlite_module())
    try:
        with engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            if said != "ok":
                raise BackupFailed(f"The copied database is damaged: {said}.")
            if (counted := count_rows(connection)) != manifest.rows:
                raise BackupFailed(f"The copied database does not add up: {differences(counted, manifest.rows)}.")
    finally:
        engine.dispose()


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """Of the tables this program knows and the database has (an older one has fewer)."""
    there = set(sa.inspect(connection).get_table_names())
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for name, table in sorted(Base.metadata.tables.items())
        if name in there
    }


def differences(counted: dict[str, int], wanted: dict[str, int]) -> str:
    """Which tables have other numbers of rows than they ought to, in words."""
    names = sorted(name for name in {*counted, *wanted} if counted.get(name) != wanted.get(name))
    return ", ".join(f"{name} has {counted.get(name, 'no')} rows of {wanted.get(name, 'none')}" for name in names[:5])


def read_blobs(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each file of a backup by its name, and as whole as that says; raises BackupFailed."""
    for path in _sorted_files(folder):
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
    command, environment = program_of_postgresql(config, program)
    command += [*options, f"--dbname={sa.make_url(config.database_url).database}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupFailed(f"{program}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")


def program_of_postgresql(config: Config, program: str) -> tuple[list[str], dict[str, str]]:
    """A program of PostgreSQL's own, and its environment: where the database is, and its password, stand in no process
    list. Raises BackupFailed.
    """
    if shutil.which(program) is None:
        raise BackupFailed(f"There is no {program} on this machine; install PostgreSQL's client programs.")
    return [program], _environment(sa.make_url(config.database_url))


def _environment(url: sa.URL) -> dict[str, str]:
    told = {
        "PGHOST": url.host or str(url.query.get("host", "")),
        "PGPORT": str(url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGSSLMODE": str(url.query.get("sslmode", "")),
    }
    return os.environ | {name: value for name, value in told.items() if value}
