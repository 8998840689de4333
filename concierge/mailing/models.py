"""Deliveries, what providers said of them, and addresses not to be mailed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.db import Base, BigId, states
from concierge.errors import NotFound, RuleBroken


class DeliveryState(StrEnum):
    """Where a mail is on its way."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    WITHHELD = "withheld"


# The purposes of letters about wishes: they answer nobody's mail.
LETTERS = ("offer", "offer_gone", "still_wanted", "wish_confirm")
# Those of them that leave by themselves: what becomes of them is shown where they come from.
UNASKED = ("offer", "offer_gone", "still_wanted")


class Lane(StrEnum):
    """How a mail goes to the provider: beside the others that somebody waits for, or among those nobody waits for."""

    SINGLE = "single"
    BULK = "bulk"

    @property
    def queued(self) -> sa.TextClause:
        """What is queued in it, in the very words of its index; a bare `state` would have SQLite take another one."""
        bulk = ", ".join(f"'{purpose}'" for purpose in UNASKED)
        return sa.text(f"coalesce(state, '') = 'queued' AND purpose {'IN' if self is Lane.BULK else 'NOT IN'} ({bulk})")


def _by_lane(lane: Lane) -> sa.Index:
    return sa.Index(f"ix_delivery_due_{lane}", "due_at", "id", sqlite_where=lane.queued, postgresql_where=lane.queued)


class Delivery(Base):
    """One mail to one address, under a unique key such as "reply:902"."""

    __tablename__ = "delivery"
    __table_args__ = (
        sa.Index("ix_delivery_due", "state", "due_at"),
        *map(_by_lane, Lane),
        sa.Index("ix_delivery_to", "to_normalised", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    purpose: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[DeliveryState] = mapped_column(states(DeliveryState), default=DeliveryState.QUEUED)
    message_id: Mapped[str] = mapped_column(sa.String(400), index=True)
    to_address: Mapped[str] = mapped_column(sa.String(320))
    to_normalised: Mapped[str] = mapped_column(sa.String(320))
    subject: Mapped[str] = mapped_column(sa.Text)
    # what `mailing.mail.to_json` makes: all the worker needs
    content: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    # how many times it was decided to send it: once, and once more for each "send again"
    intent: Mapped[int] = mapped_column(default=1)
    claimed_at: Mapped[datetime | None]
    claim: Mapped[str | None] = mapped_column(sa.String(32))
    provider: Mapped[str] = mapped_column(sa.String(20), default="")
    provider_id: Mapped[str] = mapped_column(sa.String(400), default="")
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    events: Mapped[list["DeliveryEvent"]] = relationship(back_populates="delivery", order_by="DeliveryEvent.id")


class DeliveryEvent(Base):
    """One report on a delivery, from the provider or from ourselves."""

    __tablename__ = "delivery_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(sa.ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    external_id: Mapped[str | None] = mapped_column(sa.String(200), unique=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(sa.String(40))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    delivery: Mapped[Delivery] = relationship(back_populates="events")


class ProviderPost(Base):
    """What a provider posted, by the bytes as they came; `unknown` of its `events` were about no mail of ours."""

    __tablename__ = "provider_post"
    __table_args__ = (sa.UniqueConstraint("source", "blob_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(20))
    blob_key: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    received_at: Mapped[datetime]
    read_at: Mapped[datetime | None] = mapped_column(index=True)
    events: Mapped[int]
    unknown: Mapped[int]


class SuppressionReason(StrEnum):
    """Why an address is not mailed."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"
    MANUAL = "manual"


class Suppression(Base):
    """An address not to be mailed, and why; `released_at` ends it."""

    __tablename__ = "suppression"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    normalised: Mapped[str] = mapped_column(sa.String(320), index=True)
    reason: Mapped[SuppressionReason] = mapped_column(states(SuppressionReason, "reason"))
    evidence: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    released_because: Mapped[str] = mapped_column(sa.Text, default="")


class DeliveryNotFound(NotFound):
    """There is no such delivery."""


class SuppressionNotFound(NotFound):
    """This address is on no list of ours."""


class MoveRefused(RuleBroken):
    """This mail can't go from where it is to there."""
