"""The far ends mail is delivered to: as quick as Python can be, in a process of their own, so that we are measured."""

import multiprocessing
import signal
import socket
import socketserver
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measuring import FAR_END


class SmtpSink(socketserver.StreamRequestHandler):
    """Takes every mail (RFC 5321) and keeps none."""

    disable_nagle_algorithm = True
    offers = (b"SIZE 50000000",)

    def took(self, to: str) -> None:
        """It has been told that a mail is taken; whoever wants to know overrides this."""

    def handle(self) -> None:
        """One connection."""
        self._say(b"220 sink")
        to = ""
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say(b"354 go on")
                for each in self.rfile:
                    if each == b".\r\n":
                        break
                self._say(b"250 ok")
                self.took(to)
                continue
            if verb == b"RCPT":
                to = line.decode("utf-8", "replace").partition("<")[2].partition(">")[0]
            elif verb == b"QUIT":
                self._say(b"221 bye")
                return
            offered = (b"sink", *self.offers) if verb == b"EHLO" else (b"ok",)
            self._say(b"".join(b"250-%s\r\n" % each for each in offered[:-1]) + b"250 %s" % offered[-1])

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


class PipeliningSmtpSink(SmtpSink):
    """As Postfix and most relays do it: commands may come together (RFC 2920)."""

    offers = (b"PIPELINING", *SmtpSink.offers)


class HttpSink(socketserver.StreamRequestHandler):
    """Answers every POST with 202 and a X-Message-Id, on connections that stay open."""

    disable_nagle_algorithm = True
    _ANSWER = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: sink\r\nContent-Length: 0\r\n\r\n"

    def handle(self) -> None:
        """One connection."""
        while self.rfile.readline():
            length = 0
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header[15:])
            self.rfile.read(length)
            self.wfile.write(self._ANSWER)


class Server(socketserver.ThreadingTCPServer):
    """Each connection in a thread."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever is killed while it speaks hangs up: that is nothing to tell."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _serve(door: socket.socket, kind: type[socketserver.StreamRequestHandler]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as `sink` ends us, whatever our parent does at it
    server = Server(door.getsockname(), kind, bind_and_activate=False)
    server.socket.close()
    server.socket = door
    server.serve_forever()


@contextmanager
def sink(kind: type[socketserver.StreamRequestHandler]) -> Iterator[int]:
    """The port of a sink in a process of its own."""
    door = socket.create_server(("127.0.0.1", 0), backlog=64)
    forked = multiprocessing.get_context("fork")
    process = forked.Process(target=_serve, args=(door, kind), name=FAR_END, daemon=True)
    process.start()
    try:
        yield door.getsockname()[1]
    finally:
        process.terminate()
        process.join()
        door.close()
