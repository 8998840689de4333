"""Who is offered one: the order of a queue, who is passed over, and how many offers a number of units bears."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil, exp, lgamma
from typing import Any, NamedTuple, Protocol

Key = tuple[datetime, datetime, int]
# So many places are kept in hand while somebody without a head start is looked for; further on is asked for anew.
FAR = 1000


class QueuePolicy(Protocol):
    """What the order of a queue depends on; a saved wave policy is one."""

    @property
    def head_starts(self) -> Mapping[str, Any]: ...
    @property
    def tier_share(self) -> float: ...


class BoundedPolicy(Protocol):
    """What the bounded rule depends on; a saved wave policy is one."""

    @property
    def alpha(self) -> float: ...
    @property
    def prior_taken(self) -> float: ...
    @property
    def prior_passed(self) -> float: ...


class Place(NamedTuple):
    """Somebody in a queue; `choices` are the variants she may be offered, the dearest first.

    `void` is the reason why she can't be offered anything now, "" when nothing stands in the way; `facts` is whatever
    the reader of the queue wants back with her turn.
    """

    wish_id: int
    rank_at: datetime
    confirmed_at: datetime
    quantity: int = 1
    moved: bool = False
    choices: tuple[int, ...] = ()
    void: str = ""
    facts: Any = None

    @property
    def key(self) -> Key:
        """Where she stands: by rank, then by confirmation, then by number."""
        return (self.rank_at, self.confirmed_at, self.wish_id)

    @property
    def key_by_time(self) -> Key:
        """Where she would stand without her tier."""
        return (self.confirmed_at, self.confirmed_at, self.wish_id)

    @property
    def has_head_start(self) -> bool:
        """Whether her tier counts; not when she was moved by hand, for then a colleague's reason does."""
        return not self.moved and self.rank_at < self.confirmed_at


@dataclass(frozen=True, slots=True)
class Running:
    """How many were given in the running sequence, and how many of them overtook somebody by their tier."""

    given: int = 0
    by_tier: int = 0

    def may_overtake(self, share: float) -> bool:
        """Whether the next may overtake: of the first k given at most share·k, rounded up, go by tier."""
        return self.by_tier + 1 <= ceil(share * (self.given + 1) - 1e-9)

    def after(self, *, by_tier: bool) -> "Running":
        """One more given."""
        return Running(self.given + 1, self.by_tier + by_tier)


class Turn(NamedTuple):
    """Somebody's turn: her place in the queue, whether her tier put her there, and how many before her it did so."""

    who: Place
    place: int
    by_tier: bool
    before_by_tier: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands: `place` of `of`, behind `before_by_tier` people by their tier; waiting since `since`.

    `tiers` are the names of those tiers that may stand before others.
    """

    place: int
    of: int
    before_by_tier: int
    since: datetime
    tiers: tuple[str, ...] = ()


def tiers_ahead(policy: QueuePolicy) -> tuple[str, ...]:
    """The tiers with a head start, the longest first."""
    days = {tier: float(worth or 0) for tier, worth in policy.head_starts.items()}
    return tuple(sorted((tier for tier, worth in days.items() if worth > 0), key=lambda tier: -days[tier]))


def rank_at(confirmed_at: datetime, tier: str, policy: QueuePolicy) -> datetime:
    """The moment somebody counts as waiting since: her confirmation, less her tier's head start in days.

    A head start is worth its days and no more, so whoever waits longer than that is overtaken by nobody new.
    """
    return confirmed_at - timedelta(days=max(0.0, float(policy.head_starts.get(tier, 0) or 0)))


class Walk:
    """Goes through a queue and says whose turn it is; reads the queue only as far as it has to."""

    def __init__(
        self,
        everyone: Iterator[Place],
        plain: Callable[[Key], Iterator[Place]],
        *,
        share: float,
        running: Running | None = None,
        passing: Callable[[Place], None] = lambda _: None,
    ) -> None:
        """`everyone` comes in order of `key`; `plain(key)` gives those without a head start behind `key`, in order.

        `passing` is told of everybody who is passed over.
        """
        self._everyone, self._open_plain, self._passing = everyone, plain, passing
        self._share, self.running = share, running or Running()
        # read and not yet passed; of these, who has no head start; and the stream of those behind them
        self._near: deque[Place] = deque()
        self._near_plain: deque[Place] = deque()
        self._far_plain: Iterator[Place] | None = None
        self._far_head: Place | None = None
        self._read_upto: Key | None = None
        self._ahead: set[int] = set()
        self._seen = self._by_tier = 0

    def next(self, fits: Callable[[Place], bool]) -> Turn | None:
        """The next whose turn it is, among those who `fits`; None when nobody is left.

        Whoever does not fit is passed over in this walk and keeps her place for the next: what fits only shrinks.
        """
        while (head := self._peek()) is not None:
            if head.void or not fits(head):
                self._leave()
                self._seen += 1
                self._passing(head)
                continue
            rival = self._find_plain(head.key, fits) if head.has_head_start else None
            overtakes = rival is not None and rival.key < head.key_by_time
            if rival is not None and overtakes and not self.running.may_overtake(self._share):
                self._ahead.add(rival.wish_id)
                return self._give(rival, by_tier=False)
            self._leave()
            return self._give(head, by_tier=overtakes)
        return None

    def _give(self, who: Place, *, by_tier: bool) -> Turn:
        self._seen += 1
        turn = Turn(who, self._seen, by_tier, self._by_tier)
        self._by_tier += by_tier
        self.running = self.running.after(by_tier=by_tier)
        return turn

    def _peek(self) -> Place | None:
        while self._near or self._read():
            if self._near[0].wish_id not in self._ahead:
                return self._near[0]
            self._ahead.discard(self._leave().wish_id)
        return None

    def _leave(self) -> Place:
        head = self._near.popleft()
        if self._near_plain and self._near_plain[0] is head:
            self._near_plain.popleft()
        return head

    def _read(self) -> bool:
        """Read one more; whether there was one."""
        if (found := next(self._everyone, None)) is None:
            return False
        self._near.append(found)
        self._read_upto = found.key
        if not found.has_head_start and not found.void:
            self._near_plain.append(found)
        return True

    def _find_plain(self, passed: Key, fits: Callable[[Place], bool]) -> Place | None:
        """The first without a head start behind `passed`: among those read, else a little further, else far behind."""
        while True:
            while self._near_plain:
                found = self._near_plain[0]
                if found.key > passed and found.wish_id not in self._ahead and fits(found):
                    return found
                self._near_plain.popleft()
            if len(self._near) >= FAR:
                return self._find_far(fits)
            if not self._read():
                return None

    def _find_far(self, fits: Callable[[Place], bool]) -> Place | None:
        assert self._read_upto is not None
        if self._far_plain is None:
            self._far_plain = self._open_plain(self._read_upto)
        while True:
            found = self._far_head or next(self._far_plain, None)
            is_good = found is None or (found.key > self._read_upto and found.wish_id not in self._ahead)
            if found is None or (is_good and not found.void and fits(found)):
                self._far_head = found
                return found
            self._far_head = None


def walk(places: Iterable[Place], policy: QueuePolicy, running: Running | None = None) -> Walk:
    """A walk through people who are all known, in any order."""
    ordered = sorted(places, key=lambda each: each.key)
    return Walk(
        iter(ordered),
        lambda passed: (each for each in ordered if not each.has_head_start and each.key > passed),
        share=policy.tier_share,
        running=running,
    )


def order(places: Iterable[Place], policy: QueuePolicy, running: Running | None = None) -> list[Turn]:
    """Everybody who may be offered something, in the order in which they would be.

    By rank (confirmation less head start), then by confirmation, then by number. Whoever would overtake a longer
    waiting person without a head start only by her tier is held to `tier_share` of the running sequence; when that is
    used up, the longest waiting goes first.
    """
    walking = walk(places, policy, running)
    return list(iter(lambda: walking.next(lambda _: True), None))


class Facts(NamedTuple):
    """What decides whether somebody can be offered a piece now."""

    price_cents: int
    today: date
    now: datetime
    needed_by: date | None = None
    ceiling_cents: int | None = None
    rests_until: datetime | None = None
    has_consent: bool = True
    address: str = "?"
    # the reason why nobody writes to her address, e.g. "hard_bounce"
    suppressed: str = ""


RESTS, NO_CONSENT, NO_ADDRESS, OVER_CEILING, TOO_LATE, TOO_FEW = (
    "rests",
    "no_consent",
    "no_address",
    "over_ceiling",
    "needed_by_passed",
    "too_few_units",
)


def void(facts: Facts) -> str:
    """Why she can't be offered it now, "" when nothing stands in the way."""
    if facts.needed_by is not None and facts.needed_by < facts.today:
        return TOO_LATE
    if not facts.has_consent:
        return NO_CONSENT
    if facts.suppressed or not facts.address:
        return facts.suppressed or NO_ADDRESS
    if facts.ceiling_cents is not None and facts.price_cents > facts.ceiling_cents:
        return OVER_CEILING
    if facts.rests_until is not None and facts.rests_until > facts.now:
        return RESTS
    return ""


@dataclass(slots=True)
class Shelf:
    """Units of one variant while they are shared out.

    `free` units are nobody's; `singles` people, none of whom was promised one, stand before `singles_held` units.
    """

    free: int
    singles: int = 0
    singles_held: int = 0
    bears: Callable[[int], int] = field(default=lambda units: units)

    def fits(self, quantity: int) -> bool:
        """Whether somebody who wants so many can be offered them, all or nothing."""
        return quantity <= self.free or (quantity == 1 and self.bears_one_more())

    def bears_one_more(self) -> bool:
        """Whether one more person may be told without a unit set aside for her."""
        return self.free == 0 and self.singles_held > 0 and self.singles < self.bears(self.singles_held)

    def give(self, quantity: int) -> bool:
        """Take `quantity` off the shelf; whether units are set aside for her."""
        holds = quantity <= self.free
        self.free -= quantity if holds else 0
        self.singles += quantity == 1
        self.singles_held += quantity == 1 and holds
        return holds


def says_held(quantity: int, *, bounded: bool) -> bool:
    """Whether an offer may say that it is held for her: told with others, one piece is whose who takes it first."""
    return quantity > 1 or not bounded


def choose_variant(who: Place, shelves: Mapping[int, Shelf]) -> int | None:
    """Which of her choices she is offered: the dearest of which enough units are free, else the dearest that fits."""
    for variant_id in who.choices:
        if variant_id in shelves and who.quantity <= shelves[variant_id].free:
            return variant_id
    for variant_id in who.choices:
        if variant_id in shelves and shelves[variant_id].fits(who.quantity):
            return variant_id
    return None


def bounded_offers(units: int, *, taken: int, passed: int, policy: BoundedPolicy, at_most: int) -> int:
    """The most offers n ≤ `at_most` with P(claims > units) ≤ α; never fewer than the units.

    Claims among n offers follow a Beta-Binomial: the house's history (`taken`, `passed`) added to the policy's prior.
    """
    if units <= 0 or at_most <= units:
        return max(0, min(units, at_most))
    a, b = policy.prior_taken + taken, policy.prior_passed + passed
    bound = policy.alpha + 1e-12  # a chance of exactly α is allowed, whatever its last bit says
    low, high = units, at_most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _excess(middle, units, a, b) <= bound else (low, middle - 1)
    return low


def _excess(offers: int, units: int, a: float, b: float) -> float:
    """P(claims > units) among so many offers; the shorter side is summed, each chance made from its neighbour's."""
    tail = offers - units <= units
    sought, end, step = (units + 1, offers, 1) if tail else (units, 0, -1)
    fixed = lgamma(offers + 1) - lgamma(offers + a + b) + lgamma(a + b) - lgamma(a) - lgamma(b)

    def logarithm(claims: int) -> float:
        left = offers - claims
        return fixed - lgamma(claims + 1) - lgamma(left + 1) + lgamma(claims + a) + lgamma(left + b)

    chance, total = 0.0, 0.0
    for claims in range(sought, end + step, step):
        if chance < 1e-280:  # the first; or one too small to make others from without losing digits
            chance = exp(logarithm(claims))
        total += chance
        if claims == end:
            break  # there is no neighbour to make
        if step > 0:
            chance *= (offers - claims) / (claims + 1) * (claims + a) / (offers - claims - 1 + b)
        else:
            chance *= claims / (offers - claims + 1) * (offers - claims + b) / (claims - 1 + a)
    return total if tail else 1.0 - total
