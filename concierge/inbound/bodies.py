"""Which parts of a mail are the letter, and which are files.

The letter is every readable text part that is not marked as a file, in order; of alternatives the first plain text
and the last HTML. Everything else is an attachment: nothing that came is left out (an attachment more is a small
thing, a paragraph less is not).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from concierge.inbound.alternatives import says_only_html, tell_apart
from concierge.inbound.charsets import clean_text, decode_text
from concierge.inbound.filenames import message_name, safe_name
from concierge.inbound.headers import clean_line, split_message
from concierge.inbound.invitations import name_invitation
from concierge.inbound.markup import MOST_HTML, fold_html, html_to_text, named_cids, text_to_html
from concierge.inbound.mime import Part, is_type
from concierge.inbound.parsed import ParsedAttachment
from concierge.inbound.tnef import NotTnef, Packed, unpack
from concierge.inbound.uuencode import take_files

MOST_TEXT = 1_000_000

# The same letter again for a watch or a live mail program; and what only says that the mail is signed.
_DOUBLES = {"text/x-amp-html", "text/watch-html"}
_SEALED = {"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"}
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
_RARE_TEXTS = ("text/enriched", "text/richtext", "text/markdown", "text/x-markdown")
_CALENDAR = {"text/calendar", "application/ics"}
# Names that say nothing, which calendar programs give every invitation.
_ANY_INVITATION = {
    "",
    "invite.ics",
    "invitation.ics",
    "meeting.ics",
    "event.ics",
    "calendar.ics",
    "mime-attachment.ics",
}


@dataclass(frozen=True)
class Letter:
    """What was written, as text and as HTML, what came with it, and what was odd."""

    text: str
    html: str | None
    attachments: tuple[ParsedAttachment, ...]
    flags: tuple[str, ...]


@dataclass
class _Piece:
    """One stretch of the letter, in one or both forms."""

    text: str | None = None
    html: str | None = None


@dataclass
class _Reading:
    files: list[Part] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    packed: dict[int, Packed] = field(default_factory=dict)
    # name and bytes of what stood in the text itself
    within: list[tuple[str, bytes]] = field(default_factory=list)


def read_letter(root: Part) -> Letter:
    """Return the letter of a mail's tree of parts."""
    reading = _Reading()
    pieces = [piece for piece in _pieces(root, reading) if piece.text or piece.html]
    if not any((piece.text or piece.html or "").strip() for piece in pieces):
        pieces += _named_letter(reading)
    _unpack(reading, alone=not pieces)
    if not pieces:  # Outlook's own letter stands in its winmail.dat alone
        pieces = [piece for each in reading.packed.values() if (piece := _packed_letter(each)).text or piece.html]
    html = _join_html(pieces)
    text = "\n\n".join(text for piece in pieces if (text := _text_of(piece).strip("\n")))
    attachments = tuple(_attachments(reading, html))
    if not text.strip() and not attachments and not (html and "<img" in html.lower()):
        reading.flags.add("empty")
    return Letter(text, html and fold_html(html), attachments, tuple(sorted(reading.flags | _odd_parts(root))))


def _pieces(part: Part, reading: _Reading) -> Iterator[_Piece]:
    if part.type == "multipart/alternative":
        yield _best_of(part, reading)
    elif part.children:
        for child in part.children:
            yield from _pieces(child, reading)
    elif _is_letter(part) and (piece := _read_piece(part, reading)):
        yield piece
    elif not part.type.startswith("multipart/"):
        reading.files.append(part)


def _named_letter(reading: _Reading) -> list[_Piece]:
    """Where nothing else is the letter, a text that has a name (telephones give one), or is of a rarer kind."""
    for index, part in enumerate(reading.files):
        if part.disposition == "attachment" or part.type not in ("text/plain", "text/html", *_RARE_TEXTS):
            continue
        piece = _read_piece(part, reading)
        if piece is not None and (piece.text or piece.html or "").strip():
            if part.type in _RARE_TEXTS[:2]:  # RFC 1896
                piece.text = re.sub(r"<[^<>]{0,60}>", "", piece.text or "").replace("<<", "<")
            del reading.files[index]
            return [piece]
    return []


def _best_of(part: Part, reading: _Reading) -> _Piece:
    """The first plain text and the last HTML among alternatives; files inside them stay files."""
    best = _Piece()
    for child in part.children:
        if child.type in _DOUBLES:
            continue
        pieces = list(_pieces(child, reading))
        html = _join_html([piece for piece in pieces if piece.html])
        text = "\n\n".join(piece.text for piece in pieces if piece.text) if not html else None
        if text and best.text:
            reading.flags.add("second-text")
            best.text += "\n\n" + text
        best.text, best.html = best.text or text, html or best.html
    if best.text and best.html:
        if says_only_html(best.text):
            best.text = None
        elif tell_apart(best.text, best.html):
            reading.flags.add("texts-differ")
    return best


def _is_letter(part: Part) -> bool:
    if part.type not in ("text/plain", "text/html") or part.disposition == "attachment":
        return False
    return not part.given_name


def _read_piece(part: Part, reading: _Reading) -> _Piece | None:
    """The part's text; None when it is too large to be a letter, then it is kept as a file."""
    is_html = part.type == "text/html"
    data = part.payload()
    if not is_html and b"begin " in data:
        data, files = take_files(data)
        reading.within += [(decode_text(name, part.charset), file) for name, file in files]
    if len(data) > (MOST_HTML if is_html else MOST_TEXT):
        reading.flags.add("long-text")
        return None
    text = decode_text(data, part.charset)
    if is_html:
        return _Piece(html=text) if text.strip() else _Piece()
    flowed = part.parameters.get("format", "").lower() == "flowed"
    return _Piece(text=_unflow(text, part.parameters.get("delsp", "").lower() == "yes") if flowed else text)


def _unflow(text: str, delete_space: bool) -> str:
    """RFC 3676: a line that ends with a space goes on in the next one of the same quote depth."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if depth == open_depth and content != "-- ":
            lines[-1] += content
        else:
            lines.append((">" * depth + " " if depth else "") + content)
        flows = content.endswith(" ") and content != "-- "
        open_depth = depth if flows else -1
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(line.rstrip() if line != "-- " else line for line in lines)


def _join_html(pieces: list[_Piece]) -> str | None:
    """One HTML for all pieces when any has HTML; what is text only is put between, escaped."""
    if not any(piece.html for piece in pieces):
        return None
    return "\n".join(piece.html or text_to_html(piece.text or "") for piece in pieces)


def _text_of(piece: _Piece) -> str:
    """Her text; that of the HTML where the plain alternative is missing or says only that there is one."""
    if piece.text and piece.text.strip():
        return piece.text
    return html_to_text(piece.html) if piece.html else ""


def _unpack(reading: _Reading, *, alone: bool) -> None:
    """Open every winmail.dat; one that can't be, or that is all there is and holds but rich text, stays a file."""
    for index, part in enumerate(reading.files):
        data = part.payload() if part.type in _TNEF or part.given_name.lower() == "winmail.dat" else b""
        if not data:
            continue
        packed = _opened(data)
        if packed is not None and (packed.files or packed.text or packed.html or not alone):
            reading.packed[index] = packed
        else:
            reading.flags.add("winmail")


def _opened(data: bytes) -> Packed | None:
    try:
        return unpack(data)
    except NotTnef:
        return None


def _packed_letter(packed: Packed) -> _Piece:
    html = decode_text(packed.html, packed.charset) if len(packed.html) <= MOST_HTML else ""
    return _Piece(clean_text(packed.text[:MOST_TEXT]), html)


def _attachments(reading: _Reading, html: str | None) -> Iterator[ParsedAttachment]:
    cids = named_cids(html) if html else frozenset()
    for index, part in enumerate(reading.files):
        if index in reading.packed:
            for file in reading.packed[index].files:
                yield _attachment(file.name, file.content_type, file.data, file.cid, cids)
            continue
        data, name = part.payload(), part.given_name or part.located_name
        if part.type == "message/rfc822":
            inner, _ = split_message(data)
            yield ParsedAttachment(_eml_name(name) or message_name(inner.text("subject")), part.type, data)
            continue
        if part.type in _CALENDAR and name.lower() in _ANY_INVITATION:
            name = name_invitation(decode_text(data, part.charset or "utf-8")) or name
        yield _attachment(name, part.type, data, part.cid, cids)
    for name, data in reading.within:
        yield _attachment(name, "application/octet-stream", data, None, cids)


def _attachment(name: str, kind: str, data: bytes, cid: str | None, shown: frozenset[str]) -> ParsedAttachment:
    kind = kind.lower() if is_type(kind.lower()) else "application/octet-stream"
    inline = cid is not None and cid in shown and kind.startswith("image/")
    return ParsedAttachment(safe_name(name, kind), kind, data, clean_line(cid)[:400] if cid else None, inline)


def _eml_name(given: str) -> str:
    if not given:
        return ""
    name = safe_name(given, "message/rfc822")
    return name if name.lower().endswith(".eml") else f"{name}.eml"


def _odd_parts(root: Part) -> set[str]:
    """What of the structure another program may read differently, or an editor should know."""
    flags = {flag for part in root.walk() for flag in part.flags}
    types = {part.type for part in root.walk()}
    if types & _SEALED:
        flags.add("encrypted")
    return flags
