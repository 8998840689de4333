"""Whether a sentence still stands when a condition in it says nothing: what may fall away, and what leaves a hole.

A whole clause may be left out, and so may words with their own commas, or somebody greeted at the end of a few words
("Hello Barbara," or "Thank you, Barbara."). A field alone, or with no more than its article, may not: the words on its
two sides are not a sentence without it ("The 36 is gone", "your 36-sized shoes").
"""

import re
from dataclasses import dataclass
from typing import Final

FIELD: Final = "\ue000"
"""Stands for a printed field in the words of a branch."""

CLOSING: Final = tuple(",;:.!?)]»”’")
_AFTER: Final = (*CLOSING, "–", "—")
_OPENING: Final = tuple(",;:([«“–—-…")
_ENDS: Final = tuple(",;:.!?)]»”…–—-")
_SENTENCE_END: Final = re.compile(
    r"(?<!\bsig)(?<!\bdott)(?<!\bm[rsx])(?<!\bmrs)(?<!\bdr)[.!?…][)”»\"]*\s+", re.IGNORECASE
)
_LIST_MARK: Final = re.compile(r"\s*(?:[-*>#]+|\d+[.)])\s+")
_WORD: Final = re.compile(r"[^\W_]+")
_GLUE: Final = re.compile(r"['’\u2010\u2011/-]\w")

_DETERMINERS: Final = frozenset(
    "the a an my your our their its il lo la i gli le un uno una size number taglia misura numero".split()
)
_ARTICLES: Final = (_DETERMINERS - frozenset("size number taglia misura numero".split())) | frozenset(
    "del dello della dei degli delle nel nello nella nei negli nelle al allo alla ai agli alle dal dallo dalla dai "
    "dagli dalle sul sullo sulla sui sugli sulle".split()
)
_CAN_END: Final = frozenset("i uno una la le lo".split())  # "Ne ho una." and "so do I." are sentences
_FUNCTION_WORDS: Final = _ARTICLES | frozenset(
    "of for to with from by about in on at and or is are was were as than di a da in con su per tra fra e ed o è sono "
    "era erano che come ms mrs mr miss mx dr sig ra na dott dottssa signor".split()
)
_VERBS: Final = frozenset(
    "is are was were has have had will would can "
    "è sono era erano ha hanno aveva avevano sarà saranno può possono".split()
)
_SALUTATION: Final = re.compile(
    r"(?:(?:hello|hi|ciao)\s+)?(?:my\s+|mi[ao]\s+)?"
    r"(?:dear|dearest|gentile|gentilissim[aoie]|car[aoie]|egregi[ao]|ch[eè]re?|liebe[r]?|estimad[ao]|querid[ao])",
    re.IGNORECASE,
)
_JOINED: Final = re.compile(r"(?:and|e|ed|et|und|y)\b|&", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a condition said nothing: the text before and after it, and what its branches would have said.

    `branches` hold the words of each branch that says something, with FIELD where a field is printed; `vocative` when
    the fields are names, by which somebody can be greeted.
    """

    before: str
    after: str
    branches: tuple[str, ...]
    vocative: bool


def leaves_hole(gap: Gap) -> bool:
    """Whether what is left around the gap is no sentence any more."""
    left, right = _left(gap), _right(gap)
    last = _last_word(left)
    ended = not right or right.startswith(_AFTER)
    if left.endswith((",", ";", ":")) and right.startswith((",", ";", ":", ".", "!", "?")):
        return True
    if _SALUTATION.fullmatch(left) and (ended or _JOINED.match(right)):
        return True
    if last in _ARTICLES and (_first_word(right) in _VERBS or (ended and last not in _CAN_END)):
        return True
    return any(_is_bare(each) and _misses_field(gap, left, right, each.strip()) for each in gap.branches)


def _misses_field(gap: Gap, left: str, right: str, branch: str) -> bool:
    """The rule for a branch that is no more than its field: are there words on both sides that need it?"""
    last = _last_word(left)
    set_off = not left or left.endswith(_OPENING) or branch.startswith(_OPENING)
    if _GLUE.match(gap.after) or (gap.before[-1:] in "-/#+&€$£" and gap.before):
        return True
    if not right or right.startswith(_AFTER):
        if branch.startswith(_OPENING) or not left:
            return False
        return last in _FUNCTION_WORDS if gap.vocative else not left.endswith((",", ";", "(", "–", "—"))
    return not set_off or not branch.endswith(_ENDS) or last in _ARTICLES


def _is_bare(branch: str) -> bool:
    """Whether a branch says nothing but a field, with or without an article or the noun it is the value of."""
    words = {word.casefold() for word in _WORD.findall(branch.replace(FIELD, " "))}
    return FIELD in branch and words <= _DETERMINERS


def _left(gap: Gap) -> str:
    """The words of the same sentence before the gap; of the line above when the sentence runs on."""
    line = gap.before.rpartition("\n")[2]
    if not line.strip() and _runs_on(gap):
        line = gap.before.rstrip().rpartition("\n")[2]
    if mark := _LIST_MARK.match(line):
        line = line[mark.end() :]
    return _SENTENCE_END.split(line)[-1].strip().replace("*", "")


def _right(gap: Gap) -> str:
    line = gap.after.partition("\n")[0]
    if not line.strip() and _runs_on(gap):
        line = gap.after.strip().partition("\n")[0]
    return line.lstrip().replace("*", "")


def _runs_on(gap: Gap) -> bool:
    """Whether the gap has a line of its own in the middle of a sentence: no mark before it, a small letter after it."""
    alone = not gap.before.rpartition("\n")[2].strip()
    above, below = gap.before.rstrip(), gap.after.lstrip()
    near = gap.before[len(above) :].count("\n") <= 1 and gap.after[: len(gap.after) - len(below)].count("\n") <= 1
    return alone and near and above[-1:].isalnum() and below[:1].islower()


def _last_word(text: str) -> str:
    words = _WORD.findall(text)
    return words[-1].casefold() if words and not text.endswith(_OPENING) else ""


def _first_word(text: str) -> str:
    found = _WORD.match(text)
    return found[0].casefold() if found else ""
