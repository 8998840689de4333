"""Makes figures into plots with their words."""

from collections.abc import Sequence

from flask_babel import gettext as _
from markupsafe import Markup

from concierge.catalogue.naming import category_name
from concierge.reports import plots
from concierge.reports.figures import Curve, Journeys, Size
from concierge.reports.plots import Bar, Group, Span
from concierge.reports.quantiles import Spread
from concierge.reports.replaying import Compared
from concierge.reports.restocks import Became
from concierge.web.filters import number


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


def legs(journeys: Journeys) -> list[tuple[str, Spread | None, dict[str, str]]]:
    """The legs of the way from the restock to her hands, each with how its offers are asked for."""
    left = {"for": "times"}
    bought = left | {"became": Became.BOUGHT.value}
    return [
        (_("Restock to mail"), journeys.to_mail, left),
        (_("Mail to purchase"), journeys.to_purchase, bought),
        (_("Restock to purchase"), journeys.together, bought),
    ]


def journeys_plot(journeys: Journeys) -> Markup:
    """From the restock to the mail to the purchase, in hours."""
    rows = [Span(label, leg.median, leg.p75, leg.p90) for label, leg, _asked in legs(journeys) if leg is not None]
    title = _("Hours from the restock to the mail and to the purchase")
    return _safe(plots.spans(rows, title=title, unit=_("hours"))) if rows else Markup()


def replay_plots(compared: Sequence[Compared], names: dict[str, str]) -> tuple[Markup, Markup]:
    """Hours to sell and disappointed people per unit, each on a scale of its own; what never sells out has no bar."""
    never = _("never sold out")
    found = [(names[each.name], each.forecast) for each in compared]
    hours = [Bar(name, each.hours, never if each.hours is None else number(each.hours, 1)) for name, each in found]
    sad = [Bar(name, each.disappointed_per_unit, number(each.disappointed_per_unit, 2)) for name, each in found]
    return (
        _safe(plots.bars(hours, title=_("Hours until all is sold"), unit=_("hours until all is sold"))),
        _safe(plots.bars(sad, title=_("People disappointed per unit"), unit=_("people disappointed per unit"))),
    )


def _safe(svg: str) -> Markup:
    """A plot as the page takes it: `plots` escapes every word in it."""
    return Markup(svg)  # noqa: S704
