"""Plans follow-ups in the demo house: some to come, one that asks, one that something stopped; and brings promises."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.config import Policy
from concierge.conversations.models import Conversation, ConversationState, Message
from concierge.drafts import body
from concierge.drafts.queries import language_of
from concierge.followups import commands, promising
from concierge.followups.commands import Planned, Seen
from concierge.followups.conditions import Asking, Because
from concierge.followups.models import FollowUp
from concierge.followups.moment_words import MORNING
from concierge.followups.queries import her_clock
from concierge.followups.releasing import withhold
from concierge.followups.schedule import in_days
from concierge.followups.words import proposed_words

# In so many days each leaves, by her own clock.
_DAYS = (1, 2, 3, 3, 7, 14)
# When what was promised is done on its day; every so many are done the day after.
_AFTERNOON, _LATE_EVERY = time(16, 0), 4


def bring_follow_ups(session: Session, policy: Policy, *, now: datetime) -> list[FollowUp]:
    """What her editors planned in conversations that are answered, the last of them three days ago."""
    answered = (
        sa.select(Conversation)
        .where(Conversation.waiting_since.is_(None), Conversation.state == ConversationState.OPEN)
        .where(Conversation.editor_id.is_not(None))
        .order_by(Conversation.last_message_at.desc(), Conversation.id)
        .limit(len(_DAYS) + 2)
    )
    *talks, late_one, stopped_one = session.scalars(answered)
    planned = [_plan(session, talk, days, policy, now) for talk, days in zip(talks, _DAYS, strict=False)]
    long_ago = now - timedelta(days=3)
    late, stopped = (_plan(session, talk, 1, policy, long_ago) for talk in (late_one, stopped_one))
    late.ask(Asking.LATE, now=min(now, late.due_at + timedelta(hours=policy.follow_up_late_hours)))
    withhold(session, stopped, Because.SHE_BOUGHT, now=min(now, stopped.due_at))
    return [*planned, late, stopped]


def bring_promises(session: Session, *, now: datetime) -> None:
    """What editors promised in their mails: kept where the matter is closed, one of four late; to be kept in others.

    Where a plan's mail waits for a yes it is only proposed: an open promise would stop it.
    """
    waits = sa.select(FollowUp.conversation_id).where(FollowUp.plan_run_id.is_not(None), FollowUp.settled_at.is_(None))
    talks = sa.select(Conversation).where(Conversation.id.not_in(waits)).order_by(Conversation.id)
    kept = 0
    for talk in session.scalars(talks).all():
        for each in promising.list_proposed(session, talk, now=now):
            said_at = session.get_one(Message, each.message_id).created_at
            done_at = datetime.combine(each.due_on, _AFTERNOON, ZoneInfo(each.editor.timezone))
            done_at += timedelta(days=kept % _LATE_EVERY == _LATE_EVERY - 1)
            is_open = talk.state is ConversationState.OPEN
            if is_open or done_at <= now:
                promise = promising.mark_promise(
                    session, talk, each.message_id, each.place, by=each.editor, now=said_at
                )
                if not is_open:
                    promising.keep_promise(session, promise, by=each.editor, now=done_at)
                    kept += 1


def _plan(session: Session, talk: Conversation, days: int, policy: Policy, now: datetime) -> FollowUp:
    assert talk.editor is not None
    words = proposed_words(language_of(talk), talk.customer.first_name)
    wall = in_days(now, days, MORNING, her_clock(talk.customer, policy.zone).zone)
    planned = Planned(wall, is_named=False, body=body.from_text(words), seen=Seen(talk.last_message_id))
    return commands.schedule_follow_up(session, talk, planned, by=talk.editor, policy=policy, now=now)
