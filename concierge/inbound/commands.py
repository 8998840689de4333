"""Taking mail in, and what staff may do with one that could not be read."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.blobs import BlobStore
from concierge.inbound import queries
from concierge.inbound.models import BY_HAND, HELD_BACK, InboundMail, InboundState, NotFileable, NotQuarantined

_MOST_RECIPIENTS = 100


def accept_mail(
    session: Session,
    blobs: BlobStore,
    raw: bytes,
    *,
    source: str,
    envelope_from: str | None,
    recipients: Iterable[str],
    now: datetime,
    held: bool = False,
    place: str | None = None,
    verdicts: Mapping[str, str] | None = None,
) -> InboundMail:
    """Keep a mail's bytes and note that it came; the caller commits, and only then says it was taken.

    *source* is one of those in `reasons.source_words`. *envelope_from* is the return path ("" for the null path, None
    when unknown), *recipients* are the envelope's, empty when unknown. *held* means that it waits until somebody
    says that it be filed, see `inbound.measures`. *place* is where it was fetched from; a place is kept once.
    *verdicts* are what the provider says of it (see `inbound.authenticity`). Raises OSError when it can't be kept.
    """
    # The blob first: a row without bytes would be a lost mail, bytes without a row are merely a few bytes.
    key = blobs.put(raw)
    mail = InboundMail(
        source=source,
        state=InboundState.RECEIVED,
        blob_key=key,
        size=len(raw),
        envelope_from=None if envelope_from is None else _storable(envelope_from)[:400],
        recipients=[_storable(each)[:320] for each in recipients][:_MOST_RECIPIENTS],
        received_at=now,
        attempts=0,
        reason="",
        place=place,
        verdicts={name: _storable(said) for name, said in verdicts.items()} if verdicts else None,
    )
    if held:
        _settle(mail, InboundState.QUARANTINED, HELD_BACK, now)
    session.add(mail)
    session.flush()
    return mail


def _storable(text: str) -> str:
    """An address as a database takes it: no NUL, no surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def retry_mail(session: Session, mail: InboundMail, *, by: Editor, now: datetime) -> None:
    """Put a quarantined *mail* back among those to be filed; raises NotQuarantined."""
    _leave_quarantine(mail)
    mail.state, mail.reason, mail.attempts = InboundState.RECEIVED, "", 0
    mail.claimed_at = mail.settled_at = None
    audit.record(session, "inbound_mail.retried", mail, by=by, now=now)


def file_by_hand(session: Session, mail: InboundMail, *, by: Editor, now: datetime) -> None:
    """File as a customer's what names nobody for certain, or came from one of us; raises NotFileable.

    It is taken to be from the sender of its envelope, and is a customer's mail like any other: it never acts as staff,
    whoever wrote it (T24).
    """
    if not queries.is_fileable(session, mail):
        raise NotFileable
    mail.state, mail.reason, mail.attempts = InboundState.RECEIVED, BY_HAND, 0
    mail.claimed_at = mail.settled_at = None
    audit.record(session, "inbound_mail.filed_by_hand", mail, by=by, now=now, sender=mail.envelope_from)


def ignore_mail(session: Session, mail: InboundMail, *, by: Editor, now: datetime) -> None:
    """Settle a quarantined *mail* as ignored; raises NotQuarantined. Its bytes stay."""
    _leave_quarantine(mail)
    _settle(mail, InboundState.IGNORED, "by-hand", now)
    audit.record(session, "inbound_mail.ignored", mail, by=by, now=now)


def file_held(session: Session, sender: str, *, by: Editor, now: datetime) -> int:
    """Let everything of *sender* that was held back be filed; how many."""
    return _settle_held(session, sender, "inbound_mail.held_filed", by=by, now=now, state=InboundState.RECEIVED)


def ignore_held(session: Session, sender: str, *, by: Editor, now: datetime) -> int:
    """Set aside everything of *sender* that was held back; how many. Their bytes stay."""
    ignored = {"state": InboundState.IGNORED, "reason": "by-hand", "settled_at": now}
    return _settle_held(session, sender, "inbound_mail.held_ignored", by=by, now=now, **ignored)


def _settle_held(session: Session, sender: str, verb: str, *, by: Editor, now: datetime, **values: Any) -> int:
    held = (
        InboundMail.state == InboundState.QUARANTINED,
        InboundMail.reason == HELD_BACK,
        InboundMail.envelope_from == sender,
    )
    newest = session.scalar(sa.select(InboundMail).where(*held).order_by(InboundMail.id.desc()).limit(1))
    if newest is None:
        return 0
    changed = session.execute(
        sa.update(InboundMail)
        .where(*held)
        .values({"reason": "", "settled_at": None, "attempts": 0} | values)
        .execution_options(synchronize_session=False)
    )
    session.expire(newest)
    number = int(changed.rowcount)  # type: ignore[attr-defined]
    audit.record(session, verb, newest, by=by, now=now, sender=sender, mails=number)
    return number


def _leave_quarantine(mail: InboundMail) -> None:
    if mail.state is not InboundState.QUARANTINED:
        raise NotQuarantined


def _settle(mail: InboundMail, state: InboundState, reason: str, now: datetime) -> None:
    mail.state, mail.reason, mail.settled_at, mail.claimed_at = state, reason, now, None
