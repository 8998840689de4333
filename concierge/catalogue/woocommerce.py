"""Reads WooCommerce's webhooks: the product and order topics (REST API wp_api_v1 to v3)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from concierge.catalogue.foreign import (
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
from concierge.catalogue.naming import CATEGORIES

SIGNATURE: Final = "X-WC-Webhook-Signature"
TOPIC: Final = "X-WC-Webhook-Topic"
_EVENTS: Final = {"created", "updated", "restored"}
# The states in which WooCommerce has taken the units out of its stock, and those in which it has put them back; and of
# these the ones in which she never got anything ("trash" is where old orders end too).
_SOLD: Final = {"on-hold", "processing", "completed"}
_UNDONE: Final = {"cancelled", "refunded", "failed", "trash"}
_VOID: Final = {"cancelled", "failed"}


def is_ping(body: bytes) -> bool:
    """Whether this is the test WooCommerce sends when a webhook is saved: unsigned, and it wants a 200."""
    name, _, number = body.partition(b"=")
    return name == b"webhook_id" and number.isdigit() and len(number) < 20


def read(topic: str, headers: Mapping[str, str], raw: bytes, body: Any, *, now: datetime) -> list[Told]:
    """What a webhook tells of stock and orders; [] for topics that don't concern us. Headers come in lower case.

    Raises Misread.
    """
    if not isinstance(body, dict):
        raise Misread
    resource, _, event = topic.partition(".")
    if event not in _EVENTS:
        return []
    if resource == "product":
        return _product(headers, raw, body, now=now)
    return _order(body) if resource == "order" else []


def read_goods(topic: str, body: Any, *, now: datetime, language: str, currency: str) -> Goods | Gone | None:
    """The product a webhook tells of, or one of its variations, if it does. Its pictures stay in the shop."""
    resource, _, event = topic.partition(".")
    if resource != "product" or not isinstance(body, dict) or not (number := plain(body.get("id"), 40)):
        return None
    if event == "deleted":
        return Gone(number)
    if event not in _EVENTS:
        return None
    # A report, or a part of one, is true as of now: see `_product`.
    if body.get("type") == "variation" or body.get("parent_id"):
        variant = _variant(body)
        report = ProductReport("", variants=(variant,) if variant else (), as_of=now)
        return Goods(plain(body.get("parent_id"), 40), report, passed_over=() if variant else (number,))
    sku, slug = plain(body.get("sku"), 60), plain(body.get("slug"), 255)
    own = None if body.get("type") == "variable" else _variant(body)
    sized = [variant for each in rows(body.get("variations")) if (variant := _variant(each))]
    return Goods(
        number,
        _report(body, tuple(filter(None, (own, *sized))), now=now, language=language, currency=currency),
        codes=(sku, slug, number),
        is_shown=body.get("status", "publish") == "publish",
        passed_over=(number,) if body.get("type") == "simple" and not sku else (),
    )


def _report(
    body: dict[str, Any], variants: tuple[VariantReport, ...], *, now: datetime, language: str, currency: str
) -> ProductReport:
    name = plain(body.get("name"), LONGEST["name"])
    words = body.get("description")
    description = words_of_html(words) if isinstance(words, str) else None
    price = read_price(body.get("price"), currency)
    brands, tags = [plain(each.get("name"), LONGEST["designer"]) for each in rows(body.get("brands"))], body.get("tags")
    kinds = [category_of(plain(each.get("name"), 80)) for each in rows(body.get("categories"))]
    known = [each for each in kinds if each in CATEGORIES]
    return ProductReport(
        code="",
        designer=next(filter(None, brands), None),
        category=next(filter(None, known + kinds), None),
        price_cents=price,
        link=read_link(body.get("permalink")),
        tags=read_tags(each.get("name") for each in rows(tags)) if isinstance(tags, list) else None,
        texts={language: Wording(name or None, description)} if name or description is not None else {},
        variants=variants,
        as_of=now,
    )


def _variant(body: dict[str, Any]) -> VariantReport | None:
    """A variation, or a product that comes in one form only; None without a SKU."""
    if not (sku := plain(body.get("sku"), 60)):
        return None
    said: dict[str, str | None] = {}
    for each in rows(body.get("attributes")):
        kind, system = option_kind(each.get("name"))
        options = each.get("options")
        value = options[0] if isinstance(options, list) and len(options) == 1 else each.get("option")
        if kind and plain(value, 40):
            said[kind] = plain(value, LONGEST[kind])
        if system and value:
            said["size_system"] = system
    return VariantReport(sku, **said)


def _product(headers: Mapping[str, str], raw: bytes, body: dict[str, Any], *, now: datetime) -> list[Told]:
    """A product, or one of its variations: WooCommerce sends each under the product topics.

    Its payload is made when it is delivered (WC_Webhook::deliver), so it is true as of now; date_modified does not
    move when a sale takes a unit. X-WC-Webhook-Delivery-ID is a hash of webhook and second, the same for all that is
    delivered within one, so what is said is part of the report's name.
    """
    delivery = plain(headers.get("x-wc-webhook-delivery-id"), 64)
    name = f"{delivery}:{hashlib.sha256(raw).hexdigest()[:32]}"
    told: list[Told] = []
    for each in (body, *rows(body.get("variations"))):
        sku, units = plain(each.get("sku"), 60), each.get("stock_quantity")
        # "parent": counted with the product as a whole, which says nothing of a size
        if sku and units is not None and each.get("manage_stock", True) is True:
            number = plain(each.get("id"), 40)
            told.append(Counted(Item(sku), read_units(units), now, f"{number}:{name}"))
    return told


def _account(number: object) -> str:
    """Whose account it was bought with; a guest is 0."""
    found = plain(number, 60)
    return "" if found == "0" else found


def _order(body: dict[str, Any]) -> list[Told]:
    state = plain(body.get("status"), 40)
    if state not in _SOLD | _UNDONE:
        return []
    billing = body.get("billing")
    # WooCommerce knows no parcels: "completed" is its word for an order that wants nothing more of anybody.
    done = body.get("date_completed_gmt")
    hold = hold_of(body.get("meta_data"), "key")
    currency = plain(body.get("currency"), 3) or "EUR"
    changed = body.get("date_modified_gmt")
    stated_at = read_moment(changed) if changed else None
    told: list[Told] = []
    for line in rows(body.get("line_items")):
        units = read_units(line.get("quantity", 1))
        if units > 0:
            told.append(
                SoldLine(
                    item=Item(plain(line.get("sku"), 60)),
                    name=f"{plain(body.get('id'), 40)}:{plain(line.get('id'), 40)}",
                    at=read_moment(body.get("date_paid_gmt") or body.get("date_created_gmt")),
                    units=units,
                    price_cents=read_amount(line.get("price"), currency),
                    currency=currency,
                    address=plain(billing.get("email"), 320) if isinstance(billing, dict) else "",
                    account=_account(body.get("customer_id")),
                    hold_token=hold_of(line.get("meta_data"), "key") or hold,
                    returned=units if state in _UNDONE else 0,
                    is_void=state in _VOID,
                    delivered_at=read_moment(done) if state == "completed" and done else None,
                    stated_at=stated_at,
                )
            )
    return told
