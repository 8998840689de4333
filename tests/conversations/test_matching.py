"""Whichever way a search takes, it finds the same; what that is, a plain loop over all messages says."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.conversations import matching
from concierge.conversations.indexing import index_message
from concierge.conversations.models import (
    Attachment,
    Conversation,
    ConversationState,
    Direction,
    Message,
    Tag,
    conversation_tag,
)
from concierge.conversations.search_terms import parse
from concierge.conversations.searching import search_conversations
from tests.factories import NOW, make_customer, make_editor, make_mailbox

MESSAGES, TALKS = 60, 24
WORDS = ("sandals", "sandy", "velvet", "silk")
ASKED = (
    "sandals ", "sand", "silk velvet ", '"silk velvet" ', "nothing ", "is:open", "is:mine", "tag:wedding",
    "tag:none silk ", "with:attachment", "is:open silk ", "is:mine is:closed sand", "is:unassigned velvet ",
    "tag:wedding silk ", "with:attachment sandals ", "is:snoozed tag:wedding with:attachment sand",
    "from:barbara silk ", "is:open from:chloe", "from:chlo", "from:chloris", "is:open from:chlor", "from:barb sand",
)  # fmt: skip
# Nothing is tiny; the newest are looked at a few at a time.
STEPS = {"_NEWEST": 3, "_NEWEST_BROAD": 5, "_TINY": -1}
WAYS = {
    "newest": {**STEPS, "_FEW": -1, "_BY_WORDS": 1e9},
    "longer": {**STEPS, "_FEW": -1, "_NEWEST": 20, "_BY_WORDS": 1e9},
    "words": {**STEPS, "_BY_WORDS": 0},
    "filter": {**STEPS, "_BY_FILTER": 0},
    "as it is": {},
}


@pytest.fixture
def house(session):
    """Sixty mails of few words in two dozen conversations, by chance; (message, its words, its conversation)."""
    chance = random.Random(3)
    nadia, mailbox, customer = make_editor(session), make_mailbox(session), make_customer(session)
    session.add(Tag(id=1, name="wedding"))
    session.flush()
    states = list(ConversationState)
    talks = [
        {
            "id": number, "mailbox_id": mailbox.id, "customer_id": customer.id, "created_at": NOW,
            "state": chance.choice(states), "editor_id": chance.choice((nadia.id, None)), "last_message_at": NOW,
        }
        for number in range(1, TALKS + 1)
    ]  # fmt: skip
    session.execute(sa.insert(Conversation), talks)
    tagged = set(chance.sample(range(1, TALKS + 1), 8))
    session.execute(sa.insert(conversation_tag), [{"conversation_id": each, "tag_id": 1} for each in tagged])
    facts = []
    for number in range(1, MESSAGES + 1):
        talk = chance.choice(talks)
        words = [*chance.choices(WORDS, k=chance.randint(1, 3)), chance.choice(("barbara", "chloe", "chloris"))]
        message = Message(
            id=number, conversation_id=talk["id"], mailbox_id=mailbox.id, direction=Direction.IN, to=[], cc=[],
            reply_to=[], text=" ".join(words[:-1]), from_name=words[-1], created_at=NOW + timedelta(minutes=number),
        )  # fmt: skip
        if has_file := chance.random() < 0.4:
            message.attachments = [Attachment(filename="photo.jpg", content_type="image/jpeg", size=1, blob_key="0")]
        session.add(message)
        session.flush()
        index_message(session, message)
        facts.append((number, words, talk, has_file, talk["id"] in tagged))
    session.commit()
    return nadia, facts


def holds(asked, fact, nadia):
    """Whether one message has all that was asked; says nothing about how it is found."""
    _number, words, talk, has_file, is_tagged = fact
    state, owner = talk["state"].value, talk["editor_id"]
    are = {f"is:{state}", "is:mine" if owner == nadia.id else "is:unassigned"}
    are |= {"with:attachment"} if has_file else set()
    are |= {"tag:wedding"} if is_tagged else set()
    are |= {f"from:{words[-1][:letters]}" for letters in range(2, 9)} | {*words}
    if '"' in asked:
        return '"silk velvet"' in asked and "silk velvet" in " ".join(words[:-1])
    pieces = asked.split()
    if not asked.endswith(" ") and pieces[-1] == "sand":
        pieces = [*pieces[:-1]]
        if not any(word.startswith("sand") for word in words):
            return False
    return are.issuperset(pieces)


def expected(asked, facts, nadia):
    newest = {}
    for fact in reversed(facts):
        if holds(asked, fact, nadia):
            newest.setdefault(fact[2]["id"], fact[0])
    return list(newest.items())


def found(session, asked, nadia):
    seen, after = [], None
    while True:
        page = search_conversations(session, parse(asked), editor=nadia, after=after, limit=9)
        seen += [(hit.row.id, hit.message_id) for hit in page.rows]
        if (after := page.next) is None:
            return seen


def test_every_way_finds_what_is_there_once_and_newest_first(session, house, monkeypatch):
    nadia, facts = house
    there = {asked: expected(asked, facts, nadia) for asked in ASKED}
    assert sum(bool(each) for each in there.values()) >= 12
    for way, settings in WAYS.items():
        with monkeypatch.context() as patch:
            for name, value in settings.items():
                patch.setattr(matching, name, value)
            for asked in ASKED:
                assert found(session, asked, nadia) == there[asked], f"{asked} by {way}"


def test_a_single_letter_is_a_word_of_its_own():
    assert [term.prefix for term in parse("s").terms + parse("sa").terms + parse("靴").terms] == [False, True, True]
