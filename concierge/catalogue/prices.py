"""Sums of money: what we keep is in the smallest unit of the currency (yen have no cents, dinars have thousandths).

A price is read as people type it, in either way of writing: "420", "1.200", "€ 1,200.50", "1 200,50 EUR", "400,-".
"""

import re
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from concierge.errors import BadInput

_MOST = 10**9
_CURRENCY = r"(?:[€$£¥]|us\$|euros?|[a-z]{3})"
# re.ASCII here and below: a digit of another script is none of ours.
_ROUND = re.compile(rf"\A(?:{_CURRENCY} ?)?(?P<amount>\d.*?)(?:[.,] ?[-–—]{{1,2}}|[.,])?(?: ?{_CURRENCY})?\Z", re.ASCII)
# What stands three digits wide behind a separator is thousands, one or two digits wide the cents.
_GROUPED = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<by>[.,' ])\d{3}(?:(?P=by)\d{3})*)(?:(?!(?P=by))[.,](?P<cents>\d\d?))?", re.ASCII
)
# Where a currency counts thousandths, three digits behind a point are those, as `price_typed` writes them.
_THOUSANDTHS = re.compile(r"(?P<whole>\d{1,6})\.(?P<cents>\d{3})", re.ASCII)
_PLAIN = re.compile(r"(?P<whole>\d{1,9})(?:[.,](?P<cents>\d\d?))?", re.ASCII)


class NotThatPrice(BadInput):
    """Write the price as a number, or leave it out."""


def smallest_units(amount: Decimal, currency: str) -> int:
    """An amount as the currency counts it: 420.50 are 42050 in euro, and 421 in yen."""
    return int(amount.scaleb(get_currency_precision(currency)).to_integral_value(ROUND_HALF_UP))


def amount_of(units: int, currency: str) -> Decimal:
    """So many of the currency's smallest unit as people say them: 42050 are 420.50 euro, and 42050 yen."""
    return Decimal(units).scaleb(-get_currency_precision(currency))


def read_price(text: str, currency: str) -> int | None:
    """A price in the smallest unit of the currency, None for an empty field.

    Raises NotThatPrice for what could mean two things, or nothing.
    """
    plain = " ".join(text.casefold().replace("’", "'").split())
    if not plain:
        return None
    around = _ROUND.match(plain)
    amount = around["amount"] if around else ""
    fine = _THOUSANDTHS.fullmatch(amount) if get_currency_precision(currency) == 3 else None
    found = fine or _GROUPED.fullmatch(amount) or _PLAIN.fullmatch(amount)
    if found is None:
        raise NotThatPrice
    units = smallest_units(Decimal(f"{re.sub(r'[^0-9]', '', found['whole'])}.{found['cents'] or 0}"), currency)
    if units >= _MOST:
        raise NotThatPrice
    return units
