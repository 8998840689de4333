"""The figures of one count of the house, as the pages show them, and how they are kept in a row."""

from dataclasses import asdict, dataclass, field
from typing import Any

from concierge.reports import chances
from concierge.reports.chances import UNINFORMED, Answers, Prior
from concierge.reports.quantiles import Spread
from concierge.reports.reorder import Shelf, Suggestion


@dataclass(frozen=True, slots=True)
class Total:
    """The demand of the house in one currency; money in cents."""

    currency: str
    wishes: int = 0
    units: int = 0
    value: int = 0
    likely: int = 0
    gone: int = 0
    gone_value: int = 0
    gone_likely: int = 0
    wishes_by_age: list[int] = field(default_factory=lambda: [0] * chances.COUNT)


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a kind of product: units wished for, free to sell, and sold of late."""

    size: str
    wished: int
    stocked: int
    sold: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The sizes of a kind of product as they run, in one size system; `wished` is the sum over them."""

    category: str
    system: str
    wished: int
    sizes: list[Size]

    @property
    def key(self) -> str:
        """What it is called in an address."""
        return f"{self.category}|{self.system}"


@dataclass(frozen=True, slots=True)
class Reorder:
    """What to order again of one product."""

    product_id: int
    suggestions: list[Suggestion]


@dataclass(frozen=True, slots=True)
class WaveCount:
    """One wave and what became of its offers; `round` is its number within the restock."""

    id: int
    sku: str
    restock_id: int | None
    round: int
    at: str
    units: int
    offers: int = 0
    taken: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Journeys:
    """How many hours lay between a restock, the offer's mail, and the purchase."""

    to_mail: Spread | None = None
    to_purchase: Spread | None = None
    together: Spread | None = None


@dataclass(frozen=True, slots=True)
class HouseCount:
    """What belongs to the whole house: answers by age, refusals that were said, delays, the newest waves, journeys."""

    ages: list[Answers] = field(default_factory=lambda: [Answers()] * chances.COUNT)
    said_no: int = 0
    lapsed: int = 0
    # waking hours until somebody answered yes
    delays: list[float] = field(default_factory=list)
    waves: list[WaveCount] = field(default_factory=list)
    journeys: Journeys = field(default_factory=Journeys)
    prior: Prior = UNINFORMED
    totals: list[Total] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    orders: list[Reorder] = field(default_factory=list)

    @property
    def wishes_by_age(self) -> list[int]:
        """How many wishes wait of each age, in all currencies."""
        return [sum(each.wishes_by_age[age] for each in self.totals) for age in range(chances.COUNT)]

    @property
    def chances(self) -> list[float]:
        """How likely she still wants it, at each age."""
        return chances.chances(self.ages, self.prior)

    @property
    def answers(self) -> Answers:
        """All ages together."""
        return Answers(sum(each.taken for each in self.ages), sum(each.refused for each in self.ages))

    def as_json(self) -> dict[str, Any]:
        """To be kept in a row."""
        return asdict(self)


def read_house(figures: dict[str, Any]) -> HouseCount:
    """What `HouseCount.as_json` wrote; an empty count from nothing."""
    if not figures:
        return HouseCount()
    spreads = {name: Spread(**values) if values else None for name, values in figures["journeys"].items()}
    return HouseCount(
        ages=[Answers(**each) for each in figures["ages"]],
        said_no=figures["said_no"],
        lapsed=figures["lapsed"],
        delays=list(figures["delays"]),
        waves=[WaveCount(**each) for each in figures["waves"]],
        journeys=Journeys(**spreads),
        prior=Prior(**figures["prior"]),
        totals=[Total(**each) for each in figures["totals"]],
        curves=[_read_curve(each) for each in figures["curves"]],
        orders=[_read_order(each) for each in figures["orders"]],
    )


def _read_curve(figures: dict[str, Any]) -> Curve:
    return Curve(**(figures | {"sizes": [Size(**each) for each in figures["sizes"]]}))


def _read_order(figures: dict[str, Any]) -> Reorder:
    suggestions = [Suggestion(Shelf(**each["shelf"]), each["units"]) for each in figures["suggestions"]]
    return Reorder(figures["product_id"], suggestions)
