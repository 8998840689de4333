"""The whole house as one program: starts pages, worker and mail door, keeps them up, stops them together."""

import http.client
import logging
import multiprocessing
import os
import signal
import smtplib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from concierge import lifeline
from concierge.config import Config
from concierge.errors import ConciergeError
from concierge.inbound.sources.smtp import run_door
from concierge.serving import serve_pages
from concierge.worker import work

log = logging.getLogger(__name__)

PARTS: dict[str, Callable[[Config], None]] = {"pages": serve_pages, "worker": work, "mail door": run_door}
FALLS = 5
FALL_WINDOW_SECONDS = 60.0
OPENING_SECONDS = 60.0
# From the signal on; its parts leave by themselves before, and what is left of half a minute is for ending them.
CLOSING_SECONDS = 29.0
KNOCKING_SECONDS = 2.0
LOOK_SECONDS = 0.1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class KeepsFalling(ConciergeError):
    """A part of the house does not stay up."""


@dataclass
class Part:
    """One process of the house and how often it fell lately."""

    name: str
    process: BaseProcess
    falls: deque[float] = field(default_factory=lambda: deque(maxlen=FALLS))

    def fell(self, now: float) -> bool:
        """Note a fall; whether it has fallen too often to be set up again."""
        self.falls.append(now)
        return len(self.falls) == FALLS and now - self.falls[0] < FALL_WINDOW_SECONDS


class Bell:
    """Rung once by a signal. Not a threading.Event: a signal that comes while its lock is held would wait for ever."""

    def __init__(self) -> None:
        """Silent at first."""
        self._rung_at: float | None = None

    def ring(self) -> None:
        """From now on it has rung."""
        self._rung_at = self.rung_at

    def is_set(self) -> bool:
        """Whether it has rung."""
        return self._rung_at is not None

    @property
    def rung_at(self) -> float:
        """When it rang (monotonic seconds); now, if it has not."""
        return time.monotonic() if self._rung_at is None else self._rung_at

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for it, looking ten times a second; whether it has rung."""
        latest = time.monotonic() + seconds
        while not self.is_set() and (left := latest - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
        return self.is_set()


class House:
    """The running house: its parts, and the pipe whose closing tells them that we are gone."""

    def __init__(self, config: Config) -> None:
        """Nothing runs until `run`."""
        self._config = config
        self._stop = Bell()
        self._lifeline, self._our_end = os.pipe()
        self._parts: list[Part] = []

    def run(self, welcome: Callable[[], None]) -> None:
        """Start all parts, say `welcome` once the pages answer, and keep them up until SIGINT, SIGTERM or SIGHUP.

        Raises KeepsFalling when a part can't be kept up; whatever happens, all parts are stopped when this returns.
        """
        for number in SIGNALS:
            signal.signal(number, lambda *_: self._stop.ring())
        try:
            self._parts = [Part(name, self._start(name)) for name in PARTS]
            if self._open():
                welcome()
            while not self._stop.wait(LOOK_SECONDS):
                self._look_after()
        finally:
            self._close()

    def _start(self, name: str) -> BaseProcess:
        # Forked, not started anew: all that was read into memory is there already, and this process has no threads.
        process = multiprocessing.get_context("fork").Process(target=self._become, args=(name,), name=name)
        process.start()
        return process

    def _become(self, name: str) -> None:
        """In the new process: be that part, in a session of its own, so that Ctrl-C reaches the house alone."""
        os.setsid()
        os.close(self._our_end)
        os.environ[lifeline.LIFELINE] = str(self._lifeline)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        PARTS[name](self._config)

    def _open(self) -> bool:
        """Wait until pages and door answer; False when told to stop meanwhile."""
        latest = time.monotonic() + OPENING_SECONDS
        while not self._stop.wait(LOOK_SECONDS):
            self._look_after()
            if self._pages_answer() and self._door_answers():
                return True
            if time.monotonic() > latest:
                raise KeepsFalling("The house did not open within a minute; the reason is written above.")
        return False

    def _pages_answer(self) -> bool:
        connection = http.client.HTTPConnection(
            _reachable(self._config.host), self._config.port, timeout=KNOCKING_SECONDS
        )
        try:
            connection.request("HEAD", "/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _door_answers(self) -> bool:
        try:
            with smtplib.SMTP(
                _reachable(self._config.smtp_host), self._config.smtp_port, timeout=KNOCKING_SECONDS
            ) as smtp:
                return smtp.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _look_after(self) -> None:
        for part in self._parts:
            if (code := part.process.exitcode) is None or self._stop.is_set():
                continue
            if part.fell(time.monotonic()):
                raise KeepsFalling(
                    f"The {part.name} keeps stopping (last with code {code}); the reason is written above."
                )
            log.warning("the %s stopped with code %s; starting it again", part.name, code)
            if self._stop.wait(len(part.falls) - 1):
                return
            part.process = self._start(part.name)

    def _close(self) -> None:
        """Let all finish what they hold, for half a minute from the signal on; then end them, which loses nothing."""
        latest = self._stop.rung_at + CLOSING_SECONDS
        self._stop = Bell()  # one more Ctrl-C from here on means: at once
        for part in self._parts:
            if part.process.exitcode is None:
                part.process.terminate()
        while any(part.process.exitcode is None for part in self._parts):
            # a second Ctrl-C: do not wait any longer
            if time.monotonic() > latest or self._stop.wait(LOOK_SECONDS):
                for part in self._parts:
                    if part.process.exitcode is None:
                        os.killpg(part.process.pid or 0, signal.SIGKILL)
                        part.process.join()
        os.close(self._our_end)
        os.close(self._lifeline)


def _reachable(host: str) -> str:
    """Where to knock when the house listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
