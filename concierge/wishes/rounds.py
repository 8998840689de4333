"""Sharing out the free units of a product: whose turn it is, what she is offered, and writing it down in bulk."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.catalogue.stock import take_units
from concierge.customers.zones import zone_of
from concierge.rows import insert_many, is_one_of
from concierge.wishes import clockwork, queries, shelves, waves
from concierge.wishes.models import Wish, WishState, WishVariant
from concierge.wishes.offer_models import Offer, OfferState, Rule, Wave
from concierge.wishes.queues import Waiting, read_queue
from concierge.wishes.waves import Key, Place, Turn

# Offers made in one transaction.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Somebody whose turn it is, and what she is offered; `holds` when units are set aside for her."""

    turn: Turn
    variant_id: int
    holds: bool

    @property
    def waiting(self) -> Waiting:
        """What an offer to her needs."""
        found: Waiting = self.turn.who.facts
        return found

    @property
    def wish_id(self) -> int:
        """The wish it is for."""
        return self.turn.who.wish_id


class Round:
    """One fair round over all variants of a product that have free units; `deal` until it is over, a commit after each.

    All truth is in the tables: a round that is lost half-way has offered what was committed, and the next one goes on.
    """

    def __init__(self, session: Session, variant_id: int, *, zone: ZoneInfo, now: datetime) -> None:
        """`zone` is the house's, for customers who have none. Nothing is written before `deal`."""
        self._session, self._zone, self._now = session, zone, now
        self._policy = queries.policy_or_first(session)
        self._free = shelves.free_units(session, variant_id, now)
        self._shelves: dict[int, waves.Shelf] = {}
        self._waves: dict[int, int] = {}
        self._leaves_at: dict[ZoneInfo, datetime] = {}
        self._walk: waves.Walk | None = None
        self._marks: dict[str, list[int]] = defaultdict(list)
        self.is_over = not self._free

    def deal(self, session: Session, *, limit: int = AT_ONCE) -> int:
        """Make up to `limit` offers in the session's transaction; how many. `is_over` when nobody is left."""
        self._session = session
        walk = self._walk or self.begin(session)
        chosen: list[_Chosen] = []
        while not self.is_over and len(chosen) < limit:
            turn = walk.next(self._fits) if any(each.fits(1) for each in self._shelves.values()) else None
            if turn is None:
                self.is_over = True
            else:
                chosen.append(self._choose(turn))
        self._write_marks()
        made = self._secure(chosen)
        if made:
            self._write(made)
        return len(made)

    def begin(self, session: Session) -> waves.Walk:
        """Set units aside for those they are owed to, and stand at the head of the queue; `deal` does it by itself."""
        self._session = session
        for variant_id, units in self._free.items():
            left = shelves.promote(self._session, variant_id, units)
            self._shelves[variant_id] = shelves.fill(self._session, variant_id, left, self._policy)
        self._walk = waves.Walk(
            self._places(None, plain_only=False),
            lambda passed: self._places(passed, plain_only=True),
            share=self._policy.tier_share,
            running=queries.running_of(self._session, list(self._free)),
            passing=self._pass_over,
        )
        return self._walk

    def _places(self, behind: Key | None, *, plain_only: bool) -> Iterator[Place]:
        """The queues of all these variants as one."""
        streams = [
            read_queue(
                lambda: self._session,
                variant_id,
                behind=behind,
                plain_only=plain_only,
                now=self._now,
                zone=self._zone,
            )
            for variant_id in self._free
        ]
        if len(streams) == 1:
            yield from (each.place((each.variant_id,)) for each in streams[0])
            return
        merged = heapq.merge(*streams, key=lambda each: each.key)
        for _, group in groupby(merged, key=lambda each: each.wish_id):
            entries = sorted(group, key=lambda each: each.preference)
            yield entries[0].place(tuple(each.variant_id for each in entries))

    def _fits(self, who: Place) -> bool:
        return waves.choose_variant(who, self._shelves) is not None

    def _choose(self, turn: Turn) -> _Chosen:
        variant_id = waves.choose_variant(turn.who, self._shelves)
        assert variant_id is not None
        return _Chosen(turn, variant_id, self._shelves[variant_id].give(turn.who.quantity))

    def _pass_over(self, who: Place) -> None:
        """Keep the reason on her wish; a rest is no reason to be told."""
        reason = who.void or (waves.TOO_FEW if who.quantity > 1 else "")
        reason = "" if reason == waves.RESTS else reason
        if reason != who.facts.skipped_because:
            self._marks[reason].append(who.wish_id)
            if len(self._marks[reason]) >= AT_ONCE:
                self._write_marks()

    def _write_marks(self) -> None:
        for reason, wish_ids in self._marks.items():
            self._session.execute(
                sa.update(Wish)
                .where(Wish.id.in_(sorted(wish_ids)), Wish.state == WishState.WAITING)
                .values(skipped_because=reason)
                .execution_options(synchronize_session=False)
            )
        self._marks.clear()

    def _secure(self, chosen: Sequence[_Chosen]) -> list[_Chosen]:
        """Those who still wait and whose units are really ours; wishes are locked before units, as everywhere."""
        waiting = shelves.lock_waiting(self._session, [each.wish_id for each in chosen])
        secured: list[_Chosen] = []
        for variant_id in self._free:
            theirs = [each for each in chosen if each.variant_id == variant_id and each.wish_id in waiting]
            holding = [each for each in theirs if each.holds]
            while holding and not take_units(self._session, variant_id, sum(_quantity(each) for each in holding)):
                # Somebody was quicker with a unit: the last placed wait for the next round.
                free = shelves.free_units(self._session, variant_id, self._now).get(variant_id, 0)
                while holding and sum(_quantity(each) for each in holding) > free:
                    holding.pop()
            secured += holding + [each for each in theirs if not each.holds]
        return sorted(secured, key=lambda each: each.turn.place)

    def _write(self, made: Sequence[_Chosen]) -> None:
        for variant_id in {each.variant_id for each in made} - self._waves.keys():
            self._waves[variant_id] = self._open(variant_id)
        wish_ids = sorted(each.wish_id for each in made)
        insert_many(self._session, cast("sa.Table", Offer.__table__), [self._offer(each) for each in made])
        self._session.execute(
            sa.update(Wish)
            .where(is_one_of(self._session, Wish.id, wish_ids))
            .values(state=WishState.OFFERED, skipped_because="", rests_until=None)
            .execution_options(synchronize_session=False)
        )
        self._session.execute(
            sa.update(WishVariant)
            .where(is_one_of(self._session, WishVariant.wish_id, wish_ids))
            .values(is_waiting=False)
            .execution_options(synchronize_session=False)
        )
        self._session.expire_all()

    def _open(self, variant_id: int) -> int:
        """A new wave; its number, which outlives the session."""
        if self._policy.id is None:
            self._policy.saved_at = self._now
            self._session.add(self._policy)
            self._session.flush()
        wave = Wave(
            variant_id=variant_id,
            restock_id=shelves.find_restock(self._session, variant_id),
            policy_id=self._policy.id,
            at=self._now,
            units=self._free[variant_id],
            waiting=queries.count_waiting(self._session, variant_id),
        )
        self._session.add(wave)
        audit.record(self._session, "wave.opened", wave, by=None, now=self._now, units=wave.units, waiting=wave.waiting)
        self._session.flush()
        return wave.id

    def _offer(self, each: _Chosen) -> dict[str, Any]:
        return {
            "wave_id": self._waves[each.variant_id],
            "wish_id": each.wish_id,
            "customer_id": each.waiting.customer_id,
            "variant_id": each.variant_id,
            "state": OfferState.OPEN,
            "quantity": each.waiting.quantity,
            "holds": each.holds,
            "says_held": waves.says_held(each.waiting.quantity, bounded=self._policy.rule is Rule.BOUNDED),
            "price_cents": each.waiting.price_cents,
            "place": each.turn.place,
            "before_by_tier": each.turn.before_by_tier,
            "by_tier": each.turn.by_tier,
            "made_at": self._now,
            "editor_id": each.waiting.editor_id,
            "words": "",
            "similar": [],
            "leaves_at": self._leaves(zone_of(each.waiting.timezone, each.waiting.country, self._zone)),
        }

    def _leaves(self, zone: ZoneInfo) -> datetime:
        """When its mail may leave: once the desk had its time, and not while she sleeps."""
        if zone not in self._leaves_at:
            ready = self._now + timedelta(minutes=self._policy.desk_minutes)
            self._leaves_at[zone] = clockwork.next_waking(ready, zone, self._policy)
        return self._leaves_at[zone]


def _quantity(each: _Chosen) -> int:
    return each.turn.who.quantity
