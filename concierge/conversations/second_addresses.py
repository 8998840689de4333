"""Looking whether whoever waits apart is the customer of the conversation this may belong to (see `sameness`)."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address, normalise
from concierge.conversations.joining import may_be_joined
from concierge.conversations.likenesses import Likeness
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.conversations.sameness import Proof, how_sure
from concierge.customers.queries import are_kept_apart


def find_proof(
    session: Session, conversation: Conversation, messages: Sequence[Message], doubts: Collection[Likeness]
) -> Proof | None:
    """What makes it sure that the stranger of this conversation is the customer of the one its hint names; or None.

    `messages` are all of it, the oldest first; `doubts` what is to be said of their sender.
    """
    hinted = session.get(Conversation, conversation.hint_conversation_id or 0)
    people = [each for each in messages if each.direction is Direction.IN and each.kind is MessageKind.HUMAN]
    other = conversation.customer
    if hinted is None or not people or hinted.customer_id == other.id or len(other.addresses) != 1:
        return None
    if any(normalise(each.from_address) != other.addresses[0].normalised for each in people):
        return None
    hers = _mails_of(session, hinted)
    proof = how_sure(
        Address(people[0].from_name, people[0].from_address),
        {hinted.customer.name, *(each.from_name for each in hers)},
        answers_ours=_answers_ours(session, people[0], hinted),
        told_us=(each.text[: each.fold_at] for each in hers),
        doubts=doubts,
        authentic=all(each.authentic is not False for each in people),
    )
    if proof is None or are_kept_apart(session, hinted.customer, other) or not may_be_joined(session, other):
        return None
    return proof


def _mails_of(session: Session, hinted: Conversation) -> list[Message]:
    """What she wrote there herself."""
    statement = sa.select(Message).where(
        Message.conversation_id == hinted.id,
        Message.direction == Direction.IN,
        Message.kind == MessageKind.HUMAN,
    )
    hers = {each.normalised for each in hinted.customer.addresses}
    return [each for each in session.scalars(statement) if normalise(each.from_address) in hers]


def _answers_ours(session: Session, mail: Message, hinted: Conversation) -> bool:
    ours = sa.select(Message.id).where(
        Message.conversation_id == hinted.id,
        Message.direction == Direction.OUT,
        Message.rfc_message_id.in_([*mail.in_reply_to, *mail.references]),
    )
    return session.scalar(ours.limit(1)) is not None
