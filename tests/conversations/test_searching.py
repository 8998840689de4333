"""The search, on whichever database the tests run."""

import pytest

from concierge.addresses import Address
from concierge.conversations.commands import FileIn, assign_conversation, close_conversation, tag_conversation
from concierge.conversations.search_terms import parse
from concierge.conversations.searching import search_conversations
from tests.conversations.stories import answer, receive
from tests.factories import HOUR, NOW, make_editor


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def house(session, nadia):
    """Three conversations: Barbara's sandals (answered, hers), Chloé's dress (closed, a photo), Anna's bag."""
    sandals = receive(session, text="Is there a pair of the turquoise sandals left in 36?").conversation
    answer(session, sandals, by=nadia, text="Dear Barbara, one pair of espadrilles is left.")
    photo = FileIn("mirror-selfie.jpg", "image/jpeg", 10, "0" * 64)
    dress = receive(
        session, "Chloé Martin", subject="Robe d'été", text="La robe bleue, déjà vendue?", attachments=(photo,)
    )
    close_conversation(session, dress.conversation, by=nadia, now=NOW)
    bag = receive(session, "Anna Berg", subject="A bag", text="The silk dress and a sandal-coloured bag").conversation
    tag_conversation(session, bag, name="wedding", by=nadia, now=NOW)
    session.commit()
    return {sandals.id: "sandals", dress.conversation_id: "dress", bag.id: "bag"}


def found(session, house, nadia, typed):
    page = search_conversations(session, parse(typed), editor=nadia)
    return [house[hit.row.id] for hit in page.rows]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("turquoise ", ["sandals"]),
        ("TURQUOISE sandals ", ["sandals"]),
        ("sand", ["bag", "sandals"]),
        ("sand ", []),
        ("sand* ", ["bag", "sandals"]),
        ("espadrilles", ["sandals"]),
        ("ete", ["dress"]),
        ("été ", ["dress"]),
        ("deja", ["dress"]),
        ('"silk dress"', ["bag"]),
        ('"dress silk"', []),
        ("chloe", ["dress"]),
        ("from:chloé", ["dress"]),
        ("from:barbara@example.com", ["sandals"]),
        ("from:nadia", ["sandals"]),
        ("from:barbara espadrilles", []),
        ("barbara espadrilles", ["sandals"]),
        ("selfie", ["dress"]),
        ("with:attachment", ["dress"]),
        ("robe with:attachment", ["dress"]),
        ("sandals with:attachment", []),
        ("is:open", ["bag", "sandals"]),
        ("is:closed", ["dress"]),
        ("is:closed is:open", ["bag", "dress", "sandals"]),
        ("is:mine", ["sandals"]),
        ("is:unassigned is:open", ["bag"]),
        ("is:mine sand", ["sandals"]),
        ("tag:wedding", ["bag"]),
        ("tag:Wedding sandals", []),
        ("' OR 1=1 --", []),
        ('") OR *', []),
        ("", []),
    ],
)
def test_what_is_typed_is_found(session, house, nadia, typed, expected):
    assert found(session, house, nadia, typed) == expected


def test_the_place_of_the_words_is_shown(session, house, nadia):
    hit = search_conversations(session, parse("espadr"), editor=nadia).rows[0]
    assert [piece.text for piece in hit.snippet if piece.found] == ["espadrilles"]


def test_a_conversation_is_found_once_over_all_pages(session, nadia):
    first = receive(session, text="sandals")
    for hour in range(3):
        receive(session, "Chloé Martin", text="sandals", at=NOW + hour * HOUR)
        receive(session, text="sandals again", references=(first.rfc_message_id,), at=NOW + hour * HOUR)
    session.commit()
    seen, after = [], None
    for _page in range(10):
        page = search_conversations(session, parse("sandals"), editor=nadia, after=after, limit=1)
        seen += [hit.row.id for hit in page.rows]
        if (after := page.next) is None:
            break
    assert len(seen) == len(set(seen)) == 4
    assert after is None


def test_a_very_long_mail_is_still_found(session, nadia):
    receive(session, text="word " * 60_000 + "last", sender=Address("", "barbara@example.com"))
    session.commit()
    assert search_conversations(session, parse("word"), editor=nadia).rows


def test_a_reassigned_conversation_is_found_as_hers(session, house, nadia):
    chiara = make_editor(session, "Chiara Bellini")
    bag = next(hit for hit in search_conversations(session, parse("tag:wedding"), editor=nadia).rows)
    from concierge.conversations.queries import get_conversation

    assign_conversation(session, get_conversation(session, bag.row.id), chiara, by=nadia, now=NOW)
    session.commit()
    assert found(session, house, chiara, "is:mine") == ["bag"]
