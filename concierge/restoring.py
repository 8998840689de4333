"""`concierge restore`: a backup put into an empty place, counted, its outbox shut in the same step as it appears.

Files and keys go first: without a database they are no house. The database comes last and whole. On SQLite it is made
ready beside its place (counted, brought to this version, shut) and then renamed into it; on PostgreSQL one transaction
holds its rows, the counting and the shutting. Wherever it breaks off there is no house yet, or one that sends nothing.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile

import sqlalchemy as sa

from concierge import audit, schema
from concierge.backups import (
    BLOBS_OF,
    FILES,
    KEYS,
    Manifest,
    check_backup,
    count_rows,
    differences,
    program_of_postgresql,
    read_blobs,
)
from concierge.blobs import open_store
from concierge.config import Config
from concierge.db import make_engine, make_sessions, reading
from concierge.errors import ConciergeError
from concierge.mailing import outbox

_NO_HOUSE_YET = (
    "There is no house in the database yet, so nothing can be sent. When that is mended, run the same command again."
)
_HOUSE_IS_SHUT = (
    "The house is there and whole, and sends nothing until an admin opens its outbox. When that is mended, "
    "`concierge migrate` goes on."
)


class NotRestored(ConciergeError):
    """The house could not be restored from there."""


def restore(config: Config, source: Path, *, now: datetime) -> Manifest:
    """Put a backup into an empty place, counted, shut, and brought to this program's version.

    Raises BackupFailed for a backup that is not whole, NotRestored where there is a house already, the sums differ, or
    anything fails on the way: it says how far it came. Once more after that goes on.
    """
    manifest = check_backup(source)
    if manifest.is_sqlite is not config.is_sqlite:
        raise NotRestored("The backup is of the other kind of database; set CONCIERGE_DATABASE_URL to one of its kind.")
    if not schema.is_known(manifest.revision):
        raise schema.NewerDatabase
    with _broken_off(config, "its place was looked at"):
        there = _house_there(config)
    if there:
        raise NotRestored(there)
    with _broken_off(config, "its files were put back"):
        config.data.mkdir(parents=True, exist_ok=True)
        _put_back_files(config, source)
    database = source / FILES[manifest.is_sqlite]
    with _broken_off(config, "its database was put back"):
        put_back = _put_back_sqlite if config.is_sqlite else _put_back_postgresql
        put_back(config, database, manifest, now)
    if not config.is_sqlite:
        with _broken_off(config, "its database was brought to this version"):
            _bring_up(config, now)
    return manifest


def shut_house(config: Config, *, now: datetime) -> None:
    """Shut the outbox of a copy that was put back by other means; raises EmptyDatabase, OldDatabase, NewerDatabase."""
    schema.require_current(config)
    sessions = make_sessions(config)
    with sessions() as session:
        outbox.shut_outbox(session, outbox.BY_HAND, now=now)
        session.commit()
    sessions.kw["bind"].dispose()


@contextmanager
def _broken_off(config: Config, doing: str) -> Iterator[None]:
    """Whatever fails meanwhile is told in words, with how things stand and how to go on."""
    try:
        yield
    except Exception as error:
        words = str(error) or (error.sentence() if isinstance(error, ConciergeError) else type(error).__name__)
        said = f"It broke off while {doing}: {words.strip().rstrip('.')}."
        raise NotRestored(f"{said} {_how_it_stands(config)}") from error


def _how_it_stands(config: Config) -> str:
    try:
        return _HOUSE_IS_SHUT if _tables(config) else _NO_HOUSE_YET
    except sa.exc.SQLAlchemyError:
        return "The database can't be reached now; if there is a house in it, that sends nothing."


def _tables(config: Config) -> list[str]:
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            return sa.inspect(connection).get_table_names()
    finally:
        engine.dispose()


def _house_there(config: Config) -> str:
    """What there is to say about a house that is in the database already; empty where there is none."""
    if not (tables := _tables(config)):
        return ""
    words, shut_at = "There is a house in this database; restore into an empty one.", None
    if "outbox" in tables:
        sessions = make_sessions(config)
        with reading(sessions) as session:
            shut_at = session.scalar(sa.select(outbox.Outbox.shut_at))
        sessions.kw["bind"].dispose()
    if shut_at is None:
        return words
    return (
        f"{words} It sends nothing since {shut_at:%Y-%m-%d %H:%M} UTC, until an admin opens its outbox. Is it the one "
        "you have just restored, `concierge migrate` and `concierge run` go on with it."
    )


def _put_back_files(config: Config, source: Path) -> None:
    store = open_store(config)
    for key, data in read_blobs(source / BLOBS_OF):
        if store.put(data) != key:
            raise NotRestored(f"The file {key} was put back otherwise than it was.")
    for name in KEYS:
        if (source / name).exists() and not (config.data / name).exists():
            part = config.data / f".{name}.part"
            shutil.copy2(source / name, part)
            part.replace(config.data / name)


def _put_back_sqlite(config: Config, database: Path, manifest: Manifest, now: datetime) -> None:
    """Made ready beside its place, then renamed into it: nobody opens a house that is not shut."""
    place = Path(str(sa.make_url(config.database_url).database))
    part = place.with_name(f".{place.name}.part")
    aside = config.model_copy(update={"database_url": f"sqlite+pysqlite:///{part}"})
    _sweep(part, with_turns=True)
    try:
        shutil.copyfile(database, part)
        _require_sums(aside, manifest)
        _bring_up(aside, now)
        _settle_file(aside, part)
        if there := _house_there(config):
            raise NotRestored(there)
        _sweep(place)
        part.replace(place)
        _flush(place.parent)
    finally:
        _sweep(part, with_turns=True)


def _require_sums(config: Config, manifest: Manifest) -> None:
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            counted = count_rows(connection)
    finally:
        engine.dispose()
    if counted != manifest.rows:
        raise NotRestored(f"What was put back does not add up: {differences(counted, manifest.rows)}.")


def _bring_up(config: Config, now: datetime) -> None:
    """To this program's version; then its history says that it was restored, and its outbox shut."""
    schema.migrate(config)
    sessions = make_sessions(config)
    try:
        with sessions() as session:
            was_shut = outbox.is_shut(session)
            found = outbox.shut_outbox(session, outbox.RESTORED, now=now)
            if was_shut:  # in the step that put it back, or when it was copied
                audit.record(session, "outbox.shut", found, by=None, now=now, why=outbox.RESTORED)
            session.commit()
    finally:
        sessions.kw["bind"].dispose()


def _settle_file(config: Config, part: Path) -> None:
    """All of it in the one file, and on the disk."""
    engine = make_engine(config)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    if (left := part.with_name(f"{part.name}-wal")).exists() and left.stat().st_size:
        raise NotRestored(f"{part} is in use.")
    _flush(part)


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _sweep(database: Path, *, with_turns: bool = False) -> None:
    """Nothing of a database that is not there any more may be read into the next."""
    for suffix in ("", "-wal", "-shm", "-journal", *(["-turns"] if with_turns else [])):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _put_back_postgresql(config: Config, database: Path, manifest: Manifest, now: datetime) -> None:
    """What `pg_restore` would do, the counting and the shutting, in one transaction of `psql`.

    The word that ends it is said only when all before it went well; whoever falls silent earlier has done nothing.
    """
    read, environment = program_of_postgresql(config, "pg_restore")
    write, _same = program_of_postgresql(config, "psql")
    script = [*read, "--no-owner", "--no-privileges", "--file=-", str(database)]
    url = sa.make_url(config.database_url)
    play = [*write, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--dbname={url.database}"]
    with (
        TemporaryFile() as troubles,
        subprocess.Popen(script, stdout=subprocess.PIPE, stderr=troubles) as reading,
        subprocess.Popen(play, env=environment, stdin=subprocess.PIPE, stderr=troubles) as playing,
    ):
        assert reading.stdout and playing.stdin
        try:
            with playing.stdin as script_to_play:
                script_to_play.write(b"BEGIN;\n")
                shutil.copyfileobj(reading.stdout, script_to_play)
                if not reading.wait():
                    script_to_play.write(_ending(manifest, now).encode())
        except BrokenPipeError:  # psql says why
            reading.kill()
        except BaseException:
            playing.kill()
            reading.kill()
            raise
        if playing.wait() or reading.returncode:
            troubles.seek(0)
            raise NotRestored(f"What was put back does not stand: {_trouble_in(troubles.read())}.")


def _ending(manifest: Manifest, now: datetime) -> str:
    """Count every table, shut the outbox, and let it be so."""
    counts = "".join(
        f"""SELECT count(*) INTO found FROM "{name}"; IF found <> {rows:d} THEN """  # noqa: S608 - names of ours
        f"""RAISE EXCEPTION 'it does not add up: {name} has % rows of {rows:d}', found; END IF;\n"""
        for name, rows in sorted(manifest.rows.items())
        if name in outbox.Outbox.metadata.tables
    )
    shut = f"""INSERT INTO outbox (id, house, mark, shut_at, why)
VALUES (1, '{secrets.token_hex(16)}', 0, '{now.isoformat()}', '{outbox.RESTORED}')
ON CONFLICT (id) DO UPDATE SET why = CASE WHEN outbox.shut_at IS NULL THEN excluded.why ELSE outbox.why END,
shut_at = coalesce(outbox.shut_at, excluded.shut_at);
"""  # noqa: S608 - made here
    return f"RESET ALL;\nDO $$ DECLARE found bigint; BEGIN\n{counts}END $$;\n{shut}COMMIT;\n"


def _trouble_in(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines() or ["a program of PostgreSQL's was ended"]
    first = next((line for line in lines if "ERROR:" in line or "FATAL:" in line), lines[-1])
    return (first.partition(":  ")[2] or first).rstrip(".")
