"""What should be said of those who write in a conversation: from whom the house knows, by the rule of `likenesses`."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.queries import list_editors, list_mailboxes
from concierge.addresses import Address, normalise
from concierge.conversations.likenesses import Acquaintance, Doubt, Likeness, look_like, skeleton
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.customers.models import CustomerAddress

# An address is compared with others that begin alike: so many letters, and so many addresses at most.
_BEGINNING, _MOST = 3, 300


def find_doubts(
    session: Session, conversation: Conversation, messages: Sequence[Message], *, is_alone: bool
) -> dict[int, tuple[Likeness, ...]]:
    """For the mails of people here, by their numbers: whom the sender could be taken for; only where there is doubt.

    `is_alone`: it is her only conversation. `messages` are all of it, the oldest first. That she writes for the first
    time is said of the first mail alone.
    """
    people = [each for each in messages if each.direction is Direction.IN and each.kind is MessageKind.HUMAN]
    if not people:
        return {}
    is_first = is_alone and not any(each.direction is Direction.OUT for each in messages)
    hers = [each.normalised for each in conversation.customer.addresses]
    known = Acquaintance(
        domains={Address("", each.address).domain for each in list_mailboxes(session)},
        staff={normalise(each.email): each.name for each in list_editors(session, active_only=True)},
        hers=hers,
        others=_others_like(session, conversation, hers) if is_first else (),
        is_first=is_first,
    )
    found = {each.id: look_like(Address(each.from_name, each.from_address), known) for each in people}
    told = {
        number: tuple(each for each in likenesses if each.doubt is not Doubt.FIRST or number == people[0].id)
        for number, likenesses in found.items()
    }
    return {number: likenesses for number, likenesses in told.items() if likenesses}


def _others_like(session: Session, conversation: Conversation, hers: Sequence[str]) -> list[str]:
    """Addresses of other customers that begin like hers, and those of the one this may belong to."""
    beginnings = {text[:_BEGINNING] for each in hers for text in (each, skeleton(each))}
    address = CustomerAddress.normalised
    alike = [(address >= each) & (address < f"{each[:-1]}{chr(ord(each[-1]) + 1)}") for each in beginnings if each]
    statement = sa.select(address).where(CustomerAddress.customer_id != conversation.customer_id)
    found = list(session.scalars(statement.where(sa.or_(*alike)).order_by(address).limit(_MOST))) if alike else []
    if conversation.hint_conversation_id is not None:
        hinted = sa.select(Conversation.customer_id).where(Conversation.id == conversation.hint_conversation_id)
        found += session.scalars(statement.where(CustomerAddress.customer_id.in_(hinted)))
    return found
