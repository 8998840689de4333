"""What was counted of the wishes, so that no page counts a million rows, and how far a re-ranking has come."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from concierge.db import Base, BigId


class DemandCount(Base):
    """One count of the whole house: when, how long it took, and the figures that belong to no single variant."""

    __tablename__ = "demand_count"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    begun_at: Mapped[datetime]
    # NULL while it is being counted, or if whoever counted never came back
    counted_at: Mapped[datetime | None]
    took_ms: Mapped[int] = mapped_column(default=0)
    # the newest audit entry when it began: nothing to count while it stays the newest
    pulse: Mapped[int] = mapped_column(BigId, default=0)
    # what `figures.HouseCount` says of itself
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)


class VariantTally(Base):
    """The wishes for one variant as they were counted last; a wish for several is counted at its first choice."""

    __tablename__ = "variant_tally"
    __table_args__ = (sa.Index("ix_variant_tally_product", "product_id"),)

    variant_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("variant.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    product_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("product.id", ondelete="CASCADE"))
    # confirmed wishes that wait or have an offer, and how many more would be content with it
    wishes: Mapped[int] = mapped_column(default=0)
    also: Mapped[int] = mapped_column(default=0)
    # the same wishes by age (`chances.AGES`), the pieces they are for, and since when the longest waits
    wishes_by_age: Mapped[list[int]] = mapped_column(sa.JSON, default=list)
    units_by_age: Mapped[list[int]] = mapped_column(sa.JSON, default=list, server_default=sa.text("'[]'"))
    oldest_at: Mapped[datetime | None]
    # units on their way back
    on_its_way: Mapped[int] = mapped_column(default=0)


class ProductTally(Base):
    """The wishes for one product as they were counted last."""

    __tablename__ = "product_tally"

    product_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    wishes: Mapped[int] = mapped_column(default=0)
    units: Mapped[int] = mapped_column(default=0)
    # price × quantity, and that × the chance that she still wants it
    value_cents: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    likely_cents: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    # by age (`chances.AGES`)
    wishes_by_age: Mapped[list[int]] = mapped_column(sa.JSON, default=list)
    units_by_age: Mapped[list[int]] = mapped_column(sa.JSON, default=list)
    oldest_at: Mapped[datetime | None]


class Reranking(Base):
    """How far the waiting wishes have been ranked anew under a policy with other head starts."""

    __tablename__ = "reranking"

    policy_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("wave_policy.id"), primary_key=True, autoincrement=False
    )
    begun_at: Mapped[datetime]
    # the last wish looked at, and how many stand elsewhere now
    upto_wish_id: Mapped[int] = mapped_column(BigId, default=0)
    moved: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
