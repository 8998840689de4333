"""Addresses that are not to be mailed: why, on what evidence, and how one is released again."""

from datetime import datetime

from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import normalise
from concierge.customers.queries import share_customer
from concierge.errors import RuleBroken
from concierge.mailing import queries
from concierge.mailing.models import Suppression, SuppressionReason
from concierge.mailing.reasons import Reason


class NoReasonGiven(RuleBroken):
    """Say in a few words why this address may be mailed again."""


def words_for(reason: SuppressionReason) -> str:
    """Why an address is not mailed, in a sentence as it is kept (`reasons.retold` shows it)."""
    sentences = {
        SuppressionReason.HARD_BOUNCE: Reason.HARD_BOUNCE,
        SuppressionReason.COMPLAINT: Reason.COMPLAINT,
        SuppressionReason.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
        SuppressionReason.MANUAL: Reason.BY_HAND,
    }
    return sentences[reason].of()


def suppress(
    session: Session,
    address: str,
    *,
    reason: SuppressionReason,
    by: Editor | None,
    now: datetime,
    evidence: str = "",
) -> Suppression:
    """Mail this address no more; twice is fine. `evidence` is what the provider, or a colleague, said."""
    if (standing := queries.find_suppression(session, address)) is not None:
        return standing
    share_customer(session, address)  # whatever leaves for her in this moment has left, or sees it
    suppression = Suppression(
        normalised=normalise(address),
        reason=reason,
        evidence=evidence,
        created_at=now,
        created_by_id=by.id if by else None,
    )
    session.add(suppression)
    audit.record(session, "suppression.added", suppression, by=by, now=now, reason=reason.value)
    return suppression


def release(session: Session, suppression: Suppression, *, because: str, by: Editor, now: datetime) -> None:
    """Mail this address again; twice is fine. Raises NoReasonGiven."""
    if not (because := " ".join(because.split())):
        raise NoReasonGiven
    if suppression.released_at is None:
        suppression.released_at, suppression.released_by_id, suppression.released_because = now, by.id, because
        audit.record(session, "suppression.released", suppression, by=by, now=now, because=because)
