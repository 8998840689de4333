"""A customer who writes from another address: proposed when it is sure, and undone to the last row (T23, T25)."""

import pytest
import sqlalchemy as sa

from concierge.addresses import Address
from concierge.conversations import queries
from concierge.conversations.likenesses import Doubt, Likeness
from concierge.conversations.rearrangement_models import Rearrangement
from concierge.conversations.sameness import Proof, how_sure
from concierge.conversations.second_addresses import find_proof
from concierge.customers.commands import decline_unasked
from tests.conversations.stories import answer, receive
from tests.factories import DAY, NOW, make_customer, make_editor, sign_in

LATER = NOW + DAY
ANSWERS = Proof.ANSWERS
WORK = Address("Barbara Rossi", "b.rossi@atelier.example")
SURE = {"answers_ours": True, "told_us": (), "doubts": (), "authentic": None}
TOLD = "You can write to me at B.Rossi@atelier.example."


@pytest.mark.parametrize(
    ("sender", "changes", "sure"),
    [
        (WORK, {}, ANSWERS),
        (Address("BARBARA  rossi", WORK.address), {}, ANSWERS),
        (WORK, {"answers_ours": False, "told_us": [TOLD]}, Proof.NAMED),
        (WORK, {"doubts": [Likeness(Doubt.FIRST)]}, ANSWERS),
        (WORK, {"answers_ours": False}, None),
        (WORK, {"answers_ours": False, "told_us": ["Ask ab.rossi@atelier.example.com"]}, None),
        (Address("Barbara", WORK.address), {}, None),
        (Address("Carlo Rossi", WORK.address), {}, None),
        (Address("Вarbara Rossi", WORK.address), {}, None),  # a letter of another script
        (WORK, {"doubts": [Likeness(Doubt.KNOWN, "barbara@example.com")]}, None),
        (WORK, {"authentic": False}, None),
    ],
)
def test_only_what_is_sure_is_said_to_be_her(sender: Address, changes: dict[str, object], sure: Proof | None):
    assert how_sure(sender, {"Barbara Rossi"}, **SURE | changes) == sure


@pytest.fixture
def nadia(session, app):
    return make_editor(session)


@pytest.fixture
def apart(session, nadia):
    """Barbara answers Nadia's letter, from work."""
    hers = receive(session).conversation
    letter = answer(session, hers, by=nadia, at=NOW)
    work = {"sender": WORK, "in_reply_to": (letter.rfc_message_id,), "at": LATER}
    other = make_customer(session, WORK.name, WORK.address)
    mail = receive(session, who=other, **work)
    assert mail.conversation.hint_conversation_id == hers.id
    session.commit()
    return mail.conversation


def is_proposed(session, apart) -> bool:
    return find_proof(session, apart, queries.list_messages(session, apart), ()) is ANSWERS


def test_one_key_joins_both_and_undoing_puts_back_every_row(session, apart, nadia, client):
    hers, other = queries.get_conversation(session, apart.hint_conversation_id), apart.customer
    she, address = hers.customer, other.addresses[0].id
    before = {(each.id, each.customer_id, each.merged_into_id) for each in (hers, apart)}
    session.commit()  # SQLite: from here on the pages write
    sign_in(client, nadia)
    assert 'data-key="d"' in client.get(f"/conversations/{apart.id}").text
    assert client.post(f"/conversations/{apart.id}/same-person").status_code == 303
    session.expire_all()
    assert [each.address for each in she.addresses] == ["barbara@example.com", WORK.address]
    assert (apart.merged_into_id, apart.customer_id) == (hers.id, she.id)
    done = session.scalar(sa.select(Rearrangement.id))
    session.commit()
    assert client.post(f"/rearrangements/{done}/undo").status_code == 303
    assert client.post(f"/customers/{she.id}/addresses/{address}/separate").status_code == 303
    session.expire_all()
    assert {(each.id, each.customer_id, each.merged_into_id) for each in (hers, apart)} == before
    assert (other.address, she.address, apart.hint_conversation_id) == (WORK.address, "barbara@example.com", hers.id)


def test_said_once_that_it_is_another_it_is_not_proposed_again(session, apart, nadia, client):
    assert is_proposed(session, apart)
    session.commit()
    sign_in(client, nadia)
    client.post(f"/conversations/{apart.id}/another-person")
    session.expire_all()
    assert not is_proposed(session, apart)
    page = client.get(f"/conversations/{apart.id}").text
    assert 'data-key="d"' not in page
    assert "This may belong to another conversation" in page


def test_who_may_not_be_joined_is_not_proposed(session, apart):
    decline_unasked(session, apart.customer, by=None, way="mail", now=NOW)
    assert not is_proposed(session, apart)
