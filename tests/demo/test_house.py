import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from click.testing import CliRunner
from PIL import Image
from sqlalchemy.orm import Session

from concierge import blobs
from concierge.accounts import commands as accounts
from concierge.accounts.models import Editor
from concierge.catalogue.ledger import list_imports, list_waiting_events
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.returns import probable_units
from concierge.catalogue.stock_models import Purchase
from concierge.config import read_config
from concierge.conversations.models import (
    Attachment,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageKind,
    Note,
)
from concierge.customers.models import Customer
from concierge.db import Base, make_sessions
from concierge.demo import house
from concierge.demo.cli import demo_command
from concierge.demo.house import NotADemoHouse
from concierge.mailing.mail import Mail, check
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.sheets import unfold
from concierge.wishes.invariants import find_broken_invariants
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState

NOW = datetime(2026, 5, 6, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(migrated, tmp_path_factory) -> Iterator[tuple[Session, blobs.BlobStore]]:
    """A furnished house to look at; a test that changes anything furnishes its own."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(migrated, folder / "concierge.db")
    config = read_config(data=folder)
    sessions = make_sessions(config)
    with sessions() as session:
        house.furnish(session, blobs.open_store(config), now=NOW, config=config)
        session.commit()
        yield session, blobs.open_store(config)
    sessions.kw["bind"].dispose()


@pytest.fixture
def furnished(home) -> Session:
    return home[0]


def counts(session) -> dict[str, int]:
    return {
        table.name: session.scalar(sa.select(sa.func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }


# Beside the two hundred stories: what an offer of this morning began.
BEGUN = 1


def all_of(session, kind):
    return session.scalars(sa.select(kind)).unique().all()


def is_reply(message: Message) -> bool:
    """Whether an editor wrote it at her desk; an offer may begin a conversation, and a colleague may write it."""
    return message.direction is Direction.OUT and message.delivery.purpose == "reply"


def test_the_house_is_full_after_furnishing(furnished):
    found = counts(furnished)
    assert (found["mailbox"], found["editor"], found["product"], found["customer"]) == (2, 4, 42, 62)
    assert (found["conversation"], found["template"]) == (200 + BEGUN, 17)
    assert found["message"] > 450 and found["note"] > 8 and found["mention"] > 5


def test_furnishing_twice_changes_nothing(home):
    session, store = home
    before = counts(session)
    assert house.furnish(session, store, now=NOW + timedelta(days=1)) is False
    assert counts(session) == before


def test_barbara_waits_at_the_top_and_belongs_to_nobody(furnished):
    waiting = sa.select(Conversation).where(
        Conversation.waiting_since.is_not(None), Conversation.state == ConversationState.OPEN
    )
    first = furnished.scalars(waiting.order_by(Conversation.waiting_since)).unique().first()
    assert first.customer.name == "Barbara Ashdown"
    assert first.subject == "The turquoise sandals in 36"
    assert first.editor is None and first.mailbox.address == "care@maison-solenne.example"
    files = furnished.scalars(sa.select(Attachment).join(Message).where(Message.conversation_id == first.id)).all()
    assert [file.content_type for file in files] == ["image/jpeg"]


def test_the_turquoise_sandals_are_sold_out_in_36_and_the_mules_are_not(furnished):
    variants = {each.sku: each for each in all_of(furnished, Variant)}
    assert variants["CAL-TUR-36"].available == 0
    assert variants["CAL-TUR-37"].available == 1
    assert variants["MAR-AQU-36"].available == 1


def test_everything_lies_in_the_last_thirty_days_and_nothing_in_the_future(furnished):
    for each in all_of(furnished, Message):
        assert NOW - timedelta(days=30) <= each.created_at <= NOW
    for each in all_of(furnished, Conversation):
        assert each.closed_at is None or each.created_at <= each.closed_at <= NOW
        assert each.snoozed_until is None or each.snoozed_until > NOW


def test_the_derived_columns_say_what_the_mails_say(furnished):
    messages: dict[int, list[Message]] = {}
    for message in furnished.scalars(sa.select(Message).order_by(Message.id)).unique():
        messages.setdefault(message.conversation_id, []).append(message)
    for each in all_of(furnished, Conversation):
        people = [message for message in messages[each.id] if message.kind is MessageKind.HUMAN]
        assert [message.created_at for message in people] == sorted(message.created_at for message in people)
        assert each.last_message_id == messages[each.id][-1].id
        assert each.last_message_at == people[-1].created_at
        said = [message for message in people if message.direction is Direction.IN or is_reply(message)]
        waits = bool(said) and said[-1].direction is Direction.IN and each.state is not ConversationState.CLOSED
        assert each.waiting_since == (said[-1].created_at if waits else None)
        assert (each.state is ConversationState.CLOSED) == (each.closed_at is not None)
        answers = [message for message in people if is_reply(message)]
        assert not answers or each.editor is answers[-1].editor


def test_every_kind_of_conversation_is_there(furnished):
    everything = all_of(furnished, Conversation)
    by_state = {state: sum(each.state is state for each in everything) for state in ConversationState}
    assert by_state[ConversationState.OPEN] >= 40 and by_state[ConversationState.SNOOZED] >= 4
    assert sum(each.editor is None for each in everything) >= 8
    assert {each.language for each in everything} == {"en", "it"}
    assert {each.editor.first_name for each in everything if each.editor} == {"Nadia", "Chiara", "Omar"}
    messages = all_of(furnished, Message)
    assert any(message.html for message in messages) and any(message.fold_at for message in messages)
    assert {message.kind for message in messages} == set(MessageKind)
    assert sum(each.not_for_us_at is not None for each in everything) == 2


def test_what_left_the_house_is_a_lawful_mail_that_was_sent_with_a_face(home):
    session, store = home
    carded = 0
    for delivery in session.scalars(sa.select(Delivery).where(Delivery.purpose == "reply")):
        mail = Mail.from_json(delivery.content)
        check(mail)
        assert delivery.state is DeliveryState.SENT
        assert mail.html and "[card]" not in mail.text
        assert all(store.exists(picture.blob_key) and f"cid:{picture.cid}" in mail.html for picture in mail.pictures)
        carded += len(mail.pictures) == 2
    assert carded >= 10


def test_an_answer_answers_the_mail_before_it(furnished):
    known = {message.rfc_message_id for message in all_of(furnished, Message)}
    answers = [message for message in all_of(furnished, Message) if is_reply(message)]
    assert all(message.in_reply_to and set(message.references) <= known for message in answers)
    assert all(message.text[message.fold_at :].startswith(message.editor.name) for message in answers)


def test_a_mail_can_be_found_by_its_words(furnished):
    if furnished.get_bind().dialect.name == "sqlite":
        found = furnished.execute(sa.text("SELECT count(*) FROM message_search WHERE message_search MATCH 'procida'"))
        assert found.scalar() >= 2


def test_every_face_and_product_has_a_picture_that_opens(home):
    furnished, store = home
    keys = [each.photo_key for each in all_of(furnished, Editor)]
    keys += [picture.blob_key for each in all_of(furnished, Product) for picture in each.pictures]
    for key in keys:
        Image.open(io.BytesIO(store.get(key))).verify()


def test_everyone_can_sign_in_with_the_password_of_the_house(furnished):
    for editor in all_of(furnished, Editor):
        assert PasswordHasher().verify(editor.password, "turquoise")


def test_a_house_somebody_lives_in_is_never_furnished(session, store):
    accounts.add_mailbox(session, address="care@example.com", brand="Real", language="en", by=None, now=NOW)
    with pytest.raises(NotADemoHouse):
        house.furnish(session, store, now=NOW)


def test_a_reset_is_refused_outside_the_demo_house_and_touches_nothing(session, store):
    session.add(Customer(name="A real person", first_name="A", created_at=NOW))
    session.commit()
    with pytest.raises(NotADemoHouse):
        house.empty(session, store, None)
    assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1


def test_a_demo_house_is_emptied_but_not_once_it_has_a_mailbox_of_its_own(session, store, tmp_path):
    house.furnish(session, store, now=NOW)
    editor, conversation = all_of(session, Editor)[0], all_of(session, Conversation)[0]
    session.add(Note(conversation=conversation, editor=editor, text="x", created_at=NOW))
    session.commit()
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    (outbox / "0001.eml").write_bytes(b"From: a\n\nb")
    key = editor.photo_key

    accounts.add_mailbox(session, address="care@example.com", brand="Real", language="en", by=None, now=NOW)
    with pytest.raises(NotADemoHouse):
        house.empty(session, store, outbox)
    assert counts(session)["conversation"] >= 200
    assert store.exists(key) and list(outbox.iterdir())
    session.rollback()

    house.empty(session, store, outbox)
    session.commit()
    assert set(counts(session).values()) == {0}
    assert session.scalar(sa.text("SELECT count(*) FROM message_search")) == 0
    assert not store.exists(key) and not list(outbox.iterdir())


def test_the_command_furnishes_once_and_resets_when_asked(config, monkeypatch):
    monkeypatch.setenv("CONCIERGE_DATA", str(config.data))
    monkeypatch.setenv("CONCIERGE_DATABASE_URL", config.database_url)
    first, second = CliRunner().invoke(demo_command), CliRunner().invoke(demo_command)
    assert first.exit_code == second.exit_code == 0
    assert "nadia@maison-solenne.example" in first.output and "turquoise" in first.output
    assert "already" in second.output
    again = CliRunner().invoke(demo_command, ["--reset", "--yes"])
    assert again.exit_code == 0 and "nadia@maison-solenne.example" in again.output


def test_a_house_for_work_is_not_furnished_with_accounts_everybody_knows(monkeypatch, tmp_path):
    monkeypatch.setenv("CONCIERGE_DATA", str(tmp_path))
    monkeypatch.setenv("CONCIERGE_DEMO", "false")
    refused = CliRunner().invoke(demo_command, ["--reset", "--yes"])
    assert refused.exit_code == 1 and "CONCIERGE_DEMO=true" in refused.output
    assert not list(tmp_path.iterdir())


def test_two_pieces_came_back_this_morning_one_is_held_and_one_is_being_bought(home):
    session, store = home
    offers = session.scalars(sa.select(Offer).where(Offer.ended_at.is_(None)).order_by(Offer.place)).all()
    assert [each.state for each in offers] == [OfferState.OPEN, OfferState.TAKEN]
    assert all(each.held_until and each.held_until > NOW for each in offers)
    assert offers[0].variant.available == 0
    assert find_broken_invariants(session) == []
    for each in offers:
        delivery = session.get(Delivery, each.delivery_id)
        check(unfold(delivery.content, store.get))
        assert session.get(Message, each.message_id).conversation.customer_id == each.customer_id
    endings = set(session.scalars(sa.select(Offer.ended_because).distinct()))
    assert endings >= {OfferEnding.BOUGHT, OfferEnding.LAPSED, OfferEnding.PASSED}


def test_the_shop_has_told_its_last_days(furnished):
    sold = [each for each in all_of(furnished, Purchase) if each.external_id.startswith("S-49")]
    assert len(sold) >= 4
    assert all(each.customer_id and each.unsettled == 0 for each in sold)
    variants = {each.sku: each for each in all_of(furnished, Variant)}
    assert [each.state for each in probable_units(furnished, variants["CAL-COR-37.5"].id)] == ["announced"]
    assert [each.after for each in list_waiting_events(furnished)] == [340]
    assert [run.state for run in list_imports(furnished)] == ["applied"]
