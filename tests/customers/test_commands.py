"""Writing down who the customers are."""

import pytest

from concierge import audit
from concierge.customers.commands import (
    add_address,
    add_customer,
    change_customer,
    prefer_address,
    remove_address,
    set_sizes,
)
from concierge.customers.models import AddressOfAnother, LastAddress, NoAddress
from concierge.customers.queries import find_customer_by_address, search_customers
from tests.factories import NOW, make_customer, make_editor


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def barbara(session):
    return make_customer(session)


def test_somebody_new_is_found_by_her_address_however_it_is_written(session):
    chloe = add_customer(
        session, name="Chloé Martin", first_name="Chloé", address="Chloe@Example.com", language="fr", now=NOW
    )
    assert find_customer_by_address(session, " chloe@EXAMPLE.com ") is chloe
    assert chloe.address == "Chloe@Example.com"
    assert chloe.language_guessed


def test_an_address_belongs_to_one_customer_only(session, barbara, nadia):
    with pytest.raises(AddressOfAnother):
        add_customer(session, name="", first_name="", address="BARBARA@example.com", language="en", now=NOW)
    chloe = make_customer(session, "Chloé Martin", "chloe@example.com")
    with pytest.raises(AddressOfAnother):
        add_address(session, chloe, "barbara@example.com", by=nadia, now=NOW)


@pytest.mark.parametrize("address", ["", "barbara", "a@b, c@d", "a@b\r\nBcc: x@y"])
def test_an_address_must_be_one(session, barbara, nadia, address):
    with pytest.raises(NoAddress):
        add_address(session, barbara, address, by=nadia, now=NOW)


def test_changing_writes_down_what_and_who(session, barbara, nadia):
    change_customer(session, barbara, by=nadia, now=NOW, name="Barbara Rossi-Bianchi", language="it")
    assert (barbara.name, barbara.language, barbara.language_guessed) == ("Barbara Rossi-Bianchi", "it", False)
    [entry] = audit.list_for(session, barbara)
    assert (entry.editor_id, entry.details) == (nadia.id, {"fields": ["language", "name"]})


def test_changing_nothing_writes_nothing(session, barbara, nadia):
    change_customer(session, barbara, by=nadia, now=NOW, name=barbara.name)
    assert audit.list_for(session, barbara) == []


def test_sizes_are_replaced_and_empty_ones_go(session, barbara, nadia):
    set_sizes(session, barbara, {"shoes": ("EU", "36"), "dress": ("IT", "40")}, by=nadia, now=NOW)
    session.commit()
    set_sizes(session, barbara, {"shoes": ("EU", "36.5"), "dress": ("IT", "")}, by=nadia, now=NOW)
    session.commit()
    assert [(each.kind, each.system, each.value) for each in barbara.sizes] == [("shoes", "EU", "36.5")]


def test_a_second_address_can_become_the_one_we_write_to(session, barbara, nadia):
    add_address(session, barbara, "b.rossi@work.example", by=nadia, now=NOW)
    session.commit()
    assert barbara.address == "barbara@example.com"
    prefer_address(session, barbara, barbara.addresses[1].id, by=nadia, now=NOW)
    assert barbara.address == "b.rossi@work.example"


def test_the_last_address_stays(session, barbara, nadia):
    with pytest.raises(LastAddress):
        remove_address(session, barbara, barbara.addresses[0].id, by=nadia, now=NOW)


def test_when_the_address_we_write_to_goes_another_takes_its_place(session, barbara, nadia):
    add_address(session, barbara, "b.rossi@work.example", by=nadia, now=NOW)
    session.commit()
    remove_address(session, barbara, barbara.addresses[0].id, by=nadia, now=NOW)
    session.commit()
    assert [(each.address, each.is_primary) for each in barbara.addresses] == [("b.rossi@work.example", True)]


def test_customers_are_found_by_words_of_name_and_address(session, barbara):
    make_customer(session, "Anna Berg", "anna_berg@work.example")
    make_customer(session, "Chloé Martin", "chloe@example.com")
    names = lambda words: [each.name for each in search_customers(session, words).customers]  # noqa: E731
    assert names("") == ["Anna Berg", "Barbara Rossi", "Chloé Martin"]
    assert names("ros bar") == ["Barbara Rossi"]
    assert names("work.example") == ["Anna Berg"]
    assert names("%") == []
    assert names("a_b") == ["Anna Berg"]


def test_customers_come_page_by_page(session):
    for number in range(5):
        make_customer(session, f"Guest {number}", f"guest{number}@example.com")
    seen, after = [], None
    for _page in range(5):
        page = search_customers(session, "", after=after, limit=2)
        seen += [each.name for each in page.customers]
        if (after := page.next) is None:
            break
    assert seen == [f"Guest {number}" for number in range(5)]
