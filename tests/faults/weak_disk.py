"""A disk that is full or fails, by libfiu beneath the C library: a program on it hears what such a disk says.

Only where libfiu is installed (Debian: fiu-utils). A process is loaded with it, and `weaken`s itself once it is open;
by SIGUSR1 its disk is well again.
"""

import ctypes
import errno
import signal
from collections.abc import Mapping
from pathlib import Path

_PLACES = ("/usr/lib/fiu", "/usr/local/lib/fiu")
PRELOAD = next((str(path) for place in _PLACES if (path := Path(place, "fiu_posix_preload.so")).exists()), "")
WHY_NOT = "needs libfiu (Debian: fiu-utils)"

_WRITE = tuple(f"posix/io/rw/{call}" for call in ("write", "pwrite", "writev", "pwritev"))
_SETTLE = tuple(f"posix/io/sync/{call}" for call in ("fsync", "fdatasync"))


def disk(chance: float) -> dict[str, tuple[int, float]]:
    """How often it is full or fails: the calls by which Python, SQLite and the logbook write and settle."""
    return dict.fromkeys(_WRITE, (errno.ENOSPC, chance)) | dict.fromkeys(_SETTLE, (errno.EIO, chance))


def weaken(calls: Mapping[str, tuple[int, float]]) -> None:
    """Inside the process: let these calls fail from now on, as often as it says."""
    library = ctypes.CDLL("libfiu.so.0")
    library.fiu_init(0)
    for call, (number, chance) in calls.items():
        library.fiu_enable_random(call.encode(), 1, ctypes.c_void_p(number), 0, ctypes.c_float(chance))

    def heal(*_signal: object) -> None:
        for call in calls:
            library.fiu_disable(call.encode())

    signal.signal(signal.SIGUSR1, heal)
