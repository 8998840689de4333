"""A reply to an offer before her editor: what it seems to mean, one key to confirm it, and nothing that is too late."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from concierge.accounts.models import Role
from concierge.addresses import Address
from concierge.api.commands import make_key
from concierge.wishes import offering, release
from concierge.wishes.links import hold_token
from concierge.wishes.models import Wish, WishState
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState
from tests.catalogue.builders import make_product
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor, sign_in
from tests.wishes.builders import sandals, save_policy, share_out, wish_for

FRIDAY = datetime(2026, 5, 15, 12, 0, tzinfo=UTC)
LATER = FRIDAY + HOUR


@pytest.fixture
def at(at):
    """It is Friday, until a test says otherwise."""
    at(FRIDAY)
    return at


class Story:
    """Barbara asked Nadia for the sandals; they are back, and the offer has left in that conversation."""

    def __init__(self, session, config, sessions, client):
        self.session, self.config, self.sessions, self.client = session, config, sessions, client
        self.nadia = make_editor(session, language="en")
        save_policy(session)
        session.commit()
        sign_in(client, self.nadia)
        asked = receive(session, text="Do tell me when the 36 is back.", at=NOW)
        answer(session, asked.conversation, by=self.nadia, at=NOW + HOUR)
        self.conversation, self.customer = asked.conversation, asked.conversation.customer
        self.path = "/conversations/1/offers"
        self.offered(sandals(session)[0])
        self.leave()

    def offered(self, variant):
        wish_for(self.session, variant, customer=self.customer, conversation=self.conversation, editor=self.nadia)
        variant.on_hand += 1
        self.session.flush()
        share_out(self.session, variant, now=FRIDAY)
        self.session.commit()

    def leave(self):
        assert release.release_due(self.config, self.sessions) >= 1

    def writes(self, text, at=LATER, **values):
        """She writes in the conversation; the number of her mail."""
        message = receive(self.session, text=text, at=at, language="en", in_reply_to=self.mails(), **values)
        number = message.id
        self.session.commit()
        return number

    def mails(self):
        found = self.session.scalars(sa.select(Offer)).unique().first()
        ids = self.session.scalar(sa.text(f"SELECT rfc_message_id FROM message WHERE id = {found.message_id}"))
        self.session.commit()
        return (ids,)

    def page(self):
        reply = self.client.get(self.path)
        assert reply.status_code == 200
        return reply.get_data(as_text=True)

    def judge(self, verdict, message, offer=None, **headers):
        number = offer or self.offer().id
        return self.client.post(f"{self.path}/{number}/{verdict}", data={"message": message}, headers=headers)

    def offer(self):
        found = self.session.scalars(sa.select(Offer).order_by(Offer.id).execution_options(populate_existing=True))
        first = found.unique().first()
        self.session.commit()
        return first


@pytest.fixture
def story(session, config, sessions, client: FlaskClient, at) -> Story:
    return Story(session, config, sessions, client)


def test_without_a_reply_nothing_is_asked(story):
    assert "No offer waits for her answer here." in story.page()
    assert 'hx-get="/conversations/1/offers"' in story.client.get("/conversations/1").get_data(as_text=True)


def test_a_probable_yes_is_put_before_her_with_its_words_and_one_key_takes_it(story, at):
    message = story.writes("Dear Nadia,\n\nyes please, I'll take them!\n\nBarbara")
    at(LATER)
    shown = story.page()
    assert "Barbara seems to take Calanque sandals, Turquoise, EU 36" in shown
    assert "<q>yes please, I&#39;ll take them!</q>" in shown
    assert shown.count('data-key="y"') == 1
    assert shown.index('data-key="y"') < shown.index("She passes")
    assert story.offer().state is OfferState.OPEN  # looking decides nothing
    for _time in range(2):
        assert story.judge("take", message).status_code == 303
    offer = story.offer()
    assert (offer.state, offer.answered_at) == (OfferState.TAKEN, LATER)
    shown = story.page()
    assert "seems to take" not in shown
    assert "Barbara takes Calanque sandals, Turquoise, EU 36" in shown
    assert "?hold=" in shown
    history = story.client.get("/conversations/1").get_data(as_text=True)
    assert history.count("Nadia Ferrant noted that she takes it") == 1


def test_what_her_friend_in_copy_says_is_no_answer_of_hers(story, at):
    friend = (Address("", "chloé@example.com"),)
    hers = story.writes("I'm asking my sister.", cc=friend)
    story.writes("Yes please, she'll take them!", LATER + MINUTE, name="Chloé Martin")
    at(LATER + HOUR)
    assert "seems to take" not in story.page()
    story.judge("take", hers + 1)
    assert story.offer().state is OfferState.OPEN


@pytest.mark.parametrize(
    ("text", "says", "done"),
    [
        ("No thanks, I found another.", "seems to pass on", ("pass", OfferEnding.PASSED)),
        ("Yes but not now", "seems to say “not now” to", ("put-off", OfferEnding.NOT_NOW)),
        ("I'd love to but can I have them in 37?", "it is for you to say what she means", ("pass", OfferEnding.PASSED)),
    ],
)
def test_no_not_now_and_unsure_are_said_and_done(story, at, text, says, done):
    verdict, ending = done
    message = story.writes(text)
    at(LATER)
    shown = story.page()
    assert says in shown
    assert shown.count('data-key="y"') == (0 if "for you to say" in says else 1)
    story.judge(verdict, message)
    offer = story.offer()
    assert offer.ended_because is ending
    if ending is OfferEnding.NOT_NOW:
        wish = story.session.get(Wish, offer.wish_id, populate_existing=True)
        assert (wish.state, wish.rests_until) == (WishState.WAITING, LATER + 30 * DAY)
        story.session.commit()


def test_set_aside_it_does_not_come_back_until_she_writes_again(story, at):
    message = story.writes("Yes please!")
    at(LATER)
    for _time in range(2):
        story.judge("dismiss", message)
    assert "seems to take" not in story.page()
    assert story.offer().state is OfferState.OPEN
    story.writes("I'll take them.", at=LATER + MINUTE)
    assert "seems to take" in story.page()


def test_when_she_wrote_again_meanwhile_nothing_is_done_and_it_says_so(story, at):
    message = story.writes("Yes please!")
    story.writes("Oh no, not in satin!", at=LATER + MINUTE)
    at(LATER + HOUR)
    said = story.judge("take", message, **{"HX-Request": "true"})
    assert said.status_code == 200
    assert "She has written again meanwhile." in said.get_data(as_text=True)
    assert story.offer().state is OfferState.OPEN
    story.judge("take", message)
    assert "She has written again meanwhile." in story.client.get("/conversations/1").get_data(as_text=True)


def test_an_offer_that_ended_meanwhile_stays_ended_and_it_says_so(story, at, session):
    message = story.writes("Yes please!")
    at(LATER)
    offering.lapse_offer(session, session.get(Offer, story.offer().id), now=LATER)
    session.commit()
    assert "seems to take" not in story.page()
    said = story.judge("take", message, **{"HX-Request": "true"}).get_data(as_text=True)
    assert "This piece is no longer held for you." in said or "no longer held" in said
    assert story.offer().state is OfferState.LAPSED


def test_what_is_no_answer_to_the_offer_is_never_taken_for_one(story, at, session):
    """A mail from before it left, another customer's, a machine's, another customer's offer."""
    story.writes("Yes please!", at=FRIDAY - MINUTE)
    assert "seems to take" not in story.page()
    chloe = receive(session, "Chloé Martin", text="Yes please!", at=LATER, subject="Other")
    number, conversation = chloe.id, chloe.conversation_id
    session.commit()
    shown = story.client.get(f"/conversations/{conversation}/offers").get_data(as_text=True)
    assert "seems to take" not in shown
    path = f"/conversations/{conversation}/offers/{story.offer().id}/take"
    story.client.post(path, data={"message": number})
    assert story.offer().state is OfferState.OPEN


def test_two_pieces_in_one_mail_are_asked_for_one_by_one(story, at, session):
    boots = make_product(session, "BRERA", name="Brera boots", category="boots", sizes={"36": 0}).variants[0]
    story.offered(boots)
    story.leave()
    story.writes("Yes please!")
    shown = story.page()
    assert shown.count("seems to take") == 2
    assert 'data-key="y"' not in shown
    assert "Yes, she takes it: Brera boots, Turquoise, EU 36" in shown


def test_a_merchandiser_decides_nothing(story, at):
    message = story.writes("Yes please!")
    marta = make_editor(story.session, "Marta Lindqvist", role=Role.MERCHANDISER)
    story.session.commit()
    hers = story.client = story.client.application.test_client()
    sign_in(hers, marta)
    assert hers.get(story.path).status_code == 403
    assert story.judge("take", message).status_code == 403
    assert "offer-answers" not in hers.get("/conversations/1").get_data(as_text=True)


def test_the_shops_checkout_asks_whether_a_real_offer_is_held(story, at):
    """The hold API on an offer that left: open, taken, past its time, and over; it never says who she is."""
    with story.sessions() as session:
        _key, secret = make_key(session, name="Shop", scopes=("orders",), by=None, now=FRIDAY)
        session.commit()
    offer = story.offer()
    path, keyed = f"/api/v1/holds/{hold_token(story.config, offer.id)}", {"Authorization": f"Bearer {secret}"}
    held = story.client.get(path, headers=keyed)
    assert held.json == {
        "sku": "CAL-TUR-36",
        "units": 1,
        "price_cents": 42000,
        "currency": "EUR",
        "state": "open",
        "held_until": "2026-05-17T08:00:00Z",
    }
    story.judge("take", story.writes("Yes please!"))
    assert story.client.get(path, headers=keyed).json["state"] == "taken"
    assert story.client.get(path).status_code == 401
    at(FRIDAY + 30 * DAY)
    assert story.client.get(path, headers=keyed).status_code == 410
    at(LATER)
    with story.sessions() as session:
        offering.pass_offer(session, session.get(Offer, offer.id), now=LATER)
        session.commit()
    over = story.client.get(path, headers=keyed)
    assert over.status_code == 410
    assert "barbara" not in (held.get_data(as_text=True) + over.get_data(as_text=True)).lower()


def test_once_she_took_it_the_wishes_beside_the_conversation_ask_anew_and_say_so(story, at):
    message = story.writes("Yes please, I'll take them!")
    at(LATER)
    beside = "/conversations/1/wishes"
    assert "has an offer" in story.client.get(beside).text
    answer = story.judge("take", message, **{"HX-Request": "true"})
    assert answer.status_code == 200 and answer.headers["HX-Trigger"] == "house-changed"
    shown = story.client.get(beside).text
    assert "has an offer" not in shown and ">she took it<" in shown and "Taken; kept for her until" in shown
    story.nadia.language = "it"
    story.session.commit()
    assert ">l’ha preso<" in story.client.get(beside).text
