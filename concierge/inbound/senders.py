"""Who a mail says it is from and to: address fields read strictly enough that nobody can pass for somebody else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from concierge.addresses import Address, is_address, normalise
from concierge.inbound.headers import Headers, decode_header

MOST_ADDRESSES = 500

# A quoted string, the special characters, runs of blanks, and everything else; each match is linear in its length.
_TOKEN = re.compile(
    rb'=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]{0,2000}\?=|"(?:[^"\\]|\\.)*+"?|[()<>,;:\\]|[ \t\r\n]+|[^()<>,;:\\" \t\r\n]+',
    re.DOTALL,
)
_LOCAL = re.compile(r'[^\s@<>()\[\],;:\\"\x00-\x20\x7f-\x9f]{1,250}|"[^"\\\x00-\x1f\x7f-\x9f]{1,250}"')
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*\.?|\[[0-9A-Fa-f.:IPv]{3,60}\]"
)
# A word that can only be a name.
_NAME = re.compile(rb'=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=|"[^"]*"')
_LOOKS_LIKE_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class Sender:
    """Who wrote: at most one address, and what was odd about how it was given."""

    address: Address | None
    flags: tuple[str, ...] = ()


@dataclass
class _Reading:
    """One member of an address list while its tokens are read."""

    words: list[bytes] = field(default_factory=list)
    comment: list[bytes] = field(default_factory=list)
    angled: bytes | None = None
    closed: bool = False
    touching: bool = False
    broken: bool = False

    def take(self, token: bytes) -> None:
        """Add one token that stands outside comments."""
        touching, self.touching = self.touching, not token.isspace()
        if token.isspace():
            return
        # A space in mid-address: "<barbara rossi@…>" is nobody's.
        self.broken |= bool(self.angled) and not self.closed and not touching and token != b">"
        if self.angled is not None and not self.closed and token not in (b"<", b">"):
            self.angled += token
        elif token == b"<":
            self.broken |= self.angled is not None
            self.angled = self.angled or b""
        elif token == b">":
            self.broken |= self.angled is None or self.closed
            self.closed = True
        elif token == b":":
            self.broken |= self.closed or any(b"@" in word for word in self.words)
            self.words.clear()  # what stood before was the name of a group
        else:
            self._take_word(token, touching)

    def _take_word(self, token: bytes, touching: bool) -> None:
        unclosed = token[:1] == b'"' and (len(token) == 1 or token[-1:] != b'"')
        self.broken |= unclosed or token in (b"\\", b")") or (self.closed and b"@" in token)
        if touching and self.words and not self.closed:
            self.words[-1] += token
        else:
            self.words.append(token)

    def finish(self) -> "_Reading":
        self.broken |= self.angled is not None and not self.closed
        return self


def read_sender(headers: Headers, charset: str | None, envelope_from: str | None) -> Sender:
    """Return who wrote the mail: exactly one From address, else nobody unless From is missing altogether.

    A From that two programs could read differently (two fields, two people, an address beside the brackets) names
    nobody: such a mail must never be taken for a known customer's.
    """
    values = headers.all("from")
    if not [value for value in values if value.strip()]:
        return _stand_in(headers, charset, envelope_from)
    if len(set(values)) > 1:
        return Sender(None, ("several-froms",))
    found, broken = read_addresses(values[0], charset)
    if broken or len(found) != 1:
        return Sender(None, ("several-senders",) if len(found) > 1 and not broken else ("unclear-sender",))
    sender = found[0]
    if not is_address(sender.address):  # lawful, but nothing anybody could answer to
        return Sender(None, ("unclear-sender",))
    if _LOOKS_LIKE_ADDRESS.search(sender.name) and normalise(sender.name.strip("'\"")) != normalise(sender.address):
        return Sender(Address("", sender.address), ("name-is-address",))
    return Sender(sender if "@" not in sender.name else Address("", sender.address))


def _stand_in(headers: Headers, charset: str | None, envelope_from: str | None) -> Sender:
    """Without From: the Sender field, else the envelope's sender (the return path)."""
    for value in (headers.first("sender"), (envelope_from or "").encode(), headers.first("return-path")):
        found, broken = read_addresses(value or b"", charset)
        if len(found) == 1 and not broken:
            return Sender(found[0], ("no-from",))
    return Sender(None, ("no-from",))


def read_all(headers: Headers, name: str, charset: str | None) -> tuple[Address, ...]:
    """Return the addresses of every field *name*, each once, at most MOST_ADDRESSES."""
    found = [address for value in headers.all(name) for address in read_addresses(value, charset)[0]]
    return tuple({address.address.lower(): address for address in reversed(found[:MOST_ADDRESSES])}.values())[::-1]


def read_addresses(value: bytes, charset: str | None = None) -> tuple[list[Address], bool]:
    """Return the addresses in a field's raw *value*, and whether anything in it could be read differently."""
    found: list[Address] = []
    broken, carried = False, b""
    for reading in _readings(value):
        if reading.angled is None and not any(b"@" in word for word in reading.words):
            # `Rossi, Maria <maria@…>`: an unquoted comma in a name.
            carried += b" ".join(reading.words) + b", " if reading.words else b""
            broken |= reading.broken
            continue
        address = _address(reading, carried, charset)
        broken |= reading.broken or address is None
        carried = b""
        if address is not None:
            found.append(address)
        if len(found) >= MOST_ADDRESSES:
            break
    return found, broken or bool(carried and not found and b"@" in value)


def _address(reading: _Reading, carried: bytes, charset: str | None) -> Address | None:
    comment = b"".join(reading.comment)
    if reading.angled is not None:
        spec, name = reading.angled, carried + b" ".join(_unquoted(reading.words))
        # An old route, <@relay:me@here>; or a link, <mailto:me@here>.
        spec = spec.rpartition(b":")[2] if spec[:7].lower().startswith((b"@", b"mailto:")) else spec
    else:
        *words, spec = reading.words
        name = b" ".join(_unquoted(words)) or comment
        # `=?utf-8?Q?Chlo=C3=A9?= chloe@…`, the brackets forgotten; two words of anything else may be read in two ways.
        if not all(map(_NAME.fullmatch, words)) or (words and "@" in decode_header(name, charset)):
            return None
    try:
        local, at, domain = spec.decode("utf-8").rpartition("@")
    except UnicodeDecodeError:
        return None
    if not (at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        return None
    shown = decode_header(name or comment, charset).strip(" \t\"'")
    return Address(shown[:200], f"{local}@{domain.rstrip('.')}")


def _unquoted(words: list[bytes]) -> Iterator[bytes]:
    for word in words:
        yield re.sub(rb"\\(.)", rb"\1", word[1:-1], flags=re.DOTALL) if word[:1] == b'"' and len(word) > 1 else word


def _readings(value: bytes) -> Iterator[_Reading]:
    """Cut an address list into its members; groups are opened, comments set aside, whatever their nesting."""
    reading, depth = _Reading(), 0
    for token in _TOKEN.findall(value):
        if depth or token == b"(":
            depth += (token == b"(") - (token == b")")
            if token not in (b"(", b")"):
                reading.comment.append(token)
        elif token in (b",", b";") and (reading.angled is None or reading.closed):
            yield reading.finish()
            reading = _Reading()
        else:
            reading.take(token)
    reading.broken |= depth > 0
    yield reading.finish()
