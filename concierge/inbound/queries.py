"""Reading what came in: what waits to be filed, what is in quarantine, and the count that must come out even."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, Mailbox
from concierge.accounts.queries import find_mailbox
from concierge.addresses import normalise
from concierge.conversations.models import Message
from concierge.inbound.models import InboundMail, InboundMailNotFound, InboundState


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mails came, and what became of them: received = waiting + filed + ignored + quarantined."""

    waiting: int
    filed: int
    ignored: int
    quarantined: int

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
    """Mails in *state*, newest first, from below the id *before*; at most *most*."""
    statement = sa.select(InboundMail).where(InboundMail.state == state)
    if before is not None:
        statement = statement.where(InboundMail.id < before)
    return list(session.scalars(statement.order_by(InboundMail.id.desc()).limit(most)))


def tally(session: Session) -> Tally:
    """Count the mails by what became of them."""
    rows = session.execute(sa.select(InboundMail.state, sa.func.count()).group_by(InboundMail.state))
    counts: dict[InboundState, int] = {state: count for state, count in rows}
    return Tally(*(counts.get(state, 0) for state in _IN_ORDER))


_IN_ORDER = (InboundState.RECEIVED, InboundState.FILED, InboundState.IGNORED, InboundState.QUARANTINED)


def is_here(session: Session, blob_key: str) -> bool:
    """Whether a mail of exactly these bytes came in before."""
    return session.scalar(sa.select(InboundMail.id).where(InboundMail.blob_key == blob_key).limit(1)) is not None


def find_message(session: Session, mailbox: Mailbox, fingerprint: str) -> int | None:
    """The number of the message with this fingerprint in *mailbox*, or None."""
    same = (Message.mailbox_id == mailbox.id, Message.fingerprint == fingerprint)
    return session.scalar(sa.select(Message.id).where(*same))


def list_due(session: Session, *, most: int) -> list[int]:
    """The ids of mails to be filed, those never tried before the others, in the order they came."""
    free = (InboundMail.state == InboundState.RECEIVED, InboundMail.claimed_at.is_(None))
    return list(
        session.scalars(
            sa.select(InboundMail.id).where(*free).order_by(InboundMail.attempts, InboundMail.id).limit(most)
        )
    )


def is_ours(session: Session, address: str) -> bool:
    """Whether *address* is a mailbox of the house or an editor's own."""
    plain = normalise(address)
    if find_mailbox(session, plain) is not None:
        return True
    return session.scalar(sa.select(Editor.id).where(sa.func.lower(Editor.email) == plain).limit(1)) is not None
