"""A conversation Nadia has answered, and a follow-up she has planned in it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.config import Policy
from concierge.conversations.models import Conversation
from concierge.drafts import body
from concierge.followups import commands
from concierge.followups.commands import Planned, Seen
from concierge.followups.models import FollowUp
from tests.conversations.stories import answer, receive
from tests.factories import NOW

WORDS = "Dear Barbara,\n\ndid you have a moment to look at the ivory pair?"
# Friday 10:00 in Rome; NOW is the Tuesday before.
FRIDAY = datetime(2026, 5, 15, 8, 0, tzinfo=UTC)
WALL = datetime(2026, 5, 15, 10, 0)
ROME = ZoneInfo("Europe/Rome")
POLICY = Policy()


def answered(session: Session, nadia: Editor, name: str = "Barbara Rossi", *, at: datetime = NOW) -> Conversation:
    """She asked, Nadia answered a minute later; she lives in Rome."""
    message = receive(session, name, at=at)
    message.conversation.customer.timezone = "Europe/Rome"
    answer(session, message.conversation, by=nadia, at=at + timedelta(minutes=1))
    session.flush()
    return message.conversation


def planned(conversation: Conversation, **values: object) -> Planned:
    """For Friday at ten, having seen everything."""
    defaults: dict[str, object] = {
        "wall": WALL,
        "is_named": False,
        "body": body.from_text(WORDS),
        "seen": Seen(conversation.last_message_id),
    }
    return Planned(**defaults | values)  # type: ignore[arg-type]


def follow_up(
    session: Session,
    conversation: Conversation,
    nadia: Editor,
    *,
    now: datetime = NOW,
    policy: Policy = POLICY,
    **values: object,
) -> FollowUp:
    """Planned for Friday at ten, unless told otherwise."""
    what = planned(conversation, **values)
    return commands.schedule_follow_up(session, conversation, what, by=nadia, policy=policy, now=now)


def fresh(session: Session, found: FollowUp) -> FollowUp:
    """As it is now; the test's transaction ends with it, for it holds the write lock."""
    session.commit()
    again = session.scalars(
        sa.select(FollowUp).where(FollowUp.id == found.id).execution_options(populate_existing=True)
    ).one()
    session.commit()
    return again
