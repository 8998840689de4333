"""Taking mail in, and what staff may do with one that could not be read."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.blobs import BlobStore
from concierge.inbound.models import InboundMail, InboundState, NotQuarantined

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
) -> InboundMail:
    """Keep a mail's bytes and note that it came; the caller commits, and only then says it was taken.

    *source* is smtp, webhook, import or post office. *envelope_from* is the return path ("" for the null path, None
    when unknown), *recipients* are the envelope's, empty when unknown. Raises OSError when the bytes can't be kept.
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
    )
    session.add(mail)
    session.flush()
    return mail


def _storable(text: str) -> str:
    """An address as a database takes it: no NUL, no surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def file_mail(mail: InboundMail, message_id: int, *, now: datetime) -> None:
    """Settle *mail* as filed in the message *message_id*."""
    _settle(mail, InboundState.FILED, "", now)
    mail.message_id = message_id


def set_aside(mail: InboundMail, reason: str, *, now: datetime) -> None:
    """Settle *mail* as ignored for *reason*, a code; its bytes stay."""
    _settle(mail, InboundState.IGNORED, reason, now)


def quarantine_mail(session: Session, mail: InboundMail, reason: str, *, now: datetime) -> None:
    """Settle *mail* as not readable for *reason*, a code and perhaps a detail; staff see it and can try again."""
    _settle(mail, InboundState.QUARANTINED, reason, now)
    audit.record(session, "inbound_mail.quarantined", mail, by=None, now=now, reason=reason)


def retry_mail(session: Session, mail: InboundMail, *, by: Editor, now: datetime) -> None:
    """Put a quarantined *mail* back among those to be filed; raises NotQuarantined."""
    _leave_quarantine(mail)
    mail.state, mail.reason, mail.attempts = InboundState.RECEIVED, "", 0
    mail.claimed_at = mail.settled_at = None
    audit.record(session, "inbound_mail.retried", mail, by=by, now=now)


def ignore_mail(session: Session, mail: InboundMail, *, by: Editor, now: datetime) -> None:
    """Settle a quarantined *mail* as ignored; raises NotQuarantined. Its bytes stay."""
    _leave_quarantine(mail)
    _settle(mail, InboundState.IGNORED, "by-hand", now)
    audit.record(session, "inbound_mail.ignored", mail, by=by, now=now)


def _leave_quarantine(mail: InboundMail) -> None:
    if mail.state is not InboundState.QUARANTINED:
        raise NotQuarantined


def _settle(mail: InboundMail, state: InboundState, reason: str, now: datetime) -> None:
    mail.state, mail.reason, mail.settled_at, mail.claimed_at = state, reason, now, None
