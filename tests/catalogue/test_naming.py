"""Prices, colours and kinds in the customer's language."""

import pytest

from concierge.catalogue.naming import category_name, colour_name, colours_meant, price_text


@pytest.mark.parametrize(
    ("cents", "currency", "language", "written"),
    [
        (42_000, "EUR", "en", "€420"),
        (42_050, "EUR", "en", "€420.50"),
        (128_000, "EUR", "it", "1.280\u00a0€"),
        (42_050, "EUR", "it", "420,50\u00a0€"),
        (9_900, "GBP", "en", "£99"),
        (5_000, "JPY", "it", "5.000\u00a0JPY"),
        (0, "EUR", "en", "€0"),
    ],
)
def test_a_price_is_written_as_people_write_it(cents: int, currency: str, language: str, written: str) -> None:
    assert price_text(cents, currency, language) == written


def test_a_colour_is_said_in_her_language_and_as_the_shop_writes_it() -> None:
    assert colour_name("Turquoise", "it") == "Turchese"
    assert colour_name("bottle green", "it") == "verde bottiglia"
    assert colour_name("Turquoise", "en") == "Turquoise"
    assert colour_name("Moonlight No. 5", "it") == "Moonlight No. 5"
    assert colours_meant("turch") == ["turquoise"]


def test_a_kind_nobody_foresaw_keeps_its_own_word() -> None:
    assert category_name("sandals") == "Sandals"
    assert category_name("parasols") == "Parasols"
