"""Connections on which several requests wait for their answers at a time."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from concierge.mailing import jobs
from concierge.mailing.providers import lines as lines_module
from concierge.mailing.providers.base import first_to_answer
from concierge.mailing.providers.lines import Lines, Unanswered, Unreached
from concierge.mailing.providers.sendgrid import SendGridProvider
from tests.mailing.doubles import API_KEY, sendgrid_door, server_tls
from tests.mailing.samples import states

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(*answers: bytes, hangs_up: bool = False) -> Iterator[list[socket.socket]]:
    """A door that gives these answers on each connection, one for each request; the connections it has."""
    door, known = socket.create_server(("127.0.0.1", 0)), []

    def speak(line: socket.socket) -> None:
        for answer in answers:
            if not line.recv(65_536):
                return
            line.sendall(answer)
        if hangs_up:
            line.shutdown(socket.SHUT_RDWR)

    def listen() -> None:
        while True:
            try:
                line, _address = door.accept()
            except OSError:
                return
            known.append(line)
            Thread(target=speak, args=[line], daemon=True).start()

    Thread(target=listen, daemon=True).start()
    try:
        known.insert(0, door)
        yield known
    finally:
        door.close()


def lines_to(door: socket.socket, seconds: float = 5.0) -> Lines:
    return Lines(f"http://127.0.0.1:{door.getsockname()[1]}", seconds=seconds)


def test_several_wait_for_their_answers_at_a_time():
    with sendgrid_door() as door:
        lines = Lines(door.url, seconds=5.0)
        asked = [lines.ask("GET", "/v3/scopes", {"Authorization": f"Bearer {API_KEY}"}) for _ in range(3)]
        assert [each.answer().status for each in reversed(asked)] == [200] * 3
        assert door.connections == 3
        for _ in range(5):
            lines.ask("GET", "/v3/scopes", {}).answer()
        assert door.connections == 3  # one that is free is used again
        lines.close()


def test_the_first_to_answer_is_heard_first():
    with answering() as silent, answering(OK) as quick:
        slow, fast = lines_to(silent[0], 0.3), lines_to(quick[0])
        calls = [slow.ask("GET", "/", {}), fast.ask("GET", "/", {})]
        assert first_to_answer(calls) == 1
        assert calls[1].answer().status == 202
        assert first_to_answer(calls[:1]) == 0  # when its time is over
        with pytest.raises(Unanswered):
            calls[0].answer()


def test_a_connection_that_was_closed_while_nobody_spoke_is_not_used_again():
    with answering(OK, hangs_up=True) as known:
        lines = lines_to(known[0])
        for _ in range(3):
            assert lines.ask("GET", "/", {}).answer().status == 202
            time.sleep(0.05)  # the farewell arrives
        assert len(known) == 1 + 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nword\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad\r\nContent-Length: 4\r\n\r\nword",
    ],
)
def test_an_answer_is_read_however_it_is_written(answer):
    with answering(answer, answer) as known:
        lines = lines_to(known[0])
        for _ in range(2):
            response = lines.ask("GET", "/", {}).answer()
            assert (response.status, response.text) == (400, "word")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"+OK ready\r\n"])
def test_what_is_no_answer_is_none(answer):
    with answering(answer, hangs_up=True) as known, pytest.raises(Unanswered):
        lines_to(known[0]).ask("GET", "/", {}).answer()


@pytest.mark.parametrize("status", [413, 401])
def test_a_refusal_that_comes_while_it_is_still_being_said_is_read(status):
    """As of a mail with large files under a key that is wrong: it was cut short, and can't have been taken."""
    with _refusing(f"HTTP/1.1 {status} No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()) as door:
        asked = lines_to(door).ask("POST", "/", {}, b"x" * 20_000_000)
        assert asked.answer().status == status


def test_what_was_cut_short_and_not_answered_was_not_said():
    with _refusing(b"") as door, pytest.raises(Unreached):
        lines_to(door).ask("POST", "/", {}, b"x" * 20_000_000).answer()


@contextmanager
def _refusing(answer: bytes) -> Iterator[socket.socket]:
    """A door that reads no further than the head, answers and hangs up."""
    door = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        line, _address = door.accept()
        with line:
            while b"\r\n\r\n" not in line.recv(4096):
                pass
            line.sendall(answer)
            time.sleep(0.2)

    Thread(target=listen, daemon=True).start()
    with door:
        yield door


def test_an_answer_before_the_answer_is_none():
    """One that came behind it would else be heard as the next mail's."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    with answering(early + OK) as known:
        lines = lines_to(known[0])
        with pytest.raises(Unanswered):
            lines.ask("POST", "/", {}).answer()
        assert lines._free == []


def test_tickets_are_not_taken_for_an_answer(tmp_path, monkeypatch):
    """Over TLS 1.3 something can be read before anything was answered."""
    tls = server_tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "relay.pem"))
    waits = iter([1.5, 0.0, 0.0])
    door = socket.create_server(("127.0.0.1", 0))

    def speak(line: socket.socket, wait: float) -> None:
        safe = tls.wrap_socket(line, server_side=True)
        while safe.recv(65_536):
            time.sleep(wait)
            safe.sendall(OK)

    def listen() -> None:
        for wait in waits:
            line, _address = door.accept()
            Thread(target=speak, args=[line, wait], daemon=True).start()

    Thread(target=listen, daemon=True).start()
    with door:
        lines = Lines(f"https://localhost:{door.getsockname()[1]}", seconds=5.0)
        calls = [lines.ask("POST", "/", {}) for _ in range(3)]
        assert calls[0].line.sock.version() == "TLSv1.3"
        time.sleep(0.2)  # the tickets are there
        for place in (1, 1, 0):
            assert first_to_answer(calls) == place
            assert calls.pop(place).answer().status == 202
        lines.ask("POST", "/", {})
        assert len(lines._free) == 2  # of three that were free again
        lines.close()


def test_what_was_free_for_long_is_closed(monkeypatch):
    with answering(OK, OK) as known:
        lines = lines_to(known[0])
        for each in [lines.ask("GET", "/", {}) for _ in range(3)]:
            each.answer()
        now = time.monotonic()
        monkeypatch.setattr(lines_module.time, "monotonic", lambda: now + 10)
        lines.ask("GET", "/", {}).answer()
        monkeypatch.setattr(lines_module.time, "monotonic", lambda: now + 20)
        lines.free(lines._free.pop())
        assert len(lines._free) == 1


def test_nobody_there_was_told_nothing():
    with pytest.raises(Unreached):
        Lines("http://127.0.0.1:1", seconds=1.0).ask("GET", "/", {})


def test_one_that_is_never_answered_holds_up_no_other(config, sessions, queue):
    queue(16)
    with sendgrid_door() as door:
        door.answer_next("hang")
        provider = SendGridProvider(API_KEY, door.url, seconds=4.0)  # a busy machine answers late
        began = time.monotonic()
        assert jobs.deliver_answers(config, sessions, provider) == 15
        assert time.monotonic() - began < 20.0
        assert len(door.requests) == 16
        provider.close()
    assert states(sessions) == {"sent": 15, "uncertain": 1}
