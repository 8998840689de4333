"""Header fields as programs, gateways and mischief write them."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import Odd, b64, mail


def odd_mails() -> Iterator[Odd]:
    """Mails with odd headers."""
    for name, raw, subject in _SUBJECTS:
        yield Odd(f"subject: {name}", mail(b"Subject: " + raw), {"subject": subject})
    yield from _ids()
    yield from _dates()
    yield from _shapes()


_SUBJECTS: list[tuple[str, bytes, str]] = [
    ("words in Q", b"=?utf-8?Q?Perch=C3=A9_no=3F?=", "Perché no?"),
    ("words in B", b"=?utf-8?B?UGVyY2jDqSBubz8=?=", "Perché no?"),
    ("small letters q and b", b"=?utf-8?q?a?= =?utf-8?b?Yg==?=", "ab"),
    ("neighbours join without a space", b"=?utf-8?Q?turque?=\r\n =?utf-8?Q?se?=", "turquese"),
    ("plain beside coded", b"Re: =?utf-8?Q?Perch=C3=A9?= mai", "Re: Perché mai"),
    ("one letter in two words", b"=?utf-8?Q?caff=C3?= =?utf-8?Q?=A8?=", "caffè"),
    ("one letter in two base64 words", b"=?utf-8?B?Y2FmZsM=?= =?utf-8?B?qA==?=", "caffè"),
    ("two charsets side by side", b"=?iso-8859-1?Q?caff=E8?= =?utf-8?Q?_=E2=82=AC?=", "caffè €"),
    ("Japanese in pieces", b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?iso-2022-jp?B?GyRCOGwbKEI=?=", "日本語"),
    ("Chinese called gb2312", b"=?gb2312?B?" + b64("買鞋".encode("gb18030")).strip() + b"?=", "買鞋"),
    ("language in the word", b"=?utf-8*it?Q?citt=C3=A0?=", "città"),
    ("a fold inside a letter of Q", b"=?utf-8?Q?caff=C3=A8=C\r\n 3=A8?=", "caffèè"),
    ("spaces inside Q", b"=?utf-8?Q?una citt=C3=A0 bella?=", "una città bella"),
    ("question marks inside Q", b"=?utf-8?Q?Davvero???=", "Davvero??"),
    ("no padding", b"=?utf-8?B?UGVyY2jDqSBubz8?=", "Perché no?"),
    ("an unknown charset", b"=?x-none?Q?Perch=C3=A9?=", "Perché"),
    ("a broken word", b"=?utf-8?X?abc?= rest", "=?utf-8?X?abc?= rest"),
    ("a word that never ends", b"=?utf-8?Q?abc", "=?utf-8?Q?abc"),
    ("raw UTF-8", "Sandali perché sì".encode(), "Sandali perché sì"),
    ("raw Latin-1", "Perché sì".encode("latin-1"), "Perché sì"),
    ("raw Latin-1 beside a word", b"=?utf-8?Q?=E2=82=AC?= citt\xe0", "€ città"),
    ("a coded line end that adds a header", b"=?utf-8?Q?hi=0D=0ABcc:_evil=40x?=", "hi Bcc: evil@x"),
    ("coded NUL and bell", b"=?utf-8?Q?a=00b=07c?=", "abc"),
    ("coded NEL and separators", b"=?utf-8?B?" + b64("a\x85b\u2028c".encode()).strip() + b"?=", "a b c"),
    ("writing turned around", "abc\u202egnp.exe".encode(), "abcgnp.exe"),
    ("invisible letters", "s\u200bo\u2060ld".encode(), "sold"),
    ("a surrogate", b"=?utf-8?Q?x=ED=A0=80y?=", "xí €y"),
    ("UTF-16 words", b"=?utf-16?B?" + b64("ciao".encode("utf-16")).strip() + b"?=", "ciao"),
    ("tabs and folds", b"a\tb\r\n\tc\r\n   d", "a b c d"),
    ("only spaces", b"   ", ""),
    ("emoji", "Grazie 👠🇮🇹".encode(), "Grazie 👠🇮🇹"),
    ("a thousand and more letters", b"x" * 3_000, "x" * 1_000),
]


def _ids() -> Iterator[Odd]:
    yield Odd("id: none", mail(b"Subject: s"), {"message_id": None})
    yield Odd("id: empty", mail(b"Message-ID: "), {"message_id": None})
    yield Odd("id: no brackets", mail(b"Message-ID: abc@x"), {"message_id": "abc@x"})
    yield Odd("id: words around it", mail(b"Message-ID: hello <abc@x> there"), {"message_id": "abc@x"})
    yield Odd("id: folded", mail(b"Message-ID:\r\n <abc@x>"), {"message_id": "abc@x"})
    yield Odd("id: longer than any database key", mail(b"Message-ID: <" + b"a" * 2_000 + b"@x>"), {"message_id": None})
    yield Odd("id: spaces inside", mail(b"Message-ID: <a b@x>"), {"message_id": None})
    two = mail(b"Message-ID: <a@x>", b"Message-ID: <b@x>")
    yield Odd("id: two of them", two, {"message_id": "a@x", "flags": {"two-message-ids"}})
    references = mail(b"References: <a@x>\r\n <b@x><c@x> junk <d@x", b"In-Reply-To: Your mail of <c@x>")
    yield Odd("id: references with junk", references, {"references": ("a@x", "b@x", "c@x"), "in_reply_to": ("c@x",)})
    many = mail(b"References: " + b" ".join(b"<%d@x>" % i for i in range(2_000)))
    yield Odd("id: two thousand references", many, {"last_reference": "1999@x", "reference_count": 100})


def _dates() -> Iterator[Odd]:
    for name, date, seen in (
        ("honest", b"Tue, 12 May 2026 09:30:00 +0200", "2026-05-12T07:30:00+00:00"),
        ("no weekday, old zone", b"12 May 2026 09:30 EST", "2026-05-12T14:30:00+00:00"),
        ("two-digit year", b"12 May 26 09:30:00 GMT", "2026-05-12T09:30:00+00:00"),
        ("the thirty-second", b"32 May 2026 09:30:00 +0000", None),
        ("nonsense", b"yesterday, I think", None),
        ("a zone from nowhere", b"Tue, 12 May 2026 09:30:00 +9999999999", None),
        ("a year before mail", b"Mon, 1 Jan 0900 00:00:00 +0000", None),
        ("a leap second", b"Thu, 31 Dec 2026 23:59:60 +0000", "2026-12-31T23:59:59+00:00"),
        ("empty", b"", None),
    ):
        yield Odd(f"date: {name}", mail(b"Date: " + date), {"sent_at": seen})


def _shapes() -> Iterator[Odd]:
    yield Odd("header: line feeds only", mail(b"Subject: s").replace(b"\r\n", b"\n"), {"subject": "s", "text": "Hello"})
    yield Odd(
        "header: carriage returns only", mail(b"Subject: s").replace(b"\r\n", b"\r"), {"subject": "s", "text": "Hello"}
    )
    yield Odd("header: an mbox line first", b"From barbara Tue May 12\r\n" + mail(b"Subject: s"), {"subject": "s"})
    yield Odd("header: spaces before the colon", mail(b"Subject : s"), {"subject": "s"})
    yield Odd("header: names in capitals", mail(b"SUBJECT: s"), {"subject": "s"})
    yield Odd(
        "header: no body at all", mail(b"Subject: s").removesuffix(b"\r\n\r\nHello"), {"subject": "s", "text": ""}
    )
    yield Odd(
        "header: a line that is none", mail(b"Subject: s", b"this is no field"), {"subject": "s", "text": "Hello"}
    )
    yield Odd("header: a fold of spaces only", mail(b"Subject: a\r\n \r\n b"), {"subject": "a b"})
    two = mail(b"Subject: first", b"Subject: second")
    yield Odd("header: two subjects", two, {"subject": "first", "flags": {"two-subjects"}})
    twice = mail(b"Subject: same", b"Subject: same")
    yield Odd("header: the same subject twice", twice, {"subject": "same", "no_flags": {"two-subjects"}})
    inside = mail(b"X-Other: a\rSubject: hidden", b"Subject: s")
    yield Odd("header: a bare carriage return inside", inside, {"flags": {"two-subjects"}})
    staff = mail(b"X-Concierge-Editor: nadia", b"X-RT-Control: close", b"Subject: s")
    yield Odd("header: orders for the machine", staff, {"subject": "s", "kind": "human"})  # T24
    hundred = mail(*(b"Received: from a by b; x" for _ in range(300)), b"Subject: s")
    yield Odd("header: three hundred stations", hundred, {"subject": "s"})
    long = mail(b"To: " + b", ".join(b"p%d@example.com" % i for i in range(3_000)), b"Subject: s")
    yield Odd("header: three thousand recipients", long, {"subject": "s", "to_count": 500})
