"""Drafts and the files attached to them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.accounts.models import Editor
from concierge.conversations.models import Conversation
from concierge.db import Base, BigId
from concierge.drafts.gate import Objection
from concierge.errors import BadInput, Forbidden, NotFound, RuleBroken


class Draft(Base):
    """An unsent reply; one for each conversation and editor. `due_at` set means it is leaving and can't be edited."""

    __tablename__ = "draft"
    __table_args__ = (sa.UniqueConstraint("conversation_id", "editor_id"), sa.Index("ix_draft_due", "due_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id", ondelete="CASCADE"))
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    version: Mapped[int] = mapped_column(default=1)
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    # canonical HTML, see drafts.body
    body: Mapped[str] = mapped_column(sa.Text, default="")
    template_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("template_version.id"))
    # the newest message its author had seen when she pressed Send
    seen_message_id: Mapped[int | None] = mapped_column(BigId)
    # warnings she was shown and chose to override, by name
    overridden: Mapped[list[str]] = mapped_column(default=list)
    due_at: Mapped[datetime | None]
    send_later: Mapped[bool] = mapped_column(default=False)
    claimed_at: Mapped[datetime | None]
    # why it came back instead of leaving: a line for each objection, see drafts.gate
    returned_reason: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    conversation: Mapped[Conversation] = relationship(lazy="joined", innerjoin=True)
    editor: Mapped[Editor] = relationship(lazy="joined", innerjoin=True)
    attachments: Mapped[list["DraftAttachment"]] = relationship(
        back_populates="draft", cascade="all, delete-orphan", lazy="selectin", order_by="DraftAttachment.id"
    )

    @property
    def is_leaving(self) -> bool:
        """Whether Send was pressed and it has not left yet."""
        return self.due_at is not None

    @property
    def is_overtaken(self) -> bool:
        """Whether something newer arrived than its author had seen when she pressed Send."""
        return (self.conversation.last_message_id or 0) > (self.seen_message_id or 0)


class DraftAttachment(Base):
    """A file that will go with the reply."""

    __tablename__ = "draft_attachment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("draft.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(sa.String(255))
    content_type: Mapped[str] = mapped_column(sa.String(127))
    size: Mapped[int]
    blob_key: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    draft: Mapped[Draft] = relationship(back_populates="attachments")


class DraftNotFound(NotFound):
    """This draft has left or was discarded."""


class DraftLeaving(RuleBroken):
    """This answer is on its way; undo it first to change it."""


class AnswerLeaving(RuleBroken):
    """An answer is just leaving from here. Wait until it has left, or take it back; then try again."""


class TwoDrafts(RuleBroken):
    """An editor is writing an answer in both conversations. One of them has to be sent or discarded first."""


class AlreadySent(RuleBroken):
    """This answer was sent already; nothing was sent again."""


class DraftStale(RuleBroken):
    """This draft was changed in another window; here are both versions."""


class TooLateToUndo(RuleBroken):
    """This answer has left the house already."""


class NotSendable(RuleBroken):
    """This answer was not sent; look at what is said beside it. Nothing is lost."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__([each.reason.value for each in objections])
        self.objections = tuple(objections)


class MayNotAnswer(Forbidden):
    """Only an editor may write to customers."""


class AttachmentNotFound(NotFound):
    """This file is no longer attached."""


class EmptyFile(BadInput):
    """This file is empty; there is nothing in it to send."""


class FormUnread(BadInput):
    """Something in this form could not be read; please reload the page and try again."""


class NothingToUndo(RuleBroken):
    """This draft was not on its way."""


class SendInThePast(BadInput):
    """Choose a moment that is still to come."""


class TooLarge(BadInput):
    """These files are too large for a mail together."""
