"""Plans, sequences of mails that admins write once; their steps; and their runs, one for each fact that began one."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.accounts.models import Editor
from concierge.conversations.models import Conversation
from concierge.customers.courtesy import Late
from concierge.db import Base, BigId, states
from concierge.errors import BadInput, NotFound, RuleBroken
from concierge.followups.conditions import Because
from concierge.followups.plans import Start
from concierge.followups.schedule import Window
from concierge.templating.models import Template


class Plan(Base):
    """A named sequence of follow-ups, and the fact that begins it."""

    __tablename__ = "plan"
    __table_args__ = (sa.CheckConstraint("name <> ''", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    start: Mapped[Start] = mapped_column(states(Start, "start"))
    # so many days of silence, or so many days before a date of hers
    days: Mapped[int] = mapped_column(default=0)
    # silence after answers that were begun from this template only
    template_id: Mapped[int | None] = mapped_column(sa.ForeignKey("template.id"))
    # which date of hers, see `customers.models.CustomerDate`
    date_kind: Mapped[str] = mapped_column(sa.String(40), default="")
    # whether what goes by itself goes only to those who agreed to such mails
    needs_consent: Mapped[bool] = mapped_column(default=False)
    # of `plans.StopsAlso`
    stops_also: Mapped[list[str]] = mapped_column(default=list)
    # switched on since; facts older than that begin nothing. None: it is off
    on_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    template: Mapped[Template | None] = relationship(lazy="joined")
    every_step: Mapped[list["PlanStep"]] = relationship(
        back_populates="plan", cascade="all, delete-orphan", lazy="selectin", order_by="PlanStep.place, PlanStep.id"
    )

    @property
    def steps(self) -> list["PlanStep"]:
        """Its steps as they stand, in order."""
        return sorted((each for each in self.every_step if each.removed_at is None), key=lambda each: each.place)

    @property
    def version(self) -> str:
        """When it was last kept: another as soon as somebody has changed it."""
        return self.changed_at.isoformat()

    @property
    def is_on(self) -> bool:
        """Whether facts begin it, and what it planned may leave."""
        return self.on_at is not None

    def switch_on(self, *, now: datetime) -> None:
        """Facts begin it from now on; raises AlreadyOn, NoSteps."""
        if self.is_on:
            raise AlreadyOn
        if not self.steps:
            raise NoSteps
        self.on_at = now

    def switch_off(self) -> None:
        """Nothing begins it, and nothing of it leaves, until it is on again; raises AlreadyOff."""
        if not self.is_on:
            raise AlreadyOff
        self.on_at = None


class PlanStep(Base):
    """One mail of a plan: its wait after the one before, its window, its wording. One taken out stays for the rows."""

    __tablename__ = "plan_step"
    __table_args__ = (
        sa.CheckConstraint("wait_days >= 0", "wait"),
        sa.CheckConstraint("from_hour >= 0 AND from_hour < until_hour AND until_hour <= 24", "window"),
        sa.Index("ix_plan_step_plan", "plan_id", "place"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plan.id", ondelete="CASCADE"))
    place: Mapped[int]
    wait_days: Mapped[int]
    # hours of her clock, and days of the week as digits, Monday 0
    from_hour: Mapped[int] = mapped_column(default=9)
    until_hour: Mapped[int] = mapped_column(default=20)
    weekdays: Mapped[str] = mapped_column(sa.String(7), default="0123456")
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("template.id"))
    needs_yes: Mapped[bool] = mapped_column(default=False)
    when_late: Mapped[Late] = mapped_column(states(Late, "when_late"), default=Late.ASKED)
    removed_at: Mapped[datetime | None]
    plan: Mapped[Plan] = relationship(back_populates="every_step", lazy="joined", innerjoin=True)
    template: Mapped[Template] = relationship(lazy="joined", innerjoin=True)

    @property
    def window(self) -> Window:
        """When it may reach her, by her clock."""
        return Window(self.from_hour, self.until_hour, frozenset(int(each) for each in self.weekdays))


class PlanRun(Base):
    """A plan on its way with one customer, because of one fact; ended without a reason, it has said all it had to."""

    __tablename__ = "plan_run"
    __table_args__ = (
        sa.CheckConstraint("because IS NULL OR ended_at IS NOT NULL", "ended"),
        # A fact begins a plan once, whoever sees it first.
        sa.UniqueConstraint("plan_id", "start", "fact_id", "fact_mark"),
        # She is in a plan once at a time.
        sa.Index(
            "uq_plan_run_living",
            "plan_id",
            "customer_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_plan_run_begun", "plan_id", "begun_at", "id"),
        sa.Index("ix_plan_run_conversation", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plan.id"))
    # the fact: of which kind (it may have been begun by hand), which row, and which time of it
    start: Mapped[Start] = mapped_column(states(Start, "start"))
    fact_id: Mapped[int] = mapped_column(BigId)
    fact_mark: Mapped[int] = mapped_column(BigId, default=0)
    fact_at: Mapped[datetime]
    # the piece it is about, "" for none
    sku: Mapped[str] = mapped_column(sa.String(60), default="")
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id", ondelete="CASCADE"))
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    # what is newer than this counts as "since", as in a follow-up
    since_message_id: Mapped[int] = mapped_column(BigId)
    begun_at: Mapped[datetime]
    begun_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    ended_at: Mapped[datetime | None]
    because: Mapped[Because | None] = mapped_column(states(Because, "because"))
    plan: Mapped[Plan] = relationship(lazy="joined", innerjoin=True)
    conversation: Mapped[Conversation] = relationship(lazy="joined", innerjoin=True)
    editor: Mapped[Editor | None] = relationship(foreign_keys=[editor_id], lazy="joined")

    @property
    def is_living(self) -> bool:
        """Whether it may still say something."""
        return self.ended_at is None

    def end(self, because: Because | None, *, now: datetime) -> None:
        """It is over: for this reason, or because it has said all."""
        self.ended_at, self.because = now, because


class PlanNotFound(NotFound):
    """There is no such plan."""


class PlanRunNotFound(NotFound):
    """There is no such run."""


class PlanNameTaken(RuleBroken):
    """Another plan has this name already."""


class PlanChangedSince(RuleBroken):
    """Somebody has changed this plan since you opened it. Below is how it stands now, and what you typed."""


class AlreadyOn(RuleBroken):
    """This plan is on already."""


class AlreadyOff(RuleBroken):
    """This plan is off already."""


class PlanIsOff(RuleBroken):
    """This plan is off; switch it on first."""


class AlreadyInPlan(RuleBroken):
    """She is in this plan already."""


class BegunBefore(RuleBroken):
    """This plan was begun here and has ended; no mail has come or gone since. Plan a follow-up of your own instead."""


class RunEnded(RuleBroken):
    """This plan has ended for her already."""


class StepRefused(BadInput):
    """Step %(number)s needs another look."""

    # which field of the step it is about
    field = "template_id"

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place

    def sentence(self) -> str:
        """The sentence a person reads, with the step's number."""
        return str(gettext((type(self).__doc__ or "").strip(), number=self.place + 1))


class NothingToFillIt(StepRefused):
    """Step %(number)s speaks of a piece, and nothing names one here. Let it wait for a yes, or choose another."""


class NeverMeets(StepRefused):
    """Step %(number)s names hours in which the house never writes. Name some of the house’s own."""

    field = "until_hour"


class EndsAtOnce(RuleBroken):
    """Nothing was begun: the plan’s first letter can’t be filled for her. It may speak of a piece that nobody named."""


class NoSteps(BadInput):
    """A plan needs a step at least."""
