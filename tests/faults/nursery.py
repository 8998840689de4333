"""Workers that only send, forked from one small process so that each costs a few milliseconds, and told how to die.

Reads one order a line on its standard input and answers one line each: `{"do": "fork", …}` gives the worker's number,
`{"do": "wait", "pid": …}` how it ended. A worker may be told a crash point: the n-th commit or the n-th write to the
network, before or after it; there it ends as by kill -9.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.faults.weak_disk import weaken

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


@dataclass
class Nursery:
    """The other end: gives orders and reads answers."""

    process: "subprocess.Popen[str]"

    def rehearse(self, settings: dict[str, str]) -> None:
        """Let the process itself hand over what is due, to nobody: those it forks then know all it has learnt."""
        self._ask({"do": "rehearse", "settings": settings})

    def fork(self, settings: dict[str, str], **how: Any) -> int:
        """A new worker; `how`: `commit` or `write` with `n` and `after`, `stop` to sleep there; `lines`; `disk`."""
        return int(self._ask({"do": "fork", "settings": settings, **how}))

    def wait(self, pid: int) -> int:
        """How a worker ended: its exit code, or minus the signal."""
        return int(self._ask({"do": "wait", "pid": pid}))

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def nursery(module: str = "tests.faults.nursery", *, preload: str = "") -> Iterator[Nursery]:
    """A process of its own, with nothing in it yet, that serves as this module does, on a library."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": ROOT} | ({"LD_PRELOAD": preload} if preload else {}),
    ) as process:
        yield Nursery(process)
        assert process.stdin
        process.stdin.close()


# --- inside the process ---------------------------------------------------------------------------------------------
class Fuse:
    """Counts; at the n-th time it ends the process, or stops it, before or after the deed."""

    def __init__(self, at: int, *, after: bool, stop: bool) -> None:
        self.left, self.after, self.stop = at, after, stop

    def around(self, deed: Callable[..., Any], *given: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            self.burn()
        done = deed(*given)
        if self.left == 0 and self.after:
            self.burn()
        return done

    def burn(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP if self.stop else signal.SIGKILL)


@lru_cache(maxsize=1)
def house(settings: str) -> Any:
    from concierge.config import read_config
    from concierge.db import make_sessions

    config = read_config(**json.loads(settings))
    return config, make_sessions(config)


def _rehearse(settings: dict[str, str]) -> None:
    from concierge.mailing import jobs
    from concierge.mailing.providers.memory import MemoryProvider

    config, sessions = house(json.dumps(settings))
    jobs.deliver_answers(config, sessions, MemoryProvider())
    sessions.kw["bind"].dispose()  # no connection is shared with those to come
    gc.collect()
    gc.freeze()


def _work(settings: dict[str, str], how: dict[str, Any]) -> None:
    from concierge.mailing import jobs

    config, sessions = house(json.dumps(settings))
    fuse = Fuse(int(how.get("n", 0)), after=bool(how.get("after")), stop=bool(how.get("stop")))
    if how.get("write"):
        put_into(socket.socket, "sendall", fuse)
    jobs._LINES.clear()  # one line, unless it is said how many
    if how.get("lines"):
        jobs._LINES[config.provider] = int(how["lines"])
    if disk := how.get("disk"):
        weaken(disk)
    jobs.deliver_answers(config, _Fused(sessions, fuse) if how.get("commit") else sessions)


class _Fused:
    """Sessions whose commits are counted."""

    def __init__(self, sessions: Any, fuse: Fuse) -> None:
        self._sessions, self._fuse, self.kw = sessions, fuse, sessions.kw

    def __call__(self) -> Any:
        session = self._sessions()
        commit = session.commit
        session.commit = lambda: self._fuse.around(commit)
        return session


def put_into(home: Any, name: str, fuse: Fuse, words: str = "") -> None:
    """Let the fuse count each time this is done; of writes those that say these words."""
    deed = getattr(home, name)

    def fused(self: Any, *given: Any, **options: Any) -> Any:
        if words and words.encode() not in bytes(given[0]):
            return deed(self, *given, **options)
        return fuse.around(lambda: deed(self, *given, **options))

    setattr(home, name, fused)


def serve(work: Callable[[dict[str, str], dict[str, Any]], None], rehearse: Callable[[dict[str, str]], None]) -> None:
    """Take orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "wait":
            _pid, status = os.waitpid(order["pid"], 0)
            answer: int = os.waitstatus_to_exitcode(status)
        elif order["do"] == "rehearse":
            answer = 0
            rehearse(order["settings"])
        else:
            answer = os.fork()
            if answer == 0:
                code = 1
                try:
                    work(order.pop("settings"), order)
                    code = 0
                except BaseException as error:
                    print(repr(error), file=sys.stderr)  # noqa: T201
                finally:
                    os._exit(code)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import concierge.mailing.jobs  # noqa: F401 what every worker needs is read once

    serve(_work, _rehearse)
