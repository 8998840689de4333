"""What becomes of follow-ups, promises and plans on their way when conversations are merged or split."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.conversations.carried import CARRIED, Carried
from concierge.followups.models import FollowUp, FollowUpState, Promise
from concierge.followups.plan_models import PlanRun

_A_MINUTE = timedelta(minutes=1)


def _choose(session: Session, _source_id: int, target_id: int, found: Sequence[int]) -> Sequence[int]:
    """All of them. Of two by one editor for the same minute the one that comes leaves a minute later."""
    planned = (FollowUp.state == FollowUpState.SCHEDULED,)
    there = sa.select(FollowUp.editor_id, FollowUp.wall).where(FollowUp.conversation_id == target_id, *planned)
    taken = {(editor_id, wall) for editor_id, wall in session.execute(there)}
    for each in session.scalars(sa.select(FollowUp).where(FollowUp.id.in_(found), *planned).order_by(FollowUp.id)):
        while (each.editor_id, each.wall) in taken:
            each.wall += _A_MINUTE
        taken.add((each.editor_id, each.wall))
    session.flush()
    return found


def register() -> None:
    """Let all three go along with the mails of a conversation."""
    CARRIED["follow_up"] = Carried(
        FollowUp.id, FollowUp.conversation_id, FollowUp.planned_at, of_message=FollowUp.message_id, choose=_choose
    )
    CARRIED["promise"] = Carried(Promise.id, Promise.conversation_id, of_message=Promise.message_id)
    CARRIED["plan_run"] = Carried(PlanRun.id, PlanRun.conversation_id, made_at=PlanRun.begun_at)
