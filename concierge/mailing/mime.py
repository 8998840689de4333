"""How text, names and files are written into a mail: encoded words, parameters, parts (RFC 2045–2047, 2231, 5322)."""

import binascii
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

LINE = 76  # RFC 2047: a line that holds an encoded word is at most 76 characters long
CRLF = b"\r\n"

# What may stand as it is inside a Q-encoded word, wherever it appears (RFC 2047, 5 (3)).
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+")
_BEYOND_ASCII = bytes(range(128, 256))
_LONGEST_WORD = 200  # longer ASCII words are encoded, so that any header can be folded


def header(name: str, value: str) -> bytes:
    """One header field with its line end, folded at single spaces to 78 columns where that is possible.

    What is not in ASCII is written in UTF-8 (RFC 6532); the caller sees to it that nothing is but an address.
    """
    if len(name) + len(value) <= LINE:
        return f"{name}: {value}\r\n".encode()
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > LINE + 2 and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    return "\r\n".join(lines).encode() + CRLF


def unstructured(text: str, *, column: int) -> str:
    """Any text as the value of a free-text header beginning at `column`; ASCII stays readable.

    What looks like an encoded word is encoded, so that nobody's mail program reads it as one.
    """
    if _PLAIN.fullmatch(text) and "=?" not in text and max(map(len, text.split(" "))) <= _LONGEST_WORD:
        return text
    return " ".join(encoded_words(text, column=column)) if text else ""


def phrase(name: str, *, column: int) -> str:
    """A display name: bare atoms, a quoted string, or encoded words, whichever it needs."""
    if name.isascii() and "=?" not in name and len(name) <= _LONGEST_WORD and "  " not in name:
        if _ATOMS.fullmatch(name):
            return name
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return " ".join(encoded_words(name, column=column))


def encoded_words(text: str, *, column: int) -> Iterator[str]:
    """`text` as UTF-8 encoded words of at most 75 characters, none of which divides a character."""
    characters = [character.encode("utf-8") for character in text]
    as_q = sum(_q_length(c) for c in characters) <= sum(map(len, characters)) * 4 / 3
    room = LINE - max(column, 1) - len("=?utf-8?q??=")
    word: list[bytes] = []
    used = 0
    for character in characters:
        length = _q_length(character) if as_q else len(character)
        limit = room if as_q else room // 4 * 3
        if word and used + length > limit:
            yield _encoded_word(b"".join(word), as_q=as_q)
            word, used, room = [], 0, LINE - 1 - len("=?utf-8?q??=")
        word.append(character)
        used += length
    if word:
        yield _encoded_word(b"".join(word), as_q=as_q)


def _q_length(character: bytes) -> int:
    return 1 if character == b" " or character[0] in _Q_SAFE else 3 * len(character)


def _encoded_word(data: bytes, *, as_q: bool) -> str:
    if not as_q:
        return f"=?utf-8?b?{binascii.b2a_base64(data, newline=False).decode()}?="
    text = "".join("_" if b == 32 else chr(b) if b in _Q_SAFE else f"={b:02X}" for b in data)
    return f"=?utf-8?q?{text}?="


def parameter(name: str, value: str) -> str:
    """A parameter of a Content-… header: quoted when ASCII, else in RFC 2231's form, in pieces when long."""
    if value.isascii() and len(value) <= 60:
        if _TOKEN.fullmatch(value):
            return f"{name}={value}"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    pieces = list(_percent_pieces(value, 56 - len(name)))
    if len(pieces) == 1:
        return f"{name}*=utf-8''{pieces[0]}"
    pieces[0] = f"utf-8''{pieces[0]}"
    return ";\r\n ".join(f"{name}*{number}*={piece}" for number, piece in enumerate(pieces))


def _percent_pieces(value: str, limit: int) -> Iterator[str]:
    piece = ""
    for character in value:
        coded = quote(character, safe="!#$&+-.^_`{|}~")  # RFC 2231 attribute-char: no * ' % ( ) and the like
        if piece and len(piece) + len(coded) > limit:
            yield piece
            piece = ""
        piece += coded
    yield piece


def text_part(subtype: str, text: str) -> bytes:
    """A text/plain or text/html part in UTF-8: quoted-printable, or base64 where most of it is not ASCII."""
    data = text.replace("\r\n", "\n").rstrip("\n").replace("\n", "\r\n").encode("utf-8") + CRLF
    head = header("Content-Type", f"text/{subtype}; charset=utf-8")
    plain = len(data.translate(None, _BEYOND_ASCII))
    if plain * 3 < len(data) * 2:
        return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64_lines(data)
    return head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + binascii.b2a_qp(data, istext=True)


def file_part(content_type: str, filename: str, data: bytes, *, cid: str | None) -> bytes:
    """A file as a part: inline with its Content-ID when the HTML shows it, else an attachment."""
    disposition = "inline" if cid else "attachment"
    head = header("Content-Type", content_type)
    head += b"Content-Transfer-Encoding: base64\r\n"
    head += f"Content-Disposition: {disposition};\r\n {parameter('filename', filename)}\r\n".encode("ascii")
    if cid:
        head += header("Content-ID", f"<{cid}>")
    return head + CRLF + base64_lines(data)


def base64_lines(data: bytes) -> bytes:
    """`data` in base64, in lines of 76 characters, the last one ended too."""
    whole = binascii.b2a_base64(data, newline=False)
    return b"".join(whole[start : start + 76] + CRLF for start in range(0, len(whole), 76)) or CRLF


def multipart(subtype: str, parts: Iterable[bytes], *, boundary: str) -> bytes:
    """Several parts as one. No part can hold the boundary: "=_" occurs neither in base64 nor in quoted-printable."""
    mark = b"--" + boundary.encode("ascii")
    body = b"".join(mark + CRLF + part for part in parts)
    related = '; type="text/html"' if subtype == "related" else ""  # RFC 2387 asks for it
    head = f'Content-Type: multipart/{subtype}{related};\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    return head + body + mark + b"--\r\n"
