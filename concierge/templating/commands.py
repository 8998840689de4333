"""Writing templates: every saving makes versions that never change; faults are refused here, whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.templating import queries
from concierge.templating.check import Fault, check
from concierge.templating.models import (
    AlreadyRetired,
    NameTaken,
    NotRetired,
    Template,
    TemplateFaulty,
    TemplateStale,
    TemplateVersion,
)
from concierge.templating.syntax import normalise
from concierge.templating.two_windows import Settled, Words, settle


@dataclass(frozen=True, slots=True)
class Wording:
    """A template's words in one language, as an editor writes them."""

    subject: str
    body: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written in this language."""
        return not self.subject.strip() and not self.body.strip()

    def tidied(self) -> "Wording":
        """The words as they are kept: plain newlines, no space around."""
        return Wording(normalise(self.subject).strip(), normalise(self.body).strip())

    def faults(self) -> tuple[list[Fault], list[Fault]]:
        """What is wrong with the subject, and what with the body."""
        words = self.tidied()
        return check(words.subject, single_line=True), check(words.body)


@dataclass(frozen=True, slots=True)
class Began:
    """What a window began from: the name, the occasion, and each language's version (0 where there was none)."""

    name: str
    when_to_use: str
    numbers: Mapping[str, int]


def add_template(
    session: Session, *, name: str, when_to_use: str, wording: Mapping[str, Wording], by: Editor | None, now: datetime
) -> Template:
    """Add a template; `wording` is by language, and languages nothing was written in are left out.

    Raises NameTaken, and TemplateFaulty when any of it could leave a hole or there is nothing at all.
    """
    written = _lawful(wording)
    if not written:
        raise TemplateFaulty
    template = Template(name=_free_name(session, name), when_to_use=when_to_use.strip(), created_at=now, uses=0)
    session.add(template)
    session.flush()
    _add_versions(template, written, by=by, now=now)
    audit.record(session, "template.added", template, by=by, now=now, name=template.name)
    return template


def change_template(
    session: Session,
    template: Template,
    *,
    name: str,
    when_to_use: str,
    wording: Mapping[str, Wording],
    began: Began,
    by: Editor | None,
    now: datetime,
) -> list[TemplateVersion]:
    """Change a template: a language whose words changed gets a new version, and those before stay as they are.

    A language left empty keeps its words, and what only another window changed since this one `began` stays as it was
    kept there. Returns the new versions; raises what `add_template` raises, and TemplateStale, having changed nothing,
    when both windows changed the same part.
    """
    written = _lawful(wording)
    queries.lock_template(session, template.id)
    settled = _settled(template, began, {_NAME: (_one_line(name),), _WHEN: (when_to_use.strip(),), **written})
    if settled.clashes:
        raise TemplateStale(settled)
    template.name = _free_name(session, settled.words[_NAME][0], other_than=template)
    template.when_to_use = settled.words[_WHEN][0]
    changed = {
        language: (subject, body)
        for language, (subject, body) in ((each, settled.words[each]) for each in written)
        if (current := template.current(language)) is None or (current.subject, current.body) != (subject, body)
    }
    versions = _add_versions(template, changed, by=by, now=now)
    session.flush()
    audit.record(session, "template.changed", template, by=by, now=now, languages=sorted(changed))
    return versions


def retire_template(session: Session, template: Template, *, by: Editor, now: datetime) -> None:
    """Take a template out of the picker; drafts and mails made from it still name its versions."""
    if template.retired_at is not None:
        raise AlreadyRetired
    template.retired_at = now
    audit.record(session, "template.retired", template, by=by, now=now)


def reinstate_template(session: Session, template: Template, *, by: Editor, now: datetime) -> None:
    """Put a retired template back into the picker."""
    if template.retired_at is None:
        raise NotRetired
    template.retired_at = None
    audit.record(session, "template.reinstated", template, by=by, now=now)


def use_template(session: Session, version: TemplateVersion, *, now: datetime) -> None:
    """Count that a draft was begun from this version; two at once are both counted."""
    session.execute(
        sa.update(TemplateVersion)
        .where(TemplateVersion.id == version.id)
        .values(uses=TemplateVersion.uses + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.update(Template)
        .where(Template.id == version.template_id)
        .values(uses=Template.uses + 1, last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    session.expire(version, ["uses"])
    session.expire(version.template, ["uses", "last_used_at"])


_NAME, _WHEN = "name", "when_to_use"


def _settled(template: Template, began: Began, mine: Mapping[str, Words]) -> Settled:
    kept = {each.language: (each.subject, each.body) for each in template.versions}  # the newest comes last
    known = {language: template.version(language, number) for language, number in began.numbers.items()}
    was: dict[str, Words] = {language: (each.subject, each.body) for language, each in known.items() if each}
    return settle(
        {_NAME: (began.name,), _WHEN: (began.when_to_use,), **was},
        mine,
        {_NAME: (template.name,), _WHEN: (template.when_to_use,), **kept},
    )


def _lawful(wording: Mapping[str, Wording]) -> dict[str, tuple[str, str]]:
    written = {language: words.tidied() for language, words in wording.items() if not words.is_empty}
    if any(subject or body for subject, body in (words.faults() for words in written.values())):
        raise TemplateFaulty
    return {language: (words.subject, words.body) for language, words in written.items()}


def _add_versions(
    template: Template, written: Mapping[str, tuple[str, str]], *, by: Editor | None, now: datetime
) -> list[TemplateVersion]:
    versions = []
    for language, (subject, body) in written.items():
        current = template.current(language)
        version = TemplateVersion(
            language=language,
            number=current.number + 1 if current else 1,
            subject=subject,
            body=body,
            uses=0,
            created_at=now,
            created_by_id=by.id if by else None,
        )
        template.versions.append(version)
        versions.append(version)
    return versions


def _free_name(session: Session, name: str, *, other_than: Template | None = None) -> str:
    name = _one_line(name)
    statement = sa.select(Template.id).where(sa.func.lower(Template.name) == name.lower())
    if other_than is not None:
        statement = statement.where(Template.id != other_than.id)
    with session.no_autoflush:
        if session.scalar(statement) is not None:
            raise NameTaken
    return name


def _one_line(name: str) -> str:
    return " ".join(name.split())
