"""The pages about customers."""

import pytest

from concierge.accounts.models import Role
from concierge.customers.models import Customer
from tests.factories import make_customer, make_editor, sign_in


@pytest.fixture
def barbara(session):
    barbara = make_customer(session, notes="Loves the sea.")
    session.commit()
    return barbara


@pytest.fixture
def desk(client, session, barbara):
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    return client


def again(session, customer):
    """What is in the database now; and no lock is left on it."""
    session.expire_all()
    found = session.get(Customer, customer.id)
    session.commit()
    return found


def test_everybody_is_listed_and_found(session, desk):
    make_customer(session, "Chloé Martin", "chloe@example.com")
    session.commit()
    text = desk.get("/customers").get_data(as_text=True)
    assert "Barbara Rossi" in text and "Chloé Martin" in text
    found = desk.get("/customers?q=chlo", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Chloé" in found and "Barbara" not in found and "<html" not in found


def test_her_page_shows_and_keeps_what_is_known(session, desk, barbara):
    assert "Loves the sea." in desk.get(f"/customers/{barbara.id}").get_data(as_text=True)
    data = {
        "name": "Barbara Rossi", "first_name": "Babette", "language": "it", "notes": "Loves the mountains.",
        "shoes": "36", "shoes_system": "EU", "dress": "", "dress_system": "IT",
    }  # fmt: skip
    assert desk.post(f"/customers/{barbara.id}", data=data).status_code == 303
    kept = again(session, barbara)
    assert (kept.first_name, kept.language, kept.notes) == ("Babette", "it", "Loves the mountains.")
    assert kept.size("shoes") == "36"
    assert 'value="36"' in desk.get(f"/customers/{barbara.id}").get_data(as_text=True)


def test_a_form_with_nonsense_comes_back(desk, barbara):
    response = desk.post(
        f"/customers/{barbara.id}", data={"language": "xx", "shoes_system": "EU", "dress_system": "IT"}
    )
    assert response.status_code == 422


def test_notes_are_kept_from_beside_a_conversation(session, desk, barbara):
    response = desk.post(
        f"/customers/{barbara.id}/notes", data={"notes": "Hates parcels."}, headers={"HX-Request": "true"}
    )
    assert "Hates parcels." in response.get_data(as_text=True)
    assert again(session, barbara).notes == "Hates parcels."
    assert desk.post(f"/customers/{barbara.id}/notes", data={"notes": ""}).status_code == 303


def test_addresses_come_and_go(session, desk, barbara):
    desk.post(f"/customers/{barbara.id}/addresses", data={"address": "b@work.example"})
    first, second = again(session, barbara).addresses
    desk.post(f"/customers/{barbara.id}/addresses/{second.id}/prefer")
    assert again(session, barbara).address == "b@work.example"
    desk.post(f"/customers/{barbara.id}/addresses/{first.id}/remove")
    assert [each.address for each in again(session, barbara).addresses] == ["b@work.example"]
    assert desk.post(f"/customers/{barbara.id}/addresses/{second.id}/remove").status_code == 409
    assert desk.post(f"/customers/{barbara.id}/addresses", data={"address": "nonsense"}).status_code == 422


def test_a_merchandiser_reads_but_changes_nothing(session, client, barbara):  # T35
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert "Loves the sea." in client.get(f"/customers/{barbara.id}").get_data(as_text=True)
    for address in ("", "/notes", "/addresses", "/addresses/1/remove", "/addresses/1/prefer"):
        assert client.post(f"/customers/{barbara.id}{address}", data={"notes": ""}).status_code == 403
    assert again(session, barbara).notes == "Loves the sea."
