"""Parts in parts: honest trees, broken ones, and those two programs read differently (T10)."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import PNG, Odd, b64, mail, multi, part, picture, typed, whole
from tests.inbound.odd_mails.packing import attribute, file_of, properties, winmail

_PLAIN = part("text/plain; charset=utf-8", b"plain words")
_HTML = part("text/html; charset=utf-8", b"<p>html <b>words</b></p>")
_PDF = part(
    "application/pdf",
    b64(b"%PDF-1.7"),
    b"Content-Transfer-Encoding: base64",
    b'Content-Disposition: attachment; filename="a.pdf"',
)


def odd_mails() -> Iterator[Odd]:
    """Mails by their structure."""
    yield from _honest()
    yield from _broken()
    yield from _ambiguous()
    yield from _pictures()
    yield from _enclosed()


def _honest() -> Iterator[Odd]:
    both = {"text": "plain words", "html": "<b>words</b>"}
    yield Odd("alternative", whole(multi("alternative", _PLAIN, _HTML)), both | {"files": []})
    yield Odd("alternative, HTML first", whole(multi("alternative", _HTML, _PLAIN)), both)
    inner = multi("alternative", _PLAIN, _HTML, boundary=b"inner")
    yield Odd("mixed around alternative", whole(multi("mixed", inner, _PDF)), both | {"files": ["a.pdf"]})
    apple = multi("alternative", _PLAIN, multi("mixed", _HTML, _PDF, part("text/html", b"<i>end</i>"), boundary=b"m"))
    yield Odd("Apple's files inside an alternative", whole(apple), both | {"html": "<i>end</i>", "files": ["a.pdf"]})
    parts = multi("mixed", _PLAIN, picture(), part("text/plain", b"below the picture"))
    yield Odd("words, picture, words", whole(parts), {"text": "below the picture", "files": ["shoe.png"]})
    footer = multi("mixed", _HTML, part("text/plain", b"-- list & footer"))
    yield Odd("HTML with a list's footer", whole(footer), {"html": "list &amp; footer", "text": "list & footer"})
    signed = multi("signed", _PLAIN, part("application/pgp-signature; name=s.asc", b"-----BEGIN PGP"))
    yield Odd("signed", whole(signed), {"text": "plain words", "files": ["s.asc"]})
    calendar = multi("alternative", _PLAIN, part("text/calendar; method=REQUEST", b"BEGIN:VCALENDAR"))
    yield Odd("an invitation", whole(calendar), {"text": "plain words", "files": ["invitation.ics"]})
    event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=it:Prova\\, abito \r\n da sera\r\nDTSTART;TZID=Europe/Rome:20260512T100000\r\nEND:VEVENT\r\nEND:VCALENDAR"
    meeting = multi("mixed", _PLAIN, part("text/calendar; method=REQUEST; name=invite.ics", event.encode()))
    yield Odd("an invitation to something", whole(meeting), {"files": ["Prova, abito da sera 2026-05-12 10.00.ics"]})
    broken = multi("mixed", _PLAIN, part("text/calendar", event.replace("20260512", "20269999").encode()))
    yield Odd("an invitation for no day", whole(broken), {"files": ["Prova, abito da sera.ics"]})
    amp = multi("alternative", _PLAIN, part("text/x-amp-html", b"<html amp>"), _HTML)
    yield Odd("a live mail", whole(amp), both | {"files": []})
    yield Odd("HTML only", typed("text/html", b"<p>ciao<br>bella</p>"), {"text": "ciao\nbella", "html": "<p>"})
    yield Odd("a file only", whole(multi("mixed", _PDF)), {"text": "", "files": ["a.pdf"]})
    alone = typed("application/pdf; name=a.pdf", b64(b"%PDF"), encoding="base64")
    yield Odd("a file without a multipart", alone, {"text": "", "files": ["a.pdf"]})
    digest = multi("digest", b"\r\nSubject: one\r\n\r\nx", b"\r\nSubject: two\r\n\r\ny")
    yield Odd("a digest", whole(digest), {"files": ["one.eml", "two.eml"]})


def _broken() -> Iterator[Odd]:
    open_end = whole(multi("mixed", _PLAIN, _PDF, end=b""))
    yield Odd("broken: never closed", open_end, {"text": "plain words", "files": ["a.pdf"], "flags": {"not-closed"}})
    nowhere = mail(b"Content-Type: multipart/mixed; boundary=zzz", body=b"words without a boundary")
    yield Odd(
        "broken: the boundary never comes", nowhere, {"text": "words without a boundary", "flags": {"no-boundary"}}
    )
    none = mail(b"Content-Type: multipart/mixed", body=b"words")
    yield Odd("broken: no boundary declared", none, {"text": "words", "flags": {"no-boundary"}})
    other = whole(multi("mixed", _PLAIN, _PDF)).replace(b'boundary="=_bound"', b"boundary=other")
    yield Odd(
        "broken: another boundary declared",
        other,
        {"text": "plain words", "files": ["a.pdf"], "flags": {"guessed-boundary"}},
    )
    lost = whole(multi("alternative", _PLAIN, _HTML)).replace(b'; boundary="=_bound"', b"")
    yield Odd("broken: its boundary lost", lost, {"html": "<b>words</b>", "flags": {"guessed-boundary"}})
    empty = mail(b'Content-Type: multipart/mixed; boundary=""', body=b"words")
    yield Odd("broken: an empty boundary", empty, {"text": "words", "flags": {"no-boundary"}})
    nothing = whole(multi("mixed"))
    yield Odd("broken: no parts", nothing, {"text": "", "flags": {"no-boundary"}})
    yield Odd("broken: an unreadable type", mail(b'Content-Type: /;;="', body=b"words"), {"text": "words"})
    joined = mail(b"Content-Type: text/html Content-Transfer-Encoding: 8bit", body=b"<p>a <b>b</b></p>")
    yield Odd("broken: a type and what ought to be the next line", joined, {"text": "a b"})
    yield Odd("broken: a type of one word", mail(b"Content-Type: text", body=b"words"), {"text": "words"})
    yield Odd("broken: an unknown encoding", typed("text/plain", b"words", encoding="x-zip"), {"text": "words"})
    yield Odd("broken: base64 with junk", typed("text/plain", b"d29y!!ZHM", encoding="base64"), {"text": "words"})
    cut = typed("text/plain", b"d29yZHM5x", encoding="base64")
    yield Odd("broken: base64 cut short", cut, {"text": "words"})
    stretches = typed("text/plain", b64(b"first ") + b64(b"second") + b64(b"!!"), encoding="base64")
    yield Odd(
        "broken: base64 in stretches", stretches.replace(b"Zmlyc3Qg", b"Zmlyc3QgIA=="), {"text": "first  second!!"}
    )
    quoted = typed("text/plain", b"caf=C3=A9 =ZZ =", encoding="quoted-printable")
    yield Odd("broken: quoted-printable with junk", quoted, {"text": "café =ZZ"})
    uu = typed("text/plain", b"begin 644 a.txt\n%=V]R9', \n`\nend\n", encoding="x-uuencode")
    yield Odd("broken: uuencode", uu, {"text": "words"})
    spaces = whole(multi("mixed", _PLAIN)).replace(b"--=_bound\r\n", b"--=_bound  \t\r\n")
    yield Odd("broken: spaces behind the boundary", spaces, {"text": "plain words"})
    feeds = whole(multi("alternative", _PLAIN, _HTML)).replace(b"\r\n", b"\n")
    yield Odd("broken: line feeds only", feeds, {"text": "plain words", "html": "<b>"})
    mixed_ends = whole(multi("mixed", _PLAIN, _PDF)).replace(b"\r\n--=_bound\r\n", b"\n--=_bound\n")
    yield Odd("broken: both kinds of line ends", mixed_ends, {"text": "plain words", "files": ["a.pdf"]})


def _ambiguous() -> Iterator[Odd]:
    two = mail(b"Content-Type: text/plain", b"Content-Type: text/html", body=b"<b>x</b>")
    yield Odd("ambiguous: two content types", two, {"text": "<b>x</b>", "flags": {"two-content-types"}})
    encodings = mail(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: 7bit", body=b"d29yZHM=")
    yield Odd("ambiguous: two encodings", encodings, {"text": "words", "flags": {"two-encodings"}})
    boundaries = b"Content-Type: multipart/mixed; boundary=one; boundary=two"
    raw = mail(boundaries, body=b"--one\r\n\r\nfirst\r\n--one--\r\n--two\r\n\r\nsecond\r\n--two--")
    yield Odd("ambiguous: two boundaries", raw, {"text": "first"})
    late = whole(multi("mixed", _PLAIN)) + b"\r\n--=_bound\r\n" + _PDF + b"\r\n--=_bound--"
    yield Odd("ambiguous: parts after the end", late, {"files": ["a.pdf"], "flags": {"parts-after-end"}})
    prefix = multi("mixed", multi("alternative", _PLAIN, _HTML, boundary=b"=_bound-in"), _PDF)
    yield Odd("ambiguous: one boundary begins another", whole(prefix), {"text": "plain words", "files": ["a.pdf"]})
    same = multi("mixed", multi("alternative", _PLAIN, _HTML), _PDF)
    yield Odd("ambiguous: the same boundary inside", whole(same), {"text": "plain words", "files": ["a.pdf"]})
    texts = multi("alternative", _PLAIN, part("text/plain", b"other words"), _HTML)
    yield Odd("ambiguous: two texts", whole(texts), {"text": "other words", "flags": {"second-text"}})
    named = multi("mixed", part("text/plain; name=notes.txt", b"notes"), _PLAIN)
    yield Odd("ambiguous: a text with a name", whole(named), {"text": "plain words", "files": ["notes.txt"]})
    lines = mail(
        b'Content-Type: multipart/mixed;\r\n boundary="=_b"', body=b"pre\r\n--=_b\r\n\r\nin\r\n--=_b--\r\npost"
    )
    yield Odd("ambiguous: words before and after", lines, {"text": "in"})


def _packed() -> Iterator[Odd]:
    """Outlook's winmail.dat, made by the format's description."""
    name = "Größen.pdf".encode("utf-16-le") + b"\0\0"
    file = file_of(
        properties([(0x3707, 0x1F, name), (0x370E, 0x1E, b"application/pdf\0")]), b"%PDF-1.7", title=b"GROES~1.PDF\0"
    )
    both = winmail(file, file_of(b"", b"notes", title=b"notes.txt\0"))
    yield Odd(
        "packed: two files",
        _with(both),
        {"text": "plain words", "files": ["Größen.pdf", "notes.txt"], "no_flags": {"winmail"}},
    )
    octet = part("application/octet-stream; name=winmail.dat", b64(both), b"Content-Transfer-Encoding: base64")
    yield Odd("packed: under any type", whole(multi("mixed", _PLAIN, octet)), {"files": ["Größen.pdf", "notes.txt"]})
    html = winmail(
        attribute(1, 0x9007, (65001).to_bytes(8, "little")),
        attribute(1, 0x9003, properties([(0x1013, 0x102, "<p>Città</p>".encode())])),
    )
    alone = typed("application/ms-tnef; name=winmail.dat", b64(html), encoding="base64")
    yield Odd("packed: the letter as well", alone, {"text": "Città", "html": "<p>Città</p>", "files": []})
    text = typed("application/ms-tnef", b64(winmail(attribute(1, 0x800C, b"words \xe0\0"))), encoding="base64")
    yield Odd("packed: a letter of words", text, {"text": "words à", "files": []})
    within = winmail(file_of(b"", b"inner", title=b"inner.txt\0"), attribute(1, 0x800C, b"inner words\0"))
    interface = bytes.fromhex("0703020000000000c000000000000046")
    mail_within = file_of(properties([(0x3701, 0x0D, interface + within), (0x3001, 0x1E, b"Fwd\0")]), b"")
    yield Odd("packed: a mail within", _with(winmail(mail_within)), {"files": ["Fwd.txt", "inner.txt"]})
    for number, broken in enumerate(
        (both[:-9], both[:60], winmail(*[file_of(b"", b"x")] * 300), winmail(attribute(2, 0x9005, b"\xff" * 9)))
    ):
        yield Odd(
            f"packed: broken {number}",
            _with(broken),
            {"text": "plain words", "files": ["winmail.dat"], "flags": {"winmail"}},
        )


def _with(packed: bytes) -> bytes:
    tnef = part("application/ms-tnef; name=winmail.dat", b64(packed), b"Content-Transfer-Encoding: base64")
    return whole(multi("mixed", _PLAIN, tnef))


def _pictures() -> Iterator[Odd]:
    shows = part("text/html", b'<p>Look <img src="cid:p1@x"></p>')
    related = multi("related", shows, picture(b"p1@x"))
    yield Odd("picture: shown by its cid", whole(related), {"inline": ["shoe.png"]})
    attached = multi("related", shows, picture(b"p1@x", disposition=b"attachment"))
    yield Odd("picture: shown, though called attachment", whole(attached), {"inline": ["shoe.png"]})
    unused = multi("mixed", part("text/html", b"<p>no picture</p>"), picture(b"p1@x"))
    yield Odd("picture: called inline, but not shown", whole(unused), {"inline": [], "files": ["shoe.png"]})
    coded = multi("related", part("text/html", b"<img src=cid:p%31@x>"), picture(b"p1@x"))
    yield Odd("picture: its cid is percent-encoded", whole(coded), {"inline": ["shoe.png"]})
    svg = part(
        "image/svg+xml", b"<svg onload=alert(1)>", b"Content-ID: <p1@x>", b"Content-Disposition: inline; filename=x.svg"
    )
    yield Odd("picture: an SVG", whole(multi("related", shows, svg)), {"files": ["x.svg"]})
    page = part("text/html; name=evil.html", b"<script>1</script>", b"Content-ID: <p1@x>")
    yield Odd(
        "picture: a page in its place", whole(multi("related", shows, page)), {"inline": [], "files": ["evil.html"]}
    )
    same = multi("mixed", _PLAIN, picture(name=b"a.png"), picture(name=b"a.png"))
    yield Odd("picture: two of one name", whole(same), {"files": ["a.png", "a.png"]})
    for place, name in (
        (b"IMG_1.png", "IMG_1.png"),
        (b"https://x.example/a.png", "picture.png"),
        (b"p1", "picture.png"),
    ):
        located = part("image/png", b64(PNG), b"Content-Transfer-Encoding: base64", b"Content-Location: " + place)
        yield Odd(f"picture: located at {place.decode()}", whole(multi("mixed", _PLAIN, located)), {"files": [name]})
    page = part("text/html", b"<p>Hello</p>", b"Content-Location: index.html")
    yield Odd("picture: a letter that is located", whole(multi("related", page)), {"text": "Hello", "files": []})
    yield Odd("picture: is the mail", typed("image/png", b64(PNG), encoding="base64"), {"files": ["picture.png"]})


def _enclosed() -> Iterator[Odd]:
    inner = b"Subject: =?utf-8?Q?Citt=C3=A0?=\r\nFrom: x@y.example\r\n\r\ninner words"
    forwarded = multi("mixed", _PLAIN, part("message/rfc822", inner))
    yield Odd("enclosed: a mail", whole(forwarded), {"text": "plain words", "files": ["Città.eml"]})
    alone = mail(b"Content-Type: message/rfc822", body=inner)
    yield Odd("enclosed: is the mail", alone, {"files": ["Città.eml"]})
    deep = inner
    for _ in range(40):
        deep = b"Content-Type: message/rfc822\r\n\r\n" + deep
    yield Odd("enclosed: forty times", mail(body=b"").removesuffix(b"\r\n\r\n") + b"\r\n" + deep, {"file_count": 1})
    yield from _packed()
    tnef = part("application/ms-tnef; name=winmail.dat", b64(b"\x78\x9f\x3e\x22"), b"Content-Transfer-Encoding: base64")
    yield Odd(
        "enclosed: winmail.dat", whole(multi("mixed", _PLAIN, tnef)), {"files": ["winmail.dat"], "flags": {"winmail"}}
    )
    sealed = typed("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b64(b"x"), encoding="base64")
    yield Odd("enclosed: encrypted", sealed, {"files": ["smime.p7m"], "flags": {"encrypted"}})
    zipped = part(
        "application/zip; name=bomb.zip", b64(b"PK\x05\x06" + b"\0" * 18), b"Content-Transfer-Encoding: base64"
    )
    yield Odd("enclosed: a zip is never opened", whole(multi("mixed", _PLAIN, zipped)), {"files": ["bomb.zip"]})  # T14
    for depth in (10, 45):
        tree = _PLAIN
        for level in range(depth):
            tree = multi("mixed", tree, boundary=b"b%d" % level)
        yield Odd(f"enclosed: {depth} multiparts deep", whole(tree), {"text": "plain words"})
