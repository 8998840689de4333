"""E-mail addresses as values: a name and an address, read leniently and compared fairly."""

import re
from dataclasses import dataclass
from email.utils import formataddr
from functools import lru_cache

import idna

# RFC 5321 atoms are ASCII; RFC 6531 allows any other letter. Control characters and angle brackets never belong.
_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:\"@\x00-\x1f\x7f-\x9f]{1,64}@[^\s<>()\\,;:\"@\x00-\x1f\x7f-\x9f]{1,253}")
_LONGEST_DOMAIN = 253
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address with the name that stood beside it (may be empty)."""

    name: str
    address: str

    def __str__(self) -> str:
        return formataddr((self.name, self.address)) if self.name.isascii() else f"{self.name} <{self.address}>"

    @property
    def domain(self) -> str:
        """The part behind the last @, as `normalise` compares it."""
        return normalise(self.address).rpartition("@")[2]


def normalise(address: str) -> str:
    """The form in which two addresses are compared: small letters, the domain in ASCII, control characters gone.

    anna@bücher.example and anna@xn--bcher-kva.example are one mailbox. Never raises: what is no domain stays as it is
    written. What is shown is never this form, but what was typed, or `readable`.
    """
    if address.isascii() and address.isprintable():  # as nearly all are: there is nothing to take out
        return address.strip().lower()
    local, at, domain = _CONTROL.sub("", address).strip().rpartition("@")
    # Of the domain the letters as they are typed: casefold makes another domain of straße.
    return f"{local.casefold()}@{ascii_domain(domain) or domain.casefold()}" if at else domain.casefold()


def tidy(address: str) -> str:
    """An address as it is kept to be shown: as it was typed, in small letters, control characters gone."""
    return _CONTROL.sub("", address).strip().lower()


def readable(address: str) -> str:
    """A compared address as people read it: the domain in its own letters. For the eye alone."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except UnicodeError:
        return address


def spellings(address: str) -> frozenset[str]:
    """How an address may stand where it was kept as `tidy` made it: as it is here, and the domain in either script."""
    return frozenset({tidy(address), normalise(address), readable(normalise(address))})


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str | None:
    """A domain as it goes over the wire (IDNA 2008, mapped by UTS 46); None where no mail can be sent to it."""
    if len(domain) > _LONGEST_DOMAIN:
        return None
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return None


def person_behind(address: str) -> str:
    """The mailbox an address most likely leads to, for counting only: no +suffix, and no dots at Gmail."""
    local, _, domain = normalise(address).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


def is_address(text: str) -> bool:
    """Whether `text` is one plain addr-spec such as barbara@example.com."""
    return _ADDRESS.fullmatch(text) is not None


def parse_one(text: str) -> Address | None:
    """The first address in `text`, `Name <address>` or bare; None when there is none."""
    found = parse_list(text)
    return found[0] if found else None


def parse_list(text: str) -> tuple[Address, ...]:
    """Every address in a comma-separated list, in order; what is not an address is passed over.

    Commas inside quotes or comments do not divide. Linear in the length of `text`; never raises (RFC 5322, 3.4).
    """
    return tuple(found for piece in _pieces(_CONTROL.sub(" ", text)) if (found := _read(piece)))


def _pieces(text: str) -> list[str]:
    pieces, start, quoted, depth = [], 0, False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character in ",;" and not depth:
            pieces.append(text[start:position])
            start = position + 1
    pieces.append(text[start:])
    return pieces


def _read(piece: str) -> Address | None:
    if piece.rstrip().endswith(">") and "<" in piece:
        name, _, rest = piece.rpartition("<")
        address = rest.rstrip().rstrip(">").strip()
        return Address(_clean(name), address) if is_address(address) else None
    comment = re.fullmatch(r"\s*(\S+@\S+)\s*\(([^()]*)\)\s*", piece)
    if comment and is_address(comment[1]):
        return Address(_clean(comment[2]), comment[1])
    bare = piece.strip()
    return Address("", bare) if is_address(bare) else None


def _clean(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"')
    return " ".join(name.strip("'").split())
