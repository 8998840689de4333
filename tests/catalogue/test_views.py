"""The pages of the catalogue, the picker, and pictures that are nothing but pictures."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.blobs import BlobStore
from concierge.catalogue import commands, views
from tests.catalogue.builders import make_picture, make_product
from tests.factories import make_editor, sign_in


@pytest.fixture
def nadia(session: Session, client: FlaskClient) -> FlaskClient:
    editor = make_editor(session)
    make_product(session)
    make_product(session, "LUN-BAG", name="Luna bag", nome="Borsa Luna", category="bags", colour="Black", sizes={"": 0})
    session.commit()
    sign_in(client, editor)
    return client


def test_the_catalogue_shows_what_is_left(nadia: FlaskClient) -> None:
    page = nadia.get("/catalogue").get_data(as_text=True)
    assert "Calanque sandals" in page
    assert "2 of 3 sizes" in page
    assert "Bags (1)" in page


def test_the_catalogue_is_searched_with_and_without_a_script(nadia: FlaskClient) -> None:
    page = nadia.get("/catalogue?q=luna").get_data(as_text=True)
    assert "Luna bag" in page
    assert "Calanque" not in page
    block = nadia.get("/catalogue?q=nothing", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in block
    assert "Nothing answers to that" in block


def test_a_product_shows_its_sizes_and_where_they_are(nadia: FlaskClient) -> None:
    page = nadia.get("/catalogue/CAL-TUR").get_data(as_text=True)
    assert "EU 37" in page
    assert "the last one" in page
    assert "sold out" in page
    assert "Raso di seta" in page
    assert nadia.get("/catalogue/nothing").status_code == 404


def test_the_picker_speaks_the_customers_language(nadia: FlaskClient) -> None:
    options = nadia.get("/catalogue/pick?q=sandali+36&language=it").get_data(as_text=True)
    assert 'data-product="CAL-TUR-36"' in options
    assert "Turchese" in options
    assert "420\u00a0€" in options
    assert 'data-product="CAL-TUR-37"' not in options


def test_without_a_script_an_option_is_a_button_of_the_form(nadia: FlaskClient) -> None:
    options = nadia.get("/catalogue/pick?q=luna&name=sku&form=answer&formaction=/conversations/1/draft/product")
    text = options.get_data(as_text=True)
    assert 'type="submit"' in text
    assert 'name="sku" value="LUN-BAG"' in text
    assert 'form="answer"' in text
    assert "evil" not in nadia.get("/catalogue/pick?q=luna&formaction=//evil.example").get_data(as_text=True)


def test_a_picture_is_kept_for_ever_and_is_only_a_picture(
    nadia: FlaskClient, client: FlaskClient, session: Session, store: BlobStore
) -> None:  # T19
    key = make_picture(session, store, make_product(session, "X"))
    session.commit()
    client.delete_cookie("concierge")
    answer = client.get(f"/pictures/{key}")
    assert answer.status_code == 200
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    again = client.get(f"/pictures/{key}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_no_other_blob_and_no_other_type_leaves_by_the_door_for_pictures(
    session: Session, client: FlaskClient, store: BlobStore
) -> None:  # T19
    secret = store.put(b"a mail")
    svg = store.put(b"<svg onload='alert(1)'/>")
    commands.add_picture(session, make_product(session), blob_key=svg, content_type="image/svg+xml", width=1, height=1)
    session.commit()
    for key in (secret, svg, "0" * 64, "nothing", "..%2fsecret.key"):
        assert client.get(f"/pictures/{key}").status_code == 404


def test_a_long_catalogue_is_shown_on(nadia: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "AT_ONCE", 1)
    page = nadia.get("/catalogue?stock=").get_data(as_text=True)
    assert "Calanque sandals" in page and "Luna bag" not in page and 'href="/catalogue?stock=&amp;shown=2"' in page
    page = nadia.get("/catalogue?_scheme=ftp&_external=1&endpoint=x&_method=POST").get_data(as_text=True)
    assert 'href="/catalogue?shown=2"' in page  # what is no field of the form makes no link
    page = nadia.get("/catalogue?stock=&shown=2").get_data(as_text=True)
    assert "Calanque sandals" in page and "Luna bag" in page and "More products" not in page


def test_an_empty_catalogue_says_how_products_come(session: Session, client: FlaskClient) -> None:
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    page = client.get("/catalogue").get_data(as_text=True)
    for words in (
        "There are no products yet.",
        "/webhooks/shopify",
        "PUT /api/v1/products/",
        "concierge products import",
    ):
        assert words in page
    assert "Nothing answers to that" not in page
    make_product(session)
    session.commit()
    page = client.get("/catalogue?q=nothing").get_data(as_text=True)
    assert ("Nothing answers to that" in page, "no products yet" in page) == (True, False)
