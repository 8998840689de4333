"""How an odd mail is written down: its bytes, and what an editor must see of it."""

import base64
from dataclasses import dataclass, field
from typing import Any

FROM = b"From: Barbara Rossi <barbara@example.com>"
TO = b"To: care@maison-solenne.example"


@dataclass(frozen=True)
class Odd:
    """One odd mail. `seen` maps what to look at to what must be there; `quarantine` is the reason it is kept for."""

    name: str
    raw: bytes
    seen: dict[str, Any] = field(default_factory=dict)
    quarantine: str = ""

    def __str__(self) -> str:
        return self.name


def mail(*lines: bytes, body: bytes = b"Hello", sender: bytes = FROM) -> bytes:
    """A mail with the usual From and To, further header lines, and a body."""
    usual = [sender] if sender else []
    return b"\r\n".join([*usual, TO, *lines, b"", body])


def typed(content_type: str, body: bytes, *, encoding: str = "8bit", extra: tuple[bytes, ...] = ()) -> bytes:
    """A mail of one part."""
    lines = (f"Content-Type: {content_type}".encode(), f"Content-Transfer-Encoding: {encoding}".encode())
    return mail(b"MIME-Version: 1.0", *lines, *extra, body=body)


def part(content_type: str, body: bytes, *lines: bytes) -> bytes:
    """One part of a multipart."""
    return b"\r\n".join([f"Content-Type: {content_type}".encode(), *lines, b"", body])


def multi(
    subtype: str, *parts: bytes, boundary: bytes = b"=_bound", end: bytes = b"--", parameters: bytes = b""
) -> bytes:
    """The header line and body of a multipart, to be used as a part or, through `whole`, as a mail."""
    head = b"Content-Type: multipart/" + subtype.encode() + b'; boundary="' + boundary + b'"' + parameters + b"\r\n\r\n"
    return head + b"".join(b"--" + boundary + b"\r\n" + each + b"\r\n" for each in parts) + b"--" + boundary + end


def whole(multipart: bytes, *lines: bytes, sender: bytes = FROM) -> bytes:
    """A mail whose body is a multipart made by `multi`."""
    return b"\r\n".join([sender, TO, b"MIME-Version: 1.0", *lines, multipart])


def b64(data: bytes) -> bytes:
    """Base64 in lines, as mail carries it."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def picture(cid: bytes = b"", name: bytes = b"shoe.png", disposition: bytes = b"inline") -> bytes:
    """A small picture as a part."""
    lines = [
        b"Content-Transfer-Encoding: base64",
        b"Content-Disposition: " + disposition + b'; filename="' + name + b'"',
    ]
    return part("image/png", b64(PNG), *lines, *([b"Content-ID: <" + cid + b">"] if cid else []))


PNG = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
