"""The process that reads mail, seen from outside: started, asked, listened to, ended."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import concierge
from concierge.inbound import wire

_SECONDS_TO_START = 30.0
_CHUNK = 1024 * 1024


class Died(Exception):
    """The process ended while something was asked of it."""


class TooSlow(Exception):
    """The process took longer than it may."""


class ReadingProcess:
    """A fresh interpreter, not a fork: threads and open sessions of this process stay here.

    It answers in the order it was asked. Neither side ever waits for the other to make room: whoever writes to it takes
    in meanwhile what it has to say.
    """

    def __init__(self, module: str) -> None:
        """Start it, and wait until it is ready; raises OSError."""
        root = str(Path(concierge.__file__).parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCIERGE_")}
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._heard = bytearray()
        self.asked = 0
        try:
            self._expect_ready(time.monotonic() + _SECONDS_TO_START)
        except (Died, TooSlow) as error:
            self.end()
            raise OSError("the reading process did not start") from error

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def ask(self, question: bytes, *, seconds: float) -> None:
        """Hand a question over; raises Died, TooSlow."""
        view, deadline = memoryview(question), time.monotonic() + seconds
        self.asked += 1
        while view:
            ready = select.select([self._from], [self._to], [], max(0.0, deadline - time.monotonic()))
            if not any(ready):
                raise TooSlow
            if ready[0]:
                self._take_in()
            if ready[1]:
                try:
                    view = view[os.write(self._to, view[:_CHUNK]) :]
                except BrokenPipeError as error:
                    raise Died from error

    def listen(self, *, seconds: float) -> bool:
        """Take in what it says, if it says anything within so many seconds; raises Died."""
        if not select.select([self._from], [], [], max(0.0, seconds))[0]:
            return False
        self._take_in()
        return True

    def answer(self) -> bytes | None:
        """The next answer that was taken in whole; None when there is none yet."""
        if (size := wire.announced_size(self._heard)) is None or len(self._heard) < size:
            return None
        with memoryview(self._heard) as heard:
            answer = bytes(heard[:size])
        del self._heard[:size]
        return answer

    def end(self) -> int:
        """End it for good; how it ended, 0 if by us."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            return self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return 0

    def _expect_ready(self, deadline: float) -> None:
        while not self._heard.endswith(b"ready\n"):
            if not self.listen(seconds=deadline - time.monotonic()):
                raise TooSlow
        self._heard.clear()

    def _take_in(self) -> None:
        try:
            data = os.read(self._from, _CHUNK)
        except ConnectionError as error:
            raise Died from error
        if not data:
            raise Died
        self._heard += data
