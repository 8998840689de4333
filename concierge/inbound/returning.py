"""What a mail changes beside its conversation: the mail of ours that came back, and what she wants no more of.

Nothing here is believed because a mail says so (T28): it must come back to the signed return path of one of our mails,
or name a Message-ID of ours and the address that mail went to; only whoever got that very mail can know them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import normalise
from concierge.conversations.models import Direction, Message, MessageKind
from concierge.customers.commands import decline_unasked
from concierge.customers.models import Customer
from concierge.inbound.parsed import Failure, Kind, ParsedMail
from concierge.mailing.mail import bracketed
from concierge.mailing.models import LETTERS, Delivery, DeliveryState
from concierge.mailing.queries import LEFT
from concierge.mailing.reporting import take_report
from concierge.mailing.reports import Report, ReportKind, key_of
from concierge.mailing.returns import read_return_path
from concierge.wishes import answers

# Mail systems give up after five days; what comes long after is no honest report.
_BELIEVED = timedelta(days=14)
_MOST_IDS = 20
_ON_ITS_WAY = (*LEFT, DeliveryState.SENDING, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class CameBack:
    """A sending of a mail of ours, by the signed address a mail came to."""

    delivery: Delivery
    intent: int


def find_returned(session: Session, secret: str, recipients: Iterable[str]) -> CameBack | None:
    """The mail of ours that one of these addresses was signed for; None if none was."""
    for address in recipients:
        if (signed := read_return_path(secret, address)) and (delivery := session.get(Delivery, signed[0])):
            return CameBack(delivery, signed[1])
    return None


def note_failures(
    session: Session, parsed: ParsedMail, came_back: CameBack | None, fingerprint: str, *, now: datetime
) -> int:
    """Note with the mails of ours which of them came back or are late; an address gone for good is mailed no more.

    Returns how many. A report on no mail of ours, on one to somebody else, or on one that was answered, says nothing.
    What came to a signed return path is about that mail alone, whomever it names: she may have hers forwarded.
    """
    named = [came_back.delivery] if came_back else _named(session, parsed.returned)
    deliveries = [each for each in named if _may_come_back(session, each, now)]
    noted = 0
    for delivery in deliveries:
        failure = _failure_of(delivery, parsed.failures, alone=len(deliveries) == 1)
        if failure is None and came_back:
            failure = replace(parsed.failures[0], hard=False)
        if failure is None:
            continue
        report = Report(
            external_id=f"mail:{fingerprint}:{delivery.id}",
            kind=ReportKind.DEFERRED if parsed.kind is Kind.DELAY else ReportKind.BOUNCED,
            at=now,
            provider="mail",
            key=key_of(delivery.key, came_back.intent if came_back else delivery.intent),
            address=delivery.to_address,
            words=_told(failure)[:500],
            hard=failure.hard,
        )
        noted += take_report(session, report, now=now) is not None
    return noted


def _told(failure: Failure) -> str:
    """What the mail system says, with its code in front unless the words have it: `550 5.1.1 No such person here`."""
    return failure.words if failure.status in failure.words else f"{failure.status} {failure.words}".strip()


def unsubscribe(session: Session, parsed: ParsedMail, customer: Customer, *, now: datetime) -> str:
    """Let her have no more of the mails she answers; returns the code of what was done (see `reasons`)."""
    answered = _named(session, (*parsed.in_reply_to, *parsed.references))
    hers = {each.normalised for each in customer.addresses}
    purposes = {each.purpose for each in answered if each.to_normalised in hers}
    if not purposes:
        return "unsubscribe-unsure"
    if purposes & set(LETTERS):
        answers.unsubscribe(session, customer, way="mail", now=now)
        return "unsubscribed-wishes"
    decline_unasked(session, customer, by=None, way="mail", now=now)
    return "unsubscribed"


def _named(session: Session, ids: Sequence[str]) -> list[Delivery]:
    named = [bracketed(each) for each in ids[:_MOST_IDS]]
    statement = sa.select(Delivery).where(Delivery.message_id.in_(named)).order_by(Delivery.id).limit(_MOST_IDS)
    return list(session.scalars(statement)) if named else []


def _failure_of(delivery: Delivery, failures: Sequence[Failure], *, alone: bool) -> Failure | None:
    """What is said of this mail's address; a report that names nobody is about the only one it can mean."""
    if not failures:
        return Failure((), hard=False, status="", words="") if alone else None
    return next((each for each in failures if delivery.to_normalised in map(normalise, each.addresses)), None)


def _may_come_back(session: Session, delivery: Delivery, now: datetime) -> bool:
    """Whether it left lately, and nobody at that address has answered since: then it did arrive."""
    left_at = delivery.sent_at or delivery.created_at
    if delivery.state not in _ON_ITS_WAY or now - left_at > _BELIEVED:
        return False
    there = sa.select(Message.conversation_id).where(Message.delivery_id == delivery.id)
    answers = (
        Message.conversation_id.in_(there),
        Message.direction == Direction.IN,
        Message.kind == MessageKind.HUMAN,
        Message.created_at > left_at,
    )
    writers = session.scalars(sa.select(Message.from_address).where(*answers).distinct())
    return delivery.to_normalised not in map(normalise, writers)
