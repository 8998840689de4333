"""Conversations merged and split, mails moved, and each of them undone."""

import pytest
import sqlalchemy as sa

import concierge.app  # noqa: F401 - every part's tables are known then
from concierge import tokens
from concierge.addresses import Address
from concierge.conversations import queries
from concierge.conversations.carried import CARRIED
from concierge.conversations.commands import add_note, close_conversation, tag_conversation
from concierge.conversations.listing import Folder, count_folders, list_of_customer
from concierge.conversations.models import Conversation, ConversationState
from concierge.conversations.rearrangement_models import (
    AlreadyUndone,
    KnownByHerself,
    NothingLeft,
    NotSplittable,
    OtherCustomer,
    RearrangedSince,
)
from concierge.conversations.rearranging import (
    accept_hint,
    merge_conversations,
    move_message,
    split_conversation,
    undo_rearrangement,
)
from concierge.conversations.search_terms import parse
from concierge.conversations.searching import search_conversations
from concierge.db import Base
from concierge.drafts.commands import open_draft
from concierge.drafts.models import AnswerLeaving, Draft, TwoDrafts
from concierge.mailing.models import Delivery, DeliveryState
from tests.conversations.stories import CARE, SECRET, answer, receive
from tests.factories import DAY, HOUR, NOW, make_editor, sign_in

LATER = NOW + DAY


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def two(session, app, nadia):
    """Two conversations of Barbara's: about sandals, answered; about a dress, not."""
    sandals = receive(session).conversation
    answer(session, sandals, by=nadia, at=NOW + HOUR)
    dress = receive(session, subject="A dress", text="And a dress, in silk?", at=NOW + 2 * HOUR).conversation
    session.flush()
    return sandals, dress


def facts(session, *conversations):
    """All that a conversation is, and what hangs on it."""
    session.flush()
    session.expire_all()
    columns = Conversation.__table__.columns
    rows = [session.execute(sa.select(columns).where(columns.id == each.id)).one()._asdict() for each in conversations]
    for row, each in zip(rows, conversations, strict=True):
        for name, one in CARRIED.items():
            row[name] = session.scalars(sa.select(one.id).where(one.conversation == each.id).order_by(one.id)).all()
        row["tags"] = [tag.name for tag in each.tags]
    return rows


def merge(session, conversation, other, by):
    return merge_conversations(session, conversation, other, by=by, now=LATER)


def undo(session, done, by):
    return undo_rearrangement(session, done, by=by, now=LATER)


def test_everything_that_hangs_on_a_conversation_is_known_here(app):
    keys = [key for table in Base.metadata.tables.values() for key in table.foreign_keys]
    hanging = {key.parent.table.name for key in keys if key.column is Conversation.__table__.c.id}
    assert hanging - {"conversation", "conversation_tag", "rearrangement"} == CARRIED.keys()


def test_a_merge_brings_everything_and_whoever_waits_goes_on_waiting(session, two, nadia):
    sandals, dress = two
    note = add_note(session, dress, text="She loves silk.", by=nadia, now=NOW)
    tag_conversation(session, dress, name="silk", by=nadia, now=NOW)
    close_conversation(session, sandals, by=nadia, now=NOW + HOUR)
    merge(session, sandals, dress, nadia)
    assert [each.subject for each in queries.list_messages(session, sandals)][-1] == "A dress"
    assert (sandals.state, sandals.waiting_since) == (ConversationState.OPEN, NOW + 2 * HOUR)
    assert (sandals.first_line, sandals.last_message_id) == ("And a dress, in silk?", 3)
    assert note.conversation_id == sandals.id
    assert [tag.name for tag in sandals.tags] == ["silk"]
    assert (dress.state, dress.waiting_since, dress.merged_into_id) == (ConversationState.CLOSED, None, sandals.id)


def test_the_old_conversation_leads_to_the_merged_one_and_so_does_mail_that_answers_it(session, two, nadia):
    sandals, dress = two
    theirs = queries.last_incoming(session, dress)
    merge(session, sandals, dress, nadia)
    assert queries.get_conversation(session, dress.id) is sandals
    assert queries.lock_conversation(session, dress.id) is sandals
    local, domain = CARE.split("@")
    keyed = f"{local}+{tokens.reply_key(SECRET, dress.id)}@{domain}"
    assert receive(session, recipients=(keyed,), at=LATER).conversation is sandals
    assert receive(session, in_reply_to=(theirs.rfc_message_id,), at=LATER).conversation is sandals
    assert [row.id for row in list_of_customer(session, sandals.customer_id)] == [sandals.id]
    assert count_folders(session, editor=nadia)[Folder.CLOSED] == 0
    found = search_conversations(session, parse("silk"), editor=nadia)
    assert [each.row.id for each in found.rows] == [sandals.id]


def test_a_merge_that_is_undone_leaves_everything_as_it_was(session, two, nadia):
    sandals, dress = two
    add_note(session, dress, text="She loves silk.", by=nadia, now=NOW)
    tag_conversation(session, dress, name="silk", by=nadia, now=NOW)
    open_draft(session, dress, by=nadia, now=NOW).body = "<p>Of course.</p>"
    session.flush()
    before = facts(session, sandals, dress)
    done = merge(session, sandals, dress, nadia)
    assert facts(session, sandals, dress) != before
    undo(session, done, nadia)
    assert facts(session, sandals, dress) == before
    with pytest.raises(AlreadyUndone):
        undo(session, done, nadia)


def test_what_came_after_a_merge_stays_when_it_is_undone(session, two, nadia):
    sandals, dress = two
    done = merge(session, sandals, dress, nadia)
    reply = answer(session, sandals, by=nadia, at=LATER)
    undo(session, done, nadia)
    assert reply.conversation_id == sandals.id
    assert (sandals.waiting_since, sandals.last_message_id) == (None, reply.id)
    assert (dress.waiting_since, dress.last_message_id) == (NOW + 2 * HOUR, 3)


def test_the_later_of_two_merges_is_undone_first(session, two, nadia):
    sandals, dress = two
    bag = receive(session, subject="A bag", at=LATER).conversation
    before = facts(session, sandals, dress, bag)
    first, second = merge(session, sandals, dress, nadia), merge(session, bag, sandals, nadia)
    assert queries.get_conversation(session, dress.id) is bag
    assert queries.list_existing(session, (dress.id, sandals.id, bag.id, 99)) == (bag.id,)
    assert queries.list_merged(session, bag) == [sandals.id, dress.id]
    with pytest.raises(RearrangedSince):
        undo(session, first, nadia)
    undo(session, second, nadia)
    undo(session, first, nadia)
    assert facts(session, sandals, dress, bag) == before


def test_conversations_of_two_customers_stay_apart(session, two, nadia):  # T23
    hers = receive(session, "Chloé Martin").conversation
    with pytest.raises(OtherCustomer):
        merge(session, two[0], hers, nadia)
    with pytest.raises(OtherCustomer):
        move_message(session, queries.last_incoming(session, two[0]), hers, by=nadia, now=LATER)


def test_an_answer_that_is_just_leaving_speaks_against_it(session, two, nadia):
    sandals, dress = two
    draft = open_draft(session, sandals, by=nadia, now=NOW)
    draft.body, draft.due_at = "<p>Yes.</p>", LATER
    session.flush()
    with pytest.raises(AnswerLeaving):
        merge(session, sandals, dress, nadia)
    with pytest.raises(AnswerLeaving):
        split_conversation(session, queries.list_messages(session, sandals)[1], by=nadia, now=LATER)


def test_words_of_two_drafts_are_never_lost_and_an_empty_one_makes_room(session, two, nadia):
    sandals, dress = two
    here, there = (open_draft(session, each, by=nadia, now=NOW) for each in two)
    here.body, there.body = "<p>One.</p>", "<p>Two.</p>"
    session.flush()
    with pytest.raises(TwoDrafts):
        merge(session, sandals, dress, nadia)
    here.body = ""
    session.flush()
    merge(session, sandals, dress, nadia)
    assert [(each.conversation_id, each.body) for each in session.scalars(sa.select(Draft))] == [
        (sandals.id, "<p>Two.</p>")
    ]


def test_a_split_begins_a_conversation_with_what_came_from_there_on(session, two, nadia):
    sandals, _dress = two
    ours = queries.list_messages(session, sandals)[1]
    before = facts(session, sandals)
    done = split_conversation(session, ours, by=nadia, now=LATER)
    fresh = session.get(Conversation, done.target_id)
    assert [each.id for each in queries.list_messages(session, fresh)] == [ours.id]
    assert (fresh.customer_id, fresh.editor_id) == (sandals.customer_id, nadia.id)
    undo(session, done, nadia)
    assert facts(session, sandals) == before
    assert queries.get_conversation(session, fresh.id) is sandals


def test_after_a_split_each_waits_for_its_own_answer(session, app, nadia):
    first = receive(session)
    talk = first.conversation
    coat = receive(session, text="And a coat?", subject="A coat", at=LATER, references=(first.rfc_message_id,))
    note = add_note(session, talk, text="The navy one.", by=nadia, now=LATER + HOUR)
    before = facts(session, talk)
    done = split_conversation(session, coat, by=nadia, now=LATER + HOUR)
    fresh = session.get(Conversation, done.target_id)
    assert (talk.waiting_since, fresh.waiting_since, fresh.subject) == (NOW, LATER, "A coat")
    assert note.conversation_id == fresh.id
    with pytest.raises(NotSplittable):
        split_conversation(session, first, by=nadia, now=LATER)
    later = receive(session, at=LATER + DAY, references=(coat.rfc_message_id,))
    assert later.conversation is fresh
    undo(session, done, nadia)
    assert later.conversation_id == talk.id  # what came since comes along
    session.delete(later)
    session.flush()
    assert facts(session, talk)[0] | {"last_message_id": 0, "last_message_at": 0, "first_line": 0} == before[0] | {
        "last_message_id": 0, "last_message_at": 0, "first_line": 0
    }  # fmt: skip


@pytest.mark.parametrize("failed", ["before", "after", "both", "none any more"])
def test_after_a_split_the_mark_of_a_failure_stands_where_that_answer_is(session, app, nadia, failed):
    talk = receive(session).conversation
    ours = [answer(session, talk, by=nadia, at=NOW + n * HOUR, delivery=delivery(session, n)) for n in (1, 3)]
    receive(session, at=NOW + 2 * HOUR, references=(ours[0].rfc_message_id,))
    came_back = {"before": ours[:1], "after": ours[1:], "both": ours}.get(failed, [])
    for each in came_back:
        each.delivery.state = DeliveryState.BOUNCED
    talk.failed_at = LATER
    before = facts(session, talk)
    done = split_conversation(session, ours[1], by=nadia, now=LATER)
    fresh = session.get(Conversation, done.target_id)
    marks = (talk.failed_at is not None, fresh.failed_at is not None)
    assert marks == (failed != "after", failed in {"after", "both"})
    undo(session, done, nadia)
    assert facts(session, talk) == before


def test_an_answer_that_failed_takes_its_mark_along_when_it_is_moved(session, two, nadia):
    sandals, dress = two
    ours = queries.list_messages(session, sandals)[1]
    ours.delivery = delivery(session, 1, DeliveryState.BOUNCED)
    sandals.failed_at = LATER
    before = facts(session, sandals, dress)
    done = move_message(session, ours, dress, by=nadia, now=LATER)
    assert (sandals.failed_at, dress.failed_at) == (None, LATER)
    undo(session, done, nadia)
    assert facts(session, sandals, dress) == before


def delivery(session, number, state=DeliveryState.SENT):
    row = Delivery(key=f"reply:{number}", purpose="reply", state=state, message_id=f"<{number}>", to_address="b@example.com", to_normalised="b@example.com", subject="", content={}, due_at=NOW, created_at=NOW)  # fmt: skip  # noqa: E501
    session.add(row)
    session.flush()
    return row


def test_a_question_that_is_moved_is_asked_there(session, two, nadia):
    sandals, dress = two
    lost = receive(session, text="In silk, I meant.", at=LATER + HOUR, references=(first_id(session, sandals),))
    assert lost.conversation is sandals
    close_conversation(session, dress, by=nadia, now=LATER)
    before = facts(session, sandals, dress)
    done = move_message(session, lost, dress, by=nadia, now=LATER + DAY)
    assert (sandals.waiting_since, dress.waiting_since) == (None, LATER + HOUR)
    assert (dress.state, dress.last_message_id) == (ConversationState.OPEN, lost.id)
    undo(session, done, nadia)
    assert facts(session, sandals, dress) == before


def first_id(session, conversation):
    return queries.list_messages(session, conversation)[0].rfc_message_id


def test_the_only_mail_of_a_conversation_is_not_moved_away(session, two, nadia):
    sandals, dress = two
    with pytest.raises(NothingLeft):
        move_message(session, queries.last_incoming(session, dress), sandals, by=nadia, now=LATER)


def test_a_strangers_mail_goes_where_the_hint_says_and_answers_go_to_the_customer_alone(session, two, nadia):  # T23
    sandals, _dress = two
    stray = receive(session, "Mallory Black", references=(first_id(session, sandals),), at=LATER)
    apart = stray.conversation
    assert apart.hint_conversation_id == sandals.id
    done = accept_hint(session, apart, sandals, by=nadia, now=LATER)
    assert stray.conversation_id == sandals.id
    assert queries.find_recipient(session, sandals) == Address("Barbara Rossi", "barbara@example.com")
    assert not queries.has_seen(sandals.customer, stray)
    undo(session, done, nadia)
    assert (stray.conversation_id, apart.hint_conversation_id, apart.merged_into_id) == (apart.id, sandals.id, None)


def test_the_words_of_another_customer_go_nowhere(session, two, nadia):  # T23
    sandals, _dress = two
    receive(session, "Chloé Martin")
    stray = receive(session, "Chloé Martin", references=(first_id(session, sandals),), at=LATER).conversation
    with pytest.raises(KnownByHerself):
        accept_hint(session, stray, sandals, by=nadia, now=LATER)


def test_merging_through_the_pages_and_back(session, two, nadia, client):
    sandals, dress = two
    session.commit()
    sign_in(client, nadia)
    assert "A dress" in client.get(f"/conversations/{sandals.id}/merge").get_data(as_text=True)
    made = client.post(f"/conversations/{sandals.id}/merge", data={"other": dress.id})
    assert (made.status_code, made.headers["Location"]) == (303, f"/conversations/{sandals.id}")
    old = client.get(f"/conversations/{dress.id}?folder=mine")
    assert (old.status_code, old.headers["Location"]) == (302, f"/conversations/{sandals.id}?folder=mine")
    live = client.get(f"/conversations/{dress.id}/refresh?version=x", headers={"HX-Request": "true"})
    assert live.headers["HX-Redirect"] == f"/conversations/{sandals.id}"
    page = client.get(f"/conversations/{sandals.id}").get_data(as_text=True)
    assert "brought “A dress” in here" in page
    assert 'action="/rearrangements/1/undo"' in page
    assert client.post("/rearrangements/1/undo").status_code == 303
    assert client.get(f"/conversations/{dress.id}").status_code == 200
    assert client.post("/rearrangements/1/undo").status_code == 409


def test_splitting_and_moving_through_the_pages(session, two, nadia, client):
    _sandals, dress = two
    session.commit()
    sign_in(client, nadia)
    page = client.get("/messages/2/move").get_data(as_text=True)
    assert 'action="/messages/2/split"' in page
    assert f'name="other" value="{dress.id}"' in page
    assert client.post("/messages/2/move", data={"other": dress.id}).headers["Location"] == f"/conversations/{dress.id}"
    assert "It is the only mail here." in client.get("/messages/1/move").get_data(as_text=True)
    assert client.post("/messages/3/split").status_code == 303
    assert client.post("/messages/2/move", data={}).status_code == 409
