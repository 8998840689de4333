"""Finds what was promised in a sent mail, by its verbs and dates: "I'll look for it in navy by Friday"."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from concierge.followups.moment_words import MONTHS, WEEKDAYS
from concierge.followups.promise_days import day_promised

_LONGEST: Final = 400

# Who says that she will do something, in the first person; "I will be away" and "I won't" promise nothing.
_ENGLISH: Final = re.compile(
    r"\b(?:i|we)(?:'ll| will| shall|'m going to| am going to|'re going to| are going to)\b"
    r"(?! (?:not|never|be(?! (?:in touch|able to|back (?:to you|in touch))\b)|have to)\b)"
    r"|\b(?:it|they|everything)(?:'ll| will) be (?:with you|in your hands)\b"
    r"|\byou(?:'ll| will) (?:have|hear|get|receive)\b|\blet me (?!know\b)\w+|\bi promise\b",
)
# The future's accent tells "scriverò" from "davvero".
_ITALIAN: Final = re.compile(
    r"\b(?!sarò|dovrò|avrò|potrò|però)\w{2,}r(?:ò\b|o'(?!\w))|"
    r"\b(?!saremo|vorremo)\w+(?:[aei]remo|rremo|dremo)\b|\b(?:sapremo|prometto|promettiamo)\b|"
    r"\b(?:mi impegno|ci impegniamo) a\b|\bprovved(?:o|iamo)\b|"
    r"\b(?:la|le|lo|li|ti|vi|gliel[oaie]|(?:te|ve) l[oaie]) "
    r"(?:aggiorn(?:o|iamo)|scriv(?:o|iamo)|mand(?:o|iamo)|invi(?:o|amo)|richiam(?:o|iamo)|ricontatt(?:o|iamo)|"
    r"rispond(?:o|iamo)|conferm(?:o|iamo)|facci(?:o|amo) (?:sapere|avere)|prepar(?:o|iamo)|sped(?:isco|iamo)|"
    r"procur(?:o|iamo)|cerc(?:o|hiamo)|ordin(?:o|iamo)|(?:metto|mettiamo|tengo|teniamo) (?:da parte|in serbo)|"
    r"(?:tengo|teniamo) (?:aggiornat|informat)[oaie])\b(?! che\b| per \w+(?:re|r[lt][aei])\b)"
)
# Who will have an answer is she only where nobody else was named before: "Entro venerdì avrà una risposta".
_DAYS: Final = "|".join((*WEEKDAYS, *MONTHS, "oggi", "stasera", "domani", "dopodomani", "settimana", "fine"))
_SHE_WILL_HAVE: Final = re.compile(
    rf"(?:(?:{_DAYS}|e|ma|cosi|quindi|lei|entro|per|il|la|l|di|della|prossim[ao]|primo|\d+)[\s,']+)*"
    r"(?:avr|ricever)(?:a'?|ai|ete) (?:\w+ ){0,2}"
    r"(?:risposta|notizie|riscontro|conferma|fotografie|foto|misure|messaggio)\b"
)
_DENIED: Final = re.compile(r"\bnon (?:(?:la|le|ti|vi|lo|ci|ne) )?\w+(?:rò|ro'|remo)")
# "If you need them before, I will …": whether she will, nobody knows yet.
_CONDITIONAL: Final = re.compile(r"(?:if|should|unless|in case|se|qualora|nel caso)\b")
# … and so where it stands behind; but "I'll let you know by Friday if we have it" is promised, and "even if" is too.
_ONLY_IF: Final = re.compile(
    r"(?P<comma>,)? ?(?<!even )(?<!anche )(?<!\w)(?:if(?! not (?:before|sooner|earlier)\b)|"
    r"unless|provided|as long as|se(?! non prima\b)|qualora|a meno che|purche|sempre che)\b"
)
_ASKING: Final = re.compile(
    r"\b(?:see|check|ask|know|tell|find out|verify|confirm|say|sapere|dir\w+|vedr\w+|veder\w+|chied\w+|"
    r"verific\w+|controll\w+|conferm\w+)\b"
)
# A period between digits is no end; nor is one behind a single letter.
_SENTENCE: Final = re.compile(r"(?<=[.!?…])(?<!\b\w\.)\s+|\n+")


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that promises something, as it stands there, and the day by which, in the writer's own calendar."""

    words: str
    due_on: date


def find_promises(text: str, said_at: datetime, zone: ZoneInfo) -> list[Found]:
    """The promises in what an editor wrote at `said_at`, in English or Italian, each sentence once.

    A sentence counts when she says that she will do something and names a day that was still to come; a question and
    a refusal do not.
    """
    return [
        Found(sentence[:_LONGEST], day)
        for sentence in dict.fromkeys(_sentences(text))
        if (place := _promised_at(sentence)) is not None
        and (day := day_promised(_plain(sentence), place, said_at, zone)) is not None
    ]


def _sentences(text: str) -> Iterator[str]:
    for each in _SENTENCE.split(text):
        sentence = " ".join(each.split())
        if sentence and not sentence.endswith("?"):
            yield sentence


def _plain(text: str) -> str:
    """In small letters without accents, as days are read."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("\u2019", "'"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _promised_at(sentence: str) -> int | None:
    """Where the plain sentence begins to promise something; None where it does not."""
    said, plain = unicodedata.normalize("NFC", sentence.casefold().replace("\u2019", "'")), _plain(sentence)
    if _DENIED.search(said) or _CONDITIONAL.match(said) or _hangs_on_something(plain):
        return None
    places = [len(_plain(said[: found.start()])) for found in (_ENGLISH.search(said), _ITALIAN.search(said)) if found]
    return min(places, default=0 if _SHE_WILL_HAVE.match(plain) else None)


def _hangs_on_something(plain: str) -> bool:
    """Whether a condition stands behind; one that only says what is asked is none."""
    asking = _ASKING.search(plain)
    return any(found["comma"] or asking is None or asking.end() > found.start() for found in _ONLY_IF.finditer(plain))
