"""Brings half a year of wishes in as rows: who waits for what is sold out, who was offered what came back meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.audit import AuditEntry
from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase, ReturnedUnit, ReturnState
from concierge.config import Policy
from concierge.conversations.models import Conversation
from concierge.customers.models import Consent, Customer
from concierge.demo.correspondence import People
from concierge.demo.restocks import Played, play
from concierge.reports import commands as reports
from concierge.reports import counting
from concierge.reports.models import ProductTally, VariantTally
from concierge.reports.queries import pulse
from concierge.wishes import sentences, waves
from concierge.wishes.models import Wish, WishEnding, WishState, WishVariant, WishWay
from concierge.wishes.offer_models import Rule, WavePolicy
from concierge.wishes.queries import policy_or_first

SANDALS, QUEUE = "CAL-TUR-36", 11
_WISHES = 150
# Barbara has not asked for hers yet; the others sell something themselves.
_WISH_FOR_NOTHING = {"barbara", "pitch", "fornitore"}
_VIPS = ("joan", "ruth", "donatella")
# SKU, how many days ago it came back, how many units, how many waited then.
_RESTOCKS = (
    ("CAL-TUR-36", 37, 2, 9),
    ("CAL-TUR-38", 61, 3, 8),
    ("CAL-TUR-36.5", 16, 1, 5),
    ("CAL-COR-37.5", 48, 2, 7),
)
_MORE_RESTOCKS = 5
_SPAN = timedelta(days=140)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LOST = (WishEnding.TOO_OLD, WishEnding.TOO_OLD, WishEnding.NEEDED_BY_PASSED, WishEnding.WITHDRAWN_BY_HER)
_SALES = 260


@dataclass(slots=True)
class _Wishing:
    """Who wishes for what so far, and what making another wish needs."""

    people: People
    policy: WavePolicy
    numbers: Policy
    talks: Mapping[int, Conversation]
    chance: Random
    now: datetime
    made: list[tuple[Wish, Consent]] = field(default_factory=list)
    living: set[tuple[int, int]] = field(default_factory=set)

    def wait(self, variant: Variant, count: int, *, latest: timedelta, span: timedelta = 55 * _DAY) -> list[Wish]:
        """So many people begin to wait for a variant, the last of them `latest` ago."""
        everybody = [each for key, each in self.people.customers.items() if key not in _WISH_FOR_NOTHING]
        free = [each for each in everybody if (each.id, variant.id) not in self.living]
        chosen = self.chance.sample(free, min(max(0, count), len(free)))
        moments = sorted((latest + self.chance.random() * span for _ in chosen), reverse=True)
        return [self.make(each, variant, self.now - ago) for each, ago in zip(chosen, moments, strict=True)]

    def make(self, customer: Customer, variant: Variant, at: datetime) -> Wish:
        """She asks for it: by the form, or of her editor where they write to each other."""
        talk = self.talks.get(customer.id)
        asked = talk is not None and talk.editor is not None and self.chance.random() < 0.55
        language = customer.language if customer.language in self.people.mailboxes else "en"
        rank = waves.rank_at(at, customer.tier, self.policy)
        wish = Wish(
            customer=customer, product=variant.product, state=WishState.WAITING,
            way=WishWay.EDITOR if asked else WishWay.FORM, quantity=1, or_similar=self.chance.random() < 0.3,
            language=language, mailbox=self.people.mailboxes[language], created_at=at, confirmed_at=at, rank_at=rank,
            conversation_id=talk.id if talk and asked else None, editor=talk.editor if talk else None,
            moved_because="", skipped_because="", expires_at=at + self.numbers.wish_span,
        )  # fmt: skip
        wish.choices = [
            WishVariant(variant=each, customer_id=customer.id, preference=number, is_waiting=True, rank_at=rank)
            for number, each in enumerate(self._choices(customer, variant))
        ]
        self.living |= {(customer.id, choice.variant.id) for choice in wish.choices}
        words = sentences.words_of(sentences.current_sentence(language), self.people.mailboxes[language].brand)
        consent = Consent(
            customer_id=customer.id, purpose="wish", way="mail" if asked else "form", words=words, language=language,
            proof={}, granted_at=at,
        )  # fmt: skip
        self.made.append((wish, consent))
        return wish

    def _choices(self, customer: Customer, variant: Variant) -> list[Variant]:
        """The variant, and for some the half size beside it as well, where that is sold out too."""
        run = variant.product.variants
        beside = [each for each in run if abs(each.position - variant.position) == 1 and not each.available]
        free = [each for each in beside if (customer.id, each.id) not in self.living]
        return [variant, *(free[:1] if self.chance.random() < 0.25 else [])]


def bring_wishes(session: Session, people: People, *, now: datetime) -> None:
    """Add about 150 wishes of the last months, what came back meanwhile, and who was offered it; the same every time.

    Everything stands as the house's commands would have left it. What is sold out stays sold out.
    """
    for key in _VIPS:
        people.customers[key].tier = "vip"
    policy = _policy(people.editors["marta"], now - 200 * _DAY)
    session.add(policy)
    chance = Random("Wishes")  # noqa: S311 it only has to be the same every time
    wishing = _Wishing(people, policy, Policy(), _talks(session), chance, now)
    gone = [each for each in people.variants.values() if not each.available]
    restocks = [*_RESTOCKS, *_other_restocks(gone, chance)]
    for sku, days, _units, waiting in restocks:
        wishing.wait(people.variants[sku], waiting, latest=days * _DAY + 8 * _HOUR, span=_SPAN - days * _DAY)
    _end_some(wishing, gone)
    _keep(session, wishing)
    for sku, days, units, _waiting in sorted(restocks, key=itemgetter(1), reverse=True):
        at = (now - days * _DAY).replace(hour=7, minute=chance.randrange(60))
        variant, wishes = people.variants[sku], [wish for wish, _consent in wishing.made]
        played = play(variant, wishes, policy=policy, units=units, at=at, until=now, chance=chance)
        _keep_played(session, played)
    kept = len(wishing.made)
    sandals = people.variants[SANDALS]
    wishing.wait(sandals, QUEUE - _count_waiting(wishing, sandals), latest=30 * _HOUR)
    others = [each for each in gone if each.sku != SANDALS and sandals.product_id != each.product_id]
    while len(wishing.made) < _WISHES:
        wishing.wait(chance.choice(others), 1, latest=5 * _HOUR)
    _keep(session, wishing, kept)
    session.add_all(_sales(people, chance, now))
    session.add(_return(people.variants["CAL-TUR-38"], now))
    session.flush()


def count_house(session: Session, *, now: datetime) -> None:
    """Count the wishes as the worker would, so that the pages are alive at the first look."""
    begun = reports.begin_count(session, pulse=pulse(session), now=now)
    count = counting.count_house(session, policy_or_first(session), now=now)
    reports.keep_tallies(session, VariantTally, count.variants, count.variants)
    reports.keep_tallies(session, ProductTally, count.products, count.products)
    reports.finish_count(session, begun.id, count.house, took_ms=0, now=now)


def _policy(by: Editor, at: datetime) -> WavePolicy:
    return WavePolicy(
        rule=Rule.ONE_PER_UNIT, alpha=0.05, prior_taken=1.0, prior_passed=3.0, hold_hours=24.0, wakes_at=8,
        sleeps_at=22, head_starts={"vip": 14}, tier_share=0.5, desk_minutes=0, saved_at=at, saved_by=by,
    )  # fmt: skip


def _talks(session: Session) -> dict[int, Conversation]:
    """Each customer's latest conversation."""
    ordered = session.scalars(sa.select(Conversation).order_by(Conversation.last_message_at)).unique()
    return {each.customer_id: each for each in ordered}


def _other_restocks(gone: Sequence[Variant], chance: Random) -> list[tuple[str, int, int, int]]:
    known = {sku for sku, *_ in _RESTOCKS}
    chosen = chance.sample([each for each in gone if each.sku not in known], _MORE_RESTOCKS)
    return [(each.sku, chance.randrange(20, 90), chance.randrange(1, 3), chance.randrange(3, 7)) for each in chosen]


def _count_waiting(wishing: _Wishing, variant: Variant) -> int:
    choices = (choice for wish, _consent in wishing.made for choice in wish.choices)
    return sum(choice.is_waiting for choice in choices if choice.variant is variant)


def _end_some(wishing: _Wishing, gone: Sequence[Variant]) -> None:
    """Some wishes ended with nothing to offer: too old, needed earlier, given up."""
    chance = wishing.chance
    for variant in chance.sample([each for each in gone if each.sku != SANDALS], 12):
        because, ended = chance.choice(_LOST), chance.randrange(3, 80) * _DAY
        lasted = (180 if because is WishEnding.TOO_OLD else chance.randrange(10, 60)) * _DAY
        for wish in wishing.wait(variant, 1, latest=ended + lasted, span=_HOUR):
            wish.end(because, now=wishing.now - ended)
            wishing.living -= {(wish.customer.id, choice.variant.id) for choice in wish.choices}


def _keep(session: Session, wishing: _Wishing, begin: int = 0) -> None:
    """Write the wishes made so far with their consents and what the history says of them."""
    made = wishing.made[begin:]
    session.add_all(consent for _wish, consent in made)
    session.flush()
    for wish, consent in made:
        wish.consent_id = consent.id
    session.add_all(wish for wish, _consent in made)
    session.flush()
    session.add_all(_history(made))


def _history(made: Sequence[tuple[Wish, Consent]]) -> Iterator[AuditEntry]:
    for wish, _consent in made:
        skus = [choice.variant.sku for choice in wish.choices]
        yield _entry("made", wish, wish.created_at, way=wish.way.value, skus=skus)
        if wish.ended_at and wish.ended_because:
            yield _entry(wish.state.value, wish, wish.ended_at, because=wish.ended_because.value)


def _entry(verb: str, wish: Wish, at: datetime, **details: object) -> AuditEntry:
    by = wish.editor.id if verb == "made" and wish.way is WishWay.EDITOR and wish.editor else None
    return AuditEntry(
        at=at, verb=f"wish.{verb}", subject_type="wish", subject_id=wish.id, editor_id=by, details=details
    )


def _keep_played(session: Session, played: Played) -> None:
    session.add_all([*played.events, played.restock, *played.purchases])
    session.flush()
    played.restock.stock_event_id = played.events[0].id
    for wave in played.waves:
        wave.restock_id = played.restock.id
    session.add_all(played.waves)
    session.add_all(played.offers)
    bought = [each for each in played.offers if each.wish.ended_at]
    session.add_all(
        _entry(each.wish.state.value, each.wish, each.wish.ended_at or each.made_at, offer=each.place)
        for each in bought
    )
    session.flush()


def _sales(people: People, chance: Random, now: datetime) -> Iterator[Purchase]:
    """Half a year of other sales, the middle sizes most, long since missing in the shop's reports."""
    variants = sorted(people.variants.values(), key=lambda each: each.sku)
    middle = {each.product_id: (len(each.product.variants) - 1) / 2 for each in variants}
    weights = [1 / (1 + abs(each.position - middle[each.product_id])) for each in variants]
    moments = sorted(now - chance.random() * 180 * _DAY for _ in range(_SALES))
    for number, (variant, at) in enumerate(zip(chance.choices(variants, weights, k=_SALES), moments, strict=True)):
        yield Purchase(
            source="shop", external_id=f"S-{30000 + number}:1", variant=variant, units=1, location="online",
            price_cents=variant.product.price_cents, at=at, received_at=at, matched_at=at, unsettled=0,
        )  # fmt: skip


def _return(variant: Variant, now: datetime) -> ReturnedUnit:
    """A pair is on its way back."""
    at = now - 3 * _HOUR
    return ReturnedUnit(
        source="shop", external_id="R-2041", variant=variant, location="online", units=1,
        state=ReturnState.IN_TRANSIT, expected_on=now + 2 * _DAY, as_of=at, announced_at=at,
    )  # fmt: skip
