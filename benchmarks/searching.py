"""The search over all messages, beside the index alone asked for the newest thirty rows."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.filling import COMMON, RARE, SELDOM, Writer
from benchmarks.measuring import Figure, Place, milliseconds
from concierge.accounts.models import Editor
from concierge.accounts.queries import find_editor_by_email
from concierge.conversations.search_terms import Search, parse, to_fts5, to_tsquery
from concierge.conversations.searching import search_conversations

PROMISE = 50.0
_TOP, _NEXT, _MIDDLE = (Writer().words[rank] for rank in (0, 1, 60))
ASKED = {
    "a word of each tenth mail": f"{COMMON} ",
    "a word of nearly every mail": f"{_TOP} ",
    "a rare word": f"{RARE} ",
    "the beginning of a word": COMMON[:4],
    "two words": f"{COMMON} {SELDOM} ",
    "a sender and a word": f"from:customer77 {_TOP} ",
    "a word in open ones": f"is:open {COMMON} ",
    "a word in my open ones": f"is:mine is:open {COMMON} ",
    "a word beside a file": f"with:attachment {_TOP} ",
    "a word where none is that new": f"tag:vintage {_TOP} ",
    "no word, two filters": "is:snoozed tag:wedding",
}
# Every kind of words beside every kind of filter: a promise about what can be typed is held against all of it.
WORDS = (
    "", f"{COMMON} ", f"{SELDOM} ", f"{RARE} ", "nowhere ", f"{COMMON} {SELDOM} ", f"{_TOP} ", f"{_TOP} {_NEXT} ",
    f'"{_TOP} {_NEXT}" ', f'"{_MIDDLE} {_TOP}" ', "s", "sa", "sand", "b* ", "ba* ", "ga* sa* ", "from:number7",
    "from:customer", "from:nobody", f"from:nobody {_TOP} ", f"from:customer777@example.com {_TOP} ",
)  # fmt: skip
FILTERS = (
    "", "is:open", "is:mine", "is:mine is:open", "is:unassigned is:open", "is:snoozed", "is:closed", "with:attachment",
    "tag:wedding", "tag:vintage", "tag:unknown", "with:attachment tag:vintage",
    "is:snoozed tag:wedding with:attachment",
)  # fmt: skip
_FTS5 = "SELECT rowid FROM message_search WHERE message_search MATCH :words ORDER BY rowid DESC LIMIT 30"
_TSVECTOR = (
    "SELECT message_id FROM message_search WHERE document @@ to_tsquery('simple', :words) "
    "ORDER BY message_id DESC LIMIT 30"
)
_NEWEST = "SELECT id FROM message ORDER BY id DESC LIMIT 30"


def measure(place: Place) -> Iterator[Figure]:
    """A figure for each kind of question, and three over all of them: whole answers, with rows and snippets."""
    with place.sessions() as session:
        nadia = find_editor_by_email(session, "nadia@maison.example")
        assert nadia is not None
        for name, words in ASKED.items():
            search = parse(words)
            bare = _bare(place, search)
            answers, index = milliseconds(
                place,
                _asking(session, search, nadia),
                partial(_all, session, bare),
                50,
            )
            where = f"{name}, {place.conversations:,} messages, {place.name}"
            words_of_it = "the index alone, newest 30" if search.has_words else "the newest 30 by key"
            yield Figure("search", where, answers.middle, index.middle, "ms", words_of_it, answers.waited)
        yield from _over_all(place, session, nadia)


def _bare(place: Place, search: Search) -> sa.TextClause:
    if not search.has_words:
        return sa.text(_NEWEST)
    if place.config.is_sqlite:
        return sa.text(_FTS5).bindparams(words=to_fts5(search))
    return sa.text(_TSVECTOR).bindparams(words=to_tsquery(search))


def _over_all(place: Place, session: Session, nadia: Editor) -> Iterator[Figure]:
    """The bare limit of these is what was promised."""
    taken = {}
    for words, filters in product(WORDS, FILTERS):
        if asked := f"{filters} {words}".lstrip():
            taken[asked], _ = milliseconds(place, _asking(session, parse(asked), nadia), lambda: None, 3, 1)
    ranked = sorted(taken, key=lambda each: taken[each].middle)
    over = [each for each in reversed(ranked) if taken[each].middle > PROMISE]
    where = f"{len(taken)} questions, {place.conversations:,} messages, {place.name}"
    told = "; ".join(f"`{each.strip()}` {taken[each].middle:.0f}" for each in over[:12]) or "none"
    for name, at in (("median", len(ranked) // 2), ("95th percentile", int(len(ranked) * 0.95)), ("slowest", -1)):
        one = taken[ranked[at]]
        beside = f"{len(over)} of {len(taken)} over {PROMISE:.0f} ms: {told}" if name == "slowest" else ""
        yield Figure(f"search, {name} of all", where, one.middle, PROMISE, "ms", "the promise", one.waited, beside)


def _asking(session: Session, search: Search, nadia: Editor) -> Callable[[], object]:
    return partial(search_conversations, session, search, editor=nadia)


def _all(session: Session, statement: sa.TextClause) -> int:
    return len(session.execute(statement).all())
