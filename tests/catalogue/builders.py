"""Products with lawful defaults: the turquoise sandals, sold out in 36."""

from io import BytesIO

from PIL import Image
from sqlalchemy.orm import Session

from concierge.blobs import BlobStore
from concierge.catalogue import commands
from concierge.catalogue.models import Product, StockLevel, Variant
from tests.factories import NOW


def make_product(
    session: Session,
    code: str = "CAL-TUR",
    *,
    name: str = "Calanque sandals",
    nome: str = "Sandali Calanque",
    designer: str = "Atelier Mirelle",
    category: str = "sandals",
    colour: str = "Turquoise",
    price_cents: int = 42_000,
    sizes: dict[str, int] | None = None,
    tags: tuple[str, ...] = ("satin", "wedding"),
) -> Product:
    """A product with one variant for each size; SKUs are the code and the size. `sizes` gives the units on hand."""
    product = commands.add_product(
        session,
        code=code,
        designer=designer,
        category=category,
        price_cents=price_cents,
        texts={"en": (name, "Silk satin, gathered by hand."), "it": (nome, "Raso di seta, drappeggiato a mano.")},
        link=f"https://maison-solenne.example/products/{code.lower()}",
        tags=tags,
        now=NOW,
    )
    for size, units in (sizes if sizes is not None else {"36": 0, "37": 1, "38": 4}).items():
        variant = make_variant(session, product, sku=f"{code}-{size}".rstrip("-"), size=size, colour=colour)
        put_on_shelf(session, variant, units)
    return product


def make_variant(session: Session, product: Product, *, sku: str, size: str = "", colour: str = "") -> Variant:
    """One more size and colour of a product, of which there is none."""
    variant = Variant(
        sku=sku, size=size, colour=colour, size_system="EU" if size else "", position=len(product.variants)
    )
    product.variants.append(variant)
    session.flush()
    return variant


def put_on_shelf(session: Session, variant: Variant, units: int, *, location: str = "online") -> None:
    """So many units at a location that was never counted, known without any report."""
    variant.stock.append(StockLevel(location=location, on_hand=units, balance=units, as_of=NOW))
    variant.on_hand = sum(each.on_hand for each in variant.stock)
    session.flush()


def make_picture(session: Session, store: BlobStore, product: Product, *, colour: str = "") -> str:
    """A small real JPEG of the product; returns its key."""
    data = BytesIO()
    Image.new("RGB", (8, 10), "teal").save(data, "JPEG")
    key = store.put(data.getvalue())
    commands.add_picture(session, product, blob_key=key, content_type="image/jpeg", width=8, height=10, colour=colour)
    return key
