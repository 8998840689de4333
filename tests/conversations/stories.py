"""Mails in and out for the stories of this part, filed as the house files them."""

from datetime import datetime
from itertools import count

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, Mailbox
from concierge.accounts.queries import find_mailbox, read_house
from concierge.addresses import Address, normalise
from concierge.conversations.commands import MailIn, MailOut, file_message, record_answer
from concierge.conversations.models import Conversation, Message
from concierge.customers.models import Customer, CustomerAddress
from concierge.customers.queries import Writer
from tests.factories import NOW, make_customer, make_mailbox

SECRET = "a-secret-for-tests-only-0123456789"
CARE = "care@maison-solenne.example"
_numbers = count(1)


def mailbox(session: Session) -> Mailbox:
    """The house's mailbox, opened at first need."""
    return find_mailbox(session, CARE) or make_mailbox(session)


def customer(session: Session, name: str = "Barbara Rossi") -> Customer:
    """The customer by that name, met at first need."""
    address = f"{name.split(maxsplit=1)[0].lower()}@example.com"
    known = session.query(CustomerAddress).filter_by(normalised=normalise(address)).one_or_none()
    return known.customer if known else make_customer(session, name)


def receive(
    session: Session, name: str = "Barbara Rossi", *, at: datetime = NOW, who: Customer | None = None, **values: object
) -> Message:
    """A mail of a customer's comes in and is filed."""
    who = who or customer(session, name)
    defaults: dict[str, object] = {
        "mailbox": mailbox(session),
        "customer": Writer(who.id, who.name, who.language),
        "sender": Address(who.name, who.address),
        "received_at": at,
        "subject": "The turquoise sandals",
        "text": "Dear Maison Solenne,\n\nis there a pair left in 36?\n\nBarbara",
        "rfc_message_id": f"in-{next(_numbers)}@example.com",
        "to": (Address("", CARE),),
    }
    return file(session, MailIn(**defaults | values), now=at)  # type: ignore[arg-type]


def file(session: Session, mail: MailIn, *, now: datetime) -> Message:
    """File a mail, and see all it changed."""
    number = file_message(session, mail, house=read_house(session), secret=SECRET, now=now)
    message = session.get_one(Message, number)
    session.refresh(message.conversation)
    return message


def answer(
    session: Session, conversation: Conversation, *, by: Editor, at: datetime = NOW, **values: object
) -> Message:
    """An editor's answer is recorded."""
    defaults: dict[str, object] = {
        "subject": f"Re: {conversation.subject}",
        "text": f"Dear Barbara,\n\nyes, one pair.\n\n{by.first_name}",
        "sender": Address(by.name, CARE),
        "to": (Address(conversation.customer.name, conversation.customer.address),),
        "rfc_message_id": f"out-{next(_numbers)}@maison-solenne.example",
    }
    return record_answer(session, conversation, MailOut(**defaults | values), by=by, now=at)  # type: ignore[arg-type]
