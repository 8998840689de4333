"""File names, quotes, signatures, and HTML as it is met."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import Odd, mail, multi, part, typed, whole


def odd_mails() -> Iterator[Odd]:
    """Mails by what is in them."""
    for name, header, seen in _NAMES:
        file = part("application/pdf", b"%PDF", b"Content-Disposition: attachment; " + header)
        yield Odd(f"file name: {name}", whole(multi("mixed", part("text/plain", b"see file"), file)), {"files": [seen]})
    for name, text, above in _FOLDS:
        seen = {"above_fold": above, "text": text.split("\n")[0]}
        yield Odd(f"fold: {name}", typed("text/plain; charset=utf-8", text.encode()), seen)
    for name, html, above in _HTML_FOLDS:
        yield Odd(f"fold: {name}", typed("text/html; charset=utf-8", html.encode()), {"html_above_fold": above})
    yield from _texts()


_NAMES: list[tuple[str, bytes, str]] = [
    ("plain", b"filename=a.pdf", "a.pdf"),
    ("quoted", b'filename="a b.pdf"', "a b.pdf"),
    ("a semicolon inside", b'filename="a;b.pdf"', "a;b.pdf"),
    ("a folder before it", b'filename="../../etc/passwd"', "passwd"),
    ("a Windows folder before it", b'filename="C:\\Users\\b\\a.pdf"', "a.pdf"),
    ("encoded word", b'filename="=?utf-8?Q?fattura_n=C2=B01.pdf?="', "fattura n°1.pdf"),
    ("RFC 2231", b"filename*=utf-8''%E2%82%AC%20rates.pdf", "€ rates.pdf"),
    ("RFC 2231 in pieces", b"filename*0*=utf-8''%E2%82; filename*1*=%AC.p; filename*2=df", "€.pdf"),
    ("RFC 2231 pieces out of order", b"filename*1=b.pdf; filename*0=a", "ab.pdf"),
    ("RFC 2231 beats the plain one", b"filename=x.pdf; filename*=utf-8''y.pdf", "y.pdf"),
    ("RFC 2231 of an unknown charset", b"filename*=x-none''caf%C3%A9.pdf", "café.pdf"),
    ("raw 8-bit", 'filename="perché.pdf"'.encode(), "perché.pdf"),
    ("line ends coded in", b"filename*=utf-8''a%0D%0AX-Evil:%201.pdf", "a X-Evil_ 1.pdf"),
    ("writing turned around", 'filename="abc\u202efdp.exe"'.encode(), "abcfdp.exe"),
    ("only dots", b'filename=".."', "document.pdf"),
    ("empty", b'filename=""', "document.pdf"),
    ("three hundred letters", b'filename="' + b"a" * 300 + b'.pdf"', "a" * 146 + ".pdf"),
    ("an open quote", b'filename="a.pdf', "a.pdf"),
    ("brackets and quotes", b'filename="a<b>\\"c.pdf"', "a_b__c.pdf"),
]

_FOLDS: list[tuple[str, str, str]] = [
    (
        "Gmail in English",
        "Yes please\n\nOn Tue, 12 May 2026 at 10:12, Nadia <care@x.example> wrote:\n\n> Dear",
        "Yes please",
    ),
    (
        "Gmail in Italian",
        "Sì\n\nIl giorno mar 12 mag 2026 alle ore 10:12 Nadia <\ncare@x.example> ha scritto:\n\n> Cara",
        "Sì",
    ),
    ("Gmail in French", "Oui\n\nLe mar. 12 mai 2026 à 10:12, Nadia <care@x.example> a écrit :\n\n> Chère", "Oui"),
    ("Gmail in German", "Ja\n\nAm Di., 12. Mai 2026 um 10:12 Uhr schrieb Nadia <care@x.example>:\n\n> Liebe", "Ja"),
    ("Gmail in Spanish", "Sí\n\nEl mar, 12 may 2026 a las 10:12, Nadia (<care@x.example>) escribió:\n\n> Hola", "Sí"),
    (
        "Apple on a phone",
        "Yes\n\nSent from my iPhone\n\n> On 12 May 2026, at 10:12, Nadia <n@x> wrote:\n> \n> Dear",
        "Yes",
    ),
    (
        "Apple in Italian",
        "Sì\n\nInviato da iPhone\n\n> Il giorno 12 mag 2026, alle ore 10:12, N <n@x> ha scritto:\n> Cara",
        "Sì",
    ),
    (
        "Outlook in English",
        "Yes\n\nFrom: Nadia <n@x>\nSent: Tuesday\nTo: Barbara\nSubject: Sandals\n\nDear Barbara",
        "Yes",
    ),
    (
        "Outlook in Italian",
        "Sì\n\nDa: Nadia <n@x>\nInviato: martedì\nA: Barbara\nOggetto: Sandali\n\nCara Barbara",
        "Sì",
    ),
    ("Outlook in German", "Ja\n\nVon: Nadia <n@x>\nGesendet: Dienstag\nAn: Barbara\nBetreff: Sandalen\n\nLiebe", "Ja"),
    ("Outlook in French", "Oui\n\nDe : Nadia <n@x>\nEnvoyé : mardi\nÀ : Barbara\nObjet : Sandales\n\nChère", "Oui"),
    ("Outlook with a line", "Yes\n\n" + "_" * 32 + "\nFrom: N <n@x>\nSent: now\nTo: B\nSubject: S\n\nDear", "Yes"),
    ("Outlook of old", "Yes\n\n-----Original Message-----\nFrom: N <n@x>\n\nDear", "Yes"),
    ("a signature", "See you soon\n\n-- \nBarbara Rossi\n+39 055", "See you soon"),
    ("quote marks alone", "Yes, the blue ones\n\n> which colour?\n> blue?", "Yes, the blue ones"),
    ("below the quote", "> which colour?\n\nThe blue ones, please", ""),
    ("between the quotes", "On 12 May, N <n@x> wrote:\n> colour?\nblue\n> size?\n36", ""),
    ("nothing but a quote", "> which colour?\n> blue?", ""),
    ("no quote at all", "From my window I see: the sea\nTo be there: bliss", ""),
    ("a language we don't speak", "Tak\n\nW dniu 12.05.2026 o 10:12, Nadia pisze:\n> Dzień", "Tak"),
]

_HTML_FOLDS: list[tuple[str, str, str]] = [
    (
        "Gmail's HTML",
        '<div>Yes</div><div class="gmail_quote">On … wrote:<blockquote>Dear</blockquote></div>',
        "<div>Yes</div>",
    ),
    ("Apple's HTML", '<div>Yes</div><blockquote type="cite">Dear</blockquote>', "<div>Yes</div>"),
    (
        "Outlook's HTML",
        '<div>Yes</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From</div>',
        "<div>Yes</div>",
    ),
    (
        "desktop Outlook's HTML",
        '<p>Yes</p><div><div style="border:none;border-top:solid #E1E1E1 1pt"><b>From:</b> N</div></div>Dear',
        "<p>Yes</p>",
    ),
    (
        "Thunderbird's HTML",
        '<p>Yes</p><div class="moz-cite-prefix">On …:</div><blockquote type="cite">Dear</blockquote>',
        "<p>Yes</p>",
    ),
    ("HTML that is all quote", '<div class="gmail_quote">forwarded</div>', ""),
]


def _texts() -> Iterator[Odd]:
    yield Odd("empty", mail(body=b""), {"text": "", "flags": {"empty"}})
    yield Odd("only spaces", mail(body=b" \r\n\r\n \t"), {"flags": {"empty"}})
    flowed = typed("text/plain; format=flowed", b"This is \r\none line.\r\n> a quote \r\n> goes on\r\n-- \r\nsig")
    yield Odd("flowed lines", flowed, {"text": "This is one line.\n> a quote goes on\n-- \nsig"})
    spaced = typed("text/plain; format=flowed; delsp=yes", b"sanda \r\nli")
    yield Odd("flowed lines, spaces off", spaced, {"text": "sandali"})
    yield Odd("one line of 100,000", mail(body=b"x" * 100_000), {"text": "xxx"})
    yield Odd("100,000 empty lines", mail(body=b"a" + b"\r\n" * 100_000 + b"b"), {"text": "a"})
    yield Odd("a line with a dot", mail(body=b"a\r\n.\r\nb"), {"text": "a\n.\nb"})
    yield Odd("a From line inside", mail(body=b"a\r\n\r\nFrom here on\r\nb"), {"text": "From here on"})
    yield Odd("HTML without words", typed("text/html", b"<html><body><br></body></html>"), {"text": ""})
    script = typed("text/html", b"<p>ciao</p><script>alert('x')</script><style>p{}</style>")
    yield Odd("HTML with a script", script, {"text": "ciao", "not_in_text": "alert"})
    hidden = typed("text/html", b"<div style='display:none'>preheader</div><p>words</p>")
    yield Odd("HTML with hidden words", hidden, {"text": "words", "not_in_text": "preheader"})
    xml = typed("text/html", b'<?xml version="1.0" encoding="utf-8"?><html><p>caff\xc3\xa8</p></html>')
    yield Odd("HTML that is XML", xml, {"text": "caffè"})
    yield Odd("HTML never closed", typed("text/html", b"<p>a<b>b<i>c<table><tr><td>d"), {"text": "abc"})
    table = typed("text/html", b"<table><tr><td>Name</td><td>Barbara</td></tr></table>")
    yield Odd("HTML of a table", table, {"text": "Barbara"})
    entities = typed("text/html", b"<p>caff&egrave; &euro;36 &#128096;</p>")
    yield Odd("HTML of entities", entities, {"text": "caffè €36 👠"})
