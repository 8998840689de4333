"""Mail by programs whose makers read no RFC: a careful person sees what they meant all the same."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import FROM, Odd, b64, mail, multi, part, typed, whole

_DATES: list[tuple[str, bytes]] = [
    ("ISO 8601", b"2026-05-12T10:12:00+02:00"),
    ("ISO 8601 with a space", b"2026-05-12 10:12:00 +0200"),
    ("a colon in the zone", b"Tue, 12 May 2026 10:12:00 +02:00"),
    ("a zone's name", b"Tue, 12 May 2026 10:12:00 CEST"),
    ("a zone's German name", b"Tue, 12 May 2026 10:12:00 MESZ"),
    ("hours from Greenwich", b"Tue, 12 May 2026 10:12:00 GMT+2"),
    ("Tokyo", b"Tue, 12 May 2026 17:12:00 JST"),
]
# A few words are a language's where they can be no other's; a name alone is none's.
_SHORT: list[tuple[str | None, str]] = [
    *(
        ("it", "Sì, grazie"),
        ("fr", "Merci beaucoup"),
        ("de", "Danke schön, das passt"),
        ("it", "Sono perfetti, li prendo"),
    ),
    *(
        ("ja", "承知いたしました"),
        (None, "Anna Verdi"),
        (None, "ok"),
        (None, "37"),
        (None, "https://shop.example/ginevra"),
    ),
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
    yield from _alternatives()
    yield from _named()
    for language, words in _SHORT:
        raw = typed("text/plain; charset=utf-8", words.encode())
        yield Odd(f"a few words: {words}", raw, {"language": language})


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


def _alternatives() -> Iterator[Odd]:
    html = part("text/html; charset=utf-8", b"<p>Do you have the <b>san</b>dals in turquoise, size 37?</p>")
    stubs = ("Your mail program does not support HTML.", "This is a multi-part message in MIME format.",
             "Questa e-mail è in formato HTML.", "このメールはHTMLメールです。")  # fmt: skip
    for stub in stubs:
        raw = whole(multi("alternative", part("text/plain; charset=utf-8", stub.encode()), html))
        yield Odd(f"says only that it is HTML: {stub}", raw, {"text": "in turquoise, size 37?", "not_in_text": stub})
    asks = part("text/plain", b"Can you read this message in HTML format?")
    yield Odd("asks about HTML", whole(multi("alternative", asks, html)), {"text": "Can you read this"})
    other = part("text/plain", b"Please transfer three hundred euro tomorrow morning")
    yield Odd("two texts that differ", whole(multi("alternative", other, html)), {"flags": {"texts-differ"}})
    same = part("text/plain", b"Do you have the sandals\r\nin turquoise, size 37? <https://long.example/one/two/three>")
    yield Odd("two texts that say the same", whole(multi("alternative", same, html)), {"no_flags": {"texts-differ"}})
    accents = part("text/html; charset=utf-8", b"<p>Perch&eacute; citt&agrave; cos&igrave; gi&agrave; trib&ugrave;</p>")
    plain = part("text/plain; charset=utf-8", "Perché città così già tribù".encode())
    yield Odd("two spellings of one text", whole(multi("alternative", plain, accents)), {"no_flags": {"texts-differ"}})


def _named() -> Iterator[Odd]:
    words = part('text/plain; name="text_0.txt"', b"From my telephone")
    smil = part("application/smil", b"<smil/>")
    yield Odd("a telephone's letter has a name", whole(multi("related", smil, words)), {"text": "From my telephone"})
    first = part("text/plain", b"The letter")
    with_file = whole(multi("mixed", first, words))
    yield Odd("a named text beside the letter", with_file, {"text": "The letter", "files": ["text_0.txt"]})
    sent = part("text/plain; name=a.txt", b"A file", b"Content-Disposition: attachment")
    yield Odd("a file alone is a file", whole(multi("mixed", sent)), {"text": "", "files": ["a.txt"]})
    yield Odd("enriched text", typed("text/enriched", b"<bold>Hello</bold> <<3"), {"text": "Hello <3", "files": []})
