"""A talk ends at its deadline, though the other side says a little again and again."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from concierge.mailing.providers import deadlines
from concierge.mailing.providers.base import TransportError
from concierge.mailing.providers.sendgrid import SendGridProvider
from concierge.mailing.providers.smtp import SmtpProvider
from tests.mailing.carriers import parcel
from tests.mailing.doubles import API_KEY, server_tls

_LIMIT, _DRIP = 0.8, 0.1
Speak = Callable[[socket.socket], None]


@contextmanager
def door(speak: Speak) -> Iterator[int]:
    """A server that speaks so on each connection; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _address = listening.accept()
                Thread(target=_spoken, args=(speak, line), daemon=True).start()

    Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def _spoken(speak: Speak, line: socket.socket) -> None:
    with suppress(OSError), line:
        speak(line)


def drip(line: socket.socket, words: bytes) -> None:
    for number in range(len(words)):
        time.sleep(_DRIP)
        line.sendall(words[number : number + 1])


def relay(slow: bytes) -> Speak:
    """A relay that is quick but for its answer to one thing."""
    answers = {b"EHLO": b"250 house", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go on", b".": b"250 taken"}

    def speak(line: socket.socket) -> None:
        greeting, in_text = b"220 house, at your service\r\n", False
        drip(line, greeting) if slow == b"" else line.sendall(greeting)
        for said in line.makefile("rb"):
            word = said.strip()[:4].upper()
            if (in_text and word != b".") or word not in answers:
                continue
            answer = answers[word] + b", and that is a long story\r\n"
            drip(line, answer) if word == slow else line.sendall(answer)
            in_text = word == b"DATA"

    return speak


@pytest.mark.parametrize("slow", [b"", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"."])
def test_a_relay_that_drips_is_given_up_at_the_deadline(slow):  # F03
    with door(relay(slow)) as port:
        provider, began = SmtpProvider(f"smtp://127.0.0.1:{port}", seconds=_LIMIT), time.monotonic()
        with pytest.raises(TransportError) as failed:
            provider.send(parcel())
        assert time.monotonic() - began < _LIMIT + 0.5
        assert (failed.value.uncertain, failed.value.reached) == (slow == b".", slow == b".")


def test_a_relay_that_begins_tls_late_and_says_no_more_is_given_up_at_the_deadline():  # F03
    def speak(line: socket.socket) -> None:
        line.sendall(b"220 house\r\n")
        line.recv(99)
        line.sendall(b"250-house\r\n250 STARTTLS\r\n")
        line.recv(99)
        time.sleep(0.9 * _LIMIT)
        line.sendall(b"220 go on\r\n")
        time.sleep(3 * _LIMIT)

    with door(speak) as port:
        provider, began = SmtpProvider(f"smtp+starttls://127.0.0.1:{port}", seconds=_LIMIT), time.monotonic()
        with pytest.raises(TransportError) as failed:
            provider.send(parcel())
        assert time.monotonic() - began < _LIMIT + 0.5
        assert (failed.value.uncertain, failed.value.reached) == (False, False)


def test_a_relay_may_drip_within_the_deadline():
    """The negative control: the same drip, and time enough for it."""
    with door(relay(b"RCPT")) as port:
        provider = SmtpProvider(f"smtp://127.0.0.1:{port}", seconds=20.0)
        assert provider.send(parcel()).provider_id.startswith("250 taken")
        provider.close()


def test_a_time_for_each_read_would_have_been_for_ever(monkeypatch):
    """The negative control: by a limit for each read, the drip is heard to its end."""
    monkeypatch.setattr(deadlines.Deadline, "left", lambda _self: _LIMIT)
    with door(relay(b"RCPT")) as port:
        began = time.monotonic()
        SmtpProvider(f"smtp://127.0.0.1:{port}", seconds=_LIMIT).send(parcel())
        assert time.monotonic() - began > 2 * _LIMIT


def http(slow: bytes, quick: bytes = b"") -> Speak:
    def speak(line: socket.socket) -> None:
        line.recv(1 << 20)
        line.sendall(quick)
        drip(line, slow)

    return speak


def test_an_http_answer_that_drips_is_given_up_at_the_deadline():  # F03
    with door(http(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")) as port:
        provider, began = SendGridProvider(API_KEY, f"http://127.0.0.1:{port}", seconds=_LIMIT), time.monotonic()
        with pytest.raises(TransportError) as failed:
            provider.send(parcel())
        assert time.monotonic() - began < _LIMIT + 0.5
        assert failed.value.uncertain


def test_what_was_answered_while_another_line_dripped_is_heard():  # F03
    taken = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 0\r\n\r\n"
    with door(http(taken)) as slow, door(http(b"", taken)) as quick:
        dripping, answered = (
            SendGridProvider(API_KEY, f"http://127.0.0.1:{port}", seconds=_LIMIT).call(parcel())
            for port in (slow, quick)
        )
        with pytest.raises(TransportError):
            dripping.answer()
        assert answered.answer().provider_id == "abc"


def test_a_body_that_drips_takes_nothing_from_what_its_status_said():  # F03
    head = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 1000\r\n\r\n"
    with door(http(b"x" * 1000, head)) as port:
        provider, began = SendGridProvider(API_KEY, f"http://127.0.0.1:{port}", seconds=_LIMIT), time.monotonic()
        assert provider.send(parcel()).provider_id == "abc"
        assert time.monotonic() - began < _LIMIT + 0.5


def test_who_never_shakes_hands_is_given_up_at_the_deadline(tmp_path):  # F03
    """TLS begins, a little at a time."""
    server_tls(tmp_path)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "relay.pem"))
    with door(lambda line: drip(line, b"\x16\x03\x03\x40\x00" + b"\x02" * 100)) as port:
        provider, began = SmtpProvider(f"smtps://localhost:{port}", seconds=_LIMIT, tls=trusting), time.monotonic()
        with pytest.raises(TransportError) as failed:
            provider.send(parcel())
        assert time.monotonic() - began < _LIMIT + 0.5
        assert not failed.value.reached
