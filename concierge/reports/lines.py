"""Rows and figures as lines of a file."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from concierge.catalogue.cards import sized_words
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import category_name, colour_name
from concierge.catalogue.prices import amount_of
from concierge.reports import words
from concierge.reports.board import BoardRow, SizeCell
from concierge.reports.figures import Curve, HouseCount, Journeys, Reorder, Total, WaveCount
from concierge.reports.goods import Goods, GoodsRow
from concierge.reports.restocks import OfferRow, RestockRow
from concierge.reports.rows import WishRow
from concierge.reports.showing import curve_shares, legs
from concierge.reports.tables import Cell

Line = Sequence[Cell]


def wish_line(wish: WishRow) -> Line:
    """A wish."""
    return (
        wish.id, str(words.STATES[wish.state]), str(words.ENDINGS[wish.ended_because]) if wish.ended_because else "",
        wish.customer, wish.address, wish.product_code, wish.product, ", ".join(filter(None, wish.sizes)),
        ", ".join(wish.skus), wish.quantity, _sum(wish.value, wish.currency), wish.currency, wish.confirmed_at,
        wish.ended_at, wish.needed_by, wish.editor, wish.way.value, wish.conversation_id,
    )  # fmt: skip


def offer_line(offer: OfferRow, language: str) -> Line:
    """An offer."""
    return (
        offer.id, offer.wave_id, offer.restock_id, offer.place, offer.of, words.why(offer, language), offer.customer,
        offer.product_code, offer.product, offer.colour, offer.size, offer.sku, offer.quantity,
        _sum(offer.price_cents, offer.currency), offer.currency, offer.since, offer.made_at, offer.left_at,
        offer.held_until, words.became(offer), offer.ended_at, offer.editor, offer.conversation_id,
    )  # fmt: skip


def size_line(row: BoardRow, cell: SizeCell, language: str, *, of_one_age: bool) -> Line:
    """One size of a product on the board; nobody counts by age who would be content with it too."""
    product, price, currency = row.product, row.product.price_cents, row.product.currency
    return (
        product.code, product.designer, product.name(language), category_name(product.category),
        colour_name(cell.variant.colour, language), sized_words(cell.variant), cell.variant.sku, cell.wishes,
        None if of_one_age else cell.also, cell.units, _sum(cell.units * price, currency),
        _sum(cell.likely_units * price, currency), currency, *cell.wishes_by_age, cell.oldest_at,
        cell.variant.available, cell.on_its_way,
    )  # fmt: skip


def goods_line(row: GoodsRow, goods: Goods) -> Line:
    """Pieces; how the stock is made up is told of what is free alone."""
    stock = (row.on_hand, row.promised, row.safety_minimum) if goods is Goods.FREE else (None, None, None)
    state = str(words.RETURNS[row.state]) if row.state else ""
    return (
        row.product_code, row.product, row.colour, row.size, row.sku, row.units, *stock, row.at, row.expected_on,
        state, row.source, row.reference, row.customer,
    )  # fmt: skip


def restock_line(row: RestockRow, language: str) -> Line:
    """A restock."""
    restock = row.restock
    return (
        restock.id, *_piece(restock.variant, language), restock.at, restock.units, row.waves, row.offers, row.taken,
        row.not_taken, restock.ended_at,
    )  # fmt: skip


def total_line(total: Total) -> Line:
    """The demand in one currency."""
    of = (total.value, total.likely, total.gone_value, total.gone_likely)
    sums = [_sum(each, total.currency) for each in of]
    return (
        total.currency, total.wishes, total.units, *sums[:2], total.gone, *sums[2:],
    )  # fmt: skip


def chance_lines(house: HouseCount) -> Iterator[Line]:
    """How offers to wishes of each age were answered."""
    found = zip(words.AGES, house.wishes_by_age, house.ages, house.chances, strict=True)
    for age, wishes, answers, chance in found:
        yield (str(age), wishes, answers.taken, answers.refused, round(chance, 4))


def curve_lines(curve: Curve) -> Iterator[Line]:
    """The sizes of one kind."""
    for size, (wished, free, sold) in zip(curve.sizes, curve_shares(curve.sizes), strict=True):
        shares = (round(each, 1) for each in (wished, free, sold, wished - free))
        yield (category_name(curve.category), curve.system, size.size, size.wished, size.stocked, size.sold, *shares)


def time_lines(journeys: Journeys) -> Iterator[Line]:
    """The legs of the way to her hands."""
    for name, leg, _asked in legs(journeys):
        if leg is not None:
            yield (name, *(round(each, 2) for each in (leg.median, leg.p75, leg.p90)), leg.count)


def wave_line(wave: WaveCount) -> Line:
    """A wave; no rate where nobody has answered."""
    answered = wave.taken + wave.refused
    rate = round(wave.taken / answered, 4) if answered else None
    return (
        wave.id, wave.restock_id, wave.round, wave.sku, datetime.fromisoformat(wave.at), wave.units, wave.offers,
        wave.taken, wave.refused, rate,
    )  # fmt: skip


def order_lines(orders: Sequence[Reorder], products: Mapping[int, Product], language: str) -> Iterator[Line]:
    """What to order again of products that are still there."""
    for order in orders:
        product = products.get(order.product_id)
        variants = {each.sku: each for each in product.variants} if product else {}
        for each in order.suggestions:
            shelf = each.shelf
            if product is None or shelf.sku not in variants:
                continue
            yield (
                *_piece(variants[shelf.sku], language), each.units, _sum(each.value_cents, product.currency),
                product.currency, shelf.wished, round(shelf.likely, 2), shelf.free, shelf.on_its_way,
            )  # fmt: skip


def _piece(variant: Variant, language: str) -> tuple[str, ...]:
    product = variant.product
    colour = colour_name(variant.colour, language)
    return product.code, product.name(language), colour, sized_words(variant), variant.sku


def _sum(cents: float, currency: str) -> float:
    """A sum as a spreadsheet adds it up."""
    return float(amount_of(round(cents), currency))
