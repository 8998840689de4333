"""What a reply to an offer probably means: sentences it was made with, and sentences it had not met."""

from collections import Counter

import pytest

from concierge.wishes.replies import Meant, Reading, read
from tests.wishes.replies_held_out import HELD_OUT
from tests.wishes.replies_known import KNOWN
from tests.wishes.replies_later import LATER
from tests.wishes.replies_polite import POLITE_HELD_OUT, POLITE_KNOWN

Cases = tuple[tuple[str, str, str], ...]


def share(cases: Cases, meant: Meant) -> tuple[float, float]:
    """Precision and recall of one reading over these cases."""
    read_as = Counter((wanted, read(text, language, sizes=("36",)).meant) for language, text, wanted in cases)
    right = read_as[meant.value, meant]
    said = sum(count for (_wanted, got), count in read_as.items() if got is meant)
    asked = sum(count for (wanted, _got), count in read_as.items() if wanted == meant.value)
    return right / said, right / asked


@pytest.mark.parametrize(("language", "text", "meant"), KNOWN + POLITE_KNOWN)
def test_what_the_rule_was_made_with_is_read_as_it_is_meant(language: str, text: str, meant: str):
    assert read(text, language, sizes=("36",)).meant.value == meant


@pytest.mark.parametrize("cases", [HELD_OUT, LATER, POLITE_HELD_OUT], ids=["held out", "later", "polite"])
def test_a_yes_is_never_wrong_and_seldom_missed_in_what_it_had_not_met(cases: Cases):
    precision, recall = share(cases, Meant.YES)
    assert precision == 1.0
    assert recall >= 0.8


def test_who_declines_in_favour_of_somebody_else_is_heard():
    precision, recall = share(POLITE_HELD_OUT, Meant.NO)
    assert precision == 1.0
    assert recall >= 0.75


@pytest.mark.parametrize("cases", [HELD_OUT, LATER], ids=["held out", "later"])
@pytest.mark.parametrize("meant", [Meant.NO, Meant.NOT_NOW])
def test_a_no_or_a_not_now_is_hardly_ever_wrong_either(cases: Cases, meant: Meant):
    precision, recall = share(cases, meant)
    assert precision >= 0.95
    assert recall >= 0.75


def test_a_rule_that_takes_every_yes_for_one_would_be_found_out():
    """Negative control: "yes" somewhere in it is not enough."""
    naive = [meant for _language, text, meant in (*KNOWN, *HELD_OUT) if "yes" in text.lower()]
    assert naive.count("yes") / len(naive) < 0.7


def test_it_names_the_sentence_it_rests_on_as_she_wrote_it():
    text = "Dear Nadia,\n\nhow kind of you! Yes please, I’ll take them.\n\nWarmly,\nBarbara"
    assert read(text, "en") == Reading(Meant.YES, "Yes please, I'll take them.")
    assert read("Where is my parcel?", "en").words == "Where is my parcel?"
    assert read("It rains.", "en") == Reading(Meant.UNSURE)


def test_a_long_sentence_is_quoted_in_part():
    words = read("I'll take them, " + "and I look forward to June very much, " * 20, "en").words
    assert len(words) <= 140
    assert words.endswith("…")


def test_a_size_she_was_not_offered_is_a_question():
    assert read("I'll take them in 36.5!", "en", sizes=("36,5",)).meant is Meant.YES
    assert read("I'll take them in 36.5!", "en", sizes=("36",)).meant is Meant.UNSURE
    assert read("I'll take them in 36!", "en").meant is Meant.UNSURE


def test_lines_broken_by_a_mail_program_are_whole_sentences():
    text = "I would love to have them, they are the nicest ones I have\never seen, but not this month I am afraid."
    assert read(text, "en").meant is Meant.NOT_NOW


def test_an_italian_answer_in_an_english_conversation_is_understood():
    assert read("Sì grazie, li prendo!", "en").meant is Meant.YES
    assert read("Yes please!", "it").meant is Meant.YES
    assert read("Yes please!", "fr").meant is Meant.YES


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "?", "!!!", "🙂", "a" * 100_000, "no, " * 3_000, "yes please " * 900]
)
def test_nothing_it_is_given_stops_it(text: str):
    assert isinstance(read(text, "en"), Reading)
