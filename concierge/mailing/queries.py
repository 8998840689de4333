"""Reading deliveries and suppressions."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import ascii_domain, normalise, spellings, tidy
from concierge.customers.courtesy import WAITS
from concierge.mailing.caps import AUTOMATIC
from concierge.mailing.models import (
    Delivery,
    DeliveryEvent,
    DeliveryNotFound,
    DeliveryState,
    Lane,
    ProviderPost,
    Suppression,
    SuppressionNotFound,
    SuppressionReason,
)
from concierge.rows import one_of
from concierge.setbacks import NONE, Rows

# Handed over, whatever became of it afterwards: what a customer may find in her mailbox.
LEFT = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.DELIVERED, DeliveryState.BOUNCED)
# Asked of the table: conversations stand above, and mailing does not know them.
_messages = sa.table("message", sa.column("delivery_id", sa.Integer), sa.column("conversation_id", sa.Integer))
_NOT_SENT = (DeliveryState.WITHHELD, DeliveryState.REJECTED, DeliveryState.FAILED)


def get_delivery(session: Session, delivery_id: int) -> Delivery:
    """The delivery with this number; raises DeliveryNotFound."""
    if (delivery := session.get(Delivery, delivery_id)) is None:
        raise DeliveryNotFound
    return delivery


def lock_delivery(session: Session, delivery_id: int) -> Delivery:
    """The delivery as it is now, held until the transaction ends, so that two clicks move it once."""
    if (delivery := session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)) is None:
        raise DeliveryNotFound
    return delivery


def find_delivery(session: Session, key: str) -> Delivery | None:
    """The delivery queued under this key."""
    return session.scalar(sa.select(Delivery).where(Delivery.key == key))


def list_reserved(session: Session, delivery_ids: Collection[int]) -> list[Delivery]:
    """What was reserved, as it is now, the longest due first; by number, for claims have no index."""
    statement = (
        sa.select(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .order_by(Delivery.due_at, Delivery.id)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def is_any_due(session: Session, now: datetime, lane: Lane) -> bool:
    """Whether any mail's moment has come; some may still have to wait behind an earlier one."""
    due = (lane.queued, Delivery.due_at <= now)
    return session.scalar(sa.select(Delivery.id).where(*due).limit(1)) is not None


def list_due_ids(
    session: Session, now: datetime, lane: Lane, *, limit: int, but: Rows = NONE, free_since: datetime | None = None
) -> list[int]:
    """Mails whose moment has come, the longest due first; with `free_since` none that was claimed since then."""
    free: sa.ColumnElement[bool] = sa.true()
    if free_since is not None:
        free = Delivery.claimed_at.is_(None) | (Delivery.claimed_at < free_since)
    due = (lane.queued, Delivery.due_at <= now, Delivery.id.not_in(but), free)
    return list(session.scalars(sa.select(Delivery.id).where(*due).order_by(Delivery.due_at).limit(limit)))


def next_due_at(session: Session, lane: Lane, *, but: Rows = NONE) -> datetime | None:
    """When the next mail is to leave; it may be past, for what waits behind an earlier mail or is in hand."""
    statement = sa.select(Delivery.due_at).where(lane.queued, Delivery.id.not_in(but))
    return session.scalar(statement.order_by(Delivery.due_at).limit(1))


def list_orphaned(session: Session, before: datetime, *, limit: int = 500, but: Rows = NONE) -> list[int]:
    """Mails that have been on their way since before that moment."""
    orphaned = (Delivery.state == DeliveryState.SENDING, Delivery.claimed_at < before, Delivery.id.not_in(but))
    return list(session.scalars(sa.select(Delivery.id).where(*orphaned).order_by(Delivery.id).limit(limit)))


def list_unread_posts(session: Session, *, limit: int = 100, but: Rows = NONE) -> list[int]:
    """What providers posted and nobody has read, the oldest first."""
    unread = (ProviderPost.read_at.is_(None), ProviderPost.id.not_in(but))
    return list(session.scalars(sa.select(ProviderPost.id).where(*unread).order_by(ProviderPost.id).limit(limit)))


def list_uncertain(session: Session, *, after: int = 0, limit: int = 100) -> list[Delivery]:
    """Mails of which nobody knows whether they left, the oldest first; those behind the number `after`."""
    doubtful = sa.select(Delivery).where(Delivery.state == DeliveryState.UNCERTAIN, Delivery.id > after)
    return list(session.scalars(doubtful.order_by(Delivery.id).limit(limit)))


def count_uncertain(session: Session) -> int:
    """How many these are."""
    doubtful = sa.select(sa.func.count()).where(Delivery.state == DeliveryState.UNCERTAIN)
    return session.scalar(doubtful) or 0


def list_events(session: Session, delivery_ids: Sequence[int]) -> dict[int, list[DeliveryEvent]]:
    """What became of each of these mails step by step, the oldest first."""
    found: dict[int, list[DeliveryEvent]] = {each: [] for each in delivery_ids}
    statement = sa.select(DeliveryEvent).where(DeliveryEvent.delivery_id.in_(delivery_ids))
    for event in session.scalars(statement.order_by(DeliveryEvent.at, DeliveryEvent.id)):
        found[event.delivery_id].append(event)
    return found


def get_suppression(session: Session, suppression_id: int) -> Suppression:
    """The suppression with this number, held until the transaction ends; raises SuppressionNotFound."""
    if (found := session.get(Suppression, suppression_id, with_for_update=True)) is None:
        raise SuppressionNotFound
    return found


def list_suppressions(
    session: Session, *, sought: str = "", released: bool = False, before: int | None = None, limit: int = 50
) -> list[Suppression]:
    """Addresses not to be mailed (or those released), the newest first; `sought` is a part of the address."""
    statement = sa.select(Suppression).where(
        Suppression.released_at.is_not(None) if released else Suppression.released_at.is_(None)
    )
    if sought:
        written = sorted({*spellings(sought), ascii_domain(sought.strip()) or tidy(sought)})
        statement = statement.where(
            sa.or_(*(Suppression.normalised.contains(each.casefold(), autoescape=True) for each in written))
        )
    if before is not None:
        statement = statement.where(Suppression.id < before)
    return list(session.scalars(statement.order_by(Suppression.id.desc()).limit(limit)))


def list_left(session: Session, address: str, *, limit: int = 200) -> list[Delivery]:
    """Mails that left for this address, the newest first."""
    statement = (
        sa.select(Delivery)
        .where(Delivery.to_normalised == normalise(address), Delivery.state.in_(LEFT))
        .order_by(sa.func.coalesce(Delivery.sent_at, Delivery.created_at).desc(), Delivery.id.desc())
        .limit(limit)
    )
    return list(session.scalars(statement))


def find_suppression(session: Session, address: str) -> Suppression | None:
    """Why this address is not to be mailed; None when it may be."""
    return session.scalar(
        sa.select(Suppression)
        .where(Suppression.normalised == normalise(address), Suppression.released_at.is_(None))
        .order_by(Suppression.id)
        .limit(1)
    )


def list_suppressed(session: Session, normalised: Sequence[str]) -> dict[str, SuppressionReason]:
    """Those of these (normalised) addresses that are not to be mailed, each with its reason."""
    statement = sa.select(Suppression.normalised, Suppression.reason).where(
        one_of(Suppression.normalised, normalised), Suppression.released_at.is_(None)
    )
    return {address: reason for address, reason in session.connection().execute(statement)}


def list_automatic(
    session: Session, normalised: Sequence[str], *, since: datetime, but_claim: str
) -> dict[str, list[datetime]]:
    """When automatic mails left for these addresses since then; those about to under another claim count too."""
    at, left = _left_by_itself(since, but_claim)
    statement = sa.select(Delivery.to_normalised, at)
    statement = statement.where(one_of(Delivery.to_normalised, normalised), *left)
    return _gathered(session.connection().execute(statement))


def list_conversations(session: Session, numbers: Sequence[int]) -> dict[int, int]:
    """The conversation each of these deliveries stands in, of those that stand in one."""
    statement = sa.select(_messages.c.delivery_id, _messages.c.conversation_id)
    statement = statement.where(_messages.c.delivery_id.in_(numbers))
    return {number: conversation for number, conversation in session.connection().execute(statement)}


def list_automatic_in(
    session: Session, conversations: Collection[int], *, since: datetime, but_claim: str
) -> dict[int, list[datetime]]:
    """The same for conversations."""
    at, left = _left_by_itself(since, but_claim)
    statement = sa.select(_messages.c.conversation_id, at).join(Delivery, Delivery.id == _messages.c.delivery_id)
    statement = statement.where(_messages.c.conversation_id.in_(conversations), *left)
    return _gathered(session.connection().execute(statement))


def _left_by_itself(since: datetime, but_claim: str) -> tuple[sa.ColumnElement[datetime], list[Any]]:
    at = sa.func.coalesce(Delivery.sent_at, Delivery.claimed_at, Delivery.created_at)
    others = (Delivery.state == DeliveryState.QUEUED) & (Delivery.claim != but_claim)
    gone = Delivery.state.in_((*LEFT, DeliveryState.SENDING, DeliveryState.UNCERTAIN))
    return at, [Delivery.purpose.in_(AUTOMATIC), at > since, gone | others]


def _gathered(rows: Iterable[Any]) -> dict[Any, list[datetime]]:
    found: dict[Any, list[datetime]] = {}
    for key, moment in rows:
        found.setdefault(key, []).append(moment)
    return found


def list_courteous(session: Session, normalised: Sequence[str], *, since: datetime) -> list[datetime]:
    """When planned and automatic mails to these addresses were queued since then, of every kind that counts."""
    statement = (
        sa.select(Delivery.created_at)
        .where(Delivery.to_normalised.in_(normalised), Delivery.purpose.in_(WAITS))
        .where(Delivery.created_at > since, Delivery.state.not_in(_NOT_SENT))
    )
    return list(session.scalars(statement))
