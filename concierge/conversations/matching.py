"""Which messages a search finds: what each database is asked, so that it looks at few of them.

Most searches fill a page from the newest messages. Else the words or the filters, whichever are the smaller heap, are
gathered, and the other looked up for each of it; where both are large, a walk from the newest fills a page soon.
How large they are is counted or estimated first. docs/benchmarks.md has the figures.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

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
from concierge.conversations.search_terms import Search, to_fts5, to_tsquery

# So many of the newest messages are looked at first when there are filters, and then so many if it is worth it.
_NEWEST = (2_000, 8_000)
# Filters that leave no more conversations than this are gathered before the words are looked at.
_FEW = 20_000
# Words that stand in no more messages than this are gathered before the filters are looked at (PostgreSQL).
_RARE = 4_000
_FTS5 = sa.table("message_search", sa.column("rowid", sa.Integer))
_TSVECTOR = sa.table("message_search", sa.column("message_id", sa.BigInteger), sa.column("document"))
_ONE = sa.select(sa.literal(1))
_TAGGED, _TALK = conversation_tag.c, Message.conversation_id
# With the plus, SQLite looks each match up in the set; without, it asks the index anew for each of the set.
_EACH_ROWID: sa.ColumnElement[int] = sa.literal_column("+message_search.rowid", sa.Integer)
_Found = Sequence[sa.Row[int, int]]
# A statement that gives messages, and the number they are sorted by.
_Ask = tuple[Any, sa.ColumnElement[int]]


def list_matches(session: Session, search: Search, *, editor: Editor, before: int | None, limit: int) -> _Found:
    """(message id, conversation id) of what was asked, the newest first, older than message `before`."""
    filters = _filters(session, search, editor)
    if filters is None:
        return ()
    estimate = _estimate(session, search)
    few: sa.CTE | None = None
    if filters and estimate > _RARE:
        newest, is_all = _among_newest(session, _walk(session, search, filters), before, limit)
        if is_all or len(newest) == limit:
            return newest
        few, count = _gather(session, filters)
        if count == 0:
            return ()
    return _read(session, _choose(session, search, filters, few, estimate), before, limit)


def _among_newest(session: Session, walk: _Ask, before: int | None, limit: int) -> tuple[list[sa.Row[int, int]], bool]:
    """What a look at the newest messages finds, and whether these were all there are.

    It looks further where, from what it has seen, that will fill the page.
    """
    top = before or (session.scalar(sa.select(sa.func.max(Message.id))) or 0) + 1
    seen, found = 0, list[sa.Row[int, int]]()
    for many in _NEWEST:
        statement, number = walk
        above = (statement.where(number >= top - many), number)
        found += _read(session, above, top - seen, limit - len(found))
        seen = many
        if len(found) == limit or len(found) * _NEWEST[-1] < limit * many:
            break
    return found, top <= seen


def _read(session: Session, ask: _Ask, before: int | None, limit: int) -> _Found:
    statement, number = ask
    if before is not None:
        statement = statement.where(number < before)
    return session.execute(statement.order_by(number.desc()).limit(limit)).all()


def list_newer(session: Session, search: Search, conversation_ids: Collection[int], *, since: int) -> set[int]:
    """Those of the conversations in which a message matches that is as new as message `since` or newer."""
    newer = sa.select(Message.id, _TALK).where(_TALK.in_(conversation_ids), Message.id >= since)
    if search.with_attachment:
        newer = newer.where(_FILES.value)
    by_id = {message_id: conversation_id for message_id, conversation_id in session.execute(newer)}
    if not by_id or not search.has_words:
        return set(by_id.values())
    if _is_sqlite(session):
        found = sa.select(_FTS5.c.rowid).where(
            _is_in_fts5(search), _FTS5.c.rowid >= since, _EACH_ROWID.in_(list(by_id))
        )
    else:
        found = sa.select(_TSVECTOR.c.message_id).where(
            _TSVECTOR.c.message_id.in_(list(by_id)), _is_in_tsvector(search)
        )
    return {by_id[message_id] for message_id in session.scalars(found)}


@dataclass(frozen=True, slots=True)
class _Filter:
    """One thing asked beside words: a row that must be there for a message, and the messages it leaves."""

    row: sa.Select[int]
    left: sa.Select[int]
    messages: sa.ColumnElement[bool]

    @property
    def value(self) -> sa.ColumnElement[bool]:
        """Asked of one message after the other. As a value, since either planner would turn a join round."""
        return self.row.correlate(Message).limit(1).scalar_subquery() == 1


_WITH_FILES = sa.select(Attachment.message_id).where(~Attachment.inline)
_FILES = _Filter(
    _ONE.where(Attachment.message_id == Message.id, ~Attachment.inline), _WITH_FILES, Message.id.in_(_WITH_FILES)
)


def _filters(session: Session, search: Search, editor: Editor) -> list[_Filter] | None:
    """None when there is no such tag."""
    filters = []
    if talk := _asked_of_talk(search, editor):
        here = sa.select(Conversation.id).where(*talk)
        filters.append(_Filter(_ONE.where(Conversation.id == _TALK, *talk), here, _TALK.in_(here)))
    for name in search.tags:
        if (tag_id := session.scalar(sa.select(Tag.id).where(Tag.name == name))) is None:
            return None
        here = sa.select(_TAGGED.conversation_id).where(_TAGGED.tag_id == tag_id)
        row = _ONE.where(_TAGGED.conversation_id == _TALK, _TAGGED.tag_id == tag_id)
        filters.append(_Filter(row, here, _TALK.in_(here)))
    return [*filters, _FILES] if search.with_attachment else filters


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


def _gather(session: Session, filters: list[_Filter]) -> tuple[sa.CTE | None, int]:
    """The messages the filters leave, gathered by the strictest of them, and how many that leaves; None: too many."""
    counts = []
    for each in filters:
        some = each.left.limit(_FEW + 1).subquery()
        counts.append(session.scalar(sa.select(sa.func.count()).select_from(some)) or 0)
    few = min(counts)
    if few > _FEW:
        return None, few
    strictest = filters[counts.index(few)]
    others = [each.value for each in filters if each is not strictest]
    heap = sa.select(Message.id, _TALK).where(strictest.messages, *others)
    return heap.cte("few").prefix_with("MATERIALIZED"), few


def _choose(session: Session, search: Search, filters: list[_Filter], few: sa.CTE | None, estimate: float) -> _Ask:
    """The statement that looks at least, and its message id."""
    if estimate <= _RARE:
        return _rare_in_postgresql(search, filters)
    if few is None:
        return _walk(session, search, filters)
    if not search.has_words:
        return sa.select(few.c.id, few.c.conversation_id), few.c.id
    return _few_in_sqlite(search, few) if _is_sqlite(session) else _few_in_postgresql(search, few)


def _walk(session: Session, search: Search, filters: list[_Filter]) -> _Ask:
    """From the newest message down, each looked at."""
    if search.has_words and _is_sqlite(session):
        # The index gives its rows by number, newest first, without sorting (sqlite.org/fts5.html, 5).
        number = _FTS5.c.rowid
        statement = sa.select(number, _talk()).where(_is_in_fts5(search))
        if not filters:
            return statement, number
        left = sa.select(sa.literal(1)).where(Message.id == number, *(each.value for each in filters))
        return statement.where(left.correlate(_FTS5).scalar_subquery() == 1), number
    statement = sa.select(Message.id, _TALK).where(*(each.value for each in filters))
    if search.has_words:
        says = _says(search, Message.id.expression)
        statement = statement.join(says, says.c.so)
    return statement, Message.id.expression


def _talk() -> sa.ScalarSelect[int]:
    """The conversation of a message that SQLite's index gave."""
    talk = sa.select(Message.conversation_id).where(Message.id == _FTS5.c.rowid)
    return talk.correlate(_FTS5).scalar_subquery()


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _is_in_fts5(search: Search) -> sa.TextClause:
    return sa.text("message_search MATCH :words").bindparams(words=to_fts5(search))


def _few_in_sqlite(search: Search, few: sa.CTE) -> _Ask:
    """Matches that are among what the filters leave, from the newest of these down."""
    number, newest = _FTS5.c.rowid, sa.select(sa.func.max(few.c.id)).scalar_subquery()
    statement = sa.select(number, _talk()).where(number <= newest, _EACH_ROWID.in_(sa.select(few.c.id)))
    return statement.where(_is_in_fts5(search)), number


def _is_in_tsvector(search: Search) -> sa.ColumnElement[bool]:
    return _TSVECTOR.c.document.op("@@", is_comparison=True)(_request(search))


def _request(search: Search) -> sa.Function[Any]:
    return sa.func.to_tsquery("simple", to_tsquery(search))


def _says(search: Search, number: sa.ColumnElement[int]) -> Any:
    """Whether that one message holds the words; with OFFSET 0 each is asked by itself, in the order they come."""
    says = sa.select(_is_in_tsvector(search).label("so")).where(_TSVECTOR.c.message_id == number)
    return says.offset(0).lateral()


def _few_in_postgresql(search: Search, few: sa.CTE) -> _Ask:
    """What the filters leave, sorted; then the words of each, until the page is full."""
    each = _downwards(few)
    says = _says(search, each.c.id)
    return sa.select(each.c.id, each.c.conversation_id).join(says, says.c.so), each.c.id


def _rare_in_postgresql(search: Search, filters: list[_Filter]) -> _Ask:
    """Matches, sorted; then the filters of each, until the page is full."""
    rare = sa.select(_TSVECTOR.c.message_id.label("id")).where(_is_in_tsvector(search)).cte("rare")
    each = _downwards(rare.prefix_with("MATERIALIZED"))
    talk = sa.select(Message.id, _TALK).where(Message.id == each.c.id, *(one.value for one in filters))
    message = talk.offset(0).lateral()
    return sa.select(each.c.id, message.c.conversation_id).join(message, sa.true()), each.c.id


def _downwards(heap: sa.CTE) -> sa.Subquery:
    return sa.select(heap).order_by(heap.c.id.desc()).offset(0).subquery("downwards")


def _estimate(session: Session, search: Search) -> float:
    """How many messages hold these words, as PostgreSQL thinks (asking takes a third of a ms); SQLite does not say."""
    if _is_sqlite(session) or not search.has_words:
        return inf
    words = session.scalar(sa.select(sa.cast(_request(search), sa.Text)))
    explain = sa.text("EXPLAIN (FORMAT JSON) SELECT 1 FROM message_search WHERE document @@ CAST(:words AS tsquery)")
    plan: list[dict[str, dict[str, float]]] = session.execute(explain, {"words": words}).scalar_one()
    return plan[0]["Plan"]["Plan Rows"]
