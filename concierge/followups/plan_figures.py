"""What became of a plan's mails: sent, answered, bought after, stopped by what; and the rows behind each number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from concierge.catalogue.stock_models import Purchase
from concierge.conversations.models import Direction, Message, MessageKind
from concierge.customers.models import CustomerAddress
from concierge.followups.conditions import Because
from concierge.followups.models import FollowUp, FollowUpState
from concierge.followups.plan_models import Plan, PlanRun, PlanStep

# A purchase so long after a mail, and before the next of its plan, is put down to it.
BOUGHT_WITHIN: Final = timedelta(days=30)
# Figures look back so far.
LOOKS_BACK: Final = timedelta(days=365)


# A run of which nothing was ever planned.
_NEVER: Final = ~sa.exists().where(FollowUp.plan_run_id == PlanRun.id)


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step in numbers; `stopped` by reason, the most frequent first."""

    step: PlanStep
    coming: int = 0
    sent: int = 0
    answered: int = 0
    bought: int = 0
    stopped: Sequence[tuple[Because, int]] = field(default=())

    @property
    def stopped_in_all(self) -> int:
        """How many did not leave."""
        return sum(count for _because, count in self.stopped)


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """A plan in numbers: runs that began, those under way, those that ended before a mail was planned, each step."""

    begun: int
    living: int
    never: Sequence[tuple[Because, int]]
    steps: Sequence[StepFigures]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for: of a step (None: of the whole plan), what became of them, and why."""

    what: str
    step_id: int | None = None
    because: Because | None = None


WHATS: Final = ("coming", "sent", "answered", "bought", "stopped")


def figures_of(session: Session, plan: Plan, *, now: datetime) -> PlanFigures:
    """The figures of the last year, for the steps it has, and those taken out that have sent something."""
    since = now - LOOKS_BACK
    counts = _counts(session, plan, since)
    answered = Counter(dict(map(tuple, session.execute(_answered_counts(plan, since)))))
    bought = Counter(step_id for step_id, _id in _bought(session, plan, since))
    steps = [each for each in plan.every_step if each.removed_at is None or counts[each.id]["sent"]]
    runs = session.execute(
        sa.select(sa.func.count(), sa.func.count().filter(PlanRun.ended_at.is_(None))).where(
            PlanRun.plan_id == plan.id, PlanRun.begun_at >= since
        )
    ).one()
    shown = [
        StepFigures(
            step,
            counts[step.id]["scheduled"],
            counts[step.id]["sent"],
            answered[step.id],
            bought[step.id],
            [(Because(name), count) for name, count in counts[step.id].most_common() if name in set(Because)],
        )
        for step in steps
    ]
    return PlanFigures(runs[0], runs[1], _never(session, plan, since), shown)


def _counts(session: Session, plan: Plan, since: datetime) -> dict[int, Counter[str]]:
    """By step: how many are scheduled, were sent, or stopped for which reason."""
    statement = (
        sa.select(FollowUp.plan_step_id, FollowUp.state, FollowUp.because, sa.func.count())
        .where(FollowUp.plan_step_id.in_([each.id for each in plan.every_step]), FollowUp.planned_at >= since)
        .group_by(FollowUp.plan_step_id, FollowUp.state, FollowUp.because)
    )
    counts: dict[int, Counter[str]] = {each.id: Counter() for each in plan.every_step}
    for step_id, state, because, count in session.execute(statement):
        counts[step_id or 0][because.value if because else state.value] += count
    return counts


def _never(session: Session, plan: Plan, since: datetime) -> list[tuple[Because, int]]:
    """Runs that ended before anything was planned, by reason."""
    statement = (
        sa.select(PlanRun.because, sa.func.count())
        .where(PlanRun.plan_id == plan.id, PlanRun.begun_at >= since, PlanRun.because.is_not(None))
        .where(_NEVER)
        .group_by(PlanRun.because)
        .order_by(sa.func.count().desc())
    )
    return [(because, count) for because, count in session.execute(statement) if because is not None]


def _answered_counts(plan: Plan, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    steps = [each.id for each in plan.every_step]
    sent = (FollowUp.plan_step_id.in_(steps), FollowUp.state == FollowUpState.SENT, FollowUp.planned_at >= since)
    return (
        sa.select(FollowUp.plan_step_id, sa.func.count()).where(*sent, _is_answered()).group_by(FollowUp.plan_step_id)
    )


def _is_answered() -> sa.ColumnElement[bool]:
    """She wrote in this conversation after it, and before the next mail of the plan."""
    after = aliased(FollowUp)
    between = (
        sa.exists()
        .where(after.plan_run_id == FollowUp.plan_run_id, after.state == FollowUpState.SENT)
        .where(after.message_id > FollowUp.message_id, after.message_id < Message.id)
        .correlate(FollowUp, Message)
    )
    return (
        sa.exists()
        .where(Message.conversation_id == FollowUp.conversation_id, Message.id > FollowUp.message_id)
        .where(Message.direction == Direction.IN, Message.kind == MessageKind.HUMAN, ~between)
        .correlate(FollowUp)
    )


def _bought(session: Session, plan: Plan, since: datetime) -> list[tuple[int, int]]:
    """Step and number of each mail after which she bought and kept something, before the next mail of the plan."""
    hers = (Purchase.customer_id == PlanRun.customer_id) | Purchase.normalised.in_(
        sa.select(CustomerAddress.normalised).where(CustomerAddress.customer_id == PlanRun.customer_id)
    )
    statement = (
        sa.select(FollowUp.plan_run_id, FollowUp.plan_step_id, FollowUp.id, FollowUp.settled_at, Purchase.received_at)
        .join(PlanRun, PlanRun.id == FollowUp.plan_run_id)
        .outerjoin(Purchase, hers & Purchase.returned_at.is_(None) & (Purchase.received_at > FollowUp.settled_at))
        .where(PlanRun.plan_id == plan.id, FollowUp.state == FollowUpState.SENT, FollowUp.planned_at >= since)
        .order_by(FollowUp.settled_at)
    )
    mails: dict[Any, dict[int, tuple[Any, Any]]] = {}
    purchases: dict[Any, set[Any]] = {}
    for run_id, step_id, number, left_at, bought_at in session.execute(statement):
        mails.setdefault(run_id, {})[number] = (step_id, left_at)
        purchases.setdefault(run_id, set()).update({bought_at} - {None})
    found = {
        max((left_at, step_id, number) for number, (step_id, left_at) in mails[run_id].items() if left_at < bought_at)
        for run_id, moments in purchases.items()
        for bought_at in moments
        if any(timedelta(0) < bought_at - left_at <= BOUGHT_WITHIN for _step, left_at in mails[run_id].values())
    }
    return [(step_id, number) for _left_at, step_id, number in sorted(found)]


def list_rows(session: Session, plan: Plan, wanted: Wanted, *, now: datetime, limit: int = 200) -> list[FollowUp]:
    """The mails behind a number, the latest first."""
    since = now - LOOKS_BACK
    steps = [each.id for each in plan.every_step if wanted.step_id in {None, each.id}]
    statement = sa.select(FollowUp).where(FollowUp.plan_step_id.in_(steps), FollowUp.planned_at >= since)
    if wanted.what == "coming":
        statement = statement.where(FollowUp.state == FollowUpState.SCHEDULED)
    elif wanted.what == "stopped":
        statement = statement.where(FollowUp.because.is_not(None))
        statement = statement.where(FollowUp.because == wanted.because) if wanted.because else statement
    else:
        statement = statement.where(FollowUp.state == FollowUpState.SENT)
    if wanted.what == "answered":
        statement = statement.where(_is_answered())
    if wanted.what == "bought":
        statement = statement.where(FollowUp.id.in_([number for _step, number in _bought(session, plan, since)]))
    order = (sa.func.coalesce(FollowUp.settled_at, FollowUp.due_at).desc(), FollowUp.id.desc())
    return list(session.scalars(statement.order_by(*order).limit(limit)))


def list_runs(session: Session, plan: Plan, wanted: Wanted, *, now: datetime, limit: int = 200) -> list[PlanRun]:
    """The runs behind a number, the latest first: all of the last year, those under way ("living"), or those that ended
    before anything was planned ("never"), for one reason or any."""
    statement = sa.select(PlanRun).where(PlanRun.plan_id == plan.id, PlanRun.begun_at >= now - LOOKS_BACK)
    if wanted.what == "living":
        statement = statement.where(PlanRun.ended_at.is_(None))
    elif wanted.what == "never":
        statement = statement.where(PlanRun.because.is_not(None), _NEVER)
    if wanted.because is not None:
        statement = statement.where(PlanRun.because == wanted.because)
    return list(session.scalars(statement.order_by(PlanRun.begun_at.desc(), PlanRun.id.desc()).limit(limit)))
