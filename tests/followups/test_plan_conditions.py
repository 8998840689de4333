"""What a plan names as its own stops: a wish, an offer, a promise of hers, and only while each is there."""

import pytest
import sqlalchemy as sa

from concierge.config import Policy
from concierge.followups import jobs, plan_commands, promising
from concierge.followups.conditions import Because
from concierge.followups.models import FollowUpState
from concierge.followups.plans import StopsAlso
from concierge.wishes.commands import withdraw_wish
from concierge.wishes.models import WishEnding
from concierge.wishes.offer_models import Offer
from concierge.wishes.offering import lapse_offer
from tests.catalogue.builders import make_product
from tests.conversations.stories import answer
from tests.factories import DAY, HOUR, NOW
from tests.followups.plan_builders import make_plan, runs, steps_planned
from tests.wishes.builders import restock, wish_for

LATER = NOW + 3 * DAY


def she_wishes(session, talk, _nadia):
    return wish_for(session, make_product(session).variants[0], customer=talk.customer, conversation=talk)


def she_is_offered(session, talk, nadia):
    wish = she_wishes(session, talk, nadia)
    restock(session, wish.choices[0].variant, now=NOW)
    offer = session.scalars(sa.select(Offer)).one()
    offer.left_at = NOW
    session.flush()
    return offer


def something_is_promised(session, talk, nadia):
    answer(session, talk, by=nadia, at=NOW + HOUR, text="I’ll look for it in navy by Friday.")
    [each] = promising.list_proposed(session, talk, now=NOW + HOUR)
    return promising.mark_promise(session, talk, each.message_id, each.place, by=nadia, now=NOW + HOUR)


def she_wished(session, talk, nadia):
    withdraw_wish(session, she_wishes(session, talk, nadia), WishEnding.WITHDRAWN_BY_EDITOR, by=nadia, now=NOW + HOUR)


def she_was_offered(session, talk, nadia):
    lapse_offer(session, she_is_offered(session, talk, nadia), now=NOW + HOUR)


def it_has_not_left(session, talk, nadia):
    she_is_offered(session, talk, nadia).left_at = None


def something_was_promised(session, talk, nadia):
    promising.keep_promise(session, something_is_promised(session, talk, nadia), by=nadia, now=NOW + DAY)


def three_days_on(session, sessions, config, nadia, talk, at, happens, stops_also):
    """A plan that is half said when something happens: what became of its second mail."""
    plan = make_plan(session, nadia, stops_also=frozenset({stops_also} if stops_also else ()))
    plan_commands.begin_plan(
        session, plan, talk, seen_message_id=talk.last_message_id, by=nadia, policy=Policy(), now=NOW
    )
    session.commit()
    assert jobs.release_due(config, sessions) == 1
    jobs.carry_plans(config, sessions)
    happens(session, talk, nadia)
    session.commit()
    at(LATER)
    jobs.release_due(config, sessions)
    jobs.carry_plans(config, sessions)
    [_first, second], [run] = steps_planned(session), runs(session)
    assert second.because is run.because
    return second.state, second.because


STOPS = {
    she_wishes: (StopsAlso.WISH, Because.WISHES),
    she_is_offered: (StopsAlso.OFFER, Because.OFFERED),
    something_is_promised: (StopsAlso.PROMISE, Because.PROMISED),
}


@pytest.mark.parametrize(("happens", "stop"), STOPS.items(), ids=[each.__name__ for each in STOPS])
def test_what_the_plan_names_stops_it(session, sessions, config, nadia, talk, at, happens, stop):
    stops_also, because = stop
    found = three_days_on(session, sessions, config, nadia, talk, at, happens, stops_also)
    assert found == (FollowUpState.WITHHELD, because)


@pytest.mark.parametrize("happens", STOPS)
def test_what_the_plan_does_not_name_does_not(session, sessions, config, nadia, talk, at, happens):
    found = three_days_on(session, sessions, config, nadia, talk, at, happens, None)
    assert found == (FollowUpState.SENT, None)


@pytest.mark.parametrize(
    ("happens", "stops_also"),
    [
        (she_wished, StopsAlso.WISH),
        (she_was_offered, StopsAlso.OFFER),
        (it_has_not_left, StopsAlso.OFFER),
        (something_was_promised, StopsAlso.PROMISE),
    ],
)
def test_what_is_over_or_has_not_reached_her_does_not(session, sessions, config, nadia, talk, at, happens, stops_also):
    found = three_days_on(session, sessions, config, nadia, talk, at, happens, stops_also)
    assert found == (FollowUpState.SENT, None)
