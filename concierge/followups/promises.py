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

# What is said of the future and is no work: "I will be away", "I won't", "I'll see you", "we'll close on Friday".
_NO_WORK: Final = (
    r"(?! (?:not|never|be(?! (?:in touch|able to|back (?:to you|in touch))\b)|have to|need|want|wait|miss|expect|"
    r"look forward|close|reopen|travel|fly|(?:see|meet|welcome) (?:you|each other|her|him|them|one another))\b)"
)
# Who says that she will do something, in the first person.
_ENGLISH: Final = re.compile(
    rf"\b(?:i|we)(?:'ll| will| shall|'m going to| am going to|'re going to| are going to)\b{_NO_WORK}"
    rf"|^(?:i|we)\b.*?\band (?:will|shall)\b{_NO_WORK}"
    r"|\b(?:i'm|i am|we're|we are) (?:asking|calling|holding|keeping|looking into|ordering|posting|preparing|putting|"
    r"reserving|ringing|sending|writing)\b"
    r"|\b(?:it|they|everything|the (?:refund|invoice|photographs|pictures|sketches|swatches))(?:'ll| will) be "
    r"(?:with you|in your hands)\b"
    r"|\byou(?:'ll| will) (?:have|hear|get|receive)\b|\blet me (?!know\b)\w+|\bi promise\b"
    r"|\bexpect (?:to hear from|(?:my|our|an?) (?:answer|call|letter|mail|message|news|reply))\b",
)
# "La aspetterò", "ci vedremo", "tornerò in ufficio", "chiuderemo": what comes by itself.
_FUTURE_IDLE: Final = (
    r"(?:aspett|rest|rientr|part|chiud|riapr)[aei]r|(?:ri)?torner(?:ò|emo|o')(?! a | da lei\b)|"
    r"(?<=\b(?:ci|la|vi|ti) )(?:ri)?vedr"
)
# The future's accent tells "scriverò" from "davvero".
_ITALIAN: Final = re.compile(
    rf"\b(?!(?:sarò|dovrò|avrò|potrò|però)\b|{_FUTURE_IDLE})\w{{2,}}r(?:ò\b|o'(?!\w))|"
    rf"\b(?!(?:saremo|vorremo)\b|{_FUTURE_IDLE})\w+(?:[aei]remo|rremo|dremo)\b|"
    r"\b(?:sapremo|prometto|promettiamo)\b|\bpotr(?:ò|emo) (?:dir|risponder|confermar)l[ea]\b|"
    r"\bavr(?:ò|emo) (?:\w+ ){0,2}(?:risposta|notizie|riscontro|conferma|fotografie|foto|misure)\b|"
    r"\bmi (?:informo|faccio viv[oa])\b|\btorn(?:o|iamo) (?:da lei\b|a (?:scriver|sentir|chiamar|contattar)l[ea]\b)|"
    r"\b(?:mi impegno|ci impegniamo) a\b|\bprovved(?:o|iamo)\b|"
    r"\b(?:la|le|lo|li|ti|vi|gliel[oaie]|(?:te|ve) l[oaie]) "
    r"(?:aggiorn(?:o|iamo)|scriv(?:o|iamo)|mand(?:o|iamo)|invi(?:o|amo)|(?:ri)?chiam(?:o|iamo)|"
    r"ricontatt(?:o|iamo)|(?:ri)?sent(?:o|iamo)|riserv(?:o|iamo)|"
    r"rispond(?:o|iamo)|conferm(?:o|iamo)|facci(?:o|amo) (?:sapere|avere)|prepar(?:o|iamo)|sped(?:isco|iamo)|"
    r"procur(?:o|iamo)|cerc(?:o|hiamo)|ordin(?:o|iamo)|(?:metto|mettiamo|tengo|teniamo) (?:da parte|in serbo)|"
    r"(?:tengo|teniamo) (?:aggiornat|informat)[oaie])\b(?! che\b| per \w+(?:re|r[lt][aei])\b)"
)
# Who will have an answer is she only where nobody else was named before: "Entro venerdì avrà una risposta".
_DAYS: Final = "|".join((*WEEKDAYS, *MONTHS, "oggi", "stasera", "domani", "dopodomani", "settimana", "fine"))
_SHE_WILL_HAVE: Final = re.compile(
    rf"(?:(?:{_DAYS}|e|ma|cosi|quindi|lei|entro|per|il|la|l|di|della|prossim[ao]|primo|\d+)[\s,']+)*"
    r"(?:avr|ricever)(?:a'?|ai|ete) (?:\w+ ){0,2}"
    r"(?:risposta|notizie|riscontro|conferma|fotografie|foto|misure|messaggio|mail|e-mail|lettera|chiamata|telefonata|selezione)\b"
)
_DENIED: Final = re.compile(
    r"\bnon (?!mancher)(?:(?:la|le|ti|vi|lo|ci|ne) )?(?:\w+(?:rò|ro'|remo)|promett\w+)|"
    r"\b(?:i|we) (?:don't|do not) (?:think|believe|expect)(?: that)? (?:i|we)(?:'ll| will| shall)\b"
)
# … but what stands behind: "Non lo avremo prima di venerdì, ma domani Le scrivo."
_BUT: Final = re.compile(r"\b(?:ma|but)\b")
# "If you need them before, I will …", "When you come, I'll …": whether she will, or when, nobody knows yet.
_CONDITIONAL: Final = re.compile(
    r"(?:if|should|unless|in case|se|qualora|nel caso)\b|"
    r"(?:once|when|whenever|as soon as|after|the moment) you\b|"
    r"(?:quando|(?:non )?appena|una volta che) "
    r"(?:(?:mi|ci|ti|lo|la|le|li|ne|me l[oa]|ce l[oa]) )*+(?!\w+(?:o|ò|o'|mo)\b)"
)
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
    since = 0
    if denied := _DENIED.search(said):
        if (but := _BUT.search(said, denied.end())) is None:
            return None
        since = but.end()
    if _CONDITIONAL.match(said) or _hangs_on_something(plain):
        return None
    found_at = (_ENGLISH.search(said, since), _ITALIAN.search(said, since))
    places = [len(_plain(said[: found.start()])) for found in found_at if found]
    if since and not places:
        return None
    return min(places, default=0 if _SHE_WILL_HAVE.match(plain) else None)


def _hangs_on_something(plain: str) -> bool:
    """Whether a condition stands behind; one that only says what is asked is none."""
    asking = _ASKING.search(plain)
    return any(found["comma"] or asking is None or asking.end() > found.start() for found in _ONLY_IF.finditer(plain))
