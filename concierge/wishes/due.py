"""What is due: variants to share out, offers to lapse, mails that came through or did not, wishes to end."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, Variant
from concierge.catalogue.stock_models import Purchase, StockEvent, StockEventState
from concierge.config import Policy
from concierge.mailing.models import Delivery, DeliveryState
from concierge.setbacks import NONE, Rows
from concierge.wishes.invariants import may_still_be_ended, unmatched
from concierge.wishes.models import Wish, WishEnding, WishState, WishVariant
from concierge.wishes.offer_models import Offer, OfferState
from concierge.wishes.queries import IS_WAITING
from concierge.wishes.shelves import FREE, may_be_offered
from concierge.wishes.waves import TOO_FEW

AT_ONCE = 500
# A mail queued for longer than this does not get through as it should.
PATIENCE = timedelta(minutes=10)
# A wish she was never asked about, because no mail could go, ends so long after its time.
NEVER_ASKED = timedelta(days=30)

_LOST = (DeliveryState.BOUNCED, DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.WITHHELD)
_THROUGH = (DeliveryState.SENT, DeliveryState.DELIVERED)


def list_to_share_out(
    session: Session, *, now: datetime, today: date, also_skipped: bool = False, but: Rows = NONE
) -> list[int]:
    """One variant of each product that has free units and somebody to offer them to; never one of `but`.

    Those left out for a reason that is kept count only if `also_skipped`: the reason may have gone.
    """
    in_line = (
        sa.select(WishVariant.wish_id)
        .join(Wish, Wish.id == WishVariant.wish_id)
        .join(Product, Product.id == Wish.product_id)
        .where(WishVariant.variant_id == Variant.id, IS_WAITING, Wish.quantity <= FREE)
        .where(Wish.rests_until.is_(None) | (Wish.rests_until <= now))
        .where(Wish.needed_by.is_(None) | (Wish.needed_by >= today))
    )
    if not also_skipped:
        in_line = in_line.where(Wish.skipped_because.in_(("", TOO_FEW)))
    owed = sa.exists().where(Offer.variant_id == Variant.id, Offer.ended_at.is_(None), ~Offer.holds)
    statement = (
        sa.select(sa.func.min(Variant.id))
        .where(may_be_offered(now), in_line.exists() | owed, Variant.id.not_in(but))
        .group_by(Variant.product_id)
    )
    return list(session.scalars(statement))


def list_to_lapse(session: Session, *, now: datetime, offer_id: int | None = None, but: Rows = NONE) -> list[int]:
    """Offers (or this one) whose hold is over, the longest over first; none for silence whose mail has not left."""
    statement = (
        sa.select(Offer.id)
        .where(Offer.ended_at.is_(None), Offer.held_until <= now, _may_lapse())
        .where(Offer.id == offer_id if offer_id is not None else Offer.id.not_in(but))
        .order_by(Offer.held_until)
        .limit(AT_ONCE)
    )
    return list(session.scalars(statement))


def next_lapse_at(session: Session, *, but: Rows = NONE) -> datetime | None:
    """When the next hold is over."""
    open_ones = (Offer.ended_at.is_(None), Offer.held_until.is_not(None), _may_lapse(), Offer.id.not_in(but))
    return session.scalar(sa.select(Offer.held_until).where(*open_ones).order_by(Offer.held_until).limit(1))


def list_lost(session: Session, *, but: Rows = NONE) -> list[int]:
    """Open offers whose mail did not arrive and will not."""
    return list(session.scalars(_mailed(but).where(Delivery.state.in_(_LOST))))


def list_to_pause(session: Session, *, now: datetime, but: Rows = NONE) -> list[int]:
    """Open offers whose clock runs while their mail does not get through."""
    stuck = (
        Delivery.state.in_((DeliveryState.DEFERRED, DeliveryState.UNCERTAIN))
        | ((Delivery.state == DeliveryState.QUEUED) & (Delivery.attempts > 0))
        | ((Delivery.state == DeliveryState.QUEUED) & (Delivery.created_at < now - PATIENCE))
    )
    return list(session.scalars(_mailed(but).where(Offer.held_until.is_not(None), stuck)))


def list_to_resume(session: Session, *, but: Rows = NONE) -> list[int]:
    """Open offers whose mail has got through and whose clock stands still, or ran before the mail had left."""
    early = Offer.held_until.is_not(None) & _left_late()
    stands = Offer.hold_left_seconds.is_not(None)
    return list(session.scalars(_mailed(but).where(Delivery.state.in_(_THROUGH), stands | early)))


def _left_late() -> sa.ColumnElement[bool]:
    """Whether the carrier took the mail long after it was queued, and the hold has not been moved for that."""
    waited = sa.extract("epoch", Delivery.sent_at) - sa.extract("epoch", Offer.left_at)
    return sa.func.coalesce(waited, 0) > PATIENCE.total_seconds()


def _may_lapse() -> sa.ColumnElement[bool]:
    """She has answered, was not told by a mail, or had all the time of her hold since the carrier took it."""
    reached = (Delivery.id == Offer.delivery_id, Delivery.state.in_(_THROUGH), ~_left_late())
    return (Offer.state != OfferState.OPEN) | Offer.delivery_id.is_(None) | sa.exists().where(*reached)


def _mailed(but: Rows) -> sa.Select[int]:
    return (
        sa.select(Offer.id)
        .join(Delivery, Delivery.id == Offer.delivery_id)
        .where(Offer.ended_at.is_(None), Offer.state == OfferState.OPEN, Offer.id.not_in(but))
        .order_by(Offer.id)
        .limit(AT_ONCE)
    )


def list_unmatched(session: Session, *, but: Rows = NONE) -> list[tuple[int, str]]:
    """Purchases for which no wish has been looked for yet, with their hold tokens, the oldest first."""
    statement = (
        sa.select(Purchase.id, Purchase.hold_token)
        .where(Purchase.matched_at.is_(None), Purchase.id.not_in(but))
        .order_by(Purchase.id)
        .limit(AT_ONCE)
    )
    return [(purchase_id, token) for purchase_id, token in session.execute(statement)]


def list_overpromised(session: Session, *, settled: datetime, but: Rows = NONE) -> list[int]:
    """Variants of which more is promised than there is, for somebody who has not answered yet.

    Not those that lost units after `settled`: these may be on their way to another place, or the report mistaken.
    """
    heard_at = sa.func.coalesce(StockEvent.decided_at, StockEvent.received_at)
    is_fresh = sa.exists().where(
        StockEvent.variant_id == Variant.id,
        StockEvent.state == StockEventState.APPLIED,
        StockEvent.after < StockEvent.before,
        heard_at > settled,
    )
    statement = sa.select(Variant.id).where(
        Variant.promised > Variant.on_hand,
        Variant.promised > 0,
        ~unmatched(),
        may_still_be_ended(),
        ~is_fresh,
        Variant.id.not_in(but),
    )
    return list(session.scalars(statement.order_by(Variant.id).limit(AT_ONCE)))


def find_newest_unanswered(session: Session, variant_id: int) -> int | None:
    """The last placed open offer for which a unit of the variant is held, while more is promised than there is."""
    statement = (
        sa.select(Offer.id)
        .join(Variant, Variant.id == Offer.variant_id)
        .where(Offer.variant_id == variant_id, Variant.promised > Variant.on_hand)
        .where(Offer.ended_at.is_(None), Offer.holds, Offer.state == OfferState.OPEN)
        .order_by(Offer.wave_id.desc(), Offer.place.desc())
        .limit(1)
    )
    return session.scalar(statement)


def list_to_expire(
    session: Session, *, now: datetime, policy: Policy, wish_id: int | None = None, but: Rows = NONE
) -> list[tuple[int, WishEnding]]:
    """Wishes (or this one) that end by themselves, and why; one she was asked about only after time to answer."""
    unconfirmed = now - timedelta(days=policy.wish_unconfirmed_days)
    answered = now - timedelta(days=policy.wish_ask_days)
    today = now.astimezone(policy.zone).date()
    old = (Wish.expires_at <= now) & (Wish.asked_at <= answered) | (Wish.expires_at <= now - NEVER_ASKED)
    among = Wish.id == wish_id if wish_id is not None else Wish.id.not_in(but)
    return [
        (found, because)
        for because, condition in (
            (WishEnding.NEVER_CONFIRMED, (Wish.state == WishState.UNCONFIRMED) & (Wish.created_at <= unconfirmed)),
            (WishEnding.TOO_OLD, (Wish.state == WishState.WAITING) & old),
            (WishEnding.NEEDED_BY_PASSED, (Wish.state == WishState.WAITING) & (Wish.needed_by < today)),
        )
        for found in session.scalars(sa.select(Wish.id).where(among, condition).order_by(Wish.id).limit(AT_ONCE))
    ]
