"""What a shop tells of a product, in our words, whichever way it comes: what may stand in it, and how it is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from concierge.catalogue.naming import CATEGORIES, kind_meant

# As long as each may be.
LONGEST: Final = {
    "code": 40, "designer": 120, "category": 40, "season": 20, "link": 500, "tag": 40,
    "name": 200, "description": 10_000, "sku": 60, "size": 20, "size_system": 8, "colour": 40,
}  # fmt: skip
MOST_VARIANTS: Final = 500
MOST_PICTURES: Final = 12
MOST_TAGS: Final = 50
MOST_CENTS: Final = 10**9
# A kind nobody named.
OTHER: Final = "other"
# A code stands in addresses; of these the pages beside the products' own are made.
CODE: Final = r"^(?!(?:\.{1,2}|pick|stock|safety)$)[^/\\\x00-\x1f\x7f]{1,40}$"
# How a page ends a line.
_BLOCKS: Final = frozenset(
    "address article blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p section tr ul".split()
)
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "title"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a product whose bytes are in the blobs; `colour` is empty when it shows any."""

    blob_key: str
    width: int
    height: int
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A product's name and description in one language; None is not said."""

    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class VariantReport:
    """A size and colour of a product, by SKU. None is not said; a size may carry its system: "UK 4"."""

    sku: str
    size: str | None = None
    size_system: str | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class ProductReport:
    """A product as the shop says it is, `as_of` a moment, where it says of when. None is not said, and stays as it is.

    `names_all`: its variants are all there are, so that any other is no longer sold. `pictures` are all of them.
    """

    code: str
    designer: str | None = None
    category: str | None = None
    season: str | None = None
    price_cents: int | None = None
    currency: str | None = None
    link: str | None = None
    tags: tuple[str, ...] | None = None
    texts: Mapping[str, Wording] = field(default_factory=dict)
    variants: tuple[VariantReport, ...] = ()
    names_all: bool = False
    pictures: tuple[Picture, ...] | None = None
    as_of: datetime | None = None


def is_code(text: str) -> bool:
    """Whether a product may be called so: its code stands in addresses."""
    return re.fullmatch(CODE, text) is not None and text == text.strip()


def is_link(text: str) -> bool:
    """Whether this leads to a page of the web, and nowhere else; nothing is fetched to find out."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(text) <= LONGEST["link"]


def category_of(text: str) -> str:
    """Our word for a kind of product that a shop calls in English or Italian; a kind nobody foresaw keeps its own."""
    plain = " ".join(text.lower().split())
    return plain if plain in CATEGORIES else kind_meant(plain) or plain[: LONGEST["category"]]


def words_of_html(markup: str) -> str:
    """The words of a shop's description, a line for each paragraph."""
    reader = _Words()
    reader.feed(markup)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.said).split("\n"))
    return "\n".join(filter(None, lines))[: LONGEST["description"]]


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.said.append("".join(each for each in data.replace("\n", " ") if each.isprintable()))
