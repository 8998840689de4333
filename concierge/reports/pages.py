"""Pages that only show: the wish board, the rows behind a number, demand, restocks, and the same as files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from concierge import clock
from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import colours_words, labels_of, piece_words
from concierge.catalogue.models import Product, ProductNotFound, Variant, VariantNotFound
from concierge.catalogue.naming import category_name, price_text
from concierge.catalogue.returns import probable_units
from concierge.config import LANGUAGES
from concierge.extensions import db, house_config
from concierge.reports import board as boards
from concierge.reports import queries, restocks, rows, showing, words
from concierge.reports.board import BoardFilter, BoardRow
from concierge.reports.counting import GONE_WITHIN, SOLD_WITHIN
from concierge.reports.figures import Journeys
from concierge.reports.forms import BoardForm, read_age
from concierge.reports.quantiles import Spread
from concierge.reports.restocks import Became, OfferFilter
from concierge.reports.rows import Shelf, WishFilter
from concierge.reports.tables import Cell, csv_bytes
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


def page_language() -> str:
    """The language of the page, among those of the house."""
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else "en"


@bp.get("")
def board() -> ResponseReturnValue:
    """The wish board."""
    form = BoardForm(request.args)
    shown = form.filter()
    page = boards.list_board(db.session, shown, after=request.args.get("after", ""))
    count, house = queries.newest_figures(db.session)
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
        asked={name: value for name, value in request.args.items() if value and name != "after"},
    )


@bp.get("/board.csv")
def board_file() -> ResponseReturnValue:
    """The board as a file, all of it."""
    shown = BoardForm(request.args).filter()
    head = [
        _("Code"),
        _("Designer"),
        _("Product"),
        _("Colour"),
        _("Size"),
        _("SKU"),
        _("Wishes"),
        _("Also content"),
        _("Free"),
    ]
    return _file("wishes-by-size.csv", head, _board_lines(shown, page_language()))


@bp.get("/rows")
def wishes() -> ResponseReturnValue:
    """The wishes behind a number."""
    shown, product, variant = _wish_filter()
    page = rows.list_wishes(
        db.session, shown, language=page_language(), now=_counted_at(), after=read_place(request.args.get("after"))
    )
    return render(
        "reports/wishes.html",
        shown=shown,
        product=product,
        variant=variant,
        page=page,
        Shelf=Shelf,
        words=words,
        money=money,
        category_name=category_name,
        piece_words=piece_words,
        gone_days=GONE_WITHIN.days,
        asked={name: value for name, value in request.args.items() if value and name != "after"},
    )


@bp.get("/rows.csv")
def wishes_file() -> ResponseReturnValue:
    """The same wishes as a file."""
    shown, _product, _variant = _wish_filter()
    head = [
        _("Wish"), _("State"), _("Because"), _("Customer"), _("Address"), _("Code"), _("Product"), _("Sizes"),
        _("SKUs"), _("Quantity"), _("Value"), _("Currency"), _("Waiting since"), _("Ended"), _("Needed by"),
        _("Editor"), _("Came by"), _("Conversation"),
    ]  # fmt: skip
    found = rows.walk_wishes(db.session, shown, language=page_language(), now=_counted_at())
    return _file("wishes.csv", head, (showing.wish_line(each) for each in found))


@bp.get("/demand")
@roles_accepted(*BUYERS)
def demand() -> ResponseReturnValue:
    """Demand that was lost and can still be won, sizes, times, waves, and what to order again."""
    count, house = queries.newest_figures(db.session)
    asked = request.args.get("kind")
    curve = next((each for each in house.curves if each.key == asked), next(iter(house.curves), None))
    wished = boards.list_board(db.session, BoardFilter(order=boards.Order.PEOPLE), limit=10)
    return render(
        "reports/demand.html",
        count=count,
        house=house,
        by_age=list(zip(words.AGES, house.wishes_by_age, house.ages, house.chances, strict=True)),
        pieces=catalogue.cards(db.session, {each.sku for each in house.waves}, page_language()),
        curve=curve,
        shares=showing.curve_shares(curve.sizes) if curve else [],
        curve_plot=showing.curve_plot(curve) if curve else "",
        legs=_legs(house.journeys),
        journeys_plot=showing.journeys_plot(house.journeys),
        bar=showing.bar,
        wished=wished.rows,
        products=queries.products_by_id(db.session, [each.product_id for each in house.orders]),
        gone_days=GONE_WITHIN.days,
        sold_days=SOLD_WITHIN.days,
        money=money,
        category_name=category_name,
        colours_words=colours_words,
        when=datetime.fromisoformat,
    )


def _legs(journeys: Journeys) -> list[tuple[str, Spread | None, str]]:
    """The legs of the way to her hands, each with where its offers are listed."""
    bought = url_for("reports.offers", became="taken")
    links = (url_for("reports.offers"), bought, bought)
    return [(name, leg, link) for (name, leg), link in zip(showing.legs(journeys), links, strict=True)]


@bp.get("/offers")
@roles_accepted(*BUYERS)
def offers() -> ResponseReturnValue:
    """The offers behind a number."""
    return _offers_page(_offer_filter(), "reports/offers.html")


@bp.get("/offers.csv")
@roles_accepted(*BUYERS)
def offers_file() -> ResponseReturnValue:
    """The same offers as a file."""
    head = [
        _("Offer"), _("Wave"), _("Restock"), _("Place"), _("Of"), _("Why"), _("Customer"), _("Code"), _("Product"),
        _("Colour"), _("Size"), _("SKU"), _("Quantity"), _("Price"), _("Currency"), _("Waiting since"), _("Made"),
        _("Sent"), _("Held until"), _("Became"), _("Ended"), _("Editor"), _("Conversation"),
    ]  # fmt: skip
    language = page_language()
    found = restocks.walk_offers(db.session, _offer_filter(), language=language)
    return _file("offers.csv", head, (showing.offer_line(each, language) for each in found))


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
    asked = {name: value for name, value in request.args.items() if value and name != "after"}
    shared: dict[str, Any] = {"words": words, "money": money, "Became": Became, "piece_words": piece_words}
    return render(template, shown=shown, page=page, asked=asked, **shared, **values)


def _wish_filter() -> tuple[WishFilter, Product | None, Variant | None]:
    """What the address asks for; a product or SKU that is none is not found."""
    code, sku = request.args.get("product", ""), request.args.get("sku", "")
    variant = catalogue.find_variant_by_sku(db.session, sku) if sku else None
    if sku and variant is None:
        raise VariantNotFound
    product = variant.product if variant else catalogue.get_product(db.session, code) if code else None
    if code and product is None:
        raise ProductNotFound
    shelf, choice = request.args.get("shelf", ""), request.args.get("choice", "")
    shown = WishFilter(
        shelf=Shelf(shelf) if shelf in set(Shelf) else Shelf.OPEN,
        product_id=product.id if product else None,
        variant_id=variant.id if variant else None,
        first={"first": True, "also": False}.get(choice),
        age=read_age(request.args.get("age")),
        category=request.args.get("category", "")[:40],
    )
    return shown, product, variant


def _offer_filter() -> OfferFilter:
    became = request.args.get("became", "")
    return OfferFilter(
        wave_id=request.args.get("wave", type=int),
        restock_id=request.args.get("restock", type=int),
        age=read_age(request.args.get("age")),
        became=Became(became) if became in set(Became) else None,
    )


def _counted_at() -> datetime:
    """The moment the numbers on the pages are of, so that the rows behind them are as old as they say."""
    count = queries.find_count(db.session)
    return count.begun_at if count else clock.now()


def _categories() -> list[SelectChoice]:
    kinds = catalogue.count_categories(db.session)
    return [SelectChoice("", _("Every kind")), *(SelectChoice(each, category_name(each)) for each in kinds)]


def _names(found: Sequence[BoardRow]) -> dict[str, str]:
    return {each.product.category: category_name(each.product.category) for each in found}


def money(cents: float, currency: str) -> str:
    """A sum as people write it, without cents: they would be noise here."""
    return _money(round(cents / 100) * 100, currency, page_language())


_money = lru_cache(maxsize=4096)(price_text)


def _board_lines(shown: BoardFilter, language: str) -> Iterator[Sequence[Cell]]:
    after: str | None = ""
    while after is not None:
        page = boards.list_board(db.session, shown, after=after, limit=100)
        for row in page.rows:
            for each in row.sizes:
                yield showing.size_line(row, each, language)
        after = page.next
        db.session.rollback()


def _file(name: str, head: Sequence[str], lines: Iterable[Sequence[Cell]]) -> Response:
    """A CSV file that is written while it is read."""
    response = Response(stream_with_context(csv_bytes(head, lines)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
