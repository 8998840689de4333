"""Puts a mail together again from its pieces, faithfully: the header as it came, every body in its own bytes."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

# These say how the original was put together; ours is put together anew.
_OF_THE_OLD_BODY = re.compile(
    rb"(?im)^(?:content-[a-z-]+|mime-version)[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n|\Z)"
)
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,100}")


@dataclass(frozen=True)
class Piece:
    """One body with its media type; a text has a charset, a file perhaps a name and a content id."""

    content_type: str
    data: bytes
    charset: str = ""
    filename: str = ""
    cid: str = ""


def compose_mail(headers: bytes, texts: Sequence[Piece], files: Sequence[Piece]) -> bytes:
    """Return a mail of a raw header block, alternative texts and attachments."""
    kept = _OF_THE_OLD_BODY.sub(b"", headers.strip(b"\r\n") + b"\r\n")
    kept = re.sub(rb"\r\n|\r|\n", b"\r\n", kept).strip(b"\r\n")
    # A boundary that depends on the content: the same post makes the same bytes, however often it is repeated.
    seed = hashlib.sha256(b"".join(piece.data for piece in (*texts, *files)) + kept).hexdigest()[:32]
    outer, inner = f"mixed-{seed}".encode(), f"letter-{seed}".encode()
    letter = _multipart(b"alternative", inner, [_part(piece) for piece in texts])
    body = _multipart(b"mixed", outer, [letter, *(_part(piece) for piece in files)]) if files else letter
    return b"\r\n".join([*([kept] if kept else []), b"MIME-Version: 1.0", body])


def _multipart(kind: bytes, boundary: bytes, parts: Sequence[bytes]) -> bytes:
    lines = [b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"', b""]
    for part in parts:
        lines += [b"--" + boundary, part]
    return b"\r\n".join([*lines, b"--" + boundary + b"--", b""])


def _part(piece: Piece) -> bytes:
    main = piece.content_type.split(";")[0].strip()
    kind = main if _TYPE.fullmatch(main) else "application/octet-stream"
    charset = f'; charset="{piece.charset}"' if piece.charset else ""
    lines = [f"Content-Type: {kind}{charset}", "Content-Transfer-Encoding: base64"]
    if not piece.charset:
        # RFC 2231: any name, in one line, with nothing that could end it.
        name = f"; filename*=utf-8''{quote(piece.filename.encode('utf-8', 'replace'))}" if piece.filename else ""
        lines.append(f"Content-Disposition: attachment{name}")
    if cid := re.sub(r"[^\x21-\x7e]|[<>]", "", piece.cid):
        lines.append(f"Content-ID: <{cid}>")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + base64.encodebytes(piece.data).replace(b"\n", b"\r\n")
