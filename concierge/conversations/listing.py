"""The folders of the inbox: their rows page by page, and how many conversations are in each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from concierge.accounts.models import Editor, photo_url
from concierge.conversations.models import (
    Conversation,
    ConversationState,
    Mention,
    Message,
    Note,
    Tag,
    conversation_tag,
)
from concierge.customers.models import Customer, CustomerAddress
from concierge.db import BigId
from concierge.rows import one_of
from concierge.web.paging import Page, Place

PAGE_SIZE = 50
_Rows = sa.Select[*tuple[Any, ...]]
# Before all of a list's second part, which is sorted from the future down.
_TAIL = Place(datetime(9000, 1, 1, tzinfo=UTC), 0, tail=True)


class Folder(StrEnum):
    """Where an editor looks."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"
    NOT_FOR_US = "not-for-us"
    MENTIONS = "mentions"


class Order(StrEnum):
    """Who stands on top."""

    WAITING = "waiting"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: all it shows, and nothing more is loaded."""

    id: int
    name: str
    subject: str
    first_line: str
    state: ConversationState
    waiting_since: datetime | None
    last_message_at: datetime
    snoozed_until: datetime | None
    failed_at: datetime | None
    editor_id: int | None
    editor_name: str | None
    editor_photo_key: str | None
    tags: tuple[str, ...] = ()

    @property
    def editor_photo_url(self) -> str | None:
        """Where her editor's face is served."""
        return photo_url(self.editor_id, self.editor_photo_key) if self.editor_id else None


def list_rows(
    session: Session,
    folder: Folder,
    *,
    editor: Editor,
    order: Order,
    after: Place | None = None,
    limit: int = PAGE_SIZE,
) -> Page[Row]:
    """A page of a folder. By waiting: those who wait, the longest first; behind them the rest, newest first.

    Only the open folders can be sorted by waiting; snoozed ones come as they wake, the others newest first.
    """
    where = _conditions(folder, editor.id)
    if folder is Folder.SNOOZED:
        return _ascending(session, where, Conversation.snoozed_until, after, limit)
    if order is Order.NEWEST or folder not in {Folder.MINE, Folder.UNASSIGNED, Folder.OPEN}:
        return _newest(session, where, after, limit)
    rows: tuple[Row, ...] = ()
    if after is None or not after.tail:
        waiting = [*where, Conversation.waiting_since.is_not(None)]
        page = _ascending(session, waiting, Conversation.waiting_since, after, limit)
        if page.next or len(page.rows) == limit:
            return Page(page.rows, page.next or _TAIL)
        rows, after = page.rows, None
    rest = _newest(session, [*where, Conversation.waiting_since.is_(None)], after, limit - len(rows), tail=True)
    return Page(rows + rest.rows, rest.next)


def _conditions(folder: Folder, editor_id: Any) -> list[sa.ColumnElement[bool]]:
    is_open = Conversation.state == ConversationState.OPEN
    match folder:
        case Folder.MINE:
            return [is_open, Conversation.editor_id == editor_id]
        case Folder.UNASSIGNED:
            return [is_open, Conversation.editor_id.is_(None)]
        case Folder.OPEN:
            return [is_open]
        case Folder.SNOOZED:
            return [Conversation.state == ConversationState.SNOOZED]
        case Folder.CLOSED:
            is_closed = Conversation.state == ConversationState.CLOSED
            return [is_closed, Conversation.not_for_us_at.is_(None), _stands()]
        case Folder.NOT_FOR_US:
            return [Conversation.not_for_us_at.is_not(None)]
        case Folder.MENTIONS:
            return [Conversation.id.in_(_unseen(editor_id))]


def _stands() -> sa.ColumnElement[bool]:
    """Whether it was not merged into another."""
    return Conversation.merged_into_id.is_(None)


def _unseen(editor_id: Any) -> sa.Select[int]:
    return (
        sa.select(Note.conversation_id)
        .join(Mention, Mention.note_id == Note.id)
        .where(Mention.editor_id == editor_id, Mention.seen_at.is_(None))
    )


def _ascending(
    session: Session,
    where: Iterable[sa.ColumnElement[bool]],
    key: InstrumentedAttribute[datetime | None],
    after: Place | None,
    limit: int,
) -> Page[Row]:
    statement = _select().where(*where).order_by(key, Conversation.id).limit(limit + 1)
    if after is not None:
        statement = statement.where(sa.tuple_(key, Conversation.id) > (after.at, after.id))
    rows = _load(session, statement)
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    at = last.waiting_since if key is Conversation.waiting_since else last.snoozed_until
    return Page(rows[:limit], Place(at, last.id) if at else None)


def _newest(
    session: Session, where: Iterable[sa.ColumnElement[bool]], after: Place | None, limit: int, *, tail: bool = False
) -> Page[Row]:
    key = (Conversation.last_message_at, Conversation.id)
    statement = _select().where(*where).order_by(*(each.desc() for each in key)).limit(limit + 1)
    if after is not None:
        statement = statement.where(sa.tuple_(*key) < (after.at, after.id))
    rows = _load(session, statement)
    if len(rows) <= limit:
        return Page(rows, None)
    if limit == 0:
        return Page((), _TAIL)
    last = rows[limit - 1]
    return Page(rows[:limit], Place(last.last_message_at, last.id, tail=tail))


@cache
def _select() -> _Rows:
    return (
        sa.select(
            Conversation.id,
            Customer.name,
            Conversation.subject,
            Conversation.first_line,
            Conversation.state,
            Conversation.waiting_since,
            Conversation.last_message_at,
            Conversation.snoozed_until,
            Conversation.failed_at,
            Conversation.editor_id,
            Editor.name,
            Editor.photo_key,
            Conversation.customer_id,
        )
        .join(Customer, Customer.id == Conversation.customer_id)
        .outerjoin(Editor, Editor.id == Conversation.editor_id)
    )


def list_by_id(session: Session, conversation_ids: Sequence[int]) -> tuple[Row, ...]:
    """The rows of these conversations, in the order given."""
    rows = _load(session, _select().where(Conversation.id.in_(conversation_ids)))
    by_id = {row.id: row for row in rows}
    return tuple(by_id[number] for number in conversation_ids if number in by_id)


def list_of_messages(
    session: Session, message_ids: Sequence[int], *, beginning: int
) -> tuple[tuple[Row, int, str], ...]:
    """For each of these messages, in the order given: its conversation's row, its number, and how its text begins."""
    if not message_ids:
        return ()
    statement = (
        _select()
        .join(Message, Message.conversation_id == Conversation.id)
        .where(one_of(Message.id, message_ids))
        .add_columns(Message.id, sa.func.substr(Message.text, 1, beginning))
    )
    found = session.execute(statement).all()
    rows = _shown(session, [each[:-2] for each in found])
    by_id = {each[-2]: (row, each[-2], each[-1]) for row, each in zip(rows, found, strict=True)}
    return tuple(by_id[number] for number in message_ids if number in by_id)


def list_of_customer(session: Session, customer_id: int, *, limit: int = 20) -> tuple[Row, ...]:
    """A customer's conversations, newest first."""
    key = (Conversation.last_message_at.desc(), Conversation.id.desc())
    hers = _select().where(Conversation.customer_id == customer_id, _stands())
    return _load(session, hers.order_by(*key).limit(limit))


def list_tagged(session: Session, name: str, *, after: Place | None = None, limit: int = PAGE_SIZE) -> Page[Row]:
    """The conversations with a tag, newest first."""
    tagged = sa.select(conversation_tag.c.conversation_id).join(Tag).where(Tag.name == name)
    return _newest(session, [Conversation.id.in_(tagged), _stands()], after, limit)


def _load(session: Session, statement: _Rows) -> tuple[Row, ...]:
    return _shown(session, session.execute(statement).all())


def _shown(session: Session, found: Sequence[Sequence[Any]]) -> tuple[Row, ...]:
    nameless = {each[-1] for each in found if not each[1]}
    addresses = _addresses(session, nameless)
    tags = _tags(session, [each[0] for each in found])
    rows = []
    for number, name, *shown, customer_id in found:
        values = (number, name or addresses.get(customer_id, ""), *shown, tags.get(number, ()))
        rows.append(Row(*values))
    return tuple(rows)


def _addresses(session: Session, customer_ids: set[int]) -> dict[int, str]:
    if not customer_ids:
        return {}
    statement = (
        sa.select(CustomerAddress.customer_id, CustomerAddress.address)
        .where(CustomerAddress.customer_id.in_(customer_ids))
        .order_by(CustomerAddress.is_primary, CustomerAddress.id.desc())
    )
    return {customer_id: address for customer_id, address in session.execute(statement)}


def _tags(session: Session, conversation_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    if not conversation_ids:
        return {}
    statement = (
        sa.select(conversation_tag.c.conversation_id, Tag.name)
        .join(Tag, Tag.id == conversation_tag.c.tag_id)
        .where(one_of(conversation_tag.c.conversation_id, conversation_ids))
        .order_by(Tag.name)
    )
    tags: dict[int, tuple[str, ...]] = {}
    for conversation_id, name in session.execute(statement):
        tags[conversation_id] = (*tags.get(conversation_id, ()), name)
    return tags


def count_folders(session: Session, *, editor: Editor) -> dict[Folder, int]:
    """How many conversations are in each folder, exactly; one statement over indexes alone."""
    *counts, merged = session.execute(_counting(), {"editor_id": editor.id}).one()
    numbers = dict(zip(Folder, counts, strict=True))
    # Most are closed. Counting all of them looks at every one, but all there are SQLite knows at once.
    numbers[Folder.CLOSED] -= numbers[Folder.OPEN] + numbers[Folder.SNOOZED] + numbers[Folder.NOT_FOR_US] + merged
    return numbers


@cache
def _counting() -> _Rows:
    """Put together once: the inbox asks it each time it is drawn."""
    counts = []
    for folder in Folder:
        where = [] if folder is Folder.CLOSED else _conditions(folder, sa.bindparam("editor_id", type_=BigId))
        counts.append(sa.select(sa.func.count()).select_from(Conversation).where(*where).scalar_subquery())
    merged = sa.select(sa.func.count(Conversation.merged_into_id)).where(Conversation.merged_into_id.is_not(None))
    counts.append(merged.scalar_subquery())
    return sa.select(*counts)
