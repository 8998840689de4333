"""Mails made to take a reader down, and wreckage (T08, T09, T14); some are too much, none may be fatal."""

import random
from collections.abc import Iterator

from tests.inbound.odd_mails.making import FROM, TO, Odd, b64, mail, multi, part, typed, whole


def odd_mails() -> Iterator[Odd]:
    """Mails that weigh."""
    yield from _headers()
    yield from _parts()
    yield from _markup()
    yield from _texts()
    yield from _wrecks()


def _headers() -> Iterator[Odd]:
    words = b"\r\n ".join([b"=?utf-8?Q?=C3=A8?="] * 24_000)
    yield Odd("bomb: a subject of 24,000 words", mail(b"Subject: " + words), {"flags": {"header-cut"}})
    parameters = b"".join(b"; p%d*0*=utf-8''x%%41" % i for i in range(16_000))
    yield Odd("bomb: 16,000 parameters", mail(b"Content-Type: text/plain" + parameters), {"text": "Hello"})
    yield Odd("bomb: brackets in To", mail(b"Cc: " + b"(" * 60_000), {"text": "Hello"})
    yield Odd("bomb: quotes in Cc", mail(b"Cc: " + b'"\\' * 30_000), {"text": "Hello"})
    yield Odd("bomb: open words", mail(b"Subject: " + b"=?a?Q?" * 10_000), {"text": "Hello"})
    yield Odd("bomb: angle brackets in References", mail(b"References: " + b"<" * 60_000), {"references": ()})
    fields = b"\r\n".join(b"X-%d: y" % i for i in range(30_000))
    yield Odd("bomb: 30,000 fields", mail(fields, b"Subject: s"), {"flags": {"header-cut"}})
    huge = mail(*(b"X-Big: " + b"y" * 900 for _ in range(1_200)))
    yield Odd("bomb: a header of a megabyte", huge, quarantine="huge-header")
    yield Odd("bomb: one line of ten megabytes", b"X-Big: " + b"y" * 10_000_000, quarantine="huge-header")
    folds = mail(b"Subject: a" + b"\r\n " * 100_000 + b"z")
    yield Odd("bomb: 100,000 folds", folds, {"text": "Hello"})


def _parts() -> Iterator[Odd]:
    flat = whole(multi("mixed", *[b"\r\nx"] * 50_000))
    yield Odd("bomb: 50,000 parts", flat, quarantine="too-complex")
    deep = part("text/plain", b"x")
    for level in range(300):
        deep = multi("mixed", deep, boundary=b"b%d" % level)
    yield Odd("bomb: 300 levels", whole(deep), quarantine="too-complex")
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(1_500))
    yield Odd("bomb: 1,500 levels, never closed", FROM + b"\r\n" + opened, quarantine="too-complex")
    files = multi("mixed", *[part("application/x-a; name=a", b"x")] * 10_000)
    yield Odd("bomb: 10,000 files", whole(files), quarantine="too-complex")
    allowed = multi("mixed", *[part("application/x-a; name=a.bin", b"x")] * 400)
    yield Odd("bomb: 400 files", whole(allowed), {"file_count": 400})
    nearly = b"Content-Type: multipart/mixed; boundary=abc"
    yield Odd("bomb: nearly boundaries", mail(nearly, body=b"--abcx\r\n" * 400_000), {"flags": {"no-boundary"}})
    inside = mail(nearly, body=b"x--abc\r\n" * 400_000)
    yield Odd("bomb: boundaries in mid-line", inside, {"flags": {"no-boundary"}})


def _markup() -> Iterator[Odd]:
    for name, html in (
        ("100,000 divs deep", b"<div>" * 100_000 + b"x"),
        ("tables in tables", (b"<table><tr>" + b"<td>a" * 20) * 60),
        ("four tables in each of four", _nested(6)),
        ("100,000 open tags", b"<a " * 100_000),
        ("open comments", b"<!--" * 200_000),
        ("open scripts", b"<script>" * 100_000),
        ("open angle brackets", b"<" * 500_000),
        ("30,000 quotes in quotes", b"<p>x</p>" + b"<blockquote type=cite>" * 30_000),
        ("30,000 quotes in a row", b"<p>x</p><div class=gmail_quote>y</div>" * 30_000),
        ("margins of a million lines", b"<p style='margin-top:99999999em'>x</p>"),
        ("a list that counts from 10^20", b"<ol start=99999999999999999999><li>x</ol>"),
        ("half a million entities", b"<p>" + b"&amp;" * 250_000),
        ("100,000 attributes", b"<p " + b"a=b " * 100_000 + b">x</p>"),
        ("cids without end", b"<img src='cid:" + b"cid:" * 100_000 + b"'>"),
    ):
        yield Odd(f"bomb: {name}", typed("text/html", html), {"html": "<"})


def _nested(depth: int) -> bytes:
    inner = b"x" if depth == 0 else _nested(depth - 1)
    return b"<table><tr>" + b"".join(b"<td>" + inner + b"</td>" for _ in range(4)) + b"</tr></table>"


def _texts() -> Iterator[Odd]:
    emoji = typed("text/plain; charset=utf-8", "👠".encode() * 5_000_000)
    yield Odd("bomb: 20 MB of emoji", emoji, {"text": "", "file_count": 1, "flags": {"long-text"}})
    yield Odd("bomb: UTF-7 that never ends", typed("text/plain; charset=utf-7", b"+" * 900_000), {"storable": True})
    noise = random.Random(7).randbytes(900_000)
    yield Odd("bomb: noise called Japanese", typed("text/plain; charset=iso-2022-jp", noise), {"storable": True})
    yield Odd("bomb: noise called nothing", typed("text/plain", noise), {"storable": True})
    yield Odd(
        "bomb: 200,000 lines that might begin a quote", mail(body=b"On a\r\nwrote:\r\n" * 60_000), {"text": "On a"}
    )
    yield Odd("bomb: quote and answer, 60,000 times", mail(body=b"> a\r\nb\r\n" * 60_000), {"text": "> a"})
    yield Odd("bomb: From: again and again", mail(body=b"From: x\r\n" * 60_000), {"text": "From: x"})
    large = whole(
        multi("mixed", part("application/x-a; name=a.bin", b64(noise * 20), b"Content-Transfer-Encoding: base64"))
    )
    yield Odd("bomb: a file of 18 MB", large, {"files": ["a.bin"]})


def _wrecks() -> Iterator[Odd]:
    yield Odd("wreck: no byte at all", b"", quarantine="empty-mail")
    yield Odd("wreck: spaces", b" \r\n \r\n", quarantine="empty-mail")
    yield Odd("wreck: no header", b"\r\nonly a body", quarantine="no-header")
    yield Odd("wreck: a form", b"--abc\r\nContent-Disposition: form-data\r\n\r\nx", quarantine="no-header")
    yield Odd("wreck: NULs", b"\0" * 10_000, quarantine="no-header")
    yield Odd("wreck: a JPEG", b"\xff\xd8\xff\xe0" + random.Random(8).randbytes(50_000), quarantine="no-header")
    whole_mail = whole(
        multi("mixed", part("text/plain", b"words"), part("application/pdf; name=a.pdf", b64(b"x" * 500)))
    )
    for share in (3, 5, 8):
        cut = whole_mail[: len(whole_mail) * share // 10]
        yield Odd(f"wreck: cut after {share} tenths", cut, {"sender_address": "barbara@example.com"})
    yield Odd(
        "wreck: header cut in a word", b"\r\n".join([FROM, TO, b"Subject: =?utf-8?B?UGV"]), {"subject": "=?utf-8?B?UGV"}
    )
