"""Customers with their addresses and sizes, and what they have agreed to."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.db import Base, BigId
from concierge.errors import BadInput, NotFound, RuleBroken


class Customer(Base):
    """A person who writes; one or more addresses."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    first_name: Mapped[str] = mapped_column(sa.String(100), default="")
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    language_guessed: Mapped[bool] = mapped_column(default=True)
    country: Mapped[str] = mapped_column(sa.String(2), default="")
    # what she told us, or an editor confirmed
    timezone: Mapped[str] = mapped_column(sa.String(64), default="")
    # what the dates of her mails speak for where her country leaves it open: [moment, minutes ahead of UTC], by day
    offsets: Mapped[list[Any]] = mapped_column(default=list)
    mail_zone: Mapped[str] = mapped_column(sa.String(64), default="")
    notes: Mapped[str] = mapped_column(sa.Text, default="")
    # "" or a word of the house's own such as "vip"; what it means for a queue is the wave policy's
    tier: Mapped[str] = mapped_column(sa.String(20), default="")
    # since when she wants no mails that nobody wrote to her in person
    declined_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    addresses: Mapped[list["CustomerAddress"]] = relationship(
        back_populates="customer", cascade="all, delete-orphan", lazy="selectin", order_by="CustomerAddress.id"
    )
    sizes: Mapped[list["CustomerSize"]] = relationship(
        back_populates="customer", cascade="all, delete-orphan", lazy="selectin", order_by="CustomerSize.id"
    )
    dates: Mapped[list["CustomerDate"]] = relationship(
        back_populates="customer",
        cascade="all, delete-orphan",
        lazy="select",
        order_by="CustomerDate.month, CustomerDate.day",
    )

    @property
    def address(self) -> str:
        """The address we write to: the one marked primary, else the first."""
        chosen = [each for each in self.addresses if each.is_primary] or self.addresses
        return chosen[0].address if chosen else ""

    @property
    def display_name(self) -> str:
        """Her name, or her address where we know no name."""
        return self.name or self.address

    @hybrid_property
    def zone_name(self) -> str:
        """The zone we know by name, "" for none: she told us, else her mails did."""
        return self.timezone or self.mail_zone

    @zone_name.inplace.expression
    @classmethod
    def _zone_name(cls) -> sa.ColumnElement[str]:
        return sa.func.coalesce(sa.func.nullif(cls.timezone, ""), cls.mail_zone)

    def size(self, kind: str) -> str:
        """Her size for shoes, dresses …; empty when unknown."""
        return next((each.value for each in self.sizes if each.kind == kind), "")


class CustomerAddress(Base):
    """One address of a customer; an address belongs to one customer only."""

    __tablename__ = "customer_address"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(sa.String(320))
    # what `addresses.normalise` makes of it
    normalised: Mapped[str] = mapped_column(sa.String(320), unique=True)
    is_primary: Mapped[bool] = mapped_column(default=False)
    # since when pictures in mails that truly come from here are fetched without asking each time (T17)
    pictures_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    customer: Mapped[Customer] = relationship(back_populates="addresses")


class CustomerSize(Base):
    """A size of hers, e.g. shoes EU 36."""

    __tablename__ = "customer_size"
    __table_args__ = (sa.UniqueConstraint("customer_id", "kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(40))
    system: Mapped[str] = mapped_column(sa.String(8), default="")
    value: Mapped[str] = mapped_column(sa.String(20))
    customer: Mapped[Customer] = relationship(back_populates="sizes")


BIRTHDAY: Final = "birthday"


class CustomerDate(Base):
    """A day of every year that matters to her: her birthday, or one an editor names."""

    __tablename__ = "customer_date"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "kind"),
        sa.CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", "day"),
        sa.Index("ix_customer_date_day", "kind", "month", "day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    # BIRTHDAY, or a word of the house's own such as "wedding day", in small letters
    kind: Mapped[str] = mapped_column(sa.String(40))
    month: Mapped[int]
    day: Mapped[int]
    # what had gone by then begins nothing; None: it is known since long
    noted_at: Mapped[datetime | None]
    customer: Mapped[Customer] = relationship(back_populates="dates")


class Consent(Base):
    """Proof of a yes: for what, when, how, in which words; `withdrawn_at` ends it."""

    __tablename__ = "consent"
    __table_args__ = (sa.Index("ix_consent_customer", "customer_id", "purpose"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    # e.g. "wish": a mail when exactly this is back
    purpose: Mapped[str] = mapped_column(sa.String(40))
    # the sentence she agreed to, as it was shown
    words: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.String(8))
    # "form", "api", "mail" (she asked in writing), "link" (she confirmed an editor's wish)
    way: Mapped[str] = mapped_column(sa.String(20))
    # e.g. {"message_id": 902} or {"request_id": 41, "network": …}
    proof: Mapped[dict[str, Any]] = mapped_column(default=dict)
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    # "one-click", "page", "mail", "editor"
    withdrawn_way: Mapped[str] = mapped_column(sa.String(20), default="")


class CustomerNotFound(NotFound):
    """There is no such customer."""


class UnknownPlace(BadInput):
    """We know no such country or time zone. Try a city such as Europe/Rome."""


class AddressOfAnother(RuleBroken):
    """This address belongs to another customer already."""


class NoAddress(BadInput):
    """Write one plain address, such as barbara@example.com."""


class NoSuchDay(BadInput):
    """Say which day of which month it is, and what for."""


class NoWords(BadInput):
    """Write down her words: without them a yes is none."""


class LastAddress(RuleBroken):
    """This is her only address; without it we could not write to her."""
