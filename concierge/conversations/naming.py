"""What a customer named in her mails that an editor may need at hand: how to call her, and her orders."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, lazyload

from concierge.addresses import normalise
from concierge.catalogue.stock_models import Purchase
from concierge.conversations import quoting
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.conversations.numbers import Number, NumberKind, find_numbers
from concierge.customers.models import Customer

# So many of her newest mails are looked through.
_READ = 12
_MOST = 6


@dataclass(frozen=True, slots=True)
class Named:
    """A number she wrote, the newest mail it stands in, and whether the shop reported such an order of hers."""

    number: Number
    message: Message
    is_known: bool = False


def list_named(session: Session, conversation: Conversation, *, order_number: str) -> list[Named]:
    """The telephone and order numbers in what she wrote herself here, the newest first; only ever shown."""
    customer = conversation.customer
    found: dict[Number, Message] = {}
    for message in _hers(session, conversation):
        words = f"{message.subject}\n{quoting.without_quotes(message.text)}"
        language = message.language or customer.language
        for each in find_numbers(words, country=customer.country, language=language, order_number=order_number):
            found.setdefault(each, message)
    return [
        Named(number, message, number.kind is NumberKind.ORDER and _is_known(session, customer, number.value))
        for number, message in list(found.items())[:_MOST]
    ]


def _hers(session: Session, conversation: Conversation) -> list[Message]:
    addresses = {each.normalised for each in conversation.customer.addresses}
    written = (Message.direction == Direction.IN, Message.kind == MessageKind.HUMAN)
    statement = (
        sa.select(Message)
        .where(Message.conversation_id == conversation.id, *written)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(_READ)
        .options(defer(Message.html), lazyload("*"))
    )
    return [each for each in session.scalars(statement) if normalise(each.from_address) in addresses]


def _is_known(session: Session, customer: Customer, order: str) -> bool:
    """An order's lines are named after it: "S-49406:1"."""
    line = sa.or_(Purchase.external_id == order, Purchase.external_id.startswith(f"{order}:", autoescape=True))
    return session.scalar(sa.select(Purchase.id).where(Purchase.customer_id == customer.id, line).limit(1)) is not None
