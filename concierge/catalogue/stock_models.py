"""What the shop tells: stock events, the runs that bring many, restocks, units on their way back, purchases."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.accounts.models import Editor
from concierge.catalogue.models import Variant
from concierge.customers.models import Customer
from concierge.db import Base, BigId, states
from concierge.errors import NotFound, RuleBroken


class VariantAlias(Base):
    """What another system calls a variant, e.g. Shopify's inventory_item_id."""

    __tablename__ = "variant_alias"
    __table_args__ = (sa.UniqueConstraint("source", "external_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    external_id: Mapped[str] = mapped_column(sa.String(200))
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id", ondelete="CASCADE"), index=True)


class StockReport(StrEnum):
    """How a stock event counts: so many are there, or so many came or went."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"


class StockEventState(StrEnum):
    """What became of a stock event; `waiting` is a jump that wants a merchandiser's yes."""

    APPLIED = "applied"
    LATE = "late"
    WAITING = "waiting"
    REFUSED = "refused"


class StockEvent(Base):
    """One report from the shop, with source and version; the same (source, external_id) comes in once only."""

    __tablename__ = "stock_event"
    __table_args__ = (
        sa.UniqueConstraint("source", "external_id"),
        sa.Index("ix_stock_event_variant", "variant_id", "id"),
        sa.Index("ix_stock_event_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    external_id: Mapped[str] = mapped_column(sa.String(200))
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id", ondelete="CASCADE"))
    location: Mapped[str] = mapped_column(sa.String(40))
    report: Mapped[StockReport] = mapped_column(states(StockReport, "report"))
    units: Mapped[int]
    version: Mapped[int | None] = mapped_column(BigId)
    as_of: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[StockEventState] = mapped_column(states(StockEventState))
    before: Mapped[int | None]
    after: Mapped[int | None]
    import_run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_run.id"), index=True)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)
    decided_by: Mapped[Editor | None] = relationship(lazy="joined")


class ImportRunState(StrEnum):
    """A file read: shown as a difference first, then applied or discarded."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    DISCARDED = "discarded"
    FAILED = "failed"


class ImportRun(Base):
    """One file or one full snapshot of the shop's stock: who brought it, what it would change, what became of it."""

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(255))
    state: Mapped[ImportRunState] = mapped_column(states(ImportRunState))
    # whether what it leaves out counts as none on hand
    is_complete: Mapped[bool] = mapped_column(default=False)
    blob_key: Mapped[str | None] = mapped_column(sa.String(64))
    # {"lines": …, "changed": …, "same": …, "unknown": …, "faults": [{"line": …, "fault": …}, …]}
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    created_by: Mapped[Editor | None] = relationship(foreign_keys=[created_by_id], lazy="joined")
    settled_by: Mapped[Editor | None] = relationship(foreign_keys=[settled_by_id], lazy="joined")


class Restock(Base):
    """A variant going from none to some; ended when it is gone again."""

    __tablename__ = "restock"
    __table_args__ = (sa.Index("ix_restock_variant", "variant_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id", ondelete="CASCADE"))
    stock_event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_event.id"))
    units: Mapped[int]
    at: Mapped[datetime]
    # gone again before it was believed: a flapping report, a transfer
    flapped: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)


class ReturnState(StrEnum):
    """Where a unit on its way back is."""

    ANNOUNCED = "announced"
    IN_TRANSIT = "in_transit"
    INSPECTED = "inspected"
    FAILED = "failed"


# Units on their way: probable ones.
COMING = (ReturnState.ANNOUNCED, ReturnState.IN_TRANSIT)


class ReturnedUnit(Base):
    """A probable unit: somebody sends it back; it becomes a real one at inspection only."""

    __tablename__ = "returned_unit"
    __table_args__ = (
        sa.UniqueConstraint("source", "external_id"),
        sa.Index("ix_returned_unit_variant", "variant_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    external_id: Mapped[str] = mapped_column(sa.String(200))
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id", ondelete="CASCADE"))
    location: Mapped[str] = mapped_column(sa.String(40))
    units: Mapped[int] = mapped_column(default=1)
    state: Mapped[ReturnState] = mapped_column(states(ReturnState))
    expected_on: Mapped[datetime | None]
    as_of: Mapped[datetime]
    announced_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)


class Purchase(Base):
    """A line of an order in the shop; counts against the stock until a report as of after it has it missing."""

    __tablename__ = "purchase"
    __table_args__ = (
        sa.UniqueConstraint("source", "external_id"),
        sa.Index("ix_purchase_variant", "variant_id", "at"),
        sa.Index("ix_purchase_customer", "customer_id", "at"),
        sa.Index(
            "ix_purchase_delivered",
            "delivered_at",
            sqlite_where=sa.text("delivered_at IS NOT NULL"),
            postgresql_where=sa.text("delivered_at IS NOT NULL"),
        ),
        sa.Index(
            "ix_purchase_account",
            "source",
            "account",
            sqlite_where=sa.text("account <> ''"),
            postgresql_where=sa.text("account <> ''"),
        ),
        sa.Index(
            "ix_purchase_unmatched",
            "id",
            sqlite_where=sa.text("matched_at IS NULL"),
            postgresql_where=sa.text("matched_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    # order and line, e.g. "S-49406:1"
    external_id: Mapped[str] = mapped_column(sa.String(200))
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id", ondelete="CASCADE"))
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"))
    # `addresses.normalise` of who bought
    normalised: Mapped[str] = mapped_column(sa.String(320), default="", index=True)
    # the shop's own name for who bought, "" for a guest; who signs in there may give any address with an order
    account: Mapped[str] = mapped_column(sa.String(60), default="", server_default="")
    units: Mapped[int] = mapped_column(default=1)
    # where it was sold from, "" where the shop does not say
    location: Mapped[str] = mapped_column(sa.String(40), default="")
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3), default="EUR")
    # the checkout's hold token, when she bought through an offer
    hold_token: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    # how many of these units still count as promised: set when sold, 0 once the shop's report has them missing
    unsettled: Mapped[int] = mapped_column(default=0)
    # when wishes were looked through for it
    matched_at: Mapped[datetime | None]
    # when she had it in her hands, once the shop says so
    delivered_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    # the moment of which the shop last told how the order is, where it says so
    stated_at: Mapped[datetime | None]
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)
    customer: Mapped[Customer | None] = relationship(lazy="raise")


class StockEventNotFound(NotFound):
    """There is no such stock report."""


class ImportRunNotFound(NotFound):
    """There is no such import."""


class RestockNotFound(NotFound):
    """There is no such restock."""


class NotThatManyPromised(RuleBroken):
    """More units were given back than were promised."""


class AlreadyDecided(RuleBroken):
    """Somebody decided this a moment before you."""
