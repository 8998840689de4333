"""A house of wishes as a handful of lists: the plain model the real one is held against."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, comb

from concierge.catalogue.levels import Report
from concierge.catalogue.stock_models import StockReport
from concierge.wishes.models import WishEnding, WishState
from concierge.wishes.offer_models import OfferEnding, OfferLapsed, OfferState

WAITING, OFFERED, UNCONFIRMED = WishState.WAITING, WishState.OFFERED, WishState.UNCONFIRMED


@dataclass
class ModelWish:
    """A wish."""

    id: int
    customer: int
    choices: list[int]
    quantity: int
    created_at: datetime
    confirmed_at: datetime | None
    rank_at: datetime | None
    ceiling: int | None
    state: WishState
    moved: bool = False
    rests_until: datetime | None = None
    because: WishEnding | None = None

    @property
    def lives(self) -> bool:
        """Whether it may still come true."""
        return self.state in (WAITING, OFFERED, UNCONFIRMED)

    @property
    def key(self) -> tuple[datetime, datetime, int]:
        """Where it stands."""
        assert self.rank_at is not None
        assert self.confirmed_at is not None
        return (self.rank_at, self.confirmed_at, self.id)

    @property
    def key_by_time(self) -> tuple[datetime, datetime, int]:
        """Where it would stand without a tier."""
        assert self.confirmed_at is not None
        return (self.confirmed_at, self.confirmed_at, self.id)

    @property
    def has_head_start(self) -> bool:
        """Whether the tier counts."""
        return not self.moved and self.key < self.key_by_time


@dataclass
class ModelOffer:
    """An offer."""

    id: int
    wish: int
    variant: int
    quantity: int
    holds: bool
    by_tier: bool
    standing: tuple[int, int]
    state: OfferState = OfferState.OPEN
    because: OfferEnding | None = None
    held_until: datetime | None = None
    has_left: bool = False
    # her mail says that it is held for her: nobody else is given it
    says_held: bool = True


@dataclass
class Model:
    """Everything, by number; `sold` is what the books of stock count as sold and not yet missing."""

    bounded: bool
    alpha: float
    share: float
    price: int
    now: datetime
    wishes: dict[int, ModelWish] = field(default_factory=dict)
    offers: dict[int, ModelOffer] = field(default_factory=dict)
    on_hand: dict[int, int] = field(default_factory=dict)
    sold: dict[int, int] = field(default_factory=dict)
    believed: dict[int, bool] = field(default_factory=dict)
    suppressed: set[int] = field(default_factory=set)

    def promised(self, variant: int) -> int:
        """Units spoken for."""
        return self.sold.get(variant, 0) + sum(each.quantity for each in self.open(variant) if each.holds)

    def free(self, variant: int) -> int:
        """Units that may be given away."""
        return max(0, self.on_hand[variant] - self.promised(variant)) if self.believed.get(variant, True) else 0

    def open(self, variant: int | None = None) -> list[ModelOffer]:
        """Offers that have not ended, those placed first before the others."""
        found = [each for each in self.offers.values() if not each.because and variant in (None, each.variant)]
        return sorted(found, key=lambda each: each.standing)

    def offer_of(self, wish: int) -> ModelOffer | None:
        """The open offer of a wish."""
        return next((each for each in self.open() if each.wish == wish), None)

    def end_offer(self, offer: ModelOffer, because: OfferEnding, *, back: bool = True) -> ModelWish:
        """It is over; the wish waits on unless told otherwise."""
        offer.because, wish = because, self.wishes[offer.wish]
        offer.state = {
            OfferEnding.BOUGHT: OfferState.TAKEN,
            OfferEnding.LAPSED: OfferState.LAPSED,
            OfferEnding.UNITS_GONE: OfferState.LAPSED,
        }.get(because, OfferState.DECLINED)
        if back:
            wish.state = WAITING
        return wish

    def answer(self, offer: ModelOffer, answer: str, until: datetime, *, is_rehearsal: bool) -> None:
        """She takes it, passes or puts it off; raises OfferLapsed when it is over. A rehearsal changes nothing."""
        same = {"pass": OfferEnding.PASSED, "put_off": OfferEnding.NOT_NOW}.get(answer)
        if offer.because is not None:
            if offer.because is not same:
                raise OfferLapsed
            return
        if answer == "take":
            self._take(offer, is_rehearsal=is_rehearsal)
        elif not is_rehearsal:
            assert same is not None
            wish = self.end_offer(offer, same)
            if answer == "put_off":
                wish.rests_until = until
            else:
                wish.choices = [each for each in wish.choices if each != offer.variant]
                if not wish.choices:
                    wish.state, wish.because = WishState.WITHDRAWN, WishEnding.PASSED_ON_IT

    def _take(self, offer: ModelOffer, *, is_rehearsal: bool) -> None:
        if offer.state is OfferState.TAKEN:
            return
        if not offer.holds and self.on_hand[offer.variant] - self.promised(offer.variant) < offer.quantity:
            others = [
                each
                for each in self.open(offer.variant)
                if each.holds and each.state is OfferState.OPEN and not each.says_held
                and each.quantity == offer.quantity
            ]  # fmt: skip
            if not others:
                raise OfferLapsed
            if not is_rehearsal:
                others[-1].holds = False
        if not is_rehearsal:
            offer.holds, offer.state = True, OfferState.TAKEN
            longer = self.now + timedelta(hours=24)
            offer.held_until = max(offer.held_until or longer, longer)

    def end_wish(self, wish: ModelWish, state: WishState, because: WishEnding, offer_because: OfferEnding) -> None:
        """It is over, and its offer with it."""
        if (offer := self.offer_of(wish.id)) is not None:
            self.end_offer(offer, offer_because, back=False)
        wish.state, wish.because = state, because

    def is_taking_part(self, wish: ModelWish) -> bool:
        """Whether it waits and nothing stands in its way."""
        return (
            wish.state is WAITING
            and wish.customer not in self.suppressed
            and (wish.ceiling is None or wish.ceiling >= self.price)
            and (wish.rests_until is None or wish.rests_until <= self.now)
        )

    def share_out(self) -> list[tuple[int, int, bool, bool]]:
        """Who is offered what: wish, variant, whether it holds, whether by tier. Looks at everybody for each turn.

        Open offers without a unit get theirs first; they are changed here, the new ones are not made.
        """
        shelves = {variant: self.shelf(variant) for variant in self.on_hand if self.free(variant)}
        last = [each for each in sorted(self.offers.values(), key=lambda each: each.id) if each.variant in shelves][-9:]
        given, by_tier, made = len(last), sum(each.by_tier for each in last), []
        left = [wish for wish in self.wishes.values() if self.is_taking_part(wish)]
        while fitting := [wish for wish in left if self.choice(wish, shelves) is not None]:
            wish, overtakes = self.turn(fitting, given, by_tier)
            variant = self.choice(wish, shelves)
            assert variant is not None
            made.append((wish.id, variant, shelves[variant].give(wish.quantity), overtakes))
            left.remove(wish)
            given, by_tier = given + 1, by_tier + overtakes
        return made

    def shelf(self, variant: int) -> "ModelShelf":
        """What there is of a variant, once those who were told without a unit have theirs."""
        free = self.free(variant)
        for offer in self.open(variant):
            if not offer.holds and offer.quantity <= free:
                offer.holds = True
                free -= offer.quantity
        singles = [each for each in self.open(variant) if not each.says_held and each.state is OfferState.OPEN]
        waiting = sum(wish.state is WAITING and variant in wish.choices for wish in self.wishes.values())
        most = {
            units: self.most_offers(units, len(singles) + waiting) if self.bounded else units
            for units in range(len(singles) + free + 1)
        }
        return ModelShelf(free, len(singles), sum(each.holds for each in singles), most)

    def choice(self, wish: ModelWish, shelves: "dict[int, ModelShelf]") -> int | None:
        """The dearest variant of which units are free for her, else the dearest that bears one more to be told."""
        here = [variant for variant in wish.choices if variant in shelves]
        with_unit = [variant for variant in here if wish.quantity <= shelves[variant].free]
        without = [variant for variant in here if wish.quantity == 1 and shelves[variant].bears_one_more()]
        return next(iter(with_unit + without), None)

    def turn(self, fitting: list[ModelWish], given: int, by_tier: int) -> tuple[ModelWish, bool]:
        """Whose turn it is, and whether her tier put her there."""
        first = min(fitting, key=lambda each: each.key)
        if not first.has_head_start:
            return first, False
        overtaken = [each for each in fitting if not each.has_head_start and each.key < first.key_by_time]
        if overtaken and by_tier + 1 > ceil(Fraction(str(self.share)) * (given + 1)):
            return min(overtaken, key=lambda each: each.key), False
        return first, bool(overtaken)

    def most_offers(self, units: int, at_most: int) -> int:
        """The bounded rule, in exact numbers."""
        ended = [each.because for each in sorted(self.offers.values(), key=lambda each: each.id) if each.because]
        taken = sum(each is OfferEnding.BOUGHT for each in ended)
        against = {OfferEnding.PASSED, OfferEnding.NOT_NOW, OfferEnding.LAPSED, OfferEnding.BOUGHT_ELSEWHERE}
        passed = sum(each in against for each in ended)
        fair = [n for n in range(units, at_most + 1) if exact_excess(n, units, 1 + taken, 3 + passed) <= self.alpha]
        return max([min(units, at_most), *fair])


@dataclass
class ModelShelf:
    """Free units, people with one unit each in question, how many of these are held, and the most a number bears."""

    free: int
    told: int
    held: int
    most: dict[int, int]

    def bears_one_more(self) -> bool:
        """Whether somebody may be told without a unit."""
        return self.free == 0 and self.held > 0 and self.told < self.most[self.held]

    def give(self, quantity: int) -> bool:
        """To the next; whether she gets units."""
        holds = quantity <= self.free
        self.free -= quantity if holds else 0
        self.told += quantity == 1
        self.held += quantity == 1 and holds
        return holds


def in_the_books(reports: list[Report]) -> int:
    """What is there by all that was heard, in whatever order: the newest count, and what came and went after it."""
    counts = [each for each in reports if each.report is StockReport.SNAPSHOT]
    newest = max(counts, key=lambda each: each.as_of, default=None)
    since = [each for each in reports if each.report is StockReport.DELTA and (not newest or each.as_of > newest.as_of)]
    return max(0, (newest.units if newest else 0) + sum(each.units for each in since))


def exact_excess(offers: int, units: int, a: int, b: int) -> Fraction:
    """P(claims > units) among so many offers under Beta(a, b), in whole numbers: rising factorials."""

    def rising(base: int, times: int) -> int:
        result = 1
        for step in range(times):
            result *= base + step
        return result

    total = rising(a + b, offers)
    ways = (comb(offers, each) * rising(a, each) * rising(b, offers - each) for each in range(units + 1, offers + 1))
    return Fraction(sum(ways), total)


def rest_after(lapses: int) -> timedelta:
    """How long a wish rests after so many unanswered offers."""
    return timedelta(days=7 * 2 ** (lapses - 1))
