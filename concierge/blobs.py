"""Bytes kept for good: content-addressed blobs in a folder or an S3-compatible store, through fsspec."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import fsspec

from concierge.config import Config
from concierge.errors import NotFound

_KEY = re.compile(r"[0-9a-f]{64}")


class BlobMissing(NotFound):
    """These bytes are no longer in the store."""


class StoreAway(OSError):
    """The store of files can't be reached."""


class BlobStore:
    """Blobs under their SHA-256; putting the same bytes twice keeps them once.

    What a store far away fails with is an OSError, as a disk's is: StoreAway when it can't be reached at all.
    """

    def __init__(self, url: str) -> None:
        """`url` is any fsspec URL: a folder path, file:///…, s3://bucket/prefix, memory://…."""
        self._files, root = fsspec.core.url_to_fs(url)
        self._root: str = str(root).rstrip("/")
        self._local = "file" in _protocols(self._files)

    def put(self, data: bytes) -> str:
        """Keep `data` and return its key; when this returns, a local blob is on disk (fsync of file and folder)."""
        key = hashlib.sha256(data).hexdigest()
        path = self._path(key)
        if self._local:
            _write_durably(Path(path), data)
        else:
            with _reaching():
                if not self._files.exists(path):
                    self._files.pipe_file(path, data)
        return key

    def get(self, key: str) -> bytes:
        """The bytes under `key`; raises BlobMissing."""
        path = self._path(key)
        try:
            if self._local:
                return Path(path).read_bytes()
            with _reaching():
                return bytes(self._files.cat_file(path))
        except FileNotFoundError as error:
            raise BlobMissing from error

    def exists(self, key: str) -> bool:
        """Whether there are bytes under `key`."""
        path = self._path(key)
        with _reaching():
            return bool(self._files.exists(path))

    def keys(self) -> Iterator[str]:
        """The keys of all that is kept; what is just being written is not among them."""
        with _reaching():
            found = self._files.find(self._root) if self._files.exists(self._root) else []
        names = (str(path).rpartition("/")[2] for path in found)
        return (name for name in names if _KEY.fullmatch(name))

    def delete(self, key: str) -> None:
        """Forget the bytes under `key`; nothing happens when there are none."""
        if self.exists(key):
            with _reaching():
                self._files.rm_file(self._path(key))

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise BlobMissing
        return f"{self._root}/{key[:2]}/{key}"


def open_store(config: Config) -> BlobStore:
    """The house's store, as configured."""
    return BlobStore(config.blobs_url)


@contextmanager
def _reaching() -> Iterator[None]:
    """Each store's program has errors of its own for a line that is cut; whoever waits knows one."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise StoreAway(f"{type(error).__name__}: {error}") from error


def _protocols(files: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


def _write_durably(path: Path, data: bytes) -> None:
    if path.exists() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
