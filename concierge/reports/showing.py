"""Makes rows into lines of a file, and figures into plots with their words."""

from collections.abc import Sequence

from flask_babel import gettext as _
from markupsafe import Markup

from concierge.catalogue.naming import category_name, colour_name
from concierge.reports import plots, words
from concierge.reports.board import BoardRow, SizeCell
from concierge.reports.figures import Curve, Journeys, Size
from concierge.reports.plots import Group, Span
from concierge.reports.quantiles import Spread
from concierge.reports.replaying import Compared
from concierge.reports.restocks import OfferRow
from concierge.reports.rows import WishRow
from concierge.reports.tables import Cell


def wish_line(wish: WishRow) -> Sequence[Cell]:
    """A wish as a line of the file."""
    return (
        wish.id, str(words.STATES[wish.state]), str(words.ENDINGS[wish.ended_because]) if wish.ended_because else "",
        wish.customer, wish.address, wish.product_code, wish.product, ", ".join(filter(None, wish.sizes)),
        ", ".join(wish.skus), wish.quantity, wish.value / 100, wish.currency, wish.confirmed_at, wish.ended_at,
        wish.needed_by, wish.editor, wish.way.value, wish.conversation_id,
    )  # fmt: skip


def offer_line(offer: OfferRow, language: str) -> Sequence[Cell]:
    """An offer as a line of the file."""
    return (
        offer.id, offer.wave_id, offer.restock_id, offer.place, offer.of, words.why(offer, language), offer.customer,
        offer.product_code, offer.product, offer.colour, offer.size, offer.sku, offer.quantity,
        offer.price_cents / 100, offer.currency, offer.since, offer.made_at, offer.left_at, offer.held_until,
        words.became(offer), offer.ended_at, offer.editor, offer.conversation_id,
    )  # fmt: skip


def size_line(row: BoardRow, cell: SizeCell, language: str) -> Sequence[Cell]:
    """One size of a product on the board as a line of the file."""
    variant = cell.variant
    size = f"{variant.size_system} {variant.size}".strip() if variant.size else ""
    return (
        row.product.code, row.product.designer, row.product.name(language), colour_name(variant.colour, language), size,
        variant.sku, cell.wishes, cell.also, variant.available,
    )  # fmt: skip


def curve_plot(curve: Curve) -> Markup:
    """The size curve as shares of all units wished for, free and sold, so that the three can be compared."""
    groups = [Group(size.size, shares) for size, shares in zip(curve.sizes, curve_shares(curve.sizes), strict=True)]
    series = (_("Wished for"), _("Free to sell"), _("Sold of late"))
    title = _("Sizes of %(kind)s: wished for, free to sell and sold", kind=category_name(curve.category))
    axis = _("Size (%(system)s)", system=curve.system) if curve.system else _("Size")
    return _safe(plots.columns(groups, series, title=title, unit=_("percent of all sizes"), axis=axis))


def curve_shares(sizes: Sequence[Size]) -> list[tuple[float, float, float]]:
    """For each size its share in per cent of what is wished for, free to sell, and sold."""
    wished, stocked, sold = (
        sum(each.wished for each in sizes), sum(each.stocked for each in sizes), sum(each.sold for each in sizes)
    )  # fmt: skip
    return [
        (_percent(each.wished, wished), _percent(each.stocked, stocked), _percent(each.sold, sold)) for each in sizes
    ]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def bar(share: float) -> Markup:
    """One bar beside its number."""
    return Markup(plots.bar(share))  # noqa: S704 made of a number


def legs(journeys: Journeys) -> list[tuple[str, Spread | None]]:
    """The legs of the way from the restock to her hands."""
    return [
        (_("Restock to mail"), journeys.to_mail),
        (_("Mail to purchase"), journeys.to_purchase),
        (_("Restock to purchase"), journeys.together),
    ]


def journeys_plot(journeys: Journeys) -> Markup:
    """From the restock to the mail to the purchase, in hours."""
    rows = [Span(label, leg.median, leg.p75, leg.p90) for label, leg in legs(journeys) if leg is not None]
    title = _("Hours from the restock to the mail and to the purchase")
    return _safe(plots.spans(rows, title=title, unit=_("hours"))) if rows else Markup()


def replay_plots(compared: Sequence[Compared], names: dict[str, str]) -> tuple[Markup, Markup]:
    """Hours to sell and disappointed people per unit, each on a scale of its own."""
    hours = [Group(names[each.name], (each.forecast.hours or 0.0,)) for each in compared]
    sad = [Group(names[each.name], (each.forecast.disappointed_per_unit,)) for each in compared]
    return (
        _safe(plots.columns(hours, ("",), title=_("Hours until all is sold"), unit=_("hours until all is sold"))),
        _safe(
            plots.columns(sad, ("",), title=_("People disappointed per unit"), unit=_("people disappointed per unit"))
        ),
    )


def _safe(svg: str) -> Markup:
    """A plot as the page takes it: `plots` escapes every word in it."""
    return Markup(svg)  # noqa: S704
