"""The shop the demo house sells in: pieces with the wish form, a pretended checkout, a counter for stock; demo only.

It speaks with the house as any shop does: it embeds the form, reads the hold, reports an order and what is left.
"""

from datetime import datetime
from uuid import uuid4

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from concierge import clock
from concierge.addresses import is_address
from concierge.catalogue.cards import card_of
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.queries import get_product, get_variant_by_sku, search_products
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.config import LANGUAGES
from concierge.customers.models import NoAddress
from concierge.errors import BadToken, NotFound, RuleBroken
from concierge.extensions import db, house_config
from concierge.public.asking import form_texts
from concierge.web.rendering import render
from concierge.web.security import public
from concierge.wishes import links
from concierge.wishes.offer_models import Offer
from concierge.wishes.queries import count_waiting, get_offer

bp = Blueprint("shop", __name__, url_prefix="/shop")
SOURCE = "demo-shop"
LOCATION = "online"


class SoldOut(RuleBroken):
    """This size is sold out just now."""


@bp.get("/")
@public
def window() -> ResponseReturnValue:
    """Everything the shop sells."""
    language = _language()
    products = search_products(db.session, limit=60)
    cards = [(each.code, card_of(each.variants[0], language), _is_here(each)) for each in products]
    return render("demo/shop.html", language=language, cards=cards)


@bp.get("/<code>")
@public
def piece(code: str) -> ResponseReturnValue:
    """One piece in its sizes; ?hold= is the token of our offer, for which one is kept."""
    product, language = get_product(db.session, code), _language()
    held = _held(request.args.get("hold", ""))
    kept = held.variant if held and not held.is_over and held.variant in product.variants else None
    return render(
        "demo/shop_piece.html",
        language=language,
        product=product,
        card=card_of(product.variants[0], language),
        description=product.description(language),
        hold=request.args.get("hold", "") if kept else "",
        kept=kept,
        sold_out=[each.size for each in product.variants if not each.available and each != kept],
        texts=form_texts(product, language),
        waiting={each.sku: count_waiting(db.session, each.id) for each in product.variants},
    )


@bp.get("/checkout")
@public
def till() -> ResponseReturnValue:
    """The pretended checkout for one unit."""
    variant, hold = get_variant_by_sku(db.session, request.args.get("sku", "")), request.args.get("hold", "")
    held = _held(hold)
    address = held.customer.address if held else ""
    _require_unit(variant, held)
    language = _language()
    card = card_of(variant, language)
    return render("demo/shop_checkout.html", language=language, card=card, hold=hold, address=address)


@bp.post("/checkout")
@public
def buy() -> ResponseReturnValue:
    """Sell one unit: the order is reported as the API would report it, and then what is left."""
    variant, hold = get_variant_by_sku(db.session, request.form.get("sku", "")), request.form.get("hold", "")
    held, address = _held(hold), request.form.get("email", "").strip()
    if not is_address(address):
        raise NoAddress
    _require_unit(variant, held)
    now, order = clock.now(), f"S-{uuid4().hex[:8].upper()}"
    line = PurchaseReport(
        source=SOURCE,
        external_id=f"{order}:1",
        sku=variant.sku,
        at=now,
        units=held.quantity if held else 1,
        price_cents=held.price_cents if held else variant.product.price_cents,
        currency=variant.product.currency,
        address=address,
        hold_token=hold if held else "",
        location=LOCATION,
    )
    report_purchase(db.session, line, now=now)
    _count(variant, -line.units, order, now=now)
    db.session.commit()
    return redirect(url_for(".sold", order=order), 303)


@bp.get("/sold")
@public
def sold() -> ResponseReturnValue:
    """Thank you, and the order's number."""
    return render("demo/shop_sold.html", language=_language(), order=request.args.get("order", "")[:20])


@bp.post("/<code>/counter")
def counter(code: str) -> ResponseReturnValue:
    """A unit comes in; for whoever is signed in, so that a visitor of the demo can play the shop."""
    product, variant = get_product(db.session, code), get_variant_by_sku(db.session, request.form.get("sku", ""))
    _count(variant, 1, f"C-{uuid4().hex[:8]}", now=clock.now())
    db.session.commit()
    flash(_("One in %(size)s has come in. Whoever wished for it hears of it now.", size=variant.size or product.code))
    return redirect(url_for(".piece", code=code), 303)


def _count(variant: Variant, units: int, name: str, *, now: datetime) -> None:
    """Units came or went. This shop is believed at once: nobody who tries the demo waits five minutes."""
    report = Report(
        source=SOURCE,
        external_id=f"{name}:{units:+}",
        sku=variant.sku,
        location=LOCATION,
        report=StockReport.DELTA,
        units=units,
        as_of=now,
    )
    report_stock(db.session, report, now=now, policy=house_config().policy.at_once)


def _require_unit(variant: Variant, held: Offer | None) -> None:
    is_kept = held is not None and held.variant_id == variant.id and not held.is_over
    if not (is_kept or variant.available):
        raise SoldOut


def _held(token: str) -> Offer | None:
    """The offer whose hold this is, as the API tells a shop; None for any other text."""
    if not token:
        return None
    try:
        return get_offer(db.session, links.read(house_config(), links.HOLD, token))
    except (BadToken, NotFound):
        return None


def _is_here(product: Product) -> bool:
    return any(each.available for each in product.variants)


def _language() -> str:
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else LANGUAGES[0]
