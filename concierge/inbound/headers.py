"""Header fields as they arrive: found in the bytes, unfolded, decoded (RFC 2047, RFC 2231) and cleaned."""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_tz
from functools import cached_property, lru_cache
from urllib.parse import unquote_to_bytes

from concierge.inbound.charsets import decode_text

MOST_HEADER_BYTES = 512 * 1024
MOST_VALUE_BYTES = 64 * 1024
MOST_FIELDS = 2_000
MOST_PARAMETERS = 100

_HEADER_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
# After the hour: "+0200" (RFC 5322, 3.3); "-0000" says that the zone is not told.
_OFFSET = re.compile(r":\d{2}\s+([+-]\d{4})\b")
# What programs write instead: "+01:00", "GMT+1", "UTC+0100", a zone's name, or all of ISO 8601.
_ODD_OFFSET = re.compile(r"(?<=\d)\s?(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?(?=\s*(?:\(|$))", re.IGNORECASE)
_ZONES = {
    **dict.fromkeys(("CET", "MEZ", "BST", "WEST"), "+0100"),
    **dict.fromkeys(("CEST", "MESZ", "EET"), "+0200"),
    **dict.fromkeys(("EEST", "MSK"), "+0300"),
    **dict.fromkeys(("JST", "KST"), "+0900"),
    "WET": "+0000",
}
_ZONE = re.compile(r"(?<=\d)\s+([A-Z]{3,4})(?=\s*(?:\(|$))")
_ISO_DATE = re.compile(r"\s*(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?\s*(Z|[+-]\d\d:?\d\d)?\s*")
_ENCODED_WORD = re.compile(
    rb"=\?([^?\s]{1,60})\?(?:[bB]\?([A-Za-z0-9+/=_\-\t\n\r ]*)|[qQ]\?([^?]*(?:\?(?!=)[^?]*){0,8}))\?="
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_FOLDED_LETTER = re.compile(rb"(=[0-9A-Fa-f])[ \t]{1,9}(?=[0-9A-Fa-f])")
_PADDED_WITHIN = re.compile(rb"=[ \t]*\r?\n[A-Za-z0-9+/]{4}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\r\n]")
_STRETCH = re.compile(rb"[A-Za-z0-9+/\r\n]+=*")
_ANGLED = re.compile(r"<([^<>\s\x00-\x1f\x7f-\x9f]{1,998})>")


@dataclass(frozen=True)
class Headers:
    """The fields of one part, in order: lower-cased name and raw value without line ends."""

    fields: tuple[tuple[str, bytes], ...] = ()
    cut: bool = False

    @cached_property
    def _by_name(self) -> dict[str, list[bytes]]:
        values: dict[str, list[bytes]] = {}
        for name, value in self.fields:
            values.setdefault(name, []).append(value)
        return values

    def first(self, name: str) -> bytes | None:
        """Return the first raw value of *name*."""
        values = self._by_name.get(name)
        return values[0] if values else None

    def all(self, name: str) -> Sequence[bytes]:
        """Return every raw value of *name*, in order."""
        return self._by_name.get(name, ())

    def text(self, name: str, charset: str | None = None) -> str:
        """Return the first value of *name* decoded and cleaned; empty when it is missing."""
        value = self.first(name)
        return decode_header(value, charset) if value else ""

    def token(self, name: str) -> str:
        """Return the first word of *name* in lower case, without comments and parameters."""
        text = self.text(name)
        return re.split(r"[;,(\s]", text.lower()[:200])[0] if text else ""


def split_message(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """Return the header fields of the mail or part at raw[start:end], and where its body begins.

    The header ends at the first empty line, or at the first line that can't be a field (as in the standard library).
    """
    end = len(raw) if end is None else end
    if raw[start : start + 1] in (b"\r", b"\n"):
        return Headers(), start + (2 if raw[start : start + 2] == b"\r\n" else 1)
    gap = _HEADER_END.search(raw, start, min(end, start + MOST_HEADER_BYTES))
    block_end = gap.start() if gap else min(end, start + MOST_HEADER_BYTES)
    headers, read = _split_fields(raw[start:block_end])
    if read < block_end - start:
        return headers, start + read
    return headers, gap.end() if gap else block_end


def _split_fields(block: bytes) -> tuple[Headers, int]:
    fields: list[tuple[str, list[bytes]]] = []
    cut = False
    for start, line in _lines(block):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(line)
        elif (match := _FIELD.match(line)) and len(fields) < MOST_FIELDS:
            fields.append((match.group(1).decode("ascii").lower(), [line[match.end() :]]))
        elif match:
            cut = True
        elif not (line.startswith((b"From ", b">From ")) or not line.strip()):
            return _headers(fields, cut), start
    return _headers(fields, cut), len(block)


def _lines(block: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    for end in _LINE_END.finditer(block):
        yield start, block[start : end.start()]
        start = end.end()
    yield start, block[start:]


def _headers(fields: list[tuple[str, list[bytes]]], cut: bool) -> Headers:
    joined = [(name, b"".join(pieces).strip(b" \t")) for name, pieces in fields]
    cut = cut or any(len(value) > MOST_VALUE_BYTES for _, value in joined)
    return Headers(tuple((name, value[:MOST_VALUE_BYTES]) for name, value in joined), cut)


def decode_header(value: bytes, charset: str | None = None) -> str:
    """Return a header *value* as one clean line: encoded words decoded, raw 8-bit read as *charset* or guessed."""
    if b"=?" not in value and value.isascii():
        return clean_line(value.decode("ascii"))
    return clean_line("".join(_decoded_pieces(value, charset)))


def _decoded_pieces(value: bytes, charset: str | None) -> Iterator[str]:
    """Neighbouring words join without the space between; same-charset neighbours may share one character's bytes."""
    position, label, run = 0, "", b""
    for match in _ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        word_label = match.group(1).split(b"*")[0].decode("ascii", "replace").lower()
        if label and (between.strip() or word_label != label):
            yield decode_text(run, label)
            label, run = "", b""
            between = between if between.strip() else b""
        elif label:
            between = b""
        if between:
            yield decode_text(between, charset)
        label, run, position = word_label, run + _word_bytes(match), match.end()
    if label:
        yield decode_text(run, label)
    yield decode_text(value[position:], charset)


def _word_bytes(match: re.Match[bytes]) -> bytes:
    base64, quoted = match.group(2), match.group(3)
    if base64 is not None:
        return decode_base64(base64)
    # Some fold a word in the middle of a letter.
    whole = _FOLDED_LETTER.sub(rb"\1", re.sub(rb"[\r\n]+", b"", quoted))
    return binascii.a2b_qp(whole, header=True)


def decode_base64(data: bytes) -> bytes:
    """Return the bytes of base64 *data*, whatever is wrong with its padding or alphabet."""
    # Written in stretches, each with a padding of its own.
    if _PADDED_WITHIN.search(data) and not _NOT_BASE64.search(data):
        return b"".join(map(_decode_stretch, _STRETCH.findall(data)))
    return _decode_stretch(data)


def _decode_stretch(data: bytes) -> bytes:
    for padding in (b"", b"=", b"=="):
        try:
            return binascii.a2b_base64(data + padding)
        except binascii.Error:
            continue
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return binascii.a2b_base64(letters[: len(letters) // 4 * 4])


def clean_line(text: str) -> str:
    """Return *text* as one line: spaces collapsed, no control, direction or invisible characters, no surrogates."""
    return " ".join(_UNSEEN.sub("", re.sub(r"[\s\x85\u2028\u2029]+", " ", text)).split(" ")).strip()


def read_parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """Return the main word of a Content-* *value* in lower case, and its parameters (RFC 2231 pieces joined)."""
    if not value:
        return "", {}
    pieces = _split_outside_quotes(value)
    main = clean_line(pieces[0].decode("latin-1")).lower()
    plain: dict[str, str] = {}
    numbered: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for piece in pieces[1 : MOST_PARAMETERS + 1]:
        name, _, raw = piece.partition(b"=")
        key = name.strip().decode("latin-1").lower()
        base, star, rest = key.partition("*")
        if star and (rest.rstrip("*").isdecimal() or not rest):
            index = int(rest.rstrip("*")[:4] or 0)
            encoded = rest.endswith("*") or not rest
            numbered.setdefault(base, {}).setdefault(index, (encoded, _unquote(raw)))
        else:
            plain.setdefault(key, decode_header(_unquote(raw)))
    plain.update({name: _join_numbered(parts) for name, parts in numbered.items()})
    return main, plain


def _split_outside_quotes(value: bytes) -> list[bytes]:
    """Split at semicolons that are in no quoted string; at most one piece more than may be read."""
    pieces: list[bytes] = []
    current: list[bytes] = []
    quoted = False
    for token in re.findall(rb'\\.|[";]|[^\\";]+|\\', value, re.DOTALL):
        if token == b";" and not quoted:
            pieces.append(b"".join(current))
            current = []
            if len(pieces) > MOST_PARAMETERS:
                break
            continue
        quoted ^= token == b'"'
        current.append(token)
    return [*pieces, b"".join(current)]


def _unquote(raw: bytes) -> bytes:
    raw = raw.strip()
    if not raw.startswith(b'"'):
        return raw.split(b" (", 1)[0].strip()
    closing = raw.rfind(b'"', 1)
    inside = raw[1 : closing if closing > 0 else len(raw)]
    # A file name with a Windows path keeps its backslashes: only a quote or a backslash can be escaped.
    return re.sub(rb'\\(["\\])', rb"\1", inside)


def _join_numbered(parts: dict[int, tuple[bool, bytes]]) -> str:
    """RFC 2231: `charset'language'percent-encoded`, in numbered pieces of which only some are encoded."""
    charset, joined = "utf-8", b""
    for position, index in enumerate(sorted(parts)):
        encoded, raw = parts[index]
        if encoded and position == 0 and raw.count(b"'") >= 2:
            label, _, raw = raw.split(b"'", 2)
            charset = label.decode("latin-1") or "utf-8"
        joined += unquote_to_bytes(raw) if encoded else raw
    return clean_line(decode_text(joined, charset))


def message_ids(text: str, most: int = 100) -> tuple[str, ...]:
    """Return the `<…>` tokens of *text* without brackets, in order, each once; of a long list the ends are kept."""
    found = tuple(dict.fromkeys(_ANGLED.findall(text)))
    return found if len(found) <= most else found[:10] + found[10 - most :]


def own_message_id(text: str) -> str | None:
    """Return the id of a Message-ID field: its `<…>` token, or the bare word some programs write."""
    if ids := message_ids(text):
        return ids[0]
    bare = text.strip().strip("<>")
    return bare if bare and len(bare) <= 998 and not re.search(r"\s", bare) else None


@lru_cache(maxsize=64)
def read_offset(text: str) -> int | None:
    """Return how many minutes ahead of UTC a Date field's clock was; None where it does not say, or nonsense."""
    found = _OFFSET.search(_plain_zone(text[:200]))
    if found is None or found[1] == "-0000":
        return None
    minutes = int(found[1][0] + "1") * (int(found[1][1:3]) * 60 + int(found[1][3:]))
    return minutes if minutes % 15 == 0 and -12 * 60 <= minutes <= 14 * 60 else None


def _plain_zone(text: str) -> str:
    """A Date field with its zone, and all of it, as RFC 5322 writes them."""
    if found := _ISO_DATE.fullmatch(text):
        try:
            moment = datetime.fromisoformat("".join(found.groups("")))
        except ValueError:
            return ""
        text = moment.strftime("%d %b %Y %H:%M:%S %z").strip()
    if (found := _ZONE.search(text)) and found[1] in _ZONES:
        return f"{text[: found.start()]} {_ZONES[found[1]]}"
    if found := _ODD_OFFSET.search(text):
        return f"{text[: found.start()]} {found[1]}{int(found[2]):02}{found[3] or '00'}"
    return text


def read_date(text: str) -> datetime | None:
    """Return a Date field as aware UTC, or None where it can't be understood or is no sane moment."""
    try:
        parts = parsedate_tz(_plain_zone(text[:200]))
        if parts is None or not 1971 <= parts[0] <= 9998:
            return None
        moment = datetime(*parts[:5], min(parts[5], 59), tzinfo=UTC)
        return datetime.fromtimestamp(moment.timestamp() - (parts[9] or 0), UTC)
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None
