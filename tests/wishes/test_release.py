"""Offers leave: as her editor, in her conversation, one mail a person, or with the reason why not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from concierge.accounts import commands
from concierge.accounts.models import Editor
from concierge.conversations.models import Conversation, ConversationState, Message
from concierge.customers.commands import withdraw_consent
from concierge.mailing.commands import suppress
from concierge.mailing.models import Delivery, DeliveryState, SuppressionReason
from concierge.mailing.sheets import unfold
from concierge.tokens import reply_key
from concierge.wishes import leaving, release
from concierge.wishes.offer_mail import Links, Reader, write
from concierge.wishes.offer_models import Offer, OfferEnding
from tests.catalogue.builders import make_picture, make_product
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_customer, make_editor
from tests.wishes.builders import FRIDAY, restock, sandals, save_policy, wish_for


@pytest.fixture
def nadia(session, at):
    nadia = make_editor(session, language="en")
    save_policy(session, hold_hours=24)
    session.commit()
    return nadia


def _all(session, kind):
    """Every row as it is now; the test's transaction ends with it, for it holds the write lock."""
    rows = list(session.scalars(sa.select(kind).order_by(kind.id).execution_options(populate_existing=True)))
    session.commit()
    return rows


def deliveries(session):
    return _all(session, Delivery)


def offers(session):
    return _all(session, Offer)


def the_mail(session, store, number=0):
    return unfold(deliveries(session)[number].content, store.get)


def test_an_offer_leaves_as_her_editors_reply_in_her_conversation(session, sessions, config, store, nadia):
    asked = receive(session, text="Do tell me when the 36 is back.", at=NOW)
    answer(session, asked.conversation, by=nadia, at=NOW + HOUR)
    [variant] = sandals(session)
    wish_for(session, variant, customer=asked.conversation.customer, conversation=asked.conversation)
    restock(session, variant)
    assert release.release_due(config, sessions) == 1
    mail = the_mail(session, store)
    assert (mail.sender.name, mail.sender.address) == ("Nadia Ferrant", "care@maison-solenne.example")
    assert mail.to.address == "barbara@example.com"
    assert mail.subject == "Re: The turquoise sandals"
    assert mail.in_reply_to == f"<{asked.rfc_message_id}>"
    key = reply_key(config.secret, asked.conversation_id)
    assert mail.reply_to.address == f"care+{key}@maison-solenne.example"
    assert f".{key}@" in mail.message_id
    [offer] = offers(session)
    message = session.get(Message, offer.message_id)
    assert (message.conversation_id, message.editor_id, message.text) == (asked.conversation_id, nadia.id, mail.text)
    assert (offer.left_at, offer.editor_id, offer.delivery_id) == (FRIDAY, nadia.id, deliveries(session)[0].id)


def test_the_letter_says_what_until_when_and_how_to_answer(session, sessions, config, store, nadia):
    [variant] = sandals(session)
    wish_for(session, variant)
    restock(session, variant)
    release.release_due(config, sessions)
    mail = the_mail(session, store)
    # 24 waking hours from Friday 14:00 in Rome: 8 on Friday, 14 on Saturday, 2 on Sunday
    assert "Held for you until Sunday 17 May at 10:00." in mail.text
    assert offers(session)[0].held_until == datetime(2026, 5, 17, 8, 0, tzinfo=UTC)
    assert mail.subject == "Calanque sandals, EU 36, put aside for you"
    assert "Dear Barbara,\n\nwhat you asked for is back: Calanque sandals, EU 36." in mail.text
    assert "Turquoise · EU 36 · €420" in mail.text
    for wanted in ("take", "pass", "not-now"):
        assert f"?want={wanted}" in mail.text
        assert f"?want={wanted}" in mail.html
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.headers["List-Unsubscribe"].startswith(f"<{config.base_url}/unsubscribe/")
    assert mail.headers["List-Unsubscribe"].strip("<>") in mail.text


def test_without_a_conversation_one_begins_that_waits_for_nobody(session, sessions, config, nadia):
    [variant] = sandals(session)
    wish = wish_for(session, variant)
    restock(session, variant)
    release.release_due(config, sessions)
    [conversation] = session.scalars(sa.select(Conversation))
    assert (conversation.state, conversation.waiting_since) == (ConversationState.CLOSED, None)
    assert conversation.editor_id == nadia.id
    assert conversation.first_line.startswith("what you asked for is back: Calanque sandals, EU 36.")
    session.refresh(wish)
    assert wish.conversation_id == conversation.id


def test_a_letter_is_no_answer_to_what_she_asked_meanwhile(session, sessions, config, nadia):
    asked = receive(session, text="And where is my parcel?", at=NOW)
    [variant] = sandals(session)
    wish_for(session, variant, customer=asked.conversation.customer, conversation=asked.conversation)
    restock(session, variant)
    release.release_due(config, sessions)
    conversation = session.get(Conversation, asked.conversation_id, populate_existing=True)
    assert conversation.waiting_since == NOW
    assert conversation.last_message_at == FRIDAY


def test_who_is_told_with_others_is_promised_nothing(session, sessions, config, store, nadia):
    """The bounded rule: whoever takes it first gets it, so that no letter says "held for you", not even the first's."""
    save_policy(session, rule="bounded", alpha=0.5, prior_taken=1.0, prior_passed=2.0)
    [variant] = sandals(session)
    for name in ("Barbara Rossi", "Chloe Martin", "Anna Bianchi"):
        wish_for(session, variant, name=name)
    restock(session, variant)
    assert release.release_due(config, sessions) == len(deliveries(session)) > 1
    assert [each.holds for each in offers(session)] == [True] + [False] * (len(offers(session)) - 1)
    for number in range(len(deliveries(session))):
        mail = the_mail(session, store, number)
        assert "Yours as soon as you take it, while there is one" in mail.text
        for promise in ("Held for you", "put aside for you", "put it aside"):
            assert promise not in mail.subject + mail.text + mail.html


def test_nothing_leaves_twice(session, sessions, config, nadia):
    [variant] = sandals(session)
    wish_for(session, variant)
    restock(session, variant)
    assert [release.release_due(config, sessions) for _time in range(3)] == [1, 0, 0]
    assert len(deliveries(session)) == 1


def test_several_pieces_for_one_person_travel_in_one_mail_each_with_its_own_hold(
    session, sessions, config, store, nadia
):
    [sandal] = sandals(session)
    boots = make_product(session, "BRERA", name="Brera boots", category="boots", sizes={"36": 0}).variants[0]
    barbara = make_customer(session, timezone="Europe/Rome")
    wish_for(session, sandal, customer=barbara)
    wish_for(session, boots, customer=barbara)
    restock(session, sandal)
    restock(session, boots)
    assert release.release_due(config, sessions) == 2
    [delivery] = deliveries(session)
    mail = the_mail(session, store)
    assert mail.text.count("Held for you until") == 2
    assert len({offer.delivery_id for offer in offers(session)}) == 1
    assert "Calanque sandals" in mail.text
    assert "Brera boots" in mail.text
    assert mail.subject == "What you asked for is back"
    assert delivery.key == f"offer:{offers(session)[0].id}"


def test_similar_pieces_are_in_her_own_sizes_and_cost_no_more_than_she_would_pay(
    session, sessions, config, store, nadia
):
    [sandal] = sandals(session)
    make_product(session, "MAREA", name="Marea sandals", price_cents=43_000, sizes={"36": 3})
    make_product(session, "LUNA", name="Luna sandals", price_cents=46_000, sizes={"36": 3})
    grace = make_customer(session, "Grace Byron", "grace@example.com", country="GB")
    wish_for(session, sandal, customer=grace, or_similar=True, ceiling_cents=45_000)
    restock(session, sandal)
    release.release_due(config, sessions)
    mail = the_mail(session, store)
    assert "Marea sandals" in mail.text and "Luna sandals" not in mail.text
    assert mail.text.count("UK 3 (EU 36)") >= 3 and "EU 36" not in mail.text.replace("UK 3 (EU 36)", "")


def test_what_waits_on_the_desk_for_less_than_an_hour_travels_with_what_is_due(session, sessions, config, nadia, at):
    save_policy(session, desk_minutes=30)
    [sandal] = sandals(session)
    boots = make_product(session, "BRERA", category="boots", sizes={"36": 0}).variants[0]
    barbara = make_customer(session, timezone="Europe/Rome")
    wish_for(session, sandal, customer=barbara)
    wish_for(session, boots, customer=barbara)
    restock(session, sandal)
    restock(session, boots, now=FRIDAY + 20 * MINUTE)
    at(FRIDAY + 29 * MINUTE)
    assert release.release_due(config, sessions) == 0
    at(FRIDAY + 31 * MINUTE)
    assert release.release_due(config, sessions) == 2
    assert len(deliveries(session)) == 1


def test_nobody_is_woken(session, sessions, config, nadia, at):
    [variant] = sandals(session)
    wish_for(session, variant)
    restock(session, variant)
    at(FRIDAY.replace(hour=23))  # 01:00 in Rome: the worker was away when it was due
    assert release.release_due(config, sessions) == 0
    assert offers(session)[0].leaves_at == datetime(2026, 5, 16, 6, 0, tzinfo=UTC)
    at(datetime(2026, 5, 16, 6, 0, tzinfo=UTC))
    assert release.release_due(config, sessions) == 1


def test_who_took_her_consent_back_a_moment_ago_gets_nothing_and_the_unit_is_free(session, sessions, config, nadia):
    [variant] = sandals(session)
    wish = wish_for(session, variant)
    restock(session, variant)
    withdraw_consent(session, wish.customer, purpose="wish", way="one-click", now=FRIDAY)
    session.commit()
    assert release.release_due(config, sessions) == 0
    [delivery], [offer] = deliveries(session), offers(session)
    assert (delivery.state, delivery.key) == (DeliveryState.WITHHELD, f"offer:{offer.id}")
    assert "agreed" in delivery.reason
    assert offer.ended_because is OfferEnding.WITHDRAWN
    session.refresh(variant)
    session.refresh(wish)
    assert (variant.promised, wish.skipped_because) == (0, "no_consent")


def test_a_suppressed_address_is_skipped_with_the_reason_on_the_wish(session, sessions, config, nadia):
    [variant] = sandals(session)
    barbara = wish_for(session, variant)
    wish_for(session, variant, customer=make_customer(session, "Chloé Martin", "chloe@example.com"))
    restock(session, variant, units=2)
    suppress(session, "barbara@example.com", reason=SuppressionReason.COMPLAINT, by=None, now=FRIDAY)
    session.commit()
    assert release.release_due(config, sessions) == 1
    states = {each.to_address: each.state for each in deliveries(session)}
    assert states == {"barbara@example.com": DeliveryState.WITHHELD, "chloe@example.com": DeliveryState.QUEUED}
    session.refresh(barbara)
    assert barbara.skipped_because == "complaint"


def test_while_her_editor_is_away_a_colleague_writes_and_says_so(session, sessions, config, store, nadia):
    nadia.active = False
    make_editor(session, "Chiara Lodi")
    [variant] = sandals(session)
    wish_for(session, variant, editor=nadia)
    restock(session, variant)
    release.release_due(config, sessions)
    mail = the_mail(session, store)
    assert mail.sender.name == "Chiara Lodi"
    assert "Nadia is away at the moment, so I am writing in her place" in mail.text
    assert mail.text.index("Warmly,\nChiara") > 0
    [offer] = offers(session)
    assert (offer.editor.name, offer.covered_for.name) == ("Chiara Lodi", "Nadia Ferrant")


def test_an_editor_at_lunch_is_covered_and_keeps_her_customer(session, sessions, config, store, nadia):
    nadia.working_hours = {"4": [["09:00", "13:00"]]}  # Friday morning, Rome
    make_editor(session, "Chiara Lodi")
    [variant] = sandals(session)
    wish_for(session, variant, editor=nadia)
    restock(session, variant)
    release.release_due(config, sessions)
    assert the_mail(session, store).sender.name == "Chiara Lodi"
    [conversation] = session.scalars(sa.select(Conversation))
    assert conversation.editor_id == nadia.id


@pytest.fixture(params=[(-3, 0, "Omar"), (0, 9, "Omar"), (-3, -1, "Nadia"), (1, 9, "Nadia")])
def writer(request, session, nadia):
    """Nadia is away from a day to a day, and named Omar: who writes on Friday."""
    make_editor(session, "Chiara Lodi")
    omar = make_editor(session, "Omar Haddad")
    first_day, last_day = (FRIDAY.date() + timedelta(days=each) for each in request.param[:2])
    commands.enter_absence(
        session, nadia, first_day=first_day, last_day=last_day, stand_in=omar, by=nadia, now=FRIDAY - 4 * DAY
    )
    return request.param[2]


def test_on_the_days_she_is_away_whom_she_named_writes_and_says_so(session, sessions, config, store, writer):
    [variant] = sandals(session)
    wish_for(session, variant, editor=session.scalars(sa.select(Editor).where(Editor.name == "Nadia Ferrant")).one())
    restock(session, variant)
    release.release_due(config, sessions)
    mail = the_mail(session, store)
    assert mail.sender.name.startswith(writer)
    assert ("Nadia is away at the moment, so I am writing in her place" in mail.text) is (writer == "Omar")
    [conversation] = session.scalars(sa.select(Conversation))
    assert conversation.editor.name == "Nadia Ferrant"


def test_who_is_away_is_read_once_for_a_round_of_offers(session, sessions, config, nadia):
    commands.enter_absence(session, nadia, first_day=FRIDAY.date(), last_day=FRIDAY.date(), by=nadia, now=FRIDAY)
    [variant] = sandals(session)
    for number in range(30):
        wish_for(session, variant, customer=make_customer(session, f"C{number}", f"c{number}@example.com"))
    restock(session, variant, units=30)
    asked = []
    engine = sessions.kw["bind"]
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append("FROM absence" in given[2]))
    assert release.release_due(config, sessions) == 30
    assert 1 <= sum(asked) <= 3  # once more where a sheet is made first


def test_what_a_batch_sends_is_byte_for_byte_what_one_letter_at_a_time_would(session, sessions, config, store, nadia):
    variants = sandals(session, s36=0, s37=0)
    make_picture(session, store, variants[0].product)
    make_product(session, "MAREA", name="Marea", sizes={"36": 3, "37": 2})
    names = ["Barbara Rossi", "Chloé Martin", "Zoë <b>&amp;", "", "Anna {{ 7*7 }} %s"]
    for number, name in enumerate(names):
        who = make_customer(
            session, name or "x", f"c{number}@example.com", timezone=["Europe/Rome", "Asia/Tokyo"][number % 2],
            country="GB" if number == 1 else "",
        )  # fmt: skip
        who.name, who.first_name = name, name.partition(" ")[0]
        wish = wish_for(session, *variants[number % 2 :], customer=who, or_similar=number > 1)
        wish.language = ["en", "it"][number % 2]
    for variant in variants:
        restock(session, variant, units=5)
    at_length, whole = [], release.queue_letters

    def listening(session, config, letters, *, now):
        at_length.extend(letters)
        return whole(session, config, letters, now=now)

    release.queue_letters = listening
    try:
        assert release.release_due(config, sessions) == len(names)
    finally:
        release.queue_letters = whole
    moulds = release.moulds_of(config.blobs_url)
    for (addressed, mould), delivery in zip(at_length, deliveries(session), strict=True):
        form = moulds.form_of(session, addressed.manner.mould)
        values = delivery.content["values"]
        letter = write(form, _reader(values, len(addressed.offers)))
        mail = unfold(delivery.content, store.get)
        assert (mail.text, mail.html) == (letter.text, letter.html)
        message = session.scalar(sa.select(Message).where(Message.delivery_id == delivery.id))
        assert message.text == letter.text
        assert mould.blob_key == delivery.content["sheet"]


def _reader(values, count):
    return Reader(
        name=values["name"],
        subject=values["subject"],
        offers=tuple(Links(values[f"offer{number}"]) for number in range(count)),
        held=tuple(values[f"held{number}"] for number in range(count)),
        wishes=values["wishes"],
        unsubscribe=values["unsubscribe"],
    )


def test_a_hundred_letters_take_no_more_statements_than_ten(session, sessions, config, nadia):
    def statements_for(count, code):
        variant = make_product(session, code, sizes={"36": 0}).variants[0]
        for number in range(count):
            wish_for(session, variant, customer=make_customer(session, f"C{number}", f"{code}{number}@example.com"))
        restock(session, variant, units=count)
        release.release_due(config, sessions)  # the sheet is made
        session.commit()
        session.execute(sa.update(Offer).values(left_at=None, delivery_id=None, message_id=None))
        session.execute(sa.text("update delivery set key = key || '-before'"))
        session.commit()
        seen = []
        engine = sessions.kw["bind"]
        sa.event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        assert release.release_due(config, sessions) >= count
        return len(seen)

    few = statements_for(10, "AAA")
    many = statements_for(100, "BBB")
    assert many <= few + 6


def test_the_rule_of_whom_a_letter_goes_to_is_that_of_answers(session):
    thread = leaving.Thread(1, "x", None, last_from=("B.Rossi@Work.example",))
    hers = [("barbara@example.com", True), ("b.rossi@work.example", False)]
    assert leaving.recipient("Barbara", hers, thread).address == "b.rossi@work.example"
    assert leaving.recipient("Barbara", hers, thread._replace(last_from=("mallory@x.example",))).address == hers[0][0]
    assert leaving.recipient("Barbara", hers[1:], None).address == "b.rossi@work.example"
    assert leaving.recipient("Barbara", [], None) is None


def test_an_offer_that_can_not_be_read_lets_the_others_leave(session, sessions, config, nadia):
    if not config.is_sqlite:
        pytest.skip("PostgreSQL keeps no JSON that is none")
    [variant] = sandals(session)
    for name in ("Barbara Rossi", "Chloe Martin"):
        wish_for(session, variant, name=name)
    restock(session, variant, units=2)
    poison, other = [offer.id for offer in offers(session)]
    session.execute(sa.text("UPDATE offer SET similar = '{' WHERE id = :id"), {"id": poison})
    session.commit()
    assert release.release_due(config, sessions) == 1
    left = session.execute(sa.select(Offer.id).where(Offer.left_at.is_not(None))).scalars().all()
    assert left == [other]
    session.commit()
    assert release.release_due(config, sessions) == 0, "it rests"
