"""Pictures from elsewhere: of senders an editor chose, and only where a mail truly comes from there (T11, T17)."""

import pytest
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.addresses import Address
from concierge.customers.models import CustomerAddress
from tests.conversations.stories import receive
from tests.factories import NOW, make_editor, sign_in

HTML = '<p>Look:</p><img src="https://pictures.example/heel.png" alt="a heel" width="300" height="200">'
FETCHED = "https://pictures.example/heel.png"
ALWAYS = "Always show pictures from this sender"


@pytest.fixture
def nadia(client, session: Session):
    """Her browser."""
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    return client


def mail(session: Session, *, authentic: bool | None, **values: object):
    message = receive(session, html=HTML, authentic=authentic, **values)
    session.commit()
    return message


def loads(client, message) -> bool:
    """Whether its page asks for the picture, and may."""
    answer = client.get(f"/messages/{message.id}/body")
    policy = answer.headers["Content-Security-Policy"]
    assert (FETCHED in answer.text) == ("img-src 'self' https: http:" in policy)
    return FETCHED in answer.text


def test_only_what_truly_comes_from_her_is_shown_with_its_pictures(nadia, session):
    first = mail(session, authentic=True)
    assert not loads(nadia, first)
    assert ALWAYS in nadia.get(f"/conversations/{first.conversation_id}").text
    answer = nadia.post(f"/messages/{first.id}/show-pictures")
    assert answer.status_code == 303
    shown = nadia.get(f"/conversations/{first.conversation_id}").text
    assert ALWAYS not in shown
    assert "Show the pictures" not in shown

    later = mail(session, authentic=True)
    assert (loads(nadia, first), loads(nadia, later)) == (True, True)
    for authentic in (False, None):  # anybody can write her address into From
        assert not loads(nadia, mail(session, authentic=authentic))
    alike = Address("Barbara Rossi", "barbara@examp1e.com")
    for stranger in (alike, Address("barbara@example.com", "mallory@example.com")):
        assert not loads(nadia, mail(session, authentic=True, sender=stranger))


def test_it_is_taken_back_on_her_page(nadia, session):
    message = mail(session, authentic=True)
    nadia.post(f"/messages/{message.id}/show-pictures")
    customer = message.conversation.customer
    [address] = customer.addresses
    assert "pictures are shown" in nadia.get(f"/customers/{customer.id}").text
    nadia.post(f"/customers/{customer.id}/addresses/{address.id}/hide-pictures")
    assert "pictures are shown" not in nadia.get(f"/customers/{customer.id}").text
    assert not loads(nadia, message)


@pytest.mark.parametrize("authentic", [False, None])
def test_of_a_sender_nobody_confirmed_it_is_not_offered_and_not_taken(nadia, session, authentic):
    message = mail(session, authentic=authentic)
    assert ALWAYS not in nadia.get(f"/conversations/{message.conversation_id}").text
    answer = nadia.post(f"/messages/{message.id}/show-pictures")
    assert (answer.status_code, "asked for each time" in answer.text) == (409, True)
    assert session.query(CustomerAddress.pictures_at).all() == [(None,)]


def test_a_merchandiser_chooses_nobody(client, session):  # T35
    message = mail(session, authentic=True)
    marta = make_editor(session, name="Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert client.post(f"/messages/{message.id}/show-pictures").status_code == 403
    assert message.created_at == NOW
