"""Every phrase of the house in every language, with the same places to fill."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tools.phrases import TRANSLATIONS, gather

_PLACES = re.compile(r"%\((\w+)\)[sd]")
LANGUAGES = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


@pytest.fixture(scope="module")
def gathered() -> Catalog:
    return gather()


def _strings(string: object) -> list[str]:
    return [string] if isinstance(string, str) else list(string or ())  # type: ignore[call-overload]


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.parent.parent.name)
def test_a_language_has_words_for_every_phrase_and_no_more(path: Path, gathered: Catalog):
    with path.open("rb") as file:
        catalog = read_po(file)
    ours = {message.id for message in gathered if message.id}
    theirs = {message.id for message in catalog if message.id and all(_strings(message.string))}
    assert sorted(map(str, ours - theirs)) == [], "run tools/phrases.py, then translate these"
    assert sorted(map(str, theirs - ours)) == []
    assert not [message.id for message in catalog if message.id and message.fuzzy]


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.parent.parent.name)
def test_a_translation_fills_the_same_places(path: Path):
    with path.open("rb") as file:
        catalog = read_po(file)
    for message in catalog:
        wanted = {place for text in _strings(message.id) for place in _PLACES.findall(text)}
        for text in _strings(message.string):
            assert set(_PLACES.findall(text)) <= wanted, message.id
            if isinstance(message.id, str) and message.id:
                assert set(_PLACES.findall(text)) == wanted, message.id


_BARE_DAY = re.compile(r"\b(?:il|al|dal|del|nel|sul|per il) %\((?:day|date|since|ends)\)s", re.I)


def test_italian_puts_no_article_before_a_day_that_may_be_the_eighth_or_the_eleventh():
    """It is "dall’11 luglio" and "dal 12 luglio"; "dal giorno 11 luglio" is right for every day."""
    with (TRANSLATIONS / "it" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = read_po(file)
    found = [text for message in catalog for text in _strings(message.string) if _BARE_DAY.search(text)]
    assert found == []
