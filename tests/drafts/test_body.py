"""The body survives every form it takes, and nothing foreign survives in it."""

import contextlib
import json
import time
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.drafts import body, html, plain_text
from concierge.drafts.blocks import Card, Listing, Paragraph, Picture, Quote, Run, tidy

ODD = "ab é*[]()\\->#1.2) \u00a0\n\t\ufeff`_<&>\"'🧡\u200d東:/="
TEXTS = st.text(alphabet=ODD, max_size=12) | st.text(max_size=8)
HREFS = st.none() | st.sampled_from(
    [
        "https://maison.example/a(b)",
        "mailto:care@maison.example",
        "javascript:alert(1)",
        "tel:+39 02",
        "HTTP://x/[y]*\\",
    ]
)
RUNS = st.builds(Run, TEXTS, st.booleans(), st.booleans(), HREFS)
LINES = st.lists(RUNS, max_size=5).map(tuple)
PARAGRAPHS = st.builds(Paragraph, st.lists(LINES, max_size=4).map(tuple))
LISTINGS = st.builds(Listing, st.booleans(), st.lists(st.lists(LINES, max_size=3).map(tuple), max_size=4).map(tuple))
QUOTES = st.builds(Quote, st.lists(PARAGRAPHS | LISTINGS, max_size=3).map(tuple))
CARDS = st.builds(Card, st.sampled_from(["SOL-SANDAL-36-TURQ", "a.b/c_1", "not a sku", '"><script>', ""]))
BLOCKS = st.lists(PARAGRAPHS | LISTINGS | QUOTES | CARDS | st.builds(Picture, st.integers(1, 10**9)), max_size=6)


@given(BLOCKS)
@settings(max_examples=150, deadline=None)
def test_any_body_survives_the_way_to_plain_text_and_back(blocks):
    tidied = tidy(blocks)
    assert plain_text.read(plain_text.write(tidied)) == tidied


@given(BLOCKS)
@settings(max_examples=150, deadline=None)
def test_any_body_survives_the_way_to_html_and_back(blocks):
    tidied = tidy(blocks)
    assert html.read(html.write(tidied)) == tidied


@given(st.text(alphabet=ODD + "product picture", max_size=80))
@settings(max_examples=150, deadline=None)
def test_whatever_is_typed_settles_after_one_round(text):
    once = body.from_text(text)
    assert body.from_text(body.to_text(once)) == once
    assert body.clean(once) == once


@given(st.text(max_size=40), st.text(alphabet="<>/abdivpulostrngem =\"'hrefig-datx", max_size=80))
@settings(max_examples=120, deadline=None)
def test_cleaning_twice_changes_nothing_more(text, tags):
    once = body.clean(tags + text + tags)
    assert body.clean(once) == once


@given(
    st.text(alphabet=st.characters(exclude_characters="\n\r", exclude_categories=["C", "Z"]), min_size=1, max_size=30)
)
@settings(max_examples=120, deadline=None)
def test_an_escaped_value_is_shown_as_it_is(value):  # T06
    (paragraph,) = body.read(body.from_text("Dear " + plain_text.escape(value) + ", hello"))
    assert "".join(run.text for run in paragraph.lines[0]) == f"Dear {value}, hello"
    assert all(run == Run(run.text) for run in paragraph.lines[0])


def test_the_plain_text_form_is_what_people_type():
    text = (
        "Dear Barbara,\n\nthe **turquoise** pair in *36* is gone. Look:\n- the [navy one](https://maison.example/n)\n"
        "- or this\n\n[product SOL-36]\n\n1. try\n2. keep\n\n> So sad!\n\n[picture 12]\n\nWarmly\nNadia"
    )
    assert body.from_text(text) == (
        "<p>Dear Barbara,</p><p>the <strong>turquoise</strong> pair in <em>36</em> is gone. Look:</p>"
        '<ul><li>the <a href="https://maison.example/n">navy one</a></li><li>or this</li></ul>'
        '<figure data-product="SOL-36"></figure><ol><li>try</li><li>keep</li></ol>'
        '<blockquote><p>So sad!</p></blockquote><figure data-attachment="12"></figure><p>Warmly<br>Nadia</p>'
    )
    assert body.to_text(body.from_text(text)) == text.replace("Look:\n-", "Look:\n\n-")


@pytest.mark.parametrize(
    "text",
    [
        "5 * 3 * 2",
        "snake *case",
        "**",
        "a ** b ** c",
        "[word](javascript:alert(1))",
        "[product two words]",
        "* * *",
        "****",
    ],
)
def test_what_only_looks_like_a_mark_stays_text(text):
    assert body.words(body.from_text(text)) == text
    assert "<em>" not in body.from_text(text)
    assert "<a" not in body.from_text(text)


def test_what_trix_makes_becomes_paragraphs_lists_and_cards():
    card = json.dumps(
        {"contentType": "application/vnd.house.product", "sku": "SOL-36", "content": "<b onclick=x>photo</b>"}
    )
    picture = json.dumps({"contentType": "application/vnd.house.picture", "attachmentId": "7"})
    trix = (
        f"<div>Dear Barbara,<br><br>one<br>two &amp; <strong>three </strong><del>four</del>"
        f'<figure data-trix-attachment="{escape(card)}"><b>photo</b><figcaption>cap</figcaption></figure>'
        f"<br><br></div><ul><li>a<ul><li>b</li></ul></li></ul><pre>code</pre><h1>Big</h1>"
        f"<blockquote>so<br><br>sad</blockquote>"
        f'<div><figure data-trix-attachment="{escape(picture)}"></figure>\ufeff</div>'
    )
    assert body.clean(trix) == (
        "<p>Dear Barbara,</p><p>one<br>two &amp; <strong>three</strong> four</p>"
        '<figure data-product="SOL-36"></figure><ul><li>a</li><li>b</li></ul><p>code</p><p><strong>Big</strong></p>'
        '<blockquote><p>so</p><p>sad</p></blockquote><figure data-attachment="7"></figure>'
    )
    assert body.cards(body.clean(trix)) == ("SOL-36",)
    assert body.pictures(body.clean(trix)) == (7,)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java\nscript:alert(1)">x</a>',
        "<img src=x onerror=alert(1)>",
        '<figure data-product="&quot;><img src=x onerror=alert(1)>"></figure>',
        '<figure data-trix-attachment=\'{"sku": {"a": 1}}\'></figure>',
        "<figure data-trix-attachment='" + "[" * 5000 + "'></figure>",
        "<style>p{}</style><svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ],
)
def test_nothing_foreign_survives(hostile):
    kept = body.clean(f"<div>before</div>{hostile}")
    assert kept.startswith("<p>before</p>")
    assert not any(word in kept for word in ("<script", "onclick", "onerror", "javascript", "<img", "<style", "trix"))


def test_a_card_inside_a_list_or_a_quote_stands_between_its_halves():
    inside = '<ul><li>a</li><li><figure data-product="X-1"></figure>b</li></ul>'
    assert body.clean(inside) == '<ul><li>a</li></ul><figure data-product="X-1"></figure><ul><li>b</li></ul>'
    quoted = '<blockquote>a<figure data-product="X-1"></figure>b</blockquote>'
    assert body.clean(quoted) == (
        '<blockquote><p>a</p></blockquote><figure data-product="X-1"></figure><blockquote><p>b</p></blockquote>'
    )


def test_finished_text_goes_above_what_was_typed_so_far():
    assert body.add_text("<p>my own words</p>", "Dear B,\n\n[product X-1]") == (
        '<p>Dear B,</p><figure data-product="X-1"></figure><p>my own words</p>'
    )


def test_a_card_and_a_picture_are_added_at_the_end_and_a_picture_taken_out():
    grown = body.add_picture(body.add_card("<p>a</p>", "X-1"), 3)
    assert grown == '<p>a</p><figure data-product="X-1"></figure><figure data-attachment="3"></figure>'
    assert body.without_picture(grown, 3) == '<p>a</p><figure data-product="X-1"></figure>'


def test_a_text_too_long_for_a_mail_is_refused_in_words():
    with pytest.raises(body.BodyTooLong):
        body.from_text("a" * (body.MAX_CHARACTERS + 1))
    with pytest.raises(body.BodyTooLong):
        body.clean("a" * (body.MAX_CHARACTERS + 1))


@pytest.mark.parametrize(
    "piece",
    ["a\n\n", "- a\n", "> a\n", "**a", "*", "[a](", "[a](https://x)", "<div>", "<b><i>", "</div>", "<ul><li>", "\\"],
)
def test_the_longest_text_is_read_quickly(piece):
    long = (piece * body.MAX_CHARACTERS)[: body.MAX_CHARACTERS]
    started = time.process_time()
    with contextlib.suppress(body.BodyTooLong):
        body.clean(long)
    body.from_text(long)
    assert time.process_time() - started < 6
