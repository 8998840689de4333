"""Offers: who gets one, and what becomes of it."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase
from concierge.mailing.commands import suppress
from concierge.mailing.models import SuppressionReason
from concierge.wishes import offering, queries
from concierge.wishes.models import WishEnding, WishState
from concierge.wishes.offer_models import (
    OfferAnswered,
    OfferEnding,
    OfferLapsed,
    OfferState,
    Rule,
)
from concierge.wishes.queries import find_open_offer
from tests.factories import DAY, HOUR, NOW
from tests.wishes.builders import offers, sandals, save_policy, share_out, wish_for


def _open(session: Session, variant: Variant) -> list[int]:
    """Open a wave; the wishes it was offered to, in order."""
    before = {each.id for each in offers(session)}
    share_out(session, variant, now=NOW)
    return [each.wish_id for each in offers(session) if each.id not in before]


def _promised(session: Session, variant: Variant) -> int:
    session.flush()
    session.refresh(variant)
    return variant.promised


def test_one_unit_is_offered_to_the_one_who_waits_longest(session: Session):
    (size,) = sandals(session, s36=1)
    wish_for(session, size, name="Chloé", now=NOW - DAY)
    barbara = wish_for(session, size, now=NOW - 2 * DAY)
    assert _open(session, size) == [barbara.id]
    session.refresh(barbara)
    assert barbara.state is WishState.OFFERED
    assert _promised(session, size) == 1
    assert _open(session, size) == []


def test_a_pass_frees_the_unit_for_the_next_and_ends_the_wish(session: Session):
    (size,) = sandals(session, s36=1)
    barbara, chloe = wish_for(session, size, now=NOW - DAY), wish_for(session, size, name="Chloé")
    _open(session, size)
    (offer,) = offers(session)
    for _ in range(2):
        offering.pass_offer(session, offer, now=NOW)
    assert (offer.state, offer.ended_because) == (OfferState.DECLINED, OfferEnding.PASSED)
    assert (barbara.state, barbara.ended_because) == (WishState.WITHDRAWN, WishEnding.PASSED_ON_IT)
    assert _promised(session, size) == 0
    assert _open(session, size) == [chloe.id]


def test_whoever_passes_on_one_size_still_waits_for_the_other(session: Session):
    small, large = sandals(session, s36=1, s36_5=0)
    barbara = wish_for(session, large, small)
    _open(session, small)
    offering.pass_offer(session, offers(session)[0], now=NOW)
    assert barbara.state is WishState.WAITING
    assert [each.variant_id for each in barbara.choices] == [large.id]


def test_not_now_keeps_the_place_and_rests(session: Session):
    (size,) = sandals(session, s36=1)
    barbara, chloe = wish_for(session, size, now=NOW - DAY), wish_for(session, size, name="Chloé")
    _open(session, size)
    offering.put_off_offer(session, offers(session)[0], until=NOW + DAY, now=NOW)
    assert barbara.state is WishState.WAITING
    assert _open(session, size) == [chloe.id]
    assert queries.stand(session, size.id)[barbara.id].place == 1


def test_taking_holds_on_and_twice_is_fine_but_not_after_a_pass(session: Session):
    (size,) = sandals(session, s36=1)
    wish_for(session, size)
    _open(session, size)
    (offer,) = offers(session)
    offer.held_until = NOW + HOUR
    offering.take_offer(session, offer, now=NOW)
    offering.take_offer(session, offer, now=NOW + HOUR)
    assert (offer.state, offer.held_until) == (OfferState.TAKEN, NOW + 24 * HOUR)
    offering.pass_offer(session, offer, now=NOW)
    with pytest.raises(OfferAnswered):
        offering.take_offer(session, offer, now=NOW)


def test_a_lapse_rolls_on_and_rests_longer_each_time(session: Session):
    (size,) = sandals(session, s36=1)
    barbara = wish_for(session, size)
    for days in (7, 14):
        barbara.rests_until = None
        _open(session, size)
        offering.lapse_offer(session, offers(session)[0], now=NOW)
        assert barbara.rests_until == NOW + days * DAY
        assert _open(session, size) == []
    with pytest.raises(OfferLapsed):
        offering.take_offer(session, queries.get_offer(session, 1), now=NOW)


def test_a_wish_for_two_is_passed_over_while_one_is_free_and_keeps_its_place(session: Session):
    (size,) = sandals(session, s36=1)
    two = wish_for(session, size, now=NOW - DAY, quantity=2)
    chloe = wish_for(session, size, name="Chloé")
    assert _open(session, size) == [chloe.id]
    session.refresh(two)
    assert two.skipped_because == "too_few_units"
    size.on_hand = 3
    assert _open(session, size) == [two.id]
    session.refresh(two)
    assert two.skipped_because == ""


def test_the_dearer_of_two_sizes_is_offered_when_both_are_there(session: Session):
    small, large = sandals(session, s36=1, s36_5=1)
    barbara = wish_for(session, large, small, now=NOW - DAY)
    chloe = wish_for(session, small, name="Chloé")
    _open(session, small)
    assert {each.wish_id: each.variant_id for each in offers(session)} == {barbara.id: large.id, chloe.id: small.id}


def test_a_suppressed_address_is_skipped_with_the_reason(session: Session):
    (size,) = sandals(session, s36=1)
    barbara, chloe = wish_for(session, size, now=NOW - DAY), wish_for(session, size, name="Chloé")
    suppress(session, "barbara@example.com", reason=SuppressionReason.HARD_BOUNCE, by=None, now=NOW)
    assert _open(session, size) == [chloe.id]
    session.refresh(barbara)
    assert barbara.skipped_because == "hard_bounce"


def test_under_the_bounded_rule_more_are_told_and_a_taker_gets_the_last_ones_unit(session: Session):
    save_policy(session, rule=Rule.BOUNDED, alpha=0.5, prior_taken=1.0, prior_passed=2.0)
    (size,) = sandals(session, s36=2)
    wishes = [wish_for(session, size, name=f"N{number}", now=NOW + number * HOUR - DAY) for number in range(9)]
    told = _open(session, size)
    assert 3 < len(told) < 9 and told == [each.id for each in wishes[: len(told)]]
    assert [each.holds for each in offers(session)][:3] == [True, True, False]
    assert not any(each.says_held or each.is_promised for each in offers(session))
    first, second, third, fourth, *_ = offers(session)
    offering.take_offer(session, third, now=NOW)
    assert (third.holds, queries.lock_offer(session, second.id).holds) == (True, False)
    offering.take_offer(session, first, now=NOW)
    with pytest.raises(OfferLapsed):
        offering.take_offer(session, fourth, now=NOW)
    assert _promised(session, size) == 2
    offering.pass_offer(session, first, now=NOW)
    _open(session, size)
    assert queries.lock_offer(session, second.id).holds


def test_what_was_promised_is_taken_over_by_nobody(session: Session):
    """Her offer is from before the bounded rule, and says that it is held; the next one's is told with others."""
    save_policy(session, rule=Rule.ONE_PER_UNIT)
    (size,) = sandals(session, s36=1)
    barbara = wish_for(session, size, now=NOW - DAY)
    wish_for(session, size, name="Chloé"), wish_for(session, size, name="Anna")
    assert _open(session, size) == [barbara.id]
    save_policy(session, rule=Rule.BOUNDED, alpha=0.5, prior_taken=1.0, prior_passed=2.0)
    size.on_hand += 1
    session.flush()
    _open(session, size)
    hers, second, third = offers(session)
    assert (hers.is_promised, second.holds, second.says_held, third.holds) == (True, True, False, False)
    offering.take_offer(session, third, now=NOW)
    assert not queries.lock_offer(session, second.id).holds
    with pytest.raises(OfferLapsed):
        offering.take_offer(session, second, now=NOW)
    assert queries.lock_offer(session, hers.id).is_promised and third.is_promised


def test_several_pieces_are_promised_under_the_bounded_rule_too(session: Session):
    save_policy(session, rule=Rule.BOUNDED, alpha=0.5, prior_taken=1.0, prior_passed=2.0)
    (size,) = sandals(session, s36=3)
    wish_for(session, size, now=NOW - DAY, quantity=2)
    wish_for(session, size, name="Chloé"), wish_for(session, size, name="Anna")
    _open(session, size)
    assert [(each.quantity, each.holds, each.is_promised) for each in offers(session)] == [
        (2, True, True),
        (1, True, False),
        (1, False, False),
    ]


def test_a_purchase_fulfils_the_wish_wherever_it_was_bought(session: Session):
    small, large = sandals(session, s36=1, s36_5=0)
    barbara = wish_for(session, small, large)
    _open(session, small)
    purchase = Purchase(variant_id=large.id, price_cents=1, source="pos", external_id="1", at=NOW, received_at=NOW)
    session.add(purchase)
    session.flush()
    offering.fulfil_wish(session, barbara, purchase, now=NOW + timedelta(minutes=1))
    assert (barbara.state, barbara.ended_because) == (WishState.FULFILLED, WishEnding.BOUGHT_ELSEWHERE)
    assert _promised(session, small) == 0
    assert find_open_offer(session, wish_id=barbara.id) is None
