"""Mail by programs whose makers read no RFC: a careful person sees what they meant all the same."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import FROM, Odd, b64, mail, typed

_DATES: list[tuple[str, bytes]] = [
    ("ISO 8601", b"2026-05-12T10:12:00+02:00"),
    ("ISO 8601 with a space", b"2026-05-12 10:12:00 +0200"),
    ("a colon in the zone", b"Tue, 12 May 2026 10:12:00 +02:00"),
    ("a zone's name", b"Tue, 12 May 2026 10:12:00 CEST"),
    ("a zone's German name", b"Tue, 12 May 2026 10:12:00 MESZ"),
    ("hours from Greenwich", b"Tue, 12 May 2026 10:12:00 GMT+2"),
    ("Tokyo", b"Tue, 12 May 2026 17:12:00 JST"),
]
_NO_DATES = (b"2026-13-12T10:12:00Z", b"2026-02-30 10:12", b"+9999999")
_NAMES: list[tuple[bytes, bytes, str]] = [
    (b"VERDI ANNA", b"Ciao\r\n\r\nGrazie,\r\nAnna", "Anna"),
    (b"info", b"Danke\r\n\r\nMit freundlichen Gr=FC=DFen\r\nDr. Petra Schmidt", "Petra"),
    (b"Familie Schmidt", b"x", ""),
    (b"The Smiths", b"x", ""),
    (b"Signora Bianchi", b"x", ""),
    (b"Mr John Smith", b"x", "John"),
]


def odd_mails() -> Iterator[Odd]:
    """Mails of careless programs."""
    for name, date in _DATES:
        yield Odd(f"careless date: {name}", mail(b"Date: " + date), {"sent_at": "2026-05-12T08:12:00+00:00"})
    for date in _NO_DATES:
        yield Odd(f"no date: {date.decode()}", mail(b"Date: " + date), {"sent_at": None, "text": "Hello"})
    for name, words, first in _NAMES:
        raw = b"\r\n".join(
            (b"From: " + name + b" <b@x.example>", b"Content-Type: text/plain; charset=iso-8859-1",
             b"Content-Transfer-Encoding: quoted-printable", b"", words)
        )  # fmt: skip
        yield Odd(f"careless name: {name.decode()}", raw, {"first_name": first})
    yield from _encodings()
    yield from _beginnings()


def _encodings() -> Iterator[Odd]:
    plain = "text/plain; charset=utf-8"
    coded = b64("città bella".encode())
    yield Odd("base64 with a list's footer", typed(plain, coded + b"\r\n-- \r\nThe list", encoding="base64"),
              {"text": "città bella\n-- \nThe list"})  # fmt: skip
    footer = b"\r\n_______________________________\r\nList mailing list"
    yield Odd(
        "base64 with a ruled footer", typed(plain, coded + footer, encoding="base64"), {"text": "città bella\n___"}
    )
    words = b"Do you have the sandals in 37, please?\r\nAnna"
    yield Odd("words that are called base64", typed(plain, words, encoding="base64"), {"text": "sandals in 37"})
    yield Odd("base64 with rubbish", typed(plain, b"Y2l0\r\n  dMOg!!\r\n", encoding="base64"), {"text": "città"})
    yield Odd("base64 written base-64", typed(plain, coded, encoding="base-64"), {"text": "città bella"})
    yield Odd("a missing hyphen", typed(plain, b"citt=C3=A0", encoding="quotedprintable"), {"text": "città"})


def _beginnings() -> Iterator[Odd]:
    first = {"sender_address": "barbara@example.com", "text": "Hello"}
    yield Odd("empty lines before the header", b"\r\n\r\n" + mail(), first)
    yield Odd("a mark of UTF-8 before the header", b"\xef\xbb\xbf" + mail(), first)
    yield Odd("an empty line before words", b"\r\nNote: please call me\r\n\r\nAnna", quarantine="no-header")
    link = b"From: Barbara <mailto:barbara@example.com>"
    yield Odd("a link for an address", mail(sender=link), first)
    yield Odd(
        "a link that is two addresses", mail(sender=FROM + b", <mailto:m@evil.example>"), {"sender_address": None}
    )
