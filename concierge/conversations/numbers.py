"""Telephone and order numbers in what somebody wrote, to be shown to an editor; nothing acts upon them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatch, PhoneNumberMatcher, format_number

_MOST_TEXT = 5_000
_MOST_TRIES = 40
_MOST_FOUND = 5
_MAY_HOLD_ONE = re.compile(r"\d(?:[^\w\n]{0,2}\d){5}")
_PHONE_WORD = re.compile(
    r"(?:tel(?:e[fp]h?on\w*|[.:])?|phone|mob(?:il\w*|\.)|cell\w*|call(?: me)?|whats ?app|portable|"
    r"numero|número|number|handy|"
    r"chiam\w+|appel\w+|(?:an)?ruf\w*|erreich\w+|ll[aá]m\w+|lig(?:ue|ar)\w*|bel(?:len)?|dzwoni\w*|komórk\w*|電話|携帯|电话|手机|電話)"
    r"\W*(?:\w+\W+){0,4}$",
    re.IGNORECASE,
)
# "36 37 38 39 40" is a row of sizes; a French number of pairs begins with 0.
_PAIRS = re.compile(r"[1-9]\d(?:[ .-]\d\d)+")
_ORDER_WORD = (
    r"(?:order|ordine|ordini|commande|bestell(?:ung|-?nummer|-?nr)|auftrag|pedido|encomenda|"
    r"bestel(?:ling|-?nummer)|zamówieni\w+|注文|订单|訂單)"
)
# What may stand between: "order confirmation no.", "l'ordine è il", "pedido nº".
_TELLS = (
    r"(?:(?:confirmation|conferma|confirmación|ref(?:erence)?|cod(?:e|ice)|código)\W{1,3})?"
    r"(?:(?:id|nr|num\w*|no|n[º°]?|(?:is|è|est|ist|es|é)(?:\W(?:the|il|la|le|die|el))?|番号|号|號)\W{1,3}|(?:番号|号|號)\W{0,3})?"
)
# As shops number them; a year is none.
_USUAL = r"(?:[A-Z]{1,4}-?\d{3,12}|\d{5,12}|(?<=#)\d{3,4})"
# Where nobody told us her country: that of the language she writes, where it is spoken in one above all.
_REGIONS = {"it": "IT", "fr": "FR", "de": "DE", "es": "ES", "nl": "NL", "pl": "PL", "pt": "PT", "ja": "JP"}


class NumberKind(StrEnum):
    """What a number is of."""

    PHONE = "phone"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is shown, and as it is called or looked up."""

    kind: NumberKind
    shown: str
    value: str


def find_numbers(words: str, *, country: str, language: str, order_number: str) -> tuple[Number, ...]:
    """Return the numbers in *words*, each once, orders first; *order_number* is the house's own pattern, if any."""
    words = words[:_MOST_TEXT]
    orders = list(_orders(words, order_number or _USUAL))
    taken = {each.value for each in orders}
    phones = [each for each in _phones(words, country.upper() or _REGIONS.get(language)) if each.shown not in taken]
    return tuple(dict.fromkeys((*orders[:_MOST_FOUND], *phones[:_MOST_FOUND])))


def _orders(words: str, pattern: str) -> Iterator[Number]:
    """What looks like a number of ours behind the word for an order, or behind `#`."""
    told = re.compile(
        rf"(?:{_ORDER_WORD}\W{{0,3}}{_TELLS}|(?<!\w)#)"
        rf"({pattern})(?!\w)",
        re.IGNORECASE,
    )
    for found in told.finditer(words):
        yield Number(NumberKind.ORDER, found[1], found[1])


def _phones(words: str, region: str | None) -> Iterator[Number]:
    if not _MAY_HOLD_ONE.search(words):
        return
    for found in PhoneNumberMatcher(words, region, leniency=Leniency.VALID, max_tries=_MOST_TRIES):
        if _is_meant(found, words):
            shown = format_number(found.number, PhoneNumberFormat.INTERNATIONAL)
            yield Number(NumberKind.PHONE, shown, format_number(found.number, PhoneNumberFormat.E164))


def _is_meant(found: PhoneNumberMatch, words: str) -> bool:
    """Whether it is said to be one: by its prefix, by a word before it, or by a line of its own."""
    raw = found.raw_string
    if raw.startswith(("+", "00", "(+")):
        return True
    start = words.rfind("\n", 0, found.start) + 1
    if _PHONE_WORD.search(words[max(start, found.start - 60) : found.start]):
        return True
    line = words[start:].split("\n", 1)[0]
    return line.strip() == raw and not _PAIRS.fullmatch(raw)
