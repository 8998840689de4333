"""The table of kinds, walked: what each kind of mail moves, and what it changes of our mails and of her wishes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import tokens
from concierge.accounts.queries import read_house
from concierge.addresses import Address, normalise
from concierge.conversations.commands import MailIn, file_message
from concierge.conversations.models import Conversation, ConversationState, Direction, Message
from concierge.customers.models import Customer
from concierge.customers.queries import Writer
from concierge.inbound.claims import claim_mails, settle_claim
from concierge.inbound.effects import EFFECTS, Change, Stranger
from concierge.inbound.filing import ReadMail, settle_mail
from concierge.inbound.models import BY_HAND, InboundMail, InboundState
from concierge.inbound.parsed import Kind, ParsedMail
from concierge.inbound.parsing import parse_mail
from concierge.mailing.models import Delivery, DeliveryEvent, DeliveryState, Suppression, SuppressionReason
from concierge.mailing.returns import return_path
from tests.factories import NOW, make_customer, make_mailbox
from tests.inbound.arriving import CARE, letter
from tests.inbound.dialects import BARBARA, dsn, group, plain
from tests.inbound.odd_mails.making import multi, part, whole

SECRET = "a-secret-for-tests-only-0123456789"
LATER = NOW + timedelta(hours=2)
SENDER = b"From: Barbara <barbara@example.com>"


class House:
    """Barbara wrote, Nadia's answer left two hours ago, and the conversation is closed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.mailbox = make_mailbox(session)
        self.barbara = make_customer(session, "Barbara Weiss", BARBARA)
        writer = Writer(self.barbara.id, self.barbara.name, self.barbara.language)
        first = MailIn(
            self.mailbox, writer, Address("", BARBARA), NOW - timedelta(days=1), subject="Sandals", text="Hello"
        )
        number = file_message(session, first, house=read_house(session), secret=SECRET, now=NOW)
        self.conversation = session.get_one(Message, number).conversation
        self.id = f"0123456789abcdef.{tokens.reply_key(SECRET, self.conversation.id)}@maison-solenne.example"
        self.delivery = self.send("reply:1", self.id)
        ours = Message(
            conversation=self.conversation, mailbox_id=self.mailbox.id, direction=Direction.OUT, created_at=NOW
        )
        ours.rfc_message_id, ours.delivery = self.id, self.delivery
        session.add(ours)
        self.conversation.state, self.conversation.closed_at = ConversationState.CLOSED, NOW
        self.conversation.waiting_since = None
        session.flush()

    def send(self, key: str, message_id: str, to: str = BARBARA, purpose: str = "reply") -> Delivery:
        """A mail of ours that left."""
        delivery = Delivery(
            key=key, purpose=purpose, state=DeliveryState.SENT, message_id=f"<{message_id}>", to_address=to, to_normalised=to,
            subject="Re: Sandals", content={"sender": {"name": "", "address": CARE}}, due_at=NOW, created_at=NOW, sent_at=NOW,
        )  # fmt: skip
        self.session.add(delivery)
        self.session.flush()
        return delivery

    def receive(
        self, raw: bytes, *, reason: str = "", envelope_from: str | None = None, recipient: str = CARE
    ) -> InboundMail:
        """Settle one mail, without the worker."""
        parsed = parse_mail(raw)
        assert isinstance(parsed, ParsedMail)
        mail = InboundMail(
            source="smtp", blob_key=f"{abs(hash(raw)):064d}"[:64], size=len(raw), recipients=[recipient] if recipient else [], received_at=LATER, reason=reason,
            envelope_from=envelope_from,
        )  # fmt: skip
        self.session.add(mail)
        self.session.flush()
        [claim] = claim_mails(self.session, [mail.id], now=LATER)
        house = read_house(self.session)
        outcome = settle_mail(self.session, claim, ReadMail(parsed, ()), house=house, secret=SECRET, now=LATER)
        assert settle_claim(self.session, claim, outcome, now=LATER)
        self.session.flush()
        self.session.expire_all()
        return mail

    def suppressed(self) -> list[tuple[str, SuppressionReason]]:
        """The addresses that are mailed no more."""
        return [(each.normalised, each.reason) for each in self.session.scalars(sa.select(Suppression))]


@pytest.fixture
def house(session: Session) -> House:
    return House(session)


def mail_of(kind: Kind, house: House, *, sender: str = "Barbara <barbara@example.com>") -> bytes:
    """A mail of this kind that answers, or reports on, the house's last mail."""
    answers = f"In-Reply-To: <{house.id}>"
    if kind is Kind.BOUNCE:
        return dsn(
            "Undelivered Mail Returned to Sender",
            "…",
            group("failed", "5.1.1", "550 5.1.1 User unknown"),
            copy=f"Message-ID: <{house.id}>\n\n",
        )
    if kind is Kind.DELAY:
        return dsn("Delayed Mail", "…", group("delayed", "4.4.1", "timed out"), copy=f"Message-ID: <{house.id}>\n\n")
    if kind is Kind.RECEIPT:
        told = part(
            "message/disposition-notification",
            f"Original-Message-ID: <{house.id}>\r\nDisposition: manual-action/MDN-sent-manually; displayed".encode(),
        )
        report = multi(
            "report", part("text/plain", b"Opened"), told, parameters=b"; report-type=disposition-notification"
        )
        return whole(report, sender=f"From: {sender}".encode())
    extra = {
        Kind.AUTOMATIC: "Auto-Submitted: auto-replied",
        Kind.LIST: "List-Id: <news.example>",
        Kind.SPAM: "X-Spam-Flag: YES",
    }
    text = "Unsubscribe, please." if kind is Kind.UNSUBSCRIBE else "Hello, the sandals in 36?"
    return letter(sender, text=text, extra="\r\n".join(filter(None, (answers, extra.get(kind, "")))))


# What docs/mail.md promises of each kind, written down once more by hand: filed as, of a stranger, what else it changes.
PROMISED = {
    Kind.HUMAN: ("human", "begins", "clock"),
    Kind.UNSUBSCRIBE: ("human", "begins", "purpose"),
    Kind.SPAM: ("human", "waits", "nothing"),
    Kind.AUTOMATIC: ("automatic", "begins", "nothing"),
    Kind.LIST: ("automatic", "begins", "nothing"),
    Kind.RECEIPT: ("automatic", "aside", "nothing"),
    Kind.BOUNCE: ("bounce", "aside", "delivery"),
    Kind.DELAY: ("bounce", "aside", "delivery"),
}


def test_the_table_says_what_is_promised_of_each_kind():
    assert {
        kind: tuple(map(str, (row.filed_as, row.stranger, row.change))) for kind, row in EFFECTS.items()
    } == PROMISED


@pytest.mark.parametrize("kind", list(Kind))
def test_a_kind_does_what_its_row_says_and_nothing_else(house: House, kind: Kind):  # T26
    mail = house.receive(mail_of(kind, house))
    assert mail.state is InboundState.FILED
    message = house.session.get_one(Message, mail.message_id)
    effect = EFFECTS[kind]
    assert message.conversation_id == house.conversation.id
    assert message.kind is effect.filed_as
    is_open = house.conversation.state is ConversationState.OPEN
    assert (is_open, house.conversation.waiting_since is not None) == (effect.moves_turn, effect.moves_turn)
    assert (house.delivery.state is not DeliveryState.SENT) == (effect.change is Change.DELIVERY)
    assert (house.barbara.declined_at is not None) == (effect.change is Change.PURPOSE)
    assert bool(house.suppressed()) == (kind is Kind.BOUNCE)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_kind_of_a_stranger_becomes_what_its_row_says(house: House, kind: Kind):
    sender = "Mallory <mallory@elsewhere.example>"
    raw = mail_of(kind, house, sender=sender).replace(house.id.encode(), b"no.such@mail.example")
    mail = house.receive(raw)
    became = {
        Stranger.BEGINS: InboundState.FILED,
        Stranger.WAITS: InboundState.QUARANTINED,
        Stranger.ASIDE: InboundState.IGNORED,
    }
    effect = EFFECTS[kind]
    assert mail.state is became[effect.stranger], mail.reason
    assert house.session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1 + (
        effect.stranger is Stranger.BEGINS
    )
    if effect.stranger is Stranger.BEGINS:
        begun = house.session.scalars(sa.select(Conversation).order_by(Conversation.id.desc())).first()
        assert begun is not None
        assert (begun.state is ConversationState.OPEN) == effect.moves_turn


def test_an_address_that_is_gone_is_mailed_no_more_and_the_evidence_is_kept(house: House):
    house.receive(mail_of(Kind.BOUNCE, house))
    [suppression] = house.session.scalars(sa.select(Suppression))
    assert (suppression.normalised, suppression.reason) == (BARBARA, SuppressionReason.HARD_BOUNCE)
    assert "5.1.1" in suppression.evidence
    assert "User unknown" in suppression.evidence
    assert house.delivery.state is DeliveryState.BOUNCED
    [event] = house.session.scalars(sa.select(DeliveryEvent))
    assert event.details["by"] == "mail"


def test_a_full_mailbox_is_noted_and_stays_on_our_lists(house: House):
    full = group("failed", "5.2.2", "552 5.2.2 Mailbox full")
    house.receive(dsn("Undelivered Mail Returned to Sender", "…", full, copy=f"Message-ID: <{house.id}>\n\n"))
    assert (house.delivery.state, house.suppressed()) == (DeliveryState.BOUNCED, [])


def test_a_report_names_her_as_she_was_named_on_the_wire(house: House):
    """A domain in other letters is written in ASCII there; and the code stands in the words already."""
    house.delivery.to_address = "barbara@bücher.example"
    house.delivery.to_normalised = normalise(house.delivery.to_address)
    gone = group("failed", "5.1.1", "550 5.1.1 User unknown", "barbara@xn--bcher-kva.example")
    house.receive(dsn("Undelivered Mail Returned to Sender", "…", gone, copy=f"Message-ID: <{house.id}>\n\n"))
    assert house.suppressed() == [("barbara@xn--bcher-kva.example", SuppressionReason.HARD_BOUNCE)]
    assert house.delivery.reason == "550 5.1.1 User unknown"


def test_a_report_that_names_nobody_is_noted_with_the_only_mail_it_can_mean(house: House):
    house.receive(
        plain("Undelivered Mail Returned to Sender", "It could not be delivered.", f"In-Reply-To: <{house.id}>")
    )
    assert (house.delivery.state, house.suppressed()) == (DeliveryState.BOUNCED, [])


def test_a_report_on_a_mail_that_stands_in_no_conversation_is_noted_all_the_same(house: House):
    password = house.send("password:1", "aaaa@maison-solenne.example", "omar@maison-solenne.example", "staff")
    gone = group("failed", "5.1.1", "550 5.1.1 User unknown", "omar@maison-solenne.example")
    mail = house.receive(dsn("Undeliverable: x", "…", gone, copy="Message-ID: <aaaa@maison-solenne.example>\n\n"))
    assert (mail.state, mail.reason, password.state) == (InboundState.IGNORED, "noted", DeliveryState.BOUNCED)


@pytest.mark.parametrize("what", ["another id", "another address", "long ago", "answered since", "never left"])
def test_a_forged_report_suppresses_nobody(house: House, what: str):  # T28
    raw = mail_of(Kind.BOUNCE, house)
    if what == "another id":
        raw = raw.replace(b"0123456789abcdef", b"fedcba9876543210")
    elif what == "another address":
        raw = raw.replace(b"barbara@example.com", b"chloe@example.com")
    elif what == "long ago":
        house.delivery.sent_at = NOW - timedelta(days=30)
    elif what == "never left":
        house.delivery.state = DeliveryState.QUEUED
    else:
        house.receive(
            letter(f"Barbara <{BARBARA}>", message_id="second@example.com", extra=f"In-Reply-To: <{house.id}>")
        )
    before = house.delivery.state
    house.receive(raw)
    assert (house.suppressed(), house.delivery.state) == ([], before)


GONE = group("failed", "5.1.1", "550 5.1.1 User unknown")
OF_A_FORWARD = group("failed", "5.1.1", "550 5.1.1 User unknown", "b.weiss@elsewhere.example")


def nameless(recipients: str = GONE) -> bytes:
    """A report that names no mail of ours."""
    return dsn("Undelivered Mail Returned to Sender", "…", recipients, enclosed="")


def test_a_report_to_the_signed_return_path_needs_no_message_id(house: House):  # T28
    assert house.receive(nameless()).reason == "no-matter"
    assert (house.delivery.state, house.suppressed()) == (DeliveryState.SENT, [])
    path = return_path(SECRET, CARE, house.delivery.id, 1)
    mail = house.receive(nameless().replace(b"mx.example.com", b"mx2.example.com"), recipient=path)
    assert (house.delivery.state, len(house.suppressed())) == (DeliveryState.BOUNCED, 1)
    assert house.session.get_one(Message, mail.message_id).conversation_id == house.conversation.id


def test_an_altered_return_path_counts_for_nothing(house: House):  # T28
    path = return_path(SECRET, CARE, house.delivery.id, 1)
    for altered in (
        path.replace("+", "+a", 1)[:-1],
        path[:6] + ("a" if path[6] != "a" else "b") + path[7:],
        return_path("another-secret-0123456789-0123456789", CARE, house.delivery.id, 1),
        CARE.replace("@", f"+{tokens.reply_key(SECRET, house.delivery.id)}@"),
    ):
        house.receive(nameless(GONE.replace("User", f"User {altered}")), recipient=altered)
    assert (house.delivery.state, house.suppressed()) == (DeliveryState.SENT, [])


@pytest.mark.parametrize("reached", ["the envelope", "what it is delivered to", "whom it is written to"])
def test_a_return_path_of_its_own_leads_home_by_every_entrance(house: House, reached: str):
    path = return_path(SECRET, CARE, house.delivery.id, 1, at="bounces@mail.maison-solenne.example")
    raw = nameless()
    if reached == "what it is delivered to":
        raw = b"Delivered-To: " + path.encode() + b"\r\n" + raw
    elif reached == "whom it is written to":
        raw = raw.replace(b"To: care@maison-solenne.example", b"To: " + path.encode())
    mail = house.receive(raw, recipient=path if reached == "the envelope" else "")
    assert (mail.state, house.delivery.state) == (InboundState.FILED, DeliveryState.BOUNCED)


def test_an_absence_told_to_a_return_path_of_its_own_is_filed_with_her(house: House):
    path = return_path(SECRET, CARE, house.delivery.id, 1, at="bounces@mail.maison-solenne.example")
    mail = house.receive(mail_of(Kind.AUTOMATIC, house), recipient=path)
    assert house.session.get_one(Message, mail.message_id).conversation_id == house.conversation.id
    assert house.delivery.state is DeliveryState.SENT


def test_what_comes_back_from_where_she_has_it_forwarded_returns_to_her_editor_and_suppresses_nobody(house: House):
    house.receive(nameless(OF_A_FORWARD), recipient=return_path(SECRET, CARE, house.delivery.id, 1))
    assert (house.delivery.state, house.suppressed()) == (DeliveryState.BOUNCED, [])


def test_a_return_path_is_that_of_one_sending(house: House):
    """Of the mail that was sent again after it had come back, a second report on the first says nothing new."""
    house.delivery.intent = 2
    event = DeliveryEvent(delivery_id=house.delivery.id, at=NOW, kind="came_back")
    house.session.add(event)
    house.receive(nameless(), recipient=return_path(SECRET, CARE, house.delivery.id, 1))
    assert house.delivery.state is DeliveryState.SENT
    again = nameless().replace(b"mx.example.com", b"mx2.example.com")
    house.receive(again, recipient=return_path(SECRET, CARE, house.delivery.id, 2))
    assert house.delivery.state is DeliveryState.BOUNCED


@pytest.mark.parametrize(("days", "state"), [(13, DeliveryState.BOUNCED), (15, DeliveryState.SENT)])
def test_a_report_is_believed_for_a_fortnight_after_the_mail_left(house: House, days: int, state: DeliveryState):  # T28
    house.delivery.sent_at = LATER - timedelta(days=days)
    # she has written nothing since
    house.session.execute(sa.update(Message).values(created_at=LATER - timedelta(days=20)))
    house.session.flush()
    house.receive(mail_of(Kind.BOUNCE, house))
    assert house.delivery.state is state
    assert bool(house.suppressed()) == (state is DeliveryState.BOUNCED)


def test_the_same_report_twice_is_one(house: House):
    raw = mail_of(Kind.BOUNCE, house)
    house.receive(raw)
    assert house.receive(raw).reason == "seen-before"
    assert len(house.session.scalars(sa.select(DeliveryEvent)).all()) == 1


def test_who_unsubscribes_without_answering_a_mail_of_ours_changes_nothing(
    house: House,
):  # anybody can write her address
    mail = house.receive(letter(f"Barbara <{BARBARA}>", subject="unsubscribe", text="unsubscribe"))
    assert house.barbara.declined_at is None
    assert "unsubscribe-unsure" in house.session.get_one(Message, mail.message_id).flags


def test_who_answers_a_letter_about_wishes_so_gets_no_more_of_these(house: House):
    house.send("offer:1", "offer.1@maison-solenne.example", purpose="offer")
    mail = house.receive(
        letter(f"Barbara <{BARBARA}>", text="Disiscrivetemi", extra="In-Reply-To: <offer.1@maison-solenne.example>")
    )
    assert "unsubscribed-wishes" in house.session.get_one(Message, mail.message_id).flags
    assert house.barbara.declined_at is None


def test_unwanted_mail_of_a_stranger_is_let_in_by_hand_and_of_a_customer_comes_with_a_warning(house: House):
    raw = mail_of(Kind.SPAM, house, sender="Chloé <chloe@elsewhere.example>")
    mail = house.receive(raw, reason=BY_HAND, envelope_from="bounces+1@carrier.example")
    message = house.session.get_one(Message, mail.message_id)
    assert (message.from_address, message.conversation.state) == ("chloe@elsewhere.example", ConversationState.OPEN)
    known = house.receive(letter(f"Barbara <{BARBARA}>", message_id="s@example.com", extra="X-Spam-Flag: YES"))
    assert "spam" in house.session.get_one(Message, known.message_id).flags


def test_a_mailbox_that_is_a_list_brings_peoples_mail(house: House):
    extra = f"List-Id: <{CARE.replace('@', '.')}>\r\nList-Post: <mailto:{CARE}>\r\nPrecedence: list"
    mail = house.receive(letter("Chloé <chloe@elsewhere.example>", extra=extra))
    assert house.session.get_one(Message, mail.message_id).conversation.state is ConversationState.OPEN
