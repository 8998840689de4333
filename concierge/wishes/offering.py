"""Making offers and what becomes of them: taken, passed on, put off, lapsed, ended, bought."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.catalogue.stock import give_back_units, take_units
from concierge.catalogue.stock_models import Purchase
from concierge.customers.zones import zone_of
from concierge.wishes import clockwork, queries
from concierge.wishes.models import Wish, WishEnding, WishPurchase, WishState
from concierge.wishes.offer_models import (
    Offer,
    OfferAnswered,
    OfferEnding,
    OfferLapsed,
    OfferState,
    WavePolicy,
)

REST = timedelta(days=7)


def current_policy(session: Session) -> WavePolicy:
    """The wave policy that counts; before anybody saved one, the house's first, which is in no table yet."""
    return queries.policy_or_first(session)


def take_offer(session: Session, offer: Offer, *, now: datetime, by: Editor | None = None) -> None:
    """She takes the piece; twice is fine. It is held until she has bought it, at least for the hold's hours from now.

    Told with others without a unit set aside for her (the bounded rule), she gets a free one, else that of the last
    placed who has not answered; never one whose mail said "held for you". Raises OfferLapsed when it is over or none is
    left, OfferAnswered after another answer.
    """
    offer = queries.lock_offer(session, offer.id)
    if offer.is_over:
        raise OfferAnswered if offer.state is OfferState.DECLINED else OfferLapsed
    if offer.state is OfferState.TAKEN:
        return
    if not offer.holds and not (
        take_units(session, offer.variant_id, offer.quantity) or _take_over(session, offer, now=now)
    ):
        raise OfferLapsed
    longer = now + timedelta(hours=offer.wave.policy.hold_hours)
    offer.holds, offer.state, offer.answered_at = True, OfferState.TAKEN, now
    offer.held_until, offer.hold_left_seconds = max(offer.held_until or longer, longer), None
    audit.record(session, "offer.taken", offer, by=by, now=now)


def may_be_taken(session: Session, offer: Offer) -> bool:
    """Whether an open offer still has, or can be given, a unit: what `take_offer` would find; only looked at."""
    if offer.holds or offer.variant.available >= offer.quantity:
        return True
    return session.scalar(_held_for_others(offer).with_only_columns(Offer.id)) is not None


def _held_for_others(offer: Offer) -> sa.Select[Offer]:
    """The last placed, told with others as she was, for whom a unit is set aside and who has not answered."""
    return (
        sa.select(Offer)
        .where(Offer.variant_id == offer.variant_id, Offer.ended_at.is_(None), Offer.state == OfferState.OPEN)
        .where(Offer.holds, ~Offer.says_held, Offer.quantity == offer.quantity, Offer.id != offer.id)
        .order_by(Offer.wave_id.desc(), Offer.place.desc())
        .limit(1)
    )


def _take_over(session: Session, offer: Offer, *, now: datetime) -> bool:
    """Give her the unit set aside for the last placed who was promised none; whether there was one."""
    held = _held_for_others(offer).with_for_update(of=Offer).execution_options(populate_existing=True)
    if (last := session.scalars(held).unique().first()) is None:
        return False
    last.holds = False
    audit.record(session, "offer.overtaken", last, by=None, now=now, by_offer=offer.id)
    session.flush()
    return True


def pass_offer(session: Session, offer: Offer, *, now: datetime, by: Editor | None = None) -> None:
    """She does not want it; twice is fine. Other variants she named she still waits for; with none left the wish ends.

    Raises OfferAnswered, OfferLapsed when it has ended in another way.
    """
    offer = queries.lock_offer(session, offer.id)
    if offer.ended_because is OfferEnding.PASSED:
        return
    _require_open(offer)
    offer.answered_at = now
    wish = _end(session, offer, OfferEnding.PASSED, now=now)
    others = [choice for choice in wish.choices if choice.variant_id != offer.variant_id]
    if others:
        wish.choices = others
        wish.stand(WishState.WAITING)
    else:
        wish.end(WishEnding.PASSED_ON_IT, now=now)
    audit.record(session, "offer.passed", offer, by=by, now=now)


def put_off_offer(session: Session, offer: Offer, *, until: datetime, now: datetime, by: Editor | None = None) -> None:
    """Not now: she keeps her place and is offered nothing before `until`; twice is fine.

    Raises OfferAnswered, OfferLapsed when it has ended in another way.
    """
    offer = queries.lock_offer(session, offer.id)
    if offer.ended_because is OfferEnding.NOT_NOW:
        return
    _require_open(offer)
    offer.answered_at = now
    wish = _end(session, offer, OfferEnding.NOT_NOW, now=now)
    wish.rests_until = max(until, now)
    wish.stand(WishState.WAITING)
    audit.record(session, "offer.put_off", offer, by=by, now=now, until=wish.rests_until.isoformat())


def lapse_offer(session: Session, offer: Offer, *, now: datetime, rest: timedelta = REST) -> None:
    """Nobody answered in time: the wish waits on at its place, and rests, twice as long after each lapse."""
    offer = queries.lock_offer(session, offer.id)
    if offer.is_over:
        return
    earlier = session.scalar(
        sa.select(sa.func.count())
        .select_from(Offer)
        .where(Offer.wish_id == offer.wish_id, Offer.ended_because == OfferEnding.LAPSED)
    )
    wish = _end(session, offer, OfferEnding.LAPSED, now=now)
    wish.rests_until = now + rest * 2 ** min(earlier or 0, 6)
    wish.stand(WishState.WAITING)
    audit.record(session, "offer.lapsed", offer, by=None, now=now)


def end_offer(
    session: Session, offer: Offer, because: OfferEnding, *, now: datetime, rest: timedelta = timedelta(0)
) -> None:
    """End an offer for a reason that is not her answer; its unit is free, and a living wish waits on. Twice is fine."""
    offer = queries.lock_offer(session, offer.id)
    if offer.is_over:
        return
    wish = _end(session, offer, because, now=now)
    if wish.is_living:
        wish.rests_until = max(now + rest, wish.rests_until or now) if rest else wish.rests_until
        wish.stand(WishState.WAITING)
    audit.record(session, "offer.ended", offer, by=None, now=now, because=because.value)


def pause_hold(session: Session, offer: Offer, *, zone: ZoneInfo, now: datetime) -> None:
    """Stop the clock of an unanswered offer: our mail does not get through. Twice is fine. `zone` is the house's.

    All of the hold is left, however long it took to see that: it begins when she can have read of it.
    """
    offer = queries.lock_offer(session, offer.id)
    if offer.is_over or offer.state is not OfferState.OPEN or offer.held_until is None:
        return
    offer.hold_left_seconds = round(_whole_hold(offer, offer.held_until, zone, now=now) * 3600)
    offer.held_until = None
    audit.record(session, "offer.paused", offer, by=None, now=now, seconds=offer.hold_left_seconds)


def resume_hold(session: Session, offer: Offer, *, zone: ZoneInfo, now: datetime) -> None:
    """Begin the hold of an unanswered offer now that its mail got through, late; twice is fine.

    It has left when the carrier took it. `zone` is the house's.
    """
    offer = queries.lock_offer(session, offer.id)
    if offer.is_over or offer.state is not OfferState.OPEN:
        return
    if offer.hold_left_seconds is not None:
        hours = offer.hold_left_seconds / 3600
    elif offer.held_until is not None:
        hours = _whole_hold(offer, offer.held_until, zone, now=now)
    else:
        return
    offer.held_until = clockwork.held_until(now, hours, _zone_of(offer, zone), offer.wave.policy)
    offer.hold_left_seconds = None
    sent_at = offer.delivery.sent_at if offer.delivery else None
    offer.left_at = max(offer.left_at or now, sent_at) if sent_at else offer.left_at
    audit.record(session, "offer.resumed", offer, by=None, now=now, until=offer.held_until.isoformat())


def _whole_hold(offer: Offer, until: datetime, zone: ZoneInfo, *, now: datetime) -> float:
    """How many of her waking hours a hold was to last from the moment its mail was queued."""
    policy = offer.wave.policy
    return min(policy.hold_hours, clockwork.hours_left(offer.left_at or now, until, _zone_of(offer, zone), policy))


def _zone_of(offer: Offer, house: ZoneInfo) -> ZoneInfo:
    return zone_of(offer.customer.zone_name, offer.customer.country, house)


def fulfil_wish(session: Session, wish: Wish, purchase: Purchase, *, now: datetime) -> None:
    """She has bought it, through our offer or elsewhere; what was held for her is free. Nothing happens twice.

    Of several she wished for, those she has not bought yet stay wished for, and held where an offer holds them.
    """
    wish = queries.lock_wish(session, wish.id)
    if not wish.is_living:
        return
    because, left = WishEnding.BOUGHT_ELSEWHERE, wish.quantity - purchase.units
    if (offer := queries.find_open_offer(session, wish_id=wish.id)) is not None:
        offer = queries.lock_offer(session, offer.id)
        if offer.variant_id == purchase.variant_id:
            because = WishEnding.BOUGHT
        _use_up(session, offer, purchase.units if left > 0 else offer.quantity, OfferEnding(because.value), now=now)
    counts = min(purchase.units, wish.quantity)
    session.add(WishPurchase(purchase_id=purchase.id, wish_id=wish.id, units=counts, has_ended=left <= 0))
    if left > 0:
        _leave(session, wish, left, purchase, now=now)
        return
    wish.end(because, now=now)
    audit.record(session, "wish.fulfilled", wish, by=None, now=now, purchase=purchase.id, because=because.value)


def _leave(session: Session, wish: Wish, left: int, purchase: Purchase, *, now: datetime) -> None:
    """She has not got all of them: the wish is for those that are left, at its place."""
    wish.quantity, wish.skipped_because = left, ""
    if wish.state is WishState.OFFERED and queries.find_open_offer(session, wish_id=wish.id) is None:
        wish.stand(WishState.WAITING)
    audit.record(session, "wish.bought_in_part", wish, by=None, now=now, purchase=purchase.id, left=left)


def _use_up(session: Session, offer: Offer, units: int, because: OfferEnding, *, now: datetime) -> None:
    """So many units of an offer were bought, and are no longer held; with none left it ends."""
    if units >= offer.quantity:
        _end(session, offer, because, now=now)
        return
    offer.quantity -= units
    session.flush()
    if offer.holds:
        give_back_units(session, offer.variant_id, units)


def _require_open(offer: Offer) -> None:
    if offer.is_over:
        raise OfferAnswered if offer.answered_at else OfferLapsed


def _end(session: Session, offer: Offer, because: OfferEnding, *, now: datetime) -> Wish:
    """End it and give its unit back; the wish it was for."""
    held = offer.holds
    offer.end(because, now=now)
    session.flush()
    if held:
        give_back_units(session, offer.variant_id, offer.quantity)
    return offer.wish
