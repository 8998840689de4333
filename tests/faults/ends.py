"""What stands around a house in a tumult: the relay that counts its mails, and a broker."""

import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from redis import Redis

from benchmarks.sinks import Server, SmtpSink
from tests.houses import free_port


@dataclass
class Relay:
    """What the provider was given: how many mails each address got."""

    port: int
    taken: Counter[str] = field(default_factory=Counter)


@contextmanager
def relay() -> Iterator[Relay]:
    """A relay that takes every mail, a little slowly, and writes down for whom it was."""
    given = Relay(0)

    class Counting(SmtpSink):
        def took(self, to: str) -> None:
            given.taken[to] += 1
            time.sleep(0.005)

    server = Server(("127.0.0.1", 0), Counting)
    given.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield given
    server.shutdown()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis of our own, which keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        raise click.ClickException("No redis-server on this machine; install it (Debian: redis-server), and try again.")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        _wait_for_redis(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _wait_for_redis(port: int) -> None:
    for _try in range(200):
        try:
            Redis(port=port).ping()
            return
        except Exception:
            time.sleep(0.05)
    raise click.ClickException("redis-server did not answer.")
