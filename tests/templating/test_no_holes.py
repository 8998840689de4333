"""Whatever the checker accepts leaves no hole; and, as a control, a checker that forgets part of the rule is caught."""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

from concierge.templating.check import check, check_syntax
from concierge.templating.merge_fields import MERGE_FIELDS
from concierge.templating.rendering import render

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
_values = st.fixed_dictionaries(
    {name: st.just("") | _something if name in OPTIONAL else _something for name in MERGE_FIELDS}
)


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
