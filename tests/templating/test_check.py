"""What a template may say, and what is told to an editor whose template has a fault."""

import pytest

from concierge.templating.check import LONGEST_BODY, LONGEST_SUBJECT, check, needs_of, speaks_of
from concierge.templating.merge_fields import MERGE_FIELDS

SOUND = [
    "Thank you for writing.",
    "Dear {{ customer.first_name | fallback('friend') }},",
    'Dear {{ customer.first_name | fallback("friend") | capitalize }},',
    "{% if customer.first_name %}Dear {{ customer.first_name }},{% else %}Good day,{% endif %}",
    "{%- if customer.first_name -%}Dear {{ customer.first_name }},{%- else -%}Good day,{%- endif -%}",
    "{% if not customer.first_name %}Good day,{% else %}Dear {{ customer.first_name }},{% endif %}",
    "{% if customer.name and customer.size %}{{ customer.name }} wears {{ customer.size }}.{% else %}-{% endif %}",
    "{% if not customer.size or not customer.name %}Hello{% else %}{{ customer.name }}: {{ customer.size }}{% endif %}",
    "{% if customer.name %}{{ customer.name }}{% elif customer.size %}{{ customer.size }}{% else %}you{% endif %}",
    "{% if customer.size == '36' %}Yours, {{ customer.size }}, is small.{% else %}Which size?{% endif %}",
    "{% if customer.size != '' %}In {{ customer.size }}.{% else %}Which size?{% endif %}",
    "Oh{% if customer.name %}{% if customer.size %} {{ customer.name }}{% endif %}{% else %}y{% endif %}!",
    "We have it{% if customer.size %} in {{ customer.size }}{% endif %}.",
    "Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %},",
    "{% if customer.size %}\nI have kept a {{ customer.size }} for you.\n{% endif %}\n\nWarmly",
    "A first sentence. {% if customer.size %}Yours is {{ customer.size }}.{% endif %}\nMore.",
    "{{ product.name }} by {{ product.designer }} in {{ product.colour }}: {{ product.price }}",
    "[See it here]({{ product.link }})\n\n{{ product.card }}\n\nWarmly",
    "{# A note to ourselves #}Thank you.",
    "Braces {in a sentence} are fine, and so is 100 % of this",
    "… and then ..., well. Tel. :-)",
]


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_template_has_no_fault(text: str) -> None:
    assert check(text) == []


UNGUARDED = [
    "Dear {{ customer.first_name }},",
    "Dear {{ customer.first_name | upper }},",
    "Dear {{ customer.first_name }}{% if customer.first_name %}!{% else %}?{% endif %}",
    "{% if customer.name %}Dear {{ customer.first_name }},{% else %}Good day,{% endif %}",
    "{% if customer.first_name %}Good day,{% else %}Dear {{ customer.first_name }},{% endif %}",
    "{% if not customer.first_name %}Dear {{ customer.first_name }},{% else %}Good day,{% endif %}",
    "{% if customer.first_name or customer.size %}Dear {{ customer.first_name }},{% else %}Good day,{% endif %}",
    "{% if customer.size %}a{% elif customer.name %}b{% else %}Dear {{ customer.first_name }},{% endif %}",
    "{% if customer.size == '36' %}a{% else %}b {{ customer.size }}{% endif %}",
    "{% if customer.size != '36' %}b {{ customer.size }}{% else %}a{% endif %}",
    "{% if not (customer.first_name and customer.size) %}{{ customer.size }}{% else %}a{% endif %}",
    "About “{{ conversation.subject }}”",
]


@pytest.mark.parametrize("text", UNGUARDED)
def test_a_field_that_can_be_empty_must_be_guarded(text: str) -> None:
    faults = check(text)
    assert faults
    assert "can be empty" in faults[0].message
    assert "fallback" in faults[0].remedy


GAPS = {
    "Dear {% if customer.first_name %}{{ customer.first_name }}{% endif %},": "Dear ,",
    "{% if customer.first_name %}Dear {{ customer.first_name }}{% else %}Dear {% endif %},": "Dear ,",
    "Dear{% if customer.first_name %} {{ customer.first_name }}{% endif %},\nThank you": "Dear,",
    "Gentile{% if customer.first_name %} {{ customer.first_name }}{% endif %},\nGrazie": "Gentile,",
    "Your size is {% if customer.size %}{{ customer.size }}{% endif %}\nWarmly": "Your size is",
    "Your size ({% if customer.size %}{{ customer.size }}{% endif %}) is here.": "Your size () is here.",
    "About “{% if conversation.subject %}{{ conversation.subject }}{% endif %}”: yes": "About “”: yes",
    "{% if customer.first_name %}{{ customer.first_name }}{% endif %}, thank you.": ", thank you.",
    "We write to you , today": "We write to you , today",
}


@pytest.mark.parametrize("text", GAPS)
def test_what_a_skipped_condition_leaves_must_read_well_too(text: str) -> None:
    faults = check(text)
    assert len(faults) == 1
    assert f"“{GAPS[text]}”" in faults[0].message


def test_a_fault_names_its_line_its_column_and_the_remedy() -> None:
    fault = check("Good day,\n\n  thank you, {{ customer.first_name }}.\n")[0]
    assert (fault.line, fault.column) == (3, 17)
    assert fault.message == "The customer’s first name can be empty; then this reads “thank you, .”."
    assert '{{ customer.first_name | fallback("…") }}' in fault.remedy


def test_columns_are_exact_behind_white_space_control_and_windows_line_ends() -> None:
    fault = check("a\r\n  {%- if customer.size %}\r\n   b {%- endif %} {{ customer.nmae }}")[0]
    assert (fault.line, fault.column) == (3, 22)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{{ customer.frist_name }}", "{{ customer.first_name }}"),
        ("{{ customer.firstname }}", "{{ customer.first_name }}"),
        ("{{ Customer.First_Name }}", "{{ customer.first_name }}"),
        ("{{ brand }}", "{{ mailbox.brand }}"),
        ("{{ colour }}", "{{ product.colour }}"),
        ("{{ product.color }}", "{{ product.colour }}"),
        ("{{ editor }}", "{{ editor.sign_off }}"),
        ("{{ customer.first_name.upper }}", "{{ customer.first_name }}"),
        ("{% if customer.sise %}x{% else %}y{% endif %}", "{{ customer.size }}"),
    ],
)
def test_an_unknown_field_is_answered_with_the_one_that_was_meant(text: str, meant: str) -> None:
    fault = check(text)[0]
    assert "no merge field" in fault.message
    assert meant in fault.remedy


@pytest.mark.parametrize(
    ("text", "column", "remedy"),
    [
        ("Dear {customer.name},", 6, "{{ customer.name }}"),
        ("Dear { customer.name }},", 6, "{{ customer.name }}"),
        ("Dear {{customer.first_name},", 6, "{{ customer.first_name }}"),
        ("Dear {{ customer.first_name", 6, "{{ customer.first_name }}"),
        ("Dear {{ customer.first_name %}", 6, "{{ customer.first_name }}"),
        ("a {% if customer.size }} b {% endif %}", 3, "{% if customer.size %}"),
        ("a {% if customer.size } b {% endif %}", 3, "{% if customer.size %}"),
        ("Dear customer.name }},", 20, "{{ customer.first_name }}"),
        ("a {# never ended", 3, "#}"),
        ("a {% if customer.size %} b", 3, "{% endif %}"),
        ("a {% if customer.size %}{% if customer.name %}x{% endif %} b", 3, "{% endif %}"),
        ("a {% endif %}", 6, "{% if customer.first_name %}"),
        ("{% if customer.size %}a{% elseif customer.name %}b{% endif %}", 27, "{% elif … %}"),
        ("Dear {{ }},", 9, "{{ customer.first_name }}"),
        ("{{ 'Dear' }}", 4, "words need no braces"),
        ("{{ customer.first_name | default('x') }}", 26, "fallback"),
        ("{{ customer.first_name | title }}", 26, "capitalize"),
        ("{{ customer.first_name | fallback }}", 26, 'fallback("…")'),
        ("{{ customer.first_name | fallback('') }}", 26, 'fallback("…")'),
        ("{{ customer.first_name | fallback(' - ') }}", 26, 'fallback("…")'),
        ("{{ customer.first_name | fallback('{{ x }}') }}", 26, 'fallback("…")'),
        ("{{ customer.first_name | fallback('a\\nBcc: x') }}", 26, 'fallback("…")'),
        ("{{ customer.first_name | upper('x') }}", 26, "| upper"),
        ("{% if customer.size > '36' %}a{% endif %}", 7, "=="),
        ("{% if customer.size == variant.size %}a{% endif %}", 7, "=="),
        ("{% if true %}a{% endif %}", 7, "{% if customer.first_name %}"),
        ("{% if customer.size | lower %}a{% endif %}", 7, "{% if customer.first_name %}"),
    ],
)
def test_a_slip_of_the_keys_is_named_where_it_was_made(text: str, column: int, remedy: str) -> None:
    fault = check(text)[0]
    assert (fault.line, fault.column) == (1, column)
    assert remedy in fault.remedy


def test_every_fault_is_told_at_once_and_each_only_once() -> None:
    faults = check("{{ customer.frist_name }}\n{{ customer.size }}\n{{ customer.size }}\nDear {customer.name}")
    assert [fault.line for fault in faults] == [4]  # what is not a field at all comes first,
    faults = check("{{ customer.frist_name }}\n{{ customer.size }}\n{{ customer.size }}")
    assert [fault.line for fault in faults] == [1, 2, 3]  # then everything else together


def test_nothing_to_say_is_a_fault() -> None:
    assert check("")[0].message == "There are no words here."
    assert "nothing is left" in check("{% if customer.size %}Your size is here.{% endif %}")[0].message


def test_a_subject_has_one_line_and_no_card() -> None:
    assert check("About {{ product.name }}", single_line=True) == []
    assert "one line" in check("About\n{{ product.name }}", single_line=True)[0].message
    assert "{{ product.name }}" in check("{{ product.card }}", single_line=True)[0].remedy
    assert "can be empty" in check("Re: {{ conversation.subject }}", single_line=True)[0].message


def test_a_product_card_stands_alone_on_its_line() -> None:
    assert check("Look:\n\n{{ product.card }}\n") == []
    assert "line of its own" in check("Look: {{ product.card }}")[0].remedy
    assert "without a filter" in check("{{ product.card | upper }}")[0].message
    assert "without a filter" in check("{{ product.link | lower }}")[0].message


def test_a_template_has_a_size() -> None:
    assert "longer" in check("a" * (LONGEST_BODY + 1))[0].message
    assert "longer" in check("a" * (LONGEST_SUBJECT + 1), single_line=True)[0].message


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_are_refused(letter: str) -> None:
    assert "invisible" in check(f"Dear{letter} all")[0].message


def test_what_a_template_needs_is_known_before_it_is_filled() -> None:
    assert needs_of("Dear all", "{{ editor.name }}") == frozenset()
    assert needs_of("{{ product.name }}", "{{ product.card }}") == {"product"}
    assert needs_of("{% if variant.size == '36' %}a{% endif %}{{ product.name }}") == {"product", "variant"}
    assert needs_of("Re: {{ conversation.subject | fallback('you') }}") == frozenset()
    assert needs_of("{{ broken") == frozenset()


@pytest.mark.parametrize(
    ("text", "is_lawful"),
    [
        ("{% if alternative.name %}\nBeside it:\n\n{{ alternative.card }}\n{% endif %}\nYours.", True),
        (
            "{% if alternative.card %}{{ alternative.name }}, {{ alternative.price }}.{% else %}I look.{% endif %}",
            True,
        ),
        ("The {{ alternative.name }} is here.", False),
        ("{% if customer.size %}The {{ alternative.name }} is here.{% endif %}", False),
        ("{% if alternative.name %}In {{ customer.size }}.{% else %}I look.{% endif %}", False),
        ("{% if not alternative.name %}The {{ alternative.price }}.{% else %}I look.{% endif %}", False),
    ],
)
def test_to_ask_for_one_field_of_the_alternative_is_to_ask_for_all(text: str, is_lawful: bool) -> None:
    assert (check(text) == []) is is_lawful
    assert speaks_of("alternative", text)


def test_every_field_has_a_sample_that_is_lawful() -> None:
    assert all(field.sample and str(field.label) for field in MERGE_FIELDS.values())
    assert {name for name, field in MERGE_FIELDS.items() if field.may_be_empty} == {
        "customer.first_name",
        "customer.name",
        "customer.size",
        "conversation.subject",
        *(name for name in MERGE_FIELDS if name.startswith("alternative.")),
    }
