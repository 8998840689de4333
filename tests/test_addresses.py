"""Reading addresses as people and mail programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.addresses import Address, normalise, parse_list, parse_one, readable, spellings


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


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("Anna@Bücher.Example", "anna@xn--bcher-kva.example"),
        ("anna@BU\u0308CHER.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
        ("anna@ｅｘａｍｐｌｅ。com", "anna@example.com"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),  # not strasse: two domains (IDNA 2008)
        ("Łucja@bücher.example", "łucja@xn--bcher-kva.example"),  # before the @ nothing is ever in ASCII (RFC 6531)
        ("anna@bücher.example\r\n", "anna@xn--bcher-kva.example"),
        ("Bücher", "bücher"),
    ],
)
def test_a_mailbox_is_one_however_its_domain_is_written(typed: str, compared: str):
    assert normalise(typed) == compared


@pytest.mark.parametrize(
    "domain", ["ü..example", "a_ü.example", "ü" * 300, "xn--ü.example", "\u202eü.example", "☕.example"]
)
def test_what_is_no_domain_is_compared_as_it_is_written(domain: str):
    assert normalise(f"Anna@{domain.upper()}") == f"anna@{domain.upper().casefold()}"


@given(st.text(max_size=300))
def test_nothing_makes_comparing_fail_and_once_is_enough(text: str):
    for each in (text, f"anna@{text}"):
        once = normalise(each)
        assert normalise(once) == once or not once.isascii()
        assert {once, readable(once)} <= spellings(each)


def test_a_compared_address_is_read_in_its_own_letters():
    assert readable("anna@xn--bcher-kva.example") == "anna@bücher.example"
    assert readable("anna@xn--\u0080.example") == "anna@xn--\u0080.example"
    assert readable("xn--anna@example.com") == "xn--anna@example.com"
