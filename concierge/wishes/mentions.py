"""What a mail mentions: pieces by word, code or link, kinds, colours and sizes, in English and Italian."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import unquote

from concierge.wishes.kinds import COLOURS, KINDS, folded

# A colour belongs to a kind that stands so near: "turquoise sandals", "sandali in raso turchese".
_NEAR = 3
_LONGEST = 8_000
_SHORTEST = 4
_COMMON: Final = frozenset(
    "about after again also anche anyway back because been before being bello bella both casa colour "
    "colore come could "
    "cosa dalla dalle dear della delle degli dello does door from girl half have heel here house ideal "
    "just last like "
    "little lovely made make misura more most much nella nelle next nice number numero once only other "
    "pair paio paia "
    "photo piece piccoli please possible possibile prezzo price same satin seta shop signora signore "
    "silk since site "
    "size sizes some sono still story such sulla sulle taglia tacco than that their them then there "
    "these they thing "
    "think this those time troppo vostra vostre vostri vostro very volta want wedding week weeks well "
    "were what when "
    "where which while window with would year your yours matrimonio negozio sito vetrina quando quanto "
    "quella quelle "
    "quelli quello questa queste questi questo perche pero molto ancora stata stati stato siete avete "
    "vorrei grazie "
    "thank thanks hello buongiorno gentile cara caro email mail".split()
)
_URL: Final = re.compile(r"https?://[^\s<>\"')\]]+")
_WORD: Final = re.compile(r"[^\W\d_]+")
_CODE: Final = re.compile(r"(?<![\w/.-])[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)+(?![\w/-])")
# What may stand between a negation and what it denies: "not the", "non quelli", "instead of a".
_SMALL = (
    r"(?:the|in|a|an|any|ones|those|these|my|il|la|lo|i|gli|le|un|una|nel|nella|di|del|quell[aeio]|questi|"
    r"size|taglia|numero|misura|of)"
)
_DENIED: Final = re.compile(
    r"(?:\bnot|\bnon|\bexcept|\btranne|\binstead of|\brather than|\binvece|\banziche|\bal posto|"
    r"\breturned|\bsent back|\breso|\brestituito|\brimandato)\s+(?:" + _SMALL + r"\s+){0,3}$"
)
_DOES_NOT_FIT: Final = re.compile(
    r"\s*(?:(?:is|are|was|were|would be|runs|feels|felt|e|era|sono|sarebbe|(?:mi|le) (?:sta|stanno|va|"
    r"vanno|e|era)|calza)"
    r"\s+)?(?:(?:much|a bit|a little|far|way|un po'?|un poco|decisamente)\s+)*(?:too|troppo)\s+"
    r"(?:big|small|large|tight|wide|narrow|long|short|loose|grand|piccol|strett|larg|lung|cort)"
)

_ITEM = r"\d{1,2}(?:\s?½|[.,]5(?!\d)|\s1/2|\s(?:e mezz[oa]|and a half))?"
_BETWEEN = (
    r"(?:\s*/\s*|\s*[-–]\s*|\s*,\s+|,?\s+(?:or|o|oppure|and|e|to)\s+(?:(?:a|an|il|la|un|una|the|even|anche)\s+)?)"
)
_NUMBERS: Final = re.compile(
    r"(?<![\w€$£#.,/:+½-])(?P<cue>\b(?:sizes?|sz|tagli[ae]|tg|numer[oi]|misur[ae])\b[.:]?\s*(?:(?:is|e|"
    r"una?|an?|the|il|la)\s)?)?"
    r"(?:(?P<before>\b(?:eur?|ita?|fr|uk|usa?))[\s:-]*)?"
    rf"(?P<list>\b{_ITEM}(?:{_BETWEEN}{_ITEM})*)"
    r"(?:\s?(?P<after>eu|ita?|fr|uk|usa?)\b)?(?![\w€$£%°º]|[.,:/-]\d|/|\s?(?:€|\$|£|%))"
)
_ONE: Final = re.compile(_ITEM)
_NO_SIZE_BEFORE: Final = re.compile(
    r"(?:€|\$|£|\bi'm|\bi am|\beuro?|\border|\bordine|\bpage|\bpagina|\bnr\.?|\bn[.°]|\btel\.?|\b(?:via|viale|corso|"
    r"piazza)\s[^\n]{0,30})\s*$"
)
_NO_SIZE_AFTER: Final = re.compile(
    r"[\s-]*(?:years?|anni|anno|days?|giorni|weeks?|settimane|months?|mesi|hours?|ore|minutes?|minuti|"
    r"min|h|cm|mm|kg|km|m|"
    r"people|persone|guests?|invitat[ie]|ospiti|percent|per cento|th|st|nd|rd|o'clock|euros?|eur|"
    r"pounds?|dollars?|sterline|"
    r"dollari|pairs?|paia|items?|pezzi|times|volte|street|road|avenue|strasse|rue)\b"
)
_MONTH: Final = re.compile(
    r"\s*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|gen|mag|giu|lug|ago|set|ott|dic)[a-z]*\b"
)
_UNITS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_UNITA = ("", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove")
_SPELT: Final = {
    **{f"{ten}-{_UNITS[one]}": value + one for ten, value in (("thirty", 30), ("forty", 40)) for one in range(1, 10)},
    **{
        f"{ten[:-1] if one in {1, 8} else ten}{_UNITA[one]}": value + one
        for ten, value in (("trenta", 30), ("quaranta", 40))
        for one in range(1, 10)
    },
    "forty": 40,
    "quaranta": 40,
}
_IN_WORDS: Final = re.compile(
    r"\b(?P<word>" + "|".join(sorted((each.replace("-", "[- ]") for each in _SPELT), key=len, reverse=True)) + r")"
    r"(?P<half>\s(?:e mezz[oa]|and a half))?\b"
)
_LETTER = r"(?:xxs|xs|s|m|l|xl|xxl)"
_LETTERS: Final = re.compile(
    rf"(?P<cue>\b(?:sizes?|tagli[ae]|tg|misur[ae]|in|an?|una|la|the)\b[.:]?\s*(?:(?:una?|an?|la)\s)?)?"
    rf"(?<![\w.&'-])(?P<list>{_LETTER}(?:(?:\s*[/-]\s*|\s+(?:or|o|oppure)\s+(?:an?\s|una?\s|la\s)?){_LETTER})*)(?![\w&'-]|\.\s?[A-Za-z])"
)
_SAID_LETTERS: Final = re.compile(
    r"\b(?:sizes?|taglia|misura|in)\s+(?P<word>extra[- ]small|small|medium|large|extra[- ]large|"
    r"media|grande)\b"
)
_SPELT_LETTERS: Final = {
    "extrasmall": "XS", "small": "S", "medium": "M", "media": "M", "large": "L", "grande": "L", "extralarge": "XL",
}  # fmt: skip
_SYSTEMS: Final = {"eur": "EU", "ita": "IT", "usa": "US"}
_USUAL = range(33, 51)


class SizeSaid(NamedTuple):
    """A size as she says it, "36.5" or "M"; `system` is "" where she names none."""

    value: str
    system: str = ""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What one text speaks of; `named` are words that an article makes a name ("the Calanque").

    `names` are those most likely to be a piece's own name, the likeliest first.
    """

    text: str = ""
    words: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    codes: frozenset[str] = frozenset()
    slugs: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    colours: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    sizes: tuple[SizeSaid, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether it names a kind, a colour, a size, or a piece by code or link."""
        return bool(self.codes or self.slugs or self.kinds or self.colours or self.sizes)


def read(text: str) -> Mentions:
    """Everything a text mentions, denied things left out ("not the black ones")."""
    text = text[:_LONGEST]
    links = _URL.findall(text)
    bare = _URL.sub(lambda found: " " * len(found[0]), text)
    plain = folded(bare)
    words = [(found[0], found.start()) for found in _WORD.finditer(plain)]
    kinds = [(at, KINDS[word]) for at, (word, _start) in enumerate(words) if word in KINDS]
    colours = list(_colours(plain, words))
    return Mentions(
        text=plain,
        words=frozenset(word for word, _start in words if len(word) > 2),
        named=frozenset(word for word, start in words if _is_named(plain, start)),
        names=_names(bare, plain, words, [at for at, _kind in kinds]),
        codes=frozenset(code.upper() for code in (*_CODE.findall(bare), *_parts(links)) if any(map(str.isalpha, code))),
        slugs=frozenset(part.lower() for part in _parts(links)),
        kinds=frozenset(kind for _at, kind in kinds),
        colours=frozenset(colour for _at, meant in colours for colour in meant),
        pairs=frozenset(
            (kind, each) for at, meant in colours for here, kind in kinds if abs(here - at) <= _NEAR for each in meant
        ),
        sizes=read_sizes(bare),
    )


def _parts(links: list[str]) -> Iterator[str]:
    """The pieces of addresses that may name a product: "/shop/CAL-TUR?size=36" → "shop", "CAL-TUR", "36"."""
    for link in links:
        path = unquote(link.partition("://")[2].partition("/")[2])
        yield from (part for part in re.split(r"[/?&=#]", path.rstrip(".,;:!")) if part)


def _colours(plain: str, words: list[tuple[str, int]]) -> Iterator[tuple[int, frozenset[str]]]:
    """Each colour that is not denied, with the number of its word; of two words, both are taken "
    "("bottle green")."""
    taken = -1
    for at, (word, start) in enumerate(words):
        if at <= taken:
            continue
        two = f"{word} {words[at + 1][0]}" if at + 1 < len(words) else ""
        meant = COLOURS.get(two) or COLOURS.get(word)
        if meant and not _DENIED.search(plain[max(0, start - 60) : start]) and not _is_denied_kind(plain, words, at):
            taken = at + (two in COLOURS)
            yield at, meant


def _is_denied_kind(plain: str, words: list[tuple[str, int]], at: int) -> bool:
    """ "Non i sandali turchesi": what is denied stands before the kind, and the colour behind it."""
    if at == 0 or words[at - 1][0] not in KINDS:
        return False
    start = words[at - 1][1]
    return _DENIED.search(plain[max(0, start - 60) : start]) is not None


def _names(text: str, plain: str, words: list[tuple[str, int]], kinds: list[int]) -> tuple[str, ...]:
    """Words written large within a sentence, beside a kind, or behind an article; those that are all "
    "of it first."""
    beside = {near for at in kinds for near in (at - 2, at - 1, at + 1, at + 2)}
    marks: dict[str, int] = {}
    for at, (word, start) in enumerate(words):
        if len(word) < _SHORTEST or word in KINDS or word in COLOURS or word in _COMMON:
            continue
        is_large = text[start].isupper() and re.search(r"[\w,;:'’]\s*$", plain[:start]) is not None
        mark = 3 * is_large + 2 * (at in beside) + _is_named(plain, start)
        if mark:
            marks[word] = max(mark, marks.get(word, 0))
    return tuple(sorted(marks, key=lambda word: -marks[word]))


def _is_named(plain: str, start: int) -> bool:
    before = plain[max(0, start - 12) : start]
    return bool(
        re.search(
            r"(?:\b(?:the|your|a|an|il|lo|la|i|gli|le|un|una|del|dei|delle|della|vostr[aeio])\s|[\"“«]|l')$", before
        )
    )


def read_sizes(text: str) -> tuple[SizeSaid, ...]:
    """The sizes a text asks for, in its order, each once; prices, dates, ages and what does not fit "
    "her are none."""
    plain = folded(text)
    found = [*_numbers(text, plain), *_in_words(plain), *_letters(text, plain)]
    return tuple(dict.fromkeys(size for _at, size in sorted(found, key=lambda each: each[0])))


def _numbers(text: str, plain: str) -> Iterator[tuple[int, SizeSaid]]:
    for found in _NUMBERS.finditer(plain):
        system = _system(text, found)
        for one in _ONE.finditer(plain, *found.span("list")):
            value = _written(one[0])
            whole = int(value.partition(".")[0])
            if not (found["cue"] or system or whole in _USUAL) or not (found["cue"] or _is_size(plain, found, whole)):
                continue
            if not _is_denied(plain, one.start(), one.end()):
                yield one.start(), SizeSaid(value, system)


def _system(text: str, found: re.Match[str]) -> str:
    """The system named beside a number; "it" and "us" are words unless they are written large."""
    for group in ("before", "after"):
        said = found[group]
        if said and (said not in {"it", "us"} or text[slice(*found.span(group))].isupper()):
            return _SYSTEMS.get(said, said.upper())
    return ""


def _is_size(plain: str, found: re.Match[str], whole: int) -> bool:
    if _NO_SIZE_BEFORE.search(plain[max(0, found.start("list") - 40) : found.start("list")]):
        return False
    end = found.end("list")
    return not (_NO_SIZE_AFTER.match(plain, end) or (whole <= 31 and _MONTH.match(plain, end)))


def _is_denied(plain: str, start: int, end: int) -> bool:
    before = re.sub(r"\b(?:eu|it|fr|uk|us)\s*$", "", plain[max(0, start - 60) : start])
    return _DENIED.search(before) is not None or _DOES_NOT_FIT.match(plain, end) is not None


def _written(said: str) -> str:
    """ "36½", "36,5" and "36 e mezzo" as "36.5"."""
    whole = re.match(r"\d+", said)
    assert whole
    number = whole[0].lstrip("0") or "0"
    return f"{number}.5" if len(said) > len(whole[0]) else number


def _in_words(plain: str) -> Iterator[tuple[int, SizeSaid]]:
    for found in _IN_WORDS.finditer(plain):
        if _NO_SIZE_AFTER.match(plain, found.end()) or _is_denied(plain, *found.span()):
            continue
        value = _SPELT[found["word"].replace(" ", "-")]
        if value in _USUAL:
            yield found.start(), SizeSaid(f"{value}.5" if found["half"] else str(value))


def _letters(text: str, plain: str) -> Iterator[tuple[int, SizeSaid]]:
    for found in _LETTERS.finditer(plain):
        letters = re.findall(_LETTER, found["list"])
        is_cued = bool(found["cue"]) and found["cue"].strip(" .:") not in {"in", "a", "an", "una", "la", "the"}
        is_large = text[slice(*found.span("list"))].replace(" or ", "/").replace(" o ", "/").isupper()
        stands_alone = len(letters) > 1 or len(letters[0]) > 1
        if not (is_cued or (is_large and (found["cue"] or stands_alone))) or _is_denied(plain, *found.span("list")):
            continue
        yield from ((found.start("list") + at, SizeSaid(each.upper())) for at, each in enumerate(letters))
    for found in _SAID_LETTERS.finditer(plain):
        word = re.sub(r"[- ]", "", found["word"])
        is_italian = word in {"media", "grande"}
        if not is_italian or found[0].startswith(("taglia", "misura")):
            yield found.start(), SizeSaid(_SPELT_LETTERS[word])
