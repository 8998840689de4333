"""Reading the catalogue: looking for products, one product with its sizes, what is in stock, cards for mails."""

import re
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.cards import ProductCard, card_of
from concierge.catalogue.models import (
    Product,
    ProductAlias,
    ProductNotFound,
    ProductPicture,
    ProductText,
    Variant,
    VariantNotFound,
)
from concierge.catalogue.naming import colours_meant
from concierge.catalogue.stock_models import COMING, ReturnedUnit

_MOST_WORDS = 8


def get_product(session: Session, code: str) -> Product:
    """The product with this code, else the one a shop calls so by number; raises ProductNotFound."""
    if (product := session.scalar(sa.select(Product).where(Product.code == code))) is not None:
        return product
    called = sa.select(ProductAlias.product_id).where(ProductAlias.external_id == code)
    product = session.scalar(sa.select(Product).where(Product.id.in_(called)).order_by(Product.id).limit(1))
    if product is None:
        raise ProductNotFound
    return product


def get_variant_by_sku(session: Session, sku: str) -> Variant:
    """The variant with this SKU; raises VariantNotFound."""
    if (variant := find_variant_by_sku(session, sku)) is None:
        raise VariantNotFound
    return variant


def find_variant_by_sku(session: Session, sku: str) -> Variant | None:
    """The variant with this SKU, if there is one."""
    return session.scalar(sa.select(Variant).where(Variant.sku == sku))


def list_variants(session: Session, product: Product) -> list[Variant]:
    """A product's variants, colour by colour, sizes as they run."""
    statement = sa.select(Variant).where(Variant.product_id == product.id)
    return list(session.scalars(statement.order_by(Variant.colour, Variant.position, Variant.id)))


def count_available(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """Units the house may give away, by SKU; a SKU nobody knows is left out."""
    free = Variant.on_hand - Variant.promised - Variant.safety_minimum
    statement = sa.select(Variant.sku, free).where(Variant.sku.in_(list(skus)))
    return {sku: max(0, units) for sku, units in session.execute(statement)}


def search_products(
    session: Session,
    text: str = "",
    *,
    category: str = "",
    designer: str = "",
    season: str = "",
    stock: str = "",
    in_stock: bool = False,
    limit: int = 60,
) -> list[Product]:
    """Products for which every word is in the name, designer, colour, kind, tags, code or SKU, or is a size.

    Those whose name begins with the text come first, then by name. An Italian colour finds the shop's English one.
    `stock` is "in", "out" (in a size at least), "wished" or "coming" (on its way back); "" for all.
    """
    words = re.findall(r"[^\s,;]+", text)[:_MOST_WORDS]
    statement = sa.select(Product).where(*(_matches(word) for word in words))
    for column, wanted in ((Product.category, category), (Product.designer, designer), (Product.season, season)):
        if wanted:
            statement = statement.where(column == wanted)
    stock = stock or ("in" if in_stock else "")
    if (standing := _STANDINGS.get(stock)) is not None:
        statement = statement.where(Product.variants.any(standing()))
    if words:
        begins = Product.texts.any(ProductText.name.istartswith(text.strip(), autoescape=True))
        statement = statement.order_by(sa.case((begins, 0), else_=1))
    return list(session.scalars(statement.order_by(sa.func.lower(_name()), Product.id).limit(limit)))


def search_variants(session: Session, text: str, *, limit: int = 40) -> list[Variant]:
    """Variants to choose from, for a picker: those of the products found, the sizes that were typed first.

    "sandals 36" gives the 36 of every pair of sandals; without a size, what is in stock comes first.
    """
    words = {word.lower() for word in re.findall(r"[^\s,;]+", text)}
    products = search_products(session, text, limit=limit)
    variants = [variant for product in products for variant in product.variants]
    asked = [variant for variant in variants if variant.size.lower() in words or variant.sku.lower() in words]
    return (asked or variants)[:limit]


def list_alternatives(session: Session, variant: Variant, *, limit: int = 6) -> list[Variant]:
    """What is in stock in the same size beside a variant: others of its kind, its designer's first, then by price."""
    asked = variant.product
    far = sa.func.abs(Product.price_cents - asked.price_cents)
    statement = (
        sa.select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.category == asked.category, Product.id != asked.id, _is_available())
        .where(Variant.size == variant.size, Variant.size_system == variant.size_system)
        .order_by(sa.case((Product.designer == asked.designer, 0), else_=1), far, Variant.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def count_categories(session: Session) -> dict[str, int]:
    """How many products there are of each kind, by kind."""
    statement = sa.select(Product.category, sa.func.count()).group_by(Product.category).order_by(Product.category)
    return {category: count for category, count in session.execute(statement)}


def list_designers(session: Session) -> list[str]:
    """Every designer of the house, by name."""
    return list(
        session.scalars(sa.select(Product.designer).where(Product.designer != "").distinct().order_by(Product.designer))
    )


def list_seasons(session: Session) -> list[str]:
    """Every season there are products of."""
    statement = sa.select(Product.season).where(Product.season != "").distinct().order_by(Product.season)
    return list(session.scalars(statement))


def card(session: Session, sku: str, language: str) -> ProductCard:
    """The card of one variant in a language; raises VariantNotFound."""
    return card_of(get_variant_by_sku(session, sku), language)


def cards(session: Session, skus: Iterable[str], language: str, system: str = "") -> dict[str, ProductCard]:
    """The cards of many variants in one query, by SKU; those that are gone are left out.

    `system` is what the reader of the cards reads sizes in.
    """
    if not (wanted := list(skus)):
        return {}
    statement = sa.select(Variant).where(Variant.sku.in_(wanted))
    return {variant.sku: card_of(variant, language, system) for variant in session.scalars(statement)}


def find_picture(session: Session, key: str) -> ProductPicture | None:
    """A product's picture by the key of its blob."""
    return session.scalar(sa.select(ProductPicture).where(ProductPicture.blob_key == key).limit(1))


def _name() -> sa.ScalarSelect[str]:
    """A product's English name, else the one it has."""
    names = sa.select(ProductText.name).where(ProductText.product_id == Product.id).correlate(Product)
    return names.order_by(sa.case((ProductText.language == "en", 0), else_=1)).limit(1).scalar_subquery()


def _is_available() -> sa.ColumnElement[bool]:
    return Variant.on_hand > Variant.promised + Variant.safety_minimum


def _is_sold_out() -> sa.ColumnElement[bool]:
    return sa.not_(_is_available())


def _is_wished() -> sa.ColumnElement[bool]:
    # Asked of the table, for wishes stand above the catalogue and it does not know them.
    wished = sa.table("wish_variant", sa.column("variant_id", sa.Integer), sa.column("is_living", sa.Boolean))
    return sa.exists().where(wished.c.variant_id == Variant.id, wished.c.is_living)


def _is_coming() -> sa.ColumnElement[bool]:
    return sa.exists().where(ReturnedUnit.variant_id == Variant.id, ReturnedUnit.state.in_(COMING))


_STANDINGS = {"in": _is_available, "out": _is_sold_out, "wished": _is_wished, "coming": _is_coming}


def _matches(word: str) -> sa.ColumnElement[bool]:
    """Whether a product answers to one word."""
    colours = colours_meant(word) if len(word) > 2 else []
    of_variant = sa.or_(
        Variant.colour.icontains(word, autoescape=True),
        sa.func.lower(Variant.colour).in_(colours),
        sa.func.lower(Variant.size) == word.lower(),
        Variant.sku.istartswith(word, autoescape=True),
    )
    return sa.or_(
        Product.texts.any(ProductText.name.icontains(word, autoescape=True)),
        Product.designer.icontains(word, autoescape=True),
        Product.category.icontains(word, autoescape=True),
        Product.code.istartswith(word, autoescape=True),
        sa.cast(Product.tags, sa.Text).icontains(word, autoescape=True),
        Product.variants.any(of_variant),
    )
