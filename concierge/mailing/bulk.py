"""Many deliveries queued in one statement, for letters that leave by the thousand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import normalise
from concierge.mailing.mail import bracketed
from concierge.mailing.models import Delivery, DeliveryState
from concierge.rows import Columns, Encoded, Same, insert_columns, reserve_ids


class Posting(NamedTuple):
    """One mail to be queued: `content` is what a Delivery stores; a `withheld` reason keeps it in the house."""

    key: str
    purpose: str
    message_id: str
    to_address: str
    subject: str
    content: Mapping[str, Any] | Encoded
    withheld: str = ""


def queue_deliveries(session: Session, postings: Sequence[Posting], *, now: datetime) -> list[int]:
    """Queue many mails under new keys at once; the numbers of the deliveries, in order.

    The caller has checked the mails, asked who is suppressed (in this transaction), and knows that no key is taken;
    one that is raises IntegrityError.
    """
    table = cast("sa.Table", Delivery.__table__)
    numbers = reserve_ids(session, table, len(postings))
    held_back = [bool(each.withheld) for each in postings]
    columns: Columns = {
        "id": numbers,
        "key": [each.key for each in postings],
        "purpose": [each.purpose for each in postings],
        "state": [DeliveryState.WITHHELD if held else DeliveryState.QUEUED for held in held_back],
        "message_id": [bracketed(each.message_id) for each in postings],
        "to_address": [each.to_address for each in postings],
        "to_normalised": [normalise(each.to_address) for each in postings],
        "subject": [each.subject for each in postings],
        "content": [each.content for each in postings],
        "due_at": Same(now),
        "attempts": Same(0),
        "intent": Same(1),
        "provider": Same(""),
        "provider_id": Same(""),
        "reason": [each.withheld for each in postings],
        "created_at": Same(now),
        "settled_at": [now if held else None for held in held_back],
    }
    insert_columns(session, table, columns, len(postings))
    return numbers
