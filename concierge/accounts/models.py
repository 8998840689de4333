"""Editors, their sign-offs and working hours, sign-in attempts, and the house's mailboxes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_security import UserMixin
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.addresses import Address
from concierge.db import Base, BigId, states
from concierge.errors import BadInput, NotFound, RuleBroken
from concierge.iana import zone_names


class Role(StrEnum):
    """What an editor may do; each has a name so that Flask-Security can compare it."""

    EDITOR = "editor"
    MERCHANDISER = "merchandiser"
    ADMIN = "admin"

    def get_permissions(self) -> set[str]:
        """Flask-Security asks; roles are all we use."""
        return set()


class Editor(Base, UserMixin):
    """Staff who answer, always under their own name and face."""

    __tablename__ = "editor"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(320), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    title: Mapped[str] = mapped_column(sa.String(120), default="")
    role: Mapped[Role] = mapped_column(states(Role, "role"))
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    timezone: Mapped[str] = mapped_column(sa.String(64), default="Europe/Rome")
    # weekday 0–6 → [["09:00", "13:00"], …]
    working_hours: Mapped[dict[str, Any]] = mapped_column(default=dict)
    photo_key: Mapped[str | None] = mapped_column(sa.String(64))
    password: Mapped[str | None] = mapped_column(sa.String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    sign_offs: Mapped[list["SignOff"]] = relationship(
        back_populates="editor", cascade="all, delete-orphan", lazy="selectin", order_by="SignOff.language"
    )

    @property
    def roles(self) -> list[Role]:  # type: ignore[override]
        """Flask-Security expects a list; an editor has one role, and an admin may do what an editor may."""
        return [Role.ADMIN, Role.EDITOR] if self.role is Role.ADMIN else [self.role]

    @property
    def first_name(self) -> str:
        """The name a colleague would call out."""
        return self.name.split()[0] if self.name.split() else self.name

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock and calendar are hers."""
        return ZoneInfo(self.timezone if self.timezone in zone_names() else "UTC")

    @property
    def photo_url(self) -> str | None:
        """Where her face is served; changes with the photo, so that it can be cached."""
        return photo_url(self.id, self.photo_key)

    @property
    def may_answer(self) -> bool:
        """Whether this editor may write to customers."""
        return may_answer(self.role, active=self.active)

    def sign_off(self, language: str) -> str:
        """How she closes a mail in `language`, else in English, else her first name alone."""
        by_language = {each.language: each.text for each in self.sign_offs}
        return by_language.get(language) or by_language.get("en") or self.first_name


def may_answer(role: Role, *, active: bool) -> bool:
    """Whether an editor in this role may write to customers."""
    return active and role in {Role.EDITOR, Role.ADMIN}


def photo_url(editor_id: int, photo_key: str | None) -> str | None:
    """The address of an editor's face, for lists that load no more of her than this."""
    return f"/editors/{editor_id}/photo?v={photo_key[:12]}" if photo_key else None


class SignOff(Base):
    """How an editor closes a mail in one language, e.g. "Warmly, Nadia"."""

    __tablename__ = "sign_off"
    __table_args__ = (sa.UniqueConstraint("editor_id", "language"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(sa.String(8))
    text: Mapped[str] = mapped_column(sa.String(400))
    editor: Mapped[Editor] = relationship(back_populates="sign_offs")


class Absence(Base):
    """Days of her own calendar on which an editor is away, and who writes for her; why is nobody's business."""

    __tablename__ = "absence"
    __table_args__ = (
        sa.CheckConstraint("first_day <= last_day", name="days_in_order"),
        sa.Index("ix_absence_last_day", "last_day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    editor_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id", ondelete="CASCADE"))
    first_day: Mapped[date] = mapped_column(sa.Date)
    last_day: Mapped[date] = mapped_column(sa.Date)
    stand_in_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    created_at: Mapped[datetime]


class SignInAttempt(Base):
    """One failed try to sign in; who tried is kept as a keyed hash, for an hour."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (sa.Index("ix_sign_in_attempt_who_at", "who", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    who: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime]


class Mailbox(Base):
    """An address of the house that customers write to, with its brand and default language."""

    __tablename__ = "mailbox"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    address: Mapped[str] = mapped_column(sa.String(320), unique=True)
    brand: Mapped[str] = mapped_column(sa.String(120))
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    @property
    def domain(self) -> str:
        """The part behind the @."""
        return Address("", self.address).domain


class EditorNotFound(NotFound):
    """There is no editor by that name."""


class MailboxNotFound(NotFound):
    """There is no mailbox with that address."""


class AbsenceNotFound(NotFound):
    """This absence is not there any more."""


class DaysBackwards(BadInput):
    """The last day comes before the first."""


class DaysOver(BadInput):
    """These days are over."""


class DaysTooMany(BadInput):
    """That is more than a year; look at the years again."""


class DaysTaken(BadInput):
    """Some of these days are in another absence already; take that one back first."""


class NoStandIn(BadInput):
    """Who writes meanwhile has to be a colleague who may answer customers."""


class AddressTaken(RuleBroken):
    """Somebody else has this address already."""


class LastAdmin(RuleBroken):
    """This is the last admin; the house needs one."""
