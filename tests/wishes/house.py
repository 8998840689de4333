"""The real house beside the model: how a step is taken, thrown away, and what must be true after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import event
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase
from concierge.db import Sessions, reading
from concierge.errors import RuleBroken
from concierge.wishes.invariants import find_broken_invariants
from concierge.wishes.models import Wish, WishState
from concierge.wishes.offer_models import Offer
from tests.factories import make_customer, make_editor, make_mailbox
from tests.wishes.builders import make_consent, sandals
from tests.wishes.model import Model, ModelOffer

ZONE = ZoneInfo("Europe/Rome")
TIERS = ("", "", "", "vip", "vip", "gold")
Result = TypeVar("Result")
# Asked of the tables themselves: the machine looks at them after each of its half a million steps.
_wish, _offer, _unit, _sale = Wish.__table__.c, Offer.__table__.c, Variant.__table__.c, Purchase.__table__.c
_WISHES = sa.select(_wish.id, _wish.state, _wish.ended_because, _wish.rests_until)
_UNITS = sa.select(_unit.id, _unit.on_hand, _unit.promised)
_OFFERS = sa.select(_offer.id, _offer.state, _offer.ended_because, _offer.holds)
_SOLD = sa.select(_sale.variant_id, sa.func.sum(_sale.unsettled)).group_by(_sale.variant_id)
_NEW_OFFERS = (
    sa.select(
        _offer.id, _offer.wish_id, _offer.variant_id, _offer.quantity, _offer.holds, _offer.by_tier, _offer.says_held,
        _offer.wave_id, _offer.place,
    )
    .where(_offer.id > sa.bindparam("after"))
    .order_by(_offer.id)
)  # fmt: skip


class Crash(Exception):
    """The process died here."""


def furnish(session: Session) -> None:
    """Six customers, two sizes, an editor."""
    make_mailbox(session)
    make_editor(session)
    sandals(session, s36=0, s37=0)
    for number, tier in enumerate(TIERS):
        make_consent(session, make_customer(session, f"N{number}", tier=tier, timezone=ZONE.key))
    session.commit()


class House(RuleBasedStateMachine):
    """A house and its model; `sessions` and `renew` are given by the test."""

    sessions: Sessions
    renew: Callable[[], None]
    model: Model
    variants: list[int]
    bomb: int | None = None
    # whether anything was done since the last look at the tables
    is_touched = True
    looks = 0

    # What must be true after every step.

    @invariant()
    def the_tables_say_what_the_model_says(self) -> None:
        """Wishes, offers and units agree, and no rule of the house is broken."""
        if not hasattr(self, "model") or not self.is_touched:
            return
        model = self.model
        with reading(self.sessions) as session:
            model.sold = _rows(session, _SOLD, lambda units: units)
            wishes, offers, units = (_rows(session, each) for each in (_WISHES, _OFFERS, _UNITS))
            self.looks += 1
            broken = find_broken_invariants(session) if self.looks % 5 == 0 else []
        self.is_touched = False
        assert wishes == {each.id: (each.state, each.because, each.rests_until) for each in model.wishes.values()}
        assert offers == {each.id: (each.state, each.because, each.holds) for each in model.offers.values()}
        assert units == {each: (model.on_hand[each], model.promised(each)) for each in self.variants}
        # The shop may take away or sell what is held; it is then said, and not a hold too many of ours.
        over = {each for each in self.variants if model.promised(each) > model.on_hand[each]}
        assert {each.id for each in broken if each.rule == "holds and sales fit the units"} <= over
        assert not [each for each in broken if each.rule != "holds and sales fit the units"]

    def _learn_sold(self) -> None:
        with reading(self.sessions) as session:
            self.model.sold = _rows(session, _SOLD, lambda units: units)

    def _learn(self, after: int) -> list[ModelOffer]:
        """New offers from the tables; each is for a wish that waited."""
        with reading(self.sessions) as session:
            rows = session.connection().execute(_NEW_OFFERS, {"after": after}).all()
            new = [ModelOffer(*rest, (wave, place), says_held=says) for *rest, says, wave, place in rows]
        for each in new:
            wish = self.model.wishes[each.wish]
            assert wish.state is WishState.WAITING, "offered twice"
            assert each.variant in wish.choices
            assert each.quantity == wish.quantity
            assert each.says_held == (each.quantity > 1 or not self.model.bounded)
            wish.state, wish.rests_until, self.model.offers[each.id] = WishState.OFFERED, None, each
        return new

    def _learn_holds(self) -> None:
        with reading(self.sessions) as session:
            for number, (_state, _because, holds) in _rows(session, _OFFERS).items():
                if number in self.model.offers:
                    self.model.offers[number].holds = holds

    # How a step is taken.

    def lay_bomb(self) -> None:
        """Count statements from now on, so that a step can be thrown away after some of them."""
        self.engine: sa.Engine = self.sessions.kw["bind"]
        event.listen(self.engine, "before_cursor_execute", self._tick_bomb)

    def teardown(self) -> None:
        """Let go of the engine."""
        if hasattr(self, "engine"):
            event.remove(self.engine, "before_cursor_execute", self._tick_bomb)

    def attempt(self, crash: int | None, act: Callable[[Session], Result]) -> tuple[bool, Any]:
        """Do it in a transaction; whether it was committed, with what it gave back or the rule it broke."""
        self.is_touched = True
        with self.sessions() as session, self._armed(crash):
            try:
                outcome: Any = act(session)
                session.commit()
            except Crash:
                session.rollback()
                return False, None
            except RuleBroken as error:
                session.rollback()
                return True, error
        return True, outcome

    @contextmanager
    def _armed(self, crash: int | None) -> Iterator[None]:
        self.bomb = crash
        try:
            yield
        finally:
            self.bomb = None

    def _tick_bomb(self, *_: object) -> None:
        if self.bomb is not None:
            self.bomb -= 1
            if self.bomb <= 0:
                self.bomb = None
                raise Crash

    def pick(self, among: list[Result], which: int) -> Result | None:
        """One of them, if there are any."""
        return among[which % len(among)] if among else None


def _rows(session: Session, statement: sa.Select[Any], keep: Callable[..., Any] = lambda *rest: rest) -> dict[int, Any]:
    """What a statement finds, by the number in its first column."""
    return {number: keep(*rest) for number, *rest in session.connection().execute(statement)}
