"""What must be true before the doors open: free ports, a writable folder, a database we can trust and understand."""

import errno
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from concierge import schema
from concierge.config import Config, read_config
from concierge.db import make_engine, sqlite_module
from concierge.errors import ConciergeError

OLDEST_POSTGRESQL = 15


class PortTaken(ConciergeError):
    """Another program already listens on this port."""

    def __init__(self, host: str, port: int, option: str, why: str) -> None:
        """`option` is the command-line option that chooses another, e.g. --port; `why` ends the first half-sentence."""
        variable = _variable(option)
        super().__init__(f"Port {port} on {host} {why}; choose another with {option} or {variable}.")


class HostUnknown(ConciergeError):
    """This machine has no such address to listen on."""

    def __init__(self, host: str, option: str) -> None:
        """`option` is the command-line option of the port, e.g. --smtp-port."""
        variable = _variable(option).replace("PORT", "HOST")
        super().__init__(f"This machine has no address {host} to listen on; choose another with {variable}.")


def _variable(option: str) -> str:
    """The variable that says the same as a command-line option: "--smtp-port" → "CONCIERGE_SMTP_PORT"."""
    return "CONCIERGE_" + option.removeprefix("--").replace("-", "_").upper()


class FolderUnwritable(ConciergeError):
    """This folder can't be written."""


class NoPlace(ConciergeError):
    """The house can't open here; several things stand in the way, a line for each."""


class DatabaseUnfit(ConciergeError):
    """The database can't be used."""


def require_place(config: Config) -> None:
    """Raise as below unless both doors can open and mail can be kept; NoPlace names everything that stands in the way.

    For `concierge run`, whose options and variables the sentences name.
    """
    asked: list[Callable[[], None]] = [
        lambda: require_port(config.host, config.port, "--port"),
        lambda: require_port(config.smtp_host, config.smtp_port, "--smtp-port"),
        lambda: require_folder(config.data, "The data folder", "--data or CONCIERGE_DATA"),
    ]
    if config.lmtp_port:
        asked.append(lambda: require_port(config.lmtp_host, config.lmtp_port, "--lmtp-port"))
    if socket_file := config.lmtp_socket:
        asked.append(lambda: require_folder(socket_file.parent, "The folder of the socket", "CONCIERGE_LMTP_SOCKET"))
    if config.provider == "folder" and (outbox := config.outbox):
        asked.append(lambda: require_folder(outbox, "The outbox", "CONCIERGE_OUTBOX"))
    faults: list[ConciergeError] = []
    for ask in asked:
        try:
            ask()
        except ConciergeError as fault:
            faults.append(fault)
    if len(faults) > 1:
        raise NoPlace("\n".join(map(str, faults))) from faults[0]
    if faults:
        raise faults[0]


def require_port(host: str, port: int, option: str) -> None:
    """Raise PortTaken, or HostUnknown, unless we could listen there now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
            door.listen(1)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise HostUnknown(host, option) from error
        whys = {errno.EADDRINUSE: "is already in use", errno.EACCES: "is reserved for the system"}
        raise PortTaken(
            host, port, option, whys.get(error.errno or 0, f"can't be opened ({error.strerror})")
        ) from error


def require_folder(folder: Path, name: str, remedy: str) -> None:
    """Make `folder` when it isn't there; raise FolderUnwritable unless a file can be kept in it.

    The sentence begins with `name` ("The outbox") and says what chooses another one, `remedy`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".writable-") as file:
            file.write(b"yes")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        why = f"{name} {folder} can't be written ({error.strerror}); choose another with {remedy}."
        raise FolderUnwritable(why) from error


def require_database(config: Config) -> None:
    """Raise DatabaseUnfit, OldSQLite or NewerDatabase, each with one sentence, unless mail is safe in this database."""
    if config.is_sqlite:
        sqlite_module()
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            if faults := durability_faults(connection):
                raise DatabaseUnfit(f"The database would lose mail: {', '.join(faults)}.")
            schema.stands_at(connection)
    except sa.exc.DBAPIError as error:
        raise DatabaseUnfit(
            f"The database {engine.url.render_as_string()} can't be used: {_first_line(error)}."
        ) from error
    finally:
        engine.dispose()


def ready_config() -> Config:
    """The configuration, once the data folder is there, and the database safe and of this version; raises as above.

    What every machine keeps for itself stands in its data folder, on PostgreSQL too.
    """
    config = read_config()
    require_folder(config.data, "The data folder", "CONCIERGE_DATA")
    require_database(config)
    schema.require_current(config)
    return config


def durability_faults(connection: sa.Connection) -> list[str]:
    """The database's settings that would let an acknowledged mail vanish; empty when all is well."""
    if connection.dialect.name == "sqlite":
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        faults = [] if level >= 2 else [f"synchronous is {level}, not FULL"]
        return faults if mode == "wal" else [*faults, f"journal_mode is {mode}, not WAL"]
    version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    major = int(version) // 10_000
    faults = [] if major >= OLDEST_POSTGRESQL else [f"PostgreSQL {major} is older than {OLDEST_POSTGRESQL}"]
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off":
            faults.append(f"{setting} is off")
    return faults


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".")
