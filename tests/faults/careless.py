"""The same program with a worker that claims nothing of one kind: what is counted must show it, or it proves nothing.

`python -m tests.faults.careless deliveries worker`, or `… follow-ups worker`.
"""

import sys
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.cli import main
from concierge.conversations.models import Conversation, Message
from concierge.drafts.releasing import Leaving
from concierge.followups import releasing
from concierge.followups.models import FollowUp
from concierge.mailing import commands
from concierge.mailing.models import Delivery, DeliveryState, Lane

_queue = releasing.queue_answer


def reserve_due(session: Session, lane: Lane, *, now: datetime, limit: int, **_claimed: object) -> list[Delivery]:
    """What is due, whoever else may have seen it too."""
    due = sa.select(Delivery).where(lane.queued, Delivery.due_at <= now).order_by(Delivery.due_at, Delivery.id)
    return list(session.scalars(due.limit(limit)))


def begin_sending(session: Session, delivery_ids: Collection[int], *, claim: str, now: datetime) -> set[int]:
    """Ours, whatever has become of them."""
    begun = sa.update(Delivery).where(Delivery.id.in_(delivery_ids))
    session.execute(begun.values(state=DeliveryState.SENDING, claim=claim, claimed_at=now))
    return set(delivery_ids)


def claim_due(session: Session, follow_up_id: int, *, now: datetime) -> FollowUp | None:
    """A follow-up that was due when it was looked for, whoever else has it in hand."""
    return session.get(FollowUp, follow_up_id)


def queue_answer(
    session: Session, conversation: Conversation, leaving: Leaving, *, by: Editor, now: datetime
) -> tuple[Delivery, Message]:
    """Under a key of its own each time: the one of its follow-up is a second net, and would catch it."""
    leaving = replace(leaving, key=f"{leaving.key}:{uuid4().hex}")
    return _queue(session, conversation, leaving, by=by, now=now)


def _claim_no_deliveries() -> None:
    commands.reserve_due, commands.begin_sending = reserve_due, begin_sending


def _claim_no_follow_ups() -> None:
    releasing.claim_due, releasing.queue_answer = claim_due, queue_answer


KINDS: Final = {"deliveries": _claim_no_deliveries, "follow-ups": _claim_no_follow_ups}

if __name__ == "__main__":
    KINDS[sys.argv.pop(1)]()
    main()
