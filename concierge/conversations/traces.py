"""Where a mail that came in leads: each question one plain statement, since every mail asks them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import normalise
from concierge.conversations.models import Conversation, ConversationNotFound, Direction, Message, MessageKind
from concierge.customers.models import CustomerAddress
from concierge.mailing.models import LETTERS, Delivery
from concierge.rows import at_most, one_of, read_rows

# A mail's ids lead to at most so many others.
_MOST_FOUND = 200
_talks, _mails, _addresses, _deliveries = (
    cast("sa.Table", each.__table__) for each in (Conversation, Message, CustomerAddress, Delivery)
)
_WITH_IDS = (
    sa.select(_mails.c.rfc_message_id, _mails.c.conversation_id)
    .where(one_of(_mails.c.rfc_message_id, "ids"))
    .order_by(_mails.c.id.desc())
    .limit(at_most(_MOST_FOUND))
)
_HERS = (
    sa.select(_talks.c.id, _addresses.c.normalised)
    .join(_addresses, _addresses.c.customer_id == _talks.c.customer_id)
    .where(one_of(_talks.c.id, "numbers"))
)
_IN_COPY = sa.select(
    _mails.c.conversation_id, _mails.c.direction, _mails.c.from_address, _mails.c.to, _mails.c.cc
).where(one_of(_mails.c.conversation_id, "numbers"), _mails.c.kind == MessageKind.HUMAN)
_ANSWER = (
    sa.select(_mails.c.created_at, _mails.c.editor_id)
    .where(
        _mails.c.conversation_id == sa.bindparam("number"),
        _mails.c.direction == Direction.OUT,
        _mails.c.kind == MessageKind.HUMAN,
        ~sa.exists().where(
            _deliveries.c.id == _mails.c.delivery_id, sa.or_(*(_deliveries.c.purpose == each for each in LETTERS))
        ),
    )
    .order_by(_mails.c.created_at.desc(), _mails.c.id.desc())
    .limit(at_most(1))
)
_LAST_EDITOR = (
    sa.select(_mails.c.editor_id)
    .join(_talks, _mails.c.conversation_id == _talks.c.id)
    .where(_talks.c.customer_id == sa.bindparam("number"), _mails.c.direction == Direction.OUT)
    .where(_mails.c.editor_id.is_not(None))
    .order_by(_mails.c.created_at.desc())
    .limit(at_most(1))
)
# What a mail may change of the conversation it joins.
STANDING = (
    "state", "snoozed_until", "closed_at", "closed_by_id", "not_for_us_at", "waiting_since", "editor_id", "first_line",
    "last_message_at", "last_message_id",
)  # fmt: skip
_LOCKED = (
    sa.select(_talks.c.id, _talks.c.customer_id, _talks.c.merged_into_id, *(_talks.c[name] for name in STANDING))
    .where(_talks.c.id == sa.bindparam("number"))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Answer:
    """When an editor answered last, and her number."""

    at: datetime
    editor_id: int | None


def list_conversations_of_ids(session: Session, message_ids: Sequence[str]) -> tuple[int, ...]:
    """The conversations that hold mails with these Message-IDs, in the order of the ids, each once."""
    if not message_ids:
        return ()
    by_id: dict[str, list[int]] = defaultdict(list)
    # Anybody may write the same id into any number of mails.
    for rfc_message_id, conversation_id in read_rows(session, _WITH_IDS, {"ids": message_ids}):
        by_id[rfc_message_id or ""].append(conversation_id)
    return tuple(dict.fromkeys(number for one in message_ids for number in by_id[one]))


def list_participants(
    session: Session, conversation_ids: Collection[int], *, ours: Collection[str]
) -> dict[int, frozenset[str]]:
    """Who takes part: the customer's addresses, whomever she or we had in copy, and those whose mail was filed there.

    Whom somebody else's mail names takes no part, nor does `ours`, the house's own addresses (T23, T24).
    """
    people: dict[int, set[str]] = {number: set() for number in conversation_ids}
    if not people:
        return {}
    for conversation_id, address in read_rows(session, _HERS, {"numbers": people}):
        people[conversation_id].add(address)
    hers_alone = {number: frozenset(addresses) for number, addresses in people.items()}
    for conversation_id, direction, sender, to, cc in read_rows(session, _IN_COPY, {"numbers": people}):
        is_told = direction is Direction.OUT or normalise(sender) in hers_alone[conversation_id]
        named = [each["address"] for each in (*to, *cc)] if is_told else []
        named += [sender] if direction is Direction.IN else []
        people[conversation_id].update(normalise(address) for address in named)
    return {
        number: frozenset(each for each in addresses if each and _without_key(each) not in ours)
        for number, addresses in people.items()
    }


def _without_key(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def lock_standing(session: Session, conversation_id: int) -> Conversation:
    """`queries.lock_conversation`, but only its STANDING, on a copy outside of the session: its caller writes it back.

    Raises ConversationNotFound.
    """
    found = read_rows(session, _LOCKED, {"number": conversation_id})
    if not found:
        raise ConversationNotFound
    conversation = Conversation(**dict(zip(_LOCKED.selected_columns.keys(), found[0], strict=True)))
    into = conversation.merged_into_id
    return conversation if into is None else lock_standing(session, into)


def find_answer(session: Session, conversation_id: int) -> Answer | None:
    """The newest answer an editor sent; letters about wishes are no answers."""
    found = read_rows(session, _ANSWER, {"number": conversation_id})
    return Answer(*found[0]) if found else None


def find_last_editor(session: Session, customer_id: int) -> int | None:
    """Who answered this customer last, in whatever conversation; her editor."""
    found = read_rows(session, _LAST_EDITOR, {"number": customer_id})
    return found[0][0] if found else None
