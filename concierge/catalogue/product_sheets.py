"""Reads products from a CSV file, a line for each size and colour, with English or Italian headings."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from concierge.catalogue.goods import (
    LONGEST,
    MOST_TAGS,
    ProductReport,
    VariantReport,
    Wording,
    category_of,
    is_code,
    is_link,
)
from concierge.catalogue.prices import NotThatPrice, read_price
from concierge.catalogue.spreadsheets import plain_heading, read_rows
from concierge.errors import BadInput

MOST_LINES: Final = 10_000
_HEADINGS: Final = {
    "code": "code", "product code": "code", "product": "code", "handle": "code", "codice": "code",
    "codice prodotto": "code", "prodotto": "code",
    "sku": "sku", "variant sku": "sku", "designer": "designer", "brand": "designer", "vendor": "designer",
    "marca": "designer", "stilista": "designer", "category": "category", "kind": "category", "type": "category",
    "categoria": "category", "tipo": "category", "season": "season", "stagione": "season",
    "price": "price", "prezzo": "price", "currency": "currency", "valuta": "currency",
    "tags": "tags", "etichette": "tags", "link": "link", "url": "link",
    "size": "size", "taglia": "size", "misura": "size", "size system": "size_system", "size_system": "size_system",
    "sistema": "size_system", "colour": "colour", "color": "colour", "colore": "colour",
}  # fmt: skip
_WORDS: Final = {
    "name": "name", "title": "name", "nome": "name", "titolo": "name",
    "description": "description", "descrizione": "description",
}  # fmt: skip
# Words in one language: "Name it", "name_it", "Nome (it)".
_IN_LANGUAGE: Final = re.compile(rf"({'|'.join(_WORDS)})[ _]?\(?([a-z]{{2}})\)?")
_OF_VARIANT: Final = ("size", "size_system", "colour")


class NotAProductSheet(BadInput):
    """This is not a file of products. Save it as CSV, with a first line of headings, among them Code and SKU."""


class ProductSaidTwice(BadInput):
    """Two columns of this file speak of the same thing, such as Size and Taglia. Leave the one that counts."""


class TooManyProducts(BadInput):
    """This file has more lines than we can take; send it in parts of 10,000."""


@dataclass(frozen=True, slots=True)
class ProductFault:
    """A line that can't be used: what is wrong, and what stands there; its product is left as it is.

    Wrong is "code", "sku", "price", "currency", "link", "long"; that another line says something else of its product
    ("differs"), or has its SKU ("twice"). Once the catalogue is asked: "elsewhere", "incomplete".
    """

    line: int
    fault: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class ProductSheet:
    """What a file says of each product, with the number of its first line; and the lines that can't be used."""

    reports: tuple[tuple[int, ProductReport], ...]
    faults: tuple[ProductFault, ...]


@dataclass(slots=True)
class _Article:
    """A product as its lines are read."""

    line: int
    said: dict[str, str] = field(default_factory=dict)
    variants: list[VariantReport] = field(default_factory=list)
    is_faulty: bool = False


def read_products(data: bytes, *, language: str, currency: str) -> ProductSheet:
    """The products of a CSV file; names without a language are in `language`, prices in `currency`.

    An empty cell says nothing. Raises NotAProductSheet, ProductSaidTwice, TooManyProducts.
    """
    rows, columns = read_rows(data, lambda headings: _columns(headings, language), refused=NotAProductSheet)
    articles: dict[str, _Article] = {}
    faults: list[ProductFault] = []
    lines: dict[str, int] = {}
    for number, row in rows:
        if number > MOST_LINES + 1:
            raise TooManyProducts
        cells = {name: row[at].strip() for name, at in columns.items() if at < len(row) and row[at].strip()}
        code, sku = cells.pop("code", ""), cells.pop("sku", "")
        article = articles.setdefault(code, _Article(number))
        found = [*_faults(number, code, sku, cells, currency), *_differences(number, article, cells)]
        if (earlier := lines.setdefault(sku, number)) != number and sku:
            found.append(ProductFault(number, "twice", f"{sku}, {earlier}"))
        faults += found
        article.is_faulty |= bool(found)
        article.variants.append(VariantReport(sku, **{name: cells.get(name) for name in _OF_VARIANT}))
    sound = ((each.line, _report(code, each, currency)) for code, each in articles.items() if not each.is_faulty)
    return ProductSheet(tuple(sound), tuple(faults))


def _columns(headings: list[str], language: str) -> dict[str, int]:
    """Where each column is; {} when these are no headings. Raises ProductSaidTwice."""
    columns: dict[str, int] = {}
    for at, heading in enumerate(headings):
        if not (name := _column(plain_heading(heading), language)):
            continue
        if name in columns:
            raise ProductSaidTwice
        columns[name] = at
    return columns if {"code", "sku"} <= columns.keys() else {}


def _column(heading: str, language: str) -> str:
    if heading in _WORDS:
        return f"{_WORDS[heading]}.{language}"
    if found := _IN_LANGUAGE.fullmatch(heading):
        return f"{_WORDS[found[1]]}.{found[2]}"
    return _HEADINGS.get(heading, "")


def _faults(number: int, code: str, sku: str, cells: dict[str, str], currency: str) -> list[ProductFault]:
    wrong = {
        "code": not is_code(code) and code,
        "sku": not 0 < len(sku) <= LONGEST["sku"] and sku,
        "price": not _is_price(cells.get("price", ""), cells.get("currency", currency)) and cells["price"],
        "currency": not re.fullmatch("([A-Z]{3})?", cells.get("currency", "")) and cells["currency"],
        "link": "link" in cells and not is_link(cells["link"]) and cells["link"],
    }
    faults = [ProductFault(number, name, value[:60]) for name, value in wrong.items() if value is not False]
    for name, value in cells.items():
        if len(value) > LONGEST.get(name.partition(".")[0], 1000) and name not in wrong:
            faults.append(ProductFault(number, "long", f"{name}: {value[:40]} …"))
    return faults


def _is_price(text: str, currency: str) -> bool:
    try:
        read_price(text, currency)
    except NotThatPrice:
        return False
    return True


def _differences(number: int, article: _Article, cells: dict[str, str]) -> list[ProductFault]:
    """What this line says of its product that an earlier line says otherwise; what is new is kept."""
    faults = []
    for name, value in cells.items():
        if name not in _OF_VARIANT and article.said.setdefault(name, value) != value:
            faults.append(ProductFault(number, "differs", f"{name}: {value[:40]}"))
    return faults


def _report(code: str, article: _Article, usual_currency: str) -> ProductReport:
    said, texts = article.said, {}
    for language in sorted({name.partition(".")[2] for name in said if "." in name}):
        texts[language] = Wording(said.get(f"name.{language}"), said.get(f"description.{language}"))
    plain: dict[str, Any] = {name: said.get(name) for name in ("designer", "season", "currency", "link")}
    tags = [each.strip()[: LONGEST["tag"]] for each in re.split("[,;|]", said.get("tags", ""))]
    return ProductReport(
        code,
        **plain,
        category=category_of(said["category"]) if "category" in said else None,
        price_cents=read_price(said.get("price", ""), said.get("currency", usual_currency)),
        tags=tuple(filter(None, dict.fromkeys(tags)))[:MOST_TAGS] if "tags" in said else None,
        texts=texts,
        variants=tuple(article.variants),
    )
