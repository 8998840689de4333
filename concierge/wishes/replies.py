"""What a customer's reply to an offer probably means: yes, no, not now, or nothing a machine should guess at.

A wrong yes is worse than none: it is said only of a sentence that takes the piece, where nothing in the whole mail
asks, hesitates, bargains, denies or speaks of another size. An editor decides; this only puts the words before her.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from concierge.wishes.reply_words import ENGLISH, ITALIAN, Language

_LANGUAGES = {"en": ENGLISH, "it": ITALIAN}
_LONGEST_QUOTE = 140
# Longer than this, it is a letter about other things too; nobody reads a yes out of page four.
_LONGEST = 4_000
_WRAPPED_FROM = 50
_END = re.compile(r"(?<=[.!?…])\s+|\n+|\s+[—–-]\s+|;\s*")
_CLAUSE = re.compile(r"[,:]+\s*")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?:[.,]\d{1,2}|½)?(?![\w])")


class Meant(StrEnum):
    """What she probably means."""

    YES = "yes"
    NO = "no"
    NOT_NOW = "not now"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Reading:
    """What she probably means, and the sentence it rests on, as she wrote it; "" where nothing was found."""

    meant: Meant
    words: str = ""


@dataclass(frozen=True, slots=True)
class _Signs:
    """What one sentence says. `soft`: no more than "no, thank you"; `wished`: "I would love them", no promise yet."""

    words: str
    yes: bool = False
    wished: bool = False
    no: bool = False
    soft: bool = False
    not_now: bool = False
    asks: bool = False
    doubts: bool = False


def read(text: str, language: str = "", *, sizes: Collection[str] = ()) -> Reading:
    """What a reply means; `text` is what she wrote herself, without quotes, `sizes` those she was offered ("36").

    `language` is that of her mail; in another, or where it says nothing in that one, English and Italian are tried.
    """
    first = _LANGUAGES.get(language, ENGLISH)
    readings = [_read(text, each, sizes) for each in (first, *(each for each in _LANGUAGES.values() if each != first))]
    return next((each for each in readings if each.words), readings[0])


def _read(text: str, language: Language, sizes: Collection[str]) -> Reading:
    sentences = list(_sentences(text, language))
    signs = [_signs(each, language, sizes) for each in sentences] if len(text) <= _LONGEST else []
    meant = _weigh(signs)
    speaking = {
        Meant.YES: [each for each in signs if each.yes],
        Meant.NO: [each for each in signs if each.no],
        Meant.NOT_NOW: [each for each in signs if each.not_now],
        Meant.UNSURE: [each for each in signs if each.asks or each.doubts or each.yes or each.no],
    }[meant]
    return Reading(meant, _quoted(speaking[0].words) if speaking else "")


def _weigh(signs: Iterable[_Signs]) -> Meant:
    """All sentences together; what contradicts itself is unsure."""
    met = list(signs)
    yes, no, not_now = ([each for each in met if getattr(each, name)] for name in ("yes", "no", "not_now"))
    hard_no = [each for each in no if not each.soft]
    if any(each.asks for each in met):
        return Meant.UNSURE
    if not_now and not hard_no:
        return Meant.NOT_NOW if all(each.wished or each.not_now for each in yes) else Meant.UNSURE
    if no and not any(each.yes and not each.wished for each in met):
        return Meant.UNSURE if any(each.doubts for each in met) else Meant.NO
    if yes and not no and not any(each.doubts for each in met):
        return Meant.YES
    return Meant.UNSURE


def _signs(sentence: str, language: Language, sizes: Collection[str]) -> _Signs:
    said = language.idioms.sub(" ", _plain(sentence))
    not_now = language.not_now.search(said)
    rest = language.not_now.sub(" ", said)
    firm_no = language.no.search(rest)
    rest = language.no.sub(" ", rest)
    soft_no = not firm_no and _is_bare(rest, language.no_words, language)
    takes, wishes = _takes(rest, language.takes, language), _takes(rest, language.wishes, language)
    says_yes = bool(takes or wishes) or _is_bare_yes(rest, language)
    asks = (said.rstrip().endswith("?") and not _is_about_the_way(said, language)) or (
        not (not_now or firm_no) and language.asks.search(rest) is not None and not _is_about_the_way(said, language)
    )
    return _Signs(
        sentence,
        yes=says_yes,
        wished=bool(wishes) and not takes,
        no=bool(firm_no or soft_no),
        soft=bool(soft_no),
        not_now=not_now is not None,
        asks=asks,
        doubts=language.doubts.search(rest) is not None
        or _speaks_of_another_size(said, language, sizes, in_any=says_yes)
        or (says_yes and not firm_no and language.others.search(rest) is not None)
        or (says_yes and not not_now and not firm_no and language.but_after_yes(rest)),
    )


def _takes(said: str, phrases: re.Pattern[str], language: Language) -> bool:
    """Whether a clause takes the piece, and nothing in that clause denies it."""
    for clause in re.split(language.but, said):
        for part in _CLAUSE.split(clause):
            if phrases.search(part) and not language.denies.search(phrases.sub(" ", part)):
                return True
    return False


def _is_bare_yes(said: str, language: Language) -> bool:
    """Whether the sentence is a yes and politeness, nothing else, once "keep them for me" is taken out."""
    first = re.split(language.but, said, maxsplit=1)[0]
    return _is_all(language.keeps.sub(" ", first), language.yes_words, language) or any(
        language.yes_please.fullmatch(" ".join(_WORD.findall(each))) for each in _CLAUSE.split(first)
    )


def _is_bare(said: str, wanted: frozenset[str], language: Language) -> bool:
    """Whether a clause is such a word and politeness, nothing else."""
    return any(_is_all(clause, wanted, language) for clause in _CLAUSE.split(said))


def _is_all(said: str, wanted: frozenset[str], language: Language) -> bool:
    words = _WORD.findall(said)
    return bool(wanted.intersection(words)) and all(each in wanted or each in language.polite for each in words)


def _is_about_the_way(said: str, language: Language) -> bool:
    """Whether she only asks how to pay or when it comes: that is asked by somebody who takes it."""
    return language.way.search(said) is not None and language.doubts.search(said) is None


def _speaks_of_another_size(said: str, language: Language, sizes: Collection[str], *, in_any: bool) -> bool:
    offered = {each.replace(",", ".") for each in sizes}
    found = _NUMBER.findall(said) if in_any else language.sized.findall(said)
    return any(each.replace(",", ".") not in offered for each in found)


def _sentences(text: str, language: Language) -> Iterable[str]:
    """Her sentences, without the greeting and without what stands below "Kind regards"."""
    body = language.greeting.sub("", _unwrapped(text.replace("’", "'").strip()), count=1)
    for number, sentence in enumerate(each.strip() for each in _END.split(body)):
        if number and language.closing.fullmatch(_plain(sentence).rstrip(" ,.!")):
            return
        if sentence:
            yield sentence


def _unwrapped(text: str) -> str:
    """Lines that a mail program broke, made whole again."""
    lines = text.splitlines()
    whole: list[str] = []
    for line in (each.strip() for each in lines):
        if whole and line and len(whole[-1]) >= _WRAPPED_FROM and whole[-1][-1] not in ".!?:":
            whole[-1] = f"{whole[-1]} {line}"
        else:
            whole.append(line)
    return "\n".join(whole)


def _plain(sentence: str) -> str:
    return " ".join(sentence.casefold().split())


def _quoted(sentence: str) -> str:
    words = " ".join(sentence.split())
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1].rsplit(" ", 1)[0] + "…"
