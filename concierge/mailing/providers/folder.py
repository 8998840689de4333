"""Mail as .eml files in a folder: the default, and what the post office reads."""

import hashlib
import os
from pathlib import Path
from threading import Lock
from uuid import uuid4

from flask_babel import gettext as _

from concierge.mailing.providers.base import Accepted, Parcel, TransportError, plain
from concierge.mailing.reasons import Reason


class FolderProvider:
    """Writes each mail once, whole and on disk; file names sort by time and carry the delivery's key."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        self._seen_at = -1
        self._lock = Lock()

    def send(self, parcel: Parcel) -> Accepted:
        """Write the mail and return its file name; the same key twice gives the first file again."""
        mark = hashlib.sha256(parcel.key.encode("utf-8")).hexdigest()[:20]
        raw = parcel.raw
        try:
            with self._lock:
                if name := self._find(mark):
                    return Accepted(name)
                name = f"{parcel.at:%Y%m%dT%H%M%S.%f}Z-{mark}.eml"
                self._write(name, raw)
                self._names[mark] = name
                return Accepted(name)
        except OSError as error:
            raise TransportError(Reason.UNWRITABLE.of(error=plain(error)), reached=False) from error

    def check(self) -> str:
        """Try to write into the folder."""
        probe = self._folder / f".{uuid4().hex}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise TransportError(Reason.UNWRITABLE.of(error=plain(error)), reached=False) from error
        return str(_("Mails are written into %(folder)s.", folder=str(self._folder)))

    def close(self) -> None:
        """Nothing to let go of."""

    def _find(self, mark: str) -> str | None:
        """The file with this mark, ours or another process's: read anew whenever the folder has changed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        changed_at = self._folder.stat().st_mtime_ns
        if mark not in self._names and changed_at != self._seen_at:
            self._names = {name[-24:-4]: name for name in os.listdir(self._folder) if name.endswith(".eml")}  # noqa: PTH208
            self._seen_at = changed_at
        name = self._names.get(mark)
        return name if name and (self._folder / name).exists() else None

    def _write(self, name: str, raw: bytes) -> None:
        part = self._folder / f".{uuid4().hex}.part"
        try:
            with part.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._folder / name)
        finally:
            part.unlink(missing_ok=True)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
