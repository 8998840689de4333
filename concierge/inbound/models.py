"""Raw mail as received."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

import concierge.conversations.models  # noqa: F401 - a mail points to its message; the table must be known
from concierge.db import Base, BigId, states
from concierge.errors import NotFound, RuleBroken

# Why a mail is in quarantine that could be read, but whose sender sends too much.
HELD_BACK = "too-many"


# Why a mail waits again that was set aside, or whose sender is in doubt: somebody of the house said it be filed.
BY_HAND = "file-by-hand"
# What may be filed by hand: mail from one of us, mail whose From line names nobody for certain, and unwanted mail.
FILEABLE = frozenset({"our-own-copy", "no-sender", "unclear-sender", "several-senders", "several-froms", "spam"})


class InboundState(StrEnum):
    """What became of a mail that came in."""

    RECEIVED = "received"
    FILED = "filed"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class InboundMail(Base):
    """Raw bytes as received, kept before anyone understands them."""

    __tablename__ = "inbound_mail"
    __table_args__ = (
        sa.Index("ix_inbound_mail_state", "state", "id"),
        sa.Index("ix_inbound_mail_sender", "envelope_from", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # smtp, lmtp, webhook, imap, import, post office
    source: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[InboundState] = mapped_column(states(InboundState), default=InboundState.RECEIVED)
    blob_key: Mapped[str] = mapped_column(sa.String(64), index=True)
    size: Mapped[int]
    envelope_from: Mapped[str | None] = mapped_column(sa.String(400))
    recipients: Mapped[list[str]] = mapped_column(default=list)
    # what the provider that took it in says of it beside: SPF, dkim, spam_score
    verdicts: Mapped[dict[str, Any] | None]
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("message.id", ondelete="SET NULL"), index=True)
    # where it lies outside, for an entrance that has to fetch: account, folder's number, mail's number, folder
    place: Mapped[str | None] = mapped_column(sa.String(300), index=True, unique=True)


class WatchedFolder(Base):
    """A folder of a mail account that is read over IMAP: how far that is, and how it goes."""

    __tablename__ = "watched_folder"
    __table_args__ = (sa.UniqueConstraint("account", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(200))
    # the server's UIDVALIDITY: with another one all numbers mean other mails, and everything is looked at again
    validity: Mapped[int] = mapped_column(BigId)
    # up to which UID everything was looked at again; None when that is over, or was never needed
    walked_to: Mapped[int | None] = mapped_column(BigId)
    looked_at: Mapped[datetime | None]
    # what keeps it from being read, in words for staff, and since when; "" while it goes well
    fault: Mapped[str] = mapped_column(sa.Text, default="")
    fault_since: Mapped[datetime | None]
    # the mails that stay there: [{"uid": 7, "why": "too-large" or "unfetchable", "size": 43000000}, …]
    left: Mapped[list[Any]] = mapped_column(default=list)


class InboundMailNotFound(NotFound):
    """There is no such mail."""


class NotQuarantined(RuleBroken):
    """This mail is not in quarantine."""


class NotFileable(RuleBroken):
    """This mail can't be filed by hand: it has no return path, or it is the house's own."""
