"""Mails filed per second, from stored bytes to a searchable message, beside parsing and one INSERT and commit each."""

import email
import random
import time
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from itertools import count

from benchmarks.filling import NOW, Writer
from benchmarks.measuring import Figure, Place, per_second
from concierge import blobs
from concierge.inbound.commands import accept_mail
from concierge.inbound.jobs import file_received

MAILS = 300
_numbers = count(1)
_writer = Writer()


def measure(place: Place) -> Iterator[Figure]:
    """Two figures: mails accepted (bytes synced, row committed), and mails filed by the worker's job."""
    store = blobs.open_store(place.config)

    def accept() -> int:
        for raw in sample():
            with place.sessions() as session:
                recipients = ["care@maison.example"]
                accept_mail(
                    session, store, raw, source="import", envelope_from="x@example.com", recipients=recipients, now=NOW
                )
                session.commit()
        return MAILS

    taken: list[float] = []

    def file_all() -> int:
        filed, began = 0, time.perf_counter()
        while done := file_received(place.config, place.sessions):
            filed += done
        taken.append(time.perf_counter() - began)
        assert filed == MAILS, filed
        return filed

    words, where = "compat32 parse, one INSERT, one commit", f"beside {place.size}"
    limit = _Bare(place)
    filed, bare = per_second(place, file_all, limit, accept)
    by_the_clock = MAILS / sorted(taken)[len(taken) // 2]
    beside = f"by the clock {by_the_clock:,.0f} a second: reading and filing go on beside each other, on two cores"
    yield Figure("mails filed", where, filed, bare, "mails/s", words, beside=beside)
    accepted, bare = per_second(place, accept, limit)
    while file_received(place.config, place.sessions):
        pass
    yield Figure("mails accepted", where, accepted, bare, "mails/s", words)


class _Bare:
    """What no program can be quicker than: parse with the quickest parser, keep one row, commit."""

    def __init__(self, place: Place) -> None:
        """Makes its own table."""
        self._engine = place.sessions.kw["bind"]
        self._mails = sample()
        with self._engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS bare (subject TEXT, body TEXT)")

    def __call__(self) -> int:
        connection = self._engine.raw_connection()
        cursor = connection.cursor()
        mark = "?" if self._engine.dialect.name == "sqlite" else "%s"
        for raw in self._mails:
            mail = email.message_from_bytes(raw, policy=policy.compat32)
            part = mail.get_payload(0) if mail.is_multipart() else mail
            body = bytes(part.get_payload(decode=True)).decode("utf-8", "replace")  # type: ignore[union-attr]
            if self._engine.dialect.name == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(f"INSERT INTO bare VALUES ({mark}, {mark})", (mail["Subject"], body))
            connection.commit()
        connection.close()
        return MAILS


def sample() -> list[bytes]:
    """Half of them text alone, half with HTML; each third one goes on where an earlier one of hers ended."""
    return [_mail(next(_numbers)) for _ in range(MAILS)]


def _mail(number: int) -> bytes:
    chance = random.Random(number)
    mail = EmailMessage(policy=policy.SMTP)
    who = number - 1 if number % 3 == 0 else number
    mail["From"] = f"Barbara Weiss <barbara{who}@example.com>"
    mail["To"] = "Maison <care@maison.example>"
    mail["Subject"] = f"{'Re: ' if who != number else ''}The turquoise sandals {who}"
    mail["Message-ID"] = f"<{number}@example.com>"
    mail["Date"] = "Tue, 12 May 2026 11:30:00 +0200"
    if who != number:
        mail["References"] = f"<{who}@example.com>"
    text = _writer.text(number)
    mail.set_content(f"Dear Nadia,\n\n{text}\n\nBarbara\n")
    if chance.random() < 0.5:
        mail.add_alternative(f"<p>Dear Nadia,</p><p>{text}</p><p>Barbara</p>", subtype="html")
    return mail.as_bytes()
