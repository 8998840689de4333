"""The form on the shop's pages: by script, without one, in both languages, and the same for every address there is."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from concierge.catalogue.models import Product
from concierge.mailing.commands import suppress
from concierge.mailing.models import Delivery, SuppressionReason
from concierge.wishes.caps import network_key
from concierge.wishes.models import WishRequest
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_customer, make_mailbox

FORM = {"product": "CAL-TUR", "sku": ["CAL-TUR-36", "CAL-TUR-37"], "email": "barbara@example.com", "consent": "en.1"}
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def shop(client: FlaskClient, session) -> FlaskClient:
    """A browser on a page of the shop, where the sandals are sold out in 36."""
    make_mailbox(session)
    make_product(session)
    session.commit()
    return client


def requests(session) -> list[WishRequest]:
    return list(session.scalars(sa.select(WishRequest).order_by(WishRequest.id)))


def test_a_plain_form_leads_to_a_page_that_knows_nothing(shop, session):
    answer = shop.post("/wishes/requests", data=FORM | {"language": "en", "quantity": "2", "ceiling": "400,50"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/wishes/requests?language=en")
    page = shop.get(answer.headers["Location"])
    assert "look into your mail" in page.text and "barbara" not in page.text
    assert not page.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")
    [request] = requests(session)
    assert request.wanted == {
        "skus": ["CAL-TUR-36", "CAL-TUR-37"], "quantity": 2, "needed_by": None, "ceiling_cents": 40_050,
        "or_similar": False,
    }  # fmt: skip
    assert request.words.startswith("Maison Solenne may write to me") and request.language == "en"
    assert request.network == network_key(shop.application.extensions["concierge"].secret, "127.0.0.1")


def test_what_she_would_pay_is_in_the_currency_of_the_piece(shop, session):
    product = session.scalars(sa.select(Product)).one()
    product.currency, product.price_cents = "JPY", 42_000
    session.commit()
    shop.post("/wishes/requests", data=FORM | {"ceiling": "39,800"})
    assert requests(session)[0].wanted["ceiling_cents"] == 39_800


def test_the_script_is_told_every_word_and_may_post_from_any_shop(shop):
    texts = shop.get("/wish-form/CAL-TUR.json?language=it")
    told = texts.get_json()
    assert (told["name"], told["consent"], told["language"]) == ("Sandali Calanque", "it.1", "it")
    assert [(each["label"], each["here"]) for each in told["sizes"]] == [
        ("EU 36", False), ("EU 37", True), ("EU 38", True),
    ]  # fmt: skip
    assert all(set(each) == {"sku", "size", "label", "here"} for each in told["sizes"]), "and never how many"
    assert told["consent_words"].startswith("Maison Solenne può scrivermi")
    answer = shop.post("/wishes/requests", data=FORM, headers=SCRIPT | {"Origin": "https://shop.example"})
    assert "look into your mail" in answer.get_json()["said"]
    for each in (texts, answer):
        assert each.headers["Access-Control-Allow-Origin"] == "*" and "Set-Cookie" not in each.headers
        assert "Access-Control-Allow-Credentials" not in each.headers
    assert "Access-Control-Allow-Origin" not in shop.get("/wish-form/CAL-TUR").headers


def test_the_script_is_small_and_open_to_any_page(shop):
    answer = shop.get("/wish-form.js")
    assert len(answer.data) <= 5 * 1024 and b"eval(" not in answer.data and b"innerHTML" not in answer.data
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "public" in answer.headers["Cache-Control"] and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"email": "barbara"}, 422, "Write one plain address"),
        ({"sku": []}, 409, "Choose at least one size."),
        ({"quantity": "many"}, 422, "one to nine"),
        ({"needed_by": "soon"}, 422, "Choose a day"),
        ({"ceiling": "NaN"}, 422, "Write the price"),
        ({"ceiling": "1,20"}, 422, "less than a tenth"),
        ({"consent": "xx.9"}, 422, "Our sentence has changed"),
        ({"product": "NO-SUCH"}, 404, "There is no such product"),
    ],
)
def test_a_mistake_is_said_in_the_form_and_nothing_she_wrote_is_lost(shop, session, change, status, words):
    page = shop.post("/wishes/requests", data=FORM | change | {"similar": "yes"})
    assert page.status_code == status and words in page.text
    if status != 404:
        assert (change | FORM)["email"] in page.text or change.get("email", "?") in page.text
        assert 'name="similar" value="yes" checked' in page.text
    told = shop.post("/wishes/requests", data=FORM | change, headers=SCRIPT)
    assert told.status_code == status and words in told.get_json()["error"]
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert not requests(session)


def test_the_same_form_stands_on_a_page_of_ours_without_script(shop):
    page = shop.get("/wish-form/CAL-TUR?size=36&language=it")
    assert '<html lang="it">' in page.text and "<script" not in page.text
    in_stock = re.findall(r"<span>(EU \d+) <small>disponibile</small>", page.text)
    assert in_stock == ["EU 37", "EU 38"] and "può acquistarlo subito" in page.text
    assert re.search(r'value="CAL-TUR-36" checked', page.text) and 'value="CAL-TUR-37">' in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer" and "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in page.headers


@pytest.mark.parametrize("headers", [{}, SCRIPT], ids=["plain", "script"])
def test_known_unknown_and_suppressed_addresses_get_the_same_bytes(shop, session, headers):  # T32
    make_customer(session, "Chloé Martin", "known@example.com")
    suppress(session, "gone@example.com", reason=SuppressionReason.UNSUBSCRIBED, by=None, now=NOW)
    session.commit()
    answers = [
        shop.post("/wishes/requests", data=FORM | {"email": address}, headers=headers)
        for address in ("known@example.com", "unknown@example.com", "gone@example.com", "known@example.com")
    ]
    assert len({(each.status, each.data, str(sorted(each.headers))) for each in answers}) == 1
    assert len(requests(session)) == 4


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Forwarded", "True-Client-IP"])
def test_no_header_of_hers_makes_another_network_of_her(shop, session, header):  # T34
    for value in ("198.51.100.7", "198.51.100.7, 203.0.113.9", "for=198.51.100.7", "'; DROP TABLE wish --"):
        shop.post("/wishes/requests", data=FORM, headers={header: value})
    assert len({each.network for each in requests(session)}) == 1


def test_too_often_is_said_kindly_and_keeps_nothing(shop, session):  # T29
    shop.application.extensions["concierge"].policy.wish_requests_per_network = 2
    answers = [shop.post("/wishes/requests", data=FORM | {"email": f"c{n}@example.com"}) for n in range(4)]
    assert [each.status_code for each in answers] == [303, 303, 429, 429] and "Wait an hour" in answers[-1].text
    assert len(requests(session)) == 2 == len(list(session.scalars(sa.select(Delivery))))


def test_the_words_agreed_to_are_never_rewritten():
    """The sentences are proof: this is what they said when they were first shown."""
    source = Path("concierge/wishes/sentences.py").read_text(encoding="utf-8")
    assert "may write to me at this address when this piece is back in a size I chose, and about this wish. " in source
    assert (
        "può scrivermi a questo indirizzo quando questo capo torna in una taglia che ho scelto, e riguardo a " in source
    )
