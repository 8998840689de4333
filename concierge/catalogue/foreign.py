"""What shop systems tell by webhook, in our words: counts, names of variants, lines of orders; and how they sign it."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from concierge.catalogue.goods import LONGEST, MOST_CENTS, MOST_TAGS, ProductReport, is_link
from concierge.catalogue.levels import YEARS
from concierge.catalogue.prices import smallest_units
from concierge.catalogue.sizes import SYSTEMS
from concierge.errors import BadInput

# What shops call the choices between a product's variants, in English and Italian.
_OPTIONS: Final = {
    "size": "size", "sizes": "size", "taglia": "size", "taglie": "size", "misura": "size", "numero": "size",
    "color": "colour", "colour": "colour", "colore": "colour", "colors": "colour", "colours": "colour",
}  # fmt: skip


class Misread(BadInput):
    """This is not what we were promised under that topic."""


@dataclass(frozen=True, slots=True)
class Item:
    """A variant as another system names it: by our SKU, or by a name of its own that we learnt before."""

    sku: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """What another system calls the variant with this SKU."""

    sku: str
    alias: str


@dataclass(frozen=True, slots=True)
class Counted:
    """So many units of an item are there; `name` is this report's, `location` "" the shop's own warehouse.

    `is_total`: units at all places together, good only where no place is counted by itself.
    """

    item: Item
    units: int
    as_of: datetime
    name: str
    location: str = ""
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order; `name` is order and line. Of its units so many were undone, in all: `returned`.

    `is_void`: the whole order was cancelled, though not by her, or its payment failed. `delivered_at`: when she had it
    in her hands. `stated_at` is when the order came to be as it is told here, where the shop says so.
    """

    item: Item
    name: str
    at: datetime
    units: int
    price_cents: int
    currency: str
    address: str = ""
    account: str = ""
    hold_token: str = ""
    location: str = ""
    returned: int = 0
    is_void: bool = False
    delivered_at: datetime | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArrivedLine:
    """A line of an order, or a part of it, is in her hands; `name` is order and line as they were sold."""

    item: Item
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Goods:
    """A product; `number` is the other system's own name for it, which stays. Its report carries no code.

    `codes` are what it may be called here, the best first, when we hear of it for the first time: if it `is_shown`,
    for of what nobody can buy yet we make nothing. `passed_over` are its variants without a SKU.
    """

    number: str
    report: ProductReport
    codes: tuple[str, ...] = ()
    is_shown: bool = True
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """A product the other system has no more; whatever it calls so next is another one."""

    number: str


Told = Alias | Counted | SoldLine | ArrivedLine


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether `signature` is base64 of HMAC-SHA256 of the raw body (Shopify's and WooCommerce's way); constant-time."""
    if not secret:
        return False
    try:
        given = base64.b64decode(signature.encode("ascii", "replace"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, hmac.digest(secret.encode(), body, hashlib.sha256))


def read_moment(text: object) -> datetime:
    """An ISO 8601 instant; without a zone it is UTC, as WooCommerce's …_gmt fields are. Raises Misread."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Misread from error
    if found.year not in YEARS:
        raise Misread
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_amount(text: object, currency: str) -> int:
    """An amount like "420.00" in the smallest units of a currency; 0 when there is none."""
    try:
        amount = Decimal(str(text or 0))
    except InvalidOperation:
        return 0
    units = smallest_units(amount, currency) if amount.is_finite() and 0 <= amount < MOST_CENTS else 0
    return units if units < MOST_CENTS else 0


def read_price(text: object, currency: str) -> int | None:
    """The price of a product, "420.00", in the smallest units of a currency; None when there is none."""
    return (read_amount(text, currency) if plain(text, 20) or isinstance(text, float) else 0) or None


def read_link(text: object) -> str | None:
    """The address of a page; None for anything else."""
    link = plain(text, LONGEST["link"] + 1)
    return link if is_link(link) else None


def read_tags(names: Iterable[object]) -> tuple[str, ...]:
    """Words that stand beside a product, each once."""
    tags = (plain(each, LONGEST["tag"]) for each in names)
    return tuple(dict.fromkeys(filter(None, tags)))[:MOST_TAGS]


def option_kind(name: object) -> tuple[str, str | None]:
    """What a choice in the shop is about, "size", "colour" or ""; and the system its sizes are in, if it says so.

    "EU size" and "Taglia (IT)" name one.
    """
    words = re.findall(r"[^\W_]+", plain(name, 80).lower())
    system = next((each.upper() for each in words if each.upper() in SYSTEMS), None)
    kind = next((_OPTIONS[each] for each in words if each in _OPTIONS), "")
    return kind, system if kind == "size" else None


def read_units(value: object) -> int:
    """A whole number of units within reason; raises Misread."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1_000_000:
        raise Misread
    return value


def rows(value: object) -> list[dict[str, Any]]:
    """The objects in a list; what is none is passed over."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def plain(value: object, most: int) -> str:
    """Text without control characters, at most so long; "" for anything else."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "".join(letter for letter in text if letter.isprintable())[:most].strip()


def hold_of(attributes: object, name: str = "name") -> str:
    """The hold token among an order's own attributes, where the checkout put it as "hold" (or "_hold", unseen)."""
    for each in rows(attributes):
        if plain(each.get(name), 40).lower() in {"hold", "_hold"}:
            return plain(each.get("value"), 200)
    return ""
