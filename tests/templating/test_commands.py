"""Keeping templates: versions that never change, faults that are never kept, uses that are counted."""

import pytest
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.templating import commands, queries
from concierge.templating.commands import Wording
from concierge.templating.models import (
    AlreadyRetired,
    NameTaken,
    NotRetired,
    Template,
    TemplateFaulty,
    TemplateNotFound,
    TemplateVersion,
)
from tests.factories import HOUR, NOW, make_editor

ENGLISH = Wording(
    "Your {{ product.name }}", 'Dear {{ customer.first_name | fallback("friend") }},\n\n{{ product.card }}'
)
ITALIAN = Wording("{{ product.name }}", "Buongiorno,\n\n{{ product.card }}")


@pytest.fixture
def nadia(session: Session) -> Editor:
    return make_editor(session)


def add(session: Session, by: Editor, name: str = "Sold out", **wording: Wording) -> Template:
    template = commands.add_template(
        session, name=name, when_to_use="", wording=wording or {"en": ENGLISH, "it": ITALIAN}, by=by, now=NOW
    )
    session.commit()
    return template


def change(session: Session, template: Template, by: Editor, **wording: Wording) -> list[str]:
    versions = commands.change_template(
        session, template, name=template.name, when_to_use="Often", wording=wording, by=by, now=NOW + HOUR
    )
    session.commit()
    return [f"{version.language} {version.number}" for version in versions]


def test_a_template_begins_with_a_first_version_in_each_language(session: Session, nadia: Editor) -> None:
    template = add(session, nadia, en=ENGLISH, it=Wording(" ", "\n"))
    assert [(each.language, each.number, each.subject) for each in template.versions] == [
        ("en", 1, "Your {{ product.name }}")
    ]
    assert [entry.verb for entry in audit.list_for(session, template)] == ["template.added"]


def test_only_what_changed_becomes_a_new_version_and_the_old_one_stays(session: Session, nadia: Editor) -> None:
    template = add(session, nadia)
    first = template.current("en")
    assert change(session, template, nadia, en=Wording("New", "Words"), it=ITALIAN) == ["en 2"]
    session.expire_all()
    assert first is not None
    assert (first.subject, first.number) == ("Your {{ product.name }}", 1)
    current = queries.get_template(session, template.id).current("en")
    assert current is not None
    assert (current.subject, current.body, current.created_by_id) == ("New", "Words", nadia.id)


def test_saving_the_same_words_again_makes_no_version(session: Session, nadia: Editor) -> None:
    template = add(session, nadia)
    windows = Wording(ENGLISH.subject + "  ", ENGLISH.body.replace("\n", "\r\n") + "\r\n")
    assert change(session, template, nadia, en=windows, it=Wording("", "")) == []
    assert template.when_to_use == "Often"


@pytest.mark.parametrize(
    "wording",
    [
        {},
        {"en": Wording("", "")},
        {"en": Wording("", "A body without a subject")},
        {"en": Wording("A subject without a body", "")},
        {"en": Wording("Fine", "Dear {{ customer.first_name }},")},
        {"en": ENGLISH, "it": Wording("{{ product.card }}", "Fine")},
        {"en": Wording("Fine", "{{ ''.__class__ }}")},
    ],
)
def test_what_could_leave_a_hole_is_not_kept_whoever_asks(
    session: Session, nadia: Editor, wording: dict[str, Wording]
) -> None:
    with pytest.raises(TemplateFaulty):
        commands.add_template(session, name="x", when_to_use="", wording=wording, by=nadia, now=NOW)
    session.rollback()
    assert queries.list_templates(session) == []


def test_a_name_belongs_to_one_template(session: Session, nadia: Editor) -> None:
    add(session, nadia)
    other = add(session, nadia, "Where is my order")
    with pytest.raises(NameTaken):
        add(session, nadia, "  SOLD   out ")
    with pytest.raises(NameTaken):
        commands.change_template(session, other, name="sold out", when_to_use="", wording={}, by=nadia, now=NOW)
    commands.change_template(session, other, name="Where is my ORDER", when_to_use="", wording={}, by=nadia, now=NOW)
    assert other.name == "Where is my ORDER"


def test_a_template_is_retired_and_reinstated_once(session: Session, nadia: Editor) -> None:
    template = add(session, nadia)
    commands.retire_template(session, template, by=nadia, now=NOW)
    with pytest.raises(AlreadyRetired):
        commands.retire_template(session, template, by=nadia, now=NOW)
    assert queries.list_templates(session) == []
    assert queries.list_templates(session, retired=True) == [template]
    assert queries.count_retired(session) == 1
    assert queries.pick_templates(session, language="en") == []
    commands.reinstate_template(session, template, by=nadia, now=NOW)
    with pytest.raises(NotRetired):
        commands.reinstate_template(session, template, by=nadia, now=NOW)


def test_every_use_is_counted_even_two_at_once(session: Session, nadia: Editor, sessions) -> None:
    template = add(session, nadia)
    version = template.current("it")
    assert version is not None
    session.commit()
    for _each in range(2):
        with sessions() as other:
            commands.use_template(other, other.get_one(TemplateVersion, version.id), now=NOW + HOUR)
            other.commit()
    commands.use_template(session, version, now=NOW + HOUR)
    session.commit()
    assert (template.uses, version.uses, template.last_used_at) == (3, 3, NOW + HOUR)
    assert queries.uses_by_language(template) == {"en": 0, "it": 3}


def test_what_is_not_there_is_said(session: Session) -> None:
    with pytest.raises(TemplateNotFound):
        queries.get_template(session, 7)


def test_the_picker_puts_her_language_first_and_then_what_is_used_most(session: Session, nadia: Editor) -> None:
    for name, uses, languages in (("Rare", 1, "en it"), ("Common", 9, "en it"), ("English only", 50, "en")):
        template = add(session, nadia, name, **{language: Wording("Hello", "Words") for language in languages.split()})
        for version in template.versions:
            version.uses = uses
    session.commit()
    assert [(each.name, each.language) for each in queries.pick_templates(session, language="it")] == [
        ("Common", "it"),
        ("Rare", "it"),
        ("English only", "en"),
    ]
    assert [each.name for each in queries.pick_templates(session, language="en")] == ["English only", "Common", "Rare"]


def test_the_picker_knows_what_a_template_needs_and_finds_it_by_its_words(session: Session, nadia: Editor) -> None:
    add(session, nadia)
    add(session, nadia, "Thanks, à bientôt", en=Wording("Thank you", "Words"))
    assert [each.name for each in queries.pick_templates(session, language="en", text="bientot")] == [
        "Thanks, à bientôt"
    ]
    (sold_out,) = queries.pick_templates(session, language="it", text="sold")
    assert sold_out.needs == {"product"}
    assert sold_out.in_her_language


def test_the_list_is_searched_in_every_word(session: Session, nadia: Editor) -> None:
    template = add(session, nadia)
    assert queries.list_templates(session, text="buongiorno card") == [template]
    assert queries.list_templates(session, text="nothing") == []
    assert queries.list_templates(session, text="100%") == []
    assert queries.list_templates(session, language="it") == [template]
    assert queries.list_templates(session, language="de") == []
