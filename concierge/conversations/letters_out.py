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
from concierge.rows import Columns, Same, insert_columns, reserve_ids, run_columns

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
    begun = [(number, each, each.begins) for number, each in pairs if each.begins]
    lines = _Lines()
    insert_columns(session, _conversations, _begun(begun, lines, now), len(begun))
    insert_columns(session, table, _messages(numbers, letters, now), len(letters))
    going_on = [(number, each) for number, each in pairs if not each.begins]
    run_columns(session, _SHOW_LAST, _last(going_on, lines, now), len(going_on))
    index_folded(session, [_indexed(number, each) for number, each in pairs])
    entries = cast("sa.Table", AuditEntry.__table__)
    insert_columns(session, entries, _entries(numbers, letters, now), len(letters))
    return numbers


class _Lines(dict[str, str]):
    """First lines as the list of conversations shows them, each made once."""

    def __missing__(self, line: str) -> str:
        self[line] = " ".join(line.split())[:240]
        return self[line]


def _begun(begun: Sequence[tuple[int, LetterOut, Begun]], lines: _Lines, now: datetime) -> Columns:
    letters = [each for _number, each, _begins in begun]
    return {
        "id": [each.conversation_id for each in letters],
        "mailbox_id": [each.mailbox_id for each in letters],
        "customer_id": [begins.customer_id for _number, _letter, begins in begun],
        "editor_id": [each.owner_id for each in letters],
        "subject": [each.subject for each in letters],
        "language": [each.language for each in letters],
        "state": Same(ConversationState.CLOSED),
        "closed_at": Same(now),
        "first_line": [lines[each.first_line] for each in letters],
        "last_message_at": Same(now),
        "last_message_id": [number for number, _letter, _begins in begun],
        "created_at": Same(now),
    }


def _messages(numbers: Sequence[int], letters: Sequence[LetterOut], now: datetime) -> Columns:
    return {
        "id": numbers,
        "conversation_id": [each.conversation_id for each in letters],
        "mailbox_id": [each.mailbox_id for each in letters],
        "direction": Same(Direction.OUT),
        "kind": Same(MessageKind.HUMAN),
        "kind_reason": Same(""),
        "editor_id": [each.editor_id for each in letters],
        "from_name": [each.sender.name for each in letters],
        "from_address": [each.sender.address for each in letters],
        "to": [[{"name": each.to.name, "address": each.to.address}] for each in letters],
        "cc": Same([]),
        "reply_to": Same([]),
        "subject": [each.subject for each in letters],
        "text": [each.text for each in letters],
        "fold_at": [each.fold_at for each in letters],
        "language": [each.language for each in letters],
        "flags": Same([]),
        "rfc_message_id": [each.rfc_message_id for each in letters],
        "in_reply_to": [each.in_reply_to for each in letters],
        "references": [each.references for each in letters],
        "delivery_id": [each.delivery_id for each in letters],
        "written_at": Same(now),
        "created_at": Same(now),
    }


def _last(going_on: Sequence[tuple[int, LetterOut]], lines: _Lines, now: datetime) -> Columns:
    return {
        "its_id": [each.conversation_id for _number, each in going_on],
        "message": [number for number, _letter in going_on],
        "at": Same(now),
        "line": [lines[each.first_line] for _number, each in going_on],
        "by": [each.owner_id for _number, each in going_on],
    }


def _indexed(number: int, letter: LetterOut) -> tuple[int, str, str, str]:
    people = _folded(f"{letter.sender.name} {letter.sender.address}")
    to = fold(f"{letter.to.name} {letter.to.address}")
    return number, _folded(letter.subject), people, f"{_folded(letter.searched)} {to}"


# What thousands of letters have in common is folded once.
_folded = lru_cache(maxsize=256)(fold)


def _entries(numbers: Sequence[int], letters: Sequence[LetterOut], now: datetime) -> Columns:
    return {
        "at": Same(now),
        "verb": [each.verb for each in letters],
        "subject_type": Same("conversation"),
        "subject_id": [each.conversation_id for each in letters],
        "editor_id": Same(None),
        "details": [{"message": number, **each.details} for number, each in zip(numbers, letters, strict=True)],
    }
