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
from concierge.accounts.queries import House, read_house
from concierge.blobs import BlobMissing, BlobStore, StoreAway
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.inbound import queries
from concierge.inbound.authenticity import Trust
from concierge.inbound.claims import Claim, Outcome, claim_mails, give_back, settle_claim
from concierge.inbound.filing import ReadMail, keep_files, settle_mail
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.parsed import Unreadable
from concierge.inbound.reading import MailReader
from concierge.working import given

log = logging.getLogger(__name__)

_AT_ONCE = 20
# So many the clock of many machines knows to be due at a time.
_IN_SIGHT = 200
_WORK_SECONDS = 5.0
# Longer than _AT_ONCE mails can take to read, so that only a dead worker's claims are taken up again.
_LEASE = timedelta(minutes=2)
# What may have been the machine's fault, not the mail's: worth another try.
_PASSING = frozenset({"crash", "too-slow", "too-much-memory"})


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where mail is filed: what a worker has at hand for every mail."""

    config: Config
    sessions: Sessions
    store: BlobStore
    reader: MailReader


def file_received(config: Config, sessions: Sessions) -> int:
    """File what was received, for about five seconds; returns how many mails were settled."""
    only = given(lambda: _in_sight(sessions))
    if only is not None and not only:
        return 0
    desk = _Desk(config, sessions, _store(config.blobs_url), _reader(config.max_mail_bytes))
    desk.reader.prepare()
    settled, until = 0, time.monotonic() + _WORK_SECONDS
    while time.monotonic() < until and not closing.TOLD.is_set() and (claimed := _claim(sessions, only)):
        house, claims = claimed
        for claim in claims:
            if closing.TOLD.is_set():
                _give_back(sessions, claim, attempts=claim.attempts - 1)
            else:
                settled += _file_one(desk, house, claim)
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


def _claim(sessions: Sessions, only: Collection[int] | None) -> tuple[House, list[Claim]] | None:
    """The next few mails, ours to file now, and the house they came to; None when there are none."""
    with reading(sessions) as session:
        if not (due := queries.list_due(session, most=_AT_ONCE, only=only)):
            return None
        house = read_house(session)
    with sessions() as session:
        claims = claim_mails(session, due, now=clock.machine_now())
        session.commit()
    return (house, claims) if claims else None


def _file_one(desk: _Desk, house: House, claim: Claim) -> bool:
    """Read and file one mail; whether it is settled. Whatever happens, the next one gets its turn."""
    try:
        return _read_and_settle(desk, house, claim)
    except (OperationalError, StoreAway):
        # The database or the store, not the mail: it keeps its tries. Should even this fail, the lease gives it back.
        log.exception("mail %s could not be filed now", claim.mail_id)
        with contextlib.suppress(OperationalError):
            _give_back(desk.sessions, claim, attempts=claim.attempts - 1)
        raise
    except Exception:
        log.exception("mail %s could not be filed", claim.mail_id, extra={"mail": claim.mail_id})
        return _give_up_or_back(desk, claim, "not-filed")


def _read_and_settle(desk: _Desk, house: House, claim: Claim) -> bool:
    try:
        raw = desk.store.get(claim.blob_key)
    except BlobMissing:
        return _quarantine(desk.sessions, claim, "bytes-missing")
    parsed = desk.reader.read(raw, envelope_from=claim.envelope_from)
    if isinstance(parsed, Unreadable):
        log.warning("mail %s can't be read: %s", claim.mail_id, parsed.reason, extra={"mail": claim.mail_id})
        if parsed.reason in _PASSING:
            return _give_up_or_back(desk, claim, parsed.reason)
        return _quarantine(desk.sessions, claim, parsed.reason)
    read = keep_files(desk.store, parsed)
    try:
        return _settle(desk, house, claim, read)
    except IntegrityError:
        # Another worker made the same customer, or filed the same mail, a moment before; now we see it.
        return _settle(desk, house, claim, read)


def _settle(desk: _Desk, house: House, claim: Claim, read: ReadMail) -> bool:
    with desk.sessions() as session:
        now, config = clock.now(), desk.config
        trust = Trust(config.receivers, config.policy.spam_score)
        outcome = settle_mail(session, claim, read, house=house, secret=config.secret, now=now, trust=trust)
        return _conclude(session, claim, outcome, now=now)


def _give_up_or_back(desk: _Desk, claim: Claim, reason: str) -> bool:
    """After the last try the mail goes to quarantine; before, it waits for the next. Whether it is settled."""
    if claim.attempts >= desk.config.policy.filing_attempts:
        return _quarantine(desk.sessions, claim, reason)
    _give_back(desk.sessions, claim, attempts=claim.attempts)
    return False


def _quarantine(sessions: Sessions, claim: Claim, reason: str) -> bool:
    with sessions() as session:
        return _conclude(session, claim, Outcome(InboundState.QUARANTINED, reason), now=clock.now())


def _conclude(session: Session, claim: Claim, outcome: Outcome, *, now: datetime) -> bool:
    """Commit what was done for a mail, if it is still ours; else nothing was done."""
    if not settle_claim(session, claim, outcome, now=now):
        session.rollback()
        return False
    session.commit()
    return True


def _give_back(sessions: Sessions, claim: Claim, *, attempts: int) -> None:
    with sessions() as session:
        give_back(session, claim, attempts=attempts)
        session.commit()
