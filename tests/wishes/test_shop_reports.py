"""What the shop's reports do to wishes and offers: units gone for a moment, pieces bought in part, orders undone."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from concierge import clock
from concierge.catalogue.levels import Report
from concierge.catalogue.models import Variant
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.config import Config
from concierge.customers.commands import withdraw_consent
from concierge.db import Sessions
from concierge.wishes import jobs, links, release
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer, OfferEnding
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor
from tests.wishes.builders import offers, sandals, share_out, wish_for


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The hour the jobs read, a minute after the last count; a test moves it by changing the first element."""
    hour = [NOW + MINUTE]
    monkeypatch.setattr(clock, "now", lambda: hour[0])
    return hour


def _moves(session: Session, config: Config, variant: Variant, location: str, units: int) -> None:
    """So many units came or went."""
    now = clock.now()
    report = Report("till", f"{location}{units}{now}", variant.sku, location, StockReport.DELTA, units, now)
    report_stock(session, report, now=now, policy=config.policy)
    session.commit()


def _order(session: Session, variant: Variant, name: str = "S-1:1", **values: object) -> None:
    """A line of an order of Barbara's as the shop tells it."""
    line = PurchaseReport(
        **{
            "stated_at": NOW,
            "source": "shop",
            "external_id": name,
            "sku": variant.sku,
            "at": clock.now(),
            "address": "barbara@example.com",
        }
        | values  # type: ignore[arg-type]
    )
    report_purchase(session, line, now=clock.now())
    session.commit()


def test_a_transfer_between_boutiques_ends_no_offer(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
) -> None:
    (size,) = sandals(session, s36=0)
    wish_for(session, size)
    session.commit()
    _moves(session, config, size, "Milano", 1)
    present[0] += 6 * MINUTE
    assert jobs.open_waves(config, sessions) == 1
    _moves(session, config, size, "Milano", -1)
    assert jobs.free_missing(config, sessions) == 0
    present[0] += MINUTE
    _moves(session, config, size, "online", 1)
    present[0] += HOUR
    assert jobs.free_missing(config, sessions) == 0
    assert len(offers(session)) == 1


def test_no_mail_leaves_for_a_unit_that_has_just_gone_missing(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
) -> None:
    make_editor(session)
    (size,) = sandals(session, s36=0)
    wish_for(session, size)
    session.commit()
    _moves(session, config, size, "Milano", 1)
    present[0] += 6 * MINUTE
    assert jobs.open_waves(config, sessions) == 1
    _moves(session, config, size, "Milano", -1)
    assert (release.release_due(config, sessions), release.next_due(session)) == (0, None)
    session.commit()
    present[0] += MINUTE
    _moves(session, config, size, "online", 1)
    assert release.release_due(config, sessions) == 1


def test_a_unit_that_stays_away_ends_the_offer_once_that_has_settled(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
) -> None:
    (size,) = sandals(session, s36=1)
    wish_for(session, size)
    share_out(session, size, now=NOW)
    (offer,) = offers(session)
    session.commit()
    _moves(session, config, size, "online", -1)
    found = []
    for minutes in (1, 5.9, 6):
        present[0] = NOW + minutes * MINUTE
        found.append(jobs.free_missing(config, sessions))
    assert found == [0, 0, 1]
    assert session.get_one(Offer, offer.id, populate_existing=True).ended_because is OfferEnding.UNITS_GONE


def test_what_is_sold_to_somebody_else_is_gone_at_once(config: Config, sessions: Sessions, session: Session) -> None:
    (size,) = sandals(session, s36=1)
    wish_for(session, size, name="Chloé")
    share_out(session, size, now=NOW)
    session.commit()
    _order(session, size)
    assert (jobs.match_purchases(config, sessions), jobs.free_missing(config, sessions)) == (1, 1)
    assert offers(session) == []


@pytest.mark.parametrize("by_token", [True, False])
def test_one_bought_of_two_leaves_a_wish_for_the_other(
    config: Config, sessions: Sessions, session: Session, by_token: bool
) -> None:
    (size,) = sandals(session, s36=2)
    wish = wish_for(session, size, quantity=2)
    share_out(session, size, now=NOW)
    (offer,) = offers(session)
    session.commit()
    _order(session, size, hold_token=links.hold_token(config, offer.id) if by_token else "")
    assert jobs.match_purchases(config, sessions) == 1
    session.expire_all()
    assert (wish.state, wish.quantity, offer.quantity, offer.is_over) == (WishState.OFFERED, 1, 1, False)
    assert (size.on_hand, size.promised) == (2, 2)  # one held, one sold
    session.commit()
    assert (jobs.free_missing(config, sessions), jobs.check_invariants(config, sessions)) == (0, 0)
    _order(session, size, "S-2:1")
    jobs.match_purchases(config, sessions)
    session.expire_all()
    assert (wish.state, wish.ended_because, size.promised) == (WishState.FULFILLED, WishEnding.BOUGHT, 2)
    session.commit()
    assert jobs.check_invariants(config, sessions) == 0


def test_one_of_two_bought_elsewhere_leaves_her_place(config: Config, sessions: Sessions, session: Session) -> None:
    size, other = sandals(session, s36=1, s37=0)
    wish = wish_for(session, size, other, quantity=2)
    session.commit()
    place = wish.rank_at
    _order(session, other)
    jobs.match_purchases(config, sessions)
    session.expire_all()
    assert (wish.state, wish.quantity, wish.rank_at) == (WishState.WAITING, 1, place)
    session.commit()
    assert jobs.open_waves(config, sessions) == 1
    assert [each.quantity for each in offers(session)] == [1]


def test_a_purchase_of_two_fulfils_a_wish_for_two(config: Config, sessions: Sessions, session: Session) -> None:
    (size,) = sandals(session, s36=2)
    wish = wish_for(session, size, quantity=2)
    session.commit()
    _order(session, size, units=2)
    jobs.match_purchases(config, sessions)
    assert session.get_one(Wish, wish.id, populate_existing=True).state is WishState.FULFILLED


def _fulfilled(config: Config, sessions: Sessions, session: Session, **values: object) -> Wish:
    """Barbara's wish, which an order has just fulfilled."""
    (size,) = sandals(session, s36=1)
    wish = wish_for(session, size, now=NOW - DAY, **values)
    share_out(session, size, now=NOW)
    session.commit()
    _order(session, size)
    assert jobs.match_purchases(config, sessions) == 1
    session.refresh(wish)
    assert wish.state is WishState.FULFILLED
    return wish


def test_an_order_that_came_to_nothing_gives_her_wish_and_her_place_back(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
) -> None:
    wish = _fulfilled(config, sessions, session)
    size, place = wish.choices[0].variant, wish.rank_at
    chloe = wish_for(session, size, name="Chloé", now=NOW - HOUR)
    session.commit()
    present[0] += HOUR
    for _again in range(2):
        _order(session, size, is_void=True)
        assert jobs.match_purchases(config, sessions) == 1
        session.refresh(wish)
        assert (wish.state, wish.quantity, wish.rank_at, wish.ended_because) == (WishState.WAITING, 1, place, None)
        session.commit()
    assert jobs.open_waves(config, sessions) == 1
    assert [each.wish_id for each in offers(session)] == [wish.id] != [chloe.id]
    session.commit()
    assert jobs.check_invariants(config, sessions) == 0


@pytest.mark.parametrize("seen", [True, False])
def test_an_order_that_is_paid_after_all_fulfils_her_wish_again(
    config: Config, sessions: Sessions, session: Session, present: list[datetime], seen: bool
) -> None:
    """Whether or not anybody looked while it was undone."""
    wish = _fulfilled(config, sessions, session)
    size = wish.choices[0].variant
    present[0] += HOUR
    _order(session, size, is_void=True, stated_at=NOW + HOUR)
    assert not seen or jobs.match_purchases(config, sessions) == 1
    _order(session, size, stated_at=NOW + 2 * HOUR)
    assert jobs.match_purchases(config, sessions) == 1
    session.expire_all()
    assert (wish.state, size.promised, offers(session)) == (WishState.FULFILLED, 1, [])
    session.commit()
    assert jobs.check_invariants(config, sessions) == 0


@pytest.mark.parametrize("ending", ["returned", "unsubscribed"])
def test_what_she_sends_back_or_no_longer_wants_stays_as_it_is(
    config: Config, sessions: Sessions, session: Session, ending: str
) -> None:
    wish = _fulfilled(config, sessions, session)
    if ending == "unsubscribed":
        withdraw_consent(session, wish.customer, purpose="wish", way="link", now=clock.now())
    _order(session, wish.choices[0].variant, returned=1, is_void=ending == "unsubscribed")
    jobs.match_purchases(config, sessions)
    session.refresh(wish)
    assert wish.state is WishState.FULFILLED


def test_a_wish_she_made_anew_takes_the_older_place(config: Config, sessions: Sessions, session: Session) -> None:
    wish = _fulfilled(config, sessions, session)
    size = wish.choices[0].variant
    newer = wish_for(session, size, customer=wish.customer, now=NOW)
    session.commit()
    _order(session, size, is_void=True)
    assert jobs.match_purchases(config, sessions) == 1
    session.expire_all()
    assert (wish.state, newer.state, newer.rank_at) == (WishState.FULFILLED, WishState.WAITING, wish.rank_at)
    session.commit()
    assert jobs.check_invariants(config, sessions) == 0


@pytest.mark.parametrize("order", [("S-1:1", "S-2:1"), ("S-2:1", "S-1:1")])
def test_of_two_orders_each_gives_back_its_own(
    config: Config, sessions: Sessions, session: Session, order: tuple[str, str]
) -> None:
    (size,) = sandals(session, s36=2)
    wish = wish_for(session, size, quantity=2)
    session.commit()
    for name in ("S-1:1", "S-2:1"):
        _order(session, size, name)
        jobs.match_purchases(config, sessions)
    assert session.get_one(Wish, wish.id, populate_existing=True).state is WishState.FULFILLED
    for wanted, name in enumerate(order, start=1):
        session.commit()
        _order(session, size, name, is_void=True)
        jobs.match_purchases(config, sessions)
        session.refresh(wish)
        assert (wish.state, wish.quantity) == (WishState.WAITING, wanted)
