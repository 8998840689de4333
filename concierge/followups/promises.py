"""Finds what was promised in a sent mail, by its verbs and dates: "I'll look for it in navy by Friday"."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from concierge.followups.moment_words import MONTHS, WEEKDAYS
from concierge.followups.moments import read_phrase
from concierge.followups.schedule import wall_of

_LONGEST: Final = 400
_FRIDAY: Final = 4
_SUNDAY: Final = 6

# Who says that she will do something, in the first person; "I will be away" and "I won't" promise nothing.
_ENGLISH: Final = re.compile(
    r"\b(?:i|we)(?:'ll| will| shall|'m going to| am going to|'re going to| are going to)\b"
    r"(?! (?:not|never|be(?! (?:in touch|able to|back (?:to you|in touch))\b)|have to)\b)"
    r"|\b(?:it|they|everything)(?:'ll| will) be (?:with you|in your hands)\b"
    r"|\byou(?:'ll| will) (?:have|hear|get|receive)\b|\blet me (?!know\b)\w+|\bi promise\b",
)
# The future's accent tells "scriverò" from "davvero".
_ITALIAN: Final = re.compile(
    r"\b(?!sarò|dovrò|avrò|potrò|però)\w{2,}r(?:ò\b|o'(?!\w))|\b\w{2,}(?:eremo|iremo|aremo)\b|\bprometto\b"
    r"|\b(?:la|le|ti|vi|glielo|te lo) "
    r"(?:aggiorno|scrivo|mando|invio|richiamo|ricontatto|rispondo|confermo|faccio (?:sapere|avere)|preparo|spedisco|"
    r"procuro|metto da parte)\b"
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
# What stands before a day by which something is to be done, and the days that need nothing before them.
_BY: Final = re.compile(
    r"\b(?:(?:by|before|until|within|on|in|entro|per|prima di|tra|fra)\b (?:il |the )?|"
    r"(?=(?:today|tonight|tomorrow|oggi|stasera|domani|dopodomani|monday|tuesday|wednesday|thursday|friday|saturday|"
    r"sunday|lunedi|martedi|mercoledi|giovedi|venerdi|sabato|domenica)\b))"
)
_MOST_WORDS: Final = 5
_THIS_WEEK: Final = re.compile(
    r"\b(?:(?:by |before )?the end of (?:the|this) week|this week|in settimana|"
    r"entro (?:la |questa )?(?:fine (?:della )?)?settimana|"
    r"(?:before|prima del(?: fine settimana)?) (?:the )?weekend|before the weekend|prima del fine settimana)\b"
)
_NEXT_WEEK: Final = re.compile(r"\b(?:next week|la prossima settimana|settimana prossima|la settimana prossima)\b")
_SAME_DAY: Final = re.compile(
    r"\b(?:by (?:the )?end of (?:the )?day|later today|this (?:afternoon|evening)|in giornata)\b"
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
        if _is_promised(sentence) and (day := _day(_plain(sentence), said_at, zone)) is not None
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


def _is_promised(sentence: str) -> bool:
    said = unicodedata.normalize("NFC", sentence.casefold().replace("\u2019", "'"))
    plain = _plain(sentence)
    if _DENIED.search(said) or _CONDITIONAL.match(said) or _hangs_on_something(plain):
        return False
    return any((_ENGLISH.search(said), _ITALIAN.search(said), _SHE_WILL_HAVE.match(plain)))


def _hangs_on_something(plain: str) -> bool:
    """Whether a condition stands behind; one that only says what is asked is none."""
    asking = _ASKING.search(plain)
    return any(found["comma"] or asking is None or asking.end() > found.start() for found in _ONLY_IF.finditer(plain))


def _day(plain: str, said_at: datetime, zone: ZoneInfo) -> date | None:
    today = wall_of(said_at, zone).date()
    if _NEXT_WEEK.search(plain):
        return _coming(today + timedelta(days=7 - today.weekday()), _FRIDAY)
    if _THIS_WEEK.search(plain):
        return _coming(today, _FRIDAY if today.weekday() <= _FRIDAY else _SUNDAY)
    if _SAME_DAY.search(plain):
        return today
    days = [day for found in _BY.finditer(plain) if (day := _named(plain, found, said_at, zone)) is not None]
    return min((day for day in days if day >= today), default=None)


def _named(plain: str, found: re.Match[str], said_at: datetime, zone: ZoneInfo) -> date | None:
    """The day of the longest run of words behind this place that can be read as one."""
    is_span = re.match(r"(?:within|in|tra|fra|entro)\b", found[0]) is not None
    words = plain[found.end() :].split()[:_MOST_WORDS]
    for length in range(len(words), 0, -1):
        phrase = " ".join(words[:length]).strip(" .,!;:)")
        if phrase.isdecimal():
            phrase = f"il {phrase}" if found[0].endswith("il ") else ""
        for said in (phrase, f"in {phrase}") if is_span else (phrase,):
            meant = read_phrase(said, said_at, zone)
            if meant is not None:
                return meant.wall.date()
    return None


def _coming(since: date, weekday: int) -> date:
    return since + timedelta(days=(weekday - since.weekday()) % 7)
