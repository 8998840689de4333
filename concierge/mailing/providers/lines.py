"""HTTP/1.1 connections that are kept open, and what was said on one before its answer is awaited (RFC 9112)."""

import http.client
import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import cast
from urllib.parse import urlsplit

from concierge.mailing.providers.deadlines import Deadline, Hearing, reach, say

_IDLE_SECONDS = 15.0  # an older connection may be closing at the other end, and a lost answer costs an editor's time
_FAREWELL_SECONDS = 1.0  # for an answer to what could not be said to its end
_LONGEST_TEXT = 20_000
_GRACE_SECONDS = 0.05  # for what came while another line was listened to until its end


class Unreached(Exception):
    """Nothing was said, or not all of it: what is cut short is no request (RFC 9112, 8)."""


class Unanswered(Exception):
    """It was said, and no answer came."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; its text as far as it came, for the status alone says what became of the request."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Lines:
    """Connections to one address; safe to share among threads. One that is free is used before another is opened."""

    def __init__(self, url: str, *, seconds: float) -> None:
        """Nothing is connected yet; `seconds` is how long connecting, saying it and its answer may take together."""
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        self._at = parts.netloc.rpartition("@")[2]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._seconds = seconds
        self._free: list[_Line] = []
        self._lock = Lock()

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> "Asked":
        """Say it, and don't wait; raises Unreached."""
        deadline = Deadline(self._seconds)
        line = self._free_line() or self._new_line(deadline)
        told = {"Host": self._at, **headers, "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        is_whole = True
        try:
            say(line.sock, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body, deadline)
        except OSError:  # whoever refuses it from its head alone may have said so, and hung up
            is_whole = False
            deadline.begin(_FAREWELL_SECONDS)
        heard = Hearing(line.sock, deadline)
        said = http.client.HTTPResponse(cast("socket.socket", heard), method=method)
        return Asked(self, line, said, heard, deadline, is_whole)

    def free(self, line: "_Line") -> None:
        """It can be used again."""
        now = line.used_at = time.monotonic()
        with self._lock:
            self._free.append(line)
            old = [each for each in self._free if now - each.used_at > _IDLE_SECONDS]
            self._free = [each for each in self._free if now - each.used_at <= _IDLE_SECONDS]
        for each in old:
            each.sock.close()

    def close(self) -> None:
        """Close what nobody speaks on; it can be used again afterwards."""
        with self._lock:
            free, self._free = self._free, []
        for each in free:
            each.sock.close()

    def _free_line(self) -> "_Line | None":
        while True:
            with self._lock:
                if not self._free:
                    return None
                line = self._free.pop()
            # What can be read though nothing was asked is a farewell.
            if time.monotonic() - line.used_at <= _IDLE_SECONDS and not _is_heard(line.sock):
                return line
            line.sock.close()

    def _new_line(self, deadline: Deadline) -> "_Line":
        try:
            sock = reach(self._host, self._port, deadline)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Line(self._tls.wrap_socket(sock, server_hostname=self._host) if self._tls else sock)
        except OSError as error:
            raise Unreached(error) from error


@dataclass(slots=True)
class _Line:
    """A connection, and when it was last used, by the monotonic clock."""

    sock: socket.socket
    used_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said on a line (`is_whole`: to its end), and until when its answer may take."""

    lines: Lines
    line: _Line
    said: http.client.HTTPResponse
    heard: Hearing
    deadline: Deadline
    is_whole: bool

    @property
    def until(self) -> float:
        """By the monotonic clock."""
        return self.deadline.until

    def fileno(self) -> int:
        """Where its answer is heard."""
        return self.line.sock.fileno()

    def has_begun(self) -> bool:
        """Whether what is heard there is the answer: over TLS 1.3 tickets come first (RFC 8446, 4.6.1)."""
        if not isinstance(self.line.sock, ssl.SSLSocket):
            return True
        self.heard.waits = False
        try:
            self.said.fp.peek(1)
        except ssl.SSLWantReadError:
            return False
        except OSError:
            pass  # there will be none: that is heard as well
        finally:
            self.heard.waits = True
        return True

    def answer(self) -> Response:
        """Wait for it; raises Unanswered, or Unreached where it could not be said to its end."""
        sock, said = self.line.sock, self.said
        self.deadline.stretch(_GRACE_SECONDS)
        try:
            said.begin()
            if said.status < 200:  # the one that counts comes behind it
                raise http.client.BadStatusLine(str(said.status))
        except (OSError, http.client.HTTPException) as error:
            said.close()
            sock.close()
            raise (Unanswered if self.is_whole else Unreached)(error) from error
        text = _text_of(said)
        if said.isclosed() and not said.will_close and self.is_whole:  # all was read, and it stays on the line
            self.lines.free(self.line)
        else:
            said.close()
            sock.close()
        return Response(said.status, said.headers, text)


def _text_of(said: http.client.HTTPResponse) -> str:
    try:
        return said.read(_LONGEST_TEXT).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        said.will_close = True
        return ""


def _is_heard(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
