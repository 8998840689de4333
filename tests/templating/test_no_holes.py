"""Whatever the checker accepts leaves no hole; and, as a control, a checker that forgets part of the rule is caught."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

import concierge
from concierge.templating.check import check, check_syntax
from concierge.templating.merge_fields import MERGE_FIELDS
from concierge.templating.rendering import render

_FURNITURE = Path(concierge.__file__).parent / "demo" / "furniture" / "templates.toml"
MANY = int(os.environ.get("CONCIERGE_TEST_EXAMPLES", "400"))

OPTIONAL = [name for name, field in MERGE_FIELDS.items() if field.may_be_empty]
_fields = st.sampled_from([*OPTIONAL, *OPTIONAL, "editor.name", "product.name", "variant.size", "mailbox.brand"])
_words = st.sampled_from(
    ["Dear ", "Dear", "Gentile ", ",", " ", "\n", "\n\n", ".", "We have it in ", "(", ")", "thank you", ": ", "“", "”"]
)
_filters = st.sampled_from(["", "", ' | fallback("friend")', " | upper", " | lower | fallback('you')", " | capitalize"])
_printed = st.tuples(_fields, _filters).map(lambda two: "{{ " + two[0] + two[1] + " }}")
_questions = st.recursive(
    st.one_of(
        _fields,
        st.tuples(_fields, st.sampled_from(["==", "!="]), st.sampled_from(["'36'", "''", "'Barbara'"])).map(" ".join),
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda three: f"({' '.join(three)})"),
    ),
    max_leaves=3,
)


def _condition(parts: tuple[str, str, str | None, str | None, str]) -> str:
    question, then, other_question, other, otherwise = parts
    text = "{% if " + question + " %}" + then
    if other_question is not None and other is not None:
        text += "{% elif " + other_question + " %}" + other
    return text + ("{% else %}" + otherwise if otherwise else "") + "{% endif %}"


def _guarded(name: str) -> str:
    return "{% if " + name + " %}Dear {{ " + name + " }},{% else %}Good day,{% endif %}\n"


_templates = st.recursive(
    st.one_of(_words, _words, _printed, _fields.map(_guarded)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=5).map("".join),
        st.tuples(_questions, inner, st.none() | _questions, st.none() | inner, st.just("") | inner).map(_condition),
    ),
    max_leaves=8,
)
_something = st.one_of(
    st.sampled_from(["36", "Barbara", "Nadia Ferrant", "Zoë"]), st.text("abcXYZé*[", min_size=1, max_size=5)
)


def _whole(values: dict[str, str]) -> dict[str, str]:
    """With an alternative that is there whole or not at all, as in the house."""
    others = {name for name in values if name.startswith("alternative.")}
    return values if all(values[name] for name in others) else values | dict.fromkeys(others, "")


_values = st.fixed_dictionaries(
    {name: st.just("") | _something if name in OPTIONAL else _something for name in MERGE_FIELDS}
).map(_whole)


class Hole(AssertionError):
    pass


def _independent(text: str, values: dict[str, str]) -> str:
    """The template rendered by Jinja2 itself, without any of our code; a printed empty value is a hole."""

    def spy(value: Any) -> Any:
        if not str(value).strip():
            raise Hole("an empty value was printed")
        return value

    groups: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        group, _, field = name.partition(".")
        groups.setdefault(group, {})[field] = value
    jinja = Environment(undefined=StrictUndefined, finalize=spy, autoescape=False)
    jinja.filters["fallback"] = lambda value, instead: value or instead
    return jinja.from_string(text).render(groups)


def _assert_no_hole(text: str, values: dict[str, str], checker: Callable[[str], Any]) -> None:
    if checker(text):
        event("refused")
        return
    event("accepted")
    for written in (_independent(text, values), render(text, values)):
        if not written.strip():
            raise Hole("nothing is left")
        for line in written.split("\n"):
            if re.search(r"(^|\s),|“\s*”|\(\s*\)", line) and "“”" not in text and "()" not in text:
                raise Hole(line)
            if re.fullmatch(r"\s*(Dear|Gentile)\s*,?\s*", line):
                raise Hole(line)


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(_templates, _values)
def test_what_is_accepted_leaves_no_hole(text: str, values: dict[str, str]) -> None:
    _assert_no_hole(text, {**values, "product.card": "[product A]", "product.link": "https://x.example/"}, check)


@pytest.mark.parametrize(
    "forgetful",
    [
        check_syntax,
        lambda text: check(text, fields={name: MERGE_FIELDS["editor.name"] for name in MERGE_FIELDS}),
        lambda text: [
            fault for fault in check(text) if "Without" not in fault.message and "reads" not in fault.message
        ],
    ],
    ids=["only the syntax", "every field always there", "no gaps, only empty fields"],
)
def test_a_checker_that_forgets_the_rule_is_caught(forgetful: Callable[[str], Any]) -> None:
    @settings(
        max_examples=5_000,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(_templates, _values)
    def attempt(text: str, values: dict[str, str]) -> None:
        _assert_no_hole(text, values, forgetful)

    with pytest.raises(Hole):
        attempt()


F = "{% if customer.first_name %}{{ customer.first_name }}{% endif %}"
_F = "{% if customer.first_name %} {{ customer.first_name }}{% endif %}"
S = "{% if customer.size %}{{ customer.size }}{% endif %}"
_S = "{% if customer.size %} {{ customer.size }}{% endif %}"
Q = "{% if conversation.subject %}{{ conversation.subject }}{% endif %}"

# A field alone in a condition, in the middle of a sentence: what is left is not a sentence any more.
HOLES_IN_SENTENCES = [
    f"Your size {S} has come home.",
    f"The {S} is gone.",
    f"Dear {F} and family, hello",
    f"From size {S} to 40 we have all of them.",
    f"I love {F}'s dress.",
    f"I love {F}’s dress.",
    f"We made your {S}-sized shoes.",
    f"I set aside a {S}for you.",
    f"Le scarpe in {S} sono finite.",
    f"I set aside a{_S} for you.",
    f"I set aside a{_S}.",
    "I have {% if customer.size %}a {{ customer.size }}{% endif %} for you.",
    "Your {% if customer.size %}size {{ customer.size }}{% endif %} has come.",
    "We have the{% if customer.size %} pair in {{ customer.size }}{% endif %}.",
    f"Your size is{_S}.",
    f"We have it in size{_S}, and soon.",
    f"Size:{_S}\nColour: turquoise",
    f"{S} is your size.",
    f"{F} loves this one.",
    f"Dear{_F}, thank you for writing.",
    f"Dear Mrs{_F}, thank you for writing.",
    f"Hello,{_F}, thank you.",
    f"This is a letter for{_F}.",
    f"The shoes in size\n{S}\nare here.",
    "Your size {% if customer.size %}{{ customer.size }}{% else %} {% endif %} has come home.",
    "Your size {% if not customer.size %}{% else %}{{ customer.size }}{% endif %} has come home.",
    "Your size{% if customer.size %}, {{ customer.size }}{% endif %} has come home.",
    "The{% if customer.size %}, {{ customer.size }},{% endif %} is gone.",
    f"You wrote about {Q} on Monday.",
    f"La sua misura {S} è tornata.",
    f"La {S} è tornata.",
    f"Gentile {F} e famiglia, buongiorno",
    f"Gentile{_F}, grazie di averci scritto.",
    f"Gentile Sig.ra{_F}, grazie di averci scritto.",
    f"Dalla {S} alla 40 le abbiamo tutte.",
    f"Ho messo da parte una{_S} per lei.",
    "Ho messo da parte {% if customer.size %}la {{ customer.size }}{% endif %} per lei.",
    f"Il vestito di{_F}.",
    f"Ci ha scritto di {Q} lunedì.",
    f"La taglia è{_S}.",
]


@pytest.mark.parametrize("text", HOLES_IN_SENTENCES)
def test_a_field_alone_in_mid_sentence_wants_an_else(text: str) -> None:
    faults = check(text)
    assert faults, "saved, with a hole in it"
    assert faults[0].line == 1 + text.split("{%", maxsplit=1)[0].count("\n")
    assert "{% else %}" in faults[0].remedy or "fallback" in faults[0].remedy


def test_a_subject_is_read_the_same_way() -> None:
    assert check(f"About {S} news", single_line=True)
    assert not check("News{% if customer.size %} for your {{ customer.size }}{% endif %}", single_line=True)


# A whole clause, a whole sentence, or somebody greeted at the end of a few words: all may fall away.
SENSIBLE = [
    f"Hello{_F}, thank you for writing.",
    f"Hello{_F}!",
    f"Good morning{_F}\n\nThank you.",
    f"Thank you{_F}. I have looked everywhere.",
    "Thank you for writing{% if customer.first_name %}, {{ customer.first_name }}{% endif %}.",
    "{% if customer.first_name %}{{ customer.first_name }}, {% endif %}thank you for writing.",
    "Good morning, {% if customer.first_name %}{{ customer.first_name }}, {% endif %}thank you.",
    "Your size{% if customer.size %}, {{ customer.size }},{% endif %} has come home.",
    "Your size{% if customer.size %} ({{ customer.size }}){% endif %} has come home.",
    "Your size{% if customer.size %} – {{ customer.size }} –{% endif %} has come home.",
    "I wrote your name{% if customer.size %} and your size, {{ customer.size }},{% endif %} on my list.",
    "We have it{% if customer.size %} in {{ customer.size }}{% endif %} for you.",
    "The pair you asked for{% if customer.size %} in {{ customer.size }}{% endif %} has come.",
    "The {% if customer.size %}{{ customer.size }}{% else %}last pair{% endif %} is gone.",
    "We have a {{ customer.size | fallback('pair') }} for you.",
    "{% if customer.size %}Your {{ customer.size }} is here.{% else %}It is here.{% endif %}",
    "It is here. {% if customer.size %}I kept the {{ customer.size }} for you.{% endif %}",
    "{% if customer.size %}\nI kept the {{ customer.size }} for you.\n{% endif %}\nWarmly",
    f"Buongiorno{_F}, grazie di averci scritto.",
    "Grazie{% if customer.first_name %}, {{ customer.first_name }}{% endif %}!",
    "La sua misura{% if customer.size %}, la {{ customer.size }},{% endif %} è tornata.",
    "Il suo nome{% if customer.size %} e la sua misura, {{ customer.size }},{% endif %} è sulla lista.",
    "Ne ho una{% if customer.size %} nella {{ customer.size }}{% endif %} per lei.",
    "Gentile {{ customer.first_name | fallback('cliente') }}, grazie.",
    "Ecco. {% if customer.size %}Nella {{ customer.size }} è l’ultima.{% endif %}",
]


@pytest.mark.parametrize("text", SENSIBLE)
def test_what_may_fall_away_without_harm_may_be_saved(text: str) -> None:
    assert [fault.message for fault in check(text)] == []


@pytest.mark.parametrize(
    "text", ["We have [name] here.", "Dear <name>,", "The {size} you want", "Hello %name%,", "TODO"]
)
def test_what_the_gate_would_hold_back_is_no_template(text: str) -> None:
    fault = check(text)[0]
    assert fault.line == 1
    assert fault.remedy


def test_every_template_of_the_demo_may_be_saved() -> None:
    for template in tomllib.loads(_FURNITURE.read_text("utf-8"))["template"]:
        for words in (template["en"], template["it"]):
            assert not check(words["body"]), template["name"]
            assert not check(words["subject"], single_line=True), template["name"]
