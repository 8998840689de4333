"""Sums of money, and a price as people type it."""

from decimal import Decimal

import pytest

from concierge.catalogue.foreign import read_amount
from concierge.catalogue.prices import NotThatPrice, amount_of, read_price, smallest_units


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("", None),
        ("  ", None),
        ("400", 40_000),
        ("400.50", 40_050),
        ("400,5", 40_050),
        ("0,99", 99),
        ("1,200", 120_000),
        ("1.200", 120_000),
        ("€ 1,200", 120_000),
        ("1.200 €", 120_000),
        ("1,200.50", 120_050),
        ("1.200,5", 120_050),
        ("1 200,50 EUR", 120_050),
        ("1\u202f200 €", 120_000),
        ("CHF 1’200.-", 120_000),
        ("1.250.000", 125_000_000),
        ("400,-", 40_000),
        ("400.", 40_000),
        ("420 euro", 42_000),
        ("$420", 42_000),
    ],
)
def test_both_ways_of_writing_are_understood(typed: str, cents: int | None) -> None:
    assert read_price(typed, "EUR") == cents


@pytest.mark.parametrize(
    "typed",
    [
        "abc", "-5", "1.2k", "4 00", "0,500", "1,20,300", "1.200.50", "1,200.500", "1.2345", "1e3", "٤٢٠", "€", "nan",
        "400-500", "10.000.000", "9" * 19,
    ],
)  # fmt: skip
def test_what_could_mean_two_things_or_nothing_is_asked_for_again(typed: str) -> None:
    with pytest.raises(NotThatPrice):
        read_price(typed, "EUR")


@pytest.mark.parametrize(
    ("typed", "currency", "units"),
    [("420.50", "EUR", 42_050), ("42,000", "JPY", 42_000), ("42.000,50", "JPY", 42_001), ("12.50", "KWD", 12_500),
     ("420.505", "KWD", 420_505), ("1.500", "KWD", 1_500), ("1.500", "EUR", 150_000)],
)  # fmt: skip
def test_each_currency_counts_in_its_own_smallest_unit(typed: str, currency: str, units: int) -> None:
    assert read_price(typed, currency) == units
    assert smallest_units(amount_of(units, currency), currency) == units


@pytest.mark.parametrize(
    ("told", "currency", "units"),
    [
        ("420.00", "EUR", 42_000), (420.5, "EUR", 42_050), ("42000", "JPY", 42_000), ("42000.00", "JPY", 42_000),
        ("12.345", "KWD", 12_345), (None, "EUR", 0), ("", "EUR", 0), ("-1", "EUR", 0), ("NaN", "EUR", 0),
        ("1e12", "JPY", 0), ("1e999999999", "EUR", 0), ("abc", "EUR", 0),
    ],
)  # fmt: skip
def test_what_a_shop_was_paid_is_read_in_the_currency_of_the_order(told: object, currency: str, units: int) -> None:
    assert read_amount(told, currency) == units


def test_an_amount_is_as_people_say_it() -> None:
    assert (amount_of(42_050, "EUR"), amount_of(42_050, "JPY")) == (Decimal("420.50"), Decimal(42_050))
