"""Products as Shopify and WooCommerce tell of them: made, changed, renamed, late, partly unusable, gone."""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, ProductAlias, Variant
from concierge.catalogue.queries import get_product
from concierge.config import Config
from tests.catalogue.builders import make_product
from tests.catalogue.test_webhooks import shop, shopify, woocommerce

__all__ = ["shop"]

# As Shopify's documentation shows a product, less what does not concern us.
SHIRT: dict[str, Any] = {
    "id": 788032119674292922,
    "title": "Évian blouse",
    "body_html": "<p>Silk &amp; lace.</p><script>alert(1)</script><ul><li>Made in Como</li></ul>",
    "vendor": "Atelier Mirelle",
    "product_type": "Bluse",
    "handle": "evian-blouse",
    "status": "active",
    "tags": "silk, Summer, silk",
    "updated_at": "2026-05-12T08:00:00-00:00",
    "options": [{"name": "Colore", "position": 1}, {"name": "Taglia IT", "position": 2}],
    "variants": [
        {"id": 1, "sku": "EVI-W-42", "title": "White / 42", "price": "189.00", "option1": "White", "option2": "42",
         "inventory_item_id": 5001, "inventory_management": "shopify", "inventory_quantity": 3},
        {"id": 2, "sku": "EVI-W-44", "title": "White / 44", "price": "199.00", "option1": "White", "option2": "44"},
        {"id": 3, "sku": None, "title": "White / 46", "price": "199.00", "option1": "White", "option2": "46"},
    ],
    "images": [{"id": 1, "src": "http://169.254.169.254/latest/meta-data"}],
}  # fmt: skip
# WooCommerce, REST API v3: a variable product, and one of its variations.
DRESS: dict[str, Any] = {
    "id": 799, "type": "variable", "status": "publish", "name": "Ancona dress", "slug": "ancona-dress", "sku": "ANC",
    "permalink": "https://shop.example/ancona-dress/", "price": "450", "description": "<p>Cady.</p>",
    "brands": [{"id": 7, "name": "Orsola Venti", "slug": "orsola-venti"}], "tags": [{"id": 1, "name": "evening"}],
    "categories": [{"id": 3, "name": "New in"}, {"id": 9, "name": "Dresses"}], "variations": [801, 802],
    "attributes": [{"name": "Size", "options": ["42", "44"], "variation": True}],
}  # fmt: skip
VARIATION: dict[str, Any] = {
    "id": 801, "type": "variation", "parent_id": 799, "sku": "ANC-42", "price": "450", "manage_stock": True,
    "stock_quantity": 2, "attributes": [{"name": "Size", "option": "42"}, {"name": "Colour", "option": "Ink"}],
}  # fmt: skip


def product(session: Session, code: str) -> Product:
    session.expire_all()
    return get_product(session, code)


def sizes(found: Product) -> list[tuple[str, str, str, str, int]]:
    return [(each.sku, each.size, each.size_system, each.colour, each.on_hand) for each in found.variants]


def codes(session: Session) -> list[str]:
    session.rollback()
    found = session.scalars(sa.select(Product.code).order_by(Product.id)).all()
    session.rollback()
    return list(found)


def test_a_product_of_shopify_comes_with_its_sizes_and_units(
    shop: FlaskClient, session: Session, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    config.shopify_domain = "shop.maison.example"
    with caplog.at_level(logging.WARNING, "concierge.catalogue.hearing"):
        assert shopify(shop, "products/create", SHIRT).get_json() == {"ours": 4, "others": 0}
    assert "variant White / 46 of product evian-blouse is passed over: it has no SKU" in caplog.text
    found = product(session, "evian-blouse")
    assert (found.name("en"), found.description("en")) == ("Évian blouse", "Silk & lace.\nMade in Como")
    assert (found.designer, found.category, found.price_cents, found.currency, found.tags) == (
        "Atelier Mirelle", "blouses", 19_900, "EUR", ["silk", "Summer"],
    )  # fmt: skip
    assert (found.link, found.pictures) == ("https://shop.maison.example/products/evian-blouse", [])
    assert sizes(found) == [("EVI-W-42", "42", "IT", "White", 3), ("EVI-W-44", "44", "IT", "White", 0)]


def test_a_price_and_a_text_change_and_a_late_report_changes_nothing(shop: FlaskClient, session: Session) -> None:
    shopify(shop, "products/create", SHIRT, at="2026-05-12T08:00:00.5Z")
    shopify(shop, "products/update", SHIRT | {"title": "Old"}, "w2", at="2026-05-12T08:00:00.4Z")
    assert product(session, "evian-blouse").name("en") == "Évian blouse"
    session.rollback()
    dearer = [each | {"price": "210.00"} for each in SHIRT["variants"][:2]]
    shopify(shop, "products/update", SHIRT | {"variants": dearer, "title": "New"}, "w3", at="2026-05-12T08:00:01Z")
    found = product(session, "evian-blouse")
    assert (found.name("en"), found.price_cents) == ("New", 21_000)


def test_a_product_stays_itself_when_its_handle_and_its_skus_change(shop: FlaskClient, session: Session) -> None:
    shopify(shop, "products/create", SHIRT)
    renamed = [each | {"sku": f"NEW-{each['id']}"} for each in SHIRT["variants"]]
    later = {"handle": "evian", "variants": renamed, "updated_at": "2026-05-12T09:00:00Z"}
    shopify(shop, "products/update", SHIRT | later, "w2")
    found = product(session, "evian-blouse")
    # what has wishes on it stays, and has no units any more
    assert {each.sku: each.on_hand for each in found.variants} == {
        "NEW-1": 3, "NEW-2": 0, "NEW-3": 0, "EVI-W-42": 0, "EVI-W-44": 0,
    }  # fmt: skip
    assert codes(session) == ["CAL-TUR", "evian-blouse"]
    assert product(session, "788032119674292922").code == "evian-blouse"


def test_a_product_we_have_is_known_by_its_skus_and_keeps_its_code(shop: FlaskClient, session: Session) -> None:
    ours = SHIRT | {"variants": [{"id": 1, "sku": "CAL-TUR-36", "price": "400.00"}]}
    shopify(shop, "products/update", ours)
    assert codes(session) == ["CAL-TUR"]
    found = product(session, "CAL-TUR")
    assert (found.name("en"), found.name("it"), found.price_cents) == ("Évian blouse", "Sandali Calanque", 40_000)


def test_another_product_under_an_old_handle_is_another_product(shop: FlaskClient, session: Session) -> None:
    shopify(shop, "products/create", SHIRT)
    other = SHIRT | {"id": 9, "title": "Another", "variants": [{"id": 4, "sku": "OTHER", "price": "1.00"}]}
    shopify(shop, "products/create", other, "w2")
    assert codes(session) == ["CAL-TUR", "evian-blouse", "9"]
    assert product(session, "evian-blouse").name("en") == "Évian blouse"


def test_a_product_deleted_and_made_anew_in_the_shop_is_the_one_we_have(shop: FlaskClient, session: Session) -> None:
    shopify(shop, "products/create", SHIRT)
    anew = SHIRT | {"id": 10, "title": "Anew", "updated_at": "2026-05-12T09:00:00Z"}
    # all its SKUs are of one that is still there: no second one is made
    shopify(shop, "products/create", anew, "w2")
    assert (codes(session), product(session, "evian-blouse").name("en")) == (
        ["CAL-TUR", "evian-blouse"],
        "Évian blouse",
    )
    session.rollback()
    shopify(shop, "products/delete", {"id": SHIRT["id"]}, "w3")
    shopify(shop, "products/update", anew, "w4")
    assert (codes(session), product(session, "evian-blouse").name("en")) == (["CAL-TUR", "evian-blouse"], "Anew")


@pytest.mark.parametrize(
    "more",
    [{"status": "draft"}, {"status": "archived"}, {"title": ""}, {"variants": [{"id": 1, "sku": "X"}]}, {"id": None}],
)
def test_what_nobody_can_buy_yet_makes_no_product(shop: FlaskClient, session: Session, more: dict[str, Any]) -> None:
    assert shopify(shop, "products/create", SHIRT | more).status_code == 200
    assert codes(session) == ["CAL-TUR"]


@pytest.mark.parametrize(
    "more",
    [{"variants": "all"}, {"options": [1, {"name": []}]}, {"tags": [{}]}, {"body_html": {"a": 1}},
     {"handle": "x" * 300}, {"body_html": "<div>" * 50_000}, {"vendor": None}, {"title": "a\x00b"},
     {"variants": [{"id": [], "sku": "X", "price": "1e99"}, {"sku": "Y", "price": "-5"}, {"sku": "Z", "price": "9"}]}],
)  # fmt: skip
def test_a_product_told_oddly_breaks_nothing(shop: FlaskClient, session: Session, more: dict[str, Any]) -> None:
    assert shopify(shop, "products/create", SHIRT | more).status_code == 200
    assert all(code in {"CAL-TUR", "evian-blouse", str(SHIRT["id"])} for code in codes(session))


def test_a_product_of_woocommerce_comes_in_parts(shop: FlaskClient, session: Session, config: Config) -> None:
    config.policy.shop_language, config.policy.shop_sizes, config.policy.shop_currency = "it", "IT", "GBP"
    # a part of something we never heard of
    assert woocommerce(shop, "product.updated", VARIATION).get_json() == {"ours": 0, "others": 1}
    woocommerce(shop, "product.created", DRESS, "d2")
    woocommerce(shop, "product.created", VARIATION, "d3")
    woocommerce(shop, "product.created", VARIATION | {"id": 802, "sku": ""}, "d4")
    found = product(session, "ANC")
    assert ({each.language for each in found.texts}, found.name("en"), found.description("it")) == (
        {"it"}, "Ancona dress", "Cady.",
    )  # fmt: skip
    assert (found.designer, found.category, found.price_cents, found.currency, found.tags, found.link) == (
        "Orsola Venti", "dresses", 45_000, "GBP", ["evening"], "https://shop.example/ancona-dress/",
    )  # fmt: skip
    assert sizes(found) == [("ANC-42", "42", "IT", "Ink", 2)]
    session.rollback()
    woocommerce(shop, "product.updated", DRESS | {"price": "399", "sku": "", "slug": "other"}, "d5")
    assert product(session, "ANC").price_cents == 39_900


def test_a_product_of_woocommerce_that_comes_in_one_form(shop: FlaskClient, session: Session) -> None:
    bag = DRESS | {"id": 5, "type": "simple", "sku": "BAG", "attributes": [{"name": "Color", "options": ["Black"]}]}
    woocommerce(shop, "product.created", bag | {"categories": [], "brands": [], "variations": []})
    found = product(session, "BAG")
    assert (found.designer, found.category, sizes(found)) == ("", "other", [("BAG", "", "", "Black", 0)])
    session.rollback()
    woocommerce(shop, "product.deleted", {"id": 5}, "d2")
    assert session.scalars(sa.select(ProductAlias)).all() == []


def test_a_sku_two_products_share_stays_with_the_first(
    shop: FlaskClient, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    make_product(session, "CAL-COR")
    session.commit()
    both = [{"id": 1, "sku": sku, "price": "9.00"} for sku in ("CAL-COR-36", "CAL-COR-37", "NEW-1")]
    shopify(shop, "products/create", SHIRT | {"variants": both})
    with caplog.at_level(logging.WARNING, "concierge.catalogue.hearing"):
        shopify(
            shop,
            "products/create",
            SHIRT | {"id": 3, "handle": "b", "variants": [*both, both[0] | {"sku": "N2"}]},
            "w2",
        )
    assert "SKU CAL-COR-36 of product b is passed over: CAL-COR has it" in caplog.text
    owner = sa.select(Product.code).join(Variant).where(Variant.sku == "CAL-COR-36")
    assert (session.scalars(owner).one(), codes(session)) == ("CAL-COR", ["CAL-TUR", "CAL-COR", "b"])


def test_four_who_tell_of_a_new_product_at_once_make_one(shop: FlaskClient, session: Session) -> None:  # F05
    ready = Barrier(4)

    def tell(number: int) -> int:
        ready.wait()
        return int(shopify(shop.application.test_client(), "products/create", SHIRT, f"w{number}").status_code)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(tell, range(4)))
    # one that was busy is sent again by the shop
    assert {200} <= set(answers) <= {200, 503}
    assert codes(session) == ["CAL-TUR", "evian-blouse"]
    assert [each[4] for each in sizes(product(session, "evian-blouse"))] == [3, 0]


def test_what_is_not_signed_makes_no_product(shop: FlaskClient, session: Session) -> None:  # T40
    answer = shop.post("/webhooks/shopify", json=SHIRT, headers={"X-Shopify-Topic": "products/create"})
    assert (answer.status_code, codes(session)) == (401, ["CAL-TUR"])
