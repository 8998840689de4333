"""Making, confirming, changing, moving and ending wishes."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor, Mailbox
from concierge.catalogue.models import Variant
from concierge.config import Policy
from concierge.conversations.models import Conversation, Message
from concierge.customers.commands import put_in_tier
from concierge.customers.models import Consent, Customer
from concierge.wishes import queries, waves
from concierge.wishes.models import (
    AlreadyWished,
    NoReason,
    NoSuchTier,
    NothingWished,
    SeveralProducts,
    Wish,
    WishEnded,
    WishEnding,
    WishState,
    WishVariant,
    WishWay,
)
from concierge.wishes.offer_models import OfferEnding
from concierge.wishes.offering import current_policy, end_offer

_TICK = timedelta(microseconds=1)
# How long a renewed wish lives, unless the caller says how long the house's do.
SPAN = timedelta(days=180)


def make_wish(
    session: Session,
    customer: Customer,
    variants: Sequence[Variant],
    *,
    way: WishWay,
    mailbox: Mailbox,
    language: str,
    policy: Policy,
    now: datetime,
    by: Editor | None = None,
    quantity: int = 1,
    needed_by: date | None = None,
    ceiling_cents: int | None = None,
    or_similar: bool = False,
    conversation: Conversation | None = None,
    editor: Editor | None = None,
    message: Message | None = None,
    consent: Consent | None = None,
) -> Wish:
    """Note what she wishes for: these variants of one product, the dearest first. It waits if she has consented.

    Without a consent it is unconfirmed, until `confirm_wish`. Raises NothingWished, SeveralProducts, and AlreadyWished
    when she has a living wish for one of the variants, also when two people note it at once.
    """
    wanted = list(dict.fromkeys(variants))
    _check_wanted(wanted)
    wish = Wish(
        customer=customer,
        product=wanted[0].product,
        state=WishState.UNCONFIRMED,
        way=way,
        quantity=max(1, quantity),
        needed_by=needed_by,
        ceiling_cents=ceiling_cents,
        or_similar=or_similar,
        language=language,
        mailbox=mailbox,
        conversation_id=conversation.id if conversation else None,
        editor=editor,
        message_id=message.id if message else None,
        moved_because="",
        skipped_because="",
        created_at=now,
        expires_at=now + policy.wish_span,
        choices=[_choice(customer.id, variant, place) for place, variant in enumerate(wanted)],
    )
    if consent is not None:
        _confirm(session, wish, consent, now=now)
    _add(session, wish)
    audit.record(session, "wish.made", wish, by=by, now=now, way=way.value, skus=[each.sku for each in wanted])
    return wish


def confirm_wish(session: Session, wish: Wish, consent: Consent, *, now: datetime) -> None:
    """She wants to be told, with this proof: the wish waits from now on; raises WishEnded, AlreadyConfirmed."""
    wish = queries.lock_wish(session, wish.id)
    _confirm(session, wish, consent, now=now)
    audit.record(session, "wish.confirmed", wish, by=None, now=now, consent=consent.id)


def withdraw_wish(session: Session, wish: Wish, because: WishEnding, *, by: Editor | None, now: datetime) -> None:
    """End a wish for this reason; an offer of hers ends with it and its unit is free. Twice is fine."""
    wish = queries.lock_wish(session, wish.id)
    if not wish.is_living:
        return
    wish.end(because, now=now)
    if (offer := queries.find_open_offer(session, wish_id=wish.id)) is not None:
        elsewhere = because is WishEnding.BOUGHT_ELSEWHERE
        end_offer(session, offer, OfferEnding.BOUGHT_ELSEWHERE if elsewhere else OfferEnding.WITHDRAWN, now=now)
    audit.record(session, f"wish.{wish.state.value}", wish, by=by, now=now, because=because.value)


def expire_wish(session: Session, wish: Wish, because: WishEnding, *, now: datetime) -> None:
    """Let a wish end by itself: never confirmed, too old, or too late for her; twice is fine."""
    withdraw_wish(session, wish, because, by=None, now=now)


def renew_wish(
    session: Session, wish: Wish, *, now: datetime, span: timedelta = SPAN, by: Editor | None = None
) -> None:
    """She still wants it: it lives for another `span` from now, at its place; twice is fine. Raises WishEnded."""
    wish = queries.lock_wish(session, wish.id)
    if not wish.is_living:
        raise WishEnded
    wish.expires_at, wish.asked_at = max(wish.expires_at, now + span), None
    audit.record(session, "wish.renewed", wish, by=by, now=now)


def wake_wish(session: Session, wish: Wish, *, now: datetime, by: Editor | None = None) -> None:
    """It rests no longer, and is offered at its place again; twice is fine. Raises WishEnded."""
    wish = queries.lock_wish(session, wish.id)
    if not wish.is_living:
        raise WishEnded
    if wish.rests_until is not None:
        wish.rests_until = None
        audit.record(session, "wish.woken", wish, by=by, now=now)


def change_wish(
    session: Session,
    wish: Wish,
    *,
    variants: Sequence[Variant],
    quantity: int,
    needed_by: date | None,
    ceiling_cents: int | None,
    or_similar: bool,
    by: Editor | None,
    now: datetime,
) -> None:
    """Change what she wishes for; her place stays. An open offer for what she no longer wants is withdrawn.

    Raises WishEnded, NothingWished, SeveralProducts, AlreadyWished.
    """
    wish = queries.lock_wish(session, wish.id)
    if not wish.is_living:
        raise WishEnded
    wanted = list(dict.fromkeys(variants))
    _check_wanted([wish.product.variants[0], *wanted] if wanted else wanted)
    offer = queries.find_open_offer(session, wish_id=wish.id)
    if offer and (offer.variant_id not in {each.id for each in wanted} or offer.quantity != quantity):
        end_offer(session, offer, OfferEnding.WITHDRAWN, now=now)
    known = {choice.variant_id: choice for choice in wish.choices}
    wish.quantity, wish.needed_by, wish.ceiling_cents = max(1, quantity), needed_by, ceiling_cents
    wish.or_similar, wish.skipped_because = or_similar, ""
    choices = []
    for place, variant in enumerate(wanted):
        choice = known.get(variant.id) or _choice(wish.customer_id, variant, place)
        choice.preference = place
        choices.append(choice)
    wish.choices = choices
    wish.stand(wish.state)
    _add(session, wish)
    audit.record(session, "wish.changed", wish, by=by, now=now, skus=[each.sku for each in wanted])


def move_wish(
    session: Session,
    wish: Wish,
    *,
    place: int,
    because: str,
    by: Editor,
    now: datetime,
    variant_id: int | None = None,
) -> None:
    """Move a waiting wish by hand to a place in a variant's queue (her dearest unless said), for a reason that is kept.

    It then counts as waiting since a moment between its new neighbours; her tier no longer matters. Raises WishEnded,
    NoReason.
    """
    wish = queries.lock_wish(session, wish.id)
    if wish.state is not WishState.WAITING:
        raise WishEnded
    if not because.strip():
        raise NoReason
    others = [
        each
        for each in queries.list_places(session, variant_id or wish.choices[0].variant_id)
        if each.wish_id != wish.id
    ]
    place = min(max(1, place), len(others) + 1)
    wish.rank(_between(session, others, place, now=now))
    wish.moved_at, wish.moved_by_id, wish.moved_because = now, by.id, because.strip()[:400]
    audit.record(session, "wish.moved", wish, by=by, now=now, place=place, because=wish.moved_because)


def set_tier(session: Session, customer: Customer, tier: str, *, by: Editor, now: datetime) -> None:
    """Give her a tier, "" for none, and her waiting wishes the head start it is worth now; raises NoSuchTier.

    Wishes moved by hand keep their place.
    """
    policy = current_policy(session)
    if tier and tier not in policy.head_starts:
        raise NoSuchTier
    put_in_tier(session, customer, tier, by=by, now=now)
    living = queries.list_wishes_of(session, customer.id, living_only=True)
    for number in sorted(each.id for each in living):
        wish = queries.lock_wish(session, number)
        if wish.is_living and wish.confirmed_at is not None and wish.moved_at is None:
            wish.rank(waves.rank_at(wish.confirmed_at, tier, policy))


def _between(session: Session, others: Sequence[waves.Place], place: int, *, now: datetime) -> datetime:
    """A rank for the place among `others`; those before it step aside by a microsecond where there is no room."""
    if not others:
        return now
    if place > len(others):
        return others[-1].rank_at + _TICK
    behind = others[place - 1].rank_at
    if place == 1:
        return behind - _TICK
    before = others[place - 2].rank_at
    if behind - before > _TICK:
        return before + (behind - before) / 2
    limit = behind - _TICK
    for each in reversed(others[: place - 1]):
        if each.rank_at < limit:
            break
        limit -= _TICK
        queries.lock_wish(session, each.wish_id).rank(limit)
    session.flush()
    return behind - _TICK


def _confirm(session: Session, wish: Wish, consent: Consent, *, now: datetime) -> None:
    rank = waves.rank_at(now, wish.customer.tier, current_policy(session))
    session.flush() if consent.id is None else None
    wish.confirm(consent_id=consent.id, rank_at=rank, now=now)


def _check_wanted(wanted: Sequence[Variant]) -> None:
    if not wanted:
        raise NothingWished
    if len({each.product_id for each in wanted}) > 1:
        raise SeveralProducts


def _choice(customer_id: int, variant: Variant, preference: int) -> WishVariant:
    return WishVariant(variant=variant, customer_id=customer_id, preference=preference, is_living=True)


def _add(session: Session, wish: Wish) -> None:
    """Write it; the database knows whether she has a living wish for one of these already."""
    try:
        with session.begin_nested():
            session.add(wish)
            session.flush()
    except IntegrityError as error:
        if "uq_wish_variant_living" in str(error.orig) or "wish_variant.customer_id" in str(error.orig):
            raise AlreadyWished from error
        raise
