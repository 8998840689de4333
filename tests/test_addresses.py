"""Reading addresses as people and mail programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.addresses import Address, normalise, parse_list, parse_one


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("Barbara Rossi <barbara@example.com>", "Barbara Rossi", "barbara@example.com"),
        ('"Rossi, Barbara" <Barbara@Example.com>', "Rossi, Barbara", "Barbara@Example.com"),
        ("barbara@example.com (Barbara Rossi)", "Barbara Rossi", "barbara@example.com"),
        ("<barbara@example.com>", "", "barbara@example.com"),
        ("  barbara@example.com ", "", "barbara@example.com"),
        ("Chloé <chloé@exämple.fr>", "Chloé", "chloé@exämple.fr"),
    ],
)
def test_a_name_and_an_address_are_read(text: str, name: str, address: str):
    assert parse_one(text) == Address(name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unlisted-recipients:;",
        "nobody",
        "a@b@c",
        "<valid@example.com>:<mallory@example.net>",
        "((((",
        "alice@x)bob@evil",
    ],
)
def test_what_is_no_address_is_nobody_or_not_the_first(text: str):  # T11
    found = parse_one(text)
    assert found is None or found.address != "valid@example.com"


def test_a_display_name_that_looks_like_an_address_stays_a_name():  # T11
    assert parse_one('"barbara@example.com" <mallory@example.net>') == Address(
        "barbara@example.com", "mallory@example.net"
    )


def test_a_comma_in_quotes_does_not_divide():
    found = parse_list('"Rossi, Barbara" <b@example.com>, Chloé <c@example.com>; d@example.com')
    assert [each.address for each in found] == ["b@example.com", "c@example.com", "d@example.com"]


@given(st.text(max_size=300))
def test_nothing_makes_reading_fail(text: str):
    assert all("\n" not in each.name and "\n" not in each.address for each in parse_list(text))


def test_addresses_compare_without_case():
    assert normalise(" Barbara@EXAMPLE.com\r\n") == "barbara@example.com"
