"""The search over all messages of all time, answered as conversations with the place where the words stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.conversations.listing import Row, list_of_messages
from concierge.conversations.matching import list_matches, list_newer
from concierge.conversations.search_terms import Piece, Search, snippet
from concierge.web.paging import Page, Place

PAGE_SIZE = 30
# Matches read at a time until a page is full; several may belong to one conversation.
_MATCHES = (PAGE_SIZE + 1, 240, 960)
# The list shows one line: what was searched stands near its beginning.
_AROUND = 18
# The beginning is enough: who finds a word further back is shown the mail's first lines.
_BEGINNING = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation that was found, its newest matching message, and that message's snippet."""

    row: Row
    message_id: int
    snippet: tuple[Piece, ...]


def search_conversations(
    session: Session, search: Search, *, editor: Editor, after: Place | None = None, limit: int = PAGE_SIZE
) -> Page[Hit]:
    """Conversations in which one message holds all that was asked, the newest match first.

    A page's place is the message it ended with; a conversation is shown once, at its newest match.
    """
    if search.is_empty:
        return Page((), None)
    before = after.id if after else None
    newest: dict[int, int] = {}
    last, more = before, True
    for many in _MATCHES:
        matches = list_matches(session, search, editor=editor, before=last, limit=many)
        last, is_full = _gather(matches, newest, limit, last)
        more = is_full or len(matches) == many
        if is_full or not more:
            break
    if before is not None:
        for number in list_newer(session, search, newest, since=before):
            del newest[number]
    return Page(_hits(session, search, newest), Place(_EPOCH, last) if more and last else None)


def _gather(
    matches: Sequence[sa.Row[int, int]], newest: dict[int, int], limit: int, last: int | None
) -> tuple[int | None, bool]:
    """Add to `newest` until there are `limit`: the last match that was used, and whether any was left over."""
    for message_id, conversation_id in matches:
        if conversation_id not in newest and len(newest) == limit:
            return last, True
        newest.setdefault(conversation_id, message_id)
        last = message_id
    return last, False


def _hits(session: Session, search: Search, newest: dict[int, int]) -> tuple[Hit, ...]:
    found = list_of_messages(session, list(newest.values()), beginning=_BEGINNING)
    return tuple(Hit(row, number, snippet(text, search, around=_AROUND)) for row, number, text in found)
