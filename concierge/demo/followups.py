"""Plans follow-ups in the demo house: some to come, one that asks for a yes, one that something stopped."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.config import Policy
from concierge.conversations.models import Conversation, ConversationState
from concierge.drafts import body
from concierge.drafts.queries import language_of
from concierge.followups import commands
from concierge.followups.commands import Planned
from concierge.followups.conditions import Asking, Because
from concierge.followups.models import FollowUp
from concierge.followups.moments import MORNING
from concierge.followups.queries import her_clock
from concierge.followups.releasing import withhold
from concierge.followups.schedule import in_days
from concierge.followups.words import proposed_words

# In so many days each leaves, by her own clock.
_DAYS = (1, 2, 3, 3, 7, 14)


def bring_follow_ups(session: Session, policy: Policy, *, now: datetime) -> list[FollowUp]:
    """What her editors planned in conversations that are answered, the last of them three days ago."""
    answered = (
        sa.select(Conversation)
        .where(Conversation.waiting_since.is_(None), Conversation.state == ConversationState.OPEN)
        .where(Conversation.editor_id.is_not(None))
        .order_by(Conversation.last_message_at.desc(), Conversation.id)
        .limit(len(_DAYS) + 2)
    )
    talks = list(session.scalars(answered))
    planned = [_plan(session, talk, days, policy, now) for talk, days in zip(talks, (*_DAYS, 1, 1), strict=False)]
    for late in planned[-2:-1]:
        late.ask(Asking.LATE, now=now - timedelta(hours=2))
    for stopped in planned[-1:]:
        withhold(session, stopped, Because.SHE_BOUGHT, now=now - timedelta(hours=20))
    return planned


def _plan(session: Session, talk: Conversation, days: int, policy: Policy, now: datetime) -> FollowUp:
    assert talk.editor is not None
    words = proposed_words(language_of(talk), talk.customer.first_name)
    wall = in_days(now, days, MORNING, her_clock(talk.customer, policy.zone).zone)
    planned = Planned(wall, is_named=False, body=body.from_text(words), seen_message_id=talk.last_message_id)
    return commands.schedule_follow_up(session, talk, planned, by=talk.editor, policy=policy, now=now)
