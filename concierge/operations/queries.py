"""Reading how the house runs: the worker's copies, what waits, and how long the last mails took."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import copies
from concierge.drafts.models import Draft
from concierge.followups.models import FollowUp
from concierge.followups.queries import HELD_UP, held_up_and_sent
from concierge.followups.queries import WAITS as FOLLOW_UP_WAITS
from concierge.imap_settings import ImapAccount
from concierge.inbound.models import InboundMail, InboundState, WatchedFolder
from concierge.mailing.models import Delivery, DeliveryState, Lane
from concierge.operations.models import Breach
from concierge.operations.state import Queue, Seen, Unread
from concierge.setbacks import resting
from concierge.wishes.offer_models import Offer

# Nobody needs to know more exactly how much there is of it.
MOST = 1000
# What was held up and left in this time counts as the backlog getting on.
_LATELY = timedelta(hours=1)
# So many of the last mails tell how long they took.
_LAST = 200
_TROUBLED = (
    DeliveryState.DEFERRED,
    DeliveryState.UNCERTAIN,
    DeliveryState.BOUNCED,
    DeliveryState.REJECTED,
    DeliveryState.FAILED,
)


def list_seen(session: Session) -> list[Seen]:
    """The copies of the worker, the last seen first."""
    return [
        Seen(each.id, each.host, each.pid, each.version, each.started_at, each.seen_at, each.lines, each.provider)
        for each in copies.list_copies(session)
    ]


def list_unread(session: Session, accounts: Iterable[ImapAccount]) -> list[Unread]:
    """The folders of these accounts that can't be read; one that is no longer read is no matter."""
    read = {(each.name, folder) for each in accounts for folder in each.folders}
    if not read:
        return []
    failing = sa.select(WatchedFolder.account, WatchedFolder.name, WatchedFolder.fault_since)
    failing = failing.where(WatchedFolder.fault_since.is_not(None)).order_by(WatchedFolder.fault_since)
    rows = session.execute(failing)
    return [Unread(f"{name} ({account})", since) for account, name, since in rows if since and (account, name) in read]


def list_breaches(session: Session) -> list[Breach]:
    """What browsers kept our pages from doing, the last seen first."""
    return list(session.scalars(sa.select(Breach).order_by(Breach.last_at.desc(), Breach.id.desc())))


def list_queues(session: Session, *, now: datetime) -> list[Queue]:
    """What waits to be done by the worker; not what was set aside."""
    found = []
    for name, job, number, since, waits in _queues(now):
        rows = sa.select(since).where(*waits, number.not_in(resting(job, now)))
        waiting = session.scalar(sa.select(sa.func.count()).select_from(rows.limit(MOST).subquery())) or 0
        oldest = session.scalar(rows.order_by(since).limit(1)) if waiting else None
        moved = None
        if name == "follow-ups" and oldest is not None and oldest <= now - HELD_UP:
            moved = next(held_up_and_sent(session, since=max(oldest, now - _LATELY)), None)
        found.append(Queue(name, waiting, oldest, moved))
    return found


def _queues(now: datetime) -> Iterator[tuple[str, str, Any, Any, tuple[Any, ...]]]:
    """For each: its name, the job that works it, the row's number, since when it waits, and what makes it wait."""
    kept = (InboundMail.state == InboundState.RECEIVED,)
    yield "mail", "inbound.file_received", InboundMail.id, InboundMail.received_at, kept
    answers = (Draft.due_at <= now, Draft.claimed_at.is_(None))
    yield "answers", "drafts.release_due", Draft.id, Draft.due_at, answers
    planned = (*FOLLOW_UP_WAITS, FollowUp.due_at <= now)
    yield "follow-ups", "followups.release_due", FollowUp.id, FollowUp.due_at, planned
    held = (Offer.left_at.is_(None), Offer.ended_at.is_(None), Offer.leaves_at <= now)
    yield "offers", "wishes.release.release_due", Offer.id, Offer.leaves_at, held
    for name, job, lane in (
        ("deliveries", "mailing.deliver_answers", Lane.SINGLE),
        ("letters", "mailing.deliver_letters", Lane.BULK),
    ):
        yield name, job, Delivery.id, Delivery.due_at, (lane.queued, Delivery.due_at <= now)


def last_filings(session: Session) -> list[float]:
    """Seconds from the arrival of a mail to its filing, for the last ones."""
    last = sa.select(InboundMail.received_at, InboundMail.settled_at).where(InboundMail.settled_at.is_not(None))
    rows = session.execute(last.order_by(InboundMail.id.desc()).limit(_LAST))
    return [(settled - received).total_seconds() for received, settled in rows if settled]


def last_sendings(session: Session) -> list[float]:
    """Seconds from the moment a mail was due to the moment its provider took it, for the last ones."""
    last = sa.select(Delivery.due_at, Delivery.sent_at).where(Delivery.sent_at.is_not(None))
    rows = session.execute(last.order_by(Delivery.id.desc()).limit(_LAST))
    return [(sent - due).total_seconds() for due, sent in rows if sent]


def count_troubled(session: Session, now: datetime) -> dict[str, int]:
    """How many mails due in the last 24 hours did not arrive, or may not have, by state; a state of none is 0."""
    lately = (Delivery.state.in_(_TROUBLED), Delivery.due_at > now - timedelta(days=1))
    found = session.execute(sa.select(Delivery.state, sa.func.count()).where(*lately).group_by(Delivery.state))
    return dict.fromkeys((each.value for each in _TROUBLED), 0) | {state.value: count for state, count in found}
