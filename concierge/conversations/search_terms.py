"""What an editor typed into the search box, understood; and what the two databases are asked for it."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

_PIECE = re.compile(r'(?:(?P<operator>[a-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+))', re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
# Longer requests are cut: nobody types them, and every word costs a look into the index.
_MOST_WORDS = 16
_LONGEST = 400
STATES = ("open", "snoozed", "closed", "unassigned", "mine")


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand side by side, folded; `prefix` lets the last one go on."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A request: every part must hold."""

    terms: tuple[Term, ...] = ()
    senders: tuple[Term, ...] = ()
    states: frozenset[str] = field(default_factory=frozenset)
    tags: tuple[str, ...] = ()
    with_attachment: bool = False

    @property
    def has_words(self) -> bool:
        """Whether the full-text index is needed."""
        return bool(self.terms or self.senders)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked."""
        return not (self.has_words or self.states or self.tags or self.with_attachment)


def fold(text: str) -> str:
    """`text` without case, accents and punctuation: words and single spaces. Both indexes hold this form."""
    if text.isascii():
        return " ".join(_WORD.findall(text.lower()))
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(_WORD.findall(plain.casefold()))


def parse(text: str) -> Search:
    """Words, `san*`, "side by side", from:, is:, with:attachment, tag:; the last bare word may go on.

    A single ASCII letter or digit doesn't go on: nearly every mail has such a word. What looks like an operator and is
    none is searched as words. Never raises.
    """
    terms: list[Term] = []
    senders: list[Term] = []
    states: set[str] = set()
    tags: list[str] = []
    with_attachment = False
    text = text[:_LONGEST]
    for piece in _PIECE.finditer(text):
        operator, value = (piece["operator"] or "").lower(), piece["bare"] or piece["quoted"] or ""
        if operator == "is" and value.lower() in STATES:
            states.add(value.lower())
        elif operator == "with" and value.lower().startswith("attachment"):
            with_attachment = True
        elif operator == "tag" and value.strip():
            tags.append(value.strip().casefold())
        elif operator == "from":
            senders += _term(value, prefix=piece["quoted"] is None)
        else:
            still_typing = piece["bare"] is not None and piece.end() == len(text)
            words = piece[0] if operator else value
            terms += _term(words, prefix=still_typing or words.endswith("*"))
    return Search(tuple(terms[:_MOST_WORDS]), tuple(senders[:4]), frozenset(states), tuple(tags[:4]), with_attachment)


def _term(text: str, *, prefix: bool) -> list[Term]:
    words = tuple(fold(text).split()[:_MOST_WORDS])
    return [Term(words, prefix and not (len(words[-1]) == 1 and words[-1].isascii()))] if words else []


def to_fts5(search: Search) -> str:
    """The request for SQLite's index with the columns subject, people and body (sqlite.org/fts5.html, 3).

    Words are folded letters and digits in quotes, so nothing in them can be read as syntax.
    """
    parts = [_fts5_term(term) for term in search.terms]
    parts += [f"people : {_fts5_term(term)}" for term in search.senders]
    return " AND ".join(parts)


def _fts5_term(term: Term) -> str:
    phrase = '"' + " ".join(term.words) + '"'
    return phrase + "*" if term.prefix else phrase


def to_tsquery(search: Search) -> str:
    """The request for PostgreSQL's index, where weight B marks the sender (postgresql.org/docs/current, 8.11.2)."""
    parts = [_tsquery_term(term, "") for term in search.terms]
    parts += [_tsquery_term(term, "B") for term in search.senders]
    return " & ".join(parts)


def _tsquery_term(term: Term, weight: str) -> str:
    marks = [weight] * len(term.words)
    if term.prefix:
        marks[-1] = "*" + weight
    lexemes = [f"'{word}':{mark}" if mark else f"'{word}'" for word, mark in zip(term.words, marks, strict=True)]
    return "(" + " <-> ".join(lexemes) + ")"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a snippet; `found` where it is what was searched."""

    text: str
    found: bool


def snippet(text: str, search: Search, *, around: int = 90) -> tuple[Piece, ...]:
    """The place in `text` where the first searched word stands, `around` characters behind the beginning.

    The beginning of `text` when none is found (the match was in the subject or the name).
    """
    found = _spans(text, [term for term in search.terms if term.words])
    span = next(found, None)
    first = span[0] if span else 0
    begin = _word_start(text, max(0, first - around))
    end = _word_end(text, min(len(text), first + 180))
    pieces: list[Piece] = [Piece("… ", False)] if begin else []
    position = begin
    while span and span[1] <= end:
        start, stop = span
        pieces += [Piece(_line(text[position:start]), False), Piece(text[start:stop], True)]
        position, span = stop, next(found, None)
    pieces.append(Piece(_line(text[position:end]) + (" …" if end < len(text) else ""), False))
    return tuple(piece for piece in pieces if piece.text)


def _spans(text: str, wanted: list[Term]) -> Iterator[tuple[int, int]]:
    """Where the wanted words stand, as far as somebody asks; the same word is folded once."""
    if text.isascii():
        # Nothing to fold but the case, which a pattern does by itself.
        yield from (word.span() for word in _pattern(tuple(wanted)).finditer(text))
        return
    known: dict[str, bool] = {}
    for word in _WORD.finditer(text):
        written = word[0]
        if written not in known:
            known[written] = _is_wanted(written, wanted)
        if known[written]:
            yield word.span()


@lru_cache(maxsize=256)
def _pattern(wanted: tuple[Term, ...]) -> re.Pattern[str]:
    """What finds the wanted words in ASCII text; a word that is none of ASCII stands nowhere in it."""
    whole = {re.escape(word) for term in wanted for word in term.words}
    begun = {re.escape(term.words[-1]) + r"[^\W_]*" for term in wanted if term.prefix}
    choice = "|".join(sorted(whole | begun)) or r"(?!)"
    return re.compile(rf"(?<![^\W_])(?:{choice})(?![^\W_])", re.ASCII | re.IGNORECASE)


def _is_wanted(word: str, terms: list[Term]) -> bool:
    folded = fold(word)
    for term in terms:
        *whole, last = term.words
        if folded in whole or folded == last or (term.prefix and folded.startswith(last)):
            return True
    return False


def _word_start(text: str, position: int) -> int:
    space = text.rfind(" ", 0, position)
    return position if position == 0 or position - space > 30 else space + 1


def _word_end(text: str, position: int) -> int:
    space = text.find(" ", position)
    return position if space < 0 or space - position > 30 else space


def _line(text: str) -> str:
    """One line: runs of white space, and the marks of what is quoted, become one space, kept at the edges."""
    return re.sub(r"(?m)(?:\s|^(?:> ?)+)+", " ", text)
