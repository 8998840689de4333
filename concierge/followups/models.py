"""Follow-ups, mails planned for later that a reply cancels; and promises, what an editor said she would do."""

import hashlib
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.accounts.models import Editor
from concierge.conversations.models import Conversation
from concierge.db import Base, BigId, states
from concierge.errors import BadInput, ConciergeError, NotFound, RuleBroken
from concierge.followups.conditions import Asking, Because
from concierge.followups.plan_models import PlanRun, PlanStep
from concierge.mailing.models import Delivery


class FollowUpState(StrEnum):
    """Where a follow-up is; the last two never left, each for a reason."""

    SCHEDULED = "scheduled"
    SENT = "sent"
    CANCELLED = "cancelled"
    WITHHELD = "withheld"


# Said of `settled_at`, not of the state: SQLite would rather take the index that begins with the state, and walk
# through all that are planned.
_DUE = sa.text("settled_at IS NULL AND asked_at IS NULL")
_SCHEDULED = sa.text("state = 'scheduled'")
_OF_PLAN = sa.text("plan_run_id IS NOT NULL")
_AWAITS = sa.text("awaited_id IS NOT NULL AND settled_at IS NULL")
_UNCARRIED = sa.text("plan_run_id IS NOT NULL AND carried_at IS NULL AND state <> 'scheduled'")


class FollowUp(Base):
    """A mail planned for later in a conversation, which goes unless something has happened by then.

    When it is due is not kept but told by facts: what her clock shows (`wall`), her zone, her quiet hours. `due_at` is
    a bookmark, so that one index finds what may be due; whoever claims it believes the facts alone.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        sa.CheckConstraint("(state = 'scheduled') = (settled_at IS NULL)", "settled"),
        sa.CheckConstraint("(state IN ('cancelled', 'withheld')) = (because IS NOT NULL)", "because_given"),
        sa.CheckConstraint("(state = 'sent') = (delivery_id IS NOT NULL)", "delivery"),
        sa.CheckConstraint("(asked_at IS NULL) = (asking IS NULL)", "asking_given"),
        sa.CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", "approved"),
        sa.CheckConstraint("body <> ''", "body"),
        sa.CheckConstraint("(plan_run_id IS NULL) = (plan_step_id IS NULL)", "of_plan"),
        # A step of a run is planned once.
        sa.Index(
            "uq_follow_up_step",
            "plan_run_id",
            "plan_step_id",
            unique=True,
            sqlite_where=_OF_PLAN,
            postgresql_where=_OF_PLAN,
        ),
        # those whose run goes on from here, or ends
        sa.Index("ix_follow_up_uncarried", "id", sqlite_where=_UNCARRIED, postgresql_where=_UNCARRIED),
        sa.Index("ix_follow_up_plan_step", "plan_step_id", "state", "settled_at"),
        # The same mail for the same moment is planned once, however often the button is pressed.
        sa.Index(
            "uq_follow_up_planned",
            "conversation_id",
            "editor_id",
            "wall",
            unique=True,
            sqlite_where=_SCHEDULED,
            postgresql_where=_SCHEDULED,
        ),
        sa.Index("ix_follow_up_due", "due_at", "id", sqlite_where=_DUE, postgresql_where=_DUE),
        sa.Index("ix_follow_up_awaited", "awaited_id", sqlite_where=_AWAITS, postgresql_where=_AWAITS),
        sa.Index("ix_follow_up_conversation", "conversation_id", "id"),
        sa.Index("ix_follow_up_editor", "editor_id", "state", "due_at"),
        sa.Index("ix_follow_up_settled", "state", "settled_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id", ondelete="CASCADE"))
    # in whose name it leaves
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    state: Mapped[FollowUpState] = mapped_column(states(FollowUpState), default=FollowUpState.SCHEDULED)
    planned_at: Mapped[datetime]
    # what is newer than this counts as "since": the newest mail in the house, and when somebody last looked
    since_message_id: Mapped[int] = mapped_column(BigId)
    since_at: Mapped[datetime]
    # what her clock shows when it is due, kept as it was said; a named day is kept though it be a holiday
    wall: Mapped[datetime] = mapped_column(sa.DateTime())
    is_named: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime]
    # the line of an order for whose delivery it waits, and how many days after; until then `wall` is only an hour
    awaited_id: Mapped[int | None] = mapped_column(BigId)
    awaited_days: Mapped[int | None]
    # her zone and country as `due_at` was reckoned from them
    reckoned_from: Mapped[str] = mapped_column(sa.String(80), default="")
    # its own, where an editor gave it one; else it answers in the conversation's
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    # canonical HTML, see drafts.body
    body: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.String(8))
    template_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("template_version.id"))
    # whether it waits for a yes when it is due, or goes by itself
    needs_yes: Mapped[bool] = mapped_column(default=False)
    asked_at: Mapped[datetime | None]
    asking: Mapped[Asking | None] = mapped_column(states(Asking, "asking"))
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    # an editor wants it to leave now, whatever the hour
    at_once: Mapped[bool] = mapped_column(default=False)
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    because: Mapped[Because | None] = mapped_column(states(Because, "because"))
    delivery_id: Mapped[int | None] = mapped_column(sa.ForeignKey("delivery.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("message.id"))
    # of which plan it is a step; `carried_at`: when that went on from here
    plan_run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_run.id", ondelete="CASCADE"))
    plan_step_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_step.id"))
    carried_at: Mapped[datetime | None]

    conversation: Mapped[Conversation] = relationship(lazy="joined", innerjoin=True)
    plan_run: Mapped[PlanRun | None] = relationship(lazy="select")
    plan_step: Mapped[PlanStep | None] = relationship(lazy="select")
    editor: Mapped[Editor] = relationship(foreign_keys=[editor_id], lazy="joined", innerjoin=True)
    settled_by: Mapped[Editor | None] = relationship(foreign_keys=[settled_by_id], lazy="raise")
    delivery: Mapped[Delivery | None] = relationship(lazy="joined")

    @property
    def is_scheduled(self) -> bool:
        """Whether it may still leave."""
        return self.state is FollowUpState.SCHEDULED

    @property
    def awaits_delivery(self) -> bool:
        """Whether nobody knows yet when it is due, for her order is still on its way."""
        return self.is_scheduled and self.awaited_id is not None and self.approved_at is None

    @property
    def version(self) -> str:
        """What it says and when, in short: it is another as soon as somebody has changed either."""
        when = (self.wall.isoformat(), self.is_named, self.awaited_id, self.awaited_days, self.needs_yes)
        said = (*when, self.subject, self.body)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

    def require_version(self, seen: str | None) -> None:
        """Raise ChangedSince unless it is as it was `seen`; None: nobody looked at a page."""
        if seen is not None and seen != self.version:
            raise ChangedSince

    def require_scheduled(self) -> None:
        """Raise AlreadySettled once it has left, was cancelled or withheld."""
        if not self.is_scheduled:
            raise AlreadySettled

    def settle(self, because: Because, *, by: Editor | None, now: datetime) -> None:
        """It does not leave, for this reason; raises AlreadySettled."""
        self.require_scheduled()
        self.state = FollowUpState.CANCELLED if because is Because.BY_EDITOR else FollowUpState.WITHHELD
        self.because, self.settled_at, self.settled_by_id = because, now, by.id if by else None
        self.asked_at = self.asking = None

    def ask(self, why: Asking, *, now: datetime) -> None:
        """It waits for an editor's yes."""
        self.asked_at, self.asking, self.claimed_at = now, why, None

    def approve(self, *, by: Editor, now: datetime) -> None:
        """An editor says yes: it goes as soon as her hours and the budget let it. Raises AlreadySettled."""
        self.require_scheduled()
        self.approved_at, self.approved_by_id = now, by.id
        self.asked_at = self.asking = None

    def wait(self, until: datetime) -> None:
        """It is looked at again then."""
        self.due_at, self.claimed_at = until, None


class PromiseState(StrEnum):
    """Where a promise is; a dismissed one never was one."""

    OPEN = "open"
    KEPT = "kept"
    RELEASED = "released"
    DISMISSED = "dismissed"


class Promise(Base):
    """What an editor said in a sent mail that she would do, and by which day of her own calendar."""

    __tablename__ = "promise"
    __table_args__ = (
        sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", "settled"),
        # A sentence is marked, or dismissed, once.
        sa.UniqueConstraint("message_id", "place"),
        sa.Index("ix_promise_editor", "editor_id", "state", "due_on"),
        sa.Index("ix_promise_conversation", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("message.id", ondelete="CASCADE"))
    # which of the mail's promises it is, from 0
    place: Mapped[int]
    # who promised
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    words: Mapped[str] = mapped_column(sa.String(400))
    due_on: Mapped[date] = mapped_column(sa.Date)
    state: Mapped[PromiseState] = mapped_column(states(PromiseState))
    marked_at: Mapped[datetime]
    marked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    # kept after its day, by the clock of who promised
    kept_late: Mapped[bool] = mapped_column(default=False)
    conversation: Mapped[Conversation] = relationship(lazy="joined", innerjoin=True)
    editor: Mapped[Editor] = relationship(foreign_keys=[editor_id], lazy="joined", innerjoin=True)

    def settle(self, state: PromiseState, *, by: Editor, now: datetime) -> None:
        """It is kept, or she was released from it; raises PromiseSettled."""
        if self.state is not PromiseState.OPEN:
            raise PromiseSettled
        self.state, self.settled_at, self.settled_by_id = state, now, by.id


class PromiseNotFound(NotFound):
    """There is no such promise."""


class PromiseSettled(RuleBroken):
    """This promise is settled already."""


class PromiseMarked(RuleBroken):
    """This sentence was marked, or dismissed, a moment before you."""


class FollowUpNotFound(NotFound):
    """There is no such follow-up."""


class AlreadySettled(RuleBroken):
    """This follow-up has left already, or was taken back."""


class ChangedSince(RuleBroken):
    """Somebody has changed this follow-up since you opened it. Below is what it says now; nothing was done yet."""


class AboutItsMoment(ConciergeError):
    """It can't be planned for this moment."""


class AboutItsWords(ConciergeError):
    """It can't be planned as it is written."""


class HappenedSince(RuleBroken, AboutItsWords):
    """Something has happened since you opened this page. Below is how it stands now; nothing was done yet."""


class AlreadyPlanned(RuleBroken, AboutItsWords):
    """This very follow-up is planned already."""


class MomentTaken(RuleBroken, AboutItsMoment):
    """You have another follow-up for this very moment here. Say another moment, or change that one."""


class FilesStay(RuleBroken, AboutItsWords):
    """A follow-up takes no files along. Take them out of the answer, or choose “Send later”, which takes them along."""


class Overtaken(RuleBroken, AboutItsWords):
    """Something newer has arrived in this conversation. Read it first; what you wrote is kept."""


class NothingSaid(BadInput, AboutItsWords):
    """There is nothing in this mail yet."""


class HoleInWords(BadInput, AboutItsWords):
    """There is still a hole in the text; fill it, or it could not leave."""


class UnreadMoment(BadInput, AboutItsMoment):
    """We could not read when. Try “in 3 days”, “Friday 10:00” or “12 May 9:30”."""


class NothingOnItsWay(BadInput, AboutItsMoment):
    """No order of hers is on its way, nor came lately. Name a day, or “in 2 weeks”."""


class MomentPassed(BadInput, AboutItsMoment):
    """Choose a moment that is still to come, within two years."""
