"""Reading plans: all of them, one, those that are on; the runs of a conversation."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.followups.plan_models import Plan, PlanNotFound, PlanRun, PlanRunNotFound


def get_plan(session: Session, plan_id: int) -> Plan:
    """The plan with this number; raises PlanNotFound."""
    if (found := session.get(Plan, plan_id)) is None:
        raise PlanNotFound
    return found


def list_plans(session: Session) -> list[Plan]:
    """Every plan: those that are on first, then by name."""
    return list(session.scalars(sa.select(Plan).order_by(Plan.on_at.is_(None), sa.func.lower(Plan.name), Plan.id)))


def list_on(session: Session) -> list[Plan]:
    """The plans that facts begin."""
    return [each for each in list_plans(session) if each.is_on]


def get_run(session: Session, run_id: int) -> PlanRun:
    """The run with this number; raises PlanRunNotFound."""
    if (found := session.get(PlanRun, run_id)) is None:
        raise PlanRunNotFound
    return found


def list_living(session: Session, conversation_id: int) -> list[PlanRun]:
    """The plans that are under way in a conversation."""
    living = (PlanRun.conversation_id == conversation_id, PlanRun.ended_at.is_(None))
    return list(session.scalars(sa.select(PlanRun).where(*living).order_by(PlanRun.id)))


def list_beginnable(session: Session, conversation_id: int) -> list[Plan]:
    """The plans that are on and not under way in a conversation."""
    under_way = {each.plan_id for each in list_living(session, conversation_id)}
    return [each for each in list_on(session) if each.id not in under_way]
