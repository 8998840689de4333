"""Conversations with their messages, attachments, notes and tags."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

import concierge.templating.models  # noqa: F401 - a message points to its wording; the table must be known
from concierge.accounts.models import Editor, Mailbox
from concierge.customers.models import Customer
from concierge.db import Base, BigId, states
from concierge.errors import BadInput, NotFound, RuleBroken
from concierge.mailing.models import Delivery


class ConversationState(StrEnum):
    """Where a conversation is."""

    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Direction(StrEnum):
    """Which way a message went."""

    IN = "in"
    OUT = "out"


class MessageKind(StrEnum):
    """Who really wrote it: a person, a machine, or a mail system that could not deliver."""

    HUMAN = "human"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"


conversation_tag = sa.Table(
    "conversation_tag",
    Base.metadata,
    sa.Column("conversation_id", sa.ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Conversation(Base):
    """Mails with one customer about one matter."""

    __tablename__ = "conversation"
    __table_args__ = (
        sa.Index("ix_conversation_waiting", "state", "waiting_since", "id"),
        sa.Index("ix_conversation_newest", "state", "last_message_at", "id"),
        sa.Index("ix_conversation_editor_waiting", "editor_id", "state", "waiting_since", "id"),
        sa.Index("ix_conversation_editor_newest", "editor_id", "state", "last_message_at", "id"),
        sa.Index("ix_conversation_customer", "customer_id", "last_message_at"),
        sa.Index(
            "ix_conversation_closed",
            "closed_at",
            sqlite_where=sa.text("closed_by_id IS NOT NULL"),
            postgresql_where=sa.text("closed_by_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_conversation_merged",
            "merged_into_id",
            sqlite_where=sa.text("merged_into_id IS NOT NULL"),
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_conversation_not_for_us",
            "last_message_at",
            "id",
            sqlite_where=sa.text("not_for_us_at IS NOT NULL"),
            postgresql_where=sa.text("not_for_us_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(sa.ForeignKey("mailbox.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    state: Mapped[ConversationState] = mapped_column(states(ConversationState), default=ConversationState.OPEN)
    snoozed_until: Mapped[datetime | None] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    # Mail that is none of our business (offers, spam): closed, and left out of every figure.
    not_for_us_at: Mapped[datetime | None]
    # The oldest mail of hers that no person has answered; a far future when nobody waits would upset the sort, so NULL.
    waiting_since: Mapped[datetime | None]
    first_line: Mapped[str] = mapped_column(sa.String(240), default="")
    last_message_at: Mapped[datetime]
    last_message_id: Mapped[int | None] = mapped_column(BigId)
    # A delivery of ours failed and an editor has to look.
    failed_at: Mapped[datetime | None]
    # "may belong to": a conversation it was not joined to for lack of proof
    hint_conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    # All it held is in that one now; whoever asks for this one is led there.
    merged_into_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]

    mailbox: Mapped[Mailbox] = relationship(lazy="joined", innerjoin=True)
    customer: Mapped[Customer] = relationship(lazy="joined", innerjoin=True)
    editor: Mapped[Editor | None] = relationship(foreign_keys=[editor_id], lazy="joined")
    closed_by: Mapped[Editor | None] = relationship(foreign_keys=[closed_by_id], lazy="raise")
    messages: Mapped[list["Message"]] = relationship(
        back_populates="conversation", lazy="raise", order_by="Message.id", foreign_keys="Message.conversation_id"
    )
    notes: Mapped[list["Note"]] = relationship(back_populates="conversation", lazy="raise", order_by="Note.id")
    tags: Mapped[list["Tag"]] = relationship(secondary=conversation_tag, lazy="selectin", order_by="Tag.name")

    def assign(self, editor: Editor) -> None:
        """Make it `editor`'s; raises CannotAnswer, AlreadyAssigned."""
        if not editor.may_answer:
            raise CannotAnswer
        if self.editor is editor:
            raise AlreadyAssigned
        self.editor = editor

    def unassign(self) -> None:
        """Make it nobody's; raises NotAssigned."""
        if self.editor is None:
            raise NotAssigned
        self.editor = None

    def close(self, *, by: Editor, now: datetime) -> None:
        """Nothing is left to do; raises AlreadyClosed. A snooze ends with it."""
        if self.state is ConversationState.CLOSED:
            raise AlreadyClosed
        self.state, self.closed_at, self.closed_by = ConversationState.CLOSED, now, by
        self.snoozed_until = self.waiting_since = self.failed_at = None

    def reopen(self, *, waiting_since: datetime | None) -> None:
        """There is something to do after all; `waiting_since`: her oldest unanswered mail. Raises AlreadyOpen."""
        if self.state is not ConversationState.CLOSED:
            raise AlreadyOpen
        self._open()
        self.waiting_since = waiting_since

    def snooze(self, *, until: datetime, now: datetime) -> None:
        """Out of sight until then, or until she writes; raises AlreadyClosed, SnoozeInThePast. Again is a new date."""
        if self.state is ConversationState.CLOSED:
            raise AlreadyClosed
        if until <= now:
            raise SnoozeInThePast
        self.state, self.snoozed_until = ConversationState.SNOOZED, until

    def wake(self) -> None:
        """Back in sight; raises NotSnoozed."""
        if self.state is not ConversationState.SNOOZED:
            raise NotSnoozed
        self._open()

    def mark_not_for_us(self, *, by: Editor, now: datetime) -> None:
        """Spam, offers, misdirected mail: closed and left out of every figure; raises AlreadyNotForUs."""
        if self.not_for_us_at is not None:
            raise AlreadyNotForUs
        if self.state is not ConversationState.CLOSED:
            self.close(by=by, now=now)
        self.not_for_us_at = now

    def unmark_not_for_us(self, *, waiting_since: datetime | None) -> None:
        """It is for us after all, and open again; raises NotMarked."""
        if self.not_for_us_at is None:
            raise NotMarked
        self.reopen(waiting_since=waiting_since)

    def receive(self, *, at: datetime, is_answered: bool) -> None:
        """She wrote: open again whatever it was, and waiting since the oldest unanswered mail.

        `is_answered`: an answer newer than this mail exists already (mail imported late); then nobody waits for it.
        """
        self._open()
        if not is_answered:
            self.waiting_since = min(at, self.waiting_since or at)

    def answer(self, *, by: Editor) -> None:
        """An editor wrote: nobody waits any more; the conversation is hers if it was nobody's."""
        self.waiting_since = self.failed_at = None
        if self.editor is None:
            self.editor = by

    def return_failed(self, *, now: datetime, waiting_since: datetime | None) -> None:
        """An answer did not arrive: it is work again."""
        self._open()
        self.failed_at = now
        self.waiting_since = self.waiting_since or waiting_since

    def _open(self) -> None:
        self.state = ConversationState.OPEN
        self.snoozed_until = self.closed_at = self.closed_by = self.not_for_us_at = None


class Message(Base):
    """A mail in or out, as it was filed or sent; its text never changes."""

    __tablename__ = "message"
    __table_args__ = (
        sa.Index("ix_message_rfc_id", "rfc_message_id"),
        # With the number, so that a search that begins at the conversations needn't look into their mails.
        sa.Index("ix_message_conversation", "conversation_id", "id"),
        sa.UniqueConstraint("mailbox_id", "fingerprint"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id", ondelete="CASCADE"))
    mailbox_id: Mapped[int] = mapped_column(sa.ForeignKey("mailbox.id"))
    direction: Mapped[Direction] = mapped_column(states(Direction, "direction"))
    kind: Mapped[MessageKind] = mapped_column(states(MessageKind, "kind"), default=MessageKind.HUMAN)
    kind_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    from_name: Mapped[str] = mapped_column(sa.String(400), default="")
    from_address: Mapped[str] = mapped_column(sa.String(320), default="")
    # [{"name": …, "address": …}] of To, Cc and Reply-To as the mail said
    to: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)
    cc: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)
    reply_to: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    text: Mapped[str] = mapped_column(sa.Text, default="")
    # where in `text` the quoted history or the signature begins; NULL when nothing is folded
    fold_at: Mapped[int | None]
    html: Mapped[str | None] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.String(8), default="")
    flags: Mapped[list[str]] = mapped_column(default=list)
    # whether mail systems we trust found that it is from where it says; NULL where they say nothing
    authentic: Mapped[bool | None]
    rfc_message_id: Mapped[str | None] = mapped_column(sa.String(998))
    in_reply_to: Mapped[list[str]] = mapped_column(default=list)
    references: Mapped[list[str]] = mapped_column(default=list)
    # hash of identity and content: the same mail delivered twice is one message (NULL for our own)
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64))
    raw_key: Mapped[str | None] = mapped_column(sa.String(64))
    delivery_id: Mapped[int | None] = mapped_column(sa.ForeignKey("delivery.id"), index=True)
    # the wording a draft began with, if any
    template_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("template_version.id"))
    written_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    conversation: Mapped[Conversation] = relationship(back_populates="messages", foreign_keys=[conversation_id])
    editor: Mapped[Editor | None] = relationship(lazy="joined")
    delivery: Mapped[Delivery | None] = relationship(lazy="joined")
    attachments: Mapped[list["Attachment"]] = relationship(
        back_populates="message", cascade="all, delete-orphan", lazy="selectin", order_by="Attachment.id"
    )


class Attachment(Base):
    """A file or an inline picture of a message; its bytes are a blob."""

    __tablename__ = "attachment"
    __table_args__ = (
        sa.Index(
            "ix_attachment_files",
            "message_id",
            sqlite_where=sa.text("NOT inline"),
            postgresql_where=sa.text("NOT inline"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("message.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(sa.String(255))
    content_type: Mapped[str] = mapped_column(sa.String(127))
    size: Mapped[int]
    blob_key: Mapped[str] = mapped_column(sa.String(64))
    cid: Mapped[str | None] = mapped_column(sa.String(400))
    inline: Mapped[bool] = mapped_column(default=False)
    message: Mapped[Message] = relationship(back_populates="attachments")


class Note(Base):
    """An internal remark, never sent."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    text: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
    conversation: Mapped[Conversation] = relationship(back_populates="notes")
    editor: Mapped[Editor] = relationship(lazy="joined")
    mentions: Mapped[list["Mention"]] = relationship(
        back_populates="note", cascade="all, delete-orphan", lazy="selectin"
    )


class Mention(Base):
    """An editor named in a note; `seen_at` when she opened the conversation."""

    __tablename__ = "mention"
    __table_args__ = (
        sa.UniqueConstraint("note_id", "editor_id"),
        sa.Index("ix_mention_unseen", "editor_id", "seen_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    note_id: Mapped[int] = mapped_column(sa.ForeignKey("note.id", ondelete="CASCADE"))
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    seen_at: Mapped[datetime | None]
    note: Mapped[Note] = relationship(back_populates="mentions")


class Tag(Base):
    """A word that gathers conversations, e.g. "wedding"."""

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)


class ConversationNotFound(NotFound):
    """There is no such conversation."""


class SenderNotConfirmed(RuleBroken):
    """Nobody confirmed that this mail comes from its sender, so its pictures are asked for each time."""


class MessageNotFound(NotFound):
    """There is no such message."""


class AlreadyClosed(RuleBroken):
    """This conversation is already closed."""


class AlreadyOpen(RuleBroken):
    """This conversation is already open."""


class NotSnoozed(RuleBroken):
    """This conversation is not snoozed."""


class SnoozeInThePast(BadInput):
    """Choose a moment that is still to come."""


class AlreadyAssigned(RuleBroken):
    """This conversation is hers already."""


class NotAssigned(RuleBroken):
    """This conversation belongs to nobody yet."""


class CannotAnswer(RuleBroken):
    """She does not answer customers; choose an editor who does."""


class AlreadyNotForUs(RuleBroken):
    """This conversation is marked as not for us already."""


class NotMarked(RuleBroken):
    """This conversation is not marked as not for us."""


class EmptyTag(BadInput):
    """A tag needs a word, of at most 40 letters."""


class AlreadyTagged(RuleBroken):
    """This conversation has that tag already."""


class NotTagged(RuleBroken):
    """This conversation does not have that tag."""


class AttachmentNotFound(NotFound):
    """There is no such file."""


class EmptyNote(BadInput):
    """A note needs a word or two."""


class NoOtherAddress(RuleBroken):
    """The newest mail here asks for answers at no other address."""
