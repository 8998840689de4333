"""Letters that leave by the thousand, kept in their conversations: a set of rows for each statement, not one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address
from concierge.audit import AuditEntry
from concierge.conversations.indexing import index_folded
from concierge.conversations.models import Conversation, ConversationState, Direction, Message, MessageKind
from concierge.conversations.search_terms import fold
from concierge.rows import Columns, Encoded, Same, insert_columns, reserve_ids, run_columns

_conversations, _table, _entries = (cast("sa.Table", each.__table__) for each in (Conversation, Message, AuditEntry))
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


class Common(NamedTuple):
    """What letters share that are alike: whose voice they have, and what is said of them.

    `searched` are the words they are found by: what is said to everybody would only make every letter answer to it.
    `owner_id` is whose a conversation becomes that was nobody's; `verb` is what history calls it.
    """

    mailbox_id: int
    editor_id: int | None
    owner_id: int | None
    sender: Address
    first_line: str
    searched: str
    language: str
    verb: str


class LetterOut(NamedTuple):
    """A letter that is leaving; its HTML is filled in from its delivery's sheet when somebody looks.

    Message ids stand without brackets but in `references`, of which it answers the last. One with `begins`, a
    customer's number, begins a conversation with her; of one that joins another, `details` go into its history.
    """

    common: Common
    conversation_id: int
    to: Address
    subject: str
    text: str
    fold_at: int
    rfc_message_id: str
    references: tuple[str, ...]
    delivery_id: int
    details: Mapping[str, Any]
    begins: int | None = None


def reserve_conversations(session: Session, count: int) -> list[int]:
    """The numbers of conversations that letters will begin: their Message-ID and Reply-To tell them."""
    return reserve_ids(session, _conversations, count)


def record_letters(session: Session, letters: Sequence[LetterOut], *, now: datetime) -> list[int]:
    """Keep letters that are leaving, with the conversations they begin; the numbers of the messages, in order.

    A letter is no answer to what she asked: whoever waits goes on waiting, and what is closed or snoozed stays so. One
    that a letter begins waits for nobody, and is closed until she answers. Those that exist are locked by the caller.
    """
    numbers = reserve_ids(session, _table, len(letters))
    begun = [pair for pair in zip(numbers, letters, strict=True) if pair[1].begins is not None]
    joining = [pair for pair in zip(numbers, letters, strict=True) if pair[1].begins is None]
    lines = _Lines()
    insert_columns(session, _conversations, _begun(begun, lines, now), len(begun))
    insert_columns(session, _table, _messages(numbers, letters, now), len(letters))
    run_columns(session, _SHOW_LAST, _last(joining, lines, now), len(joining))
    index_folded(session, list(map(_indexed, numbers, letters)))
    entries = [_joined(number, each) for number, each in joining] + ([_all_of(begun)] if begun else [])
    insert_columns(session, _entries, _noted(entries, now), len(entries))
    return numbers


_Numbered = tuple[int, LetterOut]


class _Lines(dict[str, str]):
    """First lines as the list of conversations shows them, each made once."""

    def __missing__(self, line: str) -> str:
        self[line] = " ".join(line.split())[:240]
        return self[line]


def _begun(begun: Sequence[_Numbered], lines: _Lines, now: datetime) -> Columns:
    letters = [each for _number, each in begun]
    common = [each.common for each in letters]
    return {
        "id": [each.conversation_id for each in letters],
        "mailbox_id": [each.mailbox_id for each in common],
        "customer_id": [each.begins for each in letters],
        "editor_id": [each.owner_id for each in common],
        "subject": [each.subject for each in letters],
        "language": [each.language for each in common],
        "state": Same(ConversationState.CLOSED),
        "closed_at": Same(now),
        "first_line": [lines[each.first_line] for each in common],
        "last_message_at": Same(now),
        "last_message_id": [number for number, _letter in begun],
        "created_at": Same(now),
    }


def _messages(numbers: Sequence[int], letters: Sequence[LetterOut], now: datetime) -> Columns:
    common = [each.common for each in letters]
    return {
        "id": numbers,
        "conversation_id": [each.conversation_id for each in letters],
        "mailbox_id": [each.mailbox_id for each in common],
        "direction": Same(Direction.OUT),
        "kind": Same(MessageKind.HUMAN),
        "kind_reason": Same(""),
        "editor_id": [each.editor_id for each in common],
        "from_name": [each.sender.name for each in common],
        "from_address": [each.sender.address for each in common],
        "to": [_in_json(each.to) for each in letters],
        "cc": Same([]),
        "reply_to": Same([]),
        "subject": [each.subject for each in letters],
        "text": [each.text for each in letters],
        "fold_at": [each.fold_at for each in letters],
        "language": [each.language for each in common],
        "flags": Same([]),
        "rfc_message_id": [each.rfc_message_id for each in letters],
        "in_reply_to": [each.references[-1:] for each in letters],
        "references": [each.references for each in letters],
        "delivery_id": [each.delivery_id for each in letters],
        "written_at": Same(now),
        "created_at": Same(now),
    }


def _in_json(person: Address) -> Encoded:
    return Encoded(f'[{{"name":{_quoted(person.name)},"address":{_quoted(person.address)}}}]')


def _last(joining: Sequence[_Numbered], lines: _Lines, now: datetime) -> Columns:
    return {
        "its_id": [each.conversation_id for _number, each in joining],
        "message": [number for number, _letter in joining],
        "at": Same(now),
        "line": [lines[each.common.first_line] for _number, each in joining],
        "by": [each.common.owner_id for _number, each in joining],
    }


def _indexed(number: int, letter: LetterOut) -> tuple[int, str, str, str]:
    subject, people, searched = _folded(letter.subject), _sender(letter.common.sender), _folded(letter.common.searched)
    return number, subject, people, f"{searched} {fold(letter.to.name)} {fold(letter.to.address)}"


# What thousands of letters have in common is folded once.
_folded = lru_cache(maxsize=256)(fold)


@lru_cache(maxsize=256)
def _sender(sender: Address) -> str:
    return fold(f"{sender.name} {sender.address}")


class _Entry(NamedTuple):
    verb: str
    subject_type: str
    subject_id: int
    details: Mapping[str, Any]


def _joined(number: int, letter: LetterOut) -> _Entry:
    """In the history of a conversation that somebody may be looking at."""
    return _Entry(letter.common.verb, "conversation", letter.conversation_id, {"message": number, **letter.details})


def _all_of(begun: Sequence[_Numbered]) -> _Entry:
    """One entry for all conversations begun together: in each, its mail tells the same."""
    (first, letter), (last, _) = begun[0], begun[-1]
    if len(begun) == 1:
        return _joined(first, letter)
    return _Entry(letter.common.verb, "message", first, {"upto": last, "letters": len(begun)})


def _noted(entries: Sequence[_Entry], now: datetime) -> Columns:
    return {
        "at": Same(now),
        "verb": [each.verb for each in entries],
        "subject_type": [each.subject_type for each in entries],
        "subject_id": [each.subject_id for each in entries],
        "editor_id": Same(None),
        "details": [each.details for each in entries],
    }
