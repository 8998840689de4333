"""Wishes for exact variants, requests not yet confirmed, and the policy by which units are offered."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.accounts.models import Editor, Mailbox
from concierge.catalogue.models import Product, Variant
from concierge.conversations.models import Conversation
from concierge.customers.models import Customer
from concierge.db import Base, BigId, states
from concierge.errors import BadInput, NotFound, RuleBroken


class WishState(StrEnum):
    """Where a wish is; the last three are endings, each with a reason."""

    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    FULFILLED = "fulfilled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


LIVING = (WishState.UNCONFIRMED, WishState.WAITING, WishState.OFFERED)


class WishWay(StrEnum):
    """How a wish came to us."""

    EDITOR = "editor"
    FORM = "form"
    API = "api"


class WishEnding(StrEnum):
    """Why a wish ended."""

    BOUGHT = "bought"  # through our offer
    BOUGHT_ELSEWHERE = "bought_elsewhere"  # the same variant, by another way
    WITHDRAWN_BY_HER = "withdrawn_by_her"
    WITHDRAWN_BY_EDITOR = "withdrawn_by_editor"
    UNSUBSCRIBED = "unsubscribed"
    NEVER_CONFIRMED = "never_confirmed"
    TOO_OLD = "too_old"
    NEEDED_BY_PASSED = "needed_by_passed"
    PASSED_ON_IT = "passed_on_it"  # she said no to the offer, for good
    CUSTOMER_ERASED = "customer_erased"
    JOINED = "joined"  # she had it twice, at two addresses: the one before has it all


# Where each ending leads.
ENDS = {
    WishEnding.BOUGHT: WishState.FULFILLED,
    WishEnding.BOUGHT_ELSEWHERE: WishState.FULFILLED,
    WishEnding.WITHDRAWN_BY_HER: WishState.WITHDRAWN,
    WishEnding.WITHDRAWN_BY_EDITOR: WishState.WITHDRAWN,
    WishEnding.UNSUBSCRIBED: WishState.WITHDRAWN,
    WishEnding.PASSED_ON_IT: WishState.WITHDRAWN,
    WishEnding.CUSTOMER_ERASED: WishState.WITHDRAWN,
    WishEnding.JOINED: WishState.WITHDRAWN,
    WishEnding.NEVER_CONFIRMED: WishState.EXPIRED,
    WishEnding.TOO_OLD: WishState.EXPIRED,
    WishEnding.NEEDED_BY_PASSED: WishState.EXPIRED,
}


class Wish(Base):
    """ "Tell me when exactly this is back"."""

    __tablename__ = "wish"
    __table_args__ = (
        sa.CheckConstraint("quantity >= 1", "quantity"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", "ending"),
        sa.CheckConstraint("(state IN ('fulfilled', 'withdrawn', 'expired')) = (ended_at IS NOT NULL)", "ended_state"),
        sa.Index("ix_wish_product", "product_id", "state"),
        sa.Index("ix_wish_customer", "customer_id", "id"),
        sa.Index("ix_wish_conversation", "conversation_id"),
        sa.Index("ix_wish_expires", "state", "expires_at"),
        # The two shelves a merchandiser reads from: who waits, the longest first; what ended, the latest first.
        sa.Index(
            "ix_wish_open",
            "confirmed_at",
            "id",
            sqlite_where=sa.text("ended_at IS NULL AND confirmed_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NULL AND confirmed_at IS NOT NULL"),
        ),
        sa.Index(
            "ix_wish_ended",
            "ended_at",
            "id",
            sqlite_where=sa.text("ended_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))
    state: Mapped[WishState] = mapped_column(states(WishState))
    way: Mapped[WishWay] = mapped_column(states(WishWay, "way"))
    # all or nothing
    quantity: Mapped[int] = mapped_column(default=1)
    needed_by: Mapped[date | None] = mapped_column(sa.Date)
    ceiling_cents: Mapped[int | None]
    or_similar: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    # whose voice the offer has: her own editor's, in her conversation, from this mailbox
    mailbox_id: Mapped[int] = mapped_column(sa.ForeignKey("mailbox.id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    # the mail in which she asked for it
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("message.id"))
    consent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("consent.id"))
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    # Her place in the queue: the moment she counts as waiting since (`waves.rank_at`); NULL before she confirmed.
    rank_at: Mapped[datetime | None]
    # Moved by hand: it stands as if waiting since `rank_at`, for this reason.
    moved_at: Mapped[datetime | None]
    moved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    moved_because: Mapped[str] = mapped_column(sa.String(400), default="")
    # "not now": not offered again before this
    rests_until: Mapped[datetime | None]
    # why she was left out when a unit was there (suppressed, no consent …); "" when nothing stands in the way
    skipped_because: Mapped[str] = mapped_column(sa.String(60), default="")
    expires_at: Mapped[datetime]
    # when "still want it?" was asked
    asked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[WishEnding | None] = mapped_column(states(WishEnding, "ended_because"))

    customer: Mapped[Customer] = relationship(lazy="joined", innerjoin=True)
    product: Mapped[Product] = relationship(lazy="joined", innerjoin=True)
    mailbox: Mapped[Mailbox] = relationship(lazy="joined", innerjoin=True)
    conversation: Mapped[Conversation | None] = relationship(lazy="raise")
    editor: Mapped[Editor | None] = relationship(foreign_keys=[editor_id], lazy="joined")
    moved_by: Mapped[Editor | None] = relationship(foreign_keys=[moved_by_id], lazy="raise")
    choices: Mapped[list["WishVariant"]] = relationship(
        back_populates="wish", cascade="all, delete-orphan", lazy="selectin", order_by="WishVariant.preference"
    )

    @property
    def is_living(self) -> bool:
        """Whether it may still come true."""
        return self.state in LIVING

    def stand(self, state: WishState) -> None:
        """Move it to a living state, and its choices with it: their copies make the queues."""
        self.state = state
        for choice in self.choices:
            choice.is_living, choice.is_waiting = True, state is WishState.WAITING
            choice.rank_at = self.rank_at

    def rank(self, rank_at: datetime) -> None:
        """Give it its place in the queues."""
        self.rank_at = rank_at
        for choice in self.choices:
            choice.rank_at = rank_at

    def confirm(self, *, consent_id: int, rank_at: datetime, now: datetime) -> None:
        """She said yes to being told; raises WishEnded, AlreadyConfirmed."""
        if not self.is_living:
            raise WishEnded
        if self.state is not WishState.UNCONFIRMED:
            raise AlreadyConfirmed
        self.consent_id, self.confirmed_at, self.rank_at = consent_id, now, rank_at
        self.stand(WishState.WAITING)

    def end(self, because: WishEnding, *, now: datetime) -> None:
        """It is over, for this reason; raises WishEnded."""
        if not self.is_living:
            raise WishEnded
        self.state, self.ended_at, self.ended_because = ENDS[because], now, because
        self.skipped_because = ""
        for choice in self.choices:
            choice.is_living = choice.is_waiting = False

    def revive(self, quantity: int) -> None:
        """It lives again for so many, at its old place: what ended it did not come true."""
        self.ended_at, self.ended_because, self.quantity = None, None, quantity
        self.stand(WishState.WAITING if self.confirmed_at else WishState.UNCONFIRMED)


class WishVariant(Base):
    """One variant a wish is content with, the dearest first; its copy of the wish's place makes a queue one index."""

    __tablename__ = "wish_variant"
    __table_args__ = (
        # One living wish per customer and variant.
        sa.Index(
            "uq_wish_variant_living",
            "customer_id",
            "variant_id",
            unique=True,
            sqlite_where=sa.text("is_living"),
            postgresql_where=sa.text("is_living"),
        ),
        # The queue of a variant, as it stands.
        sa.Index(
            "ix_wish_variant_queue",
            "variant_id",
            "rank_at",
            "wish_id",
            sqlite_where=sa.text("is_waiting"),
            postgresql_where=sa.text("is_waiting"),
        ),
    )

    wish_id: Mapped[int] = mapped_column(sa.ForeignKey("wish.id", ondelete="CASCADE"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    preference: Mapped[int] = mapped_column(default=0)
    is_living: Mapped[bool] = mapped_column(default=True)
    is_waiting: Mapped[bool] = mapped_column(default=False)
    rank_at: Mapped[datetime | None]
    wish: Mapped[Wish] = relationship(back_populates="choices")
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)


class WishPurchase(Base):
    """What she bought towards a wish, a line of an order each; gone again when the order comes to nothing."""

    __tablename__ = "wish_purchase"

    purchase_id: Mapped[int] = mapped_column(sa.ForeignKey("purchase.id", ondelete="CASCADE"), primary_key=True)
    wish_id: Mapped[int] = mapped_column(sa.ForeignKey("wish.id", ondelete="CASCADE"), index=True)
    units: Mapped[int]
    # whether the wish was fulfilled with it
    has_ended: Mapped[bool] = mapped_column(default=False)


class WishRequest(Base):
    """What a form or the API asked for an address that has not said yes yet; becomes a wish by the link in one mail."""

    __tablename__ = "wish_request"
    __table_args__ = (
        sa.Index("ix_wish_request_address", "normalised", "product_id", "created_at"),
        sa.Index("ix_wish_request_network", "network", "created_at"),
        # those that were answered by a mail: of one person, whatever a storm leaves beside them; of everybody
        sa.Index(
            "ix_wish_request_asked",
            "normalised",
            "product_id",
            "created_at",
            sqlite_where=sa.text("delivery_id IS NOT NULL"),
            postgresql_where=sa.text("delivery_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_wish_request_mailed",
            "created_at",
            sqlite_where=sa.text("delivery_id IS NOT NULL"),
            postgresql_where=sa.text("delivery_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address: Mapped[str] = mapped_column(sa.String(320))
    # what `addresses.person_behind` makes of it: one mailbox, however it is spelt
    normalised: Mapped[str] = mapped_column(sa.String(320))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"))
    # {"skus": [...], "quantity": …, "needed_by": …, "ceiling_cents": …, "or_similar": …}
    wanted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    way: Mapped[WishWay] = mapped_column(states(WishWay, "way"))
    language: Mapped[str] = mapped_column(sa.String(8))
    # the sentence she agreed to, as the form showed it
    words: Mapped[str] = mapped_column(sa.Text)
    # a keyed hash of the network it came from
    network: Mapped[str] = mapped_column(sa.String(64), default="")
    created_at: Mapped[datetime]
    delivery_id: Mapped[int | None] = mapped_column(sa.ForeignKey("delivery.id"))
    confirmed_at: Mapped[datetime | None]
    wish_id: Mapped[int | None] = mapped_column(sa.ForeignKey("wish.id"))
    product: Mapped[Product] = relationship(lazy="joined", innerjoin=True)


class WishNotFound(NotFound):
    """There is no such wish."""


class WishEnded(RuleBroken):
    """This wish has ended."""


class AlreadyWished(RuleBroken):
    """She has this very wish already."""


class AlreadyConfirmed(RuleBroken):
    """This wish is confirmed already."""


class NothingWished(RuleBroken):
    """Choose at least one size."""


class SeveralProducts(RuleBroken):
    """A wish is for one product; make another wish for the other."""


class NoReason(BadInput):
    """Say why: the reason is kept with the wish."""


class NoSuchTier(BadInput):
    """Choose one of the tiers of the wave policy, or none."""
