"""A letter for a wish from the form joins her conversation about the piece, and begins one where there is none."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.conversations.commands import close_conversation
from concierge.conversations.models import Conversation, Message
from concierge.wishes import jobs, release
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer
from tests.catalogue.builders import make_product
from tests.conversations.stories import answer, receive
from tests.factories import HOUR, MINUTE, NOW, make_customer, make_editor, make_mailbox
from tests.wishes.builders import FRIDAY, sandals, save_policy, wish_for

SECOND = timedelta(seconds=1)
ITALIAN = {"subject": "Sandali turchesi", "text": "Buongiorno,\n\ncerco i sandali turchesi, taglia 36.\n\nBarbara"}
PARCEL = {"subject": "My parcel", "text": "Dear Maison Solenne,\n\nwhere is my parcel?\n\nBarbara"}


@pytest.fixture
def nadia(session, at):
    nadia = make_editor(session, language="en")
    save_policy(session)
    session.commit()
    return nadia


@pytest.fixture
def offered(session, sessions, config):
    """Units of these come back and are offered; the conversation of the last mail that left."""

    def come_back(*variants):
        for each in variants:
            each.on_hand += 1
        session.commit()
        for each in variants:
            jobs.deal_all(config, sessions, each.id)
        release.release_due(config, sessions)
        session.expire_all()
        last = session.scalar(sa.select(Offer).order_by(Offer.id.desc()).limit(1))
        letter = session.get(Message, last.message_id)
        session.commit()
        return letter

    return come_back


@pytest.mark.parametrize(
    "written",
    [
        ITALIAN,
        PARCEL | {"text": "Is the Calanque sandal back in my size?"},
        PARCEL | {"text": "I mean https://maison.example/shop/CAL-TUR?size=36"},
    ],
)
def test_a_letter_for_a_wish_from_the_form_answers_her_open_mail_about_the_piece(session, nadia, offered, written):
    talk = receive(session, at=NOW, **written)
    answer(session, talk.conversation, by=nadia, at=NOW + HOUR)
    receive(session, at=NOW + HOUR, **PARCEL)  # a newer one, about something else
    [size] = sandals(session)
    wish = wish_for(session, size, customer=talk.conversation.customer, now=NOW - HOUR)
    letter = offered(size)
    assert letter.conversation_id == talk.conversation_id
    assert (letter.subject, letter.in_reply_to) == (f"Re: {talk.subject}", [f"<{talk.rfc_message_id}>"])
    assert session.get(Wish, wish.id).conversation_id == talk.conversation_id
    assert letter.editor_id == nadia.id


def test_it_comes_from_whose_conversation_it_is(session, nadia, offered):
    talk = receive(session, at=NOW, **ITALIAN)
    chiara = make_editor(session, "Chiara Lodi")
    answer(session, talk.conversation, by=chiara, at=NOW + HOUR)
    [size] = sandals(session)
    wish_for(session, size, customer=talk.conversation.customer)
    assert offered(size).editor_id == chiara.id


def test_where_she_wished_for_it_before_she_is_told_of_it(session, nadia, offered):
    talk = receive(session, at=NOW, **PARCEL)
    [size] = sandals(session)
    hers = {"customer": talk.conversation.customer}
    noted = wish_for(session, size, **hers, conversation=talk.conversation)
    noted.end("withdrawn_by_her", now=NOW)
    session.flush()
    wish_for(session, size, **hers)
    assert offered(size).conversation_id == talk.conversation_id


@pytest.mark.parametrize(
    "talk", ["closed", "of something else", "of another piece", "of one like it", "elsewhere", "somebody else's"]
)
def test_a_conversation_that_is_not_about_it_is_left_alone(session, nadia, offered, talk):
    """Negative control: even her only one, of today."""
    [size] = sandals(session)
    make_product(session, "NUIT", name="Nuit mules", category="mules", sizes={"36": 0})
    make_product(session, "MAREA", name="Marea sandals", sizes={"36": 0})
    texts = {
        "of something else": PARCEL,
        "of another piece": {"subject": "Mules", "text": "The Nuit mules in 36?"},
        "of one like it": {"subject": "Sandals", "text": "The turquoise Marea sandals in 36?"},
    }
    asked = receive(session, at=FRIDAY - HOUR, **texts.get(talk, ITALIAN))
    barbara = asked.conversation.customer
    if talk == "closed":
        close_conversation(session, asked.conversation, by=nadia, now=FRIDAY - MINUTE)
    if talk == "somebody else's":
        barbara = make_customer(session, "Chloé Martin", "chloe@example.com")
    wish = wish_for(session, size, customer=barbara)
    if talk == "elsewhere":
        wish.mailbox = make_mailbox(session, address="atelier@maison-solenne.example")
    letter = offered(size)
    assert letter.conversation_id != asked.conversation_id
    assert letter.subject == "Calanque sandals, EU 36, put aside for you"


def test_of_two_about_it_the_newest_is_joined(session, nadia, offered):
    first = receive(session, at=NOW, **ITALIAN)
    second = receive(session, at=NOW + HOUR, **ITALIAN | {"subject": "Ancora i sandali turchesi"})
    assert first.conversation_id != second.conversation_id
    [size] = sandals(session)
    wish_for(session, size, customer=first.conversation.customer)
    assert offered(size).conversation_id == second.conversation_id


@pytest.mark.parametrize("apart", [30 * MINUTE, HOUR + SECOND])
@pytest.mark.usefixtures("nadia")
def test_a_second_letter_within_the_hour_goes_where_the_first_went(session, offered, at, apart):
    together = apart < HOUR
    first, second = sandals(session, s36=0, s38=0)
    barbara = make_customer(session, timezone="Europe/Rome")
    for size in (first, second):
        wish_for(session, size, customer=barbara)
    one = offered(first)
    at(FRIDAY + apart)
    two = offered(second)
    assert one.delivery_id != two.delivery_id
    assert (one.conversation_id == two.conversation_id) is together
    assert two.in_reply_to == ([f"<{one.rfc_message_id}>"] if together else [])
    assert session.scalar(sa.select(sa.func.count()).select_from(Conversation)) == (1 if together else 2)


def test_what_is_said_of_the_piece_goes_before_where_the_last_letter_went(session, nadia, offered, at):
    talk = receive(session, at=NOW, **ITALIAN)
    [size] = sandals(session)
    boots = make_product(session, "BRERA", name="Brera boots", category="boots", sizes={"36": 0}).variants[0]
    for each in (boots, size):
        wish_for(session, each, customer=talk.conversation.customer)
    assert offered(boots).conversation_id != talk.conversation_id
    at(FRIDAY + MINUTE)
    assert offered(size).conversation_id == talk.conversation_id
