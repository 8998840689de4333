"""Replies delivered per second, to a relay and to an HTTP provider, beside one connection and bytes made before."""

import json
import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import urllib3

from benchmarks.filling import NOW
from benchmarks.measuring import Figure, Place, per_second
from benchmarks.sinks import HttpSink, SmtpSink, sink
from concierge.addresses import Address
from concierge.mailing.commands import queue_delivery
from concierge.mailing.jobs import deliver_due
from concierge.mailing.mail import Mail, build
from concierge.mailing.providers.base import Parcel, Provider
from concierge.mailing.providers.sendgrid import SendGridProvider, request_body
from concierge.mailing.providers.smtp import SmtpProvider

MAILS = 100
SENDERS = 8
_numbers = count()


def measure(place: Place) -> Iterator[Figure]:
    """Two figures: by SMTP over one connection, by HTTP over a pool with eight senders."""
    with sink(SmtpSink) as port:
        provider = SmtpProvider(f"smtp://127.0.0.1:{port}")
        raw = [build(_reply(number), _no_blob, now=NOW) for number in range(20)]
        ours, bare = per_second(
            place, lambda: _deliver(place, provider), lambda: _bare_smtp(port, raw), lambda: _queue(place)
        )
        words = "one smtplib connection, bytes made before"
        yield Figure("replies delivered", f"SMTP, {place.name}", ours, bare, "mails/s", words)
        provider.close()
    with sink(HttpSink) as port:
        carrier = SendGridProvider("SG.measuring", f"http://127.0.0.1:{port}")
        ours, bare = per_second(
            place, lambda: _deliver(place, carrier), lambda: _bare_http(port), lambda: _queue(place)
        )
        words = "urllib3 pool of eight threads, bodies made before"
        yield Figure("replies delivered", f"HTTP, {place.name}", ours, bare, "mails/s", words)
        carrier.close()


def _reply(number: int) -> Mail:
    paragraphs = ["Dear Barbara,", "the sandals are back, and I have put a pair in 36 aside for you until Friday."] * 4
    return Mail(
        sender=Address("Nadia Ferrant", "care@maison.example"),
        to=Address("Barbara Weiss", f"barbara{number}@example.com"),
        reply_to=Address("Nadia Ferrant", f"care+k{number}@maison.example"),
        subject="Re: The turquoise sandals in 36",
        text="\n\n".join(paragraphs),
        html="".join(f'<p style="margin:0 0 16px;color:#222">{each}</p>' for each in paragraphs),
        message_id=f"<{number}.measured@maison.example>",
        in_reply_to="<question@example.com>",
        references=("<question@example.com>",),
    )


def _queue(place: Place) -> None:
    with place.sessions() as session:
        for _ in range(MAILS):
            number = next(_numbers)
            queue_delivery(session, _reply(number), key=f"measured:{number}", purpose="reply", now=NOW)
        session.commit()


def _deliver(place: Place, provider: Provider) -> int:
    taken = 0
    while done := deliver_due(place.config, place.sessions, provider):
        taken += done
    assert taken == MAILS
    return taken


def _bare_smtp(port: int, raw: list[bytes]) -> int:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(MAILS):
            smtp.sendmail("care@maison.example", [f"barbara{number}@example.com"], raw[number % 20])
    return MAILS


def _bare_http(port: int) -> int:
    body = json.dumps(request_body(Parcel("measured", _reply(0), {}, NOW))).encode()
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=SENDERS, block=True)
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(lambda _: pool.request("POST", "/v3/mail/send", body=body).status, range(MAILS)))
    return MAILS


def _no_blob(key: str) -> bytes:
    raise KeyError(key)
