"""A first name to greet with: from how she signs, or from her display name; rather none than a wrong one."""

import re
from itertools import pairwise

_TITLES = {
    *(
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "sir",
        "madam",
        "lady",
        "rev",
        "eng",
        "ing",
        "avv",
        "arch",
        "geom",
    ),
    *("sig", "sig.ra", "sigra", "sig.na", "signor", "signora", "dott", "dott.ssa", "dottssa", "dr.ssa", "dottor"),
    *(
        "phd",
        "ph.d",
        "md",
        "mba",
        "esq",
        "jr",
        "mme",
        "mlle",
        "m",
        "monsieur",
        "madame",
        "herr",
        "frau",
        "sr",
        "sra",
        "srta",
        "don",
        "doña",
        "dra",
    ),
}
# Before a family's name: "Signora Bianchi" has a first name, but does not tell it.
_FORMAL = re.compile(
    r"(?:mr|mrs|ms|miss|mx|sig|sig\.ra|sigra|signor[ae]?|herr|frau|mme|mlle|monsieur|madame|sr|sra|srta|señora?|dhr|mevr|mevrouw|pan|pani)\.?\s+\S+",
    re.IGNORECASE,
)
_NO_PERSON = re.compile(
    r"\b(team|info|support|service|servizio|clienti|customer|care|sales|vendite|office|ufficio|studio|shop|store|"
    r"newsletter|news|noreply|no-reply|notification\w*|admin|webmaster|postmaster|mailer|daemon|hotel|boutique|"
    r"family|famiglia|famille|familie|familia|família|rodzina|the|gmbh|srl|s\.r\.l|spa|s\.p\.a|ltd|llc|inc|corp|company|co|group|gruppo|sarl|sas|ag|bv|via)\b",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)*")
_SIGN_OFF = re.compile(
    r"^\W*(?:(?:with )?(?:my |very |many |all (?:the|my) |warm(?:est)? |kind(?:est)? |best |sincere |con i |i |"
    r"un |una |tanti |più |cari |caro |molti |bien |très |viele |liebe |herzliche |beste |mit |un |muchos |many )*"
    r"(?:regards|wishes|thanks|thank you|cheers|love|best|yours|sincerely|warmly|hugs|kisses|xx+|xo(?:xo)?|"
    r"grazie(?: mille)?|salut[io]|cordialit[àa]|abbracci[o]?|baci[o]?|a presto|a prest|ciao|"
    r"cordiali saluti|distinti saluti|cordialement|merci(?: beaucoup| d'avance)?|bises|à bientôt|salutations|"
    r"grüße[n]?|grüßen|gruß|gruss|freundlichen grüßen|danke|lg|vg|mfg|saludos?|gracias|abrazos?|atentamente|besos)"
    r"(?: sincerely| truly| again| so much| a lot| mille| in anticipo| cordiali| a te| a lei)*)[\s,.!–—-]*$",
    re.IGNORECASE,
)


def guess_first_name(display_name: str, letter: str) -> str:
    """Return the first name of who wrote, or an empty string; *letter* is the text above signature and quotes."""
    given = _from_display_name(display_name)
    signed = _from_sign_off(letter)
    if not signed or signed.lower() == given.lower():
        return given or signed
    words = {word.lower() for word in _NAME_WORD.findall(display_name)}
    # A sign-off wins when it is one of her names ("ROSSI BARBARA" signs Barbara), or when nothing else is known.
    if not given or signed.lower() in words:
        return signed
    return given


def _from_display_name(name: str) -> str:
    name = re.sub(r"\(.*?\)|\[.*?\]|\".*?\"", " ", name).strip()
    if not name or "@" in name or re.search(r"\d", name) or _NO_PERSON.search(name) or _FORMAL.fullmatch(name):
        return ""
    last, comma, first = name.partition(",")
    words = (_person_words(first) if comma else []) or _person_words(last)
    return _capitalised(words[0]) if words and len(words) <= 5 else ""


def _from_sign_off(letter: str) -> str:
    """The name under "Kind regards," or "A presto", or standing alone on the last line."""
    lines = [line.strip() for line in letter.rstrip()[-600:].splitlines()]
    lines = [line for line in lines if line][-6:]
    for above, line in reversed(list(pairwise(lines))):
        if _SIGN_OFF.match(above) and not _SIGN_OFF.match(line) and (name := _lone_name(line)):
            return name
    if len(lines) >= 2 and not _SIGN_OFF.match(lines[-1]) and re.search(r"[,.!?…)]$", lines[-2]):
        words = lines[-1].split()
        return _lone_name(lines[-1]) if len(words) == 1 else ""
    return ""


def _lone_name(line: str) -> str:
    """The first name in a line that holds nothing but a name of one to four words."""
    line = re.sub(r"[\s,.!–—*_xX♥❤️😊🙏-]+$", "", line.lstrip("–—-*_ "))
    if _FORMAL.fullmatch(line):
        return ""
    if len(line) > 40 or not line or _NO_PERSON.search(line) or re.search(r"[\d@:/?!;]", line):
        return ""
    words = _person_words(line)
    if not 1 <= len(words) <= 4 or not all(word[0].isupper() for word in words[:1]):
        return ""
    return _capitalised(words[0])


def _person_words(name: str) -> list[str]:
    words = [word for word in name.split() if word.lower().rstrip(".") not in _TITLES and word.lower() not in _TITLES]
    words = [word.strip(".,;'\"") for word in words]
    return words if all(_NAME_WORD.fullmatch(word) for word in words if word) and all(words) else []


def _capitalised(word: str) -> str:
    """A name as it is written: CAPITALS and small letters are put right, mixed writing is hers."""
    if len(word) < 2:
        return ""
    return word.title() if word.isupper() or word.islower() else word
