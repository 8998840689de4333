"""The search over all messages, beside the index alone asked for the newest thirty rows."""

from collections.abc import Iterator

import sqlalchemy as sa

from benchmarks.filling import COMMON, RARE, SELDOM
from benchmarks.measuring import Figure, Place, middle, milliseconds
from concierge.accounts.queries import list_editors
from concierge.conversations.search_terms import parse, to_fts5, to_tsquery
from concierge.conversations.searching import search_conversations

ASKED = {
    "a common word": COMMON,
    "a seldom word": SELDOM,
    "a rare word": RARE,
    "the beginning of a word": f"{COMMON[:4]}*",
    "two words": f"{COMMON} {SELDOM}",
    "a word from one sender": f"from:number7 {RARE}",
    "a word in open ones": f"is:open {COMMON}",
}
_FTS5 = "SELECT rowid FROM message_search WHERE message_search MATCH :words ORDER BY rowid DESC LIMIT 30"
_TSVECTOR = (
    "SELECT message_id FROM message_search WHERE document @@ to_tsquery('simple', :words) "
    "ORDER BY message_id DESC LIMIT 30"
)


def measure(place: Place, messages: int) -> Iterator[Figure]:
    """A figure for each kind of question: the median of the whole answer, with rows and snippets."""
    with place.sessions() as session:
        nadia = list_editors(session)[-1]
        for name, words in ASKED.items():
            search = parse(words)
            assert search_conversations(session, search, editor=nadia).rows or "from:" in words
            ours = milliseconds(lambda asked=search: search_conversations(session, asked, editor=nadia), 50)
            index = to_fts5(search) if place.config.is_sqlite else to_tsquery(search)
            statement = sa.text(_FTS5 if place.config.is_sqlite else _TSVECTOR).bindparams(words=index)
            bare = milliseconds(lambda asked=statement: session.execute(asked).all(), 50)
            where = f"{name}, {messages:,} messages, {place.name}"
            yield Figure("search", where, middle(ours), middle(bare), "ms", "the index alone, newest 30")
