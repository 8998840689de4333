"""Files what came in: claim, commit; read in the walled-off process; file the handful that is read by now, commit."""

import contextlib
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
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
from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.reading import Answer, MailReader, Question
from concierge.rows import unswept
from concierge.working import given

log = logging.getLogger(__name__)

_AT_ONCE = 40
# Filed in one transaction: those that were read while the last ones were filed, but for no longer than this takes may
# others wait for their turn to write. A mail that comes alone is filed alone.
_HANDFUL = 32
# So many the clock of many machines knows to be due at a time.
_IN_SIGHT = 200
_WORK_SECONDS = 5.0
# Longer than it can take to read what is claimed and not yet filed (_AT_ONCE and those handed over ahead, two seconds
# each), so that only a dead worker's claims are taken up again.
_LEASE = timedelta(seconds=150)
# What may have been the machine's fault, not the mail's: worth another try.
_PASSING = frozenset({"crash", "too-slow", "too-much-memory"})


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where mail is filed: what a worker has at hand for every mail."""

    config: Config
    sessions: Sessions
    store: BlobStore
    reader: MailReader

    @property
    def trust(self) -> Trust:
        """Whose word on a sender counts."""
        return Trust(self.config.receivers, self.config.policy.spam_score)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A mail that is ours to file, and the house it came to."""

    claim: Claim
    house: House


class _NotOurs(Exception):
    """Somebody else has taken up a mail whose claim ran out."""


def file_received(config: Config, sessions: Sessions) -> int:
    """File what was received, for about five seconds; returns how many mails were settled."""
    only = given(lambda: _in_sight(sessions))
    if only is not None and not only:
        return 0
    desk = _Desk(config, sessions, _store(config.blobs_url), _reader(config.max_mail_bytes))
    desk.reader.prepare()
    settled, until = 0, time.monotonic() + _WORK_SECONDS
    while (shift := _Shift(desk, only, until)).work():
        settled += shift.settled
    return settled


class _Shift:
    """Filing until nothing is due: mails are claimed, read and filed at the same time, each a little before the next.

    `at_hand` are those that were claimed and of which nothing has become yet, by number.
    """

    def __init__(self, desk: _Desk, only: Collection[int] | None, until: float) -> None:
        """Files `only` these, if any are named, and claims none after `until`, by the monotonic clock."""
        self._desk, self._only, self._until = desk, only, until
        self._at_hand: dict[int, Claim] = {}
        self._claimed = False
        self.settled = 0

    def work(self) -> bool:
        """Whether there was anything to do."""
        try:
            with contextlib.closing(self._desk.reader.read_ahead(self._questions(), most=_HANDFUL)) as answers:
                for each in answers:
                    self._file(each)
        finally:
            # The house closes; or the database or the store is away, which costs no mail a try. Should even this fail,
            # the lease gives them back.
            with contextlib.suppress(OperationalError):
                _give_back(self._desk.sessions, self._at_hand.values())
        return self._claimed

    def _questions(self) -> Iterator[Question]:
        while not self._is_over and (claimed := _claim(self._desk.sessions, self._only)):
            self._claimed = True
            house, claims = claimed
            self._at_hand |= {each.mail_id: each for each in claims}
            for claim in claims:
                if closing.TOLD.is_set():
                    return
                if (raw := self._fetch(claim)) is not None:
                    yield Question(_Taken(claim, house), raw, claim.envelope_from)

    def _fetch(self, claim: Claim) -> bytes | None:
        """The mail's bytes; None when they can't be had, and then it is put aside."""
        try:
            return self._desk.store.get(claim.blob_key)
        except BlobMissing:
            self._note(claim, _quarantine(self._desk.sessions, claim, "bytes-missing"))
        except StoreAway:
            raise
        except Exception:
            log.exception("mail %s could not be fetched", claim.mail_id, extra={"mail": claim.mail_id})
            self._note(claim, _give_up_or_back(self._desk, claim, "not-filed"))
        return None

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._until or closing.TOLD.is_set()

    def _file(self, answers: Sequence[Answer]) -> None:
        """All in one transaction; when anything fails each in its own, so that it is only the one it fails for."""
        readable: list[tuple[_Taken, ParsedMail]] = []
        for each in answers:
            if isinstance(each.mail, Unreadable):
                self._note(each.about.claim, _put_aside(self._desk, each.about.claim, each.mail))
            else:
                readable.append((each.about, each.mail))
        if len(readable) > 1 and _file_together(self._desk, readable):
            for taken, _parsed in readable:
                self._note(taken.claim, True)
            return
        for taken, parsed in readable:
            self._note(taken.claim, _file_one(self._desk, taken, parsed))

    def _note(self, claim: Claim, settled: bool) -> None:
        if self._at_hand.get(claim.mail_id) is claim:  # else its lease ran out, and it was claimed again
            del self._at_hand[claim.mail_id]
        self.settled += settled


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


def _file_together(desk: _Desk, mails: Sequence[tuple[_Taken, ParsedMail]]) -> bool:
    """Whether they are filed, in their order; else nothing was done to any."""
    try:
        read = [(taken, keep_files(desk.store, parsed)) for taken, parsed in mails]
        with unswept(), desk.sessions() as session:
            for taken, mail in read:
                _settle(session, desk, taken, mail)
                session.expunge_all()  # the next one sees what it would see in a transaction of its own
            session.commit()
    except Exception:
        log.warning("%d mails could not be filed together, and are filed one by one", len(mails), exc_info=True)
        return False
    return True


def _file_one(desk: _Desk, taken: _Taken, parsed: ParsedMail) -> bool:
    """File one mail; whether it is settled. Whatever happens, the next one gets its turn."""
    claim = taken.claim
    try:
        mail = keep_files(desk.store, parsed)
        try:
            _commit_one(desk, taken, mail)
        except IntegrityError:
            # Another worker made the same customer, or filed the same mail, a moment before; now we see it.
            _commit_one(desk, taken, mail)
    except _NotOurs:
        return False
    except (OperationalError, StoreAway):  # not the mail's fault
        log.exception("mail %s could not be filed now", claim.mail_id)
        raise
    except Exception:
        log.exception("mail %s could not be filed", claim.mail_id, extra={"mail": claim.mail_id})
        return _give_up_or_back(desk, claim, "not-filed")
    return True


def _commit_one(desk: _Desk, taken: _Taken, mail: ReadMail) -> None:
    with desk.sessions() as session:
        _settle(session, desk, taken, mail)
        session.commit()


def _settle(session: Session, desk: _Desk, taken: _Taken, mail: ReadMail) -> None:
    """Do what is to be done for a mail; raises _NotOurs, and then nothing of it must be committed."""
    now, secret = clock.now(), desk.config.secret
    outcome = settle_mail(session, taken.claim, mail, house=taken.house, secret=secret, now=now, trust=desk.trust)
    if not settle_claim(session, taken.claim, outcome, now=now):
        raise _NotOurs


def _put_aside(desk: _Desk, claim: Claim, why: Unreadable) -> bool:
    """What becomes of a mail that can't be read; whether it is settled."""
    log.warning("mail %s can't be read: %s", claim.mail_id, why.reason, extra={"mail": claim.mail_id})
    if why.reason in _PASSING:
        return _give_up_or_back(desk, claim, why.reason)
    return _quarantine(desk.sessions, claim, why.reason)


def _give_up_or_back(desk: _Desk, claim: Claim, reason: str) -> bool:
    """After the last try the mail goes to quarantine; before, it waits for the next. Whether it is settled."""
    if claim.attempts >= desk.config.policy.filing_attempts:
        return _quarantine(desk.sessions, claim, reason)
    with desk.sessions() as session:
        give_back(session, claim, attempts=claim.attempts)
        session.commit()
    return False


def _quarantine(sessions: Sessions, claim: Claim, reason: str) -> bool:
    """Whether it was still ours to settle."""
    with sessions() as session:
        if settle_claim(session, claim, Outcome(InboundState.QUARANTINED, reason), now=clock.now()):
            session.commit()
            return True
    return False


def _give_back(sessions: Sessions, claims: Collection[Claim]) -> None:
    """Let these be claimed again, without a try less."""
    if not claims:
        return
    with sessions() as session:
        for each in claims:
            give_back(session, each, attempts=each.attempts - 1)
        session.commit()
