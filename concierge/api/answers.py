"""The shapes of what the API answers, as its description promises them and the tests hold it to."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    """Exactly these fields: one more would be a promise nobody made."""

    model_config = ConfigDict(extra="forbid")


class UnknownOut(_Shape):
    """A SKU that is none of ours; nothing was written down."""

    id: str
    sku: str
    state: Literal["unknown"]


class StockOut(_Shape):
    """What became of a report, and what is there now."""

    id: str
    sku: str
    state: Literal["applied", "late", "waiting", "refused"]
    on_hand: int
    available: int = Field(description="On hand, less what is promised, less the safety minimum.")


class StockBatchOut(_Shape):
    """What became of each report, in the order they were sent."""

    reports: list[StockOut | UnknownOut]


class FullCountOut(_Shape):
    """What became of a full count; `proposed` waits for a merchandiser."""

    id: str
    state: Literal["proposed", "applied", "discarded", "failed"]
    lines: int
    changed: int
    same: int
    late: int
    unknown: int
    missing: int = Field(description="Left out, so sold out.")
    wrong: int
    unknown_skus: list[str]


class ReturnOut(_Shape):
    """Where a return is."""

    id: str
    sku: str
    state: Literal["announced", "in_transit", "inspected", "failed"]
    units: int


class ReturnBatchOut(_Shape):
    """Where each return is, in the order they were sent."""

    returns: list[ReturnOut | UnknownOut]


class PlaceOut(_Shape):
    """What is at one location, as of the newest count."""

    on_hand: int
    as_of: AwareDatetime


class VariantOut(_Shape):
    """What is there of a variant, what is spoken for, and what may be sold."""

    sku: str
    product: str
    size: str
    size_system: str
    sizes: dict[str, str] = Field(description="The size in each system we can convert it to.")
    on_hand: int
    promised: int = Field(description="Held for an offer, or sold and not yet missing in your reports.")
    available: int
    safety_minimum: int
    offered_from: AwareDatetime | None = Field(description="When the units that came last are believed in.")
    on_the_way: int = Field(description="Units that are coming back.")
    locations: dict[str, PlaceOut]


class ProductVariantOut(_Shape):
    """A variant of a product, as it is now."""

    sku: str
    size: str
    size_system: str
    colour: str


class ProductOut(_Shape):
    """What a report did, and the variants and pictures the product has now."""

    code: str
    state: Literal["added", "changed", "same", "late"]
    variants: list[ProductVariantOut]
    pictures: list[str] = Field(description="Where each of them is.")


class OrderLineOut(_Shape):
    """What became of a line."""

    id: str
    sku: str
    state: Literal["paid", "delivered", "returned"]


class OrderOut(_Shape):
    """What became of an order, line by line."""

    id: str
    lines: list[OrderLineOut | UnknownOut]


class HoldOut(_Shape):
    """A piece held for whoever comes with this token; it does not say who she is."""

    sku: str
    units: int
    price_cents: int
    currency: str
    state: Literal["open", "taken"]
    held_until: AwareDatetime | None


class WishOut(_Shape):
    """She is asked by mail; the same for every address there is."""

    state: Literal["asked"]
    product: str
    skus: list[str]


class FaultOut(_Shape):
    """One field: where it is, what is wrong, how to mend it."""

    where: str
    what: str
    how: str


class ErrorWords(_Shape):
    """The rule's name, and the sentence for it."""

    name: str
    what: str
    faults: list[FaultOut]


class ErrorOut(_Shape):
    """What is wrong; nothing was changed."""

    error: ErrorWords
