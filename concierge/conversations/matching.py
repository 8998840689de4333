"""Which messages a search finds: what each database is asked, so that it looks at few of them.

Every way gives numbers of messages, the newest first, of which the filters are asked until the page is full: the
newest there are, all with the words, or all that one filter leaves. The last comes first where the filter leaves next
to nothing. Else the newest fill most pages, and where they do not, the way is taken that promises the fewest looks.
docs/benchmarks.md has the figures.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.conversations.models import Message
from concierge.conversations.search_filters import FILES, Filter, list_filters
from concierge.conversations.search_terms import Search, Term, fold, to_fts5, to_tsquery
from concierge.rows import one_of

Found = Sequence[sa.Row[int, int]]

# So many of the newest are looked at first: messages with the words (SQLite), messages (PostgreSQL, or without words).
_NEWEST = 2_000
# SQLite gathers all words that begin alike each time it is asked, so it is asked for more at once, unless its index
# keeps beginnings of that length.
_NEWEST_BROAD, _KEPT_BEGINNING = 10_000, 3
# A filter that leaves no more than this is gathered before anything else …
_TINY = 3_000
# … and one that leaves no more than this when the newest did not fill the page.
_FEW = 20_000
# PostgreSQL: what a message costs that is found by its words, or by a filter, when one of the newest costs 1.
_BY_WORDS, _BY_FILTER = 3, 6
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class _Asked:
    """A search of messages older than `before`, and how many are wanted."""

    session: Session
    search: Search
    filters: Sequence[Filter]
    values: Mapping[str, object]
    before: int = _ALL
    limit: int = _ALL

    @property
    def is_sqlite(self) -> bool:
        """Which of the two databases is asked."""
        return self.session.get_bind().dialect.name == "sqlite"

    @property
    def is_broad(self) -> bool:
        """Whether SQLite may have to gather very many words that begin alike."""
        beginnings = [term.words[-1] for term in (*self.search.terms, *self.search.senders) if term.prefix]
        return self.is_sqlite and any(len(each) > _KEPT_BEGINNING for each in beginnings)

    def run(self, sql: str, **values: object) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        """The rows of a statement."""
        words = (to_fts5 if self.is_sqlite else to_tsquery)(self.search)
        fixed = {"words": words, "before": self.before, "limit": self.limit}
        return self.session.execute(_text(sql), {**self.values, **fixed, **values}).all()

    @property
    def holds(self) -> str:
        """All filters asked of one message."""
        return " AND ".join(each.value for each in self.filters) or "true"

    def first(self, source: str, *, also: str = "true", size: int = _ALL) -> Found:
        """(message id, conversation id) of the first of `size` messages that hold all filters, in their order."""
        return self.run(
            f"SELECT n.id, m.conversation_id FROM ({source} LIMIT :size) AS n {_talk_of(self.is_sqlite)} "
            f"WHERE {also} AND {self.holds} ORDER BY n.id DESC LIMIT :limit",
            size=size,
        )


@lru_cache(maxsize=512)
def _text(sql: str) -> sa.TextClause:
    return sa.text(sql)


def _talk_of(is_sqlite: bool) -> str:
    """One after the other, in the order of `n`: so neither planner begins at the messages."""
    if is_sqlite:
        return "CROSS JOIN message AS m ON m.id = n.id"
    return "CROSS JOIN LATERAL (SELECT conversation_id FROM message WHERE id = n.id OFFSET 0) AS m"


def list_matches(session: Session, search: Search, *, editor: Editor, before: int | None, limit: int) -> Found:
    """(message id, conversation id) of what was asked, the newest first, older than message `before`."""
    filters, values = list_filters(search, editor)
    asked = _Asked(session, search, filters, values, before or _ALL, limit)
    if asked.is_broad:
        # Most who begin like her begin like that, too: then what is found by three letters is all there is to find.
        shorter = replace(asked, search=replace(search, senders=tuple(map(_shorter, search.senders))))
        if not shorter.is_broad and _are_from(session, found := _list(shorter), search.senders):
            return found
    return _list(asked)


def _list(asked: _Asked) -> Found:
    if asked.filters:
        _total, *left = _weigh(asked, _TINY)
        if min(left) <= _TINY:
            return _list_left(asked, asked.filters[left.index(min(left))])
    elif asked.is_sqlite:
        return _list_newest(asked, _ALL)
    found = _list_newest(asked, _NEWEST_BROAD if asked.is_broad else _NEWEST)
    return found if len(found) == asked.limit else _list_rest(asked, len(found))


def _shorter(sender: Term) -> Term:
    """Begun like `sender`, by no more letters than SQLite's index keeps."""
    *whole, last = sender.words
    return Term((*whole, last[:_KEPT_BEGINNING]), prefix=True) if sender.prefix else sender


def _are_from(session: Session, found: Found, senders: Collection[Term]) -> bool:
    """Whether every one of these messages says by itself that it is from all of the senders."""
    statement = sa.select(Message.from_name, Message.from_address)
    written = session.execute(statement.where(one_of(Message.id, [number for number, _talk in found])))
    people = [f" {fold(f'{name} {address}')} " for name, address in written]
    wanted = [f" {' '.join(each.words)}{'' if each.prefix else ' '}" for each in senders]
    return all(words in each for each in people for words in wanted)


def list_newer(session: Session, search: Search, conversation_ids: Collection[int], *, since: int) -> set[int]:
    """Those of the conversations in which a message matches that is as new as message `since` or newer."""
    filters = [FILES] if search.with_attachment else []
    talks = {f"talk{place}": number for place, number in enumerate(conversation_ids)}
    here = (
        f"SELECT id FROM message WHERE id >= :since AND conversation_id IN ({', '.join(f':{each}' for each in talks)})"
    )
    if not talks:
        return set()
    found = _list_among(_Asked(session, search, filters, {**talks, "since": since}), here)
    return {conversation_id for _message_id, conversation_id in found}


def _weigh(asked: _Asked, most: int) -> list[int]:
    """The number of the newest message, and how many each filter leaves; one more than `most` where it is more."""
    counts = [f"(SELECT count(*) FROM ({each.left} LIMIT :most) AS those)" for each in asked.filters]
    [left] = asked.run(f"SELECT {', '.join(['(SELECT max(id) FROM message)', *counts])}", most=most + 1)
    return [number or 0 for number in left]


def _list_newest(asked: _Asked, size: int) -> Found:
    """Of the newest `size` messages: of SQLite's index, of so many that have the words."""
    if not asked.search.has_words:
        return asked.first("SELECT id FROM message WHERE id < :before ORDER BY id DESC", size=size)
    if asked.is_sqlite:
        # The index gives its rows by number, newest first, without sorting (sqlite.org/fts5.html, 5).
        return asked.first(f"{_IN_FTS5} AND rowid < :before ORDER BY rowid DESC", size=size)
    newest = "SELECT message_id AS id, document FROM message_search WHERE message_id < :before ORDER BY message_id DESC"
    return asked.first(newest, also=f"n.{_IN_TSVECTOR}", size=size)


def _list_rest(asked: _Asked, found: int) -> Found:
    """All that was asked when the newest had `found` of it: by the way that promises the fewest looks."""
    total, *left = _weigh(asked, _FEW)
    few = min(left, default=_ALL)
    strictest = asked.filters[left.index(few)] if few <= _FEW else None
    if asked.is_sqlite or not asked.search.has_words:
        return _list_left(asked, strictest) if strictest else _list_newest(asked, _ALL)
    by_words = _BY_WORDS * _estimate(asked)
    by_filter = _BY_FILTER * few if strictest else _ALL
    # As far as should do, and half as far again.
    newest = min(total, _NEWEST * asked.limit * 3 // (2 * found)) if found else total
    if newest < min(by_words, by_filter):
        rest = _list_newest(asked, newest)
        if len(rest) == asked.limit or newest == total:
            return rest
    if strictest and by_filter < by_words:
        return _list_left(asked, strictest)
    return _list_newest(asked, _ALL) if total < by_words else _list_with_words(asked)


def _list_with_words(asked: _Asked) -> Found:
    """PostgreSQL: all with the words are gathered; its index knows no order."""
    # Behind the plus, the numbers' own index is no way to the words.
    words = f"SELECT message_id AS id FROM message_search WHERE {_IN_TSVECTOR} AND message_id + 0 < :before"
    if FILES in asked.filters:
        # As a value, the set is read once; as a condition, the planner would look for each.
        words += f" AND (message_id IN ({FILES.left})) IS TRUE"
    rest = replace(asked, filters=[each for each in asked.filters if each is not FILES])
    return rest.first(f"WITH those AS MATERIALIZED ({words}) SELECT id FROM those ORDER BY id DESC")


def _list_left(asked: _Asked, strictest: Filter) -> Found:
    others = [each for each in asked.filters if each is not strictest]
    return _list_among(replace(asked, filters=others), strictest.messages)


def _list_among(asked: _Asked, messages: str) -> Found:
    """Of these messages."""
    if asked.is_sqlite and asked.search.has_words:
        return _list_among_words(asked, messages)
    source = (
        f"WITH those AS MATERIALIZED ({messages}) SELECT DISTINCT id FROM those WHERE id < :before ORDER BY id DESC"
    )
    has_words = f"(SELECT {_IN_TSVECTOR} FROM message_search WHERE message_id = n.id)"
    return asked.first(source, also=has_words if asked.search.has_words else "true")


def _list_among_words(asked: _Asked, messages: str) -> Found:
    """SQLite: its index is asked for all with the words between the oldest and the newest that hold the filters."""
    if asked.filters:
        messages = f"SELECT n.id FROM ({messages}) AS n {_talk_of(is_sqlite=True)} WHERE {asked.holds}"
    # Its index does nothing when there are none. With the plus, each match is looked up in the set; without, the index
    # is asked anew for each of the set.
    words = _IN_FTS5.replace(":words", "coalesce((SELECT :words FROM those LIMIT 1), '\"\"')")
    within = "rowid >= (SELECT min(id) FROM those) AND rowid <= (SELECT min(max(id), :before - 1) FROM those)"
    among = f"{within} AND +rowid IN (SELECT id FROM those) ORDER BY rowid DESC"
    return replace(asked, filters=()).first(f"WITH those AS MATERIALIZED ({messages}) {words} AND {among}")


_IN_FTS5 = "SELECT rowid AS id FROM message_search WHERE message_search MATCH :words"
# In brackets, since a prepared statement would read the request anew for every document.
_IN_TSVECTOR = "document @@ (SELECT to_tsquery('simple', :words))"


def _estimate(asked: _Asked) -> float:
    """How many messages hold these words, as PostgreSQL thinks (asking takes a third of a ms).

    For words that begin alike it may be far off.
    """
    [(plan,)] = asked.run(
        "EXPLAIN (FORMAT JSON) SELECT 1 FROM message_search WHERE document @@ to_tsquery('simple', :words)"
    )
    rows: float = plan[0]["Plan"]["Plan Rows"]
    return rows
