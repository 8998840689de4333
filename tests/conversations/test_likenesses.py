"""Whom a sender could be taken for, and is not (T25)."""

import pytest

from concierge.addresses import Address
from concierge.conversations import queries
from concierge.conversations.doubts import find_doubts
from concierge.conversations.likenesses import Acquaintance, Doubt, Likeness, is_near, look_like
from tests.conversations.stories import answer, customer, receive
from tests.factories import HOUR, NOW, make_editor, sign_in

HOUSE = Acquaintance(
    domains=("maison-solenne.example",),
    staff={"nadia@maison-solenne.example": "Nadia Ferrant"},
    hers=("barbara.rossi@example.com",),
)


def doubts(name, address, known=HOUSE):
    return [each.doubt for each in look_like(Address(name, address), known)]


def test_she_whom_we_know_is_in_no_doubt():
    assert doubts("Barbara Rossi", "Barbara.Rossi@example.com") == []


@pytest.mark.parametrize(
    "address",
    [
        "care@maison-solenne.examp1e",
        "care@maison-soIenne.example",
        "care@mаison-solenne.example",  # a Cyrillic а
        "care@xn--mison-solenne-w1k.example",
        "care@maisonsolenne.example",
        "care@maison-solenne-support.com",
        "care@rnaison-solenne.example",
    ],
)
def test_a_domain_like_ours_is_told(address):  # T25
    assert Doubt.OURS in doubts("Care", address)


def test_a_colleagues_name_from_elsewhere_is_told():  # T24, T25
    assert Likeness(Doubt.STAFF, "Nadia Ferrant") in look_like(Address("Nadia  FERRANT", "nadia@evil.example"), HOUSE)
    assert Doubt.STAFF in doubts("Nаdia Ferrant", "x@evil.example")  # a Cyrillic а
    assert Doubt.STAFF not in doubts("Nadia Rossi", "nadia@evil.example")


@pytest.mark.parametrize(
    "address",
    [
        "barbara.r0ssi@example.com",
        "barbara.rosi@example.com",
        "brabara.rossi@example.com",
        "barbara.rossi@exarnple.com",
    ],
)
def test_an_address_one_letter_from_hers_is_told(address):  # T25
    known = Acquaintance(others=HOUSE.hers, hers=(address,), is_first=True)
    assert Likeness(Doubt.KNOWN, "barbara.rossi@example.com") in look_like(Address("", address), known)


@pytest.mark.parametrize(
    ("one", "other"),
    [("barbara1@example.com", "barbara2@example.com"), ("anna@example.com", "mario@example.com"), ("a@b.it", "a@b.it")],
)
def test_others_are_not_near(one, other):
    assert not is_near(one, other)


def test_one_warning_is_enough():
    """A colleague's name at a house like ours, where a customer's address is like it too."""
    known = Acquaintance(HOUSE.domains, HOUSE.staff, others=("nadia@maison-s0lenne.example",), is_first=True)
    assert doubts("Nadia Ferrant", "nadia@maison-so1enne.example", known) == [Doubt.OURS]
    assert doubts("Nadia Ferrant", "nadia@evil.example") == [Doubt.STAFF, Doubt.OTHER]


def test_a_first_mail_and_one_from_somebody_else_are_told_quietly():
    first = Acquaintance(hers=("chloe@example.com",), is_first=True)
    assert look_like(Address("Chloé", "chloe@example.com"), first) == (Likeness(Doubt.FIRST),)
    assert doubts("Her sister", "anna@example.org") == [Doubt.OTHER]
    assert not Likeness(Doubt.FIRST).is_grave


def told(session, conversation):
    mails = queries.list_messages(session, conversation)
    found = find_doubts(session, conversation, mails, is_alone=True)
    return {number: [each.doubt for each in likenesses] for number, likenesses in found.items()}


def test_one_letter_from_a_customers_address_is_told_until_we_have_answered(session):  # T25
    customer(session, "Barbara Rossi")
    mallory = receive(session, "Barbora Rossi")
    assert told(session, mallory.conversation) == {mallory.id: [Doubt.KNOWN, Doubt.FIRST]}
    answer(session, mallory.conversation, by=make_editor(session), at=NOW + HOUR)
    assert told(session, mallory.conversation) == {}


def test_the_page_tells_who_wrote_instead_of_her(session, client):  # T24, T25
    nadia = make_editor(session)
    hers = receive(session, cc=(Address("", "sister@example.org"),))
    forged = Address(nadia.name, "sister@example.org")
    receive(session, "Anna Rossi", sender=forged, references=(hers.rfc_message_id,), at=NOW + HOUR)
    session.commit()
    sign_in(client, nadia)
    page = client.get(f"/conversations/{hers.conversation_id}").get_data(as_text=True)
    assert "The name is Nadia Ferrant’s, the address is not: sister@example.org." in page
    assert "From sister@example.org, not from Barbara Rossi. Answers go to Barbara Rossi." in page
    assert page.count("The first mail from this address.") == 1
