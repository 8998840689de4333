"""Sizes of women's shoes and clothes in the systems our customers know: EU, IT, FR, UK and US, both ways.

The steps are those designers' size guides agree on: a shoe in Italian 37 is US 7, French 38, UK 4, and EU 37; a dress
in US 8 is UK 12, EU (German) 38, French 40, Italian 44. Measured in Paris points and barleycorns (ISO/TS 19407) the
shoe ladders drift apart at their ends, which is why we convert what is written on the shoe and never a foot.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

SYSTEMS: Final = ("EU", "IT", "FR", "UK", "US")

# What each system writes on the smallest size, and on the largest; a step is the same in all of them.
_LADDERS: Final[dict[str, dict[str, tuple[Decimal, Decimal]]]] = {
    "shoes": {
        "EU": (Decimal(34), Decimal(43)),
        "IT": (Decimal(34), Decimal(43)),
        "FR": (Decimal(35), Decimal(44)),
        "UK": (Decimal(1), Decimal(10)),
        "US": (Decimal(4), Decimal(13)),
    },
    "clothes": {
        "EU": (Decimal(30), Decimal(50)),
        "IT": (Decimal(36), Decimal(56)),
        "FR": (Decimal(32), Decimal(52)),
        "UK": (Decimal(4), Decimal(24)),
        "US": (Decimal(0), Decimal(20)),
    },
}
# A size that says its system, before or behind it.
_NAMED: Final = re.compile(
    r"(?P<system>EU|IT|FR|UK|US) ?(?P<size>\d[\d.,½ ]*)|(?P<first>\d[\d.,½]*) ?(?P<last>EU|IT|FR|UK|US)", re.IGNORECASE
)
_STEPS: Final = {"shoes": Decimal("0.5"), "clothes": Decimal(2)}
_KINDS: Final = {
    "shoes": "shoes",
    "sandals": "shoes",
    "boots": "shoes",
    "dresses": "clothes",
    "blouses": "clothes",
    "coats": "clothes",
    "skirts": "clothes",
}
# The system of most shoppers of a country (ISO 3166); the rest of Europe reads EU sizes.
_COUNTRIES: Final = {
    "IT": "IT", "SM": "IT", "VA": "IT", "FR": "FR", "BE": "FR", "ES": "FR", "PT": "FR", "LU": "FR", "MC": "FR",
    "GB": "UK", "IE": "UK", "AU": "UK", "NZ": "UK", "US": "US", "CA": "US",
}  # fmt: skip


def kind_of(category: str) -> str:
    """Which ladder a kind of product is sized on, "shoes" or "clothes"; "" for what has none (rings, belts)."""
    return _KINDS.get(category, "")


def system_of(country: str) -> str:
    """The system somebody in this country reads; EU where we don't know better."""
    return _COUNTRIES.get(country.upper(), "EU")


def system_known(country: str) -> str:
    """The system somebody of this country reads; "" where we don't know of any country."""
    return system_of(country) if country else ""


def read_size(kind: str, text: str, system: str) -> tuple[str, str]:
    """A size as a shop writes it, and the system it is in: "UK 4" → ("4", "UK"), "36½" → ("36.5", `system`).

    A bare size is in `system` where that system has it; what stands on no ladder ("M", "75 cm") is in none.
    """
    plain = " ".join(text.split())
    if named := _NAMED.fullmatch(plain):
        return _decimal(named["size"] or named["first"]), (named["system"] or named["last"]).upper()
    size = _decimal(plain)
    return size, system if system not in SYSTEMS or convert(kind, size, system, system) else ""


def convert(kind: str, size: str, system: str, to: str) -> str | None:
    """The size in another system, e.g. shoes "36" EU → UK "3"; None for what is on no ladder. Never rounds."""
    ladder = _LADDERS.get(kind, {})
    if system not in ladder or to not in ladder:
        return None
    smallest, largest = ladder[system]
    try:
        number = Decimal(size.strip().replace(",", ".").replace("½", ".5"))
    except InvalidOperation:
        return None
    if not number.is_finite() or not smallest <= number <= largest or (number - smallest) % _STEPS[kind]:
        return None
    return _written(ladder[to][0] + number - smallest)


def all_systems(kind: str, size: str, system: str) -> dict[str, str]:
    """The size in every system, by system; empty for what is on no ladder."""
    converted = {to: convert(kind, size, system, to) for to in SYSTEMS}
    return {to: written for to, written in converted.items() if written is not None}


def _decimal(size: str) -> str:
    """A size with its half written as everybody else writes it: 36½ and 36,5 as 36.5."""
    return re.sub(r"(?<=\d),(?=\d)", ".", re.sub(r"(?<=\d) ?½", ".5", size))


def _written(number: Decimal) -> str:
    return str(number.to_integral_value()) if number == number.to_integral_value() else str(number.normalize())
