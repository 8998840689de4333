"""Reading what came in: what waits to be filed, what is in quarantine, and the count that must come out even."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.queries import find_mailbox
from concierge.addresses import is_address
from concierge.config import Policy
from concierge.conversations.models import Direction, Message
from concierge.inbound.measures import MEGABYTE, Measure, Sent, Welcome, weigh
from concierge.inbound.models import FILEABLE, HELD_BACK, InboundMail, InboundMailNotFound, InboundState, WatchedFolder
from concierge.rows import at_most


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mails came, and what became of them: received = waiting + filed + ignored + quarantined."""

    waiting: int
    filed: int
    ignored: int
    quarantined: int
    # mails that customers wrote and that came by no door: those the demo is furnished with
    furnished: int = 0

    @property
    def all(self) -> int:
        """How many came in all."""
        return self.waiting + self.filed + self.ignored + self.quarantined


def get_mail(session: Session, mail_id: int) -> InboundMail:
    """The mail with this number; raises InboundMailNotFound."""
    if (mail := session.get(InboundMail, mail_id)) is None:
        raise InboundMailNotFound
    return mail


def list_mails(
    session: Session, state: InboundState, *, before: int | None = None, most: int = 50
) -> list[InboundMail]:
    """Mails in *state*, newest first, from below the id *before*, at most *most*; but those held back."""
    statement = sa.select(InboundMail).where(InboundMail.state == state, InboundMail.reason != HELD_BACK)
    if before is not None:
        statement = statement.where(InboundMail.id < before)
    return list(session.scalars(statement.order_by(InboundMail.id.desc()).limit(most)))


def tally(session: Session, *, demo: bool = False) -> Tally:
    """Count the mails by what became of them; in a demo those too that stood there from the beginning."""
    rows = session.execute(sa.select(InboundMail.state, sa.func.count()).group_by(InboundMail.state))
    counts: dict[InboundState, int] = {state: count for state, count in rows}
    came_by_no_door = (Message.direction == Direction.IN, Message.raw_key.is_(None))
    furnished = session.scalar(sa.select(sa.func.count()).where(*came_by_no_door)) if demo else 0
    waiting, filed, ignored, quarantined = (counts.get(state, 0) for state in _IN_ORDER)
    return Tally(waiting, filed, ignored, quarantined, furnished or 0)


_IN_ORDER = (InboundState.RECEIVED, InboundState.FILED, InboundState.IGNORED, InboundState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class HeldSender:
    """A sender of whom mails are held back: how many, their bytes, since when; what she sent within the last day."""

    address: str
    mails: int
    size: int
    since: datetime
    today: Sent
    waits_outside: bool


def find_sent(session: Session, sender: str, *, now: datetime) -> Sent:
    """What this sender, by the envelope, sent within the last day; what staff imported does not count."""
    of_today = (
        InboundMail.envelope_from == sender,
        InboundMail.received_at > now - timedelta(days=1),
        InboundMail.source != "import",
    )
    mails, size = session.execute(sa.select(sa.func.count(), sa.func.sum(InboundMail.size)).where(*of_today)).one()
    return Sent(mails, int(size or 0))


def welcome(session: Session, sender: str | None, size: int, policy: Policy, *, now: datetime) -> Welcome:
    """What becomes of one more mail of *size* bytes by this sender."""
    sent = Sent() if sender is None else find_sent(session, sender, now=now)
    return weigh(sender, sent, size, _measure(policy))


def list_held(session: Session, policy: Policy, *, now: datetime, most: int = 100) -> list[HeldSender]:
    """The senders of whom mails are held back, those with the most first."""
    count = sa.func.count()
    rows = session.execute(
        sa.select(InboundMail.envelope_from, count, sa.func.sum(InboundMail.size), sa.func.min(InboundMail.received_at))
        .where(InboundMail.state == InboundState.QUARANTINED, InboundMail.reason == HELD_BACK)
        .group_by(InboundMail.envelope_from)
        .order_by(count.desc(), InboundMail.envelope_from)
        .limit(most)
    ).all()
    held = []
    for address, mails, size, since in rows:
        assert address is not None  # nothing is held back of a mail without an envelope
        today = find_sent(session, address, now=now)
        outside = weigh(address, today, 1, _measure(policy)) is Welcome.LATER
        held.append(HeldSender(address, mails, int(size), since, today, outside))
    return held


def _measure(policy: Policy) -> Measure:
    return Measure(policy.sender_mails_a_day, policy.sender_megabytes_a_day * MEGABYTE)


def is_here(session: Session, blob_key: str) -> bool:
    """Whether a mail of exactly these bytes came in before."""
    return session.scalar(sa.select(InboundMail.id).where(InboundMail.blob_key == blob_key).limit(1)) is not None


def was_fetched(session: Session, place: str, blob_key: str, recipients: list[str]) -> bool:
    """Whether the mail at *place* is here, or these very bytes were fetched for the same mailbox from elsewhere."""
    fetched = sa.select(InboundMail.place, InboundMail.recipients).where(
        (InboundMail.place == place) | ((InboundMail.blob_key == blob_key) & InboundMail.place.is_not(None))
    )
    return any(each.place == place or each.recipients == recipients for each in session.execute(fetched))


def find_watched(session: Session, account: str, name: str) -> WatchedFolder | None:
    """What is known of a folder that is read over IMAP, or None before its first look."""
    return session.scalar(sa.select(WatchedFolder).where(WatchedFolder.account == account, WatchedFolder.name == name))


def list_due(session: Session, *, most: int, only: Collection[int] | None = None) -> list[int]:
    """The ids of mails to be filed (of `only` these), those never tried before the others, in the order they came."""
    free = [InboundMail.state == InboundState.RECEIVED, InboundMail.claimed_at.is_(None)]
    if only is not None:
        free.append(InboundMail.id.in_(only))
    return list(
        session.scalars(
            sa.select(InboundMail.id).where(*free).order_by(InboundMail.attempts, InboundMail.id).limit(at_most(most))
        )
    )


def is_fileable(session: Session, mail: InboundMail) -> bool:
    """Whether somebody may have this mail filed as a customer's, from the sender of its envelope.

    Not what comes from a mailbox of the house: answering it would be writing to ourselves.
    """
    settled = mail.state in {InboundState.IGNORED, InboundState.QUARANTINED} and mail.reason in FILEABLE
    return settled and is_address(mail.envelope_from or "") and find_mailbox(session, mail.envelope_from or "") is None
