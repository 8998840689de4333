"""Two customers who buy with one account in the shop: proposed as one person where it is sure, joined by nobody."""

import pytest
import sqlalchemy as sa

from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.conversations.joining import keep_apart
from concierge.conversations.sameness import Proof
from concierge.conversations.second_addresses import list_same_person
from concierge.customers.commands import decline_unasked
from concierge.customers.models import CustomerAddress
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_customer, make_editor, sign_in

WORK = "b.rossi@atelier.example"


@pytest.fixture
def nadia(session, app):
    return make_editor(session)


@pytest.fixture
def two(session, nadia):
    """Barbara, and Barbara at work."""
    make_product(session, sizes={"36": 9})
    return make_customer(session), make_customer(session, address=WORK)


def buy(session, order, address, account="7001", source="shopify"):
    report = PurchaseReport(source, order, "CAL-TUR-36", NOW, address=address, account=account)
    return report_purchase(session, report, now=NOW)


def proposed(session, customer):
    session.flush()
    return [(each.customer, each.proof) for each in list_same_person(session, customer)]


def test_one_account_and_one_full_name_are_one_person_seen_from_either(session, two):
    she, at_work = two
    for order, address in (("1", "barbara@example.com"), ("2", WORK.upper()), ("3", WORK)):
        buy(session, order, address)
    assert proposed(session, she) == [(at_work, Proof.ACCOUNT)]
    assert proposed(session, at_work) == [(she, Proof.ACCOUNT)]
    assert at_work.addresses[0].customer_id == at_work.id  # and nobody was joined


def test_orders_of_one_account_are_found_by_their_index(session, two):
    she, _at_work = two
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL knows by its statistics what to take")
    asked = []

    def keep(_connection, _cursor, statement, parameters, *_more):
        asked.append((statement, parameters))

    sa.event.listen(session.get_bind(), "before_cursor_execute", keep)
    list_same_person(session, she)
    sa.event.remove(session.get_bind(), "before_cursor_execute", keep)
    [(statement, parameters)] = [each for each in asked if "account" in each[0]]
    plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert any("ix_purchase_account" in row[-1] for row in plan), plan


@pytest.mark.parametrize("doubt", ["a guest", "another shop", "another name", "a first name", "a third", "a refusal"])
def test_what_is_not_sure_is_not_proposed(session, two, doubt):
    she, at_work = two
    buy(session, "1", "barbara@example.com", account="" if doubt == "a guest" else "7001")
    buy(session, "2", WORK, account="" if doubt == "a guest" else "7001", source="x" if "shop" in doubt else "shopify")
    match doubt:
        case "another name":
            at_work.name = "Carlo Rossi"
        case "a first name":
            she.name = at_work.name = "Barbara"
        case "a third":
            make_customer(session, "Anna Rossi")
            buy(session, "3", "anna@example.com")
        case "a refusal":
            decline_unasked(session, at_work, by=None, way="mail", now=NOW)
    assert proposed(session, she) == []


def test_said_once_that_it_is_another_it_is_not_proposed_from_either_side(session, two, nadia):
    buy(session, "1", "barbara@example.com")
    buy(session, "2", WORK)
    session.flush()
    keep_apart(session, *two, by=nadia, now=NOW)
    assert (proposed(session, two[0]), proposed(session, two[1])) == ([], [])


def test_two_spellings_of_a_mailbox_that_were_kept_apart_are_proposed(session, nadia):
    anna = make_customer(session, "Anna", "anna@xn--bcher-kva.example")
    twin = make_customer(session, "A. Rossi", "anna@example.com")
    address = "anna@bücher.example"
    twin.addresses = [CustomerAddress(address=address, normalised=address, is_primary=True, created_at=NOW)]
    assert proposed(session, anna) == [(twin, Proof.MAILBOX)]
    assert proposed(session, twin) == [(anna, Proof.MAILBOX)]


def test_on_her_page_one_click_joins_or_keeps_apart(session, two, nadia, client):
    she, at_work = two
    buy(session, "1", "barbara@example.com")
    buy(session, "2", WORK)
    session.commit()
    sign_in(client, nadia)
    path, number = f"/customers/{she.id}", at_work.id
    session.commit()
    assert f'hx-get="{path}/same-person"' in client.get(path).get_data(as_text=True)
    page = client.get(f"{path}/same-person").get_data(as_text=True)
    assert "one account in the shop" in page and f'action="{path}/join"' in page and f'action="{path}/apart"' in page
    assert client.post(f"{path}/join", data={"other": number}).headers["Location"] == path
    session.expire_all()
    addresses = {each.address: each.id for each in she.addresses}
    assert addresses.keys() == {"barbara@example.com", WORK}
    session.commit()  # SQLite: from here on the pages write
    assert client.post(f"{path}/addresses/{addresses[WORK]}/separate").status_code == 303
    assert client.post(f"{path}/apart", data={"other": number}).headers["Location"] == path
    assert "Nobody else is surely she." in client.get(f"{path}/same-person").get_data(as_text=True)
