"""Handing queued mail to the provider: reserve, commit; begin, commit; talk; record, commit."""

import logging
import secrets
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import blobs, clock, closing, setbacks
from concierge.blobs import BlobMissing
from concierge.config import Config, Policy
from concierge.db import Sessions, reading
from concierge.errors import RuleBroken
from concierge.mailing import commands, leases, outbox, pace, queries, reporting
from concierge.mailing.breaker import Breaker
from concierge.mailing.caps import Caps
from concierge.mailing.leases import LeaseClock
from concierge.mailing.models import Delivery, Lane, ProviderPost
from concierge.mailing.providers import fallback_for, provider_for
from concierge.mailing.providers.base import Accepted, Provider, TransportError, pack, plain
from concierge.mailing.reports import key_of
from concierge.mailing.returns import return_path
from concierge.mailing.sendgrid_events import read_events
from concierge.mailing.sheets import unfold
from concierge.working import given, work_each

log = logging.getLogger(__name__)

BATCH = 50
# So many the clock of many machines knows to be due at a time.
_IN_SIGHT = 500
RUN_SECONDS = 10.0  # a run ends after this, so that a worker that is told to stop can
_SENDERS = {"sendgrid": 8}  # mails under way at a time, where each spends its time on the line
# So long a sender waits when the house's pace lets nothing leave.
_WAIT_SECONDS = 0.25
_JOBS = {Lane.SINGLE: "mailing.deliver_answers", Lane.BULK: "mailing.deliver_letters"}

Outcome = Accepted | TransportError | RuleBroken | BlobMissing


@dataclass(frozen=True)
class Batch:
    """Mails reserved together under a claim, and the clock by which it runs out."""

    claim: str
    deliveries: list[Delivery]
    leases: LeaseClock


@dataclass(frozen=True)
class Desk:
    """All that handing over needs."""

    lane: Lane
    config: Config
    secret: str
    sessions: Sessions
    provider: Provider
    breaker: Breaker
    read_blob: Callable[[str], bytes]
    only: Collection[int] | None = None


_breakers: WeakKeyDictionary[Provider, Breaker] = WeakKeyDictionary()


def provider_state() -> dict[str, Any]:
    """How this process finds the provider it last used: its name, and since when it can't be reached."""
    for carrier, breaker in _breakers.items():
        return {"name": carrier.name, "away_since": breaker.since.isoformat() if breaker.since else None}
    return {}


def deliver_answers(config: Config, sessions: Sessions, provider: Provider | None = None) -> int:
    """Hand over what somebody waits for, for ten seconds at most; returns how many mails were taken.

    Any number of workers may do this at a time. A worker that dies leaves at most one mail a sender in doubt.
    """
    return _hand_over_due(Lane.SINGLE, config, sessions, provider)


def deliver_letters(config: Config, sessions: Sessions, provider: Provider | None = None) -> int:
    """The same for mail written by the thousand, which never holds up the other."""
    return _hand_over_due(Lane.BULK, config, sessions, provider)


def deliver_due(config: Config, sessions: Sessions, provider: Provider | None = None) -> int:
    """Both, one after the other."""
    return deliver_answers(config, sessions, provider) + deliver_letters(config, sessions, provider)


def _hand_over_due(lane: Lane, config: Config, sessions: Sessions, provider: Provider | None) -> int:
    with reading(sessions) as session:
        if not queries.is_any_due(session, clock.now(), lane):
            return 0
        is_open = outbox.is_open(session, config)
    if not is_open:
        _shut_if_behind(config, sessions)
        return 0
    if (chosen := _choose(config, provider or provider_for(config))) is None:
        return 0
    carrier, breaker = chosen
    only = given(lambda: _in_sight(lane, config, sessions))
    if only is not None and not only:
        return 0
    desk = Desk(lane, config, config.secret, sessions, carrier, breaker, blobs.open_store(config).get, only)
    ends_at = time.monotonic() + RUN_SECONDS
    senders = _SENDERS.get(carrier.name, 1)
    if senders == 1:
        return _deliver(desk, ends_at)
    with ThreadPoolExecutor(senders, thread_name_prefix="sender") as pool:
        return sum(pool.map(lambda _number: _deliver(desk, ends_at), range(senders)))


def _choose(config: Config, first: Provider) -> tuple[Provider, Breaker] | None:
    """The first carrier, unless it is left alone; then the other one, once the first has been away for long enough.

    What goes by the other was never taken by the first: whatever it may have taken is uncertain, and not queued. When
    the first may be tried again it gets one mail, and all of them once it has taken it.
    """
    now = clock.machine_now()
    breaker = _breakers.setdefault(first, Breaker())
    if not breaker.holds(now):
        return first, breaker
    patience = timedelta(minutes=config.policy.fallback_minutes)
    if breaker.away_for(now) < patience or (second := fallback_for(config)) is None:
        return None
    breaker = _breakers.setdefault(second, Breaker())
    return None if breaker.holds(now) else (second, breaker)


def _in_sight(lane: Lane, config: Config, sessions: Sessions) -> list[int]:
    """What is due and nobody has in hand; no more than may leave in two seconds, for what is handed out waits there."""
    now, rate = clock.now(), config.policy.send_per_second
    but, lease = setbacks.resting(_JOBS[lane], now), config.policy.lease
    limit = min(_IN_SIGHT, max(2, int(2 * rate))) if rate else _IN_SIGHT
    with reading(sessions) as session:
        free_since = leases.lease_now(session) - lease
        return queries.list_due_ids(session, now, lane, limit=limit, but=but, free_since=free_since)


def next_answer(session: Session) -> datetime | None:
    """When the next mail somebody waits for is to leave."""
    return _next_due(session, Lane.SINGLE)


def next_letter(session: Session) -> datetime | None:
    """When the next of those written by the thousand is."""
    return _next_due(session, Lane.BULK)


def _next_due(session: Session, lane: Lane) -> datetime | None:
    return queries.next_due_at(session, lane, but=setbacks.resting(_JOBS[lane], clock.now()))


def settle_orphans(config: Config, sessions: Sessions) -> int:
    """Deliveries left `sending` by a worker that died become `uncertain`, never sent again by themselves."""
    job, lease = "mailing.settle_orphans", config.policy.lease

    def settle(session: Session, delivery_id: int) -> bool:
        held_at = leases.lease_now(session)
        return commands.settle_orphans(session, lease=lease, now=clock.now(), held_at=held_at, only=delivery_id) > 0

    with reading(sessions) as session:
        before = leases.lease_now(session) - lease
        found = queries.list_orphaned(session, before, but=setbacks.resting(job, clock.now()))
    return work_each(sessions, job, found, settle)


def keep_mark(config: Config, sessions: Sessions) -> int:
    """Note how far the house has come, in the database and then on this machine; 0, for nothing was waiting for it."""
    with reading(sessions) as session:
        is_open = outbox.is_open(session, config)
    if not is_open:
        return _shut_if_behind(config, sessions)
    with sessions() as session:
        house, mark = outbox.raise_mark(session)
        session.commit()
    if house:
        outbox.keep_mark(outbox.mark_file(config), house, mark)
    return 0


def _shut_if_behind(config: Config, sessions: Sessions) -> int:
    with reading(sessions) as session:
        if outbox.is_shut(session):
            return 0
    with sessions() as session:
        was_behind = outbox.shut_if_behind(session, config, now=clock.now())
        session.commit()
    return int(was_behind)


def read_reports(config: Config, sessions: Sessions) -> int:
    """Act on what providers have posted: how many posts were read."""
    job, store = "mailing.read_reports", blobs.open_store(config)

    def read(session: Session, post_id: int) -> bool:
        post = session.get_one(ProviderPost, post_id, with_for_update=True)
        if post.read_at is not None:
            return False
        reporting.read_post(session, post, read_events(store.get(post.blob_key)), now=clock.now())
        return True

    with reading(sessions) as session:
        found = queries.list_unread_posts(session, but=setbacks.resting(job, clock.now()))
    return work_each(sessions, job, found, read)


def _deliver(desk: Desk, ends_at: float) -> int:
    taken = 0
    while not _is_over(desk, ends_at):
        claim = uuid4().hex
        if (batch := _reserve(desk, claim)) is None:
            time.sleep(_WAIT_SECONDS)
            continue
        if not batch.deliveries:
            break
        try:
            taken += _deliver_batch(desk, batch, ends_at)
        except OperationalError:
            raise
        except Exception:
            # The one under way comes to an unknown end with its lease, and is shown; the others need not wait for that.
            log.exception("a delivery could not be recorded")
            with desk.sessions() as session:
                commands.release_reserved(session, claim=claim)
                session.commit()
    return taken


def _reserve(desk: Desk, claim: str) -> Batch | None:
    """The next few; none when there are none, None when the house's pace lets none leave for now."""
    now, rate = clock.now(), desk.config.policy.send_per_second
    wanted = desk.breaker.room(clock.machine_now(), BATCH)
    try:
        with desk.sessions() as session:
            leases = LeaseClock.ask(session)
            if not wanted:
                return Batch(claim, [], leases)
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
                but=setbacks.resting(_JOBS[desk.lane], now),
                only=desk.only,
                limits=_limits(desk.config.policy),
            )
            pace.give_back(session, limit - len(reserved), rate)
            session.commit()
            desk.breaker.took(len(reserved))
            return Batch(claim, reserved, leases)
    except OperationalError:
        raise
    except Exception:
        log.exception("mails could not be reserved together, and are read one by one")
        _find_unreadable(desk, now)
        return Batch(claim, [], LeaseClock(now, 0.0))


def _limits(policy: Policy) -> Caps:
    return Caps(
        address=policy.automatic_mails_a_day,
        conversation=policy.automatic_mails_a_day_per_conversation,
        house=policy.automatic_mails_a_day_in_all,
    )


def _find_unreadable(desk: Desk, now: datetime) -> None:
    """One that spoils it for the others is found, and rests."""
    with reading(desk.sessions) as session:
        due = queries.list_due_ids(session, now, desk.lane, limit=BATCH, but=setbacks.resting(_JOBS[desk.lane], now))
    work_each(desk.sessions, _JOBS[desk.lane], due, lambda session, delivery_id: session.get_one(Delivery, delivery_id))


def _is_over(desk: Desk, ends_at: float) -> bool:
    """Whether no other mail is begun in this run."""
    return time.monotonic() >= ends_at or closing.TOLD.is_set() or desk.breaker.holds(clock.machine_now())


def _deliver_batch(desk: Desk, batch: Batch, ends_at: float) -> int:
    """Hand over one after the other; each commit records the last one and begins the next."""
    taken, left_over, claim = 0, False, batch.claim
    finished: tuple[Delivery, Outcome] | None = None
    for delivery in batch.deliveries:
        stop = _is_over(desk, ends_at)
        with desk.sessions() as session:
            if finished:
                _record(session, desk, claim, *finished)
            begun_at = batch.leases.now()
            begun = not stop and commands.begin_sending(session, delivery.id, claim=claim, now=begun_at)
            session.commit()
        finished = None
        left_over = left_over or not begun
        if stop:
            break
        if begun:
            outcome = _hand_over(desk, delivery, time.monotonic())
            taken += isinstance(outcome, Accepted)
            finished = (delivery, outcome)
    if finished or left_over:
        with desk.sessions() as session:
            if finished:
                _record(session, desk, claim, *finished)
            commands.release_reserved(session, claim=claim)
            session.commit()
    return taken


def _hand_over(desk: Desk, delivery: Delivery, begun_at: float) -> Outcome:
    """Build and send one mail, with no transaction open; `begun_at` is by the monotonic clock."""
    try:
        mail, at = unfold(delivery.content, desk.read_blob), desk.config.return_path
        parcel = pack(
            key_of(delivery.key, delivery.intent),
            mail,
            desk.read_blob,
            now=clock.now(),
            return_path=return_path(desk.secret, mail.sender.address, delivery.id, delivery.intent, at=at),
        )
    except BlobMissing as missing:
        return missing
    except Exception as error:  # the store of files is out of reach; nobody was called
        return TransportError(plain(error), reached=False)
    if time.monotonic() - begun_at > desk.config.policy.lease.total_seconds() / 2:
        # this process was asleep: others may think it dead
        return TransportError("The worker was held up.")
    try:
        accepted = desk.provider.send(parcel)
    except TransportError as error:
        _note_failure(desk, error)
        return error
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


def _record(session: Session, desk: Desk, claim: str, delivery: Delivery, outcome: Outcome) -> None:
    now = clock.now()
    if isinstance(outcome, Accepted):
        counted = commands.record_sent(session, delivery, outcome, claim=claim, provider=desk.provider.name, now=now)
    elif isinstance(outcome, TransportError):
        counted = commands.record_failure(
            session,
            delivery,
            outcome,
            claim=claim,
            provider=desk.provider.name,
            attempts_allowed=desk.config.policy.send_attempts,
            chance=secrets.randbelow(10**6) / 10**6,
            now=now,
        )
    else:
        counted = commands.record_unbuildable(session, delivery, outcome.sentence(), claim=claim, now=now)
    if not counted:
        log.warning("delivery %d was taken over while it was under way; its result is ignored", delivery.id)
