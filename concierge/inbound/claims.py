"""Claims: mails a worker has to file for now, what became of each, and nothing undone by one who was too slow."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.inbound.models import InboundMail, InboundState
from concierge.rows import run_row

_mails = cast("sa.Table", InboundMail.__table__)
_OURS = (
    _mails.c.id == sa.bindparam("number"),
    _mails.c.state == InboundState.RECEIVED,
    _mails.c.claimed_at == sa.bindparam("claim"),
)
_SETTLE = (
    sa.update(_mails)
    .where(*_OURS)
    .values(
        {name: sa.bindparam(name) for name in ("state", "reason", "message_id", "settled_at")} | {"claimed_at": None}
    )
)
_GIVE_BACK = sa.update(_mails).where(*_OURS).values(claimed_at=None, attempts=sa.bindparam("tries"))
_TAKE = (
    sa.update(_mails)
    .where(
        _mails.c.id.in_(sa.bindparam("numbers", expanding=True)),
        _mails.c.state == InboundState.RECEIVED,
        _mails.c.claimed_at.is_(None),
    )
    .values(claimed_at=sa.bindparam("claim"), attempts=_mails.c.attempts + 1)
    .returning(
        _mails.c.id.label("mail_id"),
        _mails.c.blob_key,
        _mails.c.source,
        _mails.c.envelope_from,
        _mails.c.recipients,
        _mails.c.verdicts,
        _mails.c.reason,
        _mails.c.received_at,
        _mails.c.attempts,
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail as it came in, that is ours to file while its row says `claimed_at`."""

    mail_id: int
    blob_key: str
    source: str
    envelope_from: str | None
    recipients: list[str]
    verdicts: dict[str, Any] | None
    reason: str
    received_at: datetime
    attempts: int
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail: filed in a message, ignored or quarantined for a reason, a code."""

    state: InboundState
    reason: str = ""
    message_id: int | None = None


def claim_mails(session: Session, due: Collection[int], *, now: datetime) -> list[Claim]:
    """Take these by one conditional UPDATE, in their order; what another worker took meanwhile is not ours."""
    taken = session.execute(_TAKE, {"numbers": [*due], "claim": now}).all()
    place = {number: place for place, number in enumerate(due)}
    return [Claim(**row._mapping, claimed_at=now) for row in sorted(taken, key=lambda row: place[row.mail_id])]


def settle_claim(session: Session, claim: Claim, outcome: Outcome, *, now: datetime) -> bool:
    """Write down what became of the mail. False when our lease ran out and somebody else took it: then all that this
    transaction did for it must not be committed.
    """
    values = {"state": outcome.state, "reason": outcome.reason, "message_id": outcome.message_id, "settled_at": now}
    changed = run_row(session, _SETTLE, values | {"number": claim.mail_id, "claim": claim.claimed_at})
    if outcome.state is InboundState.QUARANTINED:
        audit.record_row(
            session, "inbound_mail.quarantined", InboundMail, claim.mail_id, now=now, reason=outcome.reason
        )
    return changed == 1


def give_back(session: Session, claim: Claim, *, attempts: int) -> None:
    """Let the mail be claimed again, with so many attempts behind it, if it is still ours."""
    run_row(session, _GIVE_BACK, {"number": claim.mail_id, "claim": claim.claimed_at, "tries": attempts})
