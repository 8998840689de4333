"""Filling a template: values are data (T06), what is missing is said, and nothing grows without end (T04)."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.templating import rendering
from concierge.templating.merge_fields import MERGE_FIELDS, sample_values
from concierge.templating.rendering import (
    FieldMissing,
    OutputTooLong,
    clean,
    render,
    render_subject,
    safe_link,
    values_for,
)


@dataclass(frozen=True)
class Person:
    name: str
    first_name: str


@dataclass(frozen=True)
class Sandal:
    sku: str = "CAL-TUR-36"
    name: str = "Calanque sandals"
    designer: str = "Atelier Mirelle"
    colour: str = "turquoise"
    size: str = "36"
    price: str = "€420.00"
    link: str = "https://maison-solenne.example/p/calanque"


def values(**known: str) -> dict[str, str]:
    return sample_values() | {name.replace("__", "."): value for name, value in known.items()}


LETTER = """{% if customer.first_name %}
Dear {{ customer.first_name }},
{% else %}
Good day,
{% endif %}

the *{{ product.name }}* in {{ product.colour }} are gone{% if customer.size %} in {{ customer.size }}{% endif %}.

{% if conversation.subject %}
You wrote about {{ conversation.subject }}.
{% endif %}

{{ product.card }}

[See them]({{ product.link }})

{{ editor.sign_off }}
"""


def test_a_letter_reads_well_for_a_customer_we_know() -> None:
    assert render(LETTER, values()) == (
        "Dear Barbara,\n\nthe *Calanque sandals* in turquoise are gone in 36.\n\n"
        "You wrote about The turquoise sandals.\n\n[product CAL-TUR-36]\n\n"
        "[See them](https://maison-solenne.example/products/calanque-sandals)\n\nWarmly,\nNadia"
    )


def test_a_letter_reads_well_for_a_customer_we_do_not_know() -> None:
    unknown = values(customer__first_name="", customer__size="", conversation__subject="")
    assert render(LETTER, unknown).startswith(
        "Good day,\n\nthe *Calanque sandals* in turquoise are gone.\n\n[product CAL-TUR-36]"
    )


def test_the_values_come_from_people_and_products() -> None:
    made = values_for(
        customer=Person("Barbara Ashdown", "Barbara"),
        size="36",
        editor=Person("Nadia Ferrant", "Nadia"),
        editor_title="Fashion Editor",
        sign_off="Warmly,",
        brand="Maison Solenne",
        address="care@maison-solenne.example",
        subject="The turquoise sandals",
        product=Sandal(),
        alternative=Sandal(),
    )
    assert set(made) == set(MERGE_FIELDS)
    assert all(made.values())


def test_without_a_product_its_fields_are_missing_and_that_is_said() -> None:
    made = values_for(
        customer=None,
        size=None,
        editor=Person("Nadia Ferrant", "Nadia"),
        editor_title="Fashion Editor",
        sign_off="Warmly,",
        brand="Maison Solenne",
        address="care@maison-solenne.example",
    )
    assert render("{% if customer.name %}x{% else %}{{ editor.name }}{% endif %}", made) == "Nadia Ferrant"
    with pytest.raises(FieldMissing):
        render("{{ product.name }}", made)


@pytest.mark.parametrize("empty", ["", " ", "\n", "\u200b", "\u3164", "\u2060\u00ad", "\x00", "\u0301", "\u202e"])
def test_a_required_value_that_shows_nothing_is_missing(empty: str) -> None:
    with pytest.raises(FieldMissing):
        render("By {{ product.designer }}", values(product__designer=empty))


@pytest.mark.parametrize("empty", [" ", "\u200b\u200d", "\u3164", "\u115f\u1160", "\x07\n", "\u202e\u2066", "\u0301"])
def test_a_name_that_shows_nothing_is_no_name(empty: str) -> None:
    written = render('Dear {{ customer.first_name | fallback("friend") }},', values(customer__first_name=empty))
    assert written == "Dear friend,"


def test_values_are_never_templates() -> None:  # T06
    for payload in ("{{ editor.name }}", "{% if x %}", "{{ 7*7 }}", "{#", "{% raw %}"):
        assert payload.replace("*", "\\*") in render(
            "To {{ customer.name | fallback('x') }}!", values(customer__name=payload)
        )


@pytest.mark.parametrize(
    ("hostile", "printed"),
    [
        ("**Barbara**", r"\*\*Barbara\*\*"),
        ("[Win](https://evil.example)", r"\[Win\](https://evil.example)"),
        ("[product CAL-TUR-36]", r"\[product CAL-TUR-36\]"),
        ("\\*", r"\\\*"),
        ("- Barbara", r"\- Barbara"),
        ("> Barbara", r"\> Barbara"),
        ("1. Barbara", r"1\. Barbara"),
        ("a\r\nBcc: mallory@evil.example", "a Bcc: mallory@evil.example"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("a\x00\x1b[31mb", r"a\[31mb"),
        ("\u202egnp.exe", "gnp.exe"),
        ("  Anna   Maria ", "Anna Maria"),
        ("Zoe\u0308", "Zoë"),
    ],
)
def test_a_value_is_never_markup_and_never_a_second_line(hostile: str, printed: str) -> None:  # T06
    assert render("{{ product.name }}", values(product__name=hostile)) == printed


def test_a_filter_does_not_lift_the_escape() -> None:  # T06
    assert render("{{ product.name | upper }}", values(product__name="*a*")) == r"\*A\*"


def test_a_subject_is_one_line_and_carries_no_backslash() -> None:  # T06
    hostile = "Re: [urgent]\r\nBcc: mallory@evil.example\x00"
    subject = render_subject('{{ conversation.subject | fallback("Hello") }}', values(conversation__subject=hostile))
    assert subject == "Re: [urgent] Bcc: mallory@evil.example"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://a@evil.example",
        "http://[",
        "x",
    ],
)
def test_only_web_links_are_links(link: str) -> None:
    assert safe_link(link) == ""
    with pytest.raises(FieldMissing):
        render("{{ product.link }}", values(product__link=link))


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    assert safe_link("https://a.example/p(1)*[x]?q=a b&c=é") == "https://a.example/p%281%29%2A%5Bx%5D?q=a%20b&c=%C3%A9"


@pytest.mark.parametrize("card", ["[product A]\nx", "[product A] [product B]", "A", "[product ../x]"])
def test_only_a_product_card_is_a_card(card: str) -> None:
    with pytest.raises(FieldMissing):
        render("{{ product.card }}", values(product__card=card))


def test_output_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:  # T04
    monkeypatch.setattr(rendering, "LONGEST_OUTPUT", 1_000)
    with pytest.raises(OutputTooLong):
        render("{{ product.name }}" * 20, values(product__name="a" * 900))
    assert len(clean("a" * 100_000)) == 1_000


@settings(max_examples=300, deadline=None)
@given(st.text(), st.sampled_from(list(MERGE_FIELDS)))
def test_any_value_leaves_the_letter_around_it_alone(value: str, field: str) -> None:  # T06
    try:
        subject = render_subject("a {{ " + field + ' | fallback("b") }} c', values() | {field: value})
        body = render("a {{ " + field + ' | fallback("b") }} c', values() | {field: value})
    except FieldMissing:
        return
    assert subject.startswith("a ")
    assert subject.endswith(" c")
    assert body.startswith("a ")
    assert body.endswith(" c")
    assert len(subject.splitlines()) == 1
    assert len(body.splitlines()) == 1 or field == "editor.sign_off"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\n{% if customer.size %}\nb\n{% endif %}\nc", "a\nb\nc"),
        ("a\n  {% if customer.size %}  \nb\n{% else %}\nd\n  {% endif %}{# why #}\nc", "a\nb\nc"),
        ("a{% if customer.size %}b{% endif %}\nc", "ab\nc"),
        ("a\n{% if customer.size %}b{% endif %}\nc", "a\nb\nc"),
        ("{% if customer.name %}{% if customer.size %}\nb\n{% endif %}{% endif %}\nc", "b\nc"),
        ("{% if customer.size %}\nb\n{% endif %}", "b"),
        ("a\n\n{# a note #}\n\nb", "a\n\nb"),
        ("a\n{{ customer.size | fallback('x') }}\nb", "a\n36\nb"),
        ("a \n  {%- if customer.size -%} \n b {%- endif %}\nc", "ab\nc"),
        ("- a\n{% if customer.size %}\n- b\n{% endif %}\n- c", "- a\n- b\n- c"),
    ],
)
def test_a_tag_alone_on_its_line_leaves_no_line(text: str, written: str) -> None:
    assert render(text, values()) == written


def test_a_sign_off_keeps_its_lines_and_nothing_else_does() -> None:
    assert render("{{ editor.sign_off }}", values(editor__sign_off="Warmly,\r\n- N*")) == "Warmly,\n\\- N\\*"
    assert render_subject("{{ editor.sign_off }}", values()) == "Warmly, Nadia"
