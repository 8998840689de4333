"""What a plan adds to the conditions of its mails, read in the claim: its stops, its window, what may be declined."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.conversations.models import ConversationState
from concierge.customers.commands import UNASKED
from concierge.customers.queries import list_consents
from concierge.followups.conditions import Because, Kindness
from concierge.followups.models import FollowUp, Promise, PromiseState
from concierge.followups.plan_models import PlanRun
from concierge.followups.plans import PlanFacts, StopsAlso, stop_of, window_of
from concierge.wishes.models import LIVING, Wish
from concierge.wishes.offer_models import Offer


def stop_of_plan(session: Session, follow_up: FollowUp) -> Because | None:
    """What stops it as a mail of its plan; None for one that was planned by hand."""
    run, step = follow_up.plan_run, follow_up.plan_step
    if run is None or step is None:
        return None
    plan, customer = run.plan, follow_up.conversation.customer
    stops_also = frozenset(StopsAlso(each) for each in plan.stops_also)
    facts = PlanFacts(
        is_on=plan.is_on,
        has_step=step.removed_at is None,
        is_one_to_one=is_one_to_one(follow_up),
        needs_consent=plan.needs_consent,
        has_consent=plan.needs_consent and _has_agreed(session, customer.id),
        has_declined=customer.declined_at is not None,
        stops_also=stops_also,
        met=frozenset(each for each in stops_also if _is_met(session, each, follow_up, run)),
    )
    return stop_of(facts)


def is_one_to_one(follow_up: FollowUp) -> bool:
    """Whether a person meant this mail for this person: planned it, began its plan for her, or says yes to it."""
    run = follow_up.plan_run
    return run is None or run.begun_by_id is not None or follow_up.needs_yes or follow_up.approved_at is not None


def kindness_for(follow_up: FollowUp, house: Kindness) -> Kindness:
    """The house's rules as they hold for this mail: a step has a window and a lateness of its own.

    A day that somebody named is meant, whatever the step says.
    """
    step = follow_up.plan_step
    if step is None:
        return house
    window = house.window if follow_up.is_named else window_of(step.window, house.window)
    return replace(house, window=window, when_late=step.when_late)


def _has_agreed(session: Session, customer_id: int) -> bool:
    return bool(list_consents(session, customer_id, purpose=UNASKED, standing_only=True))


def _is_met(session: Session, also: StopsAlso, follow_up: FollowUp, run: PlanRun) -> bool:
    conversation = follow_up.conversation
    if also is StopsAlso.CLOSED:
        closed_at = conversation.closed_at
        return (
            conversation.state is ConversationState.CLOSED and closed_at is not None and closed_at > follow_up.since_at
        )
    there = {
        StopsAlso.WISH: sa.exists().where(Wish.customer_id == run.customer_id, Wish.state.in_(LIVING)),
        StopsAlso.OFFER: sa.exists().where(
            Offer.customer_id == run.customer_id, Offer.ended_at.is_(None), Offer.left_at.is_not(None)
        ),
        StopsAlso.PROMISE: sa.exists().where(
            Promise.conversation_id == conversation.id, Promise.state == PromiseState.OPEN
        ),
    }[also]
    return bool(session.scalar(sa.select(there)))
