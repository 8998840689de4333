"""The same program with a worker that claims nothing: what is counted must show it, or counting it proves nothing."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.cli import main
from concierge.mailing import commands
from concierge.mailing.models import Delivery, DeliveryState, Lane


def reserve_due(session: Session, lane: Lane, *, now: datetime, limit: int, **_claimed: object) -> list[Delivery]:
    """What is due, whoever else may have seen it too."""
    due = sa.select(Delivery).where(lane.queued, Delivery.due_at <= now).order_by(Delivery.due_at, Delivery.id)
    return list(session.scalars(due.limit(limit)))


def begin_sending(session: Session, delivery_ids: Collection[int], *, claim: str, now: datetime) -> set[int]:
    """Ours, whatever has become of them."""
    begun = sa.update(Delivery).where(Delivery.id.in_(delivery_ids))
    session.execute(begun.values(state=DeliveryState.SENDING, claim=claim, claimed_at=now))
    return set(delivery_ids)


if __name__ == "__main__":
    commands.reserve_due, commands.begin_sending = reserve_due, begin_sending
    main()
