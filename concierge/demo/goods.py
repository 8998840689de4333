"""Brings the demo house's collection in: products with texts, pictures, sizes and stock."""

import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.blobs import BlobStore
from concierge.catalogue.models import Product, ProductPicture, ProductText, StockLevel, Variant

HERE = Path(__file__).parent
_SIZE = (800, 1000)
# When everything was counted first.
_OPENING = timedelta(days=30)


@cache
def read(name: str) -> dict[str, Any]:
    """One of the TOML files in `furniture/`, e.g. "products"."""
    return tomllib.loads((HERE / "furniture" / f"{name}.toml").read_text(encoding="utf-8"))


def picture(name: str) -> bytes:
    """The JPEG of one of the pictures in `pictures/`, without its ending."""
    return (HERE / "pictures" / f"{name}.jpg").read_bytes()


def sku(code: str, size: str) -> str:
    """The SKU of a size, e.g. CAL-TUR-36.5; the code alone when there are no sizes."""
    return f"{code}-{size}" if size else code


def bring_collection(session: Session, blobs: BlobStore, *, now: datetime, shop: str = "") -> dict[str, Variant]:
    """Add every product of `furniture/products.toml`, with its picture in the blobs; its variants by SKU.

    `shop` is where the demo's own shop is, e.g. "http://127.0.0.1:8000/shop/"; without it the links lead nowhere.
    """
    sheets = read("products")
    variants: dict[str, Variant] = {}
    for number, sheet in enumerate(sheets["product"]):
        key = blobs.put(picture(sheet["picture"]))
        made_at = now - timedelta(days=120, minutes=-number)
        link = f"{shop}{sheet['code']}" if shop else f"{sheets['shop']}{sheet['picture']}"
        product = _product(sheet, sheets, key, link=link, made_at=made_at, now=now)
        session.add(product)
        variants |= {variant.sku: variant for variant in product.variants}
    session.flush()
    return variants


def _product(
    sheet: dict[str, Any], sheets: dict[str, Any], picture_key: str, *, link: str, made_at: datetime, now: datetime
) -> Product:
    run = sheets["sizes"][sheet["sizes"]]
    stock = {size: _stock(sheet, size, sheets["locations"], as_of=now - _OPENING) for size in run["run"]}
    return Product(
        code=sheet["code"],
        designer=sheet["designer"],
        category=sheet["category"],
        season=sheet["season"],
        price_cents=sheet["price"] * 100,
        currency="EUR",
        link=link,
        tags=sheet["tags"],
        created_at=made_at,
        texts=[ProductText(language=language, **sheet[language]) for language in ("en", "it")],
        pictures=[
            ProductPicture(
                position=0, blob_key=picture_key, content_type="image/jpeg", width=_SIZE[0], height=_SIZE[1],
                colour=sheet["colour"],
            )
        ],
        variants=[
            Variant(
                sku=sku(sheet["code"], size),
                colour=sheet["colour"],
                size=size,
                size_system=run["system"],
                position=position,
                stock=stock[size],
                on_hand=sum(each.on_hand for each in stock[size]),
            )
            for position, size in enumerate(run["run"])
        ],
    )  # fmt: skip


def _stock(sheet: dict[str, Any], size: str, locations: list[str], *, as_of: datetime) -> list[StockLevel]:
    """Units by location: a fixed spread made of the SKU, unless the size is sold out or down to its last pair."""
    spread = crc32(sku(sheet["code"], size).encode())
    units = [2 + spread % 5, *((spread >> 4 * place) % 3 for place in range(1, len(locations)))]
    if size in sheet["none"]:
        units = [0] * len(locations)
    elif size in sheet["last"]:
        units = [1] + [0] * (len(locations) - 1)
    return [
        StockLevel(location=location, on_hand=count, balance=count, as_of=as_of)
        for location, count in zip(locations, units, strict=True)
    ]


def move_shop(session: Session, shop: str) -> int:
    """Lead the collection's links to where the demo's shop is now: another port, another name; how many were moved."""
    codes = [sheet["code"] for sheet in read("products")["product"]]
    products = session.scalars(sa.select(Product).where(Product.code.in_(codes))).all()
    moved = [
        each for each in products if each.link.endswith(f"/shop/{each.code}") and each.link != f"{shop}{each.code}"
    ]
    for product in moved:
        product.link = f"{shop}{product.code}"
    session.flush()
    return len(moved)
