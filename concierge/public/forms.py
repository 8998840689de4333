"""The shape of what customers send: the wish form, and the changes on her own page."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from concierge.catalogue.models import Product
from concierge.wishes.forms import is_yes, read_wanted
from concierge.wishes.requests import Wanted

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

    def wanted(self, skus: tuple[str, ...], product: Product) -> Wanted:
        """What is wished for, once the SKUs and the product are known; raises as `read_wanted` does."""
        return read_wanted(
            {"quantity": self.quantity, "needed_by": self.needed_by, "ceiling": self.ceiling},
            skus=skus,
            or_similar=self.or_similar,
            product=product,
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
