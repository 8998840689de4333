"""Writing the catalogue: products with their texts and pictures (what a shop tells of one is in `products`)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, ProductPicture, ProductText


def add_product(
    session: Session,
    *,
    code: str,
    designer: str,
    category: str,
    price_cents: int,
    texts: Mapping[str, tuple[str, str]],
    now: datetime,
    currency: str = "EUR",
    link: str = "",
    season: str = "",
    tags: tuple[str, ...] = (),
) -> Product:
    """Add a product; `texts` gives a name and a description by language, at least one."""
    product = Product(
        code=code,
        designer=designer,
        category=category,
        season=season,
        price_cents=price_cents,
        currency=currency,
        link=link,
        tags=list(tags),
        created_at=now,
        texts=[
            ProductText(language=language, name=name, description=description)
            for language, (name, description) in texts.items()
        ],
    )
    session.add(product)
    session.flush()
    return product


def add_picture(
    session: Session, product: Product, *, blob_key: str, content_type: str, width: int, height: int, colour: str = ""
) -> ProductPicture:
    """Add a picture whose bytes are in the blobs already, behind those the product has."""
    picture = ProductPicture(
        blob_key=blob_key,
        content_type=content_type,
        width=width,
        height=height,
        colour=colour,
        position=len(product.pictures),
    )
    product.pictures.append(picture)
    session.flush()
    return picture
