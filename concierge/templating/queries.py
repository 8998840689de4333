"""Reading templates: the list, one with its history, and those that fit best for the composer's picker."""

import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from concierge.templating.check import needs_of
from concierge.templating.merge_fields import Need
from concierge.templating.models import Template, TemplateNotFound, TemplateVersion, VersionNotFound


@dataclass(frozen=True, slots=True)
class Choice:
    """A template in the composer's picker, in the language that will be used; `needs` must be chosen with it."""

    template_id: int
    version_id: int
    name: str
    when_to_use: str
    language: str
    in_her_language: bool
    uses: int
    needs: frozenset[Need]


def get_template(session: Session, template_id: int) -> Template:
    """The template with this number, its versions and who wrote them; raises TemplateNotFound."""
    if (template := session.get(Template, template_id, options=[_whole()], populate_existing=True)) is None:
        raise TemplateNotFound
    return template


def find_version(session: Session, version_id: int) -> TemplateVersion | None:
    """The frozen text with this number."""
    return session.get(TemplateVersion, version_id)


def lock_template(session: Session, template_id: int) -> Template:
    """The template as it is now, and nobody else may change it before this transaction ends.

    Of two windows that keep at once the second reads here what the first has kept. Raises TemplateNotFound. (On SQLite
    the transaction's write lock does it.)
    """
    statement = (
        sa.select(Template)
        .where(Template.id == template_id)
        .options(_whole())
        .with_for_update(of=Template)
        .execution_options(populate_existing=True)
    )
    if (template := session.scalar(statement)) is None:
        raise TemplateNotFound
    return template


def version_of(template: Template, version_id: int) -> TemplateVersion:
    """One of a template's versions; raises VersionNotFound."""
    if (version := next((each for each in template.versions if each.id == version_id), None)) is None:
        raise VersionNotFound
    return version


def list_templates(
    session: Session, *, text: str = "", language: str = "", retired: bool = False, limit: int = 300
) -> list[Template]:
    """Templates, the most used first: those in use or the retired, in a language, for which every word is somewhere."""
    statement = sa.select(Template).where(
        Template.retired_at.is_not(None) if retired else Template.retired_at.is_(None)
    )
    if language:
        statement = statement.where(Template.versions.any(TemplateVersion.language == language))
    for word in text.split()[:8]:
        in_words = sa.or_(
            TemplateVersion.subject.icontains(word, autoescape=True),
            TemplateVersion.body.icontains(word, autoescape=True),
        )
        statement = statement.where(
            sa.or_(
                Template.name.icontains(word, autoescape=True),
                Template.when_to_use.icontains(word, autoescape=True),
                Template.versions.any(in_words),
            )
        )
    statement = statement.order_by(Template.uses.desc(), sa.func.lower(Template.name), Template.id)
    return list(session.scalars(statement.limit(limit)))


def count_retired(session: Session) -> int:
    """How many templates are retired."""
    return session.scalar(sa.select(sa.func.count()).where(Template.retired_at.is_not(None))) or 0


def uses_by_language(template: Template) -> dict[str, int]:
    """How often each language of a template was used, all its versions together."""
    uses: dict[str, int] = {}
    for version in template.versions:
        uses[version.language] = uses.get(version.language, 0) + version.uses
    return uses


def pick_templates(session: Session, *, language: str, text: str = "", limit: int = 40) -> list[Choice]:
    """What the composer offers for a customer who reads `language`: her language first, then by use, then by name.

    A template without her language is offered in English, else in what it has. Every word of `text` must be in the
    name, in when to use it, or in the subject; a name that begins with the text comes first.
    """
    statement = sa.select(Template).where(Template.retired_at.is_(None))
    ranked = []
    for template in session.scalars(statement):
        version = template.version_for(language) if template.versions else None
        if version is not None and _answers(template, version, text):
            choice = _choice(template, version, language)
            begins = bool(text.strip()) and _plain(template.name).startswith(_plain(text.strip()))
            ranked.append(((not choice.in_her_language, not begins, -choice.uses, _plain(choice.name)), choice))
    return [choice for _rank, choice in sorted(ranked, key=lambda pair: pair[0])[:limit]]


def _whole() -> ORMOption:
    return selectinload(Template.versions).options(joinedload(TemplateVersion.created_by))


def _choice(template: Template, version: TemplateVersion, language: str) -> Choice:
    return Choice(
        template_id=template.id,
        version_id=version.id,
        name=template.name,
        when_to_use=template.when_to_use,
        language=version.language,
        in_her_language=version.language == language,
        uses=uses_by_language(template).get(version.language, 0),
        needs=needs_of(version.subject, version.body),
    )


def _answers(template: Template, version: TemplateVersion, text: str) -> bool:
    words = _plain(f"{template.name} {template.when_to_use} {version.subject}")
    return all(word in words for word in _plain(text).split())


def _plain(text: str) -> str:
    """The text without accents and capitals, as people type when they search."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).lower()
