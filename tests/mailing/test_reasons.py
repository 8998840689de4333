"""Why a mail did not leave is kept in English and read in the reader's language."""

import re

import pytest
from flask import Flask
from flask_babel import force_locale, gettext

from concierge.mailing.reasons import Reason, retold

FACTS = {"who": "mx.house.example", "host": "mx.house.example", "error": "timed out", "letter": "ł", "size": 12,
         "code": 451, "words": "4.7.1 come back"}  # fmt: skip


def facts_of(reason: Reason) -> dict[str, str | int]:
    return {name: FACTS[name] for name in re.findall(r"%\((\w+)\)", reason.value)}


@pytest.mark.parametrize("reason", Reason)
def test_each_is_read_in_italian_and_in_english(app: Flask, reason: Reason):
    kept = reason.of(**facts_of(reason))
    with app.test_request_context():
        with force_locale("it"):
            read = retold(kept)
            assert read == gettext(reason.value, **facts_of(reason)) != kept
        with force_locale("en"):
            assert retold(kept) == kept


def test_what_is_said_within_another_sentence_is_read_too(app: Flask):
    said = Reason.SAID.of(host="SendGrid", code=503, words=Reason.NOTHING_MORE.of())
    with app.test_request_context(), force_locale("it"):
        read = retold(Reason.UNKNOWN.of(who="SendGrid", error=said))
        assert gettext(Reason.NOTHING_MORE.value) in read and "said" not in read


def test_a_line_without_a_code_and_what_another_part_kept_are_read_too(app: Flask):
    with app.test_request_context(), force_locale("it"):
        assert retold(Reason.SAID.of(host="mx", code=-1, words="garbage")) == gettext(
            Reason.SAID.value, host="mx", code=-1, words="garbage"
        )
        withheld = "she has not agreed to be told, or has taken it back"
        assert retold(withheld) == gettext(withheld) != withheld


@pytest.mark.parametrize(
    "words",
    ["", "550 5.1.1 No such user", "mx said nothing", "100 % wool (%s)", "mx said 5: x" + "\n" * 3 + " said " * 900],
)
def test_what_others_said_is_left_in_their_words(app: Flask, words: str):
    with app.test_request_context(), force_locale("it"):
        assert retold(words).endswith(words.partition(": ")[2] or words)
