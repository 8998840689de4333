"""Saying yes: to what a form asked, and to what an editor noted; GET shows, POST counts, twice is fine."""

import pytest
import sqlalchemy as sa

from concierge.catalogue.models import Variant
from concierge.customers.models import Consent, Customer
from concierge.wishes import links
from concierge.wishes.models import Wish, WishState, WishWay
from tests.catalogue.builders import make_product
from tests.factories import make_customer, make_editor, make_mailbox
from tests.public.circle import ask, everything, links_of, mails, newest_request, only_wish, path
from tests.wishes.builders import wish_for


@pytest.fixture
def sandals(session) -> list[Variant]:
    """Sold out in 36, 37 and 38, and a house that can write about it."""
    make_mailbox(session)
    variants = list(make_product(session, sizes={"36": 0, "37": 0, "38": 0}).variants)
    session.commit()
    return variants


def link(config, session) -> str:
    return path(config, links.request_link(config, newest_request(session).id))


def test_a_stranger_becomes_a_customer_by_her_own_yes_with_all_the_proof(client, config, session, sandals):
    ask(client, language="it", consent="it.1", sku=["CAL-TUR-36", "CAL-TUR-37"], quantity="2", similar="yes")
    request = newest_request(session)
    page = client.get(link(config, session))
    assert '<html lang="it">' in page.text and "Sandali Calanque" in page.text and request.words in page.text
    assert session.scalar(sa.select(Customer)) is None
    answer = client.post(link(config, session), data={"shown": request.id})
    wish = only_wish(session)
    assert answer.status_code == 303 and "/wishes/" in answer.headers["Location"]
    assert (wish.state, wish.way, wish.language, wish.quantity) == (WishState.WAITING, WishWay.FORM, "it", 2)
    assert [each.variant.sku for each in wish.choices] == ["CAL-TUR-36", "CAL-TUR-37"] and wish.or_similar
    assert (wish.customer.address, wish.customer.language) == ("barbara@example.com", "it")
    consent = session.get(Consent, wish.consent_id)
    assert (consent.purpose, consent.way, consent.words, consent.language) == ("wish", "form", request.words, "it")
    assert consent.proof["request_id"] == request.id and consent.proof["asked_from"] == request.network
    assert consent.proof["asked_at"] < consent.proof["confirmed_at"]


def test_looking_changes_nothing_and_saying_yes_twice_is_fine(client, config, session, sandals):  # T30
    ask(client)
    here = link(config, session)
    before = everything(session)
    for method in ("get", "head", "options", "get"):
        getattr(client, method)(here)
    assert everything(session) == before
    first, second = client.post(here), client.post(here)
    assert first.headers["Location"].partition("?")[2] == second.headers["Location"].partition("?")[2]
    assert only_wish(session) and len(session.scalars(sa.select(Consent)).all()) == 1
    assert "Your wish counts" in client.get(here).text


def test_the_page_shows_what_the_mail_said_and_what_she_asked_since(client, config, session, sandals):
    ask(client)
    first = link(config, session)
    ask(client, sku=["CAL-TUR-38"], quantity="2", language="it", consent="it.1")
    shown = newest_request(session)
    page = client.get(first).text
    assert "EU 36" in page and "EU 38" in page and len(mails(session, "wish_request")) == 1
    assert '<html lang="it">' in page and shown.words in page, "one page in one language"
    ask(client, sku=["CAL-TUR-37"])  # somebody else, while she looks at the page
    client.post(first, data={"shown": shown.id})
    wish = only_wish(session)
    assert [each.variant.size for each in wish.choices] == ["36", "38"], "what her page showed, and no more"
    assert (wish.quantity, wish.language) == (2, "it")


def test_the_first_mail_names_a_colour_once_with_all_its_sizes(client, config, session, sandals):
    ask(client, sku=["CAL-TUR-36", "CAL-TUR-38"])
    [mail] = mails(session, "wish_request")
    assert "Turquoise, EU 36 · EU 38" in mail.content["text"]


def test_a_request_that_came_before_her_mail_is_not_under_its_button(client, config, session, sandals, later):
    ask(client, sku=["CAL-TUR-37"])
    later(days=40)  # its link has run out
    ask(client)
    page = client.get(link(config, session)).text
    assert "EU 36" in page and "EU 37" not in page


def test_nobody_can_slip_another_persons_request_under_her_button(client, config, session, sandals):  # T35
    ask(client, email="mallory@example.com", sku=["CAL-TUR-38"])
    mallorys = newest_request(session).id
    ask(client)
    assert client.post(link(config, session), data={"shown": mallorys}).status_code == 403
    assert session.scalar(sa.select(Wish)) is None


def test_a_known_customer_keeps_who_she_is_and_her_wish_grows(client, config, session, sandals):
    barbara = make_customer(session, address="barbara@example.com")
    wish_for(session, sandals[0], customer=barbara, confirmed=False)
    session.commit()
    ask(client, sku=["CAL-TUR-36", "CAL-TUR-37"])
    client.post(link(config, session))
    wish = only_wish(session)
    assert wish.state is WishState.WAITING and {each.variant.size for each in wish.choices} == {"36", "37"}
    assert wish.customer.name == "Barbara Rossi" and session.scalar(sa.select(sa.func.count(Customer.id))) == 1


def test_a_link_that_has_run_out_says_so_and_sends_a_fresh_one(client, config, session, sandals, later):
    ask(client)
    old = link(config, session)
    later(days=4)
    assert "run out" in client.get(old).text
    client.post(old)
    assert session.scalar(sa.select(Wish)) is None
    assert client.post(f"{old}/fresh").status_code == 303 and len(mails(session, "wish_request")) == 2
    assert "barbara" not in client.get(f"{old}?sent=").text
    client.post(link(config, session))
    assert only_wish(session).state is WishState.WAITING


def test_an_editors_note_counts_once_she_says_yes_or_ends(client, config, session, sandals):
    nadia = make_editor(session)
    noted = wish_for(session, sandals[0], confirmed=False, editor=nadia)
    session.commit()
    here = links_of(config, noted)["wish"]
    page = client.get(here)
    assert "Nadia noted this for you" in page.text and "may write to me" in page.text
    assert only_wish(session).state is WishState.UNCONFIRMED
    for _time in range(2):
        assert client.post(here).status_code == 303
    wish = only_wish(session)
    consent = session.get(Consent, wish.consent_id)
    assert wish.state is WishState.WAITING and consent.way == "link" and consent.words in page.text
    assert "Your wish counts" in client.get(here).text
    for _time in range(2):
        client.post(f"{here}/decline")
    assert only_wish(session).state is WishState.WITHDRAWN and "is over" in client.get(here).text
    assert client.post(here).status_code == 409  # what is over stays over
