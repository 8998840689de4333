"""The shape of what customers send: the wish form, and the changes on her own page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from werkzeug.datastructures import MultiDict

from concierge.wishes.requests import NotThatDay, NotThatMany, NotThatPrice, Wanted

_MOST = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """The wish form as it was filled in; `sentence` names the words of consent it showed."""

    address: str
    product: str
    skus: tuple[str, ...]
    sizes: tuple[str, ...]
    sentence: str
    quantity: str
    needed_by: str
    ceiling: str
    or_similar: bool

    def wanted(self, skus: tuple[str, ...]) -> Wanted:
        """What is wished for, once the SKUs are known; raises NotThatMany, NotThatDay, NotThatPrice."""
        return read_wanted(
            {"quantity": self.quantity, "needed_by": self.needed_by, "ceiling": self.ceiling},
            skus=skus,
            or_similar=self.or_similar,
        )


def read_asked(form: MultiDict[str, str]) -> Asked:
    """The form, every field cut to a lawful length."""
    return Asked(
        address=form.get("email", "").strip()[:320],
        product=form.get("product", "").strip()[:40],
        skus=tuple(each.strip()[:60] for each in form.getlist("sku")[:_MOST] if each.strip()),
        sizes=tuple(each.strip()[:20] for each in form.getlist("size")[:_MOST] if each.strip()),
        sentence=form.get("consent", "").strip()[:20],
        quantity=form.get("quantity", "").strip()[:10],
        needed_by=form.get("needed_by", "").strip()[:20],
        ceiling=form.get("ceiling", "").strip()[:20],
        or_similar=is_yes(form.get("similar", "")),
    )


def read_wanted(fields: Mapping[str, str], *, skus: tuple[str, ...], or_similar: bool) -> Wanted:
    """Quantity, day and price as they were typed; raises NotThatMany, NotThatDay, NotThatPrice."""
    return Wanted(
        skus=skus,
        quantity=_number(fields.get("quantity", "")),
        needed_by=_day(fields.get("needed_by", "")),
        ceiling_cents=_cents(fields.get("ceiling", "")),
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


def _cents(text: str) -> int | None:
    """ "400", "400.50" or "400,50" as cents; None when empty."""
    text = text.strip().lstrip("€$£").strip().replace(",", ".")
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise NotThatPrice from error
    if not amount.is_finite() or amount >= 10**7:
        raise NotThatPrice
    return int((amount * 100).to_integral_value())
