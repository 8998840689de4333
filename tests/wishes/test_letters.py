"""The other letters about a wish: may I write to you, do you still want it, it is gone after all."""

from datetime import datetime

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.addresses import Address
from concierge.conversations.models import Message
from concierge.mailing.commands import queue_delivery
from concierge.mailing.letters import Card
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.sheets import unfold
from concierge.wishes import jobs, letters, links, offering
from concierge.wishes.commands import confirm_wish
from concierge.wishes.moulds import moulds_of
from concierge.wishes.offer_models import OfferEnding
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, NOW, make_editor
from tests.mailing.samples import make_mail
from tests.wishes.builders import make_consent, offers, sandals, share_out, wish_for


@pytest.fixture
def nadia(session, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return make_editor(session)


def table(session, config, now=NOW):
    return letters.Table(session, config, moulds_of(config.blobs_url), now)


def mails(session, store):
    return [unfold(each.content, store.get) for each in session.scalars(sa.select(Delivery).order_by(Delivery.id))]


def test_a_wish_an_editor_noted_waits_for_her_yes_which_she_is_asked_for_once(session, config, store, nadia):
    asked = receive(session, text="I love the turquoise ones.")
    [variant] = sandals(session)
    wish = wish_for(
        session, variant, customer=asked.conversation.customer, conversation=asked.conversation, confirmed=False
    )
    for _time in range(2):
        letters.ask_to_confirm(table(session, config), wish, by=nadia)
    [mail] = mails(session, store)
    assert (mail.sender.name, mail.subject) == ("Nadia Ferrant", "Re: The turquoise sandals")
    assert mail.in_reply_to == f"<{asked.rfc_message_id}>"
    assert "May I write to you when it is back" in mail.text
    assert f"{config.base_url}/wish/" in mail.text
    assert links.confirm_link(config, wish.id).rpartition("/")[0] in mail.html
    message = session.scalar(sa.select(Message).where(Message.delivery_id.is_not(None)))
    assert (message.conversation_id, message.text) == (asked.conversation_id, mail.text)


def test_what_she_says_yes_to_names_every_size_that_was_noted(session, config, store, nadia):
    small, large = sandals(session, s36=0, s36_5=0)
    wish = wish_for(session, small, large, confirmed=False)
    letters.ask_to_confirm(table(session, config), wish, by=nadia)
    confirm_wish(session, wish, make_consent(session, wish.customer), now=NOW)
    letters.ask_whether_wanted(table(session, config), wish)
    asked, still = mails(session, store)
    for mail in (asked, still):
        assert "Turquoise, EU 36 · EU 36.5 · €420" in mail.text and "Turquoise, EU 36 · EU 36.5" in mail.html


@pytest.mark.usefixtures("nadia")
def test_before_a_wish_ends_she_is_asked_whether_she_still_wants_it(session, sessions, config, store, monkeypatch):
    [variant] = sandals(session)
    wish = wish_for(session, variant)
    session.commit()
    assert jobs.ask_due(config, sessions) == 0
    monkeypatch.setattr(clock, "now", lambda: wish.expires_at - 10 * DAY)
    assert [jobs.ask_due(config, sessions) for _time in range(2)] == [1, 0]
    [mail] = mails(session, store)
    assert "since 12 May 2026 you have been waiting for this" in mail.text
    assert "If I hear nothing by 8 November 2026, I will let this wish rest" in mail.text
    assert mail.subject == "Do you still want it?"
    assert "List-Unsubscribe-Post" in mail.headers


@pytest.mark.usefixtures("nadia")
def test_a_letter_that_can_wait_waits_for_her_hours_her_holidays_and_the_courtesy_budget(
    session, sessions, config, monkeypatch
):
    [variant] = sandals(session)
    wish = wish_for(session, variant)
    wish.customer.country, day = "IT", (wish.expires_at - 10 * DAY).replace(hour=0)
    session.commit()
    assert (day.month, day.day) == (10, 29)

    def asked_at(moment: datetime) -> int:
        monkeypatch.setattr(clock, "now", lambda: moment)
        return jobs.ask_due(config, sessions)

    assert asked_at(day + 3 * HOUR) == asked_at(day + 20 * HOUR) == 0  # her night
    assert asked_at(day + 3 * DAY + 12 * HOUR) == 0  # All Saints'
    config.policy.closed_days = "10-30"
    assert asked_at(day + DAY + 12 * HOUR) == 0
    noon = day + 12 * HOUR
    offer = queue_delivery(
        session, make_mail(to=Address("", wish.customer.address)), key="offer:1", purpose="offer", now=noon - HOUR
    )
    session.commit()
    assert asked_at(noon) == 0  # an offer an hour ago: she has her rest
    offer.state = DeliveryState.WITHHELD
    session.commit()
    assert asked_at(noon) == 1  # the negative control: it never left


def test_who_was_told_of_a_unit_that_is_gone_gets_an_apology_and_nobody_else(session, config, store, nadia):
    [variant] = sandals(session, s36=2)
    barbara, _chloe = (wish_for(session, variant, name=name) for name in ("Barbara Rossi", "Chloe Martin"))
    share_out(session, variant, now=NOW)
    told, untold = offers(session)
    assert told.wish_id == barbara.id
    told.left_at = NOW
    for offer in (told, untold):
        offering.end_offer(session, offer, OfferEnding.UNITS_GONE, now=NOW)
        letters.apologise(table(session, config), offer)
    [mail] = mails(session, store)
    assert mail.to.address == "barbara@example.com"
    assert "I owe you an apology" in mail.text
    assert "Your wish stands at its old place." in mail.text
    assert mail.subject == "I am sorry: it is gone after all"


@pytest.mark.parametrize("letter", ["wish_confirm", "still_wanted", "offer_gone"])
def test_both_parts_of_a_letter_hold_the_same_links(letter):
    values = {"name": "Barbara", "subject": "s", "house": "Maison Solenne", "preview": "p", "since": "1", "ends": "2"}
    card = Card("Calanque", "Mirelle", ("EU 36",), "")
    written = letters.render_letter(
        letter, "en", **values, card=card, link="https://x/l", wishes="https://x/w", unsubscribe="https://x/u",
        sign_off=letters.Words("Warmly", "<p>Warmly</p>"), signature=letters.Signature("Nadia"),
    )  # fmt: skip
    for address in ("https://x/l", "https://x/w", "https://x/u"):
        assert (address in written.text) == (f'"{address}"' in written.html), address
