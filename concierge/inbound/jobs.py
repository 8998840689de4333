"""Files what came in: claim, commit, read in the walled-off process, file in one transaction each."""

import contextlib
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from concierge import clock, closing
from concierge.blobs import BlobMissing, BlobStore, StoreAway
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.inbound import queries
from concierge.inbound.authenticity import Trust
from concierge.inbound.commands import quarantine_mail
from concierge.inbound.filing import ReadMail, keep_files, settle_mail
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.parsed import Unreadable
from concierge.inbound.reading import MailReader
from concierge.working import given

log = logging.getLogger(__name__)

_AT_ONCE = 10
# So many the clock of many machines knows to be due at a time.
_IN_SIGHT = 200
_WORK_SECONDS = 5.0
# Longer than _AT_ONCE mails can take to read, so that only a dead worker's claims are taken up again.
_LEASE = timedelta(minutes=2)
# What may have been the machine's fault, not the mail's: worth another try.
_PASSING = frozenset({"crash", "too-slow", "too-much-memory"})


@dataclass(frozen=True, slots=True)
class _Claim:
    """One mail that is ours to file for now."""

    mail_id: int
    blob_key: str
    envelope_from: str | None
    attempts: int
    claimed_at: datetime


def file_received(config: Config, sessions: Sessions) -> int:
    """File what was received, for about five seconds; returns how many mails were settled."""
    only = given(lambda: _in_sight(sessions))
    if only is not None and not only:
        return 0
    reader, store = _reader(config.max_mail_bytes), _store(config.blobs_url)
    reader.prepare()
    settled, until = 0, time.monotonic() + _WORK_SECONDS
    while time.monotonic() < until and not closing.TOLD.is_set() and (claims := _claim(sessions, only)):
        for claim in claims:
            if closing.TOLD.is_set():
                _give_back(sessions, claim, attempts=claim.attempts - 1)
                continue
            settled += _file_one(config, sessions, store, reader, claim)
    return settled


def release_stale(config: Config, sessions: Sessions) -> int:
    """Give back mails whose worker died with them; returns how many."""
    stale = (InboundMail.state == InboundState.RECEIVED, InboundMail.claimed_at < clock.machine_now() - _LEASE)
    with reading(sessions) as session:
        if session.scalar(sa.select(InboundMail.id).where(*stale).limit(1)) is None:
            return 0
    with sessions() as session:
        released = session.execute(sa.update(InboundMail).where(*stale).values(claimed_at=None))
        session.commit()
    return int(released.rowcount)  # type: ignore[attr-defined]


@cache
def _reader(most_bytes: int) -> MailReader:
    return MailReader(most_bytes=most_bytes)


@cache
def _store(url: str) -> BlobStore:
    return BlobStore(url)


def _in_sight(sessions: Sessions) -> list[int]:
    with reading(sessions) as session:
        return queries.list_due(session, most=_IN_SIGHT)


def _claim(sessions: Sessions, only: Collection[int] | None) -> list[_Claim]:
    """Take the next few by one conditional UPDATE; what another worker took meanwhile is not ours."""
    with reading(sessions) as session:
        if not (due := queries.list_due(session, most=_AT_ONCE, only=only)):
            return []
    with sessions() as session:
        now = clock.machine_now()
        free = (InboundMail.id.in_(due), InboundMail.state == InboundState.RECEIVED, InboundMail.claimed_at.is_(None))
        taken = session.execute(
            sa.update(InboundMail)
            .where(*free)
            .values(claimed_at=now, attempts=InboundMail.attempts + 1)
            .returning(InboundMail.id, InboundMail.blob_key, InboundMail.envelope_from, InboundMail.attempts)
            .execution_options(synchronize_session=False)
        ).all()
        session.commit()
    return [_Claim(*row, claimed_at=now) for row in sorted(taken, key=lambda row: due.index(row.id))]


def _file_one(config: Config, sessions: Sessions, store: BlobStore, reader: MailReader, claim: _Claim) -> bool:
    """Read and file one mail; whether it is settled. Whatever happens, the next one gets its turn."""
    try:
        return _read_and_settle(config, sessions, store, reader, claim)
    except (OperationalError, StoreAway):
        # The database or the store, not the mail: it keeps its tries. Should even this fail, the lease gives it back.
        log.exception("mail %s could not be filed now", claim.mail_id)
        with contextlib.suppress(OperationalError):
            _give_back(sessions, claim, attempts=claim.attempts - 1)
        raise
    except Exception:
        log.exception("mail %s could not be filed", claim.mail_id, extra={"mail": claim.mail_id})
        return _give_up_or_back(config, sessions, claim, "not-filed")


def _read_and_settle(config: Config, sessions: Sessions, store: BlobStore, reader: MailReader, claim: _Claim) -> bool:
    try:
        raw = store.get(claim.blob_key)
    except BlobMissing:
        return _quarantine(sessions, claim, "bytes-missing")
    parsed = reader.read(raw, envelope_from=claim.envelope_from)
    if isinstance(parsed, Unreadable):
        log.warning("mail %s can't be read: %s", claim.mail_id, parsed.reason, extra={"mail": claim.mail_id})
        if parsed.reason in _PASSING:
            return _give_up_or_back(config, sessions, claim, parsed.reason)
        return _quarantine(sessions, claim, parsed.reason)
    read = keep_files(store, parsed)
    try:
        return _settle(config, sessions, claim, read)
    except IntegrityError:
        # Another worker made the same customer, or filed the same mail, a moment before; now we see it.
        return _settle(config, sessions, claim, read)


def _settle(config: Config, sessions: Sessions, claim: _Claim, read: ReadMail) -> bool:
    with sessions() as session:
        if (mail := _still_ours(session, claim)) is None:
            return False
        trust = Trust(config.receivers, config.policy.spam_score)
        settle_mail(session, mail, read, secret=config.secret, now=clock.now(), trust=trust)
        session.commit()
    return True


def _give_up_or_back(config: Config, sessions: Sessions, claim: _Claim, reason: str) -> bool:
    """After the last try the mail goes to quarantine; before, it waits for the next. Whether it is settled."""
    if claim.attempts >= config.policy.filing_attempts:
        return _quarantine(sessions, claim, reason)
    _give_back(sessions, claim, attempts=claim.attempts)
    return False


def _quarantine(sessions: Sessions, claim: _Claim, reason: str) -> bool:
    with sessions() as session:
        if (mail := _still_ours(session, claim)) is None:
            return False
        quarantine_mail(session, mail, reason, now=clock.now())
        session.commit()
    return True


def _give_back(sessions: Sessions, claim: _Claim, *, attempts: int) -> None:
    with sessions() as session:
        if (mail := _still_ours(session, claim)) is not None:
            mail.claimed_at, mail.attempts = None, attempts
            session.commit()


def _still_ours(session: Session, claim: _Claim) -> InboundMail | None:
    """The row under lock, while our claim stands; None when its lease ran out and somebody else took it."""
    ours = (InboundMail.id == claim.mail_id, InboundMail.state == InboundState.RECEIVED)
    mail = session.scalar(sa.select(InboundMail).where(*ours).with_for_update())
    return mail if mail is not None and mail.claimed_at == claim.claimed_at else None
