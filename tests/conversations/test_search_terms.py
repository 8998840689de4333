"""What an editor typed into the search box."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.conversations.search_terms import Search, Term, fold, parse, snippet, to_fts5, to_tsquery


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sandals turquoise ", Search(terms=(Term(("sandals",)), Term(("turquoise",))))),
        ("sandals turq", Search(terms=(Term(("sandals",)), Term(("turq",), True)))),
        ("san* heel ", Search(terms=(Term(("san",), True), Term(("heel",))))),
        ('"silk dress" ', Search(terms=(Term(("silk", "dress")),))),
        ('"silk dress', Search(terms=(Term(("silk", "dress")),))),
        ("Chloé ", Search(terms=(Term(("chloe",)),))),
        ("from:barbara", Search(senders=(Term(("barbara",), True),))),
        ('from:"Barbara Rossi"', Search(senders=(Term(("barbara", "rossi")),))),
        ("FROM:barbara@example.com ", Search(senders=(Term(("barbara", "example", "com"), True),))),
        ("is:open", Search(states=frozenset({"open"}))),
        ("is:mine is:snoozed", Search(states=frozenset({"mine", "snoozed"}))),
        ("with:attachment", Search(with_attachment=True)),
        ("with:attachments", Search(with_attachment=True)),
        ("tag:Wedding", Search(tags=("wedding",))),
        ('tag:"next week"', Search(tags=("next week",))),
        ("is:lovely ", Search(terms=(Term(("is", "lovely")),))),
        ("10:30 ", Search(terms=(Term(("10", "30")),))),
        ("", Search()),
        ("* - ( ) AND", Search(terms=(Term(("and",), True),))),
    ],
)
def test_what_is_typed_is_understood(typed, meant):
    assert parse(typed) == meant


def test_the_words_for_sqlite_are_quoted():
    search = parse('sandals "silk dress" from:barbara AND')
    assert to_fts5(search) == '"sandals" AND "silk dress" AND "and"* AND people : "barbara"*'


def test_the_words_for_postgresql_are_quoted():
    search = parse('sandals "silk dress" from:barbara O\'Hara')
    assert to_tsquery(search) == "('sandals') & ('silk' <-> 'dress') & ('o' <-> 'hara':*) & ('barbara':*B)"


@given(st.text(max_size=200))
def test_whatever_is_typed_makes_a_harmless_request(typed):
    search = parse(typed)
    for term in (*search.terms, *search.senders):
        assert all(word.isalnum() or fold(word) == word for word in term.words)
        assert not any(mark in word for word in term.words for mark in "\"'\\*:&|!()<>")
    to_fts5(search), to_tsquery(search)


@given(st.text(max_size=200))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_a_snippet_shows_the_word_where_it_stands():
    text = (
        "Dear all, " + "so many words before it. " * 20 + "I saw the Turquoise sandals in your window." + " More." * 60
    )
    pieces = snippet(text, parse("turq"))
    assert [piece.text for piece in pieces if piece.found] == ["Turquoise"]
    assert pieces[0].text == "… "
    assert "sandals in your window" in "".join(piece.text for piece in pieces)
    assert len("".join(piece.text for piece in pieces)) < 400


def test_what_is_quoted_is_shown_without_its_marks():
    pieces = snippet("Yes please!\n\n> > The Calanque > the rest,\n>\n> in turquoise.\n", parse("turquoise"))
    assert "".join(piece.text for piece in pieces) == "Yes please! The Calanque > the rest, in turquoise. "


def test_a_snippet_finds_a_word_whatever_its_accents():
    assert [piece.text for piece in snippet("Merci, Chloé!", parse("chloe")) if piece.found] == ["Chloé"]


def test_without_a_match_the_beginning_is_shown():
    assert "".join(piece.text for piece in snippet("Only this", parse("sandals"))) == "Only this"


@given(st.text(max_size=300), st.text(max_size=20))
def test_a_snippet_never_invents_words(text, typed):
    shown = "".join(piece.text for piece in snippet(text, parse(typed)))
    words = shown.replace("…", " ").split()
    assert all(word in text.replace("…", " ") for word in words)
