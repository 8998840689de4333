"""Plays a past restock of the demo house by the house's own rules: waves, holds, answers, purchases, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from zoneinfo import ZoneInfo

from concierge.addresses import normalise
from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase, Restock, StockEvent, StockEventState, StockReport
from concierge.customers.zones import zone_of
from concierge.wishes import clockwork, waves
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Wave, WavePolicy

# Of a hundred offers so many are taken, passed, put off; the rest lapse.
_TAKEN, _PASSED, _PUT_OFF = 38, 24, 7
_ANSWERED = _TAKEN + _PASSED + _PUT_OFF
_REST = timedelta(days=7)
_HOUSE = ZoneInfo("Europe/Rome")


@dataclass(slots=True)
class Played:
    """What a restock left behind."""

    restock: Restock
    events: list[StockEvent] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)


def play(
    variant: Variant,
    wishes: Sequence[Wish],
    *,
    policy: WavePolicy,
    units: int,
    at: datetime,
    until: datetime,
    chance: Random,
) -> Played:
    """So many units of a variant came back at `at`: who was offered them, until all were sold or nobody was left.

    The wishes change as they would have; units nobody wanted were sold in the shop.
    """
    playing = _Playing(Played(Restock(variant=variant, units=units, at=at, flapped=False)), wishes, policy, chance)
    return playing.run(until)


class _Playing:
    """A restock under way: units nobody has, and the moments at which something happens to an offer."""

    def __init__(self, played: Played, wishes: Sequence[Wish], policy: WavePolicy, chance: Random) -> None:
        self._played, self._policy, self._chance = played, policy, chance
        self._variant, self._free, self._at = played.restock.variant, played.restock.units, played.restock.at
        self._wishes = [each for each in wishes if any(choice.variant is self._variant for choice in each.choices)]
        self._due: list[tuple[datetime, int]] = []
        self._running = waves.Running()

    def run(self, until: datetime) -> Played:
        """From the shop's report that they are there to the one that they are gone."""
        self._report(0, self._free, self._at)
        self._share_out(self._at + timedelta(minutes=5))
        at = self._at
        while self._due and self._due[0][0] < until - timedelta(hours=2):
            at, number = heappop(self._due)
            self._happen(self._played.offers[number], number, at)
            self._share_out(at)
        self._played.restock.ended_at = at + timedelta(hours=1)
        self._report(self._played.restock.units, 0, at + timedelta(hours=1))
        return self._played

    def _share_out(self, at: datetime) -> None:
        waiting = [each for each in self._wishes if each.created_at <= at and self._waits(each)]
        ready = [each for each in waiting if each.rests_until is None or each.rests_until <= at]
        turns = waves.order([_place(each) for each in ready], self._policy, self._running)[: self._free]
        if not turns:
            return
        wave = Wave(
            variant=self._variant, policy=self._policy, at=at, units=self._free, waiting=len(waiting),
        )  # fmt: skip
        self._played.waves.append(wave)
        by_id = {each.id: each for each in ready}
        for turn in turns:
            self._free -= 1
            self._running = self._running.after(by_tier=turn.by_tier)
            self._offer(wave, by_id[turn.who.wish_id], turn, at)

    def _waits(self, wish: Wish) -> bool:
        return wish.state is WishState.WAITING and any(each.variant is self._variant for each in wish.choices)

    def _offer(self, wave: Wave, wish: Wish, turn: waves.Turn, at: datetime) -> None:
        zone = zone_of(wish.customer.zone_name, wish.customer.country, _HOUSE)
        left_at = clockwork.next_waking(at, zone, self._policy)
        held_until = clockwork.held_until(left_at, self._policy.hold_hours, zone, self._policy)
        offer = Offer(
            wave=wave, wish=wish, customer=wish.customer, variant=self._variant, state=OfferState.OPEN, quantity=1,
            holds=True, price_cents=self._variant.product.price_cents, place=turn.place,
            before_by_tier=turn.before_by_tier, by_tier=turn.by_tier, made_at=at, editor=wish.editor, words="",
            similar=[], leaves_at=left_at, left_at=left_at, held_until=held_until,
        )  # fmt: skip
        wish.stand(WishState.OFFERED)
        heappush(self._due, (self._answers_at(left_at, held_until), len(self._played.offers)))
        self._played.offers.append(offer)

    def _answers_at(self, left_at: datetime, held_until: datetime) -> datetime:
        """Rather early; some say nothing until the hold runs out."""
        if self._chance.randrange(100) >= _ANSWERED:
            return held_until
        return left_at + (held_until - left_at) * min(0.95, self._chance.expovariate(4.0))

    def _happen(self, offer: Offer, number: int, at: datetime) -> None:
        if offer.state is OfferState.TAKEN:
            self._buy(offer, at)
            return
        luck = self._chance.randrange(_ANSWERED)
        if at == offer.held_until:
            self._refuse(offer, OfferEnding.LAPSED, at, rests_until=at + _REST)
        elif luck < _TAKEN:
            offer.state, offer.answered_at = OfferState.TAKEN, at
            heappush(self._due, (at + timedelta(minutes=self._chance.randrange(6, 300)), number))
        elif luck < _TAKEN + _PASSED:
            offer.answered_at = at
            self._refuse(offer, OfferEnding.PASSED, at)
        else:
            offer.answered_at = at
            self._refuse(offer, OfferEnding.NOT_NOW, at, rests_until=at + timedelta(days=10))

    def _refuse(self, offer: Offer, because: OfferEnding, at: datetime, rests_until: datetime | None = None) -> None:
        offer.end(because, now=at)
        self._free += 1
        if because is OfferEnding.PASSED:
            self._pass(offer.wish, at)
        else:
            offer.wish.rests_until = rests_until
            offer.wish.stand(WishState.WAITING)

    def _pass(self, wish: Wish, at: datetime) -> None:
        """She waits on for what else she is content with, if there is anything."""
        others = [choice for choice in wish.choices if choice.variant is not self._variant]
        if others:
            wish.choices = others
            wish.stand(WishState.WAITING)
        else:
            wish.end(WishEnding.PASSED_ON_IT, now=at)

    def _buy(self, offer: Offer, at: datetime) -> None:
        offer.end(OfferEnding.BOUGHT, now=at)
        offer.wish.end(WishEnding.BOUGHT, now=at)
        order = 40_000 + offer.wish.id
        self._played.purchases.append(
            Purchase(
                source="shop", external_id=f"S-{order}:1", variant=self._variant, customer=offer.customer,
                normalised=normalise(offer.customer.address), units=1, location="online", price_cents=offer.price_cents,
                at=at, received_at=at, matched_at=at, unsettled=0,
            )
        )  # fmt: skip

    def _report(self, before: int, after: int, at: datetime) -> None:
        self._played.events.append(
            StockEvent(
                source="shop", external_id=f"{self._variant.sku}@{at:%Y%m%d%H%M}", variant=self._variant,
                location="online", report=StockReport.SNAPSHOT, units=after, as_of=at, received_at=at,
                state=StockEventState.APPLIED, before=before, after=after,
            )
        )  # fmt: skip


def _place(wish: Wish) -> waves.Place:
    assert wish.rank_at is not None and wish.confirmed_at is not None
    return waves.Place(wish.id, wish.rank_at, wish.confirmed_at, choices=(1,))
