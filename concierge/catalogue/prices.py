"""Reads a price as people type it, in either way of writing: "420", "1.200", "€ 1,200.50", "1 200,50 EUR", "400,-"."""

import re

from concierge.errors import BadInput

_MOST = 10**9
_CURRENCY = r"(?:[€$£¥]|us\$|euros?|[a-z]{3})"
# re.ASCII here and below: a digit of another script is none of ours.
_ROUND = re.compile(rf"\A(?:{_CURRENCY} ?)?(?P<amount>\d.*?)(?:[.,] ?[-–—]{{1,2}}|[.,])?(?: ?{_CURRENCY})?\Z", re.ASCII)
# What stands three digits wide behind a separator is thousands, one or two digits wide the cents.
_GROUPED = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<by>[.,' ])\d{3}(?:(?P=by)\d{3})*)(?:(?!(?P=by))[.,](?P<cents>\d\d?))?", re.ASCII
)
_PLAIN = re.compile(r"(?P<whole>\d{1,9})(?:[.,](?P<cents>\d\d?))?", re.ASCII)


class NotThatPrice(BadInput):
    """Write the price as a number, or leave it out."""


def read_price(text: str) -> int | None:
    """A price in cents, None for an empty field; raises NotThatPrice for what could mean two things, or nothing."""
    plain = " ".join(text.casefold().replace("’", "'").split())
    if not plain:
        return None
    around = _ROUND.match(plain)
    amount = around["amount"] if around else ""
    found = _GROUPED.fullmatch(amount) or _PLAIN.fullmatch(amount)
    if found is None:
        raise NotThatPrice
    cents = int(re.sub(r"\D", "", found["whole"])) * 100 + int((found["cents"] or "").ljust(2, "0"))
    if cents >= _MOST:
        raise NotThatPrice
    return cents
