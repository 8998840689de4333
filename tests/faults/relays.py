"""A relay that takes mails, puts them off, refuses them, cuts the line or says nothing, and counts what it took."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.sinks import PipeliningSmtpSink, Server, SmtpSink

# What it does with a mail, and how often: a moody relay takes two of three.
MOODS = {
    "takes it": 66,
    "takes it and cuts the line": 6,
    "cuts the line in the text": 6,
    "cuts the line at the dot": 6,
    "puts it off": 6,
    "closes for a while": 2,
    "refuses it": 6,
    "takes its time": 2,
}


@dataclass
class Ledger:
    """What a relay took: how many mails each address got; with a `chance` it is moody, else it takes everything.

    `together`: it takes commands together (RFC 2920); a moody one does on every other line.
    """

    port: int = 0
    chance: random.Random | None = None
    together: bool = False
    taken: Counter[str] = field(default_factory=Counter)
    moods: Counter[str] = field(default_factory=Counter)

    def offers(self) -> tuple[bytes, ...]:
        """What it offers on the next line."""
        if self.chance is not None:
            self.together = not self.together
        return PipeliningSmtpSink.offers if self.together else SmtpSink.offers

    def mood(self) -> str:
        """What becomes of the next mail."""
        if self.chance is None:
            return "takes it"
        [mood] = self.chance.choices(list(MOODS), list(MOODS.values()))
        self.moods[mood] += 1
        return mood


class _Cut(OSError):
    """The line is cut here."""


class _Counting(SmtpSink):
    """A mail counts from the moment its closing dot has come, whether anybody hears the answer or not."""

    server: "_Counted"

    def handle(self) -> None:
        with suppress(OSError):  # whom we spoke to was killed, or we cut the line
            super().handle()

    def setup(self) -> None:
        super().setup()
        self.mood, self.in_text = "takes it", False
        self.offers = self.server.ledger.offers()
        self.rfile = Overheard(self.rfile)

    def _say(self, line: bytes) -> None:
        if line == b"354 go on":
            self.in_text, self.mood = True, self.server.ledger.mood()
            super()._say(line)
            if self.mood == "cuts the line in the text":
                raise _Cut
        elif self.in_text and line == b"250 ok":
            self.in_text = False
            self._end_text()
        else:
            super()._say(line)

    def _end_text(self) -> None:
        if self.mood == "cuts the line at the dot":
            raise _Cut
        if self.mood == "puts it off":
            return super()._say(b"451 4.2.0 later, please")
        if self.mood == "closes for a while":
            return super()._say(b"421 4.3.2 closing")
        if self.mood == "refuses it":
            return super()._say(b"550 5.7.1 not this one")
        self.server.ledger.taken[self.rfile.to] += 1
        if self.mood == "takes it and cuts the line":
            raise _Cut
        if self.mood == "takes its time":
            self.server.closing.wait(0.2)
        return super()._say(b"250 ok")


class Overheard:
    """The lines of a connection; notes to whom the next mail is."""

    closed = False

    def __init__(self, lines: Any) -> None:
        self._lines, self.to = lines, ""

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            if line[:4].upper() == b"RCPT":
                self.to = line.decode().partition("<")[2].partition(">")[0]
            yield line

    def close(self) -> None:
        self._lines.close()


class _Counted(Server):
    ledger: Ledger
    closing: threading.Event

    def handle_error(self, request: object, client_address: object) -> None:
        """A line that somebody's death cut is no news."""


@contextmanager
def relay(chance: random.Random | None = None, *, together: bool = False) -> Iterator[Ledger]:
    """A relay on a free port, and what it took."""
    server = _Counted(("127.0.0.1", 0), _Counting)
    server.ledger, server.closing = Ledger(server.server_address[1], chance, together), threading.Event()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.ledger
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
