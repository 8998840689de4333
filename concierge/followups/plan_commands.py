"""What admins and editors do with plans: write, change, switch on and off, begin by hand, stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.config import Policy
from concierge.conversations.models import Conversation
from concierge.conversations.queries import lock_conversation
from concierge.customers.courtesy import Late
from concierge.drafts.models import MayNotAnswer
from concierge.followups import carrying, queries
from concierge.followups.conditions import Because
from concierge.followups.holding import hold_as_she_is
from concierge.followups.models import FollowUp, FollowUpState, Overtaken
from concierge.followups.plan_facts import Fact
from concierge.followups.plan_models import (
    AlreadyInPlan,
    BegunBefore,
    EndsAtOnce,
    NeverMeets,
    NoSteps,
    NothingToFillIt,
    Plan,
    PlanChangedSince,
    PlanIsOff,
    PlanNameTaken,
    PlanRun,
    PlanStep,
    RunEnded,
)
from concierge.followups.plans import Start, StopsAlso, can_fill, meets
from concierge.followups.schedule import Window
from concierge.templating.check import needs_of
from concierge.templating.models import Template


@dataclass(frozen=True, slots=True)
class StepAsWritten:
    """A step as an admin wrote it; `id` is None for a new one."""

    template_id: int
    wait_days: int = 0
    window: Window = field(default_factory=Window)
    needs_yes: bool = False
    when_late: Late = Late.ASKED
    id: int | None = None


@dataclass(frozen=True, slots=True)
class PlanAsWritten:
    """A plan as an admin wrote it; its steps in order."""

    name: str
    start: Start
    steps: Sequence[StepAsWritten]
    days: int = 0
    template_id: int | None = None
    date_kind: str = ""
    needs_consent: bool = False
    stops_also: frozenset[StopsAlso] = frozenset()


def write_plan(
    session: Session, written: PlanAsWritten, *, house: Window | None = None, by: Editor, now: datetime
) -> Plan:
    """A new plan, switched off; `house` are the hours in which the house writes, where they are to be met.

    Raises PlanNameTaken, NoSteps, NothingToFillIt, NeverMeets.
    """
    plan = Plan(created_at=now, every_step=[])
    _require_lawful(session, written, house)
    _write(session, plan, written, by=by, now=now)
    session.flush()
    audit.record(session, "plan.written", plan, by=by, now=now)
    return plan


def change_plan(
    session: Session,
    plan: Plan,
    written: PlanAsWritten,
    *,
    house: Window | None = None,
    seen_version: str | None = None,
    by: Editor,
    now: datetime,
) -> Plan:
    """Keep another wording of it. What is planned for somebody keeps its words and its day, and every step after it
    follows the new text; a step that was taken out does not leave any more.

    `seen_version` is what the plan was like when its form was opened, see `Plan.version`; None: nobody opened one.
    Raises PlanChangedSince, PlanNameTaken, NoSteps, NothingToFillIt, NeverMeets.
    """
    session.execute(sa.select(Plan.id).where(Plan.id == plan.id).with_for_update())
    session.refresh(plan)
    if seen_version is not None and seen_version != plan.version:
        raise PlanChangedSince
    _require_lawful(session, written, house)
    _write(session, plan, written, by=by, now=now)
    audit.record(session, "plan.changed", plan, by=by, now=now)
    return plan


def switch_on(session: Session, plan: Plan, *, by: Editor, now: datetime) -> None:
    """Facts begin it from now on. Raises AlreadyOn, NoSteps, NothingToFillIt: a template may be another by now."""
    plan.switch_on(now=now)
    for place, step in enumerate(plan.steps):
        _require_fillable(session, plan.start, place, step)
    audit.record(session, "plan.switched_on", plan, by=by, now=now)


def switch_off(session: Session, plan: Plan, *, by: Editor, now: datetime) -> None:
    """Nothing begins it, and what it planned does not leave while it is off. Raises AlreadyOff."""
    plan.switch_off()
    audit.record(session, "plan.switched_off", plan, by=by, now=now)


def begin_plan(
    session: Session,
    plan: Plan,
    conversation: Conversation,
    *,
    seen_message_id: int | None,
    by: Editor,
    policy: Policy,
    now: datetime,
) -> PlanRun:
    """Begin a plan by hand in her conversation, in the name of `by`; it is one to one.

    Raises MayNotAnswer, PlanIsOff, Overtaken, AlreadyInPlan, BegunBefore when it has ended and nothing was written
    since, and EndsAtOnce when its first mail can't be made.
    """
    if not by.may_answer:
        raise MayNotAnswer
    if not plan.is_on:
        raise PlanIsOff
    conversation = hold_as_she_is(session, conversation.id)
    if queries.has_newer(session, conversation.id, seen_message_id, by):
        raise Overtaken
    if carrying.find_living(session, plan.id, conversation.customer_id) is not None:
        raise AlreadyInPlan
    mark = conversation.last_message_id or 0
    newest = queries.newest_message_id(session)
    fact = Fact(conversation.id, now, conversation.customer_id, conversation.id, mark=mark, since_message_id=newest)
    run = carrying.start_run(session, plan, conversation, fact, Start.HAND, by=by, policy=policy, now=now)
    if run is None:  # not a living one, see above: the mark of a beginning by hand is the newest mail there
        raise BegunBefore
    if run.because is not None:
        raise EndsAtOnce
    return run


def stop_run(session: Session, run: PlanRun, *, by: Editor, now: datetime) -> PlanRun:
    """It says no more to her; what it has planned is taken back. Raises MayNotAnswer, RunEnded."""
    if not by.may_answer:
        raise MayNotAnswer
    lock_conversation(session, run.conversation_id)
    fresh = session.get(PlanRun, run.id, populate_existing=True)
    if fresh is None or not fresh.is_living:
        raise RunEnded
    planned = sa.select(FollowUp).where(FollowUp.plan_run_id == run.id, FollowUp.state == FollowUpState.SCHEDULED)
    for each in session.scalars(planned.execution_options(populate_existing=True)):
        each.settle(Because.BY_EDITOR, by=by, now=now)
        each.carried_at = now
    carrying.end_run(session, fresh, Because.BY_EDITOR, by=by, now=now)
    return fresh


def _require_lawful(session: Session, written: PlanAsWritten, house: Window | None) -> None:
    if not written.steps:
        raise NoSteps
    for place, step in enumerate(written.steps):
        _require_fillable(session, written.start, place, step)
        if house is not None and not meets(step.window, house):
            raise NeverMeets(place)


def _write(session: Session, plan: Plan, written: PlanAsWritten, *, by: Editor, now: datetime) -> None:
    plan.start, plan.days, plan.date_kind = written.start, written.days, written.date_kind
    plan.template_id, plan.needs_consent = written.template_id, written.needs_consent
    plan.stops_also = sorted(written.stops_also)
    plan.changed_at, plan.changed_by_id = now, by.id
    _write_steps(plan, written.steps, now=now)
    try:
        with session.begin_nested():
            plan.name = written.name
            session.add(plan)
    except IntegrityError as error:
        raise PlanNameTaken from error


def _require_fillable(session: Session, start: Start, place: int, step: StepAsWritten | PlanStep) -> None:
    template = session.get_one(Template, step.template_id)
    texts = [template.current(language) for language in template.languages]
    needs = needs_of(*(text for each in texts if each for text in (each.subject, each.body)))
    if not can_fill(start, needs, needs_yes=step.needs_yes):
        raise NothingToFillIt(place)


def _write_steps(plan: Plan, steps: Sequence[StepAsWritten], *, now: datetime) -> None:
    """Those it knows are changed, new ones stand where they were written, and the others are taken out.

    One that was taken out keeps its place behind the step it followed: a run that has had it goes on from there.
    """
    known = {each.id: each for each in plan.steps}
    behind = _followers(plan.every_step)
    order: list[PlanStep] = []
    for written in steps:
        step = known.pop(written.id or 0, None)
        if step is None:
            step = PlanStep()
            plan.every_step.append(step)
        step.template_id, step.wait_days = written.template_id, written.wait_days
        step.from_hour, step.until_hour = written.window.from_hour, written.window.until_hour
        step.weekdays = "".join(str(each) for each in sorted(written.window.weekdays))
        step.needs_yes, step.when_late = written.needs_yes, written.when_late
        order.append(step)
    for gone in known.values():
        gone.removed_at = now
    for place, step in enumerate(_with_those_taken_out(order, behind)):
        step.place = place


def _followers(steps: Sequence[PlanStep]) -> list[tuple[PlanStep, PlanStep | None]]:
    """Each step with the one before it."""
    return list(zip(steps, [None, *steps], strict=False))


def _with_those_taken_out(order: list[PlanStep], behind: Sequence[tuple[PlanStep, PlanStep | None]]) -> list[PlanStep]:
    every = list(order)
    for step, before in behind:
        if step not in order:
            every.insert(every.index(before) + 1 if before is not None else 0, step)
    return every
