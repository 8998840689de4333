"""The rich text Outlook writes a letter in where nothing else holds its words: unpacked (MS-OXRTFCP), and read.

What was HTML before Outlook wrapped it is HTML again (MS-OXRTFEX); all else gives its words.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

# Both of what comes out and of what is walked; longer letters are cut, and files are where they were.
_MOST = 1_000_000
_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4096
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)
_UNSHOWN = frozenset(b"fonttbl colortbl stylesheet info pict object header footer footnote themedata listtable".split())
_SIGNS = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"cell": "\t", b"tab": "\t",
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"endash": "–", b"emdash": "—",
    b"bullet": "•", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_SYMBOLS = {b"~": "\xa0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}


class NotRtf(Exception):
    """These bytes are no rich text, or a broken one."""


def unpack_rtf(data: bytes) -> bytes:
    """Rich text as Outlook packs it, unpacked, a million bytes at most; raises NotRtf."""
    try:
        _size, length, kind, _checksum = struct.unpack_from("<IIII", data)
    except struct.error as error:
        raise NotRtf from error
    if kind == _PLAIN:
        return data[16 : 16 + min(length, _MOST)]
    if kind != _COMPRESSED:
        raise NotRtf
    out = bytearray(_BEGINNING)
    for piece in _pieces(data, out):
        out += piece
        if len(out) > _MOST:
            break
    return bytes(out[len(_BEGINNING) :][:length])


def _pieces(data: bytes, out: bytearray) -> Iterator[bytes]:
    """What follows, piece by piece: a byte, or something out of the last 4,096 of what came before."""
    position = 16
    while position < len(data):
        flags, position = data[position], position + 1
        for bit in range(8):
            if not flags >> bit & 1:
                yield data[position : position + 1]
                position += 1
                continue
            reference = int.from_bytes(data[position : position + 2], "big")
            position += 2
            behind = (len(out) - (reference >> 4)) % _WINDOW
            if not behind or position > len(data):  # it refers to itself: the end
                return
            # what is copied may reach into what it becomes
            last = bytes(out[-behind:])
            length = (reference & 0xF) + 2
            yield (last * (length // len(last) + 1))[:length]


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds until its brace closes."""

    is_shown: bool = True
    is_tag: bool = False
    is_for_rtf: bool = False
    skips: int = 1


@dataclass
class _Walk:
    charset: str = "cp1252"
    is_html: bool = False
    group: _Group = field(default_factory=_Group)
    above: list[_Group] = field(default_factory=list)
    to_skip: int = 0
    bytes_seen: bytearray = field(default_factory=bytearray)
    out: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Words that are shown, or a tag of what it was."""
        self.end_bytes()
        if self.group.is_tag or (self.group.is_shown and not self.group.is_for_rtf):
            self.out.append(text)

    def add_bytes(self, data: bytes) -> None:
        """Bytes of a charset, of which two may be one letter."""
        if self.group.is_tag or (self.group.is_shown and not self.group.is_for_rtf):
            self.bytes_seen += data

    def end_bytes(self) -> None:
        """No more bytes of this letter."""
        if self.bytes_seen:
            self.out.append(bytes(self.bytes_seen).decode(self.charset, "replace"))
            self.bytes_seen.clear()


def read_rtf(rtf: bytes) -> tuple[str, bool]:
    """The words of rich text, and whether they are HTML; raises NotRtf."""
    if not rtf.startswith(b"{\\rtf"):
        raise NotRtf
    walk, was_star = _Walk(is_html=b"\\fromhtml" in rtf[:1_000]), False
    for token in _TOKEN.finditer(rtf[:_MOST]):
        word, number, byte, symbol, brace, text = token.groups()
        if brace:
            _turn(walk, brace)
        elif word:
            _do(walk, word, int(number) if number else None, was_star=was_star)
        elif symbol:
            walk.say(_SYMBOLS.get(symbol, ""))
        else:
            _write(walk, bytes.fromhex(byte.decode()) if byte else text or b"")
        was_star = symbol == b"*"
    walk.end_bytes()
    return "".join(walk.out), walk.is_html


def _turn(walk: _Walk, brace: bytes) -> None:
    walk.end_bytes()
    walk.to_skip = 0
    if brace == b"{":
        walk.above.append(walk.group)
    elif walk.above:
        walk.group = walk.above.pop()


def _write(walk: _Walk, data: bytes) -> None:
    """Letters, less those that only stand for one that was told by its number."""
    skipped = min(walk.to_skip, len(data))
    walk.to_skip -= skipped
    walk.add_bytes(data[skipped:])


def _do(walk: _Walk, word: bytes, number: int | None, *, was_star: bool) -> None:
    group = walk.group
    if word == b"htmltag" and was_star:
        walk.group = replace(group, is_tag=walk.is_html, is_shown=False)
    elif was_star or word in _UNSHOWN:
        walk.group = replace(group, is_shown=False, is_tag=False)
    elif word == b"htmlrtf":
        walk.end_bytes()
        walk.group = replace(group, is_for_rtf=number != 0)
    elif word == b"uc":
        walk.group = replace(group, skips=max(number or 0, 0))
    elif word == b"u" and number is not None:
        walk.say(_letter(number))
        walk.to_skip = group.skips
    elif word == b"ansicpg" and number is not None:
        walk.charset = _codec(number)
    elif word in _SIGNS:
        walk.say(_SIGNS[word])


def _letter(number: int) -> str:
    """A letter by its number, which is signed; halves of a pair are found by whoever joins them, and lost here."""
    code = number % 65_536
    return "" if 0xD800 <= code <= 0xDFFF else chr(code)


def _codec(codepage: int) -> str:
    name = "utf-8" if codepage == 65001 else f"cp{codepage}"
    try:
        b"x".decode(name)
    except LookupError:
        return "cp1252"
    return name
