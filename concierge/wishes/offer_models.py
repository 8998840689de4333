"""Waves and the offers made in them, and the policies by which units are offered."""

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
from concierge.mailing.models import Delivery
from concierge.wishes.models import Wish


class Rule(StrEnum):
    """How many are offered: one for each unit, or as many as keep the risk of too many takers small."""

    ONE_PER_UNIT = "one_per_unit"
    BOUNDED = "bounded"


class WavePolicy(Base):
    """How a restock is shared out, as a merchandiser saved it; the newest counts, none is ever changed."""

    __tablename__ = "wave_policy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rule: Mapped[Rule] = mapped_column(states(Rule, "rule"), default=Rule.ONE_PER_UNIT)
    # bounded: P(claims > units) stays at most this
    alpha: Mapped[float] = mapped_column(default=0.05)
    # what is believed of takers before there is a history (Beta distribution)
    prior_taken: Mapped[float] = mapped_column(default=1.0)
    prior_passed: Mapped[float] = mapped_column(default=3.0)
    # one unit is held for so many of her waking hours
    hold_hours: Mapped[float] = mapped_column(default=24.0)
    # her waking hours, by her own clock: [from, to)
    wakes_at: Mapped[int] = mapped_column(default=8)
    sleeps_at: Mapped[int] = mapped_column(default=22)
    # tier → days of head start; so an old wish overtakes a new VIP's, and nobody starves
    head_starts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # of the offers of a wave, at most this share goes to people who stand there by their tier
    tier_share: Mapped[float] = mapped_column(default=0.5)
    # offers wait so long on the editor's desk before they leave by themselves; 0: they leave at once
    desk_minutes: Mapped[int] = mapped_column(default=0)
    saved_at: Mapped[datetime]
    saved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    saved_by: Mapped[Editor | None] = relationship(lazy="joined")


class Wave(Base):
    """One fair round for units of a variant that may be given away."""

    __tablename__ = "wave"
    __table_args__ = (sa.Index("ix_wave_variant", "variant_id", "id"), sa.Index("ix_wave_restock", "restock_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id"))
    restock_id: Mapped[int | None] = mapped_column(sa.ForeignKey("restock.id"))
    policy_id: Mapped[int] = mapped_column(sa.ForeignKey("wave_policy.id"))
    at: Mapped[datetime]
    # units that were there to give, and how many people waited
    units: Mapped[int]
    waiting: Mapped[int]
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)
    policy: Mapped[WavePolicy] = relationship(lazy="joined", innerjoin=True)


class OfferState(StrEnum):
    """Where an offer is; open and taken ones hold a unit."""

    OPEN = "open"
    TAKEN = "taken"
    DECLINED = "declined"
    LAPSED = "lapsed"


HOLDING = (OfferState.OPEN, OfferState.TAKEN)


class OfferEnding(StrEnum):
    """Why an offer no longer holds a unit."""

    BOUGHT = "bought"
    BOUGHT_ELSEWHERE = "bought_elsewhere"
    PASSED = "passed"
    NOT_NOW = "not_now"
    LAPSED = "lapsed"
    BOUNCED = "bounced"
    WITHDRAWN = "withdrawn"
    UNITS_GONE = "units_gone"  # the shop's report took the unit away


# Where each ending leaves an offer; she declined it in all others.
ENDS = {
    OfferEnding.BOUGHT: OfferState.TAKEN,
    OfferEnding.LAPSED: OfferState.LAPSED,
    OfferEnding.BOUNCED: OfferState.LAPSED,
    OfferEnding.UNITS_GONE: OfferState.LAPSED,
}


class Offer(Base):
    """A unit held for one wish until it lapses."""

    __tablename__ = "offer"
    __table_args__ = (
        sa.CheckConstraint("quantity >= 1", "quantity"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", "ending"),
        # At most one offer that holds units, for each wish.
        sa.Index(
            "uq_offer_holding",
            "wish_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_offer_wave", "wave_id", "place"),
        sa.Index("ix_offer_variant", "variant_id", "ended_at"),
        sa.Index("ix_offer_wish", "wish_id", "id"),
        sa.Index("ix_offer_delivery", "delivery_id"),
        sa.Index(
            "ix_offer_ended",
            "ended_at",
            sqlite_where=sa.text("ended_because IN ('passed', 'lapsed')"),
            postgresql_where=sa.text("ended_because IN ('passed', 'lapsed')"),
        ),
        sa.Index(
            "ix_offer_lapse",
            "held_until",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            "ix_offer_desk",
            "leaves_at",
            sqlite_where=sa.text("left_at IS NULL AND ended_at IS NULL"),
            postgresql_where=sa.text("left_at IS NULL AND ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("wave.id"))
    wish_id: Mapped[int] = mapped_column(sa.ForeignKey("wish.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variant.id"))
    state: Mapped[OfferState] = mapped_column(states(OfferState), default=OfferState.OPEN)
    quantity: Mapped[int] = mapped_column(default=1)
    # whether units are held for it; under the bounded rule some offers have none set aside
    holds: Mapped[bool] = mapped_column(default=True)
    # whether its mail says so; what is held for her then is given to nobody else before it is over
    says_held: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    price_cents: Mapped[int]
    # her place in the queue when it was made, and how many of a tier stood before her by their tier
    place: Mapped[int]
    before_by_tier: Mapped[int] = mapped_column(default=0)
    # she overtook somebody who waits longer, by her tier alone
    by_tier: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime]
    # in whose name it is written; the owner when a colleague covers for her
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    covered_for_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    # an editor's own words before the card; "" leaves the house's letter as it is
    words: Mapped[str] = mapped_column(sa.Text, default="")
    # SKUs shown under "if not this one"
    similar: Mapped[list[str]] = mapped_column(default=list)
    # When the mail is to be queued (the desk, her quiet hours), and when it was.
    leaves_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    delivery_id: Mapped[int | None] = mapped_column(sa.ForeignKey("delivery.id"))
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("message.id"))
    # The hold: until when, by her waking clock; while our mail does not get through, how much was left instead.
    held_until: Mapped[datetime | None]
    hold_left_seconds: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[OfferEnding | None] = mapped_column(states(OfferEnding, "ended_because"))

    wave: Mapped[Wave] = relationship(lazy="joined", innerjoin=True)
    wish: Mapped[Wish] = relationship(lazy="joined", innerjoin=True)
    customer: Mapped[Customer] = relationship(lazy="joined", innerjoin=True)
    variant: Mapped[Variant] = relationship(lazy="joined", innerjoin=True)
    editor: Mapped[Editor | None] = relationship(foreign_keys=[editor_id], lazy="joined")
    covered_for: Mapped[Editor | None] = relationship(foreign_keys=[covered_for_id], lazy="joined")
    delivery: Mapped[Delivery | None] = relationship(lazy="joined")

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_at is not None

    @property
    def is_promised(self) -> bool:
        """Whether she knows that it is held for her: it was written to her, or she has taken it."""
        return self.holds and (self.says_held or self.state is OfferState.TAKEN)

    def end(self, because: "OfferEnding", *, now: datetime) -> None:
        """It holds no unit any more, for this reason."""
        self.state, self.ended_at, self.ended_because = ENDS.get(because, OfferState.DECLINED), now, because
        self.hold_left_seconds = None


class OfferNotFound(NotFound):
    """There is no such offer."""


class OfferLapsed(RuleBroken):
    """This piece is no longer held for you."""


class OfferAnswered(RuleBroken):
    """This offer has been answered already."""
