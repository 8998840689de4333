"""A run of the post: reserve, commit; begin, commit; talk; record, commit.

Mails are reserved each to another address and begun a handful at a time; the commit that records one handful begins
the next.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock, setbacks
from concierge.blobs import BlobMissing
from concierge.config import Policy
from concierge.db import reading
from concierge.errors import RuleBroken
from concierge.mailing import commands, pace, queries
from concierge.mailing.caps import Caps
from concierge.mailing.leases import LeaseClock
from concierge.mailing.logbook import Book, books_of, keep_book
from concierge.mailing.models import Delivery, Lane
from concierge.mailing.providers.base import Accepted, TransportError
from concierge.mailing.talking import Desk, Outcome, hand_over
from concierge.rows import unswept
from concierge.working import work_each

log = logging.getLogger(__name__)

JOBS = {Lane.SINGLE: "mailing.deliver_answers", Lane.BULK: "mailing.deliver_letters"}
BATCH = 96
# Mails begun together: as many as the provider takes in so long by what it took last, but no more than a machine that
# dies may leave in doubt; of a worker that dies its logbook tells. The first of a run are as many as there are lines.
_HANDFUL = 32
_QUICK_SECONDS = 1.0
# So long a sender waits when the house's pace lets nothing leave.
_WAIT_SECONDS = 0.25


@dataclass
class Batch:
    """Mails reserved together under a claim, the clock by which it runs out, and what has come of it so far."""

    claim: str
    deliveries: list[Delivery]
    leases: LeaseClock
    book: Book
    finished: list[tuple[Delivery, Outcome]] = field(default_factory=list)
    taken: int = 0

    @property
    def ids(self) -> list[int]:
        """Their numbers."""
        return [each.id for each in self.deliveries]


def deliver(desk: Desk) -> int:
    """Hand over what is due in the desk's lane until nothing is or the run ends; how many mails were taken."""
    taken, most = 0, desk.lines
    while not desk.is_over:
        claim = uuid4().hex
        with unswept(), keep_book(books_of(desk.config), claim, desk.provider.name) as book:
            batch = _reserve(desk, claim, book)
            if batch is not None and batch.deliveries:
                most = _deliver_batch(desk, batch, most)
        if batch is None:
            time.sleep(_WAIT_SECONDS)
        elif not batch.deliveries:
            break
        else:
            taken += batch.taken
    return taken


def _reserve(desk: Desk, claim: str, book: Book) -> Batch | None:
    """The next few; none when there are none, None when the house's pace lets none leave for now."""
    now, rate = clock.now(), desk.config.policy.send_per_second
    wanted = desk.breaker.room(clock.machine_now(), BATCH)
    try:
        with desk.sessions() as session:
            leases = LeaseClock.ask(session)
            if not wanted:
                return Batch(claim, [], leases, book)
            if not (limit := pace.take(session, wanted, rate, desk.lane)):
                return None
            reserved = commands.reserve_due(
                session,
                desk.lane,
                claim=claim,
                now=now,
                held_at=leases.asked,
                lease=desk.config.policy.lease,
                limit=limit,
                but=setbacks.resting(JOBS[desk.lane], now, *JOBS.values()),
                only=desk.only,
                limits=_limits(desk.config.policy),
            )
            pace.give_back(session, limit - len(reserved), rate)
            session.commit()
            desk.breaker.took(len(reserved))
            return Batch(claim, reserved, leases, book)
    except OperationalError:
        raise
    except Exception:
        log.exception("mails could not be reserved together, and are read one by one")
        _find_unreadable(desk, now)
        return Batch(claim, [], LeaseClock(now, 0.0), book)


def _limits(policy: Policy) -> Caps:
    return Caps(
        address=policy.automatic_mails_a_day,
        conversation=policy.automatic_mails_a_day_per_conversation,
        house=policy.automatic_mails_a_day_in_all,
    )


def _find_unreadable(desk: Desk, now: datetime) -> None:
    """One that spoils it for the others is found, and rests."""
    with reading(desk.sessions) as session:
        due = queries.list_due_ids(session, now, desk.lane, limit=BATCH, but=setbacks.resting(JOBS[desk.lane], now))
    work_each(desk.sessions, JOBS[desk.lane], due, lambda session, delivery_id: session.get_one(Delivery, delivery_id))


def _deliver_batch(desk: Desk, batch: Batch, most: int) -> int:
    """Hand over a batch, at most so many at first; how many may be begun together after it."""
    try:
        return _deliver_handfuls(desk, batch, most)
    except OperationalError:
        raise
    except Exception:
        log.exception("deliveries could not be recorded together, and are recorded one by one")
        _record_each(desk, batch)
        return desk.lines


def _deliver_handfuls(desk: Desk, batch: Batch, most: int) -> int:
    """Hand over one after the other; each commit records the last and begins the next."""
    waiting = batch.deliveries
    while True:
        handful = [] if desk.is_over else waiting[:most]
        with desk.sessions() as session:
            _record(session, desk, batch.claim, batch.finished)
            begun = _begin(session, batch, handful)
            session.commit()
        if not handful:
            return most
        began_at = time.monotonic()
        batch.finished = hand_over(desk, batch.book, begun, began_at)
        batch.taken += sum(isinstance(outcome, Accepted) for _delivery, outcome in batch.finished)
        in_time = int(len(handful) * _QUICK_SECONDS / max(time.monotonic() - began_at, 1e-6))
        most = max(desk.lines, min(_HANDFUL, in_time))
        waiting = waiting[len(handful) :]


def _begin(session: Session, batch: Batch, handful: Sequence[Delivery]) -> list[Delivery]:
    """Those that may be handed over now; with none left the others of the batch are given back."""
    if not handful:
        commands.release_reserved(session, batch.ids, claim=batch.claim)
        return []
    ids = [each.id for each in handful]
    begun = commands.begin_sending(session, ids, claim=batch.claim, now=batch.leases.now())
    return [each for each in handful if each.id in begun]


def _record(session: Session, desk: Desk, claim: str, finished: Sequence[tuple[Delivery, Outcome]]) -> None:
    now, provider = clock.now(), desk.provider.name
    counted = {each.id for each, outcome in finished if outcome is None}
    if counted:
        commands.put_back(session, counted, claim=claim)
    if taken := {each.id: outcome for each, outcome in finished if isinstance(outcome, Accepted)}:
        counted |= commands.record_sent(session, taken, claim=claim, provider=provider, now=now)
    for delivery, outcome in finished:
        if isinstance(outcome, TransportError):
            ours = commands.record_failure(
                session,
                delivery,
                outcome,
                claim=claim,
                provider=provider,
                attempts_allowed=desk.config.policy.send_attempts,
                chance=secrets.randbelow(10**6) / 10**6,
                now=now,
            )
        elif isinstance(outcome, RuleBroken | BlobMissing):
            ours = commands.record_unbuildable(session, delivery, outcome.sentence(), claim=claim, now=now)
        else:
            ours = delivery.id in counted
        if not ours:
            log.warning("delivery %d was taken over while it was under way; its result is ignored", delivery.id)


def _record_each(desk: Desk, batch: Batch) -> None:
    """One that can't be recorded comes to an unknown end with its lease, and is shown; the others have theirs."""
    for each in batch.finished:
        try:
            with desk.sessions() as session:
                _record(session, desk, batch.claim, [each])
                session.commit()
        except OperationalError:
            raise
        except Exception:
            log.exception("delivery %d could not be recorded", each[0].id, extra={"delivery": each[0].id})
    with desk.sessions() as session:
        commands.release_reserved(session, batch.ids, claim=batch.claim)
        session.commit()
