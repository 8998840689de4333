"""SendGrid's Inbound Parse in our words: a posted form, byte for byte, becomes a mail and its envelope.

Raw mode posts the whole mail in one field. Parsed mode posts its pieces, each text in a charset of its own; from them
a faithful mail is made again, so that whatever came is kept and read the same way.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from concierge.inbound.sources.pieces import Piece, compose_mail

MOST_FIELDS = 600
_LONGEST_VERDICT = 1_000


class NotAForm(Exception):
    """The request's body is no multipart form."""


@dataclass(frozen=True)
class PostedMail:
    """A mail as it was posted: its bytes, the return path (None when unknown) and the envelope's recipients.

    `verdicts` are what SendGrid found of its sender, and how unwanted it looks.
    """

    raw: bytes
    envelope_from: str | None
    recipients: tuple[str, ...]
    verdicts: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Field:
    name: str
    filename: str | None = None
    content_type: str = ""
    data: bytearray = field(default_factory=bytearray)


def read_post(content_type: str, body: bytes) -> PostedMail:
    """Return the mail in a posted form; raises NotAForm.

    *content_type* is the request's header, *body* its untouched bytes: Flask's own form would decode them as UTF-8
    and damage every other charset.
    """
    fields = _read_form(content_type, body)
    by_name = {each.name: each for each in reversed(fields)}
    envelope_from, recipients = _read_envelope(bytes(by_name["envelope"].data) if "envelope" in by_name else b"")
    verdicts = {
        name.lower(): bytes(by_name[name].data[:_LONGEST_VERDICT]).decode("utf-8", "replace").strip()
        for name in ("SPF", "dkim", "spam_score")
        if name in by_name
    }
    if "email" in by_name:
        return PostedMail(bytes(by_name["email"].data), envelope_from, recipients, verdicts)
    if not by_name.keys() & {"headers", "from", "text", "html", "subject"}:
        raise NotAForm
    return PostedMail(_rebuild(by_name), envelope_from, recipients, verdicts)


def _read_form(content_type: str, body: bytes) -> list[_Field]:
    main, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if main != "multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise NotAForm
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_FIELDS)
    fields: list[_Field] = []
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, NeedData):
                raise NotAForm
            if isinstance(event, Field | File):
                fields.append(_begin(event))
            elif isinstance(event, Data):
                fields[-1].data += event.data
    except (ValueError, IndexError, KeyError, RequestEntityTooLarge) as error:
        raise NotAForm from error
    return fields


def _begin(event: Field | File) -> _Field:
    filename = event.filename if isinstance(event, File) else None
    return _Field(event.name or "", filename, event.headers.get("Content-Type", ""))


def _read_envelope(data: bytes) -> tuple[str | None, tuple[str, ...]]:
    """The real recipients, from JSON such as {"to":["care@…"],"from":"barbara@…"}; nothing when it is none."""
    envelope = _json_object(data)
    sender = envelope.get("from")
    to = envelope.get("to")
    recipients = tuple(each for each in to if isinstance(each, str)) if isinstance(to, list) else ()
    return (sender if isinstance(sender, str) else None), recipients


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _rebuild(fields: dict[str, _Field]) -> bytes:
    charsets = _json_object(bytes(fields["charsets"].data)) if "charsets" in fields else {}
    texts = [
        Piece(f"text/{subtype}", bytes(fields[name].data), charset=_charset(charsets, name))
        for name, subtype in (("text", "plain"), ("html", "html"))
        if name in fields
    ]
    return compose_mail(_headers(fields, charsets), texts, _attachments(fields))


def _charset(charsets: dict[str, Any], name: str) -> str:
    label = charsets.get(name)
    return label if isinstance(label, str) and re.fullmatch(r"[\w.:+-]{1,40}", label) else "utf-8"


def _headers(fields: dict[str, _Field], charsets: dict[str, Any]) -> bytes:
    """The original header block; where it is missing, one from the fields, in their own charsets."""
    if (headers := fields.get("headers")) and headers.data.strip():
        return bytes(headers.data)
    lines = []
    for name, title in (("from", b"From"), ("to", b"To"), ("cc", b"Cc"), ("subject", b"Subject")):
        if name in fields:
            value = re.sub(rb"[\r\n]+", b" ", bytes(fields[name].data))
            lines.append(title + b": " + _as_words(value, _charset(charsets, name)))
    return b"\r\n".join(lines)


def _as_words(value: bytes, charset: str) -> bytes:
    """A header value as it is when ASCII; else its words that are not become encoded words of its charset."""
    if value.isascii():
        return value
    coded = [
        word if word.isascii() else b"=?" + charset.encode() + b"?B?" + base64.b64encode(word) + b"?="
        for word in re.split(rb"([ <>,\"]+)", value)
    ]
    return b"".join(coded)


def _attachments(fields: dict[str, _Field]) -> list[Piece]:
    """Every attachmentN; its content id from `content-ids`, else from `attachment-info`."""
    info = _json_object(bytes(fields["attachment-info"].data)) if "attachment-info" in fields else {}
    ids = _json_object(bytes(fields["content-ids"].data)) if "content-ids" in fields else {}
    cids = {name: cid for cid, name in ids.items() if isinstance(name, str)}
    files = [each for name, each in fields.items() if re.fullmatch(r"attachment\d{1,4}", name)]
    pieces = []
    for each in sorted(files, key=lambda one: int(one.name.removeprefix("attachment"))):
        known = info.get(each.name)
        known = known if isinstance(known, dict) else {}
        pieces.append(
            Piece(
                str(each.content_type or known.get("type") or "application/octet-stream"),
                bytes(each.data),
                filename=str(each.filename or known.get("filename") or known.get("name") or ""),
                cid=str(cids.get(each.name) or known.get("content-id") or ""),
            )
        )
    return pieces
