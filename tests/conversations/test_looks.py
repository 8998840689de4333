"""What stands in a frame, how high, and what its frame may show: rules from a mail's HTML."""

import time

import pytest

from concierge.conversations.looks import HIGHEST, LOWEST, frame_height, lay_out_letter, look_at
from concierge.mailing import letters

CARD = letters.Card("Calanque sandals", "Atelier Mirelle", ("Turquoise", "EU 36"), "https://shop.example/c", "cid:c@x")
QUOTE = letters.Quote("On Tuesday Barbara wrote:", "Is there a pair?", "<b@x>")


def our_letter(*blocks):
    words = letters.Words(text="Dear Barbara", html='<p>Dear <a href="https://shop.example">Barbara</a></p>')
    signature = letters.Signature("Nadia Ferrant", "Fashion Editor", "cid:face@x")
    letter = letters.render_letter(
        "reply", "en", subject="S", house="Maison", blocks=(words, *blocks), signature=signature, quote=QUOTE
    )
    return letter.html


HERS = "<div>Yes please!</div><details data-fold><summary>…</summary>{}</details>"


def test_two_words_above_our_quoted_letter_are_two_words():
    assert not look_at(HERS.format(our_letter(CARD)), "Yes please!", is_ours=False).is_rich
    assert look_at(our_letter(CARD), "Yes please!", is_ours=False).is_rich  # the control: nothing is folded


@pytest.mark.parametrize(
    ("html", "rich"),
    [
        ("<p>Look: <img src='cid:heel@phone'></p>", True),
        ("<table><tr><td>36</td><td>yes</td></tr></table>", True),
        ("<table><tr><td>Only a wrapper</td></tr></table>", False),
        ("<p>Hello</p><img src='https://count.example/1.gif' width='1' height='1'>", False),
        ("<p>Hello</p><img alt='nothing'>", False),
    ],
)
def test_pictures_and_tables_of_her_own_need_a_frame(html, rich):
    assert look_at(html, "Hello", is_ours=False).is_rich is rich


def test_a_letter_of_ours_is_framed_for_its_pieces_and_never_offers_to_fetch_them():
    assert not look_at(our_letter(), "Dear Barbara", is_ours=True).is_rich
    with_card = look_at(our_letter(CARD), "Dear Barbara", is_ours=True)
    assert with_card.is_rich and not with_card.fetches
    quoting = look_at(HERS.format(our_letter(CARD)), "Yes", is_ours=False)
    assert not quoting.fetches
    assert look_at("<img width=300 src='https://shop.example/a.png'>", "", is_ours=False).fetches  # the control


def test_a_frame_is_as_high_as_what_it_holds():
    assert frame_height("Yes", [], is_ours=False) == LOWEST
    some, more = (frame_height("A line of words.\n" * n, [], is_ours=False) for n in (10, 20))
    assert LOWEST < some < more < HIGHEST
    assert frame_height("", [240], is_ours=False) > 240
    assert frame_height("L" * 100_000, [], is_ours=False) == HIGHEST
    wide = look_at('<img src="cid:a" width="1840" height="920">', "", is_ours=False)
    assert wide.height == frame_height("", [230], is_ours=False)


def test_a_letter_of_ours_keeps_its_columns_and_folds_what_it_answers():
    shown, sheet = lay_out_letter(our_letter(CARD), pictures={"c@x": "/c.jpg"}, fold_label="Earlier")
    assert "mj-column-per-44" in shown.html and ".mj-column-per-44 { width:44%" in sheet
    above, folded = shown.html.split("<details data-fold")
    assert "Calanque sandals" in above and "/c.jpg" in above and "Is there a pair?" not in above
    assert "<summary>Earlier</summary>" in folded and "Is there a pair?" in folded


@pytest.mark.parametrize("piece", ["<img ", "<img src=", "<details data-fold", "<td", "<table><"])
def test_a_mail_made_to_be_slow_is_looked_at_in_a_moment(piece):  # T08
    began = time.perf_counter()
    look_at(piece * (600_000 // len(piece)), "", is_ours=False)
    assert time.perf_counter() - began < 2
