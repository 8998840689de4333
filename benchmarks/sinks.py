"""The far ends mail is delivered to: as quick as Python can be, in a process of their own, so that we are measured."""

import multiprocessing
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager


class SmtpSink(socketserver.StreamRequestHandler):
    """Takes every mail (RFC 5321) and keeps none."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """One connection."""
        self._say(b"220 sink")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say(b"354 go on")
                for each in self.rfile:
                    if each == b".\r\n":
                        break
            elif verb == b"QUIT":
                self._say(b"221 bye")
                return
            self._say(b"250-sink\r\n250 SIZE 50000000" if verb == b"EHLO" else b"250 ok")

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


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


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _serve(door: socket.socket, kind: type[socketserver.StreamRequestHandler]) -> None:
    server = _Server(door.getsockname(), kind, bind_and_activate=False)
    server.socket.close()
    server.socket = door
    server.serve_forever()


@contextmanager
def sink(kind: type[socketserver.StreamRequestHandler]) -> Iterator[int]:
    """The port of a sink in a process of its own."""
    door = socket.create_server(("127.0.0.1", 0), backlog=64)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(door, kind), daemon=True)
    process.start()
    try:
        yield door.getsockname()[1]
    finally:
        process.terminate()
        process.join()
        door.close()
