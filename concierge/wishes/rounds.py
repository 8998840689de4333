"""Sharing out the free units of a product: whose turn it is, what she is offered, and writing it down in bulk."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Protocol, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.catalogue.stock import take_units
from concierge.customers.zones import zone_of
from concierge.rows import Columns, Same, insert_columns, one_of, pairs, reserve_ids
from concierge.wishes import clockwork, leaving, queries, shelves, talks, waves
from concierge.wishes.leaving import Leaving, Terms, Wisher
from concierge.wishes.models import Wish, WishState, WishVariant
from concierge.wishes.offer_models import Offer, OfferState, Rule, Wave
from concierge.wishes.own_queues import OwnQueues, Stood
from concierge.wishes.queueing import Left
from concierge.wishes.queues import Waiting, read_queue
from concierge.wishes.waves import Key, Place, Turn

# Offers made in one transaction.
AT_ONCE = 1000
_TOGETHER = timedelta(hours=1)
_offers = cast("sa.Table", Offer.__table__)


class _Chosen(NamedTuple):
    """Somebody whose turn it is, what she is offered and where she stood for it; `holds` when it is set aside."""

    turn: Turn
    variant_id: int
    stood: Stood
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


class Gate(Protocol):
    """Where mails leave with their offers; `departing.Gate` is one."""

    def open(self, session: Session, wishers: Mapping[int, Wisher], policy_id: int, *, now: datetime) -> None: ...
    def let_go(self, session: Session, offers: Sequence[Leaving]) -> Mapping[int, Left]: ...


class Round:
    """One fair round over all variants of a product that have free units; `deal` until it is over, a commit after each.

    All truth is in the tables: a round that is lost half-way has offered what was committed, and the next one goes on.
    """

    def __init__(
        self, session: Session, variant_id: int, *, zone: ZoneInfo, now: datetime, within: timedelta = _TOGETHER
    ) -> None:
        """`zone` is the house's, for customers who have none; `within` this time what leaves for one person belongs
        together. Nothing is written before `deal`.
        """
        self._session, self._zone, self._now, self._within = session, zone, now, within
        self._variant_id, self._policy = variant_id, queries.policy_or_first(session)
        self._free = shelves.free_units(session, variant_id, now)
        self._shelves: dict[int, waves.Shelf] = {}
        self._waves: dict[int, int] = {}
        self._waiting: dict[int, int] = {}
        self._leaves_at: dict[ZoneInfo, datetime] = {}
        self._walk: waves.Walk | None = None
        self._queues = OwnQueues(
            lambda variant_id, behind: self._read(variant_id, behind, plain_only=True),
            lambda variant_id, quantity: self._shelves[variant_id].fits(quantity),
            several=len(self._free) > 1,
        )
        self._marks: dict[str, list[int]] = defaultdict(list)
        self.is_over = not self._free

    def deal(self, session: Session, *, limit: int = AT_ONCE, gate: Gate | None = None) -> int:
        """Make up to `limit` offers in the session's transaction; how many. `is_over` when nobody is left.

        Through a `gate` their mails leave with them, where nothing is to be waited for.
        """
        self._session = session
        walk = self._walk or self.begin(session)
        chosen: list[_Chosen] = []
        while not self.is_over and len(chosen) < limit:
            turn = walk.next(self._fits) if any(each.fits(1) for each in self._shelves.values()) else None
            if turn is None:
                self.is_over = True
            else:
                chosen.append(self._choose(turn))
        wishers = self._lock(chosen)
        self._write_marks()
        if wishers and gate and not self._policy.desk_minutes:
            gate.open(self._session, wishers, self._kept_policy(), now=self._now)
        else:
            gate = None
        made = self._secure([each for each in chosen if each.wish_id in wishers])
        if made:
            self._write(made, wishers, gate)
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
        streams = [self._read(variant_id, behind, plain_only=plain_only) for variant_id in self._free]
        if len(streams) == 1:
            yield from (each.place((each.variant_id,)) for each in streams[0])
            return
        merged = heapq.merge(*streams, key=lambda each: each.key)
        for _, group in groupby(merged, key=lambda each: each.wish_id):
            entries = sorted(group, key=lambda each: each.preference)
            yield entries[0].place(tuple(each.variant_id for each in entries))

    def _read(self, variant_id: int, behind: Key | None, *, plain_only: bool) -> Iterator[Waiting]:
        return read_queue(
            lambda: self._session, variant_id, behind=behind, plain_only=plain_only, now=self._now, zone=self._zone
        )

    def _fits(self, who: Place) -> bool:
        return waves.choose_variant(who, self._shelves) is not None

    def _choose(self, turn: Turn) -> _Chosen:
        variant_id = waves.choose_variant(turn.who, self._shelves)
        assert variant_id is not None
        stood = self._queues.give(turn, variant_id)
        return _Chosen(turn, variant_id, stood, self._shelves[variant_id].give(turn.who.quantity))

    def _pass_over(self, who: Place) -> None:
        """Keep the reason on her wish; a rest is no reason to be told."""
        self._queues.pass_over(who)
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

    def _lock(self, chosen: Sequence[_Chosen]) -> dict[int, Wisher]:
        """Those who still wait for what was chosen, by wish; locked with who is marked, so that nobody crosses."""
        marked = [wish_id for wish_ids in self._marks.values() for wish_id in wish_ids]
        locked = leaving.lock_wishers(self._session, [*(each.wish_id for each in chosen), *marked])
        terms = leaving.list_terms(self._session, {each.wish_id: each.variant_id for each in chosen})
        wishers = {
            each.wish_id: locked[each.wish_id]
            for each in chosen
            if each.wish_id in locked and each.wish_id in terms and self._suits(each, terms[each.wish_id])
        }
        since = self._now - self._within
        return talks.joined(self._session, wishers, variant_id=self._variant_id, written_since=since)

    def _suits(self, chosen: _Chosen, terms: Terms) -> bool:
        """Whether what was chosen for her is still what she asks for; else she waits for the next round."""
        today = self._now.astimezone(self._zone).date()
        facts = waves.Facts(chosen.waiting.price_cents, today, self._now, *terms[1:])
        return terms.quantity == chosen.turn.who.quantity and not waves.void(facts)

    def _secure(self, chosen: Sequence[_Chosen]) -> list[_Chosen]:
        """Those whose units are really ours; their wishes were locked before, as everywhere."""
        secured: list[_Chosen] = []
        for variant_id in self._free:
            theirs = [each for each in chosen if each.variant_id == variant_id]
            holding = [each for each in theirs if each.holds]
            while holding and not take_units(self._session, variant_id, sum(_quantity(each) for each in holding)):
                # Somebody was quicker with a unit: the last placed wait for the next round.
                free = shelves.free_units(self._session, variant_id, self._now).get(variant_id, 0)
                while holding and sum(_quantity(each) for each in holding) > free:
                    holding.pop()
            secured += holding + [each for each in theirs if not each.holds]
        return sorted(secured, key=lambda each: each.turn.place)

    def _write(self, made: Sequence[_Chosen], wishers: Mapping[int, Wisher], gate: Gate | None) -> None:
        if not self._waves:  # before anybody of this round is offered anything: she may wait in several queues
            self._waiting = {variant_id: queries.count_waiting(self._session, variant_id) for variant_id in self._free}
        self._count_late(made)
        for variant_id in {each.variant_id for each in made} - self._waves.keys():
            self._waves[variant_id] = self._open(variant_id)
        numbers = reserve_ids(self._session, _offers, len(made))
        fresh = [
            _Fresh(number, each, self._says_held(each), wishers[each.wish_id], self._leaves(wishers[each.wish_id]))
            for number, each in zip(numbers, made, strict=True)
        ]
        left: Mapping[int, Left] = {}
        if gate is not None:
            skus = shelves.skus_there(self._session, list(self._free))
            ready = [each for each in fresh if each.leaves_at <= self._now and each.chosen.variant_id in skus]
            left = gate.let_go(
                self._session, [each.leaving(self._policy.id, skus[each.chosen.variant_id]) for each in ready]
            )
        insert_columns(self._session, _offers, self._offers(fresh, left), len(fresh))
        self._note(fresh, left)
        self._session.expire_all()

    def _count_late(self, made: Sequence[_Chosen]) -> None:
        """Whoever said yes since the round began, and is reached by it, waited too: nobody is the 41st of forty."""
        for each in made:
            if each.stood.place > self._waiting[each.variant_id]:
                self._waiting[each.variant_id] = each.stood.place
                if each.variant_id in self._waves:
                    wave = self._session.get_one(Wave, self._waves[each.variant_id])
                    wave.waiting = each.stood.place

    def _note(self, fresh: Sequence["_Fresh"], left: Mapping[int, Left]) -> None:
        """Their wishes are offered; one that came without a conversation goes on in the one its letter began."""
        homes = {
            each.wisher.wish_id: left[each.number].conversation_id
            if each.number in left
            else each.wisher.conversation_id
            for each in fresh
        }
        each = pairs(self._session, homes)
        self._session.execute(
            sa.update(Wish)
            .where(Wish.id == each.c.key)
            .values(state=WishState.OFFERED, skipped_because="", rests_until=None, conversation_id=each.c.value)
            .execution_options(synchronize_session=False)
        )
        self._session.execute(
            sa.update(WishVariant)
            .where(one_of(WishVariant.wish_id, sorted(homes)))
            .values(is_waiting=False)
            .execution_options(synchronize_session=False)
        )

    def _open(self, variant_id: int) -> int:
        """A new wave; its number, which outlives the session."""
        wave = Wave(
            variant_id=variant_id,
            restock_id=shelves.find_restock(self._session, variant_id),
            policy_id=self._kept_policy(),
            at=self._now,
            units=self._free[variant_id],
            waiting=self._waiting[variant_id],
        )
        self._session.add(wave)
        audit.record(self._session, "wave.opened", wave, by=None, now=self._now, units=wave.units, waiting=wave.waiting)
        self._session.flush()
        return wave.id

    def _kept_policy(self) -> int:
        """The policy's number; the house's first is kept when it counts for the first time."""
        if self._policy.id is None:
            self._policy.saved_at = self._now
            self._session.add(self._policy)
            self._session.flush()
        return self._policy.id

    def _offers(self, fresh: Sequence["_Fresh"], left: Mapping[int, Left]) -> Columns:
        noted = [left.get(each.number) for each in fresh]
        return {
            "id": [each.number for each in fresh],
            "wave_id": [self._waves[each.chosen.variant_id] for each in fresh],
            "wish_id": [each.chosen.wish_id for each in fresh],
            "customer_id": [each.wisher.customer_id for each in fresh],
            "variant_id": [each.chosen.variant_id for each in fresh],
            "state": Same(OfferState.OPEN),
            "quantity": [each.chosen.waiting.quantity for each in fresh],
            "holds": [each.chosen.holds for each in fresh],
            "says_held": [each.says_held for each in fresh],
            "price_cents": [each.chosen.waiting.price_cents for each in fresh],
            "place": [each.chosen.stood.place for each in fresh],
            "before_by_tier": [each.chosen.stood.before_by_tier for each in fresh],
            "by_tier": [each.chosen.turn.by_tier for each in fresh],
            "made_at": Same(self._now),
            "editor_id": [
                its.writer_id if its else each.wisher.owner_id for each, its in zip(fresh, noted, strict=True)
            ],
            "words": Same(""),
            "leaves_at": [each.leaves_at for each in fresh],
            "left_at": [self._now if its else None for its in noted],
            "covered_for_id": [its.covered_for_id if its else None for its in noted],
            "similar": [its.similar if its else () for its in noted],
            "delivery_id": [its.delivery_id if its else None for its in noted],
            "message_id": [its.message_id if its else None for its in noted],
            "held_until": [its.held_until if its else None for its in noted],
        }

    def _says_held(self, each: _Chosen) -> bool:
        return waves.says_held(each.waiting.quantity, bounded=self._policy.rule is Rule.BOUNDED)

    def _leaves(self, wisher: Wisher) -> datetime:
        """When her mail may leave: once the desk had its time, and not while she sleeps."""
        zone = zone_of(wisher.timezone, wisher.country, self._zone)
        if zone not in self._leaves_at:
            ready = self._now + timedelta(minutes=self._policy.desk_minutes)
            self._leaves_at[zone] = clockwork.next_waking(ready, zone, self._policy)
        return self._leaves_at[zone]


class _Fresh(NamedTuple):
    """An offer about to be written, under its number."""

    number: int
    chosen: _Chosen
    says_held: bool
    wisher: Wisher
    leaves_at: datetime

    def leaving(self, policy_id: int, sku: str) -> Leaving:
        """As its mail sees it."""
        waiting = self.chosen.waiting
        facts = (self.number, policy_id, sku, waiting.quantity, self.says_held, waiting.price_cents)
        return Leaving._make((*facts, "", (), *self.wisher))


def _quantity(each: _Chosen) -> int:
    return each.turn.who.quantity
