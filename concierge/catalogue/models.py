"""Products with their texts and pictures, variants by size and colour, and how many units the house may give away."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.db import Base, BigId
from concierge.errors import BadInput, NotFound


class Product(Base):
    """An article of the house."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    designer: Mapped[str] = mapped_column(sa.String(120))
    category: Mapped[str] = mapped_column(sa.String(40), index=True)
    season: Mapped[str] = mapped_column(sa.String(20), default="")
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3), default="EUR")
    link: Mapped[str] = mapped_column(sa.String(500), default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    # the moment of which the shop last told what the product is
    stated_at: Mapped[datetime | None]
    texts: Mapped[list["ProductText"]] = relationship(
        back_populates="product", cascade="all, delete-orphan", lazy="selectin"
    )
    pictures: Mapped[list["ProductPicture"]] = relationship(
        back_populates="product", cascade="all, delete-orphan", lazy="selectin", order_by="ProductPicture.position"
    )
    variants: Mapped[list["Variant"]] = relationship(
        back_populates="product", cascade="all, delete-orphan", lazy="selectin", order_by="Variant.position"
    )

    def name(self, language: str) -> str:
        """Its name in `language`, else in English, else whatever there is."""
        return self._text(language).name

    def description(self, language: str) -> str:
        """Its description, chosen as the name is."""
        return self._text(language).description

    def _text(self, language: str) -> "ProductText":
        by_language = {each.language: each for each in self.texts}
        return by_language.get(language) or by_language.get("en") or next(iter(by_language.values()))


class ProductText(Base):
    """A product's name and description in one language."""

    __tablename__ = "product_text"
    __table_args__ = (sa.UniqueConstraint("product_id", "language"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(sa.String(8))
    name: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str] = mapped_column(sa.Text, default="")
    product: Mapped[Product] = relationship(back_populates="texts")


class ProductPicture(Base):
    """A picture of a product, kept as a blob; `colour` is empty when it shows any."""

    __tablename__ = "product_picture"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    blob_key: Mapped[str] = mapped_column(sa.String(64))
    content_type: Mapped[str] = mapped_column(sa.String(60))
    width: Mapped[int]
    height: Mapped[int]
    colour: Mapped[str] = mapped_column(sa.String(40), default="")
    product: Mapped[Product] = relationship(back_populates="pictures")


class ProductAlias(Base):
    """What another system calls a product, e.g. Shopify's number of it."""

    __tablename__ = "product_alias"
    __table_args__ = (sa.UniqueConstraint("source", "external_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    external_id: Mapped[str] = mapped_column(sa.String(40), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)


class Variant(Base):
    """A product's size and colour, with a SKU."""

    __tablename__ = "variant"
    __table_args__ = (
        sa.CheckConstraint("promised >= 0", "promised"),
        sa.CheckConstraint("on_hand >= 0", "on_hand"),
        sa.Index(
            "ix_variant_given_away",
            "on_hand",
            sqlite_where=sa.text("on_hand > 0"),
            postgresql_where=sa.text("on_hand > 0"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)
    sku: Mapped[str] = mapped_column(sa.String(60), unique=True)
    colour: Mapped[str] = mapped_column(sa.String(40), default="")
    size: Mapped[str] = mapped_column(sa.String(20), default="")
    size_system: Mapped[str] = mapped_column(sa.String(8), default="EU")
    position: Mapped[int] = mapped_column(default=0)
    # Units on hand at all locations together: the sum of `stock`, kept so that one UPDATE can decide.
    on_hand: Mapped[int] = mapped_column(default=0)
    # Units spoken for: held for an open or taken offer, or sold and not yet missing in the shop's own report.
    promised: Mapped[int] = mapped_column(default=0)
    # Units that are never offered.
    safety_minimum: Mapped[int] = mapped_column(default=0)
    # Stock that came and goes within minutes is not offered before this.
    offered_from: Mapped[datetime | None]
    product: Mapped[Product] = relationship(back_populates="variants", lazy="joined")
    stock: Mapped[list["StockLevel"]] = relationship(
        back_populates="variant", cascade="all, delete-orphan", lazy="selectin"
    )

    @property
    def available(self) -> int:
        """Units the house may give away: on hand, less what is promised, less the safety minimum; never below 0."""
        return max(0, self.on_hand - self.promised - self.safety_minimum)


class StockLevel(Base):
    """Units of a variant known at a location and a time."""

    __tablename__ = "stock_level"
    __table_args__ = (sa.UniqueConstraint("variant_id", "location"), sa.CheckConstraint("on_hand >= 0", "on_hand"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id", ondelete="CASCADE"))
    location: Mapped[str] = mapped_column(sa.String(40))
    on_hand: Mapped[int]
    # The newest count plus all that came and went since; below 0 while we hear of goings before their comings.
    balance: Mapped[int] = mapped_column(default=0)
    # when it was last counted (`levels.NEVER`: we only heard that units came or went)
    as_of: Mapped[datetime]
    # the newest count's own number, where the shop counts its reports
    version: Mapped[int | None] = mapped_column(BigId)
    variant: Mapped[Variant] = relationship(back_populates="stock")


class ProductNotFound(NotFound):
    """There is no such product."""


class ProductIncomplete(BadInput):
    """A new product needs a name and a price."""


class VariantNotFound(NotFound):
    """There is no variant with that SKU."""
