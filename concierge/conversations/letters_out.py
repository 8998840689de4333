"""Letters that leave by the thousand, kept in their conversations: a set of rows for each statement, not one."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address
from concierge.audit import AuditEntry
from concierge.conversations.indexing import index_folded
from concierge.conversations.models import Conversation, ConversationState, Direction, Message, MessageKind
from concierge.conversations.search_terms import fold
from concierge.rows import insert_many, reserve_ids, run_many

_conversations = cast("sa.Table", Conversation.__table__)
_SHOW_LAST = (
    sa.update(_conversations)
    .where(_conversations.c.id == sa.bindparam("its_id"))
    .values(
        last_message_id=sa.bindparam("message"),
        last_message_at=sa.bindparam("at"),
        first_line=sa.bindparam("line"),
        editor_id=sa.func.coalesce(_conversations.c.editor_id, sa.bindparam("by")),
    )
)


class Begun(NamedTuple):
    """With whom a letter begins a conversation."""

    customer_id: int


class LetterOut(NamedTuple):
    """A letter that is leaving; its HTML is filled in from its delivery's sheet when somebody looks.

    Message ids stand without brackets. `searched` are the words it is found by: what is said to everybody would only
    make every letter answer to it. `details` go into the conversation's history.
    """

    conversation_id: int
    mailbox_id: int
    editor_id: int | None
    # whose the conversation is, if it was nobody's
    owner_id: int | None
    sender: Address
    to: Address
    subject: str
    text: str
    fold_at: int
    first_line: str
    searched: str
    language: str
    rfc_message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    delivery_id: int
    verb: str
    details: dict[str, Any]
    begins: Begun | None = None


def reserve_conversations(session: Session, count: int) -> list[int]:
    """The numbers of conversations that letters will begin: their Message-ID and Reply-To tell them."""
    return reserve_ids(session, _conversations, count)


def record_letters(session: Session, letters: Sequence[LetterOut], *, now: datetime) -> list[int]:
    """Keep letters that are leaving, with the conversations they begin; the numbers of the messages, in order.

    A letter is no answer to what she asked: whoever waits goes on waiting, and what is closed or snoozed stays so. One
    that a letter begins waits for nobody, and is closed until she answers. Those that exist are locked by the caller.
    """
    table = cast("sa.Table", Message.__table__)
    numbers = reserve_ids(session, table, len(letters))
    pairs = list(zip(numbers, letters, strict=True))
    begun = [_begun(number, each, each.begins, now) for number, each in pairs if each.begins]
    insert_many(session, _conversations, begun)
    insert_many(session, table, [_message(number, each, now) for number, each in pairs])
    run_many(session, _SHOW_LAST, [_last(number, each, now) for number, each in pairs if not each.begins])
    index_folded(session, [_indexed(number, each) for number, each in pairs])
    entries = [_entry(number, each, now) for number, each in pairs]
    insert_many(session, cast("sa.Table", AuditEntry.__table__), entries)
    return numbers


def _begun(message: int, letter: LetterOut, begun: Begun, now: datetime) -> dict[str, Any]:
    return {
        "id": letter.conversation_id,
        "mailbox_id": letter.mailbox_id,
        "customer_id": begun.customer_id,
        "editor_id": letter.owner_id,
        "subject": letter.subject,
        "language": letter.language,
        "state": ConversationState.CLOSED,
        "closed_at": now,
        "first_line": _line(letter),
        "last_message_at": now,
        "last_message_id": message,
        "created_at": now,
    }


def _message(number: int, letter: LetterOut, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "conversation_id": letter.conversation_id,
        "mailbox_id": letter.mailbox_id,
        "direction": Direction.OUT,
        "kind": MessageKind.HUMAN,
        "kind_reason": "",
        "editor_id": letter.editor_id,
        "from_name": letter.sender.name,
        "from_address": letter.sender.address,
        "to": [{"name": letter.to.name, "address": letter.to.address}],
        "cc": [],
        "reply_to": [],
        "subject": letter.subject,
        "text": letter.text,
        "fold_at": letter.fold_at,
        "language": letter.language,
        "flags": [],
        "rfc_message_id": letter.rfc_message_id,
        "in_reply_to": list(letter.in_reply_to),
        "references": list(letter.references),
        "delivery_id": letter.delivery_id,
        "written_at": now,
        "created_at": now,
    }


def _last(number: int, letter: LetterOut, now: datetime) -> dict[str, Any]:
    return {
        "its_id": letter.conversation_id,
        "message": number,
        "at": now,
        "line": _line(letter),
        "by": letter.owner_id,
    }


def _line(letter: LetterOut) -> str:
    return " ".join(letter.first_line.split())[:240]


def _indexed(number: int, letter: LetterOut) -> tuple[int, str, str, str]:
    people = _folded(f"{letter.sender.name} {letter.sender.address}")
    to = fold(f"{letter.to.name} {letter.to.address}")
    return number, _folded(letter.subject), people, f"{_folded(letter.searched)} {to}"


# What thousands of letters have in common is folded once.
_folded = lru_cache(maxsize=256)(fold)


def _entry(number: int, letter: LetterOut, now: datetime) -> dict[str, Any]:
    return {
        "at": now,
        "verb": letter.verb,
        "subject_type": "conversation",
        "subject_id": letter.conversation_id,
        "editor_id": None,
        "details": {"message": number} | letter.details,
    }
