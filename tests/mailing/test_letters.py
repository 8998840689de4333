import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from concierge.config import house_folder
from concierge.mailing import letters
from concierge.mailing.letters import Card, Letter, Quote, Signature, Words, introduce, quoted, render_letter

ROME = ZoneInfo("Europe/Rome")
ASKED = datetime(2026, 11, 20, 9, 12, tzinfo=ROME)

LIDO = Card(
    "Lido Sandal", "Solenne", ("Sea glass", "size 36", "€ 420"), "https://shop.example/lido?a=1&b=2", "cid:lido"
)


def reply_values(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "subject": "Re: The turquoise sandals in 36",
        "house": "Maison Solenne",
        "blocks": (
            Words("Dear Barbara,\n\nwhat a pleasure.", "<p>Dear Barbara,</p><p>what a <strong>pleasure</strong>.</p>"),
            LIDO,
            Words("Warmly,", "<p>Warmly,</p>"),
        ),
        "signature": Signature("Nadia Ferrant", "Fashion Editor", "cid:nadia"),
        "quote": Quote(introduce("en", name="Barbara Weiss", sent_at=ASKED), "Do you have them?\n\nBarbara", "<q@x>"),
    }
    return values | changes


def reply(**changes: Any) -> Letter:
    return render_letter("reply", "en", **reply_values(**changes))


def visible(html: str) -> str:
    page = lxml.html.document_fromstring(html)
    for hidden in page.xpath("//style|//title|//*[contains(@style, 'display:none')]"):
        hidden.drop_tree()
    return " ".join(page.text_content().split())


def test_the_text_of_a_reply_is_written_not_stripped():
    assert reply().text == (
        "Dear Barbara,\n\nwhat a pleasure.\n\n"
        "    Lido Sandal, Solenne\n    Sea glass · size 36 · € 420\n    https://shop.example/lido?a=1&b=2\n\n"
        "Warmly,\n\n\n"
        "Nadia Ferrant\nFashion Editor\nMaison Solenne\n\n\n"
        "On Friday, 20 November 2026 at 09:12, Barbara Weiss wrote:\n"
        "> Do you have them?\n>\n> Barbara\n"
    )


def test_both_parts_say_the_same():
    letter = reply()
    seen = visible(letter.html)
    for words in ("what a pleasure", "Lido Sandal", "Sea glass · size 36 · € 420", "Nadia Ferrant", "Fashion Editor"):
        assert words in letter.text
        assert words in seen
    assert "Barbara Weiss wrote:" in seen
    assert "Do you have them?" in seen


def test_it_looks_like_a_person_wrote_it():
    letter = reply()
    for machine in ("reply above", "ticket", "do not reply", "unsubscribe", "case #"):
        assert machine not in (letter.text + letter.html).lower()
    assert letter.subject == "Re: The turquoise sandals in 36"


def test_what_people_wrote_is_never_markup_or_template():  # T06
    trick = '</td><script>alert(1)</script>{{ 7*7 }}{% if %}"&<b>'
    letter = reply(
        subject=trick,
        house=trick,
        blocks=(
            Words(trick, "<p onclick=x>hi<script>alert(1)</script><img src=x></p>"),
            Card(*[trick] * 2, (trick,), trick),
        ),
        signature=Signature(trick, trick, "cid:x"),
        quote=Quote(trick, trick, trick),
    )
    page = lxml.html.document_fromstring(letter.html)
    assert page.xpath("//script|//b|//@onclick") == []
    assert "49" not in visible(letter.html)
    assert trick in letter.text
    assert "</td><script>alert(1)</script>{{ 7*7 }}" in visible(letter.html)


def test_a_subject_is_one_line_without_control_characters():  # T06, T07
    assert reply(subject="Re: hi\r\nBcc: mallory@evil.example\x85x").subject == "Re: hi Bcc: mallory@evil.example x"
    assert "\x0c" not in reply(quote=Quote("Barbara wrote:", "a\x0cb\x00c")).text


def test_a_missing_value_is_an_error_not_a_hole():
    values = reply_values()
    del values["signature"]
    with pytest.raises(UndefinedError, match="signature"):
        render_letter("reply", "en", **values)


def test_without_photo_title_picture_or_quote_nothing_gapes():
    card = Card("Lido Sandal", "", ("€ 420",), "https://shop.example/lido")
    letter = reply(blocks=(card,), signature=Signature("Nadia Ferrant"), quote=None)
    assert "<img" not in letter.html
    assert "wrote:" not in letter.html
    assert letter.text == (
        "    Lido Sandal\n    € 420\n    https://shop.example/lido\n\n\nNadia Ferrant\nMaison Solenne\n"
    )


@pytest.mark.parametrize("cards", [0, 1, 2, 5])
def test_inlining_the_template_once_equals_inlining_each_mail(cards):
    values = reply_values(blocks=(Words("a", "<p>a</p>"), *[LIDO] * cards, Words("b", "<p>b</p>")))
    values |= {"preview": "a"}
    folder = house_folder("emails")
    source = letters.compiled(
        (folder / "layout.mjml").read_text("utf-8"), (folder / "reply" / "body.mjml").read_text("utf-8")
    )
    environment = letters._environment("en", html=True)
    once = environment.from_string(letters.inlined(source)).render(values)
    each = letters._INLINER.inline(environment.from_string(source).render(values))
    assert normal(once) == normal(each)
    assert once.count("Lido Sandal") == 2 * cards  # the picture's alt text and the name


def test_inlining_without_holding_the_template_aside_loses_the_loop():
    source = "<table><tbody>{% for x in (1, 2) %}<tr><td>{{ x }}</td></tr>{% endfor %}</tbody></table>"
    environment = letters._environment("en", html=True)
    assert "<tr><td>1</td></tr><tr><td>2</td></tr>" in environment.from_string(letters.inlined(source)).render()
    with pytest.raises(UndefinedError):  # the loop was moved out of the table, its rows were not
        environment.from_string(letters._INLINER.inline(source)).render()


def normal(html: str) -> str:
    page = lxml.html.document_fromstring(html)
    for element in page.xpath("//*[@style]"):
        declarations = (one.partition(":") for one in element.get("style").split(";") if one.strip())
        element.set("style", ";".join(sorted(f"{name.strip()}:{value.strip()}" for name, _, value in declarations)))
    return lxml.html.tostring(page).decode()


def test_the_layout_holds_where_style_sheets_do_not():
    html = reply().html
    body = html[html.index("<body") :]
    assert "color-scheme" in html and "prefers-color-scheme: dark" in html
    assert "<!--[if mso" in body
    assert body.count("<!--[if") == body.count("<![endif]-->")
    paragraphs = re.findall(r"<p style=\"display:block;margin:0 0 18px 0;\">", body)
    assert len(paragraphs) == 3
    assert 'class="serif signed-name" style="' in body
    assert len(html) < 60_000  # Gmail cuts a mail off at 102 KB
    assert not re.search(r"(src|href)=\"(?!cid:|https://)", body)


def test_every_picture_says_what_it_shows():
    page = lxml.html.document_fromstring(reply().html)
    assert [(img.get("src"), img.get("alt")) for img in page.xpath("//img")] == [
        ("cid:lido", "Lido Sandal"),
        ("cid:nadia", "Nadia Ferrant"),
    ]


def test_the_quote_folds_where_mail_programs_fold():
    page = lxml.html.document_fromstring(reply().html)
    (quote,) = page.xpath('//blockquote[@class="gmail_quote" and @type="cite"]')
    assert quote.get("cite") == "mid:q@x"
    assert quote.text_content().split() == ["Do", "you", "have", "them?", "Barbara"]


def test_deeper_quotes_stay_deeper():
    assert quoted("hello\n> before\n>> long before\n\nbye") == "> hello\n>> before\n>>> long before\n>\n> bye"


def test_dates_are_written_in_her_language():
    assert introduce("it", name="Barbara", sent_at=ASKED).count("venerdì 20 novembre 2026") == 1
    assert "Friday, 20 November 2026 at 09:12, Barbara" in introduce("en", name="Barbara\r\n", sent_at=ASKED)
    assert "Friday" in introduce("xx", name="Barbara", sent_at=ASKED)


def test_a_password_letter_carries_its_link_in_both_parts():
    values = {"house": "Maison Solenne", "name": "Nadia", "link": "https://c.example/reset/a?b=1&c=2", "hours": 2}
    letter = render_letter("password_reset", "en", **values)
    assert letter.subject == "A new password for Maison Solenne"
    assert "\nhttps://c.example/reset/a?b=1&c=2\n" in letter.text
    assert 'href="https://c.example/reset/a?b=1&amp;c=2"' in letter.html
    assert "The link works for 2 hours." in letter.text
    assert "The link works for 1 hour." in render_letter("password_reset", "en", **values | {"hours": 1}).text


@given(st.text(max_size=200), st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_name_and_any_history_can_be_answered(text, name):  # T06
    letter = reply(quote=Quote(name, text), signature=Signature(name), house=name)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", letter.text + letter.html + letter.subject)
