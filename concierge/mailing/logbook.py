"""What a sender has offered and the provider has taken, noted beside the database: nobody need ask after its death.

A book is a file of this machine, locked while its process lives. What is written to a file outlives the process that
wrote it, though not the machine: a book from before the last start of the machine says nothing.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from concierge.config import Config
from concierge.mailing.providers.base import Accepted

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Book:
    """The book of one claim, being written; everything raises OSError when it can't be."""

    def __init__(self, file: int) -> None:
        self._file = file

    def note_offered(self, delivery_id: int) -> None:
        """This one is about to be offered."""
        self._write(f"{delivery_id}")

    def note_taken(self, delivery_id: int, accepted: Accepted) -> None:
        """The provider took it, and said what it calls it."""
        self._write(f"{delivery_id} {' '.join(accepted.provider_id.split())}")

    def close(self) -> None:
        """Nothing more is noted."""
        file, self._file = self._file, -1
        os.close(file)

    def _write(self, line: str) -> None:
        data = line.encode("utf-8", "replace") + b"\n"
        if os.write(self._file, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Told(NamedTuple):
    """What a book says: by which provider, what was offered, and what was said of those that were taken."""

    provider: str
    offered: dict[int, Accepted | None]


def books_of(config: Config) -> Path:
    """Where this machine keeps them."""
    return config.data / "logbook"


@contextmanager
def keep_book(folder: Path, claim: str, provider: str) -> Iterator[Book]:
    """A book for a claim; it stays behind when the block ends in an exception, for then not all may be recorded."""
    folder.mkdir(exist_ok=True)
    path = folder / claim
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
    book = Book(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.write(file, f"{_this_start()} {provider}\n".encode())
        yield book
        path.unlink(missing_ok=True)
    finally:
        book.close()


def read_book(folder: Path, claim: str) -> Told | None:
    """What a sender of this machine had noted when it died.

    None where nobody knows: it lives, it was on another machine, or the machine has been started anew since.
    """
    try:
        file = os.open(folder / claim, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        head, *lines = (folder / claim).read_text(encoding="utf-8").split("\n")
    except OSError:
        return None
    finally:
        os.close(file)
    start, _, provider = head.partition(" ")
    if not start or start != _this_start():
        return None
    said = (line.partition(" ") for line in lines if line)
    return Told(provider, {int(number): Accepted(name) if taken else None for number, taken, name in said})


def clear_books(folder: Path, before: float) -> None:
    """Remove those nobody has written in since then (seconds since 1970): whoever they are about has been settled."""
    with suppress(OSError):
        for book in folder.iterdir():
            if book.stat().st_mtime < before:
                book.unlink()


def _this_start() -> str:
    """Which start of the machine this is; empty where it does not tell (proc(5))."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
