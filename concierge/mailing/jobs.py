"""The jobs of the post: handing over what is due by whichever carrier is there, and reading what carriers report."""

import logging
import time
from datetime import datetime
from functools import cache, partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from concierge import blobs, clock, setbacks
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.mailing import commands, leases, outbox, queries, reporting
from concierge.mailing.breaker import Breaker
from concierge.mailing.delivering import JOBS, deliver
from concierge.mailing.logbook import books_of, clear_books, read_book
from concierge.mailing.models import Lane, ProviderPost
from concierge.mailing.providers import fallback_for, provider_for
from concierge.mailing.providers.base import Provider
from concierge.mailing.sendgrid_events import read_events
from concierge.mailing.talking import Desk
from concierge.working import given, work_each

log = logging.getLogger(__name__)

# So many the clock of many machines knows to be due at a time.
_IN_SIGHT = 500
RUN_SECONDS = 10.0  # a run ends after this, so that a worker that is told to stop can
_LINES = {"sendgrid": 8}  # mails under way at a time, where each spends its time on the line; elsewhere one
# So long the logbooks of the dead are kept: whoever left them was settled at the first look after a lease.
_KEPT_SECONDS = 86_400.0

_breakers: WeakKeyDictionary[Provider, Breaker] = WeakKeyDictionary()


def provider_state() -> dict[str, Any]:
    """How this process finds the provider it last used: its name, and since when it can't be reached."""
    for carrier, breaker in _breakers.items():
        return {"name": carrier.name, "away_since": breaker.since.isoformat() if breaker.since else None}
    return {}


def deliver_answers(config: Config, sessions: Sessions, provider: Provider | None = None) -> int:
    """Hand over what somebody waits for, for ten seconds at most; returns how many mails were taken.

    Any number of workers may do this at a time. A worker that dies leaves at most a handful of mails in doubt.
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
    carrier, breaker, second = chosen
    only = given(lambda: _in_sight(lane, config, sessions))
    if only is not None and not only:
        return 0
    lines, ends_at, read_blob = (
        _LINES.get(carrier.name, 1),
        time.monotonic() + RUN_SECONDS,
        blobs.open_store(config).get,
    )
    return deliver(
        Desk(lane, config, config.secret, sessions, carrier, breaker, second, read_blob, only, ends_at, lines)
    )


def _choose(config: Config, first: Provider) -> tuple[Provider, Breaker, Provider | None] | None:
    """The first carrier, with the one that may replace it; that one once the first has been away for long enough.

    What goes by the other was never taken by the first: whatever it may have taken is uncertain, and not queued. When
    the first may be tried again it gets one mail, and all of them once it has taken it.
    """
    now, second = clock.machine_now(), fallback_for(config)
    breaker = _breakers.setdefault(first, Breaker())
    if not breaker.holds(now):
        return first, breaker, second
    if second is None or breaker.away_for(now) < config.policy.fallback_after:
        return None
    breaker = _breakers.setdefault(second, Breaker())
    return None if breaker.holds(now) else (second, breaker, None)


def _in_sight(lane: Lane, config: Config, sessions: Sessions) -> list[int]:
    """What is due and nobody has in hand; no more than may leave in two seconds, for what is handed out waits there."""
    now, rate = clock.now(), config.policy.send_per_second
    but, lease = setbacks.resting(JOBS[lane], now), config.policy.lease
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
    return queries.next_due_at(session, lane, but=setbacks.resting(JOBS[lane], clock.now()))


def settle_orphans(config: Config, sessions: Sessions) -> int:
    """Deliveries left `sending` by a worker that died become `uncertain`, never sent again by themselves.

    Its logbook, where it lies on this machine, says of most what became of them: what was taken is `sent`, and what was
    never offered is queued again.
    """
    job, lease, books = "mailing.settle_orphans", config.policy.lease, books_of(config)
    read = cache(partial(read_book, books))

    def settle(session: Session, delivery_id: int) -> bool:
        held_at = leases.lease_now(session)
        return commands.settle_orphans(
            session, lease=lease, now=clock.now(), held_at=held_at, only=delivery_id, read=read
        ) > 0  # fmt: skip

    with reading(sessions) as session:
        before = leases.lease_now(session) - lease
        found = queries.list_orphaned(session, before, but=setbacks.resting(job, clock.now()))
    settled = work_each(sessions, job, found, settle)
    clear_books(books, time.time() - _KEPT_SECONDS)
    return settled


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
        outbox.keep_mark(config, house, mark)
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
