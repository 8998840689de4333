"""Mails read per second by the parser, beside the standard library's own, which leaves most of it undone."""

import email
from collections.abc import Iterator
from email import policy

from benchmarks.filing import MAILS, sample
from benchmarks.measuring import Figure, Place, per_second
from concierge.inbound.parsed import ParsedMail
from concierge.inbound.parsing import parse_mail

HOUSES = ("small",)


def measure(place: Place) -> Iterator[Figure]:
    """One figure: in this very process, without the child and its pipe, which belong to filing."""
    if place.name != "SQLite":
        return  # no database has a part in it
    mails = sample()

    def ours() -> int:
        assert all(isinstance(parse_mail(raw), ParsedMail) for raw in mails)
        return MAILS

    def bare() -> int:
        for raw in mails:
            for part in email.message_from_bytes(raw, policy=policy.compat32).walk():
                part.get_payload(decode=True)
        return MAILS

    ours()  # the language's model is loaded once
    read, parsed = per_second(place, ours, bare)
    words = "compat32, which decodes no header, no charset and no page"
    yield Figure("mails read", "text, and text with HTML", read, parsed, "mails/s", words)
