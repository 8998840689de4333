"""Keeping templates: versions that never change, faults that are never kept, uses that are counted."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.templating import commands, queries
from concierge.templating.commands import Began, Wording
from concierge.templating.models import (
    AlreadyRetired,
    NameTaken,
    NotRetired,
    Template,
    TemplateFaulty,
    TemplateNotFound,
    TemplateStale,
    TemplateVersion,
    VersionNotFound,
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


def began(template: Template) -> Began:
    """What a window opened now begins from."""
    newest = {each.language: each.number for each in template.versions}
    return Began(template.name, template.when_to_use, newest)


def change(
    session: Session, template: Template, by: Editor, since: Began | None = None, name: str = "", **wording: Wording
) -> list[str]:
    versions = commands.change_template(
        session,
        template,
        name=name or template.name,
        when_to_use="Often",
        wording=wording,
        began=since or began(template),
        by=by,
        now=NOW + HOUR,
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


def test_of_two_windows_that_change_the_same_words_the_second_is_told_and_nothing_is_overwritten(
    session: Session, nadia: Editor
) -> None:
    template = add(session, nadia)
    since = began(template)
    change(session, template, make_editor(session, "Chiara Bellini"), since, en=Wording("Hers", "Her words"))
    with pytest.raises(TemplateStale) as stale:
        change(session, template, nadia, since, name="Another name", en=Wording("Mine", "My words"), it=ITALIAN)
    session.rollback()
    assert stale.value.settled.clashes == {"en"}
    assert stale.value.settled.words["name"] == ("Another name",)
    kept = queries.get_template(session, template.id)
    assert [(each.language, each.subject) for each in kept.versions if each.language == "en"] == [
        ("en", "Your {{ product.name }}"),
        ("en", "Hers"),
    ]
    assert kept.name == "Sold out"
    # Once she has seen it she may keep hers; Chiara's stays in the history.
    assert change(session, kept, nadia, en=Wording("Mine", "My words"), it=ITALIAN) == ["en 3"]


def test_windows_that_change_different_parts_are_both_kept(session: Session, nadia: Editor) -> None:
    template = add(session, nadia)
    since = began(template)
    change(session, template, nadia, since, name="Gone", en=Wording("New", "Words"), it=ITALIAN)
    # The second window still shows the old name and the old English, and changed only the Italian.
    assert change(session, template, nadia, since, name="Sold out", en=ENGLISH, it=Wording("Nuove", "Parole")) == [
        "it 2"
    ]
    english, italian = template.current("en"), template.current("it")
    assert english is not None
    assert italian is not None
    assert (template.name, english.subject, italian.subject) == ("Gone", "New", "Nuove")


def test_a_form_that_does_not_say_what_it_began_from_overwrites_nothing(session: Session, nadia: Editor) -> None:
    template = add(session, nadia)
    with pytest.raises(TemplateStale):
        change(session, template, nadia, Began("", "", {}), en=Wording("Mine", "My words"))
    session.rollback()
    assert change(session, template, nadia, Began("", "Often", {}), en=ENGLISH) == []


def test_two_who_keep_at_the_very_same_time_are_told_apart(session: Session, nadia: Editor, sessions) -> None:
    template = add(session, nadia)
    since = began(template)
    at_once = Barrier(2)

    def keep(words: str) -> bool:
        with sessions() as other:
            mine = queries.get_template(other, template.id)
            other.rollback()  # SQLite: a lock to read with is no lock to write with
            at_once.wait(10)
            try:
                change(other, mine, other.get_one(Editor, nadia.id), since, en=Wording(words, words))
            except TemplateStale:
                return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(keep, ["Mine", "Hers"])) == [False, True]
    session.expire_all()
    assert [each.number for each in template.versions if each.language == "en"] == [1, 2]


def test_a_version_is_found_among_its_own_templates_only(session: Session, nadia: Editor) -> None:
    mine, other = add(session, nadia), add(session, nadia, "Another")
    assert queries.version_of(mine, mine.versions[0].id).language == "en"
    with pytest.raises(VersionNotFound):
        queries.version_of(mine, other.versions[0].id)


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
        change(session, other, nadia, name="sold out")
    session.rollback()
    change(session, other, nadia, name="Where is my ORDER")
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


def test_who_reads_a_language_it_has_not_is_sent_english_else_what_there_is(session: Session, nadia: Editor) -> None:
    both, only_italian = add(session, nadia), add(session, nadia, "Only Italian", it=ITALIAN)
    assert change(session, both, nadia, it=Wording("New", "Words")) == ["it 2"]
    told = [(both.version_for(each).language, both.version_for(each).number) for each in ("it", "en", "de")]
    assert told == [("it", 2), ("en", 1), ("en", 1)]
    assert only_italian.version_for("en").language == "it"


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
