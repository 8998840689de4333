"""What Outlook packs into a winmail.dat (MS-OXTNEF): files, and the letter where it stands nowhere else.

Nothing in it is compressed but the letter's rich text, which is read only where it holds the words alone, and bounded:
what else comes out is never larger than what came in, and each byte is looked at once. No living library reads it (see
decision 6).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from concierge.inbound.rtf import NotRtf, read_rtf, unpack_rtf

MOST_FILES = 200
_MOST_PROPERTIES = 2_000
_DEEPEST = 3
_SIGNATURE = 0x223E9F78
# Its head and one attribute.
_SMALLEST = 6 + 9 + 2

_RENDERING, _TITLE, _DATA, _PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_MESSAGE_PROPERTIES, _BODY, _CODEPAGE = 0x9003, 0x800C, 0x9007
_ATTACHMENT_LEVEL = 2

_LONG_NAME, _SHORT_NAME, _SHOWN_NAME, _MIME, _CID, _OBJECT = 0x3707, 0x3704, 0x3001, 0x370E, 0x3712, 0x3701
_RTF = 0x1009
_TEXT, _HTML, _INTERNET_CODEPAGE, _SUBJECT = 0x1000, 0x1013, 0x3FDE, 0x0037

_STRING8, _UNICODE, _OBJECT_TYPE, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
# The size of one value of a type; four bytes at least.
_SIZES = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_MESSAGE_INTERFACE = bytes.fromhex("0703020000000000c000000000000046")


class NotTnef(Exception):
    """These bytes are no winmail.dat, or a broken one."""


@dataclass
class PackedFile:
    """A file in it: the name and type its sender gave, unchecked."""

    name: str = ""
    content_type: str = ""
    cid: str = ""
    data: bytes = b""


@dataclass
class Packed:
    """What was in it; `html` as bytes in `charset`, for programs write any charset there, names in `names_charset`."""

    files: list[PackedFile] = field(default_factory=list)
    text: str = ""
    html: bytes = b""
    charset: str = "cp1252"
    names_charset: str = "cp1252"
    subject: str = ""


def is_tnef(data: bytes) -> bool:
    """Whether *data* begins as a winmail.dat does."""
    return data[:4] == struct.pack("<I", _SIGNATURE)


def unpack(data: bytes, *, depth: int = 0) -> Packed:
    """Return what is packed in *data*; raises NotTnef, also where it holds more than MOST_FILES."""
    packed = Packed()
    try:
        for level, name, value in _attributes(data):
            if level == _ATTACHMENT_LEVEL:
                _take_file(packed, name, value, depth)
            else:
                _take_letter(packed, name, value)
    except (struct.error, IndexError, UnicodeError, LookupError) as error:
        raise NotTnef from error
    return packed


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    if not is_tnef(data) or len(data) < _SMALLEST:
        raise NotTnef
    position = 6
    while position < len(data):
        level, kind, size = struct.unpack_from("<BII", data, position)
        value = data[position + 9 : position + 9 + size]
        if len(value) < size:
            raise NotTnef
        yield level, kind & 0xFFFF, value
        position += 9 + size + 2  # a checksum follows, which many programs get wrong


def _take_letter(packed: Packed, name: int, value: bytes) -> None:
    if name == _CODEPAGE:
        packed.charset = packed.names_charset = _charset(struct.unpack_from("<I", value)[0])
    elif name == _BODY:
        packed.text = packed.text or _string(value, packed.charset)
    elif name == _MESSAGE_PROPERTIES:
        found = dict(_properties(value, packed.charset))
        packed.text = str(found.get(_TEXT, "")) or packed.text
        packed.subject = str(found.get(_SUBJECT, ""))
        html, codepage = found.get(_HTML, b""), found.get(_INTERNET_CODEPAGE)
        packed.html = html if isinstance(html, bytes) else str(html).encode("utf-8")
        if isinstance(codepage, int) and packed.html:
            packed.charset = _charset(codepage) if isinstance(html, bytes) else "utf-8"
        if not packed.text and not packed.html:
            _take_rich_text(packed, found.get(_RTF))


def _take_rich_text(packed: Packed, rtf: object) -> None:
    if not isinstance(rtf, bytes):
        return
    try:
        words, is_html = read_rtf(unpack_rtf(rtf))
    except NotRtf:
        return
    if is_html:
        packed.html, packed.charset = words.encode("utf-8", "replace"), "utf-8"
    else:
        packed.text = words.strip()


def _take_file(packed: Packed, name: int, value: bytes, depth: int) -> None:
    if name == _RENDERING or not packed.files:
        if len(packed.files) >= MOST_FILES:
            raise NotTnef
        packed.files.append(PackedFile())
    file = packed.files[-1]
    if name == _TITLE:
        file.name = file.name or _string(value, packed.names_charset)
    elif name == _DATA:
        file.data = value
    elif name == _PROPERTIES:
        _take_properties(packed, file, dict(_properties(value, packed.names_charset)), depth)


def _take_properties(packed: Packed, file: PackedFile, found: dict[int, object], depth: int) -> None:
    names = (found.get(each) for each in (_LONG_NAME, _SHORT_NAME, _SHOWN_NAME))
    file.name = next((str(each) for each in names if each), file.name)
    file.content_type = str(found.get(_MIME, ""))
    file.cid = str(found.get(_CID, ""))
    enclosed = found.get(_OBJECT)
    if isinstance(enclosed, bytes) and enclosed[:16] == _MESSAGE_INTERFACE and depth < _DEEPEST:
        _take_message(packed, file, unpack(enclosed[16:], depth=depth + 1))
    elif isinstance(enclosed, bytes) and not file.data:
        file.data = enclosed[16:]


def _take_message(packed: Packed, file: PackedFile, inner: Packed) -> None:
    """A mail within: its words as a file of text, its files beside the others."""
    file.name = f"{file.name or inner.subject or 'message'}.txt"
    file.content_type, file.data = "text/plain", (inner.text or inner.html.decode("latin-1")).encode()
    if len(packed.files) + len(inner.files) > MOST_FILES:
        raise NotTnef
    packed.files[-1:] = [file, *inner.files]


def _properties(value: bytes, charset: str) -> Iterator[tuple[int, object]]:
    """The MAPI properties in *value*: what each is called, and its (first) value."""
    (count,), position = struct.unpack_from("<I", value), 4
    for _ in range(min(count, _MOST_PROPERTIES)):
        kind, name = struct.unpack_from("<HH", value, position)
        position += 4
        if name >= 0x8000:
            position = _behind_name(value, position)
        first, position = _read_values(value, position, kind, charset)
        yield name, first


def _behind_name(value: bytes, position: int) -> int:
    """A property of the sender's own has a name: a number, or words."""
    (kind,) = struct.unpack_from("<I", value, position + 16)
    if kind == 0:
        return position + 24
    (size,) = struct.unpack_from("<I", value, position + 20)
    return position + 24 + _padded(size)


def _read_values(value: bytes, position: int, kind: int, charset: str) -> tuple[object, int]:
    is_many, kind = bool(kind & 0x1000), kind & 0xEFFF
    varies = kind in (_STRING8, _UNICODE, _OBJECT_TYPE, _BINARY)
    count = 1
    if is_many or varies:
        (count,) = struct.unpack_from("<I", value, position)
        position += 4
    if not varies:
        size = _SIZES.get(kind, 4)
        number = int.from_bytes(value[position : position + 4], "little")
        return number, position + size * count
    first: object = b""
    for index in range(min(count, _MOST_PROPERTIES)):
        (size,) = struct.unpack_from("<I", value, position)
        data = value[position + 4 : position + 4 + size]
        if len(data) < size:
            raise NotTnef
        if index == 0:
            first = _typed(data, kind, charset)
        position += 4 + _padded(size)
    return first, position


def _typed(data: bytes, kind: int, charset: str) -> object:
    if kind == _UNICODE:
        return data.decode("utf-16-le", "replace").rstrip("\0")
    return _string(data, charset) if kind == _STRING8 else data


def _string(data: bytes, charset: str) -> str:
    return data.split(b"\0", 1)[0].decode(charset, "replace")


def _padded(size: int) -> int:
    return size + -size % 4


def _charset(codepage: int) -> str:
    """The codec of a Windows code page; a Western one where there is none."""
    if codepage == 65001:
        return "utf-8"
    name = f"iso8859-{codepage - 28590}" if 28591 <= codepage <= 28605 else f"cp{codepage}"
    try:
        b"x".decode(name)
    except (LookupError, UnicodeError):
        return "cp1252"
    return name
