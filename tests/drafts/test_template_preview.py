"""The finished letter beside the desk: for a sample, a customer we know, and somebody we know nothing about."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.blobs import BlobStore
from tests.catalogue.builders import make_picture, make_product
from tests.factories import make_customer, make_editor, make_mailbox, sign_in

DESK = {
    "preview_language": "en",
    "subject_en": "Your {{ product.name }}",
    "body_en": "{% if customer.first_name %}Dear {{ customer.first_name }},{% else %}Good day,{% endif %}"
    "\n\nlook:\n\n{{ product.card }}\n\n{{ editor.sign_off }}",
    "subject_it": "",
    "body_it": "",
}
FRAME = "/drafts/preview-template"


@pytest.fixture
def nadia(session: Session, store: BlobStore, client: FlaskClient) -> FlaskClient:
    editor = make_editor(session)
    make_mailbox(session)
    make_mailbox(session, "ciao@maison-solenne.example", language="it")
    make_customer(session, "Chloé Martin", "chloe@example.com")
    make_picture(session, store, make_product(session))
    session.commit()
    sign_in(client, editor)
    return client


def test_the_letter_is_shown_as_a_mail_with_its_head(nadia: FlaskClient) -> None:
    answer = nadia.post(FRAME, data=DESK)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for words in ("Your Calanque sandals", "Dear Barbara,", "Nadia Ferrant", "care@maison-solenne.example", "€420"):
        assert words in page
    assert "cid:" not in page
    assert "data:image/" in page


def test_nothing_runs_in_the_frame_and_only_the_desk_may_hold_it(nadia: FlaskClient) -> None:  # T15
    policy = nadia.post(FRAME, data=DESK).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy


def test_it_is_shown_for_a_customer_we_know_and_about_a_product_we_chose(nadia: FlaskClient, session: Session) -> None:
    make_product(session, "LUN-BAG", name="Luna bag", nome="Borsa Luna", sizes={"": 1})
    session.commit()
    chosen = {"preview_customer": "Chloé Martin <chloe@example.com>", "preview_sku": "LUN-BAG"}
    page = nadia.post(FRAME, data=DESK | chosen).get_data(as_text=True)
    assert "Dear Chloé," in page
    assert "chloe@example.com" in page
    assert "Your Luna bag" in page


def test_it_is_shown_for_somebody_we_know_nothing_about(nadia: FlaskClient) -> None:
    page = nadia.post(FRAME, data=DESK | {"preview_unknown": "1"}).get_data(as_text=True)
    assert "Good day," in page
    assert "Barbara" not in page


def test_the_other_language_is_shown_with_its_mailbox_and_sign_off(nadia: FlaskClient) -> None:
    italian = {"preview_language": "it", "subject_it": "Ciao", "body_it": "Ecco:\n\n{{ product.card }}"}
    page = nadia.post(FRAME, data=DESK | italian).get_data(as_text=True)
    assert "ciao@maison-solenne.example" in page
    assert "Sandali Calanque" in page
    assert "Un caro saluto" in page


@pytest.mark.parametrize(
    ("desk", "sentence"),
    [
        ({"preview_language": "it"}, "Nothing is written in this language yet"),
        ({"body_en": "{{ nobody }}"}, "put right what is marked"),
        ({"body_en": "{{ unclosed"}, "put right what is marked"),
        ({"body_en": "a" * 30_000}, "put right what is marked"),
        ({"body_en": "{{ ''.__class__ }}"}, "put right what is marked"),
    ],
)
def test_while_there_is_no_letter_it_is_said_why(nadia: FlaskClient, desk: dict[str, str], sentence: str) -> None:
    answer = nadia.post(FRAME, data=DESK | desk)
    assert answer.status_code == 200
    assert sentence in answer.get_data(as_text=True)


def test_what_a_customer_is_called_stays_words(nadia: FlaskClient, session: Session) -> None:  # T06
    make_customer(session, "<script>alert(1)</script> {{ editor.name }}", "mallory@example.com", first_name="<b>[x](y)")
    session.commit()
    page = nadia.post(FRAME, data=DESK | {"preview_customer": "mallory@example.com"}).get_data(as_text=True)
    assert "<script" not in page
    assert "Dear &lt;b&gt;[x](y)," in page
    assert "{{ editor.name }}" in page


def test_customers_and_products_are_suggested(nadia: FlaskClient) -> None:
    people = nadia.get(f"{FRAME}/customers?preview_customer=chlo").get_data(as_text=True)
    assert 'value="Chloé Martin &lt;chloe@example.com&gt;"' in people
    goods = nadia.get(f"{FRAME}/products?preview_sku=calanque+37").get_data(as_text=True)
    assert '<option value="CAL-TUR-37">Calanque sandals, Turquoise, EU 37</option>' in goods
