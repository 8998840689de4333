"""What is about to leave: offers whose moment has come, read a few hundred at a time with all that their mails say."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address, normalise
from concierge.catalogue.models import Variant
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.customers.models import Consent, Customer, CustomerAddress
from concierge.rows import one_of, pairs
from concierge.setbacks import NONE, Rows
from concierge.wishes.models import LIVING, Wish, WishState, WishVariant
from concierge.wishes.offer_models import Offer, Wave

_WAITS = (Offer.left_at.is_(None), Offer.ended_at.is_(None))
STILL_WAITS: sa.ColumnElement[bool] = Wish.state == WishState.WAITING
STILL_WANTED: sa.ColumnElement[bool] = WishVariant.is_waiting.is_(True)
# While more of it is promised than there is, nobody is written to: the unit may be on its way elsewhere, or gone.
_IS_THERE = ~sa.exists().where(Variant.id == Offer.variant_id, Variant.promised > Variant.on_hand).correlate(Offer)

_conversation = sa.select(Conversation.id, Conversation.subject, Conversation.editor_id, Conversation.merged_into_id)


class Wisher(NamedTuple):
    """Whoever is offered something, as far as her mail depends on her and her wish."""

    wish_id: int
    customer_id: int
    or_similar: bool
    ceiling_cents: int | None
    owner_id: int | None
    mailbox_id: int
    conversation_id: int | None
    language: str
    name: str
    first_name: str
    timezone: str
    country: str
    has_consent: bool
    is_living: bool


class Terms(NamedTuple):
    """What she asks of an offer."""

    quantity: int
    needed_by: date | None
    ceiling_cents: int | None
    rests_until: datetime | None


class Leaving(NamedTuple):
    """One offer whose mail is due; from `wish_id` on it is a Wisher."""

    offer_id: int
    policy_id: int
    sku: str
    quantity: int
    says_held: bool
    price_cents: int
    words: str
    similar: tuple[str, ...]
    wish_id: int
    customer_id: int
    or_similar: bool
    ceiling_cents: int | None
    owner_id: int | None
    mailbox_id: int
    conversation_id: int | None
    language: str
    name: str
    first_name: str
    timezone: str
    country: str
    has_consent: bool
    is_living: bool


class Thread(NamedTuple):
    """The conversation a letter joins: what it answers, and whom."""

    id: int
    subject: str
    editor_id: int | None
    references: tuple[str, ...] = ()
    parent: str | None = None
    last_from: tuple[str, ...] = ()


def is_any_due(session: Session, *, now: datetime, but: Rows = NONE, only: Collection[int] | None = None) -> bool:
    """Whether there is an offer (of `only` these) whose mail is due."""
    due = (*_WAITS, _IS_THERE, Offer.leaves_at <= now, Offer.id.not_in(but), _of(only))
    return session.scalar(sa.select(Offer.id).where(*due).limit(1)) is not None


def next_due_at(session: Session, *, but: Rows = NONE) -> datetime | None:
    """When the next offer's mail is due."""
    waiting = sa.select(Offer.leaves_at).where(*_WAITS, _IS_THERE, Offer.leaves_at.is_not(None), Offer.id.not_in(but))
    return session.scalar(waiting.order_by(Offer.leaves_at).limit(1))


def _of(only: Collection[int] | None) -> sa.ColumnElement[bool]:
    return sa.true() if only is None else Offer.id.in_(only)


def list_due(
    session: Session, *, now: datetime, limit: int, but: Rows = NONE, only: Collection[int] | None = None
) -> list[Leaving]:
    """Offers (of `only` these) whose mail is due, the longest first.

    With their wishes they are ours until the transaction ends. What another worker has in hand is passed over, and so
    is what has just gone missing.
    """
    due = (
        _statement()
        .where(_IS_THERE, Offer.leaves_at <= now, Offer.id.not_in(but), _of(only))
        .order_by(Offer.leaves_at, Offer.id)
        .limit(limit)
    )
    return _read(session, due)


def list_chosen(session: Session, offer_ids: Collection[int]) -> list[Leaving]:
    """These offers, if they have not left yet."""
    return _read(session, _statement().where(Offer.id.in_(offer_ids)).order_by(Offer.id)) if offer_ids else []


def list_due_ids(session: Session, *, now: datetime, limit: int, but: Rows = NONE) -> list[int]:
    """The same offers, their numbers only."""
    due = sa.select(Offer.id).where(*_WAITS, _IS_THERE, Offer.leaves_at <= now, Offer.id.not_in(but))
    return list(session.scalars(due.order_by(Offer.leaves_at, Offer.id).limit(limit)))


def list_waiting(
    session: Session, *, owners: Collection[int], wish_ids: Collection[int] | None = None, limit: int
) -> list[Leaving]:
    """Offers that have not left and are for customers of these editors or of nobody; only looked at, nothing is ours.

    The first to leave first. With `wish_ids`, only those of these wishes.
    """
    owner = sa.func.coalesce(Offer.editor_id, Wish.editor_id, Conversation.editor_id)
    statement = (
        _statement(is_ours=False)
        .outerjoin(Conversation, Conversation.id == Wish.conversation_id)
        .where(owner.is_(None) | owner.in_(owners))
        .order_by(Offer.leaves_at, Offer.id)
        .limit(limit)
    )
    return _read(session, statement if wish_ids is None else statement.where(Offer.wish_id.in_(wish_ids)))


def with_companions(session: Session, due: Sequence[Leaving], *, until: datetime, but: Rows = NONE) -> list[Leaving]:
    """These, and what else is about to leave for the same people by then: it travels in the same mail.

    Nothing of somebody of whom another worker has a part in hand: who has all of it writes to her, the next time.
    """
    theirs = sa.select(Wish.id).where(one_of(Wish.customer_id, {each.customer_id for each in due}))
    others = (_IS_THERE, Offer.wish_id.in_(theirs), Offer.leaves_at <= until, Offer.id.not_in(but))
    known = one_of(Offer.id, [each.offer_id for each in due])
    found = [*due, *_read(session, _statement().where(*others, ~known).order_by(Offer.id))]
    ours = one_of(Offer.id, [each.offer_id for each in found])
    elsewhere = set(session.scalars(sa.select(Offer.customer_id).where(*_WAITS, *others, ~ours)))
    return [each for each in found if each.customer_id not in elsewhere]


def lock_wishers(session: Session, wish_ids: Collection[int]) -> dict[int, Wisher]:
    """Those of these wishes that still wait, by number, ours until the transaction ends.

    Locked in the order of their numbers, so nobody crosses. Their owner is the wish's editor, else the conversation's.
    """
    statement = (
        sa.select(
            Wish.id,
            Wish.customer_id,
            Wish.or_similar,
            Wish.ceiling_cents,
            sa.func.coalesce(Wish.editor_id, Conversation.editor_id),
            *_HERS,
        )
        .join(Customer, Customer.id == Wish.customer_id)
        .outerjoin(Conversation, Conversation.id == Wish.conversation_id)
        .where(one_of(Wish.id, wish_ids), STILL_WAITS)
        .order_by(Wish.id)
        .with_for_update(of=Wish)
    )
    rows = session.connection().execute(statement).all() if wish_ids else []
    return {row[0]: Wisher._make((*row[:-1], True)) for row in rows}


def list_terms(session: Session, choices: Mapping[int, int]) -> dict[int, Terms]:
    """On what terms these wishes, which are locked, still wait for the variant beside their number.

    She may have passed on it since the queue was read, and wait for another of its sizes; or have said "not now".
    """
    each = pairs(session, choices)
    row = (WishVariant.wish_id == each.c.key, WishVariant.variant_id == each.c.value)
    terms = (Wish.quantity, Wish.needed_by, Wish.ceiling_cents, Wish.rests_until)
    statement = sa.select(Wish.id, *terms).join(WishVariant, WishVariant.wish_id == Wish.id).join(each, sa.and_(*row))
    rows = session.connection().execute(statement.where(STILL_WANTED)).all() if choices else []
    return {row[0]: Terms._make(row[1:]) for row in rows}


def list_in_company(session: Session, wish_ids: Collection[int], customer_ids: Collection[int]) -> set[int]:
    """Those of these customers who may soon be offered, or have not been sent yet, something for another wish."""
    has_to_leave = sa.exists().where(Offer.wish_id == Wish.id, *_WAITS)
    # Their states are looked at here: asked for them, SQLite reads the queue of the whole house by its index of states.
    theirs = sa.select(Wish.customer_id, Wish.state, has_to_leave).where(
        one_of(Wish.customer_id, customer_ids),
        ~one_of(Wish.id, wish_ids),
        Wish.ended_at.is_(None),
    )
    rows = session.connection().execute(theirs)
    return {customer_id for customer_id, state, leaves in rows if state is WishState.WAITING or leaves}


_HERS = (
    Wish.mailbox_id,
    Wish.conversation_id,
    Wish.language,
    Customer.name,
    Customer.first_name,
    Customer.zone_name,
    Customer.country,
    sa.exists().where(Consent.id == Wish.consent_id, Consent.withdrawn_at.is_(None)),
    Wish.state,
)


def _statement(*, is_ours: bool = True) -> sa.Select[*tuple[Any, ...]]:
    statement = (
        sa.select(
            Offer.id,
            Wave.policy_id,
            Variant.sku,
            Offer.quantity,
            Offer.says_held,
            Offer.price_cents,
            Offer.words,
            Offer.similar,
            Offer.wish_id,
            Offer.customer_id,
            Wish.or_similar,
            Wish.ceiling_cents,
            sa.func.coalesce(Offer.editor_id, Wish.editor_id),
            *_HERS,
        )
        .join(Wish, Wish.id == Offer.wish_id)
        .join(Wave, Wave.id == Offer.wave_id)
        .join(Variant, Variant.id == Offer.variant_id)
        .join(Customer, Customer.id == Offer.customer_id)
        .where(*_WAITS)
    )
    return statement.with_for_update(of=(Wish, Offer), skip_locked=True) if is_ours else statement


def _read(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> list[Leaving]:
    rows = session.connection().execute(statement).all()
    return [_leaving(list(row)) for row in rows]


def _leaving(values: list[Any]) -> Leaving:
    values[7], values[-1] = tuple(values[7] or ()), values[-1] in LIVING
    return Leaving(*values)


def lock_threads(session: Session, conversation_ids: Collection[int]) -> dict[int, Thread]:
    """These conversations, locked in the order of their numbers, each with the mail a letter would answer.

    One that was merged meanwhile is, by its old number, the one it went into.
    """
    return _threads(session, conversation_ids, is_ours=True)


def list_threads(session: Session, conversation_ids: Collection[int]) -> dict[int, Thread]:
    """The same, only looked at."""
    return _threads(session, conversation_ids, is_ours=False)


def _threads(session: Session, conversation_ids: Collection[int], *, is_ours: bool) -> dict[int, Thread]:
    found, wanted = {}, set(conversation_ids)
    while wanted:
        here = _conversation.where(Conversation.id.in_(wanted)).order_by(Conversation.id)
        rows = session.connection().execute(here.with_for_update() if is_ours else here).all()
        found.update({row.id: row for row in rows})
        wanted = {row.merged_into_id for row in rows if row.merged_into_id} - found.keys()
    homes = {asked: _home(found, asked) for asked in conversation_ids if asked in found}
    parents = _parents(session, {home.id for home in homes.values()}) if homes else {}
    return {asked: _thread(home, parents.get(home.id)) for asked, home in homes.items()}


def _home(found: dict[int, Any], asked: int) -> Any:
    row = found[asked]
    while row.merged_into_id is not None:
        row = found[row.merged_into_id]
    return row


def _thread(row: Any, parent: Any) -> Thread:
    if parent is None:
        return Thread(row.id, row.subject, row.editor_id)
    is_hers = parent.direction is Direction.IN
    named = [each["address"] for each in parent.reply_to[:1]] + [parent.from_address] if is_hers else []
    references = tuple(parent.references or parent.in_reply_to)
    return Thread(row.id, row.subject, row.editor_id, references, parent.rfc_message_id, tuple(named))


def _parents(session: Session, conversation_ids: Collection[int]) -> dict[int, Any]:
    """The newest mail a person sent in each, else our newest: what a letter answers (as `references_for` chooses)."""
    newest = sa.func.row_number().over(
        partition_by=Message.conversation_id,
        order_by=((Message.direction == Direction.IN).desc(), Message.created_at.desc(), Message.id.desc()),
    )
    ranked = (
        sa.select(Message.id, newest.label("rank"))
        .where(Message.conversation_id.in_(conversation_ids), Message.kind == MessageKind.HUMAN)
        .subquery()
    )
    statement = sa.select(
        Message.conversation_id,
        Message.direction,
        Message.references,
        Message.in_reply_to,
        Message.rfc_message_id,
        Message.reply_to,
        Message.from_address,
    ).join(ranked, (ranked.c.id == Message.id) & (ranked.c.rank == 1))
    return {row.conversation_id: row for row in session.connection().execute(statement)}


def addresses_of(session: Session, customer_ids: Collection[int]) -> dict[int, list[tuple[str, bool]]]:
    """The addresses of these customers, each with whether it is the one we write to, in the order they were met."""
    statement = (
        sa.select(CustomerAddress.customer_id, CustomerAddress.address, CustomerAddress.is_primary)
        .where(one_of(CustomerAddress.customer_id, customer_ids))
        .order_by(CustomerAddress.id)
    )
    found: dict[int, list[tuple[str, bool]]] = {}
    for customer_id, address, is_primary in session.connection().execute(statement):
        found.setdefault(customer_id, []).append((address, is_primary))
    return found


def recipient(name: str, addresses: Sequence[tuple[str, bool]], thread: Thread | None) -> Address | None:
    """Whom a letter goes to: the address of hers she last wrote from in this conversation, else the one we write to."""
    if thread is not None and thread.last_from:
        hers = {normalise(address): address for address, _ in addresses}
        for each in thread.last_from:
            if normalise(each) in hers:
                return Address(name, hers[normalise(each)])
    chosen = [address for address, is_primary in addresses if is_primary] or [address for address, _ in addresses]
    return Address(name, chosen[0]) if chosen else None
