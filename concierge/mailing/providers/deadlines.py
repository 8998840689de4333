"""One deadline for a whole talk with a carrier: it ends then, however little of an answer comes at a time."""

import io
import socket
import ssl
import time
from typing import Any

_CONNECT_SECONDS = 5.0  # for each address of a host


class Deadline:
    """When a talk is over (`until`, by the monotonic clock); the next one on the same connection begins it anew."""

    def __init__(self, seconds: float) -> None:
        """From now on."""
        self.begin(seconds)

    def begin(self, seconds: float) -> None:
        """From now on."""
        self.until = time.monotonic() + seconds

    def hasten(self, seconds: float) -> None:
        """So long at most from now on."""
        self.until = min(self.until, time.monotonic() + seconds)

    def stretch(self, seconds: float) -> None:
        """So long at least from now on."""
        self.until = max(self.until, time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until then; raises TimeoutError when it is over."""
        if (left := self.until - time.monotonic()) <= 0:
            raise TimeoutError("timed out")
        return left

    def give(self, sock: socket.socket) -> None:
        """Let the next thing on a socket take what is left, or a tenth less: setting it asks the system each time."""
        left, has = self.left(), sock.gettimeout() or 0.0
        if not 0.9 * left <= has <= left:
            sock.settimeout(0.98 * left)


def reach(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first address of a host that answers; raises OSError. Looking its name up takes its time."""
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(_CONNECT_SECONDS, deadline.left()))
            sock.connect(address)
            sock.settimeout(deadline.left())  # for the handshake of TLS, which may come next
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def say(sock: socket.socket, data: bytes, deadline: Deadline) -> None:
    """Say all of it; raises OSError."""
    if not isinstance(sock, ssl.SSLSocket):
        deadline.give(sock)
        return sock.sendall(data)
    left = memoryview(data)
    while left:  # over TLS the time a socket has would be for each record
        deadline.give(sock)
        left = left[sock.send(left) :]
    return None


class Hearing(io.RawIOBase):
    """What is heard on a socket until the deadline; with `waits` turned off, only what has come already."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        """Nothing is heard yet."""
        super().__init__()
        self._sock, self._deadline, self.waits = sock, deadline, True

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """The next bytes; raises OSError."""
        if self.waits:
            self._deadline.give(self._sock)
        else:
            self._sock.settimeout(0)
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        """As a file, which is how `http.client` and `smtplib` listen."""
        return io.BufferedReader(self)
