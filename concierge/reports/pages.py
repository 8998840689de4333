"""Pages that only show: the wish board, the rows behind a number, demand, restocks."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge import clock
from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import colours_words, labels_of, piece_words
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import category_name, price_text
from concierge.catalogue.prices import amount_of, smallest_units
from concierge.catalogue.returns import probable_units
from concierge.extensions import db, house_config
from concierge.reports import asking, queries, restocks, rows, showing, words
from concierge.reports import board as boards
from concierge.reports.asking import page_language
from concierge.reports.board import BoardFilter, BoardRow
from concierge.reports.conditions import GONE_WITHIN, SOLD_WITHIN
from concierge.reports.forms import BoardForm
from concierge.reports.goods import Goods, list_goods
from concierge.reports.restocks import Became, OfferFilter
from concierge.reports.rows import Shelf
from concierge.reports.untold import why_nobody
from concierge.web.choices import SelectChoice
from concierge.web.paging import read_place
from concierge.web.rendering import render
from concierge.web.security import roles_accepted
from concierge.wishes.models import Wish
from concierge.wishes.queries import count_waiting, queue_of
from concierge.wishes.radar import assign_softly
from concierge.wishes.waves import Standing

bp = Blueprint("reports", __name__, url_prefix="/wishes")

BUYERS = ("merchandiser", "admin")
# A queue is shown with everybody's place up to this many; reading a longer one takes its time.
_LONGEST_QUEUE = 2_000
_QUEUE_SHOWN = 12


@bp.get("")
def board() -> ResponseReturnValue:
    """The wish board."""
    form = BoardForm(request.args)
    shown = form.filter()
    count, house = queries.newest_figures(db.session)
    page = boards.list_board(db.session, shown, house.chances, after=request.args.get("after", ""))
    form.category.choices = _categories()
    return render(
        "reports/board.html",
        block="rows",
        form=form,
        shown=shown,
        page=page,
        count=count,
        totals=house.totals,
        money=money,
        names=_names(page.rows),
        colours_words=colours_words,
        asked=asking.address(),
    )


@bp.get("/rows")
def wishes() -> ResponseReturnValue:
    """The wishes behind a number."""
    piece = asking.asked_piece(db.session)
    shown, now = asking.wish_filter(piece), asking.counted_at(db.session)
    page = rows.list_wishes(
        db.session, shown, language=page_language(), now=now, after=read_place(request.args.get("after"))
    )
    return render(
        "reports/wishes.html",
        shown=shown,
        product=piece.product,
        variant=piece.variant,
        page=page,
        Shelf=Shelf,
        words=words,
        money=money,
        category_name=category_name,
        piece_words=piece_words,
        gone_days=GONE_WITHIN.days,
        asked=asking.address(),
    )


@bp.get("/demand")
@roles_accepted(*BUYERS)
def demand() -> ResponseReturnValue:
    """Demand that was lost and can still be won, sizes, times, waves, and what to order again."""
    count, house = queries.newest_figures(db.session)
    asked = request.args.get("kind")
    curve = next((each for each in house.curves if each.key == asked), next(iter(house.curves), None))
    products = queries.products_by_id(db.session, [each.product_id for each in house.orders])
    wished = boards.list_board(db.session, BoardFilter(order=boards.Order.PEOPLE), house.chances, limit=10)
    return render(
        "reports/demand.html",
        count=count,
        house=house,
        by_age=list(zip(words.AGES, house.wishes_by_age, house.ages, house.chances, strict=True)),
        pieces=catalogue.cards(db.session, {each.sku for each in house.waves}, page_language()),
        curve=curve,
        shares=showing.curve_shares(curve.sizes) if curve else [],
        curve_plot=showing.curve_plot(curve) if curve else "",
        legs=showing.legs(house.journeys),
        journeys_plot=showing.journeys_plot(house.journeys),
        bar=showing.bar,
        wished=wished.rows,
        products=products,
        sizes={sku: label for each in products.values() for sku, label in _labels(each).items()},
        gone_days=GONE_WITHIN.days,
        sold_days=SOLD_WITHIN.days,
        money=money,
        category_name=category_name,
        colours_words=colours_words,
        when=datetime.fromisoformat,
    )


@bp.get("/goods")
def goods() -> ResponseReturnValue:
    """The pieces behind a number: free, sold of late, on their way back."""
    piece = asking.asked_piece(db.session)
    shown, now = asking.goods_filter(piece), asking.counted_at(db.session)
    page = list_goods(db.session, shown, language=page_language(), now=now, after=request.args.get("after", type=int))
    return render(
        "reports/goods.html",
        shown=shown,
        variant=piece.variant,
        page=page,
        Goods=Goods,
        words=words,
        asked=asking.address(),
        category_name=category_name,
        piece_words=piece_words,
        sold_days=SOLD_WITHIN.days,
    )


@bp.get("/offers")
@roles_accepted(*BUYERS)
def offers() -> ResponseReturnValue:
    """The offers behind a number."""
    return _offers_page(asking.offer_filter(db.session), "reports/offers.html")


@bp.get("/restocks")
@roles_accepted(*BUYERS)
def list_restocks() -> ResponseReturnValue:
    """What came back, the newest first."""
    code = request.args.get("product", "")
    product = catalogue.get_product(db.session, code) if code else None
    found, older = restocks.list_restocks(
        db.session, product_id=product.id if product else None, before=request.args.get("before", type=int)
    )
    return render("reports/restocks.html", rows=found, older=older, product=product, piece_words=piece_words)


@bp.get("/restocks/<int:restock_id>")
@roles_accepted(*BUYERS)
def restock(restock_id: int) -> ResponseReturnValue:
    """One restock: its waves, and who was offered what, in what order, why, and what became of it."""
    found = restocks.get_restock(db.session, restock_id)
    waves = restocks.list_waves(db.session, restock_id)
    waiting = count_waiting(db.session, found.variant_id)
    untold = () if waves else why_nobody(found, waiting, house_config().policy.stock_settling, now=clock.now())
    shown = OfferFilter(restock_id=restock_id)
    return _offers_page(shown, "reports/restock.html", restock=found, waves=waves, untold=untold, waiting=waiting)


@bp.get("/waves/<int:wave_id>")
@roles_accepted(*BUYERS)
def wave(wave_id: int) -> ResponseReturnValue:
    """One wave's offers by place."""
    found = restocks.get_wave(db.session, wave_id)
    return _offers_page(OfferFilter(wave_id=wave_id), "reports/wave.html", wave=found)


@bp.get("/of/<code>")
def of_product(code: str) -> ResponseReturnValue:
    """The wishes for one product by size, each with its queue: a block for the product's page."""
    product = catalogue.get_product(db.session, code)
    waiting = rows.count_waiting(db.session, [each.id for each in product.variants])
    queues = {each.id: _queue(each, waiting.get(each.id, 0)) for each in product.variants}
    return render(
        "reports/of_product.html",
        block="queues",
        product=product,
        waiting=waiting,
        labels=labels_of(product, page_language()),
        queues=queues,
        promising={variant_id: _promising(variant_id, queue) for variant_id, queue in queues.items()},
    )


def _queue(variant: Variant, waiting: int) -> list[tuple[Wish, Standing]]:
    """The first of a queue with their places; none of one that is too long to read for a page."""
    return queue_of(db.session, variant.id, limit=_QUEUE_SHOWN) if 0 < waiting <= _LONGEST_QUEUE else []


def _promising(variant_id: int, queue: Sequence[tuple[Wish, Standing]]) -> tuple[int, ...]:
    """The wishes that units on their way back would be for."""
    units = sum(each.units for each in probable_units(db.session, variant_id)) if queue else 0
    return assign_softly(((wish.id, wish.quantity) for wish, _standing in queue), units)


def _offers_page(shown: OfferFilter, template: str, **values: Any) -> str:
    page = restocks.list_offers(
        db.session, shown, language=page_language(), after=request.args.get("after", ""), limit=50
    )
    asked = asking.address()
    shared: dict[str, Any] = {"words": words, "money": money, "Became": Became, "piece_words": piece_words}
    return render(template, shown=shown, page=page, asked=asked, **shared, **values)


def _labels(product: Product) -> dict[str, str]:
    """Each size of a product as it is told from its sisters, by SKU."""
    labels, is_alone = labels_of(product, page_language()), len(product.variants) == 1
    return {each.sku: labels[each.id] for each in product.variants if each.size or not is_alone}


def _categories() -> list[SelectChoice]:
    kinds = catalogue.count_categories(db.session)
    return [SelectChoice("", _("Every kind")), *(SelectChoice(each, category_name(each)) for each in kinds)]


def _names(found: Sequence[BoardRow]) -> dict[str, str]:
    return {each.product.category: category_name(each.product.category) for each in found}


def money(cents: float, currency: str) -> str:
    """A sum as people write it, without cents: they would be noise here."""
    whole = amount_of(round(cents), currency).to_integral_value()
    return _money(smallest_units(whole, currency), currency, page_language())


_money = lru_cache(maxsize=4096)(price_text)
