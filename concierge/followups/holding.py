"""Holding a customer still while something is decided about her."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.conversations.models import Conversation
from concierge.conversations.queries import get_conversation, lock_conversation
from concierge.customers.models import Customer
from concierge.followups import queries
from concierge.followups.models import HappenedSince


def hold_her_still(session: Session, conversation_id: int, *, wait: bool = True) -> Conversation:
    """The conversation as it is now; nothing she does, nor what is written to her, is news before this transaction
    ends.

    Herself first, as whatever names her (a mail that is filed, an order, a consent) shares a lock on her row, then all
    her conversations, as filing and answering lock them: a fact is either committed and seen, or comes later. Raises
    ConversationNotFound, and OperationalError where somebody has hold of her or of one of them and we don't `wait`.
    (On SQLite the transaction's write lock does it.)
    """
    while True:
        customer_id = session.scalar(sa.select(Conversation.customer_id).where(Conversation.id == conversation_id))
        herself = sa.select(Customer.id).where(Customer.id == customer_id)
        session.execute(herself.with_for_update(nowait=not wait, of=Customer)).all()
        hers = sa.select(Conversation.id).where(Conversation.customer_id == customer_id).order_by(Conversation.id)
        session.execute(hers.with_for_update(nowait=not wait, of=Conversation)).all()
        conversation = lock_conversation(session, conversation_id, wait=wait)
        if conversation.customer_id == customer_id:
            return conversation
        conversation_id = conversation.id  # it was merged into another's, or she was joined meanwhile


def hold_as_she_is(session: Session, conversation_id: int) -> Conversation:
    """`hold_her_still` for somebody who means to write to her: what was just under way she can't have seen.

    Raises HappenedSince besides, where a mail, an order or a return was waited for.
    """
    conversation = get_conversation(session, conversation_id)
    before = queries.newest_of_all(session, conversation.customer)
    held = hold_her_still(session, conversation_id)
    if queries.newest_of_all(session, held.customer) != before:
        raise HappenedSince
    return held
