"""Each way in which a relay can answer, or not."""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_string, policy
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.sinks import Server, SmtpSink
from concierge.addresses import Address
from concierge.mailing.providers.base import TransportError
from concierge.mailing.providers.smtp import SmtpProvider
from tests.mailing.carriers import parcel
from tests.mailing.doubles import Relay, smtp_relay
from tests.mailing.samples import make_mail

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture(params=[False, True], ids=["one at a time", "together"])
def relay(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Relay]:
    with smtp_relay(tmp_path) as relay:
        relay.together = request.param
        yield relay


@pytest.fixture
def smtp(relay: Relay) -> Iterator[SmtpProvider]:
    provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}", seconds=1.0)
    yield provider
    provider.close()


def test_the_envelope_is_the_mailbox_and_the_customer(smtp, relay):
    assert smtp.send(parcel()).provider_id == "4F1"
    assert relay.mails[0][:2] == ("care@maison-solenne.example", ["barbara@example.com"])


SIGNED = "care+key@maison-solenne.example"


def test_the_envelope_is_the_signed_return_path_where_there_is_one(smtp, relay):
    smtp.send(replace(parcel(), return_path=SIGNED))
    assert relay.mails[0][0] == SIGNED
    assert b"From: Nadia" in relay.mails[0][2]


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_relay_that_lets_no_signed_sender_pass_is_given_the_plain_one_ever_after(smtp, relay, stage):
    relay.answer_next(f"{stage} 553 5.7.1 not a sender of ours", "ok")
    for number in range(2):
        smtp.send(replace(parcel(key=str(number)), return_path=SIGNED))
    assert [sender for sender, _to, _raw in relay.mails] == ["care@maison-solenne.example"] * 2
    assert relay.connections == 1


@pytest.mark.parametrize(
    "answers", [["mail 451 4.3.0 later"], ["mail 553 no", "mail 553 no"], ["rcpt 550 5.1.1 unknown"] * 2]
)
def test_a_relay_that_puts_off_or_refuses_either_goes_on_being_given_a_signed_one(smtp, relay, answers):
    relay.answer_next(*answers)
    with pytest.raises(TransportError) as failed:
        smtp.send(replace(parcel(), return_path=SIGNED))
    assert failed.value.permanent == (" 5" in answers[0])
    smtp.send(replace(parcel(), return_path=SIGNED))
    assert [sender for sender, _to, _raw in relay.mails] == [SIGNED]


def test_one_connection_carries_many_mails(smtp, relay):
    for number in range(5):
        smtp.send(parcel(key=str(number)))
    assert relay.connections == 1


def test_a_relay_that_takes_commands_together_is_given_the_envelope_in_one(smtp, relay, monkeypatch):
    smtp.send(parcel())
    writes, sendall = [], socket.socket.sendall
    monkeypatch.setattr(socket.socket, "sendall", lambda self, data: (writes.append(data), sendall(self, data)))
    smtp.send(parcel(key="reply:2"))
    assert writes[-1] == b".\r\n"
    assert len(writes) == (3 if relay.together else 5)  # the text and its dot go apart


class _Obstinate(SmtpSink):
    """Refuses everybody, and waits for a text all the same."""

    def handle(self) -> None:
        self.server.heard.append(b"")
        self._say(b"220 sink")
        for line in self.rfile:
            self.server.heard[-1] += line
            said = {b"EHLO": b"250-sink\r\n250 PIPELINING", b"RCPT": b"550 nobody", b"DATA": b"354 go on"}
            self._say(said.get(line[:4].upper(), b"250 ok"))


def test_a_relay_that_refuses_and_waits_for_a_text_is_given_none():
    with Server(("127.0.0.1", 0), _Obstinate) as server:
        server.heard = []
        Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        provider = SmtpProvider(f"smtp://127.0.0.1:{server.server_address[1]}", seconds=2.0)
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(TransportError, match="nobody") as failed:
                provider.send(parcel())
            assert (failed.value.permanent, failed.value.uncertain) == (True, False)
        assert time.monotonic() - begun < 2.0  # and no farewell is awaited, which it would take for text
        provider.close()
        server.shutdown()
    assert len(server.heard) == 2  # each on a line of its own, for the last one waits for a text
    assert not any(b"Subject" in heard or b"\r\n.\r\n" in heard for heard in server.heard)


def test_a_connection_that_died_while_idle_is_replaced(smtp, relay):
    smtp.send(parcel())
    smtp._connection.sock.shutdown(2)
    smtp.send(parcel())
    assert len(relay.mails) == 2
    assert relay.connections == 2


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("rcpt 550 5.1.1 no such person", True),
        ("rcpt 452 4.2.2 her mailbox is full", False),
        ("mail 553 5.7.1 not a sender of ours", True),
        ("data 554 5.6.0 we do not like it", True),
        ("data 451 4.3.0 try again later", False),
    ],
)
def test_a_refusal_is_told_from_a_delay(smtp, relay, answer, permanent):
    relay.answer_next(answer)
    with pytest.raises(TransportError, match=re.escape(answer.split(" ", 1)[1].split(" ", 1)[1])) as failed:
        smtp.send(parcel())
    assert (failed.value.permanent, failed.value.uncertain) == (permanent, False)
    assert relay.mails == []
    smtp.send(parcel())
    assert (len(relay.mails), relay.connections) == (1, 1)


def test_a_relay_that_closes_is_asked_again_later(smtp, relay):
    relay.answer_next("mail 421 4.3.2 going home")
    with pytest.raises(TransportError) as failed:
        smtp.send(parcel())
    assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


@pytest.mark.parametrize("answer", ["cut-after-dot", "hang-after-dot"])
def test_silence_after_the_last_dot_is_uncertain(smtp, relay, answer):  # F03
    relay.answer_next(answer)
    with pytest.raises(TransportError) as failed:
        smtp.send(parcel())
    assert failed.value.uncertain
    assert len(relay.mails) == 1  # it had been taken: sending again would have doubled it
    smtp.send(parcel(key="reply:2"))
    assert len(relay.mails) == 2


def test_a_line_cut_before_the_last_dot_may_be_tried_again(smtp, relay):  # F03
    relay.answer_next("cut-in-data")
    with pytest.raises(TransportError) as failed:
        smtp.send(parcel(make_mail(text="a long letter\n" * 500_000)))
    assert (failed.value.permanent, failed.value.uncertain) == (False, False)
    assert relay.mails == []


def test_nobody_there_is_tried_again_later(relay):
    provider = SmtpProvider("smtp://127.0.0.1:1", seconds=1.0)
    for attempt in (lambda: provider.send(parcel()), provider.check):
        with pytest.raises(TransportError, match=r"127\.0\.0\.1") as failed:
            attempt()
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


def test_a_mail_too_large_for_the_relay_is_refused_before_it_is_sent(tmp_path):
    with smtp_relay(tmp_path, size=2000) as relay:
        provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}")
        with pytest.raises(TransportError, match="too large") as failed:
            provider.send(parcel(make_mail(text="x" * 3000)))
        assert failed.value.permanent
        provider.close()


LUCJA = Address("Łucja Nowak", "łucja@bücher.example")


def test_an_address_in_other_letters_goes_out_with_smtputf8(tmp_path):
    with smtp_relay(tmp_path, utf8=True) as relay:
        provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}")
        provider.send(replace(parcel(make_mail(to=LUCJA)), return_path=SIGNED))
        provider.send(parcel(key="reply:2"))
        provider.close()
    assert [recipients for _sender, recipients, _raw in relay.mails] == [
        ["łucja@xn--bcher-kva.example"],
        ["barbara@example.com"],
    ]
    head, _blank, body = relay.mails[0][2].partition(b"\r\n\r\n")
    seen = message_from_string(relay.mails[0][2].decode(), policy=policy.SMTPUTF8)["To"].addresses[0]
    assert (seen.display_name, seen.addr_spec) == ("Łucja Nowak", "łucja@xn--bcher-kva.example")
    assert body.isascii()
    assert head.replace("łucja".encode(), b"").isascii()


def test_a_relay_that_does_not_speak_smtputf8_is_not_given_such_an_address(smtp, relay):
    with pytest.raises(TransportError, match="“ł”") as failed:
        smtp.send(replace(parcel(make_mail(to=LUCJA)), return_path=SIGNED))
    assert (failed.value.permanent, failed.value.reached, relay.mails) == (True, True, [])
    smtp.send(replace(parcel(), return_path=SIGNED))
    assert [sender for sender, _to, _raw in relay.mails] == [SIGNED]


def test_a_wrong_password_holds_the_mails_and_says_so(tmp_path):
    with smtp_relay(tmp_path, tls="implicit", login=True) as relay:
        trusted = ssl.create_default_context(cafile=relay.certificate)
        provider = SmtpProvider(f"smtps://concierge:wrong@localhost:{relay.port}", tls=trusted)
        with pytest.raises(TransportError, match="name and password") as failed:
            provider.send(parcel())
        assert (failed.value.permanent, failed.value.uncertain, failed.value.reached) == (False, False, False)


@pytest.mark.parametrize(("scheme", "tls"), [("smtps", "implicit"), ("smtp+starttls", "starttls")])
def test_a_certificate_nobody_vouches_for_is_not_trusted(tmp_path, scheme, tls):
    with smtp_relay(tmp_path, tls=tls) as relay:
        provider = SmtpProvider(f"{scheme}://localhost:{relay.port}")
        with pytest.raises(TransportError, match="certificate"):
            provider.send(parcel())
        assert relay.mails == []


def test_starttls_that_is_not_offered_is_not_done_without(relay):
    with pytest.raises(TransportError, match="STARTTLS"):
        SmtpProvider(f"smtp+starttls://localhost:{relay.port}").send(parcel())
