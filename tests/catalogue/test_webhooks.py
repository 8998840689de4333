"""Shopify and WooCommerce at our door: signatures made by other hands, repeats, reorderings, no concerns of ours."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy.orm import Session

from concierge.catalogue.foreign import is_signed
from concierge.catalogue.stock_models import Purchase
from concierge.config import Config
from tests.catalogue.builders import make_product
from tests.factories import MINUTE, NOW, make_customer

SKU = "CAL-TUR-36"
# Made with OpenSSL: openssl dgst -sha256 -hmac 'hush' -binary | base64
LEVEL = (
    b'{"inventory_item_id":271878346596884015,"location_id":655441491,"available":2,'
    b'"updated_at":"2026-05-12T09:30:00-05:00"}'
)
LEVEL_SIGNATURE = "oIxW+L3Xdcncs6TlsWAy7sUBWBuH9B+A4wlpiLSwi1g="
VARIATION = (
    b'{"id":799,"type":"variation","sku":"CAL-TUR-36","manage_stock":true,"stock_quantity":3,'
    b'"date_modified_gmt":"2026-05-12T09:30:00"}'
)
VARIATION_SIGNATURE = "b6L9dIQfu3g/1U8uAf2rV0iStw021QVX49zArp6rq5Q="
PRODUCT: dict[str, Any] = {
    "id": 1,
    "updated_at": "2026-05-12T08:00:00Z",
    "variants": [
        {"id": 11, "sku": SKU, "inventory_item_id": 271878346596884015, "inventory_management": "shopify",
         "inventory_quantity": 1},
        {"id": 12, "sku": "", "inventory_item_id": 5},
    ],
}  # fmt: skip
ORDER: dict[str, Any] = {
    "id": 450789469,
    "processed_at": "2026-05-12T10:00:00Z",
    "email": "barbara@example.com",
    "customer": {"id": 207119551, "email": "barbara@example.com"},
    "currency": "EUR",
    "location_id": None,
    "note_attributes": [{"name": "hold", "value": "token"}],
    "line_items": [{"id": 466157049, "variant_id": 11, "sku": SKU, "quantity": 1, "price": "420.00", "properties": []}],
}
WOO_ORDER: dict[str, Any] = {
    "id": 727,
    "status": "processing",
    "currency": "EUR",
    "date_created_gmt": "2026-05-12T09:50:00",
    "date_paid_gmt": "2026-05-12T10:00:00",
    "billing": {"email": "barbara@example.com"},
    "customer_id": 0,
    "meta_data": [{"id": 1, "key": "_hold", "value": "token"}],
    "line_items": [{"id": 315, "sku": SKU, "quantity": 1, "price": 420}],
}


@pytest.fixture
def shop(client: FlaskClient, config: Config, session: Session) -> FlaskClient:
    """A house that both systems know, and where the sandals in 36 have never been counted by either."""
    config.shopify_secret, config.woocommerce_secret = SecretStr("hush"), SecretStr('hush & "hush"')
    config.shopify_locations = {"655441491": "online"}
    make_product(session)
    make_customer(session)
    session.commit()
    return client


def shopify(client: FlaskClient, topic: str, body: dict[str, Any] | bytes, name: str = "w1", at: str = "") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(b"hush", raw, hashlib.sha256).digest()).decode()
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature, "X-Shopify-Webhook-Id": name}
    return client.post("/webhooks/shopify", data=raw, headers=headers | ({"X-Shopify-Triggered-At": at} if at else {}))


def woocommerce(client: FlaskClient, topic: str, body: dict[str, Any], delivery: str = "d1") -> Any:
    raw = json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(b'hush & "hush"', raw, hashlib.sha256).digest()).decode()
    headers = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": signature, "X-WC-Webhook-Delivery-ID": delivery}
    return client.post("/webhooks/woocommerce", data=raw, headers=headers)


def units(session: Session) -> tuple[int, int]:
    session.rollback()
    found = session.execute(sa.text("SELECT on_hand, promised FROM variant WHERE sku = 'CAL-TUR-36'")).one()
    session.rollback()
    return (found[0], found[1])


def level(available: int | None, **more: object) -> dict[str, Any]:
    return json.loads(LEVEL) | {"available": available} | more


@pytest.mark.parametrize(
    ("body", "signature", "secret", "good"),
    [
        (LEVEL, LEVEL_SIGNATURE, "hush", True),
        (VARIATION, VARIATION_SIGNATURE, 'hush & "hush"', True),
        # RFC 4231, test case 2
        (b"what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", "Jefe", True),
        (LEVEL + b" ", LEVEL_SIGNATURE, "hush", False),
        (LEVEL, LEVEL_SIGNATURE, "hash", False),
        (LEVEL, LEVEL_SIGNATURE[:-2], "hush", False),
        (LEVEL, "", "hush", False),
        (LEVEL, "é", "hush", False),
        (LEVEL, LEVEL_SIGNATURE, "", False),
        (b"", base64.b64encode(hmac.new(b"", b"", hashlib.sha256).digest()).decode(), "", False),
    ],
)
def test_a_signature_is_one_of_theirs_or_is_none(body: bytes, signature: str, secret: str, good: bool) -> None:  # T40
    assert is_signed(body, signature, secret) is good


def test_what_is_not_signed_changes_nothing(shop: FlaskClient, session: Session) -> None:  # T40
    for path in ("/webhooks/shopify", "/webhooks/woocommerce"):
        answer = shop.post(path, data=VARIATION, headers={"X-WC-Webhook-Topic": "product.updated"})
        assert answer.status_code == 401
    assert units(session) == (0, 0)


def test_shopify_counts_by_its_own_names_once_we_have_learnt_them(shop: FlaskClient, session: Session) -> None:
    assert shopify(shop, "inventory_levels/update", LEVEL).get_json() == {"ours": 0, "others": 1}
    shopify(shop, "products/update", PRODUCT, "w2")
    shopify(shop, "inventory_levels/update", level(2), "w3", "2026-05-12T15:00:00.5Z")
    assert units(session) == (2, 0)
    # late, repeated, and a total of all places that says less than the places
    shopify(shop, "inventory_levels/update", level(9), "w4", "2026-05-12T15:00:00.4Z")
    shopify(shop, "inventory_levels/update", level(7), "w3", "2026-05-12T16:00:00Z")
    shopify(shop, "products/update", PRODUCT | {"updated_at": "2026-05-12T17:00:00Z"}, "w5")
    assert units(session) == (2, 0)


def test_another_place_of_shopifys_is_another_place(shop: FlaskClient, session: Session) -> None:
    shopify(shop, "products/update", PRODUCT)
    shopify(shop, "inventory_levels/update", level(2), "w2", "2026-05-12T15:00:00Z")
    shopify(shop, "inventory_levels/update", level(3, location_id=24), "w3", "2026-05-12T15:00:00Z")
    assert units(session) == (5, 0)
    assert shopify(shop, "inventory_levels/update", level(None), "w4").get_json() == {"ours": 0, "others": 0}


@pytest.mark.parametrize("topics", [("orders/create", "orders/paid"), ("orders/paid", "orders/create")])
def test_an_order_of_shopify_is_one_sale(shop: FlaskClient, session: Session, topics: tuple[str, str]) -> None:
    for topic in topics:
        assert shopify(shop, topic, ORDER, topic).status_code == 200
    sold = session.scalars(sa.select(Purchase)).one()
    assert (sold.external_id, sold.hold_token, sold.price_cents) == ("450789469:466157049", "token", 42_000)
    assert (sold.customer_id is not None, sold.account) == (True, "207119551")
    assert units(session)[1] == 1
    shopify(shop, "orders/cancelled", ORDER | {"cancelled_at": "2026-05-12T11:00:00Z"})
    assert units(session)[1] == 0


def test_an_order_in_yen_has_no_cents(shop: FlaskClient, session: Session) -> None:
    [line] = ORDER["line_items"]
    shopify(shop, "orders/create", ORDER | {"currency": "JPY", "line_items": [line | {"price": "42000"}]})
    assert session.scalars(sa.select(Purchase.price_cents)).one() == 42_000


@pytest.mark.parametrize("more", [{"cancelled_at": "2026-05-12T11:00:00Z"}, {"financial_status": "voided"}])
def test_an_order_of_shopify_that_comes_to_nothing_is_looked_at_again(
    shop: FlaskClient, session: Session, more: dict[str, Any]
) -> None:
    shopify(shop, "orders/create", ORDER | {"financial_status": "pending"})
    assert units(session)[1] == 1
    session.execute(sa.update(Purchase).values(matched_at=NOW))
    session.commit()
    shopify(shop, "orders/updated", ORDER | more, "w2")
    assert units(session)[1] == 0
    assert session.scalars(sa.select(Purchase)).one().matched_at is None


@pytest.mark.parametrize(("state", "is_void"), [("cancelled", True), ("failed", True), ("refunded", False)])
def test_an_order_of_woocommerce_that_comes_to_nothing_is_looked_at_again(
    shop: FlaskClient, session: Session, state: str, is_void: bool
) -> None:
    woocommerce(shop, "order.created", WOO_ORDER | {"status": "on-hold"})
    assert units(session)[1] == 1
    session.execute(sa.update(Purchase).values(matched_at=NOW))
    session.commit()
    woocommerce(shop, "order.updated", WOO_ORDER | {"status": state})
    assert units(session)[1] == 0
    assert (session.scalars(sa.select(Purchase)).one().matched_at is None) is is_void


def test_what_she_cancelled_herself_is_no_longer_wished_for(shop: FlaskClient, session: Session) -> None:
    shopify(shop, "orders/create", ORDER)
    session.execute(sa.update(Purchase).values(matched_at=NOW))
    session.commit()
    mine = {"cancelled_at": "2026-05-12T11:00:00Z", "cancel_reason": "customer"}
    shopify(shop, "orders/cancelled", ORDER | mine, "w2")
    sold = session.scalars(sa.select(Purchase)).one()
    assert units(session)[1] == 0
    assert sold.returned_at and sold.matched_at


@pytest.mark.parametrize("late", [False, True])
def test_a_payment_of_woocommerce_that_failed_first_and_worked_then_is_a_sale(
    shop: FlaskClient, session: Session, late: bool
) -> None:
    """Whichever of the two is heard first."""
    told = [("on-hold", "09:00"), ("failed", "09:10"), ("processing", "09:20")]
    for state, at in [told[0], told[2], told[1]] if late else told:
        woocommerce(shop, "order.updated", WOO_ORDER | {"status": state, "date_modified_gmt": f"2026-05-12T{at}:00"})
    sold = session.scalars(sa.select(Purchase)).one()
    assert (sold.returned_at, sold.matched_at, units(session)[1]) == (None, None, 1)
    for state, at, promised in (("failed", "09:15", 1), ("cancelled", "09:30", 0), ("processing", "09:25", 0)):
        woocommerce(shop, "order.updated", WOO_ORDER | {"status": state, "date_modified_gmt": f"2026-05-12T{at}:00"})
        session.expire_all()
        assert units(session)[1] == promised


def _refund(units: int, kind: str, line: int = 466157049) -> dict[str, Any]:
    return {"refund_line_items": [{"line_item_id": line, "quantity": units, "restock_type": kind}]}


@pytest.mark.parametrize(
    ("line", "refunds", "promised"),
    [
        ({"current_quantity": 2}, [_refund(1, "return")], 2),
        ({"current_quantity": 2}, [], 2),
        ({"current_quantity": 0}, [], 0),
        ({}, [_refund(1, "return"), _refund(1, "cancel")], 1),
        ({}, [_refund(2, "return", line=9)], 3),
        ({"current_quantity": 2}, [_refund(1, "no_restock")], 3),
        ({"current_quantity": 1}, [_refund(1, "no_restock"), _refund(1, "cancel")], 2),
    ],
)
def test_shopify_refunds_give_back_the_units_that_are_put_back(
    shop: FlaskClient, session: Session, line: dict[str, Any], refunds: list[dict[str, Any]], promised: int
) -> None:
    """By API versions with a current quantity and without; what is refunded and written off is gone."""
    bought = ORDER["line_items"][0] | {"quantity": 3}
    shopify(shop, "orders/create", ORDER | {"line_items": [bought]})
    assert units(session)[1] == 3
    for name in ("w2", "w3"):
        assert shopify(shop, "orders/updated", ORDER | {"line_items": [bought | line], "refunds": refunds}, name)
        assert units(session)[1] == promised


def test_woocommerce_counts_products_and_variations(shop: FlaskClient, session: Session) -> None:
    headers = {"X-WC-Webhook-Topic": "product.updated", "X-WC-Webhook-Signature": VARIATION_SIGNATURE}
    assert shop.post("/webhooks/woocommerce", data=VARIATION, headers=headers).get_json() == {"ours": 1, "others": 0}
    assert units(session) == (3, 0)
    variation = json.loads(VARIATION)
    # the same second, the same delivery id, another count; then one that is counted with its parent
    woocommerce(shop, "product.updated", variation | {"stock_quantity": 1})
    woocommerce(shop, "product.updated", variation | {"stock_quantity": 8, "manage_stock": "parent"})
    assert units(session) == (1, 0)


def test_an_order_of_woocommerce_sells_and_undoes(shop: FlaskClient, session: Session) -> None:
    woocommerce(shop, "order.created", WOO_ORDER | {"status": "pending"})
    assert units(session)[1] == 0
    woocommerce(shop, "order.updated", WOO_ORDER)
    woocommerce(shop, "order.updated", WOO_ORDER | {"status": "completed"})
    assert session.scalars(sa.select(Purchase.hold_token)).all() == ["token"]
    assert session.scalars(sa.select(Purchase.delivered_at)).all() == [None]
    session.rollback()
    woocommerce(shop, "order.updated", WOO_ORDER | {"status": "completed", "date_completed_gmt": "2026-05-12T09:20:00"})
    assert session.scalars(sa.select(Purchase.delivered_at)).all() == [NOW - 10 * MINUTE]
    assert units(session)[1] == 1
    woocommerce(shop, "order.updated", WOO_ORDER | {"status": "refunded"})
    assert units(session)[1] == 0


def test_what_the_carrier_brought_is_in_her_hands_once_it_says_so(shop: FlaskClient, session: Session) -> None:
    parcel = {"order_id": ORDER["id"], "updated_at": "2026-05-12T09:20:00Z", "line_items": ORDER["line_items"]}
    arrived = parcel | {"shipment_status": "delivered"}
    shopify(shop, "fulfillments/update", arrived, "before the order")
    shopify(shop, "orders/create", ORDER)
    shopify(shop, "fulfillments/create", parcel | {"shipment_status": None}, "w2")
    session.rollback()
    assert session.scalars(sa.select(Purchase.delivered_at)).all() == [None]
    session.rollback()
    shopify(shop, "fulfillments/update", arrived, "w3")
    shopify(shop, "fulfillments/update", arrived | {"updated_at": "2026-05-12T09:25:00Z"}, "w4")
    assert session.scalars(sa.select(Purchase.delivered_at)).all() == [NOW - 10 * MINUTE]


def test_a_new_webhook_of_woocommerce_is_greeted(shop: FlaskClient) -> None:
    assert shop.post("/webhooks/woocommerce", data=b"webhook_id=5").status_code == 200
    assert shop.post("/webhooks/woocommerce", data=b"webhook_id=5&x=1").status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"null", b"[" * 9999, b'{"available": "many"}', b'{"available": 1e999}', b'{"available": true}',
     b'{"available": 3, "updated_at": "soon"}', b'{"available": 3, "updated_at": "0001-01-01T00:00:00+14:00"}',
     b'{"available": 3, "updated_at": "9999-12-31T23:59:59-12:00"}'],
)  # fmt: skip
def test_nonsense_under_a_good_signature_is_refused(shop: FlaskClient, body: bytes) -> None:
    assert shopify(shop, "inventory_levels/update", body).status_code == 422


@pytest.mark.parametrize("topic", ["", "shop/update", "customers/create"])
def test_what_does_not_concern_us_is_taken_and_forgotten(shop: FlaskClient, topic: str) -> None:
    assert shopify(shop, topic, {"id": 1}).get_json() == {"ours": 0, "others": 0}
