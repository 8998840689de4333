"""The marks of a hole: what a template, or a letter made of one, must never be sent with, in one list for both."""

import re
from typing import Final

# "Dear" must be followed by somebody; "Hello" may stand alone, but not before a blank and a comma.
NEEDS_NAME: Final = r"(?:my )?dear|car[ao]|gentil[ei]|gentilissim[ao]|ch[eè]re?s?"
MAY_STAND_ALONE: Final = (
    r"hello|hi|hey|good (?:morning|afternoon|evening)|dearest|buongiorno|buon giorno|buonasera|buon pomeriggio|ciao|"
    r"salve|carissim[aei]|bonjour|bonsoir"
)
_TITLE: Final = r"m(?:r|rs|s|x)|dr|dott(?:\.ssa)?|sig(?:\.ra|\.na|\.)?"
_LONG_TITLE: Final = r"miss|madam(?:e)?|sir|signor[aei]?|dottoressa|dottore|mme|mlle"
_ASKED: Final = (
    r"(?:(?:first|last|your|customer|product|full|client|user)[ _.-]?)?"
    r"(?:name|firstname|fname|surname|size|colou?r|price|date|link|city|product|customer|nome|cognome|taglia|misura|"
    r"colore|prezzo|data|prodotto|citt[aà]|cliente)"
)
_AT_A_LINE: Final = re.IGNORECASE | re.MULTILINE
_MARKS: Final = (
    # a merge field, or what is left of one
    re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|\}\}|%\}"),
    # a greeting without the name it needs
    re.compile(
        rf"^[ \t]*(?:(?:{MAY_STAND_ALONE})[ \t\u00a0]+)?(?:{NEEDS_NAME})"
        rf"(?:[ \t\u00a0]+(?:{_TITLE})\.?(?![\w.]))?[ \t\u00a0]*(?:[,!?\u2013\u2014\u2026_-]|\.\.|$)",
        _AT_A_LINE,
    ),
    re.compile(
        rf"^[ \t]*(?:{MAY_STAND_ALONE}|(?:{NEEDS_NAME})[ \t]+(?:{_TITLE}|{_LONG_TITLE})\.?)[ \t]+,",
        _AT_A_LINE,
    ),
    re.compile(rf"^[ \t]*(?:{MAY_STAND_ALONE}|{NEEDS_NAME})[ \t]+(?:none|null|undefined|nan)\b", _AT_A_LINE),
    # a place somebody meant to fill in, or another system did
    re.compile(
        rf"\[\[?\s*{_ASKED}\s*\](?!\()|<<?\s*{_ASKED}\s*>|\{{\s*{_ASKED}\s*\}}|(?<![\w%])%\s?{_ASKED}\s?%|\*\|\w+\|\*|"
        rf"\$\{{?{_ASKED}\b\}}?|\bXXX+\b|_{{4,}}|(?<=[^\s_] )___(?!_)|___(?=[,;:.!?])",
        re.IGNORECASE,
    ),
    re.compile(r"\bTODO\b"),
)
_BLOCKS: Final = (re.compile(r"\[(?:product|picture)\b[^\]\n]{0,80}\]?"),)
"""A card or a picture that did not become one; a template may still hold them."""


def find_mark(text: str, *, blocks: bool = True) -> re.Match[str] | None:
    """The first mark of a hole in `text`; with `blocks`, a card that did not become one is a mark too."""
    every = (*_MARKS, *_BLOCKS) if blocks else _MARKS
    return next((found for mark in every if (found := mark.search(text))), None)
