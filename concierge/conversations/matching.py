"""Which messages a search finds: what each database is asked, so that it looks at few of them.

Words and filters each leave a heap of messages. The smaller one is gathered, and its newest asked for the other, some
at a time until the page is full. Filters that leave next to nothing go first; else the newest messages with the words
fill most pages; where they promise little, what the filters leave is gathered after all. How much each leaves is
counted or estimated before. docs/benchmarks.md has the figures.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.conversations.models import Message
from concierge.conversations.search_filters import (
    FILES,
    Filter,
    Found,
    gather,
    in_parts,
    list_filters,
    list_holding,
)
from concierge.conversations.search_terms import Search, to_fts5, to_tsquery
from concierge.rows import is_one_of, read_numbers

# So many of the newest are looked at first when there are filters, and at most so many in the next look: messages that
# have the words (SQLite), messages (PostgreSQL, and where there are no words).
_NEWEST = (2_000, 8_000)
_LEAST = 250
# Filters that leave no more conversations or files than this are gathered before anything else …
_TINY = 3_000
# … and those that leave no more than this when the newest did not fill the page.
_FEW = 20_000
# PostgreSQL: words thought to stand in no more messages than this are gathered before the filters are looked at …
_RARE = 4_000
# … if they do not turn out to stand in more than this; and those thought to stand in no more than this are gathered
# when the newest did not fill the page.
_SOME = 12_000
# SQLite: so few messages are asked for the words one by one; and beginnings up to this length are kept in its index.
_ALONE = 60
_KEPT_BEGINNING = 3
_FTS5 = sa.table("message_search", sa.column("rowid", sa.Integer))
_TSVECTOR = sa.table("message_search", sa.column("message_id", sa.BigInteger), sa.column("document"))
# With the plus, SQLite looks each match up in the set; without, it asks the index anew for each of the set.
_EACH_ROWID: sa.ColumnElement[int] = sa.literal_column("+message_search.rowid", sa.Integer)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A search in one session, its filters, and in how many messages its words are thought to stand."""

    session: Session
    search: Search
    filters: Sequence[Filter] = ()
    estimate: float = inf

    @property
    def is_sqlite(self) -> bool:
        """Which of the two databases is asked."""
        return self.session.get_bind().dialect.name == "sqlite"

    @property
    def is_broad(self) -> bool:
        """Whether SQLite may have to gather very many words that begin alike, each time it is asked."""
        return self.is_sqlite and any(len(each) > _KEPT_BEGINNING for each in self.beginnings)

    @property
    def beginnings(self) -> list[str]:
        """The words that may go on."""
        return [term.words[-1] for term in (*self.search.terms, *self.search.senders) if term.prefix]


@dataclass(frozen=True, slots=True)
class _Look:
    """The numbers of all messages with the words down to `down_to`, newest first."""

    ids: Sequence[int]
    down_to: int
    is_last: bool


def list_matches(session: Session, search: Search, *, editor: Editor, before: int | None, limit: int) -> Found:
    """(message id, conversation id) of what was asked, the newest first, older than message `before`."""
    filters = list_filters(session, search, editor)
    if filters is None:
        return ()
    few = gather(session, filters, most=_TINY, before=before) if filters else None
    if few is not None:
        return _list_among(_Asked(session, search), few, limit)
    asked = _Asked(session, search, filters, _estimate(session, search))
    if asked.estimate <= _RARE:
        rare = read_numbers(session, _in_postgresql(search, before).limit(_SOME + 1))
        if len(rare) <= _SOME:
            return list_holding(session, filters, sorted(rare, reverse=True), limit)
    return _list_newest(asked, before, limit)


def list_newer(session: Session, search: Search, conversation_ids: Collection[int], *, since: int) -> set[int]:
    """Those of the conversations in which a message matches that is as new as message `since` or newer."""
    newer = sa.select(Message.id).where(Message.conversation_id.in_(conversation_ids), Message.id >= since)
    if search.with_attachment:
        newer = newer.where(FILES.value)
    newest_first = sorted(session.scalars(newer), reverse=True)
    found = _list_among(_Asked(session, search), newest_first, len(newest_first))
    return {conversation_id for _message_id, conversation_id in found}


def _list_newest(asked: _Asked, before: int | None, limit: int) -> Found:
    """From the newest down; where that promises little, the rest from what can be gathered, if it is not too much."""
    found: list[sa.Row[int, int]] = []
    size, looked, is_tried = _first_size(asked, limit), 0, False
    while not (look := _look(asked, before, size)).is_last:
        found += list_holding(asked.session, asked.filters, look.ids, limit - len(found))
        looked, before = looked + size, look.down_to
        if len(found) == limit:
            return found
        promises = looked <= sum(_NEWEST) and len(found) * (looked + _NEWEST[1]) >= limit * looked
        if not is_tried and not promises:
            rest, is_tried = _list_rest(asked, before, limit - len(found)), True
            if rest is not None:
                return [*found, *rest]
        # As far as should do, and half as far again.
        expected = looked * (limit - len(found)) * 3 // (2 * len(found)) if found else 4 * looked
        size = max(_LEAST, min(expected, 4 * _NEWEST[1] if is_tried else _NEWEST[1]))
    return [*found, *list_holding(asked.session, asked.filters, look.ids, limit - len(found))]


def _first_size(asked: _Asked, limit: int) -> int:
    if asked.is_sqlite and not asked.filters:
        return limit
    return sum(_NEWEST) if asked.is_broad else _NEWEST[0]


def _list_rest(asked: _Asked, before: int, limit: int) -> Found | None:
    """The matches older than `before` from the smaller heap; None when both are too large."""
    session, search, filters = asked.session, asked.search, asked.filters
    if asked.estimate > _SOME:
        few = gather(session, filters, most=_FEW, before=before) if filters else None
        return None if few is None else _list_among(asked, few, limit)
    words = set(read_numbers(session, _in_postgresql(search, before)))
    if FILES in filters and (files := gather(session, [FILES], most=_FEW, before=before)) is not None:
        words.intersection_update(files)
    return list_holding(session, filters, sorted(words, reverse=True), limit)


def _look(asked: _Asked, before: int | None, size: int) -> _Look:
    """Look at the next `size` messages older than `before`; of SQLite's index, at so many that have the words."""
    if asked.search.has_words and not asked.is_sqlite:
        # In the order of their numbers: to read all of some documents is quicker than to jump from one to the next.
        top = before if before is not None else _above_all(asked.session)
        within = _in_postgresql(asked.search, top).where(_TSVECTOR.c.message_id >= top - size)
        ids = read_numbers(asked.session, within)
        return _Look(sorted(ids, reverse=True), top - size, is_last=top - size <= 1)
    statement = _in_fts5(asked.search) if asked.search.has_words else sa.select(Message.id)
    number: sa.ColumnElement[int] = statement.selected_columns[0]
    if before is not None:
        statement = statement.where(number < before)
    # The index gives its rows by number, newest first, without sorting (sqlite.org/fts5.html, 5).
    ids = read_numbers(asked.session, statement.order_by(number.desc()).limit(size))
    return _Look(sorted(ids, reverse=True), min(ids, default=0), is_last=len(ids) < size)


def _above_all(session: Session) -> int:
    return (session.scalar(sa.select(sa.func.max(Message.id))) or 0) + 1


def _list_among(asked: _Asked, message_ids: Sequence[int], limit: int) -> Found:
    """The first `limit` of these messages, newest first, that have the words."""
    session, search = asked.session, asked.search
    if not search.has_words:
        return list_holding(session, (), message_ids, limit)
    found: list[sa.Row[int, int]] = []
    for some in in_parts(message_ids, at_once=asked.is_broad):
        if asked.is_sqlite:
            statement = _in_fts5(search).where(*_of_these(asked, some))
        else:
            statement = _in_postgresql(search).where(is_one_of(session, _TSVECTOR.c.message_id, some))
        [number] = statement.selected_columns
        with_talk = statement.add_columns(_talk_of(number)).order_by(number.desc()).limit(limit - len(found))
        found += session.execute(with_talk).all()
        if len(found) == limit:
            break
    return found


def _of_these(asked: _Asked, message_ids: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    """SQLite: a few are asked one by one; of many, each match between the newest and the oldest is looked up."""
    number = _FTS5.c.rowid
    if len(message_ids) <= _ALONE and not asked.beginnings:
        return [is_one_of(asked.session, number, message_ids)]
    return [
        number <= message_ids[0],
        number >= message_ids[-1],
        is_one_of(asked.session, _EACH_ROWID, message_ids),
    ]


def _talk_of(number: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    """The conversation of a message that comes out; nobody looks for that of the others."""
    talk = sa.select(Message.conversation_id).where(Message.id == number)
    return talk.correlate(_FTS5, _TSVECTOR).scalar_subquery()


def _in_fts5(search: Search) -> sa.Select[int]:
    return sa.select(_FTS5.c.rowid).where(sa.text("message_search MATCH :words").bindparams(words=to_fts5(search)))


def _in_postgresql(search: Search, before: int | None = None) -> sa.Select[int]:
    request = sa.func.to_tsquery("simple", to_tsquery(search))
    statement = sa.select(_TSVECTOR.c.message_id).where(_TSVECTOR.c.document.op("@@", is_comparison=True)(request))
    return statement if before is None else statement.where(_TSVECTOR.c.message_id < before)


def _estimate(session: Session, search: Search) -> float:
    """How many messages hold these words, as PostgreSQL thinks (asking takes a third of a ms); SQLite does not say.

    For words that begin alike it may be far off.
    """
    if session.get_bind().dialect.name == "sqlite" or not search.has_words:
        return inf
    explain = "EXPLAIN (FORMAT JSON) SELECT 1 FROM message_search WHERE document @@ to_tsquery('simple', :words)"
    plan: list[dict[str, dict[str, float]]] = session.execute(
        sa.text(explain), {"words": to_tsquery(search)}
    ).scalar_one()
    return plan[0]["Plan"]["Plan Rows"]
