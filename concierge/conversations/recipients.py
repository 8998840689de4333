"""Where an answer goes: to the customer, or where her mail asks for it once an editor has said so (T25)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import Address, is_address, normalise
from concierge.conversations import queries
from concierge.conversations.models import Conversation, Message, NoOtherAddress
from concierge.conversations.queries import CHOSEN, find_recipient


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A mail asks for answers at an address of another house; `yours` is where an answer goes as things are."""

    asked: str
    yours: str
    is_chosen: bool


def find_elsewhere(session: Session, conversation: Conversation, message: Message) -> Elsewhere | None:
    """What the newest mail asks for, if that is an address of another house and not known as hers."""
    if not message.reply_to or message is not queries.last_incoming(session, conversation):
        return None
    asked, sender = message.reply_to[0], Address("", message.from_address)
    if Address("", asked["address"]).domain == sender.domain or not is_address(asked["address"]):
        return None
    chosen, to = bool(asked.get(CHOSEN)), find_recipient(session, conversation)
    if to is not None and not chosen and normalise(to.address) == normalise(asked["address"]):
        return None  # it is hers
    return Elsewhere(asked["address"], to.address if to else "", chosen)


def answer_elsewhere(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """Answers to the newest mail go where it asks, from now on; raises NoOtherAddress."""
    _choose(session, conversation, True, "conversation.answered_elsewhere", by=by, now=now)


def answer_sender(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """Answers to the newest mail go to the customer again; raises NoOtherAddress."""
    _choose(session, conversation, False, "conversation.answered_sender", by=by, now=now)


def _choose(
    session: Session, conversation: Conversation, chosen: bool, verb: str, *, by: Editor, now: datetime
) -> None:
    message = queries.last_incoming(session, conversation)
    if message is None or (found := find_elsewhere(session, conversation, message)) is None:
        raise NoOtherAddress
    asked = {name: value for name, value in message.reply_to[0].items() if name != CHOSEN}
    message.reply_to = [asked | {CHOSEN: "1"} if chosen else asked, *message.reply_to[1:]]
    audit.record(session, verb, conversation, by=by, now=now, address=found.asked, message=message.id)
