"""Thousands of days in a house of wishes, each step beside the plain model; crashes and workers that cross included."""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from sqlalchemy.orm import Session, lazyload

from concierge.accounts.models import Mailbox
from concierge.catalogue.models import Variant
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.stock_models import StockReport
from concierge.customers.models import Consent, Customer
from concierge.errors import RuleBroken
from concierge.mailing import commands as mailing
from concierge.mailing.models import SuppressionReason
from concierge.mailing.queries import find_suppression
from concierge.wishes import clockwork, commands, due, matching, offering
from concierge.wishes.models import AlreadyWished, Wish, WishEnding, WishState, WishWay
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Rule, WavePolicy
from concierge.wishes.rounds import Round
from tests.factories import NOW
from tests.wishes.house import ZONE
from tests.wishes.model import Model, ModelOffer, ModelWish, rest_after
from tests.wishes.shop import POLICY, SKUS, ShopSide, crashes, some

HEAD_STARTS = {"vip": 2, "gold": 0.5}
# Rows as they are, without all that hangs on them.
BARE = (lazyload("*"),)


class Wanted(NamedTuple):
    """What somebody wishes for."""

    who: int
    both: bool
    first: bool
    quantity: int
    consent: bool
    ceiling: int | None


wanted = st.builds(
    Wanted,
    some,
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, 1, 1, 2]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([None, None, None, 90_000, 100]),
)


class Crowd(ShopSide):
    """The rules: what customers, the shop, workers and the house's own jobs do."""

    @initialize(
        bounded=st.booleans(),
        alpha=st.sampled_from([0.05, 0.5]),
        share=st.sampled_from([0.0, 0.5, 1.0]),
        wishes=st.lists(wanted, min_size=3, max_size=9),
        units=st.integers(0, 3),
        workers=st.integers(2, 8),
    )
    def open_house(
        self, *, bounded: bool, alpha: float, share: float, wishes: list[Wanted], units: int, workers: int
    ) -> None:
        """A new house with a policy, people waiting already, and perhaps the first pieces for them."""
        type(self).renew()
        self.lay_bomb()
        with self.sessions() as session:
            rule_ = Rule.BOUNDED if bounded else Rule.ONE_PER_UNIT
            policy = WavePolicy(rule=rule_, alpha=alpha, tier_share=share, head_starts=HEAD_STARTS, saved_at=NOW)
            session.add(policy)
            session.commit()
            variants = session.scalars(sa.select(Variant).order_by(Variant.id)).all()
            self.variants = [each.id for each in variants]
            self.customers = list(session.scalars(sa.select(Customer.id).order_by(Customer.id)))
            self.model = Model(bounded, alpha, share, variants[0].product.price_cents, NOW)
        self.model.on_hand = dict.fromkeys(self.variants, 0)
        self.open_shop()
        self.workers, self.rounds = workers, list[Round]()
        self.purchases = 0
        for number, each in enumerate(wishes):
            self._make(each._replace(who=number), None)
            self.model.now += timedelta(minutes=30)
        if units:
            self._restock(variant=False, units=units, crash=None)

    # What she does, what the shop does.

    @rule(wishes=st.lists(wanted, min_size=1, max_size=3), anybody=st.sampled_from([False, False, True]), crash=crashes)
    def wish(self, wishes: list[Wanted], anybody: bool, crash: int | None) -> None:
        """A few wish for one size, or for either; mostly those who wish for nothing yet."""
        for each in wishes:
            busy = {wish.customer for wish in self.model.wishes.values() if wish.lives}
            free = [number for number, customer in enumerate(self.customers) if customer not in busy]
            who = each.who if anybody else self.pick(free, each.who)
            if who is not None:
                self._make(each._replace(who=who), crash)

    def _make(self, wanted: Wanted, crash: int | None) -> None:
        customer = self.customers[wanted.who % len(self.customers)]
        choices = (self.variants if wanted.first else self.variants[::-1])[: 1 + wanted.both]
        living = [each for each in self.model.wishes.values() if each.lives and each.customer == customer]
        is_known = any(set(each.choices) & set(choices) for each in living)
        is_done, made = self.attempt(crash, lambda session: self._wish(session, customer, choices, wanted))
        if is_done:
            assert isinstance(made, AlreadyWished) == is_known
            if not is_known:
                self.model.wishes[made.id] = made

    def _wish(self, session: Session, customer: int, choices: list[int], wanted: Wanted) -> ModelWish:
        proof = session.scalars(sa.select(Consent).where(Consent.customer_id == customer)).one()
        wish = commands.make_wish(
            session,
            session.get_one(Customer, customer, options=BARE),
            [session.get_one(Variant, each, options=BARE) for each in choices],
            way=WishWay.FORM,
            mailbox=session.get_one(Mailbox, 1, options=BARE),
            language="en",
            policy=POLICY,
            now=self.model.now,
            quantity=wanted.quantity,
            ceiling_cents=wanted.ceiling,
            consent=proof if wanted.consent else None,
        )
        return ModelWish(
            wish.id, customer, list(choices), wanted.quantity, wish.created_at, wish.confirmed_at, wish.rank_at,
            wanted.ceiling, wish.state,
        )  # fmt: skip

    @rule(which=some, crash=crashes)
    def confirm(self, which: int, crash: int | None) -> None:
        """She says yes."""
        wish = self.pick([each for each in self.model.wishes.values() if each.state is WishState.UNCONFIRMED], which)
        if wish is None:
            return

        def confirm(session: Session) -> datetime | None:
            proof = session.scalars(sa.select(Consent).where(Consent.customer_id == wish.customer)).one()
            found = session.get_one(Wish, wish.id)
            commands.confirm_wish(session, found, proof, now=self.model.now)
            return found.rank_at

        is_done, rank = self.attempt(crash, confirm)
        if is_done:
            wish.state, wish.confirmed_at, wish.rank_at = WishState.WAITING, self.model.now, rank

    @rule(which=some, crash=crashes)
    def withdraw(self, which: int, crash: int | None) -> None:
        """She no longer wants it."""
        wish = self.pick(list(self.model.wishes.values()), which)
        if wish is None:
            return
        because = WishEnding.WITHDRAWN_BY_HER
        is_done, _ = self.attempt(
            crash,
            lambda session: commands.withdraw_wish(
                session, session.get_one(Wish, wish.id), because, by=None, now=self.model.now
            ),
        )
        if is_done and wish.lives:
            self.model.end_wish(wish, WishState.WITHDRAWN, because, OfferEnding.WITHDRAWN)

    # What the shop tells, and when it is heard.

    @rule(variant=st.booleans(), units=st.integers(1, 5), crash=crashes)
    def restock(self, variant: bool, units: int, crash: int | None) -> None:
        """So many are there now; they are shared out, and the mails leave."""
        self._restock(variant=variant, units=units, crash=crash)

    def _restock(self, *, variant: bool, units: int, crash: int | None) -> None:
        self.model.now += timedelta(minutes=10)
        self.there[SKUS[variant]] = units
        self._report(self._told(SKUS[variant], StockReport.SNAPSHOT, units), None)
        self._share_out(crash)
        self._let_mails_leave()

    @precondition(lambda self: self.model.open() or self.looks % 4 == 0)
    @rule(who=some, which=some, token=st.booleans(), crash=crashes)
    def buy(self, who: int, which: int, token: bool, crash: int | None) -> None:
        """Somebody buys a piece, with her offer's token or without."""
        variant, customer = which % 2, self.customers[who % len(self.customers)]
        offer = self.pick(self.model.open(), which) if token else None

        def buy(session: Session) -> None:
            address = session.get_one(Customer, customer).address
            line = PurchaseReport("shop", f"{self.purchases}", SKUS[variant], self.model.now, address=address)
            sold = report_purchase(session, line, now=self.model.now)
            matching.match_purchase(session, sold.id, offer_id=offer.id if offer else None, now=self.model.now)

        is_done, _ = self.attempt(crash, buy)
        if is_done:
            self.purchases += 1
            self._match(customer, self.variants[variant], offer)

    def _match(self, customer: int, variant: int, offer: ModelOffer | None) -> None:
        wish = self.model.wishes[offer.wish] if offer else None
        if wish is None or offer is None or variant not in {*wish.choices, offer.variant}:
            theirs = [each for each in self.model.wishes.values() if each.lives and each.customer == customer]
            wish = next((each for each in theirs if variant in each.choices), None)
        if wish is not None:
            held = self.model.offer_of(wish.id)
            if wish.quantity > 1:  # one bought of two
                wish.quantity -= 1
                if held is not None:
                    held.quantity -= 1
                return
            is_ours = held is not None and held.variant == variant
            because = WishEnding.BOUGHT if is_ours else WishEnding.BOUGHT_ELSEWHERE
            self.model.end_wish(wish, WishState.FULFILLED, because, OfferEnding(because.value))

    @rule(who=some, crash=crashes)
    def suppress(self, who: int, crash: int | None) -> None:
        """Her address dies, or lives again."""
        number = who % len(self.customers)
        customer, address = self.customers[number], f"n{number}@example.com"

        def turn(session: Session) -> None:
            if (standing := find_suppression(session, address)) is not None:
                standing.released_at = self.model.now
            else:
                reason = SuppressionReason.HARD_BOUNCE
                mailing.suppress(session, address, reason=reason, by=None, now=self.model.now)

        is_done, _ = self.attempt(crash, turn)
        if is_done:
            self.model.suppressed ^= {customer}

    @rule(minutes=st.sampled_from([0, 1, 30, 60 * 5, 60 * 24, 60 * 24 * 4]))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.model.now += timedelta(minutes=minutes)

    # What she answers.

    @rule(which=some, answer=st.sampled_from(["take", "take", "pass", "put_off"]), ended=st.booleans(), crash=crashes)
    def answer(self, which: int, answer: str, ended: bool, crash: int | None) -> None:
        """She answers an offer, perhaps one that is over."""
        offer = self.pick(list(self.model.offers.values()) if ended else self.model.open(), which)
        if offer is None:
            return
        until = self.model.now + timedelta(days=3)

        def act(session: Session) -> None:
            found = session.get_one(Offer, offer.id)
            if answer == "take":
                offering.take_offer(session, found, now=self.model.now)
            elif answer == "pass":
                offering.pass_offer(session, found, now=self.model.now)
            else:
                offering.put_off_offer(session, found, until=until, now=self.model.now)

        before = {each.id: each.holds for each in self.model.offers.values()}
        try:
            expected = self.model.answer(offer, answer, until, is_rehearsal=True)
        except RuleBroken as error:
            expected = error
        is_done, outcome = self.attempt(crash, act)
        assert before == {each.id: each.holds for each in self.model.offers.values()}
        if is_done:
            assert isinstance(outcome, RuleBroken) == isinstance(expected, RuleBroken), (outcome, expected)
            if not isinstance(outcome, RuleBroken):
                self.model.answer(offer, answer, until, is_rehearsal=False)

    # What the house does by itself.

    @rule(crash=crashes)
    def open_waves(self, crash: int | None) -> None:
        """All free units are shared out in one go: exactly as the model would."""
        self._share_out(crash)

    def _share_out(self, crash: int | None) -> None:
        last = max(self.model.offers, default=0)

        def deal(session: Session) -> None:
            dealing = Round(session, self.variants[0], zone=ZONE, now=self.model.now)
            while not dealing.is_over:
                dealing.deal(session, limit=3)

        is_done, _ = self.attempt(crash, deal)
        if is_done:
            self._learn_sold()
            expected = self.model.share_out()
            assert [(each.wish, each.variant, each.holds, each.by_tier) for each in self._learn(last)] == expected

    @precondition(lambda self: len(self.rounds) < self.workers)
    @rule(crash=crashes)
    def a_worker_looks(self, crash: int | None) -> None:
        """One more of the two to eight workers reads what there is to share out, and who waits; it acts later."""
        self._look(crash)

    @precondition(lambda self: bool(self.rounds))
    @rule(which=some, crash=crashes)
    def a_worker_acts(self, which: int, crash: int | None) -> None:
        """A worker makes its next offer by what it knew, whatever the others and the customers did meanwhile."""
        self._act(self.rounds[which % len(self.rounds)], crash)

    @rule(
        wishes=st.lists(wanted, max_size=3),
        variant=st.booleans(),
        units=st.integers(1, 3),
        turns=st.lists(some, min_size=3, max_size=9),
        crash=crashes,
    )
    def all_workers_cross(
        self, *, wishes: list[Wanted], variant: bool, units: int, turns: list[int], crash: int | None
    ) -> None:
        """Pieces come in while people wait; all workers look at once, and then act in turns nobody planned."""
        self.wish(wishes=wishes, anybody=False, crash=None)
        self.there[SKUS[variant]] += units
        self._report(self._told(SKUS[variant], StockReport.DELTA, units), None)
        while len(self.rounds) < self.workers and self._look(None):
            continue
        for turn in turns:
            if self.rounds:
                self._act(self.rounds[turn % len(self.rounds)], crash)

    def _look(self, crash: int | None) -> bool:
        """Whether there is something to share out."""

        def look(session: Session) -> Round:
            dealing = Round(session, self.variants[0], zone=ZONE, now=self.model.now)
            dealing.begin(session)
            return dealing

        is_done, dealing = self.attempt(crash, look)
        self._learn_holds()
        if not is_done or dealing.is_over:
            return False
        self.rounds.append(dealing)
        return True

    def _act(self, dealing: Round, crash: int | None) -> None:
        last = max(self.model.offers, default=0)
        is_done, _ = self.attempt(crash, lambda session: dealing.deal(session, limit=1))
        if not is_done or dealing.is_over:
            self.rounds.remove(dealing)
        if is_done:
            self._learn_sold()
            self._learn_holds()
            for each in self._learn(last):
                assert self.model.promised(each.variant) <= self.model.on_hand[each.variant] or not each.holds

    @rule()
    def let_mails_leave(self) -> None:
        """The mails of all offers go out; their clocks begin."""
        self._let_mails_leave()

    def _let_mails_leave(self) -> None:
        here = [each for each in self.model.open() if not each.has_left]
        if not here:
            return
        self.is_touched = True
        with self.sessions() as session:
            for offer in session.scalars(sa.select(Offer).where(Offer.left_at.is_(None), Offer.ended_at.is_(None))):
                self.model.offers[offer.id].has_left = True
                until = clockwork.held_until(self.model.now, 24, ZONE, offer.wave.policy)
                offer.left_at = self.model.now
                offer.held_until = max(offer.held_until or until, until)
                self.model.offers[offer.id].held_until = offer.held_until
            session.commit()

    @rule(crash=crashes)
    def lapse(self, crash: int | None) -> None:
        """Holds that are over end."""
        now = self.model.now

        def lapse(session: Session) -> None:
            for offer_id in due.list_to_lapse(session, now=now):
                offering.lapse_offer(session, session.get_one(Offer, offer_id), now=now)

        is_done, _ = self.attempt(crash, lapse)
        for offer in self.model.open() if is_done else []:
            if offer.held_until is not None and offer.held_until <= now:
                wish = self.model.end_offer(offer, OfferEnding.LAPSED)
                theirs = [each for each in self.model.offers.values() if each.wish == wish.id]
                lapses = sum(each.because is OfferEnding.LAPSED for each in theirs)
                wish.rests_until = now + rest_after(min(lapses, 7))

    @rule(crash=crashes)
    def free_missing(self, crash: int | None) -> None:
        """Where the shop took units away, the last placed lose theirs."""

        def free(session: Session) -> None:
            for variant_id in due.list_overpromised(session, settled=self.model.now):
                while (offer_id := due.find_newest_unanswered(session, variant_id)) is not None:
                    found = session.get_one(Offer, offer_id)
                    offering.end_offer(session, found, OfferEnding.UNITS_GONE, now=self.model.now)

        is_done, _ = self.attempt(crash, free)
        for variant in self.variants if is_done else []:
            self._learn_sold()
            held = [each for each in self.model.open(variant) if each.holds and each.state is OfferState.OPEN]
            while held and self.model.promised(variant) > self.model.on_hand[variant]:
                self.model.end_offer(held.pop(), OfferEnding.UNITS_GONE)
