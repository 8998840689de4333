"""How a parsed mail travels between two processes: JSON and the attachments' bytes, nothing that could run."""

import json
import struct
from dataclasses import asdict
from datetime import datetime
from typing import Any

from concierge.addresses import Address
from concierge.inbound.parsed import Failure, Kind, ParsedAttachment, ParsedMail, Unreadable, Verdict

_LENGTHS = struct.Struct(">II")


def pack_question(raw: bytes, envelope_from: str | None, most_bytes: int) -> bytes:
    """Return what the parser is asked: the mail and what the envelope said."""
    return _pack({"envelope_from": envelope_from, "most_bytes": most_bytes}, raw)


def unpack_question(message: bytes) -> tuple[bytes, str | None, int]:
    """Return mail, envelope sender and largest size."""
    values, raw = _unpack(message)
    return raw, values["envelope_from"], int(values["most_bytes"])


def pack_answer(answer: ParsedMail | Unreadable) -> bytes:
    """Return an answer of the parser as bytes."""
    if isinstance(answer, Unreadable):
        return _pack({"unreadable": asdict(answer)}, b"")
    # asdict would copy every attachment; they travel behind, in order.
    values = {name: getattr(answer, name) for name in ParsedMail.__slots__ if name != "attachments"}
    values["attachments"] = [
        {"filename": each.filename, "content_type": each.content_type, "cid": each.cid, "inline": each.inline}
        | {"size": len(each.data)}
        for each in answer.attachments
    ]
    return _pack(values, b"".join(each.data for each in answer.attachments))


def unpack_answer(message: bytes) -> ParsedMail | Unreadable:
    """Return the answer in *message*; raises ValueError, KeyError or TypeError when it is none."""
    values, data = _unpack(message)
    if "unreadable" in values:
        return Unreadable(**values["unreadable"])
    position, files = 0, []
    for each in values.pop("attachments"):
        size = int(each.pop("size"))
        files.append(ParsedAttachment(data=data[position : position + size], **each))
        position += size
    if position != len(data):
        raise ValueError("attachments and their bytes do not agree")
    sent_at, sender = values.pop("sent_at"), values.pop("sender")
    people: dict[str, Any] = {name: tuple(Address(**each) for each in values.pop(name)) for name in _PEOPLE}
    failures = tuple(Failure(**each | {"addresses": tuple(each["addresses"])}) for each in values.pop("failures"))
    verdicts = tuple(Verdict(**each) for each in values.pop("verdicts"))
    lists: dict[str, Any] = {name: tuple(values.pop(name)) for name in _LISTS}
    return ParsedMail(
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        sender=Address(**sender) if sender else None,
        kind=Kind(values.pop("kind")),
        attachments=tuple(files),
        failures=failures,
        verdicts=verdicts,
        **people,
        **lists,
        **values,
    )


_PEOPLE = ("reply_to", "to", "cc", "delivered_to")
_LISTS = ("in_reply_to", "references", "flags", "returned", "lists")


def _pack(values: dict[str, Any], data: bytes) -> bytes:
    head = json.dumps(values, default=_plain).encode("ascii")
    return b"".join((_LENGTHS.pack(len(head), len(data)), head, data))


def _unpack(message: bytes) -> tuple[dict[str, Any], bytes]:
    head, data = _LENGTHS.unpack_from(message)
    if len(message) != _LENGTHS.size + head + data:
        raise ValueError("a message of another length was announced")
    values = json.loads(message[_LENGTHS.size : _LENGTHS.size + head])
    if not isinstance(values, dict):
        raise TypeError("not a message")
    return values, message[_LENGTHS.size + head :]


def _plain(value: object) -> object:
    if isinstance(value, Address):
        return {"name": value.name, "address": value.address}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Failure | Verdict):
        return asdict(value)
    raise TypeError(type(value).__name__)


def announced_size(start: bytes | bytearray) -> int | None:
    """Return how long the message that begins with *start* is in all, or None while that can't be known."""
    if len(start) < _LENGTHS.size:
        return None
    head, data = _LENGTHS.unpack_from(start)
    return int(_LENGTHS.size + head + data)
