"""A plan that is on, with templates of its own, and what begins it."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.followups import plan_commands
from concierge.followups.models import FollowUp
from concierge.followups.plan_commands import PlanAsWritten, StepAsWritten
from concierge.followups.plan_models import Plan, PlanRun
from concierge.followups.plans import Start
from concierge.templating.commands import Wording, add_template
from concierge.templating.models import Template
from tests.factories import DAY, NOW

GREETING = "{% if customer.first_name %}Dear {{ customer.first_name }}{% else %}Good morning{% endif %},\n\n"


def make_template(session: Session, nadia: Editor, words: str = "how does it fit?", name: str = "") -> Template:
    """A template in English, under its own words unless it has a name."""
    wording = {"en": Wording("A word", f"{GREETING}{words}")}
    return add_template(session, name=name or words, when_to_use="", wording=wording, by=nadia, now=NOW)


def make_plan(
    session: Session,
    nadia: Editor,
    start: Start = Start.HAND,
    *,
    words: Sequence[str] = ("thank you.", "how does it fit?"),
    waits: Sequence[int] = (0, 3),
    on_at: datetime | None = NOW - DAY,
    step: dict[str, object] | None = None,
    **values: object,
) -> Plan:
    """A plan with a step for each of the words, so many days after the one before."""
    steps = [
        StepAsWritten(make_template(session, nadia, said).id, wait, **step or {})  # type: ignore[arg-type]
        for said, wait in zip(words, waits, strict=True)
    ]
    written = PlanAsWritten(name=str(values.pop("name", "A plan")), start=start, steps=steps, **values)  # type: ignore[arg-type]
    plan = plan_commands.write_plan(session, written, by=nadia, now=NOW - DAY)
    if on_at is not None:
        plan_commands.switch_on(session, plan, by=nadia, now=on_at)
    session.commit()
    return plan


def runs(session: Session) -> list[PlanRun]:
    """Every run, the first first; the test's transaction ends with it."""
    session.commit()
    found = list(session.scalars(sa.select(PlanRun).order_by(PlanRun.id).execution_options(populate_existing=True)))
    session.commit()
    return found


def steps_planned(session: Session) -> list[FollowUp]:
    """Every follow-up of a plan, the first first."""
    session.commit()
    statement = sa.select(FollowUp).where(FollowUp.plan_run_id.is_not(None)).order_by(FollowUp.id)
    found = list(session.scalars(statement.execution_options(populate_existing=True)))
    session.commit()
    return found
