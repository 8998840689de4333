"""A price as people type it."""

import pytest

from concierge.catalogue.prices import NotThatPrice, read_price


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
    assert read_price(typed) == cents


@pytest.mark.parametrize(
    "typed",
    [
        "abc", "-5", "1.2k", "4 00", "0,500", "1,20,300", "1.200.50", "1,200.500", "1.2345", "1e3", "٤٢٠", "€", "nan",
        "400-500", "10.000.000", "9" * 19,
    ],
)  # fmt: skip
def test_what_could_mean_two_things_or_nothing_is_asked_for_again(typed: str) -> None:
    with pytest.raises(NotThatPrice):
        read_price(typed)
