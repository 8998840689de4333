"""A product as a customer is told of it: the words, the price and the picture of one variant in her language."""

from collections.abc import Iterable
from dataclasses import dataclass

from concierge.catalogue.models import Product, ProductPicture, Variant
from concierge.catalogue.naming import colour_name, price_text
from concierge.catalogue.sizes import convert, kind_of


@dataclass(frozen=True, slots=True)
class ProductCard:
    """One variant, ready to be shown: every word is in the customer's language, `price` is formatted.

    `sized` is the size as she reads it, "EU 36" or "UK 3 (EU 36)", `size` as it is written on the piece; both are
    empty for what has none. `picture_key` is the blob of its picture, None without one.
    """

    sku: str
    name: str
    designer: str
    colour: str
    size: str
    size_system: str
    price: str
    link: str
    picture_key: str | None
    picture_type: str
    available: int
    sized: str


def card_of(variant: Variant, language: str, system: str = "") -> ProductCard:
    """The card of a variant whose product, texts, pictures and stock are loaded; `system`: what she reads sizes in."""
    product = variant.product
    picture = picture_of(product, variant.colour)
    return ProductCard(
        sku=variant.sku,
        name=product.name(language),
        designer=product.designer,
        colour=colour_name(variant.colour, language),
        size=variant.size,
        size_system=variant.size_system,
        price=price_text(product.price_cents, product.currency, language),
        link=product.link,
        picture_key=picture.blob_key if picture else None,
        picture_type=picture.content_type if picture else "",
        available=variant.available,
        sized=sized_words(variant, system),
    )


def sized_words(variant: Variant, system: str = "") -> str:
    """A variant's size as she reads it: "EU 36", or "UK 3 (EU 36)" where she reads another system; "" without one."""
    if not variant.size:
        return ""
    own = " ".join(filter(None, (variant.size_system, variant.size)))
    if not system or system == variant.size_system:
        return own
    hers = convert(kind_of(variant.product.category), variant.size, variant.size_system, system)
    return f"{system} {hers} ({own})" if hers and hers != variant.size else own


def sizes_words(variants: Iterable[Variant], language: str, system: str = "", *, with_colour: bool = True) -> str:
    """Variants of a product read together: "Turquoise, EU 36 · EU 36.5", each colour once with its sizes.

    `system` is what she reads sizes in. Not `with_colour`, a colour is named only where it tells more than a size.
    """
    by_colour: dict[str, list[str]] = {}
    for each in variants:
        colour = colour_name(each.colour, language) if with_colour or not each.size else ""
        by_colour.setdefault(colour, []).append(sized_words(each, system))
    sized = ((colour, " · ".join(dict.fromkeys(filter(None, sizes)))) for colour, sizes in by_colour.items())
    return "; ".join(", ".join(filter(None, pair)) for pair in sized)


def labels_of(product: Product, language: str, system: str = "") -> dict[int, str]:
    """Each variant as it is told from its sisters, by number: "EU 36", with the colour where the piece has several."""
    several = len({each.colour for each in product.variants}) > 1
    return {each.id: sizes_words([each], language, system, with_colour=several) for each in product.variants}


def colours_words(product: Product, language: str) -> str:
    """The colours a product comes in: "Turquoise, Coral"."""
    return ", ".join(dict.fromkeys(colour_name(each.colour, language) for each in product.variants if each.colour))


def piece_words(variant: Variant, language: str) -> str:
    """A variant named in full: "Calanque sandals, Turquoise, EU 36"."""
    return ", ".join(filter(None, (variant.product.name(language), sizes_words([variant], language))))


def picture_of(product: Product, colour: str = "") -> ProductPicture | None:
    """The picture that shows this colour, else one for any colour, else the first."""
    exact = [each for each in product.pictures if each.colour == colour]
    neutral = [each for each in product.pictures if not each.colour]
    return next(iter(exact or neutral or product.pictures), None)
