"""What a search asks beside words: the filters, how many conversations each leaves, and what of some messages holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.conversations.models import (
    Attachment,
    Conversation,
    ConversationState,
    Message,
    Tag,
    conversation_tag,
)
from concierge.conversations.search_terms import Search
from concierge.rows import is_one_of, read_numbers

# Of the messages that have the words, so many are asked at a time: the first of them mostly fill the page.
_AT_ONCE = (120, 600, 3_000)
_ONE = sa.select(sa.literal(1))
_TAGGED, _TALK = conversation_tag.c, Message.conversation_id
Found = Sequence[sa.Row[int, int]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing asked beside words: a row that must be there for a message, and all it leaves.

    `left` are the numbers of conversations, or of messages, that it leaves; `messages` is the same asked of messages.
    """

    row: sa.Select[int]
    left: sa.Select[int]
    messages: sa.ColumnElement[bool]

    @property
    def value(self) -> sa.ColumnElement[bool]:
        """Asked of one message after the other. As a value, since either planner would turn a join round."""
        return self.row.correlate(Message).limit(1).scalar_subquery() == 1


_WITH_FILES = sa.select(Attachment.message_id).where(~Attachment.inline)
FILES = Filter(
    _ONE.where(Attachment.message_id == Message.id, ~Attachment.inline), _WITH_FILES, Message.id.in_(_WITH_FILES)
)


def list_filters(session: Session, search: Search, editor: Editor) -> list[Filter] | None:
    """None when there is no such tag."""
    filters = []
    if talk := _asked_of_talk(search, editor):
        here = sa.select(Conversation.id).where(*talk)
        filters.append(Filter(_ONE.where(Conversation.id == _TALK, *talk), here, _TALK.in_(here)))
    for name in search.tags:
        if (tag_id := session.scalar(sa.select(Tag.id).where(Tag.name == name))) is None:
            return None
        here = sa.select(_TAGGED.conversation_id).where(_TAGGED.tag_id == tag_id)
        row = _ONE.where(_TAGGED.conversation_id == _TALK, _TAGGED.tag_id == tag_id)
        filters.append(Filter(row, here, _TALK.in_(here)))
    return [*filters, FILES] if search.with_attachment else filters


def _asked_of_talk(search: Search, editor: Editor) -> list[sa.ColumnElement[bool]]:
    asked: list[sa.ColumnElement[bool]] = []
    states = [state for state in ConversationState if state.value in search.states]
    if states:
        asked.append(Conversation.state.in_(states))
    if "mine" in search.states:
        asked.append(Conversation.editor_id == editor.id)
    if "unassigned" in search.states:
        asked.append(Conversation.editor_id.is_(None))
    return asked


def gather(session: Session, filters: Sequence[Filter], *, most: int, before: int | None = None) -> list[int] | None:
    """The numbers of the messages the filters leave, older than `before`, newest first.

    They are gathered by the strictest filter; None where that one alone leaves more than `most` rows.
    """
    counts = [
        sa.select(sa.func.count()).select_from(each.left.limit(most + 1).subquery()).scalar_subquery()
        for each in filters
    ]
    left = list(session.execute(sa.select(*counts)).one())
    if min(left) > most:
        return None
    strictest = filters[left.index(min(left))]
    others = [each.value for each in filters if each is not strictest]
    number: sa.ColumnElement[int] = Message.id.expression
    statement = sa.select(number).where(strictest.messages, *others)
    if strictest is FILES and not others:
        number, statement = Attachment.message_id.expression, _WITH_FILES
    if before is not None:
        statement = statement.where(number < before)
    return sorted({*read_numbers(session, statement)}, reverse=True)


def list_holding(session: Session, filters: Sequence[Filter], message_ids: Sequence[int], limit: int) -> Found:
    """(message id, conversation id) of the first `limit` of these messages, newest first, that hold all filters."""
    found: list[sa.Row[int, int]] = []
    for some in in_parts(message_ids):
        statement = sa.select(Message.id, _TALK).where(is_one_of(session, Message.id, some))
        statement = statement.where(*(each.value for each in filters)).order_by(Message.id.desc())
        found += session.execute(statement.limit(limit - len(found))).all()
        if len(found) == limit:
            break
    return found


def in_parts(numbers: Sequence[int], *, at_once: bool = False) -> Iterator[Sequence[int]]:
    """A few of these first, then more at a time; or all `at_once`, where asking is dear however few they are."""
    begin = 0
    for size in [len(numbers)] if at_once else chain(_AT_ONCE, repeat(_AT_ONCE[-1])):
        if begin >= len(numbers):
            return
        yield numbers[begin : begin + size]
        begin += size
