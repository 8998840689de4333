"""Finds the conversation a letter joins for a wish that came without one, from a form or by the API."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Variant
from concierge.conversations.models import Conversation, ConversationState
from concierge.rows import one_of
from concierge.wishes import noting
from concierge.wishes.leaving import Wisher
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer


class _Talk(NamedTuple):
    """A conversation a letter may join."""

    id: int
    customer_id: int
    mailbox_id: int


def joined(
    session: Session, wishers: Mapping[int, Wisher], *, variant_id: int, written_since: datetime
) -> dict[int, Wisher]:
    """The same, by wish; those without a conversation in the one their letter joins, if any.

    They are for the product of this variant. It is her newest open one that is about the piece: another wish of hers
    for it came from there, or it is what the house would propose to note there first. Else it is the one in which an
    offer for another living wish of hers left since then.
    """
    alone = {number: each for number, each in wishers.items() if each.conversation_id is None}
    if not alone:
        return dict(wishers)
    people = {each.customer_id for each in alone.values()}
    found: dict[tuple[int, int], _Talk] = {}
    for talk in (*_about(session, people, variant_id), *_lately(session, people, wishers, written_since)):
        found.setdefault((talk.customer_id, talk.mailbox_id), talk)
    return {number: _join(each, found.get((each.customer_id, each.mailbox_id))) for number, each in wishers.items()}


def _join(wisher: Wisher, talk: _Talk | None) -> Wisher:
    if talk is None or wisher.conversation_id is not None:
        return wisher
    return wisher._replace(conversation_id=talk.id)


_TALK = (Conversation.id, Conversation.customer_id, Conversation.mailbox_id)


def _about(session: Session, people: Collection[int], variant_id: int) -> Iterator[_Talk]:
    """Their newest open conversation about this variant's product, of each mailbox."""
    statement = (
        sa.select(*_TALK)
        .where(one_of(Conversation.customer_id, people), Conversation.state != ConversationState.CLOSED)
        .where(Conversation.merged_into_id.is_(None))
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
    )
    if not (talks := [_Talk(*row) for row in session.connection().execute(statement)]):
        return
    product_id = session.scalars(sa.select(Variant.product_id).where(Variant.id == variant_id)).one()
    noted, found = _noted(session, talks, product_id), set[tuple[int, int]]()
    for talk in talks:
        key = (talk.customer_id, talk.mailbox_id)
        if key not in found and (talk.id in noted or _speaks_of(session, talk.id, product_id)):
            found.add(key)
            yield talk


def _noted(session: Session, talks: Sequence[_Talk], product_id: int) -> set[int]:
    """Those of these from which a wish for this product came."""
    came_from = sa.select(Wish.conversation_id).where(
        one_of(Wish.conversation_id, {each.id for each in talks}), Wish.product_id == product_id
    )
    return {each for each in session.scalars(came_from) if each is not None}


def _speaks_of(session: Session, conversation_id: int, product_id: int) -> bool:
    """Whether the house would propose this piece to who notes a wish there, and none before it."""
    products, proposals = noting.propose(session, session.get_one(Conversation, conversation_id))
    first = {each.code for each in proposals if each.points == proposals[0].points}
    return any(each.id == product_id and each.code in first for each in products)


def _lately(session: Session, people: Collection[int], wish_ids: Collection[int], since: datetime) -> list[_Talk]:
    """Where offers for other living wishes of theirs left since then, the last first."""
    left = (
        sa.select(Wish.conversation_id)
        .join(Offer, Offer.wish_id == Wish.id)
        .where(one_of(Wish.customer_id, people), ~one_of(Wish.id, wish_ids), Wish.ended_at.is_(None))
        .where(Offer.left_at >= since)
        .order_by(Offer.left_at.desc(), Offer.id.desc())
    )
    if not (found := [each for each in dict.fromkeys(session.scalars(left)) if each is not None]):
        return []
    talks = session.connection().execute(sa.select(*_TALK).where(one_of(Conversation.id, found)))
    by_id = {row.id: _Talk(*row) for row in talks}
    return [by_id[each] for each in found if each in by_id]
