"""Who a sender could be taken for, and is not: a rule over addresses and names (T25)."""

import unicodedata
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from concierge.addresses import Address, normalise

# Letters of other scripts, and pairs, that look like ASCII ones (after Unicode's confusables, UTS 39), and digits.
_ALIKE = str.maketrans(
    "абвгԁеһіјкӏмнорԛѕтухѵѡԝзьαβγεηικμνορτυχωıłøđħŧſ01358|",
    "a6brdehijklmhopqstyxvwwзbaβyenikuvoptuxwilodhtsolesbl",
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
# Shorter words are alike by chance.
_SHORTEST, _SHORTEST_ADDRESS = 5, 8


class Doubt(StrEnum):
    """Whom an address or a name looks like."""

    OURS = "ours"
    STAFF = "staff"
    KNOWN = "known"
    OTHER = "other"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Likeness:
    """A doubt, and the address or name it is about."""

    doubt: Doubt
    like: str = ""

    @property
    def is_grave(self) -> bool:
        """Whether somebody may want to be taken for another."""
        return self.doubt in {Doubt.OURS, Doubt.STAFF, Doubt.KNOWN}


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """Whom the house knows: its own domains, its staff's names by their addresses, hers and others' addresses.

    `is_first`: nothing came from her before, and nothing was written to her.
    """

    domains: Collection[str] = ()
    staff: Mapping[str, str] = field(default_factory=dict)
    hers: Collection[str] = ()
    others: Collection[str] = ()
    is_first: bool = False


def look_like(sender: Address, known: Acquaintance) -> tuple[Likeness, ...]:
    """What should be said of this sender; nothing of one we know well. Addresses in `known` are normalised.

    One warning is enough: whoever may be taken for us is not also said to be like a colleague, or a customer.
    """
    address = normalise(sender.address)
    is_hers = address in known.hers
    grave = (
        _like_ours(sender.domain, known.domains)
        or _like_staff(sender, known.staff)
        or _like_known(address, known.others if is_hers else (*known.hers, *known.others))
    )
    quiet = Doubt.FIRST if is_hers and known.is_first else Doubt.OTHER if known.hers and not is_hers else None
    return tuple(each for each in (grave, Likeness(quiet) if quiet else None) if each is not None)


def skeleton(text: str) -> str:
    """A text with everything that looks alike made equal: two with the same skeleton can be taken for each other."""
    plain = unicodedata.normalize("NFKD", _in_letters(text).casefold())
    plain = "".join(each for each in plain if not unicodedata.combining(each) and each.isprintable())
    plain = "".join(each for each in plain if unicodedata.category(each) != "Cf").translate(_ALIKE)
    for pair, letter in _PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def _in_letters(text: str) -> str:
    """Punycode as the letters it stands for (RFC 3492); as it is where it stands for nothing."""
    if "xn--" not in text.casefold():
        return text
    parts = []
    for label in text.split("."):
        before, at, name = label.rpartition("@")
        if name.casefold().startswith("xn--"):
            with suppress(UnicodeError):
                name = name[4:].encode().decode("punycode")
        parts.append(f"{before}{at}{name}")
    return ".".join(parts)


def _like_ours(domain: str, ours: Collection[str]) -> Likeness | None:
    if domain in ours or any(domain.endswith(f".{each}") for each in ours):
        return None
    for each in ours:
        name = skeleton(each.partition(".")[0])
        if is_near(domain, each) or (len(name) >= _SHORTEST and name in skeleton(domain)):
            return Likeness(Doubt.OURS, each)
    return None


def _like_staff(sender: Address, staff: Mapping[str, str]) -> Likeness | None:
    name = " ".join(skeleton(sender.name).split())
    for address, theirs in staff.items():
        if " " in theirs and name == " ".join(skeleton(theirs).split()) and normalise(sender.address) != address:
            return Likeness(Doubt.STAFF, theirs)
    return None


def _like_known(address: str, known: Collection[str]) -> Likeness | None:
    near = next((each for each in known if each != address and is_near(address, each)), None)
    return Likeness(Doubt.KNOWN, near) if near and len(address) >= _SHORTEST_ADDRESS else None


def is_near(one: str, other: str) -> bool:
    """Whether two different texts look alike, or are one letter apart: another, one more, or two that changed places.

    Numbers count: barbara1@ and barbara2@ are two people.
    """
    if one == other or _digits(one) != _digits(other):
        return one != other and skeleton(one) == skeleton(other)
    first, second = skeleton(one), skeleton(other)
    if abs(len(first) - len(second)) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    one_rest, other_rest = first[at:], second[at:]
    swapped = one_rest[:2] == other_rest[1::-1] and one_rest[2:] == other_rest[2:]
    return swapped or one_rest[1:] in (other_rest, other_rest[1:]) or one_rest == other_rest[1:]


def _digits(text: str) -> str:
    return "".join(each for each in _in_letters(text) if each.isdigit())
