"""Letters in every charset, honestly labelled, mislabelled or not labelled at all."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import Odd, b64, mail, typed

_IT = "Perché la città è così? Più tardi, €36."
_RU = "Здравствуйте, есть ли ещё бирюзовые сандалии в размере тридцать шесть?"
_JA = "こんにちは、ターコイズのサンダルはまだありますか。よろしくお願いします。"
_ZH = "你好，请问三十六号的绿松石凉鞋还有吗？谢谢。"
_TW = "您好，請問三十六號的綠松石涼鞋還有嗎？謝謝。"
_KO = "안녕하세요, 청록색 샌들 36 사이즈가 아직 있나요?"
_EL = "Καλημέρα, υπάρχουν ακόμα τα τιρκουάζ σανδάλια στο 36;"
_HE = "שלום, האם הסנדלים בצבע טורקיז עדיין במלאי במידה שלושים ושש?"
_AR = "مرحبا، هل لا يزال الصندل الفيروزي متوفرا بمقاس ستة وثلاثين؟"
_PL = "Dzień dobry, czy są jeszcze turkusowe sandały w rozmiarze 36? Dziękuję."
_TR = "Merhaba, turkuaz sandaletler 36 numara hâlâ var mı? Teşekkürler, İpek."
_TH = "สวัสดีค่ะ รองเท้าแตะสีฟ้าไซส์ 36 ยังมีไหมคะ"

# (label, the codec its bytes are really made with, the words)
_HONEST = [
    ("us-ascii", "ascii", "Plain words."),
    ("utf-8", "utf-8", _IT),
    ("UTF8", "utf-8", _IT),
    ('"utf-8"', "utf-8", _IT),
    ("utf-16", "utf-16", _IT),
    ("utf-16le", "utf-16-le", _IT),
    ("utf-16be", "utf-16-be", _IT),
    ("utf-32", "utf-32", _IT),
    ("utf-7", "utf-7", _IT),
    ("unicode-1-1-utf-7", "utf-7", _IT),
    ("iso-8859-15", "iso-8859-15", _IT),
    ("windows-1252", "cp1252", _IT),
    ("cp1252", "cp1252", _IT),
    ("macintosh", "mac-roman", _IT),
    ("cp850", "cp850", "Perché così"),
    ("koi8-r", "koi8-r", _RU),
    ("koi8-u", "koi8-u", _RU),
    ("windows-1251", "cp1251", _RU),
    ("iso-8859-5", "iso-8859-5", _RU),
    ("iso-2022-jp", "iso2022_jp", _JA),
    ("shift_jis", "shift_jis", _JA),
    ("x-sjis", "cp932", "①髙島屋の㈱"),
    ("euc-jp", "euc_jp", _JA),
    ("gb2312", "gb18030", "買 龘 " + _ZH),
    ("gbk", "gbk", _ZH),
    ("gb18030", "gb18030", _ZH),
    ("hz-gb-2312", "hz", "你好"),
    ("big5", "big5", _TW),
    ("big5-hkscs", "big5hkscs", _TW),
    ("ks_c_5601-1987", "cp949", _KO),
    ("euc-kr", "euc_kr", _KO),
    ("iso-2022-kr", "iso2022_kr", _KO),
    ("windows-1253", "cp1253", _EL),
    ("iso-8859-7", "iso-8859-7", _EL),
    ("windows-1255", "cp1255", _HE),
    ("iso-8859-8-i", "iso-8859-8", _HE),
    ("windows-1256", "cp1256", _AR),
    ("iso-8859-2", "iso-8859-2", _PL),
    ("windows-1250", "cp1250", _PL),
    ("windows-1254", "cp1254", _TR),
    ("iso-8859-9", "iso-8859-9", _TR),
    ("tis-620", "tis-620", _TH),
]

_LIED = [
    ("us-ascii", "utf-8", _IT, "UTF-8 under the name of ASCII"),
    ("iso-8859-1", "utf-8", _IT, "UTF-8 under the name of Latin-1"),
    ("iso-8859-1", "cp1252", _IT, "Windows quotes under the name of Latin-1"),
    ("utf-8", "cp1252", _IT, "Latin-1 under the name of UTF-8"),
    ("gb2312", "utf-8", _ZH, "UTF-8 under the name of Chinese"),
    ("gb2312", "utf-8", "凉鞋还有", "UTF-8 that is good Chinese under the name of Chinese"),
    ("gb2312", "gb18030", "联通", "Chinese that is good UTF-8"),
    ("windows-1251", "utf-8", _RU, "UTF-8 under the name of Russian"),
    ("iso-8859-2", "utf-8", _PL, "UTF-8 under the name of Polish"),
    ("x-unknown", "utf-8", _IT, "an unknown charset"),
    ("zlib", "utf-8", _IT, "a codec that is no charset"),
    ("idna", "utf-8", _IT, "a codec that is slow"),
    ("unicode_escape", "utf-8", r"C:\ud800 " + _IT, "a codec that makes surrogates"),
    ("utf-8\x00", "utf-8", _IT, "a NUL in the charset"),
    ("é" * 30, "utf-8", _IT, "letters in the charset"),
    ("x" * 5_000, "utf-8", _IT, "a charset of five thousand letters"),
    ("koi8-r-foo", "koi8-r", _RU, "Russian under no known name"),
    ("none", "cp1251", _RU, "Russian of Windows under no known name"),
    ("none", "gb18030", _ZH * 3, "Chinese under no known name"),
    ("none", "cp932", _JA * 3, "Japanese under no known name"),
    ("none", "cp1252", _IT, "Italian under no known name"),
]


def odd_mails() -> Iterator[Odd]:
    """Letters by charset."""
    for label, codec, words in _HONEST:
        raw = typed(f"text/plain; charset={label}", b64(words.encode(codec)), encoding="base64")
        yield Odd(f"charset {label}", raw, {"text": words})
    for label, codec, words, why in _LIED:
        yield Odd(f"charset: {why}", typed(f"text/plain; charset={label}", words.encode(codec)), {"text": words})
    yield Odd("charset: none declared, UTF-8", mail(body=_IT.encode()), {"text": _IT})
    yield Odd("charset: none declared, Latin-1", mail(body="Perché no".encode("latin-1")), {"text": "Perché no"})
    yield Odd("charset: none declared, Japanese escapes", mail(body=_JA.encode("iso2022_jp")), {"text": _JA})
    yield Odd("charset: iso-2022-jp with vendors' characters", _vendor_japanese(), {"text": "①日本"})
    broken = _IT.encode() + b"\xe2\x82"
    yield Odd("charset: UTF-8 cut in the middle of a letter", typed("text/plain; charset=utf-8", broken), {"text": _IT})
    yield Odd("charset: UTF-8 with a BOM", typed("text/plain; charset=utf-8", b"\xef\xbb\xbfCiao"), {"text": "Ciao"})
    yield Odd("charset: NULs between the letters", mail(body=b"C\0i\0a\0o\0"), {"text": "Ciao"})
    yield Odd("charset: control characters", mail(body=b"a\x01b\x08c\x1b[31md\x7f"), {"text": "abc[31md"})
    surrogate = typed("text/plain; charset=utf-8", b"x \xed\xa0\x80 y")
    yield Odd("charset: a surrogate in UTF-8", surrogate, {"text": "x", "storable": True})
    yield Odd(
        "charset: every byte there is", typed("text/plain; charset=utf-8", bytes(range(256)) * 20), {"storable": True}
    )
    yield Odd("charset: line and paragraph separators", mail(body="a\u2028b\u2029c".encode()), {"text": "a\nb\nc"})


def _vendor_japanese() -> bytes:
    return typed("text/plain; charset=iso-2022-jp", b"\x1b$B\x2d\x21\x46\x7c\x4b\x5c\x1b(B", encoding="7bit")
