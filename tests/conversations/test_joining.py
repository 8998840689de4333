"""Two customers who are one person, joined by hand and separated again."""

import pytest

from concierge.addresses import Address
from concierge.conversations.joining import (
    HasMore,
    JoinedElsewhere,
    MergedSince,
    NotJoined,
    SamePerson,
    join_customer,
    separate_customer,
)
from concierge.conversations.rearranging import merge_conversations
from concierge.customers.commands import decline_unasked, grant_consent
from concierge.customers.queries import get_person, search_customers
from tests.conversations.stories import customer, receive
from tests.factories import DAY, NOW, make_editor, sign_in

LATER = NOW + DAY


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def two(session, app):
    """Barbara, who once wrote from another address as well."""
    mine, work = receive(session), receive(session, "Bea Rossi")
    return mine.conversation, work.conversation


def test_a_join_brings_addresses_and_conversations_and_is_separated_again(session, two, nadia):
    hers, work = two
    she, other = hers.customer, work.customer
    address = other.addresses[0].id
    join_customer(session, she, other, by=nadia, now=LATER)
    assert [each.address for each in she.addresses] == ["barbara@example.com", "bea@example.com"]
    assert (she.address, work.customer_id) == ("barbara@example.com", she.id)
    assert [each.id for each in search_customers(session, "Rossi").customers] == [she.id]
    session.flush()
    later = receive(session, sender=Address("", "bea@example.com"), who=she, at=LATER + DAY).conversation
    assert separate_customer(session, she, address, by=nadia, now=LATER + DAY) == (other, [])
    assert {work.customer_id, later.customer_id} == {other.id}
    assert (hers.customer_id, other.address, she.address) == (she.id, "bea@example.com", "barbara@example.com")
    with pytest.raises(NotJoined):
        separate_customer(session, she, address, by=nadia, now=LATER)


def test_what_belongs_to_an_address_speaks_against_a_join(session, two, nadia):
    hers, work = two
    with pytest.raises(SamePerson):
        join_customer(session, hers.customer, hers.customer, by=nadia, now=LATER)
    words = {"purpose": "plan", "words": "Yes.", "language": "en", "way": "mail", "proof": {}}
    grant_consent(session, work.customer, now=NOW, **words)
    with pytest.raises(HasMore):
        join_customer(session, hers.customer, work.customer, by=nadia, now=LATER)
    third = customer(session, "Anna Rossi")
    decline_unasked(session, third, by=None, way="mail", now=NOW)
    with pytest.raises(HasMore):
        join_customer(session, hers.customer, third, by=nadia, now=LATER)


def test_conversations_brought_together_are_parted_before_their_customers_are(session, two, nadia):
    hers, work = two
    address = work.customer.addresses[0].id
    join_customer(session, hers.customer, work.customer, by=nadia, now=LATER)
    merge_conversations(session, hers, work, by=nadia, now=LATER)
    with pytest.raises(MergedSince):
        separate_customer(session, hers.customer, address, by=nadia, now=LATER)


def test_who_was_joined_to_another_meanwhile_is_joined_to_nobody_else(session, two, nadia):
    barbara, bea = (each.customer for each in two)
    chloe = customer(session, "Chloé Petit")
    join_customer(session, barbara, bea, by=nadia, now=LATER)
    for she, other in ((chloe, bea), (bea, chloe), (bea, barbara)):  # pages opened before
        with pytest.raises(JoinedElsewhere):
            join_customer(session, she, other, by=nadia, now=LATER)
    assert get_person(session, bea.id) is barbara
    assert get_person(session, chloe.id) is chloe


def test_joining_and_separating_on_her_page(session, two, nadia, client):
    hers, _work = two
    session.commit()
    sign_in(client, nadia)
    path = f"/customers/{hers.customer_id}"
    assert client.post(f"{path}/join", data={"address": "nobody@example.com"}).status_code == 404
    assert client.post(f"{path}/join", data={"address": "Bea@example.com"}).headers["Location"] == path
    page = client.get(path).get_data(as_text=True)
    assert f'action="{path}/addresses/2/separate"' in page
    assert client.post(f"{path}/addresses/2/separate").headers["Location"] == "/customers/2"
    assert "separate" not in client.get(path).get_data(as_text=True)
