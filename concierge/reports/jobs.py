"""What the house counts by itself: the wishes, as often as it can afford, and the queue after a new policy."""

import time
from datetime import datetime, timedelta

from concierge import clock, copies
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.reports import commands, counting, queries
from concierge.reports.models import DemandCount, ProductTally, VariantTally
from concierge.reports.ranking import rank_next
from concierge.setbacks import resting
from concierge.wishes.queries import policy_or_first
from concierge.working import try_each

# A small house is counted every few seconds. Counting takes one part in so many of the time, however large the house.
_AT_LEAST = timedelta(seconds=4)
_ONE_IN = 50
# Without anything new only ages change.
_UNCHANGED = timedelta(minutes=10)
# Whoever began to count and said nothing for so long is not coming back.
_GONE = timedelta(minutes=10)
_AT_ONCE = 500
_SECONDS = 5.0


def count_demand(config: Config, sessions: Sessions) -> int:
    """Count the wishes anew when it is time; how many tallies are others than before."""
    now = clock.now()
    with reading(sessions) as session:
        pulse = queries.pulse(session)
        if not is_due(queries.find_count(session, finished_only=False), pulse, now=now):
            return 0
    with sessions() as session:
        count_id = commands.begin_count(session, pulse=pulse, now=now).id
        session.commit()
    return _count(sessions, count_id, now=now)


def is_due(last: DemandCount | None, pulse: int, *, now: datetime) -> bool:
    """Whether to count again after `last`, which took as long as it says."""
    if last is None:
        return pulse > 0
    if last.counted_at is None:
        return now - last.begun_at > _GONE
    if last.pulse == pulse:
        return now - last.begun_at >= _UNCHANGED
    return now - last.begun_at >= max(_AT_LEAST, timedelta(milliseconds=last.took_ms * _ONE_IN))


def _count(sessions: Sessions, count_id: int, *, now: datetime) -> int:
    """Look without holding anybody up, then write what is different, a little at a time.

    Whoever was asleep meanwhile must not write what was true then over what another counted since.
    """
    began, lease = time.monotonic(), copies.OURS.number
    with reading(sessions) as session:
        count = counting.count_house(session, policy_or_first(session), now=now)
        kept = ((VariantTally, count.variants), (ProductTally, count.products))
        changed = [(kind, values, commands.list_changed(session, kind, values)) for kind, values in kept]
    for kind, values, ids in changed:
        for begin in range(0, len(ids), _AT_ONCE):
            with sessions() as session:
                copies.fence(session, lease)
                commands.keep_tallies(session, kind, ids[begin : begin + _AT_ONCE], values)
                session.commit()
    took_ms = int((time.monotonic() - began) * 1000)
    with sessions() as session:
        copies.fence(session, lease)
        commands.finish_count(session, count_id, count.house, took_ms=took_ms, now=clock.now())
        session.commit()
    return sum(len(ids) for _kind, _values, ids in changed)


def rank_anew(config: Config, sessions: Sessions) -> int:
    """Rank the waiting wishes anew under a policy with other head starts, some hundred at a time; how many moved."""
    job, now = "reports.rank_anew", clock.now()
    with reading(sessions) as session:
        unranked = queries.list_unranked_policy_ids(session, but=resting(job, now))
    return try_each(sessions, job, unranked[:1], lambda policy_id: _rank(sessions, policy_id))


def _rank(sessions: Sessions, policy_id: int) -> int:
    moved, latest = 0, time.monotonic() + _SECONDS
    while time.monotonic() < latest:
        with sessions() as session:
            batch = rank_next(session, policy_id, limit=_AT_ONCE, now=clock.now())
            session.commit()
        moved += batch.moved
        if batch.is_last:
            break
    return moved
