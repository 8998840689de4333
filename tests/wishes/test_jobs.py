"""What the house does with wishes by itself."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import clock
from concierge.audit import AuditEntry
from concierge.catalogue.models import Variant
from concierge.catalogue.stock import promise_sold
from concierge.catalogue.stock_models import Purchase
from concierge.config import Config
from concierge.db import Sessions
from concierge.mailing.models import Delivery, DeliveryState
from concierge.wishes import jobs, links, offering, queries
from concierge.wishes.commands import change_wish
from concierge.wishes.models import Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer, OfferEnding, Wave
from concierge.wishes.rounds import Round
from tests.factories import DAY, HOUR, NOW
from tests.wishes.builders import offers, sandals, save_policy, share_out, wish_for


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The hour the jobs read; a test moves it by changing the first element."""
    hour = [NOW]
    monkeypatch.setattr(clock, "now", lambda: hour[0])
    return hour


def _deliver(session: Session, offer: Offer, state: DeliveryState, **values: object) -> Delivery:
    delivery = Delivery(
        **{
            "key": f"offer:{offer.id}",
            "purpose": "offer",
            "state": state,
            "message_id": "<1@maison>",
            "to_address": "barbara@example.com",
            "to_normalised": "barbara@example.com",
            "subject": "They are back",
            "content": {},
            "due_at": NOW,
            "created_at": NOW,
        }
        | values
    )
    session.add(delivery)
    session.flush()
    offer.delivery_id, offer.left_at, offer.held_until = delivery.id, NOW, NOW + 3 * HOUR
    return delivery


def _buy(session: Session, variant: Variant, **values: object) -> Purchase:
    purchase = Purchase(
        **{
            "variant_id": variant.id,
            "source": "shop",
            "external_id": str(values),
            "price_cents": 42_000,
            "at": NOW,
            "received_at": NOW,
            "unsettled": 1,
        }
        | values
    )
    session.add(purchase)
    promise_sold(session, variant.id, 1)
    session.flush()
    return purchase


def test_free_units_are_offered_and_a_lapse_goes_to_the_next_within_a_tick(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
):
    (size,) = sandals(session, s36=1)
    barbara, chloe = wish_for(session, size, now=NOW - DAY), wish_for(session, size, name="Chloé")
    session.commit()
    assert jobs.open_waves(config, sessions) == 1
    (first,) = offers(session)
    first.held_until = NOW + HOUR
    session.commit()
    assert (jobs.lapse_due(config, sessions), jobs.open_waves(config, sessions)) == (0, 0)
    present[0] += HOUR
    session.commit()
    assert (jobs.lapse_due(config, sessions), jobs.open_waves(config, sessions)) == (1, 1)
    assert [each.wish_id for each in offers(session)] == [chloe.id]
    assert session.get_one(Wish, barbara.id, populate_existing=True).state is WishState.WAITING
    assert jobs.check_invariants(config, sessions) == 0


def test_a_long_round_is_one_wave_in_many_transactions(config: Config, sessions: Sessions, session: Session):
    (size,) = sandals(session, s36=1200)
    for number in range(60):
        wish_for(session, size, name=f"N{number}", now=NOW - number * HOUR)
    session.commit()
    with sessions() as other:
        dealing = Round(other, size.id, zone=config.policy.zone, now=NOW)
        made = []
        while not dealing.is_over:
            made.append(dealing.deal(other, limit=25))
            other.commit()
    assert made == [25, 25, 10]
    wave = session.scalars(sa.select(Wave)).one()
    assert (wave.units, wave.waiting) == (1200, 60)
    given = offers(session)
    assert [each.place for each in given] == list(range(1, 61))
    assert [each.wish.confirmed_at for each in given] == sorted(each.wish.confirmed_at for each in given)


@pytest.mark.parametrize("puts_off", [False, True])
def test_what_she_has_passed_on_or_put_off_is_not_offered_by_a_round_that_knew_her_from_before(
    config: Config, sessions: Sessions, session: Session, *, puts_off: bool
):  # F10
    size, other_size = sandals(session, s36=3, s37=0)
    wish_for(session, size, name="Anna", now=NOW - DAY)
    barbara = wish_for(session, size, other_size, name="Barbara")
    session.commit()
    with sessions() as one, sessions() as two:
        slow = Round(one, size.id, zone=config.policy.zone, now=NOW)
        assert slow.deal(one, limit=1) == 1  # Anna; it has read that Barbara is next
        one.commit()
        quick = Round(two, size.id, zone=config.policy.zone, now=NOW)
        assert quick.deal(two, limit=1) == 1
        two.commit()
        [hers] = [each for each in offers(session) if each.wish_id == barbara.id]
        if puts_off:
            offering.put_off_offer(session, hers, until=NOW + 7 * DAY, now=NOW)
        else:
            offering.pass_offer(session, hers, now=NOW)
        session.commit()
        assert slow.deal(one, limit=1) == 0
        one.commit()
    assert [each.variant_id for each in offers(session) if each.wish_id == barbara.id and each.ended_at is None] == []
    wish = session.get_one(Wish, barbara.id, populate_existing=True)
    assert wish.state is WishState.WAITING
    assert [each.variant_id for each in wish.choices] == ([size.id] if puts_off else []) + [other_size.id]


@pytest.mark.parametrize(
    ("terms", "offered"),
    [
        ({"quantity": 1}, 1),
        ({"quantity": 2, "ceiling_cents": 1_000}, 0),
        ({"quantity": 2, "needed_by": (NOW - DAY).date()}, 0),
        ({"quantity": 2, "or_similar": True}, 2),
    ],
)
def test_what_she_has_changed_since_the_queue_was_read_counts(
    config: Config, sessions: Sessions, session: Session, terms: dict[str, Any], offered: int
):  # F10
    [size] = sandals(session, s36=3)
    wish_for(session, size, name="Anna", now=NOW - DAY)
    barbara = wish_for(session, size, name="Barbara", quantity=2)
    session.commit()
    terms = {"needed_by": None, "ceiling_cents": None, "or_similar": False} | terms
    with sessions() as one:
        slow = Round(one, size.id, zone=config.policy.zone, now=NOW)
        assert slow.deal(one, limit=1) == 1  # Anna; it has read that Barbara is next
        one.commit()
        change_wish(session, barbara, variants=[size], by=None, now=NOW, **terms)
        session.commit()
        assert slow.deal(one, limit=1) == (offered == 2)
        one.commit()
        next_one = Round(one, size.id, zone=config.policy.zone, now=NOW)
        next_one.deal(one, limit=1)
        one.commit()
    assert sum(each.quantity for each in offers(session) if each.wish_id == barbara.id) == offered


def test_what_is_not_believed_yet_is_not_offered(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
):
    (size,) = sandals(session, s36=1)
    size.offered_from = NOW + HOUR
    wish_for(session, size)
    session.commit()
    assert jobs.open_waves(config, sessions) == 0
    present[0] += HOUR
    assert jobs.open_waves(config, sessions) == 1


def test_who_was_skipped_is_looked_at_again_when_the_reason_may_have_gone(
    config: Config, sessions: Sessions, session: Session
):
    (size,) = sandals(session, s36=1)
    barbara = wish_for(session, size, ceiling_cents=10_000)
    session.commit()
    assert jobs.open_waves(config, sessions) == 0
    assert session.get_one(Wish, barbara.id, populate_existing=True).skipped_because == "over_ceiling"
    size.product.price_cents = 9_000
    session.commit()
    assert jobs.open_waves(config, sessions) == 0
    session.commit()
    assert jobs.reconsider_skipped(config, sessions) == 1


@pytest.mark.parametrize("by_token", [True, False])
def test_a_purchase_is_matched_by_its_token_else_by_address_and_piece(
    config: Config, sessions: Sessions, session: Session, by_token: bool
):
    (size,) = sandals(session, s36=1)
    barbara = wish_for(session, size)
    share_out(session, size, now=NOW)
    (offer,) = offers(session)
    known = {"hold_token": links.hold_token(config, offer.id)} if by_token else {"normalised": "barbara@example.com"}
    _buy(session, size, **known)
    session.commit()
    assert [jobs.match_purchases(config, sessions) for _ in range(2)] == [1, 0]
    wish = session.get_one(Wish, barbara.id, populate_existing=True)
    assert (wish.state, wish.ended_because) == (WishState.FULFILLED, WishEnding.BOUGHT)
    assert session.get_one(Variant, size.id, populate_existing=True).promised == 1  # the sale, until it is missing
    session.commit()
    assert (jobs.free_missing(config, sessions), jobs.check_invariants(config, sessions)) == (0, 0)


def test_what_she_bought_before_she_wished_fulfils_nothing(config: Config, sessions: Sessions, session: Session):
    (size,) = sandals(session, s36=1)
    wish = wish_for(session, size)
    _buy(session, size, normalised="barbara@example.com", at=NOW - DAY)
    session.commit()
    assert jobs.match_purchases(config, sessions) == 1
    assert session.get_one(Wish, wish.id, populate_existing=True).state is WishState.WAITING
    _buy(session, size, normalised="barbara@example.com", at=NOW)  # the control: one she bought since does
    session.commit()
    assert jobs.match_purchases(config, sessions) == 1
    assert session.get_one(Wish, wish.id, populate_existing=True).state is WishState.FULFILLED


def test_when_the_shop_takes_units_away_the_last_placed_lose_theirs(
    config: Config, sessions: Sessions, session: Session
):
    (size,) = sandals(session, s36=3)
    for number in range(3):
        wish_for(session, size, name=f"N{number}", now=NOW + number * HOUR)
    share_out(session, size, now=NOW)
    first, second, third = offers(session)
    offering.take_offer(session, third, now=NOW)
    size.on_hand = 2
    session.commit()
    assert (jobs.free_missing(config, sessions), jobs.free_missing(config, sessions)) == (1, 0)
    assert [each.id for each in offers(session)] == [first.id, third.id]
    assert session.get_one(Offer, second.id, populate_existing=True).ended_because is OfferEnding.UNITS_GONE


@pytest.mark.parametrize("state", [DeliveryState.DEFERRED, DeliveryState.UNCERTAIN])
def test_the_clock_stands_while_the_mail_does_not_get_through(
    config: Config, sessions: Sessions, session: Session, present: list[datetime], state: DeliveryState
):
    (size,) = sandals(session, s36=1)
    wish_for(session, size)
    share_out(session, size, now=NOW)
    (offer,) = offers(session)
    delivery = _deliver(session, offer, state)
    session.commit()
    assert [jobs.settle_mail(config, sessions) for _ in range(2)] == [1, 0]
    present[0] += 5 * HOUR
    assert jobs.lapse_due(config, sessions) == 0
    delivery.state = DeliveryState.DELIVERED
    session.commit()
    assert jobs.settle_mail(config, sessions) == 1
    session.refresh(offer)
    assert (offer.held_until, offer.hold_left_seconds) == (NOW + 8 * HOUR, None)


@pytest.mark.parametrize("was_seen_stuck", [True, False], ids=["the tick saw it stuck", "the worker was down"])
def test_a_mail_that_left_later_than_the_hold_was_long_gives_her_the_whole_hold(
    config: Config, sessions: Sessions, session: Session, present: list[datetime], was_seen_stuck: bool
):
    (size,) = sandals(session, s36=1)
    wish_for(session, size)
    share_out(session, size, now=NOW)
    (offer,) = offers(session)
    delivery = _deliver(session, offer, DeliveryState.QUEUED)
    session.commit()
    present[0] = NOW + 5 * HOUR  # held for three hours, and the mail has not left
    assert (jobs.lapse_due(config, sessions), jobs.next_lapse(session)) == (0, None)
    session.commit()
    if was_seen_stuck:
        assert jobs.settle_mail(config, sessions) == 1
    delivery.state, delivery.sent_at = DeliveryState.SENT, present[0] + HOUR
    session.commit()
    present[0] += HOUR
    assert jobs.lapse_due(config, sessions) == 0  # whichever of the two looks first
    assert [jobs.settle_mail(config, sessions) for _ in range(2)] == [1, 0]
    session.refresh(offer)
    assert (offer.held_until, offer.left_at) == (NOW + 9 * HOUR, NOW + 6 * HOUR)
    present[0] = offer.held_until
    session.commit()
    assert (jobs.settle_mail(config, sessions), jobs.lapse_due(config, sessions)) == (0, 1)


@pytest.mark.parametrize(
    "state", [DeliveryState.BOUNCED, DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.WITHHELD]
)
def test_a_mail_that_did_not_arrive_frees_the_unit_and_the_wish_waits_on(
    config: Config, sessions: Sessions, session: Session, state: DeliveryState
):
    (size,) = sandals(session, s36=1)
    barbara, chloe = wish_for(session, size, now=NOW - DAY), wish_for(session, size, name="Chloé")
    share_out(session, size, now=NOW)
    _deliver(session, offers(session)[0], state)
    session.commit()
    assert (jobs.settle_mail(config, sessions), jobs.open_waves(config, sessions)) == (1, 1)
    assert [each.wish_id for each in offers(session)] == [chloe.id]
    assert session.get_one(Wish, barbara.id, populate_existing=True).state is WishState.WAITING


def test_wishes_end_by_themselves_but_an_old_one_only_after_she_was_asked(
    config: Config, sessions: Sessions, session: Session, present: list[datetime]
):
    size, other, third = sandals(session, s36=0, s37=0, s38=0)
    old = wish_for(session, size)
    late = wish_for(session, other, name="Chloé", needed_by=(NOW + 10 * DAY).date())
    unproved = wish_for(session, third, name="Anna", confirmed=False)
    session.commit()
    present[0] = NOW + 15 * DAY
    assert jobs.expire_due(config, sessions) == 2
    present[0] = old.expires_at
    assert [each.id for each in queries.list_to_ask(session, now=present[0], policy=config.policy)] == [old.id]
    session.commit()
    assert jobs.expire_due(config, sessions) == 0
    old.asked_at = present[0] - timedelta(days=14)
    session.commit()
    assert jobs.expire_due(config, sessions) == 1
    endings = [session.get_one(Wish, each.id, populate_existing=True).ended_because for each in (old, late, unproved)]
    assert endings == [WishEnding.TOO_OLD, WishEnding.NEEDED_BY_PASSED, WishEnding.NEVER_CONFIRMED]


def test_a_broken_invariant_is_found_and_written_down_once(config: Config, sessions: Sessions, session: Session):
    """Negative control: each of these would pass unseen if nobody looked."""
    save_policy(session)
    size, other = sandals(session, s36=1, s37=0)
    wish, waiting = wish_for(session, size), wish_for(session, other, name="Chloé")
    share_out(session, size, now=NOW)
    session.execute(sa.update(Variant).where(Variant.id == size.id).values(promised=2))
    session.execute(sa.update(Wish).where(Wish.id == wish.id).values(state=WishState.WAITING))
    session.execute(sa.update(Wish).where(Wish.id == waiting.id).values(rank_at=NOW + DAY))
    session.commit()
    assert jobs.check_invariants(config, sessions) == 4
    jobs.check_invariants(config, sessions)
    noted = session.scalars(sa.select(AuditEntry.details).where(AuditEntry.verb == "invariant.broken"))
    assert sorted(each["rule"] for each in noted) == [
        "a queue agrees with its wishes",
        "a queue agrees with its wishes",
        "an open offer's wish is offered",
        "what is promised is what is held and sold",
    ]
