"""The shapes of what the API takes: checked here, described for people by the same words."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    StrictBool,
    TypeAdapter,
    ValidationError,
)

from concierge.catalogue.goods import LONGEST, MOST_CENTS, MOST_PICTURES, MOST_TAGS, MOST_VARIANTS
from concierge.catalogue.levels import YEARS
from concierge.errors import BadInput

MOST_AT_ONCE: Final = 1000

# No control characters: PostgreSQL keeps no NUL, and none of them belongs in a name.
_PLAIN: Final = r"^[^\x00-\x1f\x7f]*$"
# Words of several lines: of these, only what ends a line or stands between words.
_LINES: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Sku = Annotated[str, Field(min_length=1, max_length=60, pattern=_PLAIN, examples=["CAL-TUR-36"])]
Name = Annotated[str, Field(min_length=1, max_length=150, pattern=_PLAIN, examples=["evt-90211"])]
Location = Annotated[str, Field(min_length=1, max_length=40, pattern=_PLAIN, examples=["Milano, Via Gesù"])]


def _within_reason(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"The year {moment.year} can't be meant")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]
# A number as JSON writes it: neither "2" nor true.
Whole = Annotated[int, Field(strict=True)]
Units = Annotated[Whole, Field(ge=-1_000_000, le=1_000_000, examples=[2])]


class _Shape(BaseModel):
    """Strict: a field we do not know is a mistake somebody wants to hear about."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class StockIn(_Shape):
    """So many units are there (snapshot), or came or went (delta), as of a time."""

    id: Name = Field(description="Your name for this report; the same name again changes nothing.")
    sku: Sku
    units: Units
    as_of: Moment = Field(description="When this was true.", examples=["2026-05-12T09:30:00+02:00"])
    kind: Literal["snapshot", "delta"] = "snapshot"
    location: Location | None = Field(None, description="Where the units are; your online shop when left out.")
    version: Whole | None = Field(None, ge=0, le=2**62, description="Your own count of reports on this SKU and place.")


class CountIn(_Shape):
    """A line of a full count."""

    sku: Sku
    units: Units
    location: Location | None = None


class FullCountIn(_Shape):
    """Everything there is at the locations named; what is left out counts as none."""

    id: Name
    complete: Literal[True]
    as_of: Moment
    count: list[CountIn] = Field(min_length=1, max_length=100_000)


class StockBatchIn(_Shape):
    """Many reports."""

    reports: list[StockIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ReturnIn(_Shape):
    """Where a return is."""

    id: Name = Field(description="Your name for the return.")
    sku: Sku
    state: Literal["announced", "in_transit", "inspected", "failed"]
    as_of: Moment
    units: Whole = Field(1, ge=1, le=1000)
    location: Location | None = None
    expected_on: Moment | None = None


class ReturnBatchIn(_Shape):
    """Many returns."""

    returns: list[ReturnIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


class WordingIn(_Shape):
    """A product's words in one language."""

    name: str | None = Field(None, min_length=1, max_length=LONGEST["name"], pattern=_PLAIN)
    description: str | None = Field(None, max_length=LONGEST["description"], pattern=_LINES)


class ProductVariantIn(_Shape):
    """A size and colour of a product."""

    sku: Sku
    size: str | None = Field(None, max_length=LONGEST["size"], pattern=_PLAIN, examples=["36", "UK 3", "M"])
    size_system: str | None = Field(
        None, max_length=LONGEST["size_system"], pattern=_PLAIN, description="EU, IT, FR, UK, US, or your own word."
    )
    colour: str | None = Field(None, max_length=LONGEST["colour"], pattern=_PLAIN, examples=["Turquoise"])


class PictureIn(_Shape):
    """A picture of a product: a JPEG, PNG, WebP or GIF."""

    data: str = Field(min_length=1, description="Its bytes, in base64.")
    colour: str = Field("", max_length=LONGEST["colour"], pattern=_PLAIN, description="Which it shows; empty for any.")


class ProductIn(_Shape):
    """A product as it is now; what is left out stays as it is."""

    as_of: Moment | None = Field(None, description="When this was true; what is older than what we know is late.")
    designer: str | None = Field(None, max_length=LONGEST["designer"], pattern=_PLAIN)
    category: str | None = Field(None, max_length=LONGEST["category"], pattern=_PLAIN, examples=["sandals"])
    season: str | None = Field(None, max_length=LONGEST["season"], pattern=_PLAIN)
    price_cents: Whole | None = Field(None, ge=0, le=MOST_CENTS, description="In the smallest unit of the currency.")
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    link: str | None = Field(None, max_length=LONGEST["link"], pattern=r"^(https?://[^\s/]+\S*)?$")
    tags: list[Annotated[str, Field(min_length=1, max_length=LONGEST["tag"], pattern=_PLAIN)]] | None = Field(
        None, max_length=MOST_TAGS
    )
    texts: dict[Annotated[str, Field(pattern="^[a-z]{2}$")], WordingIn] = Field({}, max_length=20)
    variants: list[ProductVariantIn] | None = Field(
        None, min_length=1, max_length=MOST_VARIANTS, description="All there are, in order: any other has no units."
    )
    pictures: list[PictureIn] | None = Field(
        None, max_length=MOST_PICTURES, description="All there are, in order: any other goes."
    )


class OrderLineIn(_Shape):
    """A line of an order."""

    id: Name = Field(description="The line's name within the order.")
    sku: Sku
    units: Whole = Field(1, ge=1, le=1000)
    price_cents: Whole = Field(ge=0, le=10**9, description="For one unit, in the smallest unit of the currency.")
    returned: Whole = Field(0, ge=0, le=1000, description="Of its units so many were cancelled or came back, in all.")


class OrderIn(_Shape):
    """An order that was paid, delivered, cancelled or sent back."""

    id: Annotated[str, Field(min_length=1, max_length=45, pattern=_PLAIN, examples=["S-49406"])]
    at: Moment
    lines: list[OrderLineIn] = Field(min_length=1, max_length=200)
    state: Literal["paid", "delivered", "cancelled", "returned"] = "paid"
    delivered_at: Moment | None = Field(
        None, description="When she had it in her hands; now, where a delivered order does not say."
    )
    address: str = Field("", max_length=320, pattern=_PLAIN, description="Who bought, by e-mail address.")
    account: str = Field("", max_length=60, pattern=_PLAIN, description="Her account in the shop, by number.")
    hold: str = Field("", max_length=200, pattern=_PLAIN, description="The hold token the checkout was opened with.")
    currency: str = Field("EUR", pattern="^[A-Z]{3}$")
    location: Location | None = None


class WishIn(_Shape):
    """A wish somebody asked the shop for; it counts once she has said yes by mail."""

    address: str = Field(min_length=3, max_length=254, pattern=_PLAIN, description="Her e-mail address.")
    words: str = Field(
        min_length=20, max_length=1000, description="The sentence she agreed to, exactly as you showed it."
    )
    product: str = Field("", max_length=40, pattern=_PLAIN, description="Its code, with sizes; or leave both out.")
    skus: list[Sku] = Field([], max_length=60, description="Any of these would do.")
    sizes: list[Annotated[str, Field(min_length=1, max_length=20, pattern=_PLAIN)]] = Field([], max_length=60)
    quantity: Whole = Field(1, ge=1, le=9, description="All of them or none.")
    needed_by: date | None = None
    ceiling_cents: Whole | None = Field(
        None, ge=1, le=10**9, description="The most she would pay for one, in the smallest unit of its currency."
    )
    or_similar: StrictBool = False
    language: str = Field("en", max_length=8, description="Of the words, and of our letters to her.")
    ip: IPvAnyAddress | None = Field(None, description="Where she was; only a keyed hash of her network is kept.")


class Misshapen(BadInput):
    """Some fields need another look."""

    def __init__(self, faults: list[dict[str, str]]) -> None:
        """`faults` say where, what and how to mend it."""
        super().__init__(self.__doc__)
        self.faults = faults


S = TypeVar("S")


def read(shape: type[S], value: Any) -> S:
    """The value as that shape (a union of shapes is told apart by their fields); raises Misshapen."""
    try:
        return TypeAdapter(shape).validate_python(value)
    except ValidationError as error:
        raise Misshapen([_fault(shape, each) for each in error.errors(include_url=False)[:20]]) from error


def require_distinct(where: str, sent: Sequence[StockIn | OrderLineIn]) -> None:
    """That no two in a list have one name and say different things, or are lines of one order; raises Misshapen."""
    first: dict[str, tuple[int, BaseModel]] = {}
    faults = []
    for number, each in enumerate(sent):
        earlier, said = first.setdefault(each.id, (number, each))
        if earlier != number and (isinstance(each, OrderLineIn) or each != said):
            faults.append(name_taken(f"{where}[{number}].id", f"{where}[{earlier}]"))
    if faults:
        raise Misshapen(faults[:20])


def name_taken(where: str, by: str) -> dict[str, str]:
    """The fault of a name that is somebody else's already."""
    return {"where": where, "what": f"This is the name of {by}.", "how": "Give each a name of its own."}


def sku_taken(where: str, by: str) -> dict[str, str]:
    """The fault of a SKU that another product has."""
    how = "Give the variant a SKU of its own, or report it with that product."
    return {"where": where, "what": f"This is a SKU of {by}.", "how": how}


# How a field is written that takes more than plain words; the last is the language of words.
_WRITTEN: Final = {
    "link": "Send an address that begins with https:// or http://, or an empty one.",
    "currency": "Send its three capital letters, e.g. EUR.",
    "[key]": "Name the language by its two letters, e.g. en.",
}


def _fault(shape: type[Any], fault: Any) -> dict[str, str]:
    where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in fault["loc"]).lstrip(".")
    mends = {
        "missing": "Add this field.",
        "extra_forbidden": "Leave it out, or look how it is spelled.",
        "timezone_aware": "Add a time zone, e.g. 2026-05-12T09:30:00+02:00.",
        "datetime_from_date_parsing": "Write it as 2026-05-12T09:30:00+02:00.",
        "datetime_parsing": "Write it as 2026-05-12T09:30:00+02:00.",
        "value_error": f"Send a time in the years {YEARS.start} to {YEARS.stop - 1}.",
        "int_type": "Send a whole number.",
        "bool_type": "Send true or false.",
        "string_too_long": "Shorten it.",
        "string_too_short": "Write something, or leave it out.",
        "too_long": "Send fewer.",
        "too_short": "Send one at least, or leave it out.",
        "model_attributes_type": f"Send an object as docs/api.md shows it for {getattr(shape, '__name__', 'this')}.",
    }
    what = fault["msg"].removeprefix("Value error, ")
    how = mends.get(fault["type"], "See docs/api.md.")
    if fault["type"] == "string_pattern_mismatch":
        how = _WRITTEN.get(str(fault["loc"][-1]), "Leave out control characters, such as the end of a line.")
    return {"where": where or "(body)", "what": what, "how": how}


def moment(value: datetime | None) -> str | None:
    """An instant as the API writes it."""
    return value.isoformat().replace("+00:00", "Z") if value else None
