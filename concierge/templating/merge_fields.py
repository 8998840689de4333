"""The merge fields a template may speak of: their names, what they need, and which of them can be empty."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

Need = Literal["product", "variant", "conversation"]


@dataclass(frozen=True, slots=True)
class MergeField:
    """A place in a template that is filled for one customer.

    `name` is what editors write between the braces, as `customer.first_name`. A field that `may_be_empty` must be
    guarded wherever it is printed; one that `needs` something can only be filled when that thing was chosen. A `ready`
    value is made by the house (a link, a product card) and is put in as it is; every other value is data, and never
    markup. A field that `stands_alone` is a block: it has its line to itself, and no place in a subject. Only a field
    of several `lines` keeps its line breaks. A field that `comes_whole` is there together with all of its group, or
    none of them is: asking for one of them is asking for all.
    """

    name: str
    label: LazyString
    sample: str
    may_be_empty: bool = False
    needs: Need | None = None
    ready: bool = False
    stands_alone: bool = False
    lines: bool = False
    comes_whole: bool = False

    @property
    def group(self) -> str:
        """The part before the dot: customer, editor, mailbox, conversation, product, variant or alternative."""
        return self.name.partition(".")[0]


# Something to show beside the product, when an editor has chosen one.
_beside = partial(MergeField, may_be_empty=True, comes_whole=True)

_ALL = (
    MergeField("customer.first_name", _l("the customer’s first name"), "Barbara", may_be_empty=True),
    MergeField("customer.name", _l("the customer’s full name"), "Barbara Ashdown", may_be_empty=True),
    MergeField("customer.size", _l("the customer’s size"), "36", may_be_empty=True),
    MergeField("editor.first_name", _l("your first name"), "Nadia"),
    MergeField("editor.name", _l("your full name"), "Nadia Ferrant"),
    MergeField("editor.title", _l("your title"), "Fashion Editor"),
    MergeField("editor.sign_off", _l("your sign-off"), "Warmly,\nNadia", lines=True),
    MergeField("mailbox.brand", _l("the house’s name"), "Maison Solenne"),
    MergeField("mailbox.address", _l("the address customers write to"), "care@maison-solenne.example"),
    MergeField(
        "conversation.subject",
        _l("the subject of the conversation"),
        "The turquoise sandals",
        may_be_empty=True,
        needs="conversation",
    ),
    MergeField("product.name", _l("the product’s name"), "Calanque sandals", needs="product"),
    MergeField("product.designer", _l("the product’s designer"), "Atelier Mirelle", needs="product"),
    MergeField("product.colour", _l("the product’s colour"), "turquoise", needs="product"),
    MergeField("product.price", _l("the product’s price"), "€420.00", needs="product"),
    MergeField(
        "product.link",
        _l("the link to the product"),
        "https://maison-solenne.example/products/calanque-sandals",
        needs="product",
        ready=True,
    ),
    MergeField(
        "product.card",
        _l("the product with its photo, price and link"),
        "[product CAL-TUR-36]",
        needs="product",
        ready=True,
        stands_alone=True,
    ),
    MergeField("variant.size", _l("the size chosen with the product"), "36", needs="variant"),
    _beside("alternative.name", _l("the alternative’s name"), "Giudecca sandals"),
    _beside("alternative.designer", _l("the alternative’s designer"), "Atelier Mirelle"),
    _beside("alternative.colour", _l("the alternative’s colour"), "gold"),
    _beside("alternative.price", _l("the alternative’s price"), "€310.00"),
    _beside(
        "alternative.card",
        _l("the alternative with its photo, price and link"),
        "[product GIU-GLD-36]",
        ready=True,
        stands_alone=True,
    ),
)

MERGE_FIELDS: Mapping[str, MergeField] = {field.name: field for field in _ALL}
"""Every merge field there is, by name, in the order editors see them."""


def sample_values() -> dict[str, str]:
    """A lawful value for every field, for previews without a customer."""
    return {field.name: field.sample for field in _ALL}
