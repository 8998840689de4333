"""The parts of a mail, split on the bytes themselves, so that nothing is re-encoded and every size is capped.

The standard library's parser reads line by line into text and recurses with every level; on hostile mail that costs
seconds and gigabytes. Here a part is a place in the original, found by searching for its boundary.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from concierge.inbound.headers import Headers, decode_base64, read_parameters, split_message
from concierge.inbound.uuencode import decode_line

MOST_PARTS = 500
MOST_DEPTH = 50

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,100}")
_PLAIN_NAME = re.compile(r"[^:/\\?&=]{1,150}\.[A-Za-z0-9]{1,8}")
# A line that could be a boundary, for a part's own header follows.
_GUESSED = re.compile(
    rb"^(--[^\s<>]{2,70})[ \t]*\r?\n(?=Content-(?:Type|Transfer-Encoding|Disposition):)", re.MULTILINE | re.IGNORECASE
)
# Two words on a line, of which one is none of base64; or what stands above a footer.
_PLAIN_WORDS = re.compile(
    rb"^(?:[^\s]{1,40}[ \t][A-Za-z0-9+/= \t]*[^A-Za-z0-9+/=\s]|"
    rb"[A-Za-z]{1,20}(?: [A-Za-z0-9,.]{1,20}){2}|(?:-- ?|_{5,})\r?$)",
    re.MULTILINE,
)
_DASHES = str.maketrans("", "", "-_")
_MOST_PREAMBLE = 64 * 1024
_UU = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n(.*?)^(?:`?\r?\n)?end\s*$", re.DOTALL | re.MULTILINE)


def is_type(text: str) -> bool:
    """Whether *text* is a media type as programs write it, in lower case."""
    return bool(_TYPE.fullmatch(text))


class TooComplex(Exception):
    """This mail has more parts, or deeper nested ones, than a person would send."""


@dataclass
class Part:
    """One part: its headers, where its body lies in the mail, its children when it is a multipart."""

    headers: Headers
    raw: bytes
    start: int
    end: int
    default_type: str = "text/plain"
    children: list["Part"] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @cached_property
    def _content_type(self) -> tuple[str, dict[str, str]]:
        raw = self.headers.first("content-type")
        main, parameters = read_parameters(raw) if raw is not None else (self.default_type, {})
        main = main.partition(" ")[0]  # "text/html Content-Transfer-Encoding: 8bit", a line end forgotten
        if main in ("text", "html", "plain"):
            main = "text/html" if main == "html" else "text/plain"
        return (main if _TYPE.fullmatch(main) else "text/plain"), parameters

    @cached_property
    def _disposition(self) -> tuple[str, dict[str, str]]:
        return read_parameters(self.headers.first("content-disposition") or b"")

    @property
    def type(self) -> str:
        """The media type in lower case; the default one where none is readable (RFC 2045, 5.2)."""
        return self._content_type[0]

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of Content-Type."""
        return self._content_type[1]

    @property
    def charset(self) -> str | None:
        """The declared charset, unchecked."""
        return self.parameters.get("charset")

    @property
    def disposition(self) -> str:
        """`attachment`, `inline` or whatever was written; empty when nothing was."""
        return self._disposition[0]

    @property
    def given_name(self) -> str:
        """The file name its sender gave it, unchecked; empty when there is none."""
        return self._disposition[1].get("filename") or self.parameters.get("name") or ""

    @property
    def located_name(self) -> str:
        """The plain file name that stands as its Content-Location (RFC 2557); empty when there is none."""
        place = self.headers.text("content-location")[:200].strip()
        return place if _PLAIN_NAME.fullmatch(place) else ""

    @property
    def cid(self) -> str | None:
        """The Content-ID without brackets."""
        return self.headers.text("content-id").strip("<> ") or None

    @property
    def body(self) -> bytes:
        """The bytes as they came, transfer encoding and all."""
        return self.raw[self.start : self.end]

    def payload(self) -> bytes:
        """Return the body with its transfer encoding taken off; what is broken is read as far as it goes."""
        encoding = self.headers.token("content-transfer-encoding").translate(_DASHES)
        if encoding == "base64":
            return self._from_base64()
        if encoding == "quotedprintable":
            return binascii.a2b_qp(self.body)
        if encoding in ("xuuencode", "uuencode", "xuue", "uue"):
            return _decode_uu(self.body)
        return self.body

    def _from_base64(self) -> bytes:
        """What a list's program wrote below, or a careless one instead, in plain words is read as that."""
        words = _PLAIN_WORDS.search(self.body) if self.type.startswith("text/") else None
        if words is None:
            return decode_base64(self.body)
        above = self.body[: words.start()]
        if sum(map(above.count, (b"\n", b"\r", b" "))) * 4 > len(above):
            return self.body
        return decode_base64(above) + b"\n" + self.body[words.start() :] if above.strip() else self.body

    def walk(self) -> Iterator["Part"]:
        """Yield this part and everything inside, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_parts(raw: bytes) -> Part:
    """Return the tree of parts of a whole mail; raises TooComplex above MOST_PARTS or MOST_DEPTH."""
    root = _read_part(raw, 0, len(raw), "text/plain")
    waiting, count = [(root, 0)], 1
    while waiting:
        part, depth = waiting.pop()
        if not part.type.startswith("multipart/"):
            continue
        if depth >= MOST_DEPTH:
            raise TooComplex
        default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
        spans = _split_body(part, MOST_PARTS - count)
        part.children = [_read_part(raw, start, end, default) for start, end in spans]
        count += len(spans)
        waiting.extend((child, depth + 1) for child in part.children)
    return root


def _read_part(raw: bytes, start: int, end: int, default_type: str) -> Part:
    headers, body_start = split_message(raw, start, end)
    part = Part(headers, raw, body_start, end, default_type)
    if len(headers.all("content-type")) > 1:
        part.flags.append("two-content-types")
    if len(headers.all("content-transfer-encoding")) > 1:
        part.flags.append("two-encodings")
    if headers.cut:
        part.flags.append("header-cut")
    return part


def _split_body(part: Part, most: int) -> list[tuple[int, int]]:
    """Where the parts between the boundary lines begin and end in the mail.

    Without a usable boundary the whole body is one part; what follows the closing line is one only when further
    boundary lines follow. So no part is lost, whatever another program would make of the same mail.
    """
    lines = list(_boundary_lines(part, _boundary(part), most))
    if not any(not line.closing for line in lines) and (guessed := _GUESSED.search(part.body[:_MOST_PREAMBLE])):
        lines = list(_boundary_lines(part, guessed[1], most))
        part.flags.append("guessed-boundary")
    if not any(not line.closing for line in lines):
        part.flags.append("no-boundary")
        rest = part.raw[part.start : lines[0].start if lines else part.end]
        return [(part.start, part.end)] if rest.strip() else []
    if not lines[-1].closing:
        part.flags.append("not-closed")
    first_closing = next((i for i, line in enumerate(lines) if line.closing), len(lines))
    if any(not line.closing for line in lines[first_closing:]):
        part.flags.append("parts-after-end")
    ends = [line.start for line in lines[1:]] + [part.end]
    return [
        (line.end, max(line.end, _before_line_end(part.raw, end)))
        for line, end in zip(lines, ends, strict=True)
        if not line.closing
    ]


class _Line(NamedTuple):
    start: int
    end: int
    closing: bool


def _boundary_lines(part: Part, boundary: bytes, most: int) -> Iterator[_Line]:
    if not boundary:
        return
    boundary = re.escape(boundary)
    # The look-behind stands after the literal, so that the search can jump from one literal to the next.
    line = re.compile(boundary + rb"(?<![^\r\n]" + boundary + rb")(--)?[ \t]*(?:\r\n|\n|\r|\Z)")
    for found, match in enumerate(line.finditer(part.raw, part.start, part.end)):
        if found >= most:
            raise TooComplex
        yield _Line(match.start(), match.end(), bool(match.group(1)))


def _boundary(part: Part) -> bytes:
    """The line that separates the parts; empty when none is declared."""
    declared = part.parameters.get("boundary", "").rstrip()
    return b"--" + declared.encode("utf-8", "replace") if declared else b""


def _before_line_end(raw: bytes, end: int) -> int:
    """The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1)."""
    if raw[end - 2 : end] == b"\r\n":
        return end - 2
    return end - 1 if raw[end - 1 : end] in (b"\n", b"\r") else end


def _decode_uu(body: bytes) -> bytes:
    found = _UU.search(body)
    lines = (found.group(1) if found else body).splitlines()
    decoded = []
    for line in lines:
        try:
            decoded.append(decode_line(line))
        except binascii.Error:
            continue
    return b"".join(decoded)
