"""What she says through the links of our mails: yes to a request, yes to an editor's wish, no more, or back again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.config import Policy
from concierge.conversations.models import Conversation
from concierge.customers.commands import add_customer, grant_consent, withdraw_consent
from concierge.customers.models import Consent, Customer
from concierge.customers.queries import share_customer
from concierge.errors import BadToken
from concierge.wishes import caps, queries
from concierge.wishes.commands import change_wish, confirm_wish, make_wish, withdraw_wish
from concierge.wishes.models import AlreadyWished, NothingWished, Wish, WishEnding, WishRequest, WishState
from concierge.wishes.requests import Wanted, list_like, mailbox_for, together

# What she agrees to with each wish: a mail when exactly this is back.
PURPOSE = "wish"


def confirm_request(
    session: Session, policy: Policy, request: WishRequest, shown: int, *, network: str, now: datetime
) -> Wish:
    """She presses the button of the first mail: she becomes a customer if she was none, and the wish waits.

    `shown` is the newest request her page showed, with the sizes of all since the mail. Twice is fine.
    Raises NothingWished when none of the sizes is made any more, and BadToken for a request that is not hers.
    """
    caps.take_turn(session)
    if request.wish_id is not None:
        return queries.get_wish(session, request.wish_id)
    asked = session.get(WishRequest, shown)
    if asked is None or (asked.normalised, asked.product_id) != (request.normalised, request.product_id):
        raise BadToken
    customer = share_customer(session, request.address) or add_customer(
        session, name="", first_name="", address=request.address, language=asked.language, now=now
    )
    proof = {
        "request_id": asked.id,
        "asked_at": asked.created_at.isoformat(),
        "asked_from": asked.network,
        "mailed_as": request.id,
        "confirmed_at": now.isoformat(),
        "confirmed_from": network,
    }
    consent = _agree(session, customer, asked.words, asked.language, way=asked.way.value, proof=proof, now=now)
    wanted = together(list_like(session, request, until=asked.id))
    wish = _make_or_join(session, policy, customer, asked, wanted=wanted, consent=consent, now=now)
    session.execute(
        sa.update(WishRequest)
        .where(WishRequest.normalised == request.normalised, WishRequest.product_id == request.product_id)
        .where(WishRequest.confirmed_at.is_(None), WishRequest.id <= max(asked.id, request.id))
        .values(confirmed_at=now, wish_id=wish.id)
    )
    return wish


def what_she_asked(session: Session, request: WishRequest) -> tuple[WishRequest, Wanted, list[Variant]]:
    """Her newest request for the piece that is not confirmed, what she wants by all since this one, and its variants
    that are still there: she reads what the mail said, and what she asked for since.
    """
    alike = list_like(session, request)
    wanted = together(alike)
    return alike[-1], wanted, [each for each in request.product.variants if each.sku in wanted.skus]


def _make_or_join(
    session: Session,
    policy: Policy,
    customer: Customer,
    asked: WishRequest,
    *,
    wanted: Wanted,
    consent: Consent,
    now: datetime,
) -> Wish:
    """A new wish; or the one she has for one of these sizes, confirmed and widened by what she asks now."""
    variants = [each for each in asked.product.variants if each.sku in wanted.skus]
    if not variants:
        raise NothingWished
    living = queries.list_wishes_of(session, customer.id, living_only=True)
    taken = {choice.variant_id: wish for wish in living for choice in wish.choices}
    theirs = list(dict.fromkeys(taken[each.id] for each in variants if each.id in taken))
    if not theirs:
        return make_wish(
            session,
            customer,
            variants,
            way=asked.way,
            mailbox=mailbox_for(session, asked.language),
            language=asked.language,
            quantity=wanted.quantity,
            needed_by=wanted.needed_by,
            ceiling_cents=wanted.ceiling_cents,
            or_similar=wanted.or_similar,
            consent=consent,
            policy=policy,
            now=now,
        )
    for wish in theirs:
        if wish.state is WishState.UNCONFIRMED:
            confirm_wish(session, wish, consent, now=now)
    _widen(session, theirs[0], [each for each in variants if each.id not in taken], wanted, now=now)
    return theirs[0]


def _widen(session: Session, wish: Wish, more: Sequence[Variant], wanted: Wanted, *, now: datetime) -> None:
    """She says anew what she wants; while a piece is offered to her, the offer stands and only sizes are added."""
    is_offered = wish.state is WishState.OFFERED
    change_wish(
        session,
        wish,
        variants=[*(choice.variant for choice in wish.choices), *more],
        quantity=wish.quantity if is_offered else wanted.quantity,
        needed_by=wish.needed_by if is_offered else wanted.needed_by,
        ceiling_cents=wish.ceiling_cents if is_offered else wanted.ceiling_cents,
        or_similar=wish.or_similar or wanted.or_similar,
        by=None,
        now=now,
    )


def confirm_noted(session: Session, wish: Wish, *, words: str, language: str, network: str, now: datetime) -> None:
    """She says yes to a wish an editor noted for her; twice is fine. Raises WishEnded."""
    if wish.is_living and wish.state is not WishState.UNCONFIRMED:
        return
    proof = {"wish_id": wish.id, "confirmed_at": now.isoformat(), "confirmed_from": network}
    consent = _agree(session, wish.customer, words, language, way="link", proof=proof, now=now)
    confirm_wish(session, wish, consent, now=now)


def unsubscribe(session: Session, customer: Customer, *, way: str, now: datetime) -> int:
    """No more mails about wishes: every living one ends, and her consent with it; how many ended. Twice is fine.

    Her letters with her editor go on: nobody asked for silence.
    """
    living = queries.list_wishes_of(session, customer.id, living_only=True)
    for wish in living:
        withdraw_wish(session, wish, WishEnding.UNSUBSCRIBED, by=None, now=now)
    withdraw_consent(session, customer, purpose=PURPOSE, way=way, now=now)
    return len(living)


def list_given_up(session: Session, customer_id: int) -> list[Wish]:
    """The wishes that ended when she last unsubscribed, unless she wishes for the same piece again."""
    wishes = queries.list_wishes_of(session, customer_id)
    ended = [each for each in wishes if each.ended_because is WishEnding.UNSUBSCRIBED]
    last = max((each.ended_at for each in ended if each.ended_at), default=None)
    living = {choice.variant_id for each in wishes if each.is_living for choice in each.choices}
    return [
        each
        for each in reversed(ended)
        if each.ended_at == last and not {choice.variant_id for choice in each.choices} & living
    ]


def take_back(
    session: Session, policy: Policy, customer: Customer, *, words: str, language: str, network: str, now: datetime
) -> int:
    """She changed her mind: what ended when she unsubscribed is wished for anew, from now; how many. Twice is fine."""
    given_up = list_given_up(session, customer.id)
    if not given_up:
        return 0
    proof = {"customer_id": customer.id, "confirmed_at": now.isoformat(), "confirmed_from": network}
    consent = _agree(session, customer, words, language, way="link", proof=proof, now=now)
    return sum(_wish_anew(session, policy, each, consent, now=now) for each in given_up)


def _wish_anew(session: Session, policy: Policy, wish: Wish, consent: Consent, *, now: datetime) -> bool:
    try:
        make_wish(
            session,
            wish.customer,
            [choice.variant for choice in wish.choices],
            way=wish.way,
            mailbox=wish.mailbox,
            language=wish.language,
            quantity=wish.quantity,
            needed_by=wish.needed_by if wish.needed_by and wish.needed_by > now.date() else None,
            ceiling_cents=wish.ceiling_cents,
            or_similar=wish.or_similar,
            conversation=session.get(Conversation, wish.conversation_id) if wish.conversation_id else None,
            editor=wish.editor,
            consent=consent,
            policy=policy,
            now=now,
        )
    except AlreadyWished:
        return False
    return True


def _agree(
    session: Session, customer: Customer, words: str, language: str, *, way: str, proof: dict[str, Any], now: datetime
) -> Consent:
    return grant_consent(
        session, customer, purpose=PURPOSE, words=words, language=language, way=way, proof=proof, now=now
    )
