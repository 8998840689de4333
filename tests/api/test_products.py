"""Products by the API: made, changed, told again; pictures as they are kept; every slip is said, and nothing kept."""

from base64 import b64decode, b64encode
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from concierge.api.commands import make_key, revoke_key
from concierge.api.models import ApiKey
from concierge.api.v1 import products
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.queries import get_product
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_editor, sign_in

SANDALS: dict[str, Any] = {
    "as_of": "2026-05-12T08:00:00Z",
    "designer": "Atelier Mirelle",
    "category": "Sandali",
    "price_cents": 42_000,
    "currency": "EUR",
    "link": "https://shop.example/calanque",
    "tags": ["satin"],
    "texts": {"en": {"name": "Calanque sandals", "description": "Silk\nsatin."}},
    "variants": [{"sku": "CAL-TUR-36", "size": "36", "colour": "Turquoise"}],
}


def image(kind: str = "PNG", size: tuple[int, int] = (20, 30), **more: Any) -> str:
    data = BytesIO()
    Image.new("RGB", size, "teal").save(data, kind, **more)
    return b64encode(data.getvalue()).decode()


@pytest.fixture
def shop(client: FlaskClient, session: Session):
    """Puts a product with a key, and gives back the answer."""
    _key, text = make_key(session, name="Shop", scopes=("products",), by=None, now=NOW)
    session.commit()

    def put(sent: object = SANDALS, code: str = "CAL-TUR") -> Any:
        return client.put(f"/api/v1/products/{code}", json=sent, headers={"Authorization": f"Bearer {text}"})

    return put


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 422
    said = answer.get_json()["error"]["faults"]
    assert all(fault["what"] and fault["how"] != "See docs/api.md." for fault in said)
    return [fault["where"] for fault in said]


def test_a_product_comes_and_is_told_again(shop, session: Session) -> None:
    assert shop().get_json() == {
        "code": "CAL-TUR", "state": "added", "pictures": [],
        "variants": [{"sku": "CAL-TUR-36", "size": "36", "size_system": "EU", "colour": "Turquoise"}],
    }  # fmt: skip
    assert [shop().get_json()["state"], shop({"price_cents": 39_000}).get_json()["state"]] == ["same", "changed"]
    product = get_product(session, "CAL-TUR")
    assert (product.price_cents, product.category, product.description("en")) == (39_000, "sandals", "Silk\nsatin.")
    session.rollback()
    assert shop(SANDALS | {"as_of": "2026-05-12T07:59:59Z"}).get_json()["state"] == "late"


def test_a_key_for_stock_makes_no_product(client: FlaskClient, session: Session) -> None:  # T35
    _key, text = make_key(session, name="Till", scopes=("stock",), by=None, now=NOW)
    session.commit()
    call = {"json": SANDALS | {"pictures": [{"data": image()}]}, "headers": {"Authorization": f"Bearer {text}"}}
    assert client.put("/api/v1/products/CAL-TUR", **call).status_code == 403
    assert client.put("/api/v1/products/CAL-TUR", json=SANDALS).status_code == 401
    assert session.scalars(sa.select(Product)).all() == []


def test_a_picture_is_kept_as_we_read_it_and_shown(shop, client: FlaskClient, session: Session) -> None:  # T19
    place = Image.Exif()
    place[0x010E] = "taken at her house"
    sent = SANDALS | {"pictures": [{"data": image("JPEG", (2000, 10), exif=place), "colour": "Turquoise"}]}
    (address,) = shop(sent).get_json()["pictures"]
    shown = client.get("/pictures/" + address.rpartition("/")[2])
    assert (shown.status_code, shown.mimetype, b"her house" in shown.data) == (200, "image/jpeg", False)
    assert Image.open(BytesIO(shown.data)).size == (1600, 8)
    # the control: it did stand in what was sent
    assert b"her house" in b64decode(sent["pictures"][0]["data"])
    assert shop(sent).get_json()["state"] == "same"
    assert shop({"pictures": []}).get_json()["pictures"] == []


@pytest.mark.parametrize(
    "data", ["x", "é", b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(), b64encode(b"GIF89a").decode()]
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(shop, session: Session, data: str) -> None:  # T19
    sent = SANDALS | {"pictures": [{"data": image()}, {"data": data}]}
    assert faults(shop(sent)) == ["pictures[1].data"]
    assert session.scalars(sa.select(Product)).all() == []


def test_a_small_file_that_would_fill_the_memory_is_refused(shop) -> None:  # T19
    data = BytesIO()
    Image.new("1", (7800, 7800)).save(data, "PNG")
    sent = SANDALS | {"pictures": [{"data": b64encode(data.getvalue()).decode()}]}
    assert len(data.getvalue()) < 20_000
    assert faults(shop(sent)) == ["pictures[0].data"]


def test_pictures_are_read_while_others_may_write(shop, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a key that is revoked meanwhile opens nothing any more."""
    keep = products.keep_picture

    def slowly(*told: Any, **more: Any) -> Any:
        revoke_key(session, session.scalars(sa.select(ApiKey)).one(), by=None, now=NOW)
        session.commit()
        return keep(*told, **more)

    monkeypatch.setattr(products, "keep_picture", slowly)
    assert shop(SANDALS | {"pictures": [{"data": image()}]}).status_code == 401
    assert session.scalars(sa.select(Product)).all() == []


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"link": "javascript:alert(1)"}, "link"),  # T33
        ({"link": "//shop.example"}, "link"),
        ({"price_cents": "420"}, "price_cents"),
        ({"currency": "euro"}, "currency"),
        ({"designer": "Atelier\x00"}, "designer"),
        ({"designer": "x" * 121}, "designer"),
        ({"colour": "red"}, "colour"),
        ({"texts": {"english": {"name": "x"}}}, "texts.english.[key]"),
        ({"texts": {"en": {"name": ""}}}, "texts.en.name"),
        ({"variants": []}, "variants"),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, "variants[1].sku"),
        ({"variants": [{"sku": "CAL-COR-36"}]}, "variants[0].sku"),
    ],
)
def test_a_slip_is_said_where_it_is(shop, session: Session, said: dict[str, Any], where: str) -> None:
    make_product(session, "CAL-COR")
    session.commit()
    assert faults(shop(SANDALS | said)) == [where]
    assert session.scalars(sa.select(Product.code)).all() == ["CAL-COR"]


def test_a_new_product_without_a_price_is_none(shop) -> None:
    answer = shop({"texts": {"en": {"name": "Calanque"}}})
    assert (answer.status_code, answer.get_json()["error"]["name"]) == (422, "ProductIncomplete")


@pytest.mark.parametrize("code", ["stock", "pick", "..%5C", "x" * 41, "%20x", "%0a"])
def test_no_product_is_called_so(shop, code: str) -> None:
    assert faults(shop(code=code)) == ["code"]


def test_what_came_is_on_its_page_and_in_a_wish(shop, client: FlaskClient, session: Session) -> None:
    shop(SANDALS | {"pictures": [{"data": image()}]})
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    page = client.get("/catalogue/CAL-TUR").get_data(as_text=True)
    for words in ("Calanque sandals", "Atelier Mirelle", "€420", "EU 36", "/pictures/"):
        assert words in page
    assert session.scalars(sa.select(Variant.sku)).all() == ["CAL-TUR-36"]
