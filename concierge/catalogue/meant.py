"""Finds the products a mail may mean, by their codes, the links to them, their names, or their kind and colour."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, ProductText, Variant

# So many of each way are read; who names nothing but a kind and a colour means none of hundreds.
_MOST = 60


def list_meant(
    session: Session,
    *,
    codes: Collection[str] = (),
    names: Collection[str] = (),
    kinds: Collection[str] = (),
    colours: Collection[str] = (),
) -> list[Product]:
    """Products with one of these codes, SKUs or last parts of their links; with one of these words in their names or
    designer; or of one of these kinds in one of these colours. The newest first.

    Codes, SKUs and kinds are looked up by index; names in one pass over them. Everything is compared in lower case.
    """
    ways = [*_by_code(codes), *_by_name(names, kinds), *_by_look(kinds, colours)]
    if not ways:
        return []
    found = sa.union(*(sa.select(way.limit(_MOST).subquery()) for way in ways)).subquery()
    statement = sa.select(Product).where(Product.id.in_(sa.select(found.c[0])))
    return list(session.scalars(statement.order_by(Product.id.desc())))


def _by_code(codes: Collection[str]) -> list[sa.Select[int]]:
    if not codes:
        return []
    written = sorted({*codes, *(code.upper() for code in codes)})
    return [
        sa.select(Product.id).where(Product.code.in_(written)),
        sa.select(Variant.product_id.label("id")).where(Variant.sku.in_(written)),
    ]


def _by_name(names: Collection[str], kinds: Collection[str]) -> list[sa.Select[int]]:
    """By a word of the name; those of the kinds spoken of first, for a name may be anybody's.

    Its first letter is left out: LIKE tells large from small on PostgreSQL, and ILIKE takes several times as long.
    """
    if not names:
        return []
    stands = sa.or_(*(ProductText.name.contains(each[1:], autoescape=True) for each in sorted(names)))
    by_name = sa.select(ProductText.product_id.label("id")).where(stands)
    if not kinds:
        return [by_name]
    made = sa.or_(*(Product.designer.contains(each[1:], autoescape=True) for each in sorted(names)))
    return [
        by_name.join(Product).order_by(sa.case((Product.category.in_(sorted(kinds)), 0), else_=1)),
        sa.select(Product.id).where(Product.category.in_(sorted(kinds)), made),
    ]


def _by_look(kinds: Collection[str], colours: Collection[str]) -> list[sa.Select[int]]:
    if not kinds or not colours:
        return []
    coloured = Product.variants.any(sa.func.lower(Variant.colour).in_(sorted(colours)))
    return [sa.select(Product.id).where(Product.category.in_(sorted(kinds)), coloured).order_by(Product.id.desc())]
