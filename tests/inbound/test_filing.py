"""Whose a mail is, which conversation it joins, and what is not filed."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import rows, tokens
from concierge.accounts.models import Editor, Mailbox
from concierge.audit import AuditEntry
from concierge.config import Config
from concierge.conversations.joining import join_customer
from concierge.conversations.models import Conversation, ConversationState, Message, MessageKind
from concierge.customers.models import Customer
from concierge.db import Sessions
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.reasons import describe
from tests.factories import NOW, make_customer, make_editor, make_mailbox
from tests.inbound.arriving import CARE, arrive, letter, message_of, receive
from tests.inbound.odd_mails.making import multi, part, picture


@pytest.fixture(autouse=True)
def mailbox(session: Session) -> Mailbox:
    mailbox = make_mailbox(session)
    session.commit()
    return mailbox


def count(session: Session, table: type) -> int:
    session.expire_all()
    return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_stranger_becomes_a_customer_with_a_name_and_a_language(config, sessions, session):
    text = "Buongiorno, avete ancora i sandali turchesi in trentasei? Grazie mille."
    mail = arrive(
        config, sessions, letter("ROSSI Barbara <Barbara@Example.com>", text=text + "\r\n\r\nA presto,\r\nBarbara")
    )
    customer = message_of(session, mail).conversation.customer
    assert mail.state is InboundState.FILED
    assert (customer.first_name, customer.language, customer.address) == ("Barbara", "it", "Barbara@Example.com")
    assert customer.language_guessed


def test_a_mail_is_filed_by_a_dozen_statements(config, sessions, session, monkeypatch):
    """What is done to every mail is the work of the house; loading what a mail does not ask about doubled it."""
    seen: list[str] = []
    engine, ready = sessions.kw["bind"], rows._ready

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    def note_ready(statement: sa.Executable, dialect: sa.Dialect) -> rows._Ready:
        made = ready(statement, dialect)
        seen.append(made.sql)  # these go to the driver itself
        return made

    monkeypatch.setattr(rows, "_ready", note_ready)
    number = receive(config, sessions, letter())
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        assert file_received(config, sessions) == 1
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    filed = [each for each in seen if each.partition(" ")[0] in {"SELECT", "INSERT", "UPDATE"}]
    # Eleven for the mail, and one that looks for a stranger twice; one claims it, three see what is due, two who the
    # house is.
    assert 16 < len(filed) <= 18, "\n".join(filed)
    assert session.get_one(InboundMail, number).state is InboundState.FILED


def test_a_short_letter_takes_the_mailbox_language(config, sessions, session):
    make_mailbox(session, "ciao@maison-solenne.example", language="it")
    session.commit()
    raw = letter(text="Ok").replace(f"To: {CARE}".encode(), b"To: ciao@maison-solenne.example")
    mail = arrive(config, sessions, raw, recipients=("ciao@maison-solenne.example",))
    assert message_of(session, mail).conversation.customer.language == "it"


def test_a_customer_is_known_by_any_of_her_addresses_in_any_writing(config, sessions, session):
    customer = make_customer(session, address="b.rossi@example.com")
    session.commit()
    mail = arrive(config, sessions, letter("B.Rossi@EXAMPLE.com"))
    assert message_of(session, mail).conversation.customer_id == customer.id
    assert count(session, Customer) == 1


def test_who_writes_while_she_is_joined_is_who_she_is_from_then_on(config, sessions, session):
    editor, she, other = make_editor(session), make_customer(session), make_customer(session, "Bea Rossi")
    number, address = she.id, other.address
    session.commit()
    with ThreadPoolExecutor(1) as pool, sessions() as desk:
        people = (desk.get_one(Customer, each.id) for each in (she, other))
        join_customer(desk, *people, by=desk.get_one(Editor, editor.id), now=NOW)
        desk.flush()
        filing = pool.submit(arrive, config, sessions, letter(address))
        wait([filing], timeout=0.5)
        assert not filing.done()
        desk.commit()
        mail = filing.result(20)
    assert mail.state is InboundState.FILED
    assert message_of(session, mail).conversation.customer_id == number


def test_a_customer_without_a_name_gets_it_from_her_mail(config, sessions, session):
    customer = make_customer(session, address="barbara@example.com", name="Barbara", first_name="")
    customer.name = ""
    session.commit()
    arrive(config, sessions, letter())
    session.expire_all()
    assert (customer.name, customer.first_name) == ("Barbara Rossi", "Barbara")


def test_an_answer_to_our_signed_address_lands_in_the_same_conversation(config, sessions, session):
    conversation = message_of(session, arrive(config, sessions, letter())).conversation
    key = tokens.reply_key(config.secret, conversation.id)
    to = f"care+{key}@maison-solenne.example"
    again = arrive(config, sessions, letter(text="One more thing", message_id="2@x"), recipients=(to,))
    assert message_of(session, again).conversation_id == conversation.id


def test_mallory_with_the_signed_address_gets_a_conversation_of_her_own(config, sessions, session):  # T23
    conversation = message_of(session, arrive(config, sessions, letter())).conversation
    key = tokens.reply_key(config.secret, conversation.id)
    forged = letter("Mallory <mallory@evil.example>", message_id="m@x", extra="In-Reply-To: <first@example.com>")
    mail = arrive(config, sessions, forged, recipients=(f"care+{key}@maison-solenne.example",))
    theirs = message_of(session, mail).conversation
    assert theirs.id != conversation.id
    assert theirs.hint_conversation_id == conversation.id


def test_the_same_mail_delivered_twice_is_one_message(config, sessions, session):
    first = arrive(config, sessions, letter())
    by_another_way = b"Received: from a by b; today\r\n" + letter()
    second = arrive(config, sessions, by_another_way, source="webhook")
    assert count(session, Message) == 1
    assert (second.state, second.reason, second.message_id) == (InboundState.IGNORED, "seen-before", first.message_id)


def test_a_forged_repeat_of_an_id_does_not_make_the_real_mail_disappear(config, sessions, session):
    arrive(config, sessions, letter("mallory@evil.example", text="noise"))
    real = arrive(config, sessions, letter())
    assert real.state is InboundState.FILED
    assert count(session, Message) == 2


def test_hello_may_be_written_twice(config, sessions, session):
    arrive(config, sessions, letter(text="Hello?", message_id="1@x"))
    arrive(config, sessions, letter(text="Hello?", message_id="2@x"))
    assert count(session, Message) == 2


def test_files_and_pictures_are_kept_and_only_the_shown_picture_is_inline(config, sessions, session, store):
    page = part("text/html", b"<p>These? <img src='cid:p1'></p>")
    body = multi("mixed", page, picture(b"p1"), part("application/pdf; name=invoice.pdf", b"%PDF"))
    raw = letter().partition(b"\r\n\r\n")[0] + b"\r\n" + body
    files = message_of(session, arrive(config, sessions, raw)).attachments
    assert [(each.filename, each.inline, each.cid) for each in files] == [
        ("shoe.png", True, "p1"),
        ("invoice.pdf", False, None),
    ]
    assert store.get(files[1].blob_key) == b"%PDF"


def test_an_out_of_office_joins_its_conversation_and_moves_nothing(config, sessions, session):  # T26
    conversation = message_of(session, arrive(config, sessions, letter())).conversation
    conversation.state = ConversationState.CLOSED
    session.commit()
    away = letter(subject="Automatic reply", message_id="a@x", extra="In-Reply-To: <first@example.com>")
    message = message_of(session, arrive(config, sessions, away))
    assert (message.kind, message.kind_reason) == (MessageKind.AUTOMATIC, "auto-subject")
    assert message.conversation_id == conversation.id
    session.expire_all()
    assert conversation.state is ConversationState.CLOSED


def test_a_bounce_joins_the_conversation_of_the_mail_that_came_back(config, sessions, session):
    conversation = message_of(session, arrive(config, sessions, letter())).conversation
    key = tokens.reply_key(config.secret, conversation.id)
    body = multi(
        "report",
        part("text/plain", b"Could not be delivered."),
        part("message/delivery-status", b"Status: 5.1.1"),
        part("message/rfc822", f"Message-ID: <{key}.x1@maison-solenne.example>\r\n\r\nDear".encode()),
        parameters=b"; report-type=delivery-status",
    )
    head = letter("Mail Delivery <mailer-daemon@mx.example>", message_id="d@mx").partition(b"\r\n\r\n")[0]
    message = message_of(session, arrive(config, sessions, head + b"\r\n" + body, envelope_from=""))
    assert (message.kind, message.conversation_id) == (MessageKind.BOUNCE, conversation.id)
    assert count(session, Customer) == 1


def test_a_bounce_of_no_mail_of_ours_is_set_aside_and_makes_no_customer(config, sessions, session):
    raw = letter("mailer-daemon@mx.example", subject="Undelivered Mail Returned to Sender")
    mail = arrive(config, sessions, raw, envelope_from="")
    assert (mail.state, mail.reason) == (InboundState.IGNORED, "no-matter")
    assert count(session, Customer) == count(session, Message) == 0


@pytest.mark.parametrize(
    "sender",
    ["nadia@maison-solenne.example", "Nadia <NADIA@maison-solenne.example>", CARE, "care+x@maison-solenne.example"],
)
def test_mail_from_ourselves_is_never_a_customer_and_never_acts_as_staff(config, sessions, session, sender):  # T24
    make_editor(session)
    session.commit()
    conversation = message_of(session, arrive(config, sessions, letter())).conversation
    key = tokens.reply_key(config.secret, conversation.id)
    forged = letter(sender, message_id="n@x", extra="X-Concierge-Act: close\r\nX-RT-Control: status=closed")
    mail = arrive(config, sessions, forged, recipients=(f"care+{key}@maison-solenne.example",))
    assert (mail.state, mail.reason) == (InboundState.IGNORED, "our-own-copy")
    assert count(session, Customer) == count(session, Message) == 1
    assert not session.scalars(sa.select(AuditEntry).where(AuditEntry.editor_id.is_not(None))).all()


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("barbara@example.com, mallory@evil.example", "several-senders"),
        ("barbara@example.com)mallory@evil.example", "unclear-sender"),
        ("barbara@example.com>\r\nFrom: <mallory@evil.example", "several-froms"),
    ],
)
def test_a_doubtful_sender_is_never_taken_for_a_known_customer(config, sessions, session, sender, reason):  # T11
    make_customer(session)
    session.commit()
    mail = arrive(config, sessions, letter(sender))
    assert (mail.state, mail.reason) == (InboundState.QUARANTINED, reason)
    assert count(session, Conversation) == 0


def test_mail_for_nobody_here_is_set_aside(config, sessions):
    mail = arrive(config, sessions, letter(), recipients=("sales@other.example",))
    assert (mail.state, mail.reason) == (InboundState.IGNORED, "no-mailbox")


def test_without_an_envelope_the_header_says_which_mailbox(config, sessions):
    mail = arrive(config, sessions, letter(), recipients=(), envelope_from=None, source="import")
    assert mail.state is InboundState.FILED


CURA = "cura@maison-solenne.example"


@pytest.fixture
def two_mailboxes(session: Session) -> Session:
    make_mailbox(session, CURA)
    session.commit()
    return session


def to_both(to: str = f"The house <{CARE}>, {CURA}", *, cc: str = "") -> bytes:
    raw = letter(extra=f"Cc: {cc}" if cc else "")
    return raw.replace(f"To: {CARE}".encode(), f"To: {to}".encode())


def where_it_is(session: Session) -> tuple[str, list[str]]:
    session.expire_all()
    message = session.scalars(sa.select(Message)).one()  # one message, however it came
    assert count(session, Conversation) == count(session, Customer) == 1
    return message.conversation.mailbox.address, message.flags


@pytest.mark.parametrize(
    ("came", "where"),
    [
        # one envelope with two recipients, whichever comes first in it
        (([(CARE, CURA)], to_both()), (CARE, [f"also-to {CURA}"])),
        (([(CURA, CARE)], to_both()), (CARE, [f"also-to {CURA}"])),
        (([(CARE, CURA)], to_both(CURA, cc=CARE)), (CURA, [f"also-to {CARE}"])),
        # two deliveries of the same mail, in either order
        (([(CARE,), (CURA,)], to_both()), (CARE, [f"also-to {CURA}"])),
        (([(CURA,), (CARE,)], to_both()), (CARE, [f"also-to {CURA}"])),
        # a copy the header does not speak of
        (([(CURA, CARE)], to_both("friends@example.com")), (CURA, [f"also-to {CARE}"])),
        (([(CURA,), (CARE,), (CARE,)], to_both("friends@example.com")), (CURA, [f"also-to {CARE}"])),
        # the envelope knows one of them, the header the other
        (([(f"care+{'x' * 28}@maison-solenne.example",)], to_both(CURA)), (CURA, [f"also-to {CARE}"])),
    ],
)
def test_a_mail_to_two_of_our_mailboxes_is_one_message_in_the_one_named_first(
    config, sessions, two_mailboxes, came, where
):
    envelopes, raw = came
    mails = [arrive(config, sessions, raw, recipients=each) for each in envelopes]
    assert where_it_is(two_mailboxes) == where
    assert [(each.state, each.reason) for each in mails[1:]] == [(InboundState.IGNORED, "seen-before")] * len(mails[1:])
    assert {each.message_id for each in mails} == {mails[0].message_id}


def test_a_mail_to_one_mailbox_says_nothing_of_others(config, sessions, two_mailboxes):
    arrive(config, sessions, letter())
    assert where_it_is(two_mailboxes) == (CARE, [])


def test_a_mail_that_only_names_us_and_went_to_others_is_set_aside(config, sessions, two_mailboxes):
    mail = arrive(config, sessions, to_both(), recipients=("sales@other.example",))
    assert (mail.state, mail.reason) == (InboundState.IGNORED, "no-mailbox")
    assert str(describe(f"also-to {CURA}")) == f"Also written to {CURA}."


def test_an_imported_mail_came_when_it_was_written(config: Config, sessions: Sessions, session: Session):
    raw = letter().replace(b"12 May 2026", b"3 Mar 2024")
    message = message_of(session, arrive(config, sessions, raw, envelope_from=None, source="import"))
    assert message.created_at.isoformat() == "2024-03-03T09:00:00+00:00"
