"""Fills a template with the values of one customer; a value is data, never template, markup or a second line."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from jinja2 import Template, TemplateError, UndefinedError

from concierge.errors import RuleBroken
from concierge.templating.check import check_syntax
from concierge.templating.language import Group, MergeEnvironment, Ready, literal
from concierge.templating.merge_fields import MERGE_FIELDS, MergeField
from concierge.templating.syntax import normalise

LONGEST_OUTPUT: Final = 256 * 1024
_LONGEST_VALUE: Final = 1_000
_SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+:#-]{0,59}")
_SAID_OF_PRODUCTS: Final = ("name", "designer", "colour", "price", "card")
_SEEN_AS_BLANK: Final = frozenset("\u00ad\u115f\u1160\u2800\u3164\uffa0")
_JOINERS: Final = frozenset("\u200c\u200d")  # Persian, Indic scripts and emoji need them
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co"})


class TemplateUnfit(RuleBroken):
    """This template can’t be used as it stands. Please open it, put right what is marked, and save it again."""


class FieldMissing(RuleBroken):
    """This template speaks of something that isn’t known here, such as a product. Please choose it first."""


class OutputTooLong(RuleBroken):
    """This template grew too long when it was filled."""


class CustomerLike(Protocol):
    """What a template may know of a customer; names may be empty."""

    @property
    def name(self) -> str | None: ...
    @property
    def first_name(self) -> str | None: ...


class EditorLike(Protocol):
    """What a template may know of the editor who writes."""

    @property
    def name(self) -> str: ...
    @property
    def first_name(self) -> str: ...


class ProductLike(Protocol):
    """What a template may know of a product, in the customer's language; `size` may be empty without a variant."""

    @property
    def sku(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def designer(self) -> str: ...
    @property
    def colour(self) -> str: ...
    @property
    def size(self) -> str: ...
    @property
    def price(self) -> str: ...
    @property
    def link(self) -> str: ...


def render(text: str, values: Mapping[str, str]) -> str:
    """The body of a mail as plain-text markup, from a checked template and the values of `values_for`.

    Raises TemplateUnfit when the text was never checked, FieldMissing when a field is printed that has no value here,
    OutputTooLong above 256 KB.
    """
    return _tidied(_filled(_compiled(normalise(text), single_line=False), values))


def render_subject(text: str, values: Mapping[str, str]) -> str:
    """The subject of a mail: one line, nothing escaped, for a subject has no markup. Raises what `render` raises."""
    filled = _filled(_compiled(normalise(text), single_line=True), values)
    return " ".join(filled.split())


def values_for(
    *,
    customer: CustomerLike | None,
    size: str | None,
    editor: EditorLike,
    editor_title: str,
    sign_off: str,
    brand: str,
    address: str,
    subject: str | None = None,
    product: ProductLike | None = None,
    alternative: ProductLike | None = None,
) -> dict[str, str]:
    """The ready values of every field that is known. Products and sign-off come in the customer's language already."""
    values = {
        "customer.first_name": (customer.first_name if customer else None) or "",
        "customer.name": (customer.name if customer else None) or "",
        "customer.size": size or "",
        "editor.first_name": editor.first_name,
        "editor.name": editor.name,
        "editor.title": editor_title,
        "editor.sign_off": sign_off,
        "mailbox.brand": brand,
        "mailbox.address": address,
        "conversation.subject": subject or "",
    }
    if product is not None:
        values |= {f"product.{name}": value for name, value in _said_of(product).items()}
        values |= {"product.link": product.link, "variant.size": product.size}
    other = _said_of(alternative) if alternative is not None else dict.fromkeys(_SAID_OF_PRODUCTS, "")
    return values | {f"alternative.{name}": value for name, value in other.items()}


def _said_of(product: ProductLike) -> dict[str, str]:
    card = f"[product {product.sku}]" if _SKU.fullmatch(product.sku) else ""
    said = (product.name, product.designer, product.colour, product.price, card)
    return dict(zip(_SAID_OF_PRODUCTS, said, strict=True))


def clean(value: str) -> str:
    """A value as a person would see it: one line, without control or invisible characters, empty when nothing shows."""
    spaced = "".join(" " if each.isspace() and each not in "\u00a0\u202f" else each for each in value[:_LONGEST_VALUE])
    seen = "".join(each for each in spaced if each in _JOINERS or unicodedata.category(each) not in _UNSEEN)
    if not any(unicodedata.category(each)[0] in "LNPS" and each not in _SEEN_AS_BLANK for each in seen):
        return ""
    return re.sub(" {2,}", " ", unicodedata.normalize("NFC", seen)).strip()


def safe_link(url: str) -> str:
    """The URL, percent-encoded so that it survives any markup around it; empty unless it is plain http or https."""
    url = clean(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "\\" in url:
        return ""
    return quote(url, safe=":/?#&=+,;%@!$~._-")


_BODIES: Final = MergeEnvironment(finalize=literal)
_SUBJECTS: Final = MergeEnvironment()


@lru_cache(maxsize=512)
def _compiled(text: str, *, single_line: bool) -> Template:
    if check_syntax(text, single_line=single_line):
        raise TemplateUnfit
    return (_SUBJECTS if single_line else _BODIES).from_string(text)


def _filled(template: Template, values: Mapping[str, str]) -> str:
    pieces: list[str] = []
    length = 0
    try:
        for piece in template.generate(_groups(values)):
            length += len(piece)
            if length > LONGEST_OUTPUT:
                raise OutputTooLong
            pieces.append(piece)
    except UndefinedError:
        raise FieldMissing from None
    except TemplateError:
        raise TemplateUnfit from None
    return "".join(pieces)


def _groups(values: Mapping[str, str]) -> dict[str, Group]:
    """The values by group, cleaned. A field that must not be empty, but is, is left out: printing it raises."""
    groups: dict[str, dict[str, str]] = {field.group: {} for field in MERGE_FIELDS.values()}
    for field in MERGE_FIELDS.values():
        value = _lawful(field, values.get(field.name, ""))
        if value or field.may_be_empty:
            groups[field.group][field.name.partition(".")[2]] = value
    for name in {field.group for field in MERGE_FIELDS.values() if field.comes_whole}:
        if not all(groups[name].values()):
            groups[name] = dict.fromkeys(groups[name], "")
    return {name: Group(fields) for name, fields in groups.items()}


def _lawful(field: MergeField, value: str) -> str:
    if field.lines:
        return "\n".join(filter(None, map(clean, normalise(value).split("\n"))))
    if not field.ready:
        return clean(value)
    if field.stands_alone:
        return Ready(value) if re.fullmatch(rf"\[product {_SKU.pattern}\]", value) else ""
    return Ready(safe_link(value))


def _tidied(text: str) -> str:
    """Without the spaces and empty lines that skipped conditions leave behind."""
    lines = [re.sub(r"(?<=\S) {2,}(?=\S)", " ", line.rstrip()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
