"""Templates as weapons: no way out of the language (T01, T02), nothing to burn (T03, T04), nothing to include (T05)."""

import os
import string
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from concierge.templating.check import check, check_syntax
from concierge.templating.language import FILTERS, Group, MergeEnvironment
from concierge.templating.merge_fields import sample_values
from concierge.templating.rendering import TemplateUnfit, render, render_subject
from tests.templating.payloads import BOMBS, ESCAPES

CANARY = "canary-7f3b"
os.environ["CONCIERGE_TEST_CANARY"] = CANARY


@pytest.mark.parametrize("payload", ESCAPES)
def test_no_escape_is_accepted_or_rendered(payload: str) -> None:  # T01
    assert check(payload)
    if check_syntax(payload):
        with pytest.raises(TemplateUnfit):
            render(payload, sample_values())
        with pytest.raises(TemplateUnfit):
            render_subject(payload, sample_values())


@pytest.mark.parametrize("payload", ESCAPES)
def test_the_second_wall_holds_without_the_first(payload: str) -> None:  # T01
    groups = {"customer": Group({"first_name": "Barbara"}), "editor": Group({"name": "Nadia Ferrant"})}
    try:
        written = MergeEnvironment().from_string(payload).render(groups)
    except (TemplateError, TypeError, ValueError, AssertionError):
        return
    for secret in (CANARY, "<class", "<module", "<function", "built-in", "object at 0x", "root:"):
        assert secret not in written


def test_the_sandbox_has_nothing_in_it() -> None:  # T02
    environment = MergeEnvironment()
    assert environment.globals == {}
    assert environment.tests == {}
    assert set(environment.filters) == set(FILTERS)
    assert environment.loader is None  # T05: there is nothing to include by any name


@pytest.mark.parametrize("payload", BOMBS, ids=range(len(BOMBS)))
def test_no_bomb_goes_off(payload: str) -> None:  # T03, T04
    began = time.process_time()
    faults = check(payload)
    if faults and check_syntax(payload):
        with pytest.raises(TemplateUnfit):
            render(payload, sample_values())
    assert faults
    assert time.process_time() - began < 2


def test_the_worst_accepted_template_is_checked_in_no_time() -> None:  # T03
    questions = "".join(
        f"{{% if customer.{name} %}}a{{% else %}}b{{% endif %}}" for name in ("name", "size", "first_name")
    )
    worst = ("x" * 120 + questions) * 60
    began = time.process_time()
    check(worst)
    assert time.process_time() - began < 2


_names = st.sampled_from(
    ["customer", "editor", "product", "config", "self", "request", "lipsum", "os", "x", "__builtins__", "loop"]
)
_attributes = st.sampled_from(
    [
        "first_name",
        "name",
        "size",
        "card",
        "fields",
        "__class__",
        "__init__",
        "__globals__",
        "format",
        "items",
        "environ",
    ]
)
_atoms = st.one_of(_names, st.sampled_from(["''", "'a'", "1", "[]", "{}", "()", "none", "true", f"'{CANARY[:3]}'"]))
_expressions = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(inner, _attributes).map(".".join),
        st.tuples(inner, _attributes).map(lambda pair: f"{pair[0]}['{pair[1]}']"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(inner, st.sampled_from(["fallback", "attr", "upper", "map", "list", "format", "string"]), inner).map(
            lambda three: f"{three[0]}|{three[1]}({three[2]})"
        ),
        st.tuples(inner, st.sampled_from(["~", "+", "*", "and", "or", "==", "in", "is", "if"]), inner).map(" ".join),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=6,
)
_statements = st.one_of(
    _expressions.map(lambda one: "{{ " + one + " }}"),
    st.tuples(_expressions, _expressions).map(lambda two: f"{{% if {two[0]} %}}{{{{ {two[1]} }}}}{{% endif %}}"),
    st.tuples(_expressions, _expressions).map(lambda two: f"{{% for x in {two[0]} %}}{{{{ {two[1]} }}}}{{% endfor %}}"),
    _expressions.map(lambda one: "{% set x = " + one + " %}{{ x }}"),
    _expressions.map(lambda one: "{% include " + one + " %}"),
    st.text(string.printable, max_size=20),
)
_hostile = st.lists(_statements, min_size=1, max_size=3).map("".join)

MANY = int(os.environ.get("CONCIERGE_TEST_EXAMPLES", "600"))


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(_hostile)
def test_no_generated_template_reads_what_is_not_the_customers(text: str) -> None:  # T02
    told = " ".join(fault.message + fault.remedy for fault in check(text))
    assert CANARY not in told
    if check_syntax(text):
        return
    try:
        written = render(text, sample_values())
    except Exception as refused:
        written = str(refused)
    for secret in (CANARY, "<class", "<function", "<module", "object at 0x", "Group"):
        assert secret not in written


@settings(max_examples=MANY, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(st.sampled_from(list("{}%#|'\"().-+ \ncustomer.first_nameif else endif")), st.characters())
    )
)
def test_the_checker_survives_any_text(text: str) -> None:
    for fault in check(text):
        assert fault.line >= 1
        assert fault.column >= 1
        assert fault.message
        assert fault.remedy
