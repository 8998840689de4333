"""The shape of what is typed about a wish: how many, by when, for how much; and the editor's form around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import MultiDict

from concierge.catalogue.models import Product
from concierge.catalogue.prices import NotThatPrice, amount_of, read_price
from concierge.errors import ConciergeError
from concierge.wishes.models import NothingWished
from concierge.wishes.prices import PriceTooLow, check_ceiling
from concierge.wishes.requests import NotThatDay, NotThatMany, Wanted

_MOST = 60
# Instead of a mail of hers: she is asked first.
ASK_FIRST = "ask"
# Beside which field a fault is said.
_FIELDS: dict[type[ConciergeError], str] = {
    NothingWished: "sku",
    NotThatMany: "quantity",
    NotThatDay: "needed_by",
    NotThatPrice: "ceiling",
    PriceTooLow: "ceiling",
}


@dataclass(frozen=True, slots=True)
class WishForm:
    """A wish as an editor fills it in; `proof` is the number of the mail in which she asked, or "ask"."""

    product: str = ""
    skus: tuple[str, ...] = ()
    quantity: str = "1"
    needed_by: str = ""
    ceiling: str = ""
    or_similar: bool = False
    proof: str = ""

    def wanted(self, product: Product) -> Wanted:
        """What is wished for of this product; raises as `read_wanted` does."""
        fields = {"quantity": self.quantity, "needed_by": self.needed_by, "ceiling": self.ceiling}
        return read_wanted(fields, skus=self.skus, or_similar=self.or_similar, product=product)

    @property
    def message_id(self) -> int | None:
        """The mail in which she asked; None when she is to be asked first."""
        return int(self.proof) if self.proof.isascii() and self.proof.isdigit() and len(self.proof) < 19 else None


def read_form(form: MultiDict[str, str]) -> WishForm:
    """The form, every field cut to a lawful length."""
    return WishForm(
        product=form.get("product", "").strip()[:40],
        skus=tuple(dict.fromkeys(each.strip()[:60] for each in form.getlist("sku")[:_MOST] if each.strip())),
        quantity=form.get("quantity", "1").strip()[:10],
        needed_by=form.get("needed_by", "").strip()[:20],
        ceiling=form.get("ceiling", "").strip()[:20],
        or_similar=is_yes(form.get("similar", "")),
        proof=form.get("proof", "").strip()[:20],
    )


def price_typed(cents: int | None, currency: str) -> str:
    """A price as it stands in its field: "420", "420.50"; "" for none."""
    if cents is None:
        return ""
    amount = amount_of(cents, currency)
    return f"{amount:.0f}" if amount == amount.to_integral_value() else f"{amount:f}"


def field_of(fault: ConciergeError | None) -> str:
    """The field a fault is about, by its name in the form; "" for one of the whole form."""
    return next((field for kind, field in _FIELDS.items() if isinstance(fault, kind)), "")


def read_wanted(fields: Mapping[str, str], *, skus: tuple[str, ...], or_similar: bool, product: Product) -> Wanted:
    """Quantity, day and price as they were typed, of this product, and so in its currency.

    Raises NotThatMany, NotThatDay, NotThatPrice, PriceTooLow.
    """
    ceiling_cents = read_price(fields.get("ceiling", ""), product.currency)
    check_ceiling(ceiling_cents, product.price_cents)
    return Wanted(
        skus=skus,
        quantity=_number(fields.get("quantity", "")),
        needed_by=_day(fields.get("needed_by", "")),
        ceiling_cents=ceiling_cents,
        or_similar=or_similar,
    )


def is_yes(text: str) -> bool:
    """Whether a box is ticked."""
    return text.strip().lower() not in {"", "0", "no", "off", "false"}


def _number(text: str) -> int:
    text = text.strip() or "1"
    if not (text.isascii() and text.isdigit()) or len(text) > 3:
        raise NotThatMany
    return int(text)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise NotThatDay from error
