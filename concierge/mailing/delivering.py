"""A run of the post: reserve, commit; begin, commit; talk; record, commit.

Mails are begun a handful at a time, each to another address, and the commit that records one handful begins the next.
"""

import logging
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import uuid4

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock, closing, setbacks
from concierge.blobs import BlobMissing
from concierge.config import Config, Policy
from concierge.db import Sessions, reading
from concierge.errors import RuleBroken
from concierge.mailing import commands, pace, queries
from concierge.mailing.breaker import Breaker
from concierge.mailing.caps import Caps
from concierge.mailing.leases import LeaseClock
from concierge.mailing.logbook import Book, books_of, keep_book
from concierge.mailing.models import Delivery, Lane
from concierge.mailing.providers.base import Accepted, Provider, TransportError, pack, plain
from concierge.mailing.reports import key_of
from concierge.mailing.returns import return_path
from concierge.mailing.sheets import unfold
from concierge.working import work_each

log = logging.getLogger(__name__)

JOBS = {Lane.SINGLE: "mailing.deliver_answers", Lane.BULK: "mailing.deliver_letters"}
BATCH = 50
# Mails begun together while the provider answers quickly: what a worker that dies may leave in doubt.
_HANDFUL = 8
_QUICK_SECONDS = 1.0  # for a handful; after a slower one only as many are begun as there are lines
# So long a sender waits when the house's pace lets nothing leave.
_WAIT_SECONDS = 0.25

# None: the provider was not called after all.
Outcome = Accepted | TransportError | RuleBroken | BlobMissing | None


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


@dataclass(frozen=True)
class Desk:
    """All that handing over needs."""

    lane: Lane
    config: Config
    secret: str
    sessions: Sessions
    provider: Provider
    breaker: Breaker
    second: Provider | None  # who carries what this one can't be given, once it has been away for long enough
    read_blob: Callable[[str], bytes]
    only: Collection[int] | None
    ends_at: float  # by the monotonic clock
    lines: int  # mails under way at a time
    pool: Executor | None  # where they are several

    @property
    def is_over(self) -> bool:
        """Whether no other mail is handed over in this run."""
        over = time.monotonic() >= self.ends_at or closing.TOLD.is_set()
        return over or self.breaker.holds(clock.machine_now())

    @property
    def is_replaced(self) -> bool:
        """Whether the second carrier takes over by now."""
        away = self.breaker.away_for(clock.machine_now())
        return self.second is not None and away >= self.config.policy.fallback_after


def deliver(desk: Desk) -> int:
    """Hand over what is due in the desk's lane until nothing is or the run ends; how many mails were taken."""
    taken = 0
    while not desk.is_over:
        claim = uuid4().hex
        with keep_book(books_of(desk.config), claim, desk.provider.name) as book:
            batch = _reserve(desk, claim, book)
            if batch is not None and batch.deliveries:
                _deliver_batch(desk, batch)
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
                but=setbacks.resting(JOBS[desk.lane], now),
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


def _deliver_batch(desk: Desk, batch: Batch) -> None:
    try:
        _deliver_handfuls(desk, batch)
    except OperationalError:
        raise
    except Exception:
        log.exception("deliveries could not be recorded together, and are recorded one by one")
        _record_each(desk, batch)


def _deliver_handfuls(desk: Desk, batch: Batch) -> None:
    """Hand over one after the other; each commit records the last and begins the next."""
    waiting, most = batch.deliveries, desk.lines
    while True:
        handful = [] if desk.is_over else _handful(waiting, most)
        with desk.sessions() as session:
            _record(session, desk, batch.claim, batch.finished)
            begun = _begin(session, batch, handful)
            session.commit()
        if not handful:
            return
        began_at = time.monotonic()
        batch.finished = _hand_over_all(desk, batch, begun, began_at)
        batch.taken += sum(isinstance(outcome, Accepted) for _delivery, outcome in batch.finished)
        most = _HANDFUL if time.monotonic() - began_at < _QUICK_SECONDS else desk.lines
        waiting = waiting[len(handful) :]


def _handful(waiting: Sequence[Delivery], most: int) -> Sequence[Delivery]:
    """The next few, up to the second to one person: hers arrive in the order written."""
    known: set[str] = set()
    for number, delivery in enumerate(waiting[:most]):
        if delivery.to_normalised in known:
            return waiting[:number]
        known.add(delivery.to_normalised)
    return waiting[:most]


def _begin(session: Session, batch: Batch, handful: Sequence[Delivery]) -> list[Delivery]:
    """Those that may be handed over now; with none left the others of the batch are given back."""
    if not handful:
        commands.release_reserved(session, batch.ids, claim=batch.claim)
        return []
    ids = [each.id for each in handful]
    begun = commands.begin_sending(session, ids, claim=batch.claim, now=batch.leases.now())
    return [each for each in handful if each.id in begun]


def _hand_over_all(
    desk: Desk, batch: Batch, begun: Sequence[Delivery], began_at: float
) -> list[tuple[Delivery, Outcome]]:
    """Each in its turn, or all at a time where there are several lines."""
    talk = partial(_hand_over, desk, batch.book, began_at)
    outcomes = desk.pool.map(talk, begun) if desk.pool else map(talk, begun)
    return list(zip(begun, outcomes, strict=True))


def _hand_over(desk: Desk, book: Book, began_at: float, delivery: Delivery) -> Outcome:
    """Build and send one mail, with no transaction open; `began_at` is by the monotonic clock."""
    if desk.is_over:
        return None
    try:
        mail, at = unfold(delivery.content, desk.read_blob), desk.config.return_path
        parcel = pack(
            key_of(delivery.key, delivery.intent),
            mail,
            desk.read_blob,
            now=clock.now(),
            return_path=return_path(desk.secret, mail.sender.address, delivery.id, delivery.intent, at=at),
        )
        book.note_offered(delivery.id)
    except BlobMissing as missing:
        return missing
    except Exception as error:  # the store of files is out of reach; nobody was called
        return TransportError(plain(error), reached=False)
    if time.monotonic() - began_at > desk.config.policy.lease.total_seconds() / 2:
        return None  # this process was asleep, or those before took long: others may think it dead
    try:
        accepted = desk.provider.send(parcel)
        with suppress(OSError):
            book.note_taken(delivery.id, accepted)
    except TransportError as error:
        _note_failure(desk, error)
        return None if desk.is_replaced and not error.reached else error
    except RuleBroken as broken:
        return broken
    except Exception as error:  # a fault of ours in the middle of talking: nobody knows how far it came
        log.exception("delivery %d", delivery.id, extra={"delivery": delivery.id})
        return TransportError(plain(error), uncertain=True)
    desk.breaker.end(clock.machine_now())
    return accepted


def _note_failure(desk: Desk, error: TransportError) -> None:
    """What a failure says of the provider itself."""
    now = clock.machine_now()
    if not error.reached:
        desk.breaker.begin(now, error.retry_after)
        log.warning("%s: %s", desk.provider.name, error.words)
    elif error.uncertain:
        desk.breaker.doubt(now)
    else:
        desk.breaker.end(now)


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
