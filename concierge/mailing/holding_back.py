"""Automatic mails that are about to leave, and are more than may in a day: they wait (T26, T27)."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from concierge.mailing import caps, pace, queries
from concierge.mailing.caps import Caps, Left, Wanted
from concierge.mailing.models import Delivery
from concierge.mailing.reasons import Reason

log = logging.getLogger(__name__)

# So long what is too much for the whole house waits until it is looked at again.
_HOUSE_WAIT = timedelta(minutes=15)


def hold_back(
    session: Session, reserved: Sequence[Delivery], *, claim: str, now: datetime, limits: Caps
) -> list[Delivery]:
    """Put off those reserved under `claim` that are more than `limits`, each with its reason; the others, in order.

    Two workers that reserve at the same moment count one after the other, so that each sees what the other lets leave.
    """
    automatic = [each for each in reserved if each.purpose in caps.AUTOMATIC]
    if not automatic:
        return list(reserved)
    bucket = pace.lock_automatic(session)
    wanted = _wanted(session, automatic, limits)
    waiting = caps.share(wanted, _left(session, wanted, claim=claim, now=now), now, limits)
    crowded = [each for each in automatic if each.id in waiting]
    for delivery in crowded:
        _put_off(delivery, waiting[delivery.id], Reason.SHE_HAD_MANY.of())
    leaving = [each for each in automatic if each.id not in waiting]
    beyond = leaving[pace.take_automatic(session, bucket, len(leaving), limits.house) :]
    for delivery in beyond:
        _put_off(delivery, now + _HOUSE_WAIT, Reason.HOUSE_SENT_MANY.of())
    if beyond:
        log.warning("%d automatic mails wait, for the house has sent so many in a day", len(beyond))
    kept_back = {each.id for each in (*crowded, *beyond)}
    return [each for each in reserved if each.id not in kept_back]


def _wanted(session: Session, automatic: Sequence[Delivery], limits: Caps) -> list[Wanted]:
    talks = queries.list_conversations(session, [each.id for each in automatic]) if limits.conversation else {}
    return [Wanted(each.id, each.to_normalised, talks.get(each.id)) for each in automatic]


def _left(session: Session, wanted: Sequence[Wanted], *, claim: str, now: datetime) -> Left:
    since, addresses = now - caps.DAY, list({each.address for each in wanted})
    talks = {each.conversation for each in wanted if each.conversation is not None}
    return Left(
        queries.list_automatic(session, addresses, since=since, but_claim=claim),
        queries.list_automatic_in(session, talks, since=since, but_claim=claim) if talks else {},
    )


def _put_off(delivery: Delivery, until: datetime, reason: str) -> None:
    delivery.due_at, delivery.claim, delivery.claimed_at, delivery.reason = until, None, None, reason
