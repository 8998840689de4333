"""Templates, and the frozen versions of their wording in each language."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from concierge.accounts.models import Editor
from concierge.db import Base, BigId
from concierge.errors import BadInput, NotFound, RuleBroken
from concierge.templating.two_windows import Settled


class Template(Base):
    """Reusable wording by editors; its text lives in versions."""

    __tablename__ = "template"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120), unique=True)
    when_to_use: Mapped[str] = mapped_column(sa.String(400), default="")
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    uses: Mapped[int] = mapped_column(default=0)
    last_used_at: Mapped[datetime | None]
    versions: Mapped[list["TemplateVersion"]] = relationship(
        back_populates="template", cascade="all, delete-orphan", lazy="selectin", order_by="TemplateVersion.id"
    )

    def current(self, language: str) -> "TemplateVersion | None":
        """The newest version in `language`, if there is one."""
        return next((each for each in reversed(self.versions) if each.language == language), None)

    def version_for(self, language: str) -> "TemplateVersion":
        """What a reader of `language` is sent: the newest version in it, else in English, else in what there is."""
        return self.current(language) or self.current("en") or self.versions[0]

    def version(self, language: str, number: int) -> "TemplateVersion | None":
        """The version with this number in `language`, if there is one."""
        return next((each for each in self.versions if (each.language, each.number) == (language, number)), None)

    @property
    def languages(self) -> list[str]:
        """The languages it speaks."""
        return sorted({each.language for each in self.versions})


class TemplateVersion(Base):
    """A template's frozen text in one language; saving again makes the next number."""

    __tablename__ = "template_version"
    __table_args__ = (sa.UniqueConstraint("template_id", "language", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("template.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(sa.String(8))
    number: Mapped[int]
    subject: Mapped[str] = mapped_column(sa.String(400))
    body: Mapped[str] = mapped_column(sa.Text)
    uses: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    template: Mapped[Template] = relationship(back_populates="versions")
    created_by: Mapped[Editor | None] = relationship(lazy="raise")


class TemplateNotFound(NotFound):
    """There is no such template."""


class VersionNotFound(NotFound):
    """This template has no such version."""


class TemplateStale(RuleBroken):
    """This template was kept with other words while you wrote. Nothing is lost: both stand beside each other below."""

    def __init__(self, settled: Settled) -> None:
        super().__init__(settled)
        self.settled = settled


class NameTaken(RuleBroken):
    """Another template has this name already."""


class TemplateFaulty(BadInput):
    """This template could leave a hole; see the notes beside each field."""


class AlreadyRetired(RuleBroken):
    """This template is retired already."""


class NotRetired(RuleBroken):
    """This template is in use already."""
