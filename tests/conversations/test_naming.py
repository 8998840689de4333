"""Telephone and order numbers in her mails: seen where they are meant, nowhere else, and only shown."""

import pytest

from concierge import clock
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.config import Policy
from concierge.conversations.naming import list_named
from concierge.conversations.numbers import find_numbers
from tests.conversations.stories import receive
from tests.factories import HOUR, NOW, make_editor, sign_in
from tests.wishes.builders import sandals


def numbers(words: str, country: str = "IT", language: str = "it", pattern: str = "") -> list[str]:
    return [each.value for each in find_numbers(words, country=country, language=language, order_number=pattern)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Please call me: 333 1234567", ["+393331234567"]),
        ("Barbara Rossi\n333 1234567", ["+393331234567"]),
        ("I am at +44 20 7946 0018 all day", ["+442079460018"]),
        ("Where is order 100482 of 12/05/2026? Tel. 02 8646 1234", ["100482", "+390286461234"]),
        ("ordine n. S-49406", ["S-49406"]),
        ("Re: #1001", ["1001"]),
        ("Bestellung Nr. 100482", ["100482"]),
        ("注文番号 100482", ["100482"]),
        ("Bestell-Nr. 100482", ["100482"]),
        ("pedido nº 100482", ["100482"]),
        ("L'ordine è il 100482", ["100482"]),
        ("Order confirmation 100482", ["100482"]),
        ("订单号：100482", ["100482"]),
        ("Sizes: 36 37 38 39 40", []),
        ("36 37 38 39 40", []),
        ("order of the 12.05.2026", []),
        ("My IBAN is IT60 X054 2811 1010 0000 0123 456", []),
        ("I would like it in order to wear it on 12.05.2026 at 10:30, 36½, EUR 1.290,00", []),
        ("my order of 2026", []),
        ("the code is 3331234567 on the box", []),
    ],
)
def test_a_number_is_seen_where_it_is_meant(words: str, found: list[str]):
    assert numbers(words) == found


def test_a_number_without_its_country_is_read_by_where_she_lives_else_by_her_language():
    assert numbers("Tel. 01 42 68 53 00", country="FR") == ["+33142685300"]
    assert numbers("Tel. 01 42 68 53 00", country="", language="fr") == ["+33142685300"]
    assert numbers("Tel. 01 42 68 53 00", country="", language="en") == []
    assert numbers("Ruf mich an: 030 1234567", country="", language="de") == ["+49301234567"]


def test_the_house_says_how_its_order_numbers_look():
    assert numbers("order 100482 and order MS/26-7", pattern=r"MS/\d\d-\d+") == ["MS/26-7"]
    for wrong in ("(", "(a)", ".*"):
        with pytest.raises(ValueError, match="order_number"):
            Policy(order_number=wrong)


def test_they_stand_beside_the_conversation_but_not_what_we_wrote(session, client, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    ours = "On Tue, 12 May 2026 at 10:12, Nadia <care@maison-solenne.example> wrote:\n> Call us at +39 02 8646 1234"
    mail = receive(session, text=f"Where is my order S-49406?\n\n-- \nBarbara\n+39 333 1234567\n\n{ours}", at=NOW)
    [variant] = sandals(session)
    bought = PurchaseReport("shop", "S-49406:1", variant.sku, NOW - HOUR, address=mail.from_address)
    report_purchase(session, bought, now=NOW)
    named = list_named(session, mail.conversation, order_number="")
    assert [(each.number.value, each.is_known) for each in named] == [("S-49406", True), ("+393331234567", False)]
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    page = client.get(f"/conversations/{mail.conversation_id}").text
    assert "tel:+393331234567" in page
    assert "tel:+390286461234" not in page
    assert "the shop knows it" in page
