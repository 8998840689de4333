"""Many deliveries queued in one statement, for letters that leave by the thousand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import normalise
from concierge.mailing.mail import bracketed
from concierge.mailing.models import Delivery, DeliveryState
from concierge.rows import insert_many, reserve_ids


class Posting(NamedTuple):
    """One mail to be queued: `content` is what a Delivery stores; a `withheld` reason keeps it in the house."""

    key: str
    purpose: str
    message_id: str
    to_address: str
    subject: str
    content: Mapping[str, Any]
    withheld: str = ""


def queue_deliveries(session: Session, postings: Sequence[Posting], *, now: datetime) -> list[int]:
    """Queue many mails under new keys at once; the numbers of the deliveries, in order.

    The caller has checked the mails, asked who is suppressed (in this transaction), and knows that no key is taken;
    one that is raises IntegrityError.
    """
    table = cast("sa.Table", Delivery.__table__)
    numbers = reserve_ids(session, table, len(postings))
    insert_many(session, table, [_row(n, posting, now) for n, posting in zip(numbers, postings, strict=True)])
    return numbers


def _row(number: int, posting: Posting, now: datetime) -> dict[str, Any]:
    withheld = bool(posting.withheld)
    return {
        "id": number,
        "key": posting.key,
        "purpose": posting.purpose,
        "state": DeliveryState.WITHHELD if withheld else DeliveryState.QUEUED,
        "message_id": bracketed(posting.message_id),
        "to_address": posting.to_address,
        "to_normalised": normalise(posting.to_address),
        "subject": posting.subject,
        "content": posting.content,
        "due_at": now,
        "attempts": 0,
        "provider": "",
        "provider_id": "",
        "reason": posting.withheld,
        "created_at": now,
        "settled_at": now if withheld else None,
    }
