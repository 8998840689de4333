"""Bytes of any charset, honestly labelled or not, into clean text."""

import codecs
import re
from functools import lru_cache

from charset_normalizer import from_bytes

# What mail programs call a charset → the codec that really reads what they write.
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "unicode-1-1-utf-7": "utf_7",
    "utf8mb4": "utf_8",
    "cp-850": "cp850",
    "windows-31j": "cp932",
}
_WESTERN = {"ascii", "iso8859-1", "cp1252"}
_UNDECLARED = {"", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "unknown", "default", "binary", "x-user-defined"}
# Python codecs that are no charsets of mail; some of them are slow or make surrogates.
_NO_CHARSETS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
# Where nothing is declared, the guess stays among charsets mail is really written in.
_LIKELY = (
    *("cp1252", "cp1251", "koi8_r", "iso8859_2", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_GUESS_SAMPLE = 8_192
_OF_PAIRS = {"gb18030", "gbk", "gb2312", "cp932", "shift_jis", "euc_jp", "euc_jis_2004", "big5", "big5hkscs", "cp949"}
# So many foreign letters, each well-formed, are no accident.
_SURELY = 4
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff]")
_NEWLINES = re.compile("\r\n|\r|\x85|\u2028|\u2029")


def decode_text(data: bytes, declared: str | None) -> str:
    """Return *data* as text: by its declared charset, else UTF-8, else a guess; never raises, never a surrogate."""
    return clean_text(_decode(data, _label(declared)))


def clean_text(text: str) -> str:
    """Return *text* with plain newlines and without control characters or surrogates (tabs and newlines stay)."""
    return _UNWANTED.sub("", _NEWLINES.sub("\n", text))


@lru_cache(maxsize=256)
def codec_for(label: str) -> str | None:
    """Return the name of the codec that reads charset *label*, or None when there is none."""
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
        b"?".decode(name)  # LookupError for zlib, base64 and their like, which are no charsets
    except UnicodeError:
        pass
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name


def _label(declared: str | None) -> str:
    label = (declared or "").strip(" \t\"'<>").lower()
    return label if len(label) <= 40 and label.isascii() and label.isprintable() else ""


def _decode(data: bytes, label: str) -> str:
    if label in _UNDECLARED or (codec := codec_for(label)) is None:
        return _decode_undeclared(data)
    if codec == "iso2022_jp":
        return _decode_iso2022_jp(data)
    if codec in _WESTERN:
        return _decode_western(data)
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        return _decode_damaged(data, codec)
    return _hidden_utf8(data, codec) or text


def _hidden_utf8(data: bytes, codec: str) -> str:
    """UTF-8 under another label, as many a program writes it that was translated: no other text is by chance."""
    try:
        text = "" if data.isascii() else data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    # Two letters of Chinese, Japanese or Korean may look like two of UTF-8's shorter ones.
    least = "\u07ff" if codec in _OF_PAIRS else "\x7f"
    return text if sum(character > least for character in text[:_GUESS_SAMPLE]) >= _SURELY else ""


def _decode_undeclared(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\x1b$" in data or b"\x1b(" in data:
        return _decode_iso2022_jp(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_damaged(data, "utf-8")


def _decode_western(data: bytes) -> str:
    """Latin-1 as every mail program means it, Windows-1252; and UTF-8 where it hides under that label."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _decode_damaged(data: bytes, codec: str) -> str:
    """*data* is not clean *codec*: a few broken bytes are marked, a wrong label is replaced by the best guess."""
    marked = data.decode(codec, "replace")
    foreign = sum(character > "\x7f" for character in marked[:_GUESS_SAMPLE])
    broken = marked[:_GUESS_SAMPLE].count("\ufffd")
    if codec != "utf-8" and (text := _hidden_utf8(data, codec)):
        return text
    # Letters that are right by accident are rare in UTF-8, common elsewhere.
    if broken * (3 if codec == "utf-8" else 10) <= foreign:
        return marked
    if codec != "utf-8":
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return _guess(data, marked)


def _guess(data: bytes, otherwise: str) -> str:
    """Ask charset-normalizer about the lines that are not ASCII; short texts are taken for Windows-1252."""
    foreign = b"\n".join(line for line in data[:200_000].splitlines() if not line.isascii())[:_GUESS_SAMPLE]
    if len(foreign) < 40:
        return _decode_western(data)
    matches = from_bytes(foreign, cp_isolation=list(_LIKELY))
    if not len(matches):
        return otherwise
    likeliest = {name for match in matches if match.chaos == matches[0].chaos for name in match.could_be_from_charset}
    return data.decode("cp1252" if "cp1252" in likeliest else matches[0].encoding, "replace")


_JIS_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJI]|\$\([A-Q])")


def _decode_iso2022_jp(data: bytes) -> str:
    """ISO-2022-JP as it is written: with the vendors' characters the standard has not (via the Shift JIS plane)."""
    try:
        return data.decode("iso2022_jp")
    except UnicodeDecodeError:
        pass
    pieces = _JIS_ESCAPE.split(data)
    text = [pieces[0].decode("ascii", "replace")]
    for escape, run in zip(pieces[1::2], pieces[2::2], strict=True):
        text.append(_decode_jis_run(escape, run))
    return "".join(text)


def _decode_jis_run(escape: bytes, run: bytes) -> str:
    if escape in (b"$@", b"$B"):
        return b"".join(_shift(run[i : i + 2]) for i in range(0, len(run), 2)).decode("cp932", "replace")
    if escape == b"(I":
        return bytes(byte | 0x80 for byte in run).decode("cp932", "replace")
    return run.decode("ascii", "replace")


def _shift(pair: bytes) -> bytes:
    """One two-byte JIS X 0208 code as Shift JIS; line breaks and leftovers pass as they are."""
    if len(pair) < 2 or pair[0] < 0x21 or pair[1] < 0x21:
        return pair
    row, cell = pair[0], pair[1]
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    trail = cell + 0x7E if row % 2 == 0 else cell + (0x1F if cell < 0x60 else 0x20)
    return bytes((lead & 0xFF, trail & 0xFF))
