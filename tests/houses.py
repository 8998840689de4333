"""A whole house as a stranger runs it: `concierge run` on free ports, in a process of its own."""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
OPENING_SECONDS = 120


@dataclass
class RunningHouse:
    """A house that has said its welcome."""

    url: str
    port: int
    smtp_port: int
    data: Path
    process: subprocess.Popen[str]
    opened_in: float
    said: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """Everything it has printed so far."""
        return "".join(self.said)

    def close(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop as Ctrl-C does, and give its exit code."""
        self.process.send_signal(how)
        return self.process.wait(45)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def start_house(
    data: Path,
    *options: str,
    command: tuple[str, ...] = (sys.executable, "-m", "concierge"),
    cwd: Path = ROOT,
    environment: dict[str, str] | None = None,
    **settings: str,
) -> RunningHouse:
    """Run `concierge run` on `data`, and wait until it says that it is open. `settings` are CONCIERGE_ variables."""
    port, smtp_port = free_port(), free_port()
    inherited = dict(os.environ) if environment is None else environment
    environment = {name: value for name, value in inherited.items() if not name.startswith("CONCIERGE_")}
    environment |= {f"CONCIERGE_{name.upper()}": value for name, value in settings.items()}
    environment["PYTHONFAULTHANDLER"] = "1"  # should a library in C bring a process down, its last words say where
    started = time.monotonic()
    process = subprocess.Popen(
        [*command, "run", "--port", str(port), "--smtp-port", str(smtp_port), "--data", str(data), *options],
        preexec_fn=end_with_us,  # noqa: PLW1509 - no thread of ours holds a lock here
        cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    house = RunningHouse(f"http://127.0.0.1:{port}", port, smtp_port, data, process, 0.0)
    is_open = threading.Event()
    threading.Thread(target=_listen, args=(house, is_open), daemon=True).start()
    while not is_open.wait(0.05):
        if process.poll() is not None or time.monotonic() - started > OPENING_SECONDS:
            process.kill()
            raise AssertionError(f"the house did not open:\n{house.words}")
    house.opened_in = time.monotonic() - started
    return house


def furnished(shared: Path, data: Path) -> Path:
    """A demo house in `data`, not open yet. It is furnished once for all processes that share a folder, and copied."""
    model, making = shared / "furnished", shared / "furnishing"
    with (shared / "furnished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not model.exists():
            environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCIERGE_")}
            environment["CONCIERGE_DATA"] = str(making)
            subprocess.run(
                [sys.executable, "-m", "concierge", "demo"],
                cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            making.rename(model)
    shutil.copytree(model, data)
    return data


@contextmanager
def open_house(data: Path, *options: str, **settings: str) -> Iterator[RunningHouse]:
    """A running house that is closed afterwards."""
    house = start_house(data, *options, **settings)
    try:
        yield house
    finally:
        if house.process.poll() is None:
            house.close()


def end_with_us() -> None:
    """In the new process, on Linux: stop when the tests die, however they die (prctl(2), PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _listen(house: RunningHouse, is_open: threading.Event) -> None:
    assert house.process.stdout is not None
    for line in house.process.stdout:
        house.said.append(line)
        if house.url in line:
            is_open.set()
