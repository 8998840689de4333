"""Reads Shopify's webhooks: inventory_levels/update, the products, orders and fulfillments topics (REST)."""

from collections.abc import Mapping
from typing import Any, Final

from concierge.catalogue.foreign import (
    Alias,
    ArrivedLine,
    Counted,
    Gone,
    Goods,
    Item,
    Misread,
    SoldLine,
    Told,
    hold_of,
    option_kind,
    plain,
    read_amount,
    read_link,
    read_moment,
    read_price,
    read_tags,
    read_units,
    rows,
)
from concierge.catalogue.goods import LONGEST, ProductReport, VariantReport, Wording, category_of, words_of_html

SIGNATURE: Final = "X-Shopify-Hmac-Sha256"
TOPIC: Final = "X-Shopify-Topic"
_ID: Final = "x-shopify-webhook-id"
# With fractions of a second, which updated_at has not: two changes within one second keep their order.
_AT: Final = "x-shopify-triggered-at"
# Refunded and not put back: the piece is broken, or hers to keep.
_LOST: Final = "no_restock"
_PRODUCTS: Final = {"products/create", "products/update", "products/delete"}
# A product that comes in one form only has this one choice.
_NO_CHOICE: Final = "Default Title"
# A webhook that tells of so many may leave others out.
_MOST_VARIANTS: Final = 100
_ORDERS: Final = {"orders/create", "orders/paid", "orders/updated", "orders/cancelled"}
_PARCELS: Final = {"fulfillments/create", "fulfillments/update"}


def read(topic: str, headers: Mapping[str, str], body: Any, locations: Mapping[str, str]) -> list[Told]:
    """What a webhook tells of stock and orders; [] for topics that don't concern us.

    Headers come in lower case; `locations` names Shopify's locations our way.
    Raises Misread.
    """
    if not isinstance(body, dict):
        raise Misread
    if topic == "inventory_levels/update":
        return _level(headers, body, locations)
    if topic in {"products/update", "products/create"}:
        return _product(headers, body)
    if topic in _PARCELS:
        return _parcel(body)
    return _order(topic, body, locations) if topic in _ORDERS else []


def read_goods(
    topic: str, headers: Mapping[str, str], body: Any, *, domain: str, language: str, currency: str
) -> Goods | Gone | None:
    """The product a webhook tells of, if it does, in the shop's own language and currency; raises Misread.

    `domain` is where customers buy. Nothing is asked for that it only points to: its pictures stay in the shop.
    """
    if not isinstance(body, dict) or topic not in _PRODUCTS or not (number := plain(body.get("id"), 40)):
        return None
    if topic == "products/delete":
        return Gone(number)
    variants = rows(body.get("variants"))
    handle, title, words = (
        plain(body.get("handle"), 255),
        plain(body.get("title"), LONGEST["name"]),
        body.get("body_html"),
    )
    description = words_of_html(words) if isinstance(words, str) else None
    prices = [price for each in variants if (price := read_price(each.get("price"), currency))]
    tags = body.get("tags")
    report = ProductReport(
        code="",
        designer=plain(body.get("vendor"), LONGEST["designer"]) or None,
        category=category_of(plain(body.get("product_type"), 80)) or None,
        # where sizes differ in price, nobody is told less than hers costs
        price_cents=max(prices, default=None),
        link=read_link(f"https://{domain}/products/{handle}") if domain and handle else None,
        tags=read_tags(tags.split(",") if isinstance(tags, str) else tags) if isinstance(tags, str | list) else None,
        texts={language: Wording(title or None, description)} if title or description is not None else {},
        variants=_variants(body, variants),
        names_all=0 < len(variants) < _MOST_VARIANTS,
        as_of=read_moment(headers.get(_AT) or body.get("updated_at")),
    )
    return Goods(
        number, report, codes=(handle, number), is_shown=body.get("status", "active") == "active",
        passed_over=tuple(plain(each.get("title"), 60) for each in variants if not plain(each.get("sku"), 60)),
    )  # fmt: skip


def _variants(body: dict[str, Any], variants: list[dict[str, Any]]) -> tuple[VariantReport, ...]:
    """Those with a SKU, each once. Without a size, the first choice that is no colour counts as one."""
    kinds = [option_kind(each.get("name")) for each in rows(body.get("options"))]
    if ("", None) in kinds and not any(kind == "size" for kind, _system in kinds):
        kinds[kinds.index(("", None))] = ("size", None)
    told: dict[str, VariantReport] = {}
    for each in variants:
        said: dict[str, str | None] = {}
        for place, (kind, system) in enumerate(kinds[:3], start=1):
            value = plain(each.get(f"option{place}"), LONGEST.get(kind, 40))
            if kind:
                said[kind] = "" if value == _NO_CHOICE else value
            if system and value:
                said["size_system"] = system
        if sku := plain(each.get("sku"), 60):
            told.setdefault(sku, VariantReport(sku, **said))
    return tuple(told.values())


def _level(headers: Mapping[str, str], body: dict[str, Any], locations: Mapping[str, str]) -> list[Told]:
    if body.get("available") is None:  # not tracked
        return []
    return [
        Counted(
            item=Item(alias=f"item:{plain(body.get('inventory_item_id'), 40)}"),
            units=read_units(body["available"]),
            as_of=read_moment(headers.get(_AT) or body.get("updated_at")),
            name=_name(headers),
            location=_location(body.get("location_id"), locations),
        )
    ]


def _product(headers: Mapping[str, str], body: dict[str, Any]) -> list[Told]:
    told: list[Told] = []
    as_of = read_moment(headers.get(_AT) or body.get("updated_at"))
    for variant in rows(body.get("variants")):
        sku, number = plain(variant.get("sku"), 60), plain(variant.get("id"), 40)
        if not sku:
            continue
        told.append(Alias(sku, f"variant:{number}"))
        if item := plain(variant.get("inventory_item_id"), 40):
            told.append(Alias(sku, f"item:{item}"))
        if variant.get("inventory_management") and variant.get("inventory_quantity") is not None:
            units = read_units(variant["inventory_quantity"])
            told.append(Counted(Item(sku), units, as_of, f"{_name(headers)}:{number}", is_total=True))
    return told


def _order(topic: str, body: dict[str, Any], locations: Mapping[str, str]) -> list[Told]:
    # "voided": the money was never taken, and will not be
    unpaid = plain(body.get("financial_status"), 40) == "voided"
    is_undone = unpaid or topic == "orders/cancelled" or bool(body.get("cancelled_at"))
    # what she cancelled herself she no longer wishes for
    is_void = is_undone and plain(body.get("cancel_reason"), 40) != "customer"
    at = read_moment(body.get("processed_at") or body.get("created_at"))
    address = plain(body.get("email") or body.get("contact_email"), 320)
    account = body.get("customer")
    hold = hold_of(body.get("note_attributes"))
    currency = plain(body.get("currency"), 3) or "EUR"
    location = _location(body.get("location_id"), locations)
    told: list[Told] = []
    for line in rows(body.get("line_items")):
        units = read_units(line.get("quantity", 1))
        if units > 0:
            told.append(
                SoldLine(
                    item=Item(plain(line.get("sku"), 60), f"variant:{plain(line.get('variant_id'), 40)}"),
                    name=f"{plain(body.get('id'), 40)}:{plain(line.get('id'), 40)}",
                    at=at,
                    units=units,
                    price_cents=read_amount(line.get("price"), currency),
                    currency=currency,
                    address=address,
                    account=plain(account.get("id"), 60) if isinstance(account, dict) else "",
                    hold_token=hold_of(line.get("properties")) or hold,
                    location=location,
                    returned=units if is_undone else _put_back(line, units, body.get("refunds")),
                    is_void=is_void,
                )
            )
    return told


def _parcel(body: dict[str, Any]) -> list[Told]:
    """What the carrier has delivered of an order; anything else that a parcel goes through is no news."""
    if body.get("shipment_status") != "delivered":
        return []
    at, order = read_moment(body.get("updated_at") or body.get("created_at")), plain(body.get("order_id"), 40)
    return [
        ArrivedLine(
            Item(plain(line.get("sku"), 60), f"variant:{plain(line.get('variant_id'), 40)}"),
            f"{order}:{plain(line.get('id'), 40)}",
            at,
        )
        for line in rows(body.get("line_items"))
    ]


def _put_back(line: dict[str, Any], units: int, refunds: object) -> int:
    """How many units of a line the shop may sell again: removed from the order, and not written off.

    `current_quantity` is what is left of `quantity`; before API version 2022-04 only the refunds say it.
    """
    refunded = [
        each for refund in rows(refunds) for each in rows(refund.get("refund_line_items"))
        if each.get("line_item_id") == line.get("id")
    ]  # fmt: skip
    written_off = sum(read_units(each.get("quantity", 0)) for each in refunded if each.get("restock_type") == _LOST)
    left = line.get("current_quantity")
    removed = (
        sum(read_units(each.get("quantity", 0)) for each in refunded) if left is None else units - read_units(left)
    )
    return max(0, removed - written_off)


def _name(headers: Mapping[str, str]) -> str:
    if not (name := plain(headers.get(_ID), 100)):
        raise Misread
    return name


def _location(number: object, locations: Mapping[str, str]) -> str:
    """Our name for a location; "" where an online order names none: nobody knows yet from where it will leave."""
    known = plain(number, 30)
    return (locations.get(known) or f"Shopify {known}")[:40] if known else ""
