"""From lines that try to be somebody else's, or nobody's (T11)."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import Odd, mail

_CLEAR: list[tuple[str, bytes, str, str]] = [
    ("plain", b"barbara@example.com", "", "barbara@example.com"),
    ("name", b"Barbara  Rossi <barbara@example.com>", "Barbara Rossi", "barbara@example.com"),
    ("quoted name with a comma", b'"Rossi, Barbara" <barbara@example.com>', "Rossi, Barbara", "barbara@example.com"),
    ("unquoted name with a comma", b"Rossi, Barbara <barbara@example.com>", "Rossi, Barbara", "barbara@example.com"),
    ("name as a comment", b"barbara@example.com (Barbara Rossi)", "Barbara Rossi", "barbara@example.com"),
    ("coded name", b"=?utf-8?Q?Chlo=C3=A9?= <chloe@example.com>", "Chloé", "chloe@example.com"),
    ("coded name with a comma", b"=?utf-8?Q?Rossi,_Zo=C3=AB?= <zoe@example.com>", "Rossi, Zoë", "zoe@example.com"),
    ("coded name in quotes", b'"=?utf-8?Q?Chlo=C3=A9?=" <chloe@example.com>', "Chloé", "chloe@example.com"),
    ("raw 8-bit name", "Chloé <chloe@example.com>".encode("latin-1"), "Chloé", "chloe@example.com"),
    ("quotes in the name", b'"Barbara \\"Babi\\" Rossi" <b@example.com>', 'Barbara "Babi" Rossi', "b@example.com"),
    ("address as name", b"barbara@example.com <barbara@example.com>", "", "barbara@example.com"),
    ("nested comments", b"(a (b (c))) barbara@example.com", "a b c", "barbara@example.com"),
    ("an old route", b"<@relay.example,@b.example:barbara@example.com>", "", "barbara@example.com"),
    ("a plus", b"barbara+shoes@example.com", "", "barbara+shoes@example.com"),
    ("an apostrophe", b"o'neil@example.com", "", "o'neil@example.com"),
    ("a domain in its own letters", "zoë@bücher.example".encode(), "", "zoë@bücher.example"),
    ("a dot at the end", b"barbara@example.com.", "", "barbara@example.com"),
    ("a coded line end in the name", b"=?utf-8?Q?a=0AB?= <barbara@example.com>", "a B", "barbara@example.com"),
    ("coded name, no brackets", b"=?utf-8?Q?Chlo=C3=A9?= chloe@example.com", "Chloé", "chloe@example.com"),
    ("quoted name, no brackets", b'"Rossi, Barbara" barbara@example.com', "Rossi, Barbara", "barbara@example.com"),
    ("a group of one", b"Friends: barbara@example.com;", "", "barbara@example.com"),
]
_DOUBTFUL: list[tuple[str, bytes, str]] = [
    ("a bracket between two addresses", b"barbara@example.com)mallory@evil.example", "unclear-sender"),
    ("two in brackets", b"<barbara@example.com>:<mallory@evil.example>", "unclear-sender"),
    ("two in brackets, side by side", b"<barbara@example.com><mallory@evil.example>", "unclear-sender"),
    ("two people", b"barbara@example.com, mallory@evil.example", "several-senders"),
    ("two words", b"barbara@example.com mallory@evil.example", "unclear-sender"),
    ("an address behind the brackets", b"<mallory@evil.example> barbara@example.com", "unclear-sender"),
    ("a word before, no brackets", b"Barbara rossi@example.com", "unclear-sender"),
    ("a coded name behind, no brackets", b"barbara@example.com =?utf-8?Q?Chlo=C3=A9?=", "unclear-sender"),
    ("an address as coded name, no brackets", b"=?utf-8?Q?a=40b.example?= barbara@example.com", "unclear-sender"),
    ("an address as quoted name, no brackets", b'"a@b.example" barbara@example.com', "unclear-sender"),
    ("a coded name and two, no brackets", b"=?utf-8?Q?A?= barbara@example.com m@evil.example", "unclear-sender"),
    ("two at signs", b"barbara@example.com@evil.example", "unclear-sender"),
    ("an open bracket", b"Barbara <barbara@example.com", "unclear-sender"),
    ("an open quote", b'"Barbara <barbara@example.com>', "unclear-sender"),
    ("an open comment", b"barbara@example.com (hello", "unclear-sender"),
    ("no address", b"Barbara Rossi", "unclear-sender"),
    ("empty brackets", b"Barbara <>", "unclear-sender"),
    ("a space in the address", b"<barbara rossi@example.com>", "unclear-sender"),
    ("a NUL in the address", b"<barbara\x00@example.com>", "unclear-sender"),
    ("a backslash", b"barbara\\@example.com", "unclear-sender"),
    ("a domain of dots", b"barbara@..", "unclear-sender"),
    ("a quoted local part", b'"barbara rossi"@example.com', "unclear-sender"),
    ("brackets without end", b"<" * 3_000, "unclear-sender"),
]


def odd_mails() -> Iterator[Odd]:
    """Mails by their From line."""
    for name, value, shown, address in _CLEAR:
        raw = mail(b"Subject: s", sender=b"From: " + value)
        yield Odd(f"from: {name}", raw, {"sender_name": shown, "sender_address": address})
    for name, value, flag in _DOUBTFUL:
        raw = mail(b"Subject: s", sender=b"From: " + value)
        yield Odd(f"from: {name}", raw, {"sender_address": None, "flags": {flag}})
    yield from _missing()
    yield from _disguised()


def _missing() -> Iterator[Odd]:
    nobody = mail(b"Subject: s", sender=b"")
    yield Odd("from: none, and no envelope", nobody, {"sender_address": None, "flags": {"no-from"}})
    empty = mail(b"Subject: s", sender=b"From: ")
    yield Odd("from: empty", empty, {"sender_address": None, "flags": {"no-from"}})
    stand_in = mail(b"Sender: barbara@example.com", sender=b"")
    yield Odd("from: none, but a sender", stand_in, {"sender_address": "barbara@example.com", "flags": {"no-from"}})
    path = mail(b"Return-Path: <barbara@example.com>", sender=b"")
    yield Odd("from: none, but a return path", path, {"sender_address": "barbara@example.com"})
    two = mail(b"From: mallory@evil.example", sender=b"From: barbara@example.com")
    yield Odd("from: two lines that differ", two, {"sender_address": None, "flags": {"several-froms"}})
    twice = mail(b"From: barbara@example.com", sender=b"From: barbara@example.com")
    yield Odd("from: the same line twice", twice, {"sender_address": "barbara@example.com"})


def _disguised() -> Iterator[Odd]:
    hers = {"sender_address": "mallory@evil.example", "sender_name": "", "flags": {"name-is-address"}}
    for name, value in (
        ("another's address as name", b'"barbara@example.com" <mallory@evil.example>'),
        ("another's address as a coded name", b"=?utf-8?Q?barbara=40example.com?= <mallory@evil.example>"),
        ("another's name and address", b'"Barbara Rossi barbara@example.com" <mallory@evil.example>'),
        ("another's address before the brackets", b"barbara@example.com <mallory@evil.example>"),
    ):
        yield Odd(f"from: {name}", mail(b"Subject: s", sender=b"From: " + value), hers)
    half = mail(b"Subject: s", sender=b"From: nadia @ maison <mallory@evil.example>")
    yield Odd("from: half an address as name", half, {"sender_address": "mallory@evil.example", "sender_name": ""})
