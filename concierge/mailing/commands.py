"""Queueing mail, and every step of a delivery after that."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import normalise
from concierge.mailing import backoff, caps, queries
from concierge.mailing.bulk import Posting, queue_deliveries
from concierge.mailing.caps import Caps
from concierge.mailing.holding_back import hold_back
from concierge.mailing.logbook import Told
from concierge.mailing.mail import Mail, bracketed
from concierge.mailing.mail import check as check_mail
from concierge.mailing.models import (
    UNASKED,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    Lane,
    MoveRefused,
    Suppression,
)
from concierge.mailing.moves import MOVES, SENT_AGAIN, SETTLED, check_move
from concierge.mailing.providers.base import Accepted, TransportError
from concierge.mailing.reasons import Reason
from concierge.mailing.suppressing import release, suppress, words_for
from concierge.rows import Columns, Same, one_of, read_rows, run_columns, run_row
from concierge.setbacks import NONE, Rows

__all__ = ["Posting", "queue_deliveries", "release", "suppress", "words_for"]

_MAY_BE_SENT = tuple(state for state, ways in MOVES.items() if DeliveryState.SENT in ways)


_earlier = aliased(Delivery)
_EARLIER_TO_HER = (
    _earlier.to_normalised == Delivery.to_normalised,
    _earlier.id < Delivery.id,
    sa.or_(_earlier.state == DeliveryState.QUEUED, _earlier.state == DeliveryState.SENDING),
)
# No earlier mail to the same person is under way, or has been tried and still waits.
_NOTHING_EARLIER_TRIED = ~sa.exists().where(*_EARLIER_TO_HER, _earlier.attempts > 0)
# Nothing has been said against mailing her since the mail was reserved.
_MAY_STILL_BE_MAILED = ~sa.exists().where(
    Suppression.normalised == Delivery.to_normalised, Suppression.released_at.is_(None)
)

# The conditional updates deliveries go through, put together once (`rows.py`): composing them took longer than running.
_table = cast("sa.Table", Delivery.__table__)
_ours = (one_of(_table.c.id, "ids"), _table.c.claim == sa.bindparam("its_claim"))
_BEGIN = (
    sa.update(_table)
    .where(*_ours, _table.c.state == DeliveryState.QUEUED, _NOTHING_EARLIER_TRIED, _MAY_STILL_BE_MAILED)
    .values(state=DeliveryState.SENDING, claimed_at=sa.bindparam("at"), attempts=_table.c.attempts + 1)
    .returning(_table.c.id)
)
_PUT_BACK = (
    sa.update(_table)
    .where(*_ours, _table.c.state == DeliveryState.SENDING)
    .values(state=DeliveryState.QUEUED, claim=None, claimed_at=None, attempts=_table.c.attempts - 1)
)
_RELEASE = sa.update(_table).where(*_ours, _table.c.state == DeliveryState.QUEUED).values(claim=None, claimed_at=None)
_STILL_OURS = (
    sa.select(_table.c.id)
    .where(*_ours, sa.or_(*(_table.c.state == each for each in _MAY_BE_SENT)))
    .order_by(_table.c.id)
    .with_for_update()
)
_SENT = (
    sa.update(_table)
    .where(_table.c.id == sa.bindparam("its_id"))
    .values(
        state=DeliveryState.SENT,
        provider=sa.bindparam("by_provider"),
        provider_id=sa.bindparam("its_provider_id"),
        reason="",
        sent_at=sa.bindparam("at"),
        claimed_at=None,
    )
)


def queue_delivery(
    session: Session,
    mail: Mail,
    *,
    key: str,
    purpose: str,
    now: datetime,
    not_before: datetime | None = None,
    may_be_mailed: bool = False,
) -> Delivery:
    """Queue one mail to one address under a unique key such as "reply:902"; the same key twice gives the first.

    To a suppressed address nothing is sent: the delivery is `withheld` and says why; `may_be_mailed`: the caller has
    asked that in this transaction. Raises UnlawfulMail.
    """
    check_mail(mail)
    if (earlier := queries.find_delivery(session, key)) is not None:
        return earlier
    suppression = None if may_be_mailed else queries.find_suppression(session, mail.to.address)
    delivery = Delivery(
        key=key,
        purpose=purpose,
        state=DeliveryState.WITHHELD if suppression else DeliveryState.QUEUED,
        message_id=bracketed(mail.message_id),
        to_address=mail.to.address,
        to_normalised=normalise(mail.to.address),
        subject=mail.subject,
        content=mail.to_json(),
        due_at=max(not_before or now, now),
        reason=words_for(suppression.reason) if suppression else "",
        created_at=now,
        settled_at=now if suppression else None,
    )
    try:
        with session.begin_nested():
            session.add(delivery)
            session.flush()
    except IntegrityError:  # somebody else was quicker with the same key
        if (earlier := queries.find_delivery(session, key)) is None:
            raise
        return earlier
    return delivery


def reserve_due(
    session: Session,
    lane: Lane,
    *,
    claim: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    but: Rows = NONE,
    held_at: datetime | None = None,
    only: Collection[int] | None = None,
    limits: Caps = caps.NONE,
) -> list[Delivery]:
    """Reserve up to `limit` deliveries of a lane that are due (of `only` these) under `claim`, the longest due first.

    Each is to another address, and the earliest to it that waits: hers arrive in the order they were written, whoever
    hands them over. What rests (`but`) holds up none of hers.

    `held_at` is the machine's time, by which leases run; `now`, unless a demo's clock was moved.

    They stay `queued`: should the worker die before it begins with one, it is free again after the lease. What has been
    suppressed since it was queued is withheld here; what nobody sent in person waits where it would be more than the
    `limits` let leave in a day.
    """
    held_at = held_at or now
    due = (
        sa.select(Delivery.id)
        .where(lane.queued, Delivery.due_at <= now, Delivery.id.not_in(but))
        .where(sa.or_(Delivery.claimed_at.is_(None), Delivery.claimed_at < held_at - lease))
        .where(_is_first_of_hers(lane, now, but), sa.true() if only is None else Delivery.id.in_(only))
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    ours = session.scalars(
        sa.update(Delivery)
        .where(Delivery.id.in_(due.scalar_subquery()))
        .values(claim=claim, claimed_at=held_at)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    reserved = queries.list_reserved(session, ours.all())
    suppressed = queries.list_suppressed(session, [each.to_normalised for each in reserved])
    for delivery in reserved:
        if delivery.to_normalised in suppressed:
            settle(session, delivery, DeliveryState.WITHHELD, words_for(suppressed[delivery.to_normalised]), now=now)
    lawful = [each for each in reserved if each.to_normalised not in suppressed]
    return hold_back(session, lawful, claim=claim, now=now, limits=limits) if limits else lawful


def _is_first_of_hers(lane: Lane, now: datetime, but: Rows) -> sa.ColumnElement[bool]:
    """Whether no earlier mail to her is under way, put off after a try, or due.

    One written by the thousand holds up none that somebody waits for until it is offered.
    """
    in_its_way = sa.true() if lane is Lane.BULK else _earlier.purpose.not_in(UNASKED)
    waits = sa.or_(_earlier.attempts > 0, sa.and_(_earlier.due_at <= now, in_its_way))
    return ~sa.exists().where(*_EARLIER_TO_HER, waits, _earlier.id.not_in(but))


def begin_sending(session: Session, delivery_ids: Collection[int], *, claim: str, now: datetime) -> set[int]:
    """Move reserved deliveries, each to another address, to `sending`; which of them may now be handed over.

    Not those that are no longer ours, or have to wait behind an earlier one. `now` is the machine's time: the lease
    runs from then.
    """
    begun = read_rows(session, _BEGIN, {"ids": delivery_ids, "its_claim": claim, "at": now})
    return {number for (number,) in begun}


def put_back(session: Session, delivery_ids: Collection[int], *, claim: str) -> None:
    """Queue anew what was begun and never offered to the provider: that was no attempt."""
    run_row(session, _PUT_BACK, {"ids": delivery_ids, "its_claim": claim})


def release_reserved(session: Session, delivery_ids: Collection[int], *, claim: str) -> None:
    """Give back those of these that were reserved and not begun."""
    run_row(session, _RELEASE, {"ids": delivery_ids, "its_claim": claim})


def record_sent(
    session: Session, taken: Mapping[int, Accepted], *, claim: str, provider: str, now: datetime
) -> set[int]:
    """The provider took these, by their numbers; those for which that counts. Others a later claim has overtaken.

    The answer may come after the lease has run out: `uncertain` becomes `sent`, as long as nobody has sent it again.
    """
    ours = [number for (number,) in read_rows(session, _STILL_OURS, {"ids": taken, "its_claim": claim})]
    columns: Columns = {
        "its_id": ours,
        "at": Same(now),
        "by_provider": Same(provider),
        "its_provider_id": [taken[each].provider_id[:400] for each in ours],
    }
    run_columns(session, _SENT, columns, len(ours))
    audit.record_each(session, "delivery.sent", Delivery, ours, now=now)
    overtaken = [each for each in taken if each not in ours]
    return {*ours, *(each for each in overtaken if _note_overtaken(session, each, taken[each], claim, provider))}


def _note_overtaken(session: Session, delivery_id: int, accepted: Accepted, claim: str, provider: str) -> bool:
    """The provider's own report was quicker than our record of its answer: the mail is further on its way by now."""
    ours = (_table.c.id == delivery_id, _table.c.claim == claim, _table.c.state.in_(queries.LEFT))
    told = {"provider": provider, "provider_id": accepted.provider_id[:400]}
    return session.connection().execute(sa.update(_table).where(*ours).values(told)).rowcount > 0


def record_failure(
    session: Session,
    delivery: Delivery,
    error: TransportError,
    *,
    claim: str,
    provider: str,
    attempts_allowed: int,
    chance: float,
    now: datetime,
) -> bool:
    """The provider did not take it, or nobody knows. False when this claim has been overtaken."""
    current = session.get(Delivery, delivery.id, populate_existing=True, with_for_update=True)
    if current is None or current.claim != claim or current.state is not DeliveryState.SENDING:
        return False
    current.provider = provider
    if error.uncertain:
        settle(session, current, DeliveryState.UNCERTAIN, error.words, now=now)
    elif error.permanent:
        settle(session, current, DeliveryState.REJECTED, error.words, now=now)
    elif current.attempts >= attempts_allowed and backoff.exhausted(_first_failure(session, current) or now, now):
        settle(session, current, DeliveryState.FAILED, error.words, now=now)
    else:
        _postpone(session, current, error, chance=chance, now=now)
    return True


def record_unbuildable(session: Session, delivery: Delivery, words: str, *, claim: str, now: datetime) -> bool:
    """It could not even be built: nobody was called."""
    current = session.get(Delivery, delivery.id, populate_existing=True, with_for_update=True)
    if current is None or current.claim != claim or current.state is not DeliveryState.SENDING:
        return False
    settle(session, current, DeliveryState.FAILED, words, now=now)
    return True


def settle_orphans(
    session: Session,
    *,
    lease: timedelta,
    now: datetime,
    held_at: datetime | None = None,
    only: int | None = None,
    read: Callable[[str], Told | None] = lambda _claim: None,
) -> int:
    """Deliveries (or `only` this one) whose worker has not been heard of for a lease; returns how many.

    Nobody knows whether they left, unless `read` finds the logbook of their claim: which were offered, and which of
    these were taken. `held_at` is the machine's time, as in `reserve_due`.
    """
    statement = (
        sa.select(Delivery)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.claimed_at < (held_at or now) - lease)
        .where(sa.true() if only is None else Delivery.id == only)
        .order_by(Delivery.id)
        .limit(500)
        .with_for_update(skip_locked=True)
    )
    orphans = list(session.scalars(statement))
    for delivery in orphans:
        claim = delivery.claim or ""
        told = read(claim)
        if told and delivery.id not in told.offered:
            put_back(session, [delivery.id], claim=claim)
        elif told and (accepted := told.offered[delivery.id]):
            record_sent(session, {delivery.id: accepted}, claim=claim, provider=told.provider, now=now)
        else:
            delivery.provider = told.provider if told else delivery.provider
            settle(session, delivery, DeliveryState.UNCERTAIN, Reason.WORKER_STOPPED.of(), now=now)
    return len(orphans)


def send_again(session: Session, delivery: Delivery, *, by: Editor, now: datetime) -> None:
    """Queue a mail anew that failed, came to an unknown end or was withheld; raises MoveRefused."""
    if delivery.state not in SENT_AGAIN:
        raise MoveRefused
    suppression = queries.find_suppression(session, delivery.to_address)
    if suppression:
        settle(session, delivery, DeliveryState.WITHHELD, words_for(suppression.reason), now=now)
        return
    delivery.state, delivery.due_at, delivery.attempts = DeliveryState.QUEUED, now, 0
    delivery.intent += 1  # another decision, by which the provider may tell this sending from the one before
    delivery.claim = delivery.claimed_at = delivery.settled_at = None
    delivery.reason = ""
    audit.record(session, "delivery.sent_again", delivery, by=by, now=now)


def confirm_arrival(session: Session, delivery: Delivery, *, by: Editor, now: datetime) -> None:
    """An editor knows that a mail of unknown end has arrived; raises MoveRefused."""
    if delivery.state is not DeliveryState.UNCERTAIN:
        raise MoveRefused
    delivery.state, delivery.reason, delivery.settled_at = DeliveryState.DELIVERED, "", now
    audit.record(session, "delivery.arrival_confirmed", delivery, by=by, now=now)


def _postpone(session: Session, delivery: Delivery, error: TransportError, *, chance: float, now: datetime) -> None:
    check_move(delivery, DeliveryState.QUEUED)
    delivery.state, delivery.reason = DeliveryState.QUEUED, error.words
    delivery.due_at = backoff.next_attempt(now, delivery.attempts, chance=chance, retry_after=error.retry_after)
    delivery.claim = delivery.claimed_at = None
    session.add(_event(delivery, "postponed", error.words, now=now))


def settle(
    session: Session,
    delivery: Delivery,
    state: DeliveryState,
    words: str,
    *,
    by: Editor | None = None,
    now: datetime,
) -> None:
    """To a state in which it stays for now, with the reason and an entry in its history; raises MoveRefused."""
    if delivery.state is not state:
        check_move(delivery, state)
    event = _event(delivery, state.value, words, now=now)
    if delivery.state is DeliveryState.SENDING and delivery.claimed_at is not None:
        event.details = event.details | {"begun": delivery.claimed_at.isoformat()}
    delivery.state, delivery.reason = state, words
    delivery.claimed_at = None
    if state in SETTLED:
        delivery.settled_at = now
    session.add(event)
    audit.record(session, f"delivery.{state.value}", delivery, by=by, now=now, reason=words)


def _event(delivery: Delivery, kind: str, words: str, *, now: datetime) -> DeliveryEvent:
    return DeliveryEvent(delivery_id=delivery.id, at=now, kind=kind, details={"words": words})


def _first_failure(session: Session, delivery: Delivery) -> datetime | None:
    since = sa.select(sa.func.min(DeliveryEvent.at)).where(
        DeliveryEvent.delivery_id == delivery.id, DeliveryEvent.kind == "postponed"
    )
    return session.scalar(since)
