"""What the address of a list asks for: which wishes, offers, pieces; a page and its file ask in the same words."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask_babel import get_locale
from sqlalchemy.orm import Session

from concierge import clock
from concierge.catalogue import queries as catalogue
from concierge.catalogue.models import Product, Variant, VariantNotFound
from concierge.config import LANGUAGES
from concierge.reports import queries
from concierge.reports.forms import read_age
from concierge.reports.goods import Goods, GoodsFilter
from concierge.reports.restocks import Became, OfferFilter
from concierge.reports.rows import Shelf, WishFilter

_MOST = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """The piece a list is about: a product, perhaps one variant of it, or neither."""

    product: Product | None = None
    variant: Variant | None = None


def page_language() -> str:
    """The language of the page, among those of the house."""
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else "en"


def counted_at(session: Session) -> datetime:
    """The moment the numbers on the pages are of, so that the rows behind them are as old as they say."""
    count = queries.find_count(session)
    return count.begun_at if count else clock.now()


def address() -> dict[str, str]:
    """What was asked for, but for the page of it."""
    return {name: value for name, value in request.args.items() if value and name != "after"}


def asked_piece(session: Session) -> Asked:
    """The product or variant asked about; a code or SKU that is none is not found."""
    code, sku = request.args.get("product", ""), request.args.get("sku", "")
    if not sku:
        return Asked(catalogue.get_product(session, code)) if code else Asked()
    if (variant := catalogue.find_variant_by_sku(session, sku)) is None:
        raise VariantNotFound
    return Asked(variant.product, variant)


def wish_filter(piece: Asked) -> WishFilter:
    """Which wishes."""
    shelf, choice = request.args.get("shelf", ""), request.args.get("choice", "")
    return WishFilter(
        shelf=Shelf(shelf) if shelf in set(Shelf) else Shelf.OPEN,
        product_id=piece.product.id if piece.product else None,
        variant_id=piece.variant.id if piece.variant else None,
        first={"first": True, "also": False}.get(choice),
        age=read_age(request.args.get("age")),
        category=request.args.get("category", "")[:_MOST],
        system=request.args.get("system", "")[:_MOST],
        size=request.args.get("size", "")[:_MOST],
        currency=request.args.get("currency", "")[:3],
    )


def offer_filter(session: Session) -> OfferFilter:
    """Which offers; whoever asks for an age asks for those the chances rest on."""
    became, age = request.args.get("became", ""), read_age(request.args.get("age"))
    of_chances = age is not None or request.args.get("for") == "chances"
    return OfferFilter(
        wave_id=request.args.get("wave", type=int),
        restock_id=request.args.get("restock", type=int),
        asked_by=counted_at(session) if of_chances else None,
        age=age,
        travelled=request.args.get("for") == "times",
        became=Became(became) if became in set(Became) else None,
    )


def goods_filter(piece: Asked) -> GoodsFilter:
    """Which pieces."""
    goods = request.args.get("of", "")
    return GoodsFilter(
        goods=Goods(goods) if goods in set(Goods) else Goods.FREE,
        variant_id=piece.variant.id if piece.variant else None,
        category=request.args.get("category", "")[:_MOST],
        system=request.args.get("system", "")[:_MOST],
        size=request.args.get("size", "")[:_MOST],
    )
