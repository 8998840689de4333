"""Replies delivered per second, to a relay and to an HTTP provider, beside one connection and bytes made before.

By one worker, and by two at once beside the one: there it is the clock that counts.
"""

import json
import multiprocessing
import smtplib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing.synchronize import Barrier

import urllib3

from benchmarks.filling import NOW
from benchmarks.measuring import Figure, Place, per_second
from benchmarks.sinks import HttpSink, PipeliningSmtpSink, sink
from concierge.addresses import Address
from concierge.config import Config
from concierge.db import make_sessions
from concierge.mailing.commands import queue_delivery
from concierge.mailing.jobs import deliver_due
from concierge.mailing.mail import Mail, build
from concierge.mailing.providers.base import Parcel, Provider
from concierge.mailing.providers.sendgrid import SendGridProvider, request_body
from concierge.mailing.providers.smtp import SmtpProvider

MAILS = 400
SENDERS = 8
_PATIENCE = 60.0
_numbers = count()
Carry = Callable[[], Provider]


def measure(place: Place) -> Iterator[Figure]:
    """By SMTP over one connection, by HTTP over eight: one worker's work, and two workers beside one by the clock."""
    with sink(PipeliningSmtpSink) as port:
        raw = [build(_reply(number), _no_blob, now=NOW) for number in range(20)]
        words = "one smtplib connection, bytes made before"
        yield from _figures(
            place, "SMTP", lambda: SmtpProvider(f"smtp://127.0.0.1:{port}"), lambda: _bare_smtp(port, raw), words
        )
    with sink(HttpSink) as port:
        words = "urllib3 pool of eight threads, bodies made before"
        yield from _figures(
            place,
            "HTTP",
            lambda: SendGridProvider("SG.measuring", f"http://127.0.0.1:{port}"),
            lambda: _bare_http(port),
            words,
        )


def _figures(place: Place, way: str, carry: Carry, bare: Callable[[], int], words: str) -> Iterator[Figure]:
    where, provider = f"{way}, {place.name}", carry()
    ours, limit = per_second(place, lambda: _deliver(place, provider), bare, lambda: _queue(place, MAILS))
    provider.close()
    alone, together = (max(_by_clock(place, carry, workers) for _ in range(3)) for workers in (1, 2))
    beside = f"by the clock {alone:,.0f} a second"
    yield Figure("replies delivered", where, ours, limit, "mails/s", words, beside=beside)
    words = "one worker, by the clock"
    yield Figure("replies delivered by two workers, by the clock", where, together, alone, "mails/s", words)


def _by_clock(place: Place, carry: Carry, workers: int) -> float:
    """Mails a second by so many workers, each a process of its own."""
    mails = MAILS * workers
    _queue(place, mails)
    forked = multiprocessing.get_context("fork")
    place.sessions.kw["bind"].dispose()  # no connection of ours goes along
    ready = forked.Barrier(workers + 1)
    running = [forked.Process(target=_work, args=(place.config, carry, ready)) for _ in range(workers)]
    for each in running:
        each.start()
    ready.wait(_PATIENCE)
    begun = time.perf_counter()
    for each in running:
        each.join()
    took = time.perf_counter() - begun
    assert not any(each.exitcode for each in running)
    assert _deliver_what_is_left(place, carry) == 0
    return mails / took


def _work(config: Config, carry: Carry, ready: Barrier) -> None:
    """What a worker does until nothing is due, ready once it has looked."""
    sessions, provider = make_sessions(config), carry()
    with sessions() as session:
        session.connection()
    ready.wait(_PATIENCE)
    while deliver_due(config, sessions, provider):
        pass
    provider.close()
    sessions.kw["bind"].dispose()


def _deliver_what_is_left(place: Place, carry: Carry) -> int:
    provider = carry()
    left = deliver_due(place.config, place.sessions, provider)
    provider.close()
    return left


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


def _queue(place: Place, mails: int) -> None:
    with place.sessions() as session:
        for _ in range(mails):
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
