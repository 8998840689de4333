"""Every list and every table of figures as a CSV file, asked for in the same words as its page."""

from collections.abc import Iterable, Iterator, Sequence

from flask import Blueprint, Response, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from concierge.catalogue import queries as catalogue
from concierge.extensions import db
from concierge.reports import asking, goods, lines, queries, restocks, rows
from concierge.reports import board as boards
from concierge.reports.asking import page_language
from concierge.reports.board import BoardFilter
from concierge.reports.forms import BoardForm
from concierge.reports.pages import BUYERS
from concierge.reports.tables import Cell, csv_bytes
from concierge.reports.words import AGES
from concierge.web.security import roles_accepted

bp = Blueprint("report_files", __name__, url_prefix="/wishes")


@bp.get("/board.csv")
def board() -> ResponseReturnValue:
    """The board, all of it: a line for each size."""
    head = [
        _("Code"), _("Designer"), _("Product"), _("Kind"), _("Colour"), _("Size"), _("SKU"), _("Wishes"),
        _("Also content"), _("Pieces"), _("Worth"), _("Likely"), _("Currency"),
        *(_("Wishes, %(age)s", age=each) for each in AGES), _("Longest waiting since"), _("Free"), _("On its way back"),
    ]  # fmt: skip
    return _file("wishes-by-size.csv", head, _board_lines(BoardForm(request.args).filter(), page_language()))


def _board_lines(shown: BoardFilter, language: str) -> Iterator[Sequence[Cell]]:
    _count, house = queries.newest_figures(db.session)
    after: str | None = ""
    while after is not None:
        page = boards.list_board(db.session, shown, house.chances, after=after, limit=100)
        for row in page.rows:
            for each in row.sizes:
                yield lines.size_line(row, each, language, of_one_age=shown.age is not None)
        after = page.next
        db.session.rollback()


@bp.get("/rows.csv")
def wishes() -> ResponseReturnValue:
    """Wishes."""
    head = [
        _("Wish"), _("State"), _("Because"), _("Customer"), _("Address"), _("Code"), _("Product"), _("Sizes"),
        _("SKUs"), _("Quantity"), _("Value"), _("Currency"), _("Waiting since"), _("Ended"), _("Needed by"),
        _("Editor"), _("Came by"), _("Conversation"),
    ]  # fmt: skip
    shown, now = asking.wish_filter(asking.asked_piece(db.session)), asking.counted_at(db.session)
    found = rows.walk_wishes(db.session, shown, language=page_language(), now=now)
    return _file("wishes.csv", head, (lines.wish_line(each) for each in found))


@bp.get("/goods.csv")
def pieces() -> ResponseReturnValue:
    """Pieces: free, sold of late, on their way back."""
    head = [
        _("Code"), _("Product"), _("Colour"), _("Size"), _("SKU"), _("Units"), _("On hand"), _("Promised"),
        _("Never offered"), _("Since"), _("Expected"), _("State"), _("From"), _("Reference"), _("Customer"),
    ]  # fmt: skip
    shown, now = asking.goods_filter(asking.asked_piece(db.session)), asking.counted_at(db.session)
    found = goods.walk_goods(db.session, shown, language=page_language(), now=now)
    return _file("pieces.csv", head, (lines.goods_line(each, shown.goods) for each in found))


@bp.get("/offers.csv")
@roles_accepted(*BUYERS)
def offers() -> ResponseReturnValue:
    """Offers."""
    head = [
        _("Offer"), _("Wave"), _("Restock"), _("Place"), _("Of"), _("Why"), _("Customer"), _("Code"), _("Product"),
        _("Colour"), _("Size"), _("SKU"), _("Quantity"), _("Price"), _("Currency"), _("Waiting since"), _("Made"),
        _("Sent"), _("Held until"), _("Became"), _("Ended"), _("Editor"), _("Conversation"),
    ]  # fmt: skip
    language = page_language()
    found = restocks.walk_offers(db.session, asking.offer_filter(db.session), language=language)
    return _file("offers.csv", head, (lines.offer_line(each, language) for each in found))


@bp.get("/restocks.csv")
@roles_accepted(*BUYERS)
def came_back() -> ResponseReturnValue:
    """Restocks."""
    head = [
        _("Restock"), *_piece_head(), _("Came back"), _("Units"), _("Waves"), _("Offers"), _("Taken"),
        _("Did not take it"), _("Gone again"),
    ]  # fmt: skip
    code, language = request.args.get("product", ""), page_language()
    product = catalogue.get_product(db.session, code) if code else None
    found = restocks.walk_restocks(db.session, product_id=product.id if product else None)
    return _file("restocks.csv", head, (lines.restock_line(each, language) for each in found))


@bp.get("/demand.csv")
@roles_accepted(*BUYERS)
def demand() -> ResponseReturnValue:
    """What can still be won and what was lost, by currency."""
    head = [
        _("Currency"), _("Wishes that wait"), _("Pieces"), _("Worth"), _("Can still be won"),
        _("Ended with nothing to offer"), _("Their worth"), _("Lost"),
    ]  # fmt: skip
    _count, house = queries.newest_figures(db.session)
    return _file("demand.csv", head, [lines.total_line(each) for each in house.totals])


@bp.get("/chances.csv")
@roles_accepted(*BUYERS)
def chances() -> ResponseReturnValue:
    """Whether she still wants it, by the age of the wish."""
    head = [_("Age of the wish"), _("Waiting now"), _("Taken"), _("Did not take it"), _("Chance")]
    _count, house = queries.newest_figures(db.session)
    return _file("chances.csv", head, lines.chance_lines(house))


@bp.get("/curve.csv")
@roles_accepted(*BUYERS)
def curve() -> ResponseReturnValue:
    """Size curves: of the kind asked for, else of every kind."""
    head = [
        _("Kind"), _("System"), _("Size"), _("Wished for"), _("Free to sell"), _("Sold of late"),
        _("Wished for, percent"), _("Free to sell, percent"), _("Sold of late, percent"),
        _("Gap, in points of the run"),
    ]  # fmt: skip
    _count, house = queries.newest_figures(db.session)
    kind = request.args.get("kind")
    wanted = [each for each in house.curves if kind in {None, each.key}]
    return _file("size-curve.csv", head, (line for each in wanted for line in lines.curve_lines(each)))


@bp.get("/times.csv")
@roles_accepted(*BUYERS)
def times() -> ResponseReturnValue:
    """From the restock to her hands."""
    head = [_("Hours"), _("Median"), _("75 %%") % (), _("90 %%") % (), _("Offers")]
    _count, house = queries.newest_figures(db.session)
    return _file("times.csv", head, lines.time_lines(house.journeys))


@bp.get("/waves.csv")
@roles_accepted(*BUYERS)
def waves() -> ResponseReturnValue:
    """The take rate of the newest waves."""
    head = [
        _("Wave"), _("Restock"), _("Its number"), _("SKU"), _("Opened"), _("Units"), _("Offers"), _("Taken"),
        _("Did not take it"), _("Take rate"),
    ]  # fmt: skip
    _count, house = queries.newest_figures(db.session)
    return _file("waves.csv", head, [lines.wave_line(each) for each in house.waves])


@bp.get("/reorder.csv")
@roles_accepted(*BUYERS)
def reorder() -> ResponseReturnValue:
    """What to order again."""
    head = [
        *_piece_head(), _("Order"), _("Worth"), _("Currency"), _("Wished for"), _("Likely"), _("Free"),
        _("On its way back"),
    ]  # fmt: skip
    _count, house = queries.newest_figures(db.session)
    products = queries.products_by_id(db.session, [each.product_id for each in house.orders])
    return _file("reorder.csv", head, list(lines.order_lines(house.orders, products, page_language())))


def _piece_head() -> list[str]:
    return [_("Code"), _("Product"), _("Colour"), _("Size"), _("SKU")]


def _file(name: str, head: Sequence[str], found: Iterable[Sequence[Cell]]) -> Response:
    """A CSV file that is written while it is read."""
    response = Response(stream_with_context(csv_bytes(head, found)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
