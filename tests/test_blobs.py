"""Bytes kept for good."""

import hashlib

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from concierge.blobs import BlobMissing, BlobStore, StoreAway


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_bytes_come_back_under_their_own_hash(kind: str, tmp_path):
    store = BlobStore(str(tmp_path / "blobs") if kind == "folder" else "memory://blobs-test")
    key = store.put(b"turquoise")
    assert key == hashlib.sha256(b"turquoise").hexdigest() == store.put(b"turquoise")
    assert store.get(key) == b"turquoise"
    store.delete(key)
    assert not store.exists(key)
    with pytest.raises(BlobMissing):
        store.get(key)


class CutLine(MemoryFileSystem):
    """A store far away whose program has errors of its own."""

    def _gone(self, *_path: object, **_how: object) -> bool:
        raise RuntimeError("no line to the store")

    exists = pipe_file = cat_file = _gone


def test_a_store_that_cannot_be_reached_fails_as_a_disk_does():
    store = BlobStore("memory://cut")
    key = store.put(b"turquoise")
    store._files = CutLine()
    for reach in (lambda: store.put(b"coral"), lambda: store.get(key), lambda: store.exists(key)):
        with pytest.raises(StoreAway, match="RuntimeError: no line to the store"):
            reach()
    assert issubclass(StoreAway, OSError)  # what the doors, the webhook and the jobs wait out


@pytest.mark.parametrize("key", ["", "../secret.key", "A" * 64, "0" * 63])
def test_a_key_is_never_a_path(key: str, tmp_path):  # T20
    with pytest.raises(BlobMissing):
        BlobStore(str(tmp_path)).get(key)


def test_a_blob_cut_short_by_a_crash_is_written_again(tmp_path):  # F01
    store = BlobStore(str(tmp_path))
    key = store.put(b"turquoise")
    (tmp_path / key[:2] / key).write_bytes(b"turq")
    store.put(b"turquoise")
    assert store.get(key) == b"turquoise"
