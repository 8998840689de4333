"""The body of a draft as values: paragraphs, lists, quotes, product cards and pictures, in one normal form."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

# What may name a card, and where a link may lead; both are written into HTML attributes and into the plain-text twin.
SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+:#-]{0,59}")
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)[^\s]", re.IGNORECASE)
# Controls, lone surrogates, and the invisible characters editors leave around what they insert.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_URL_UNSAFE = {
    "(": "%28",
    ")": "%29",
    "<": "%3C",
    ">": "%3E",
    "[": "%5B",
    "]": "%5D",
    "\\": "%5C",
    '"': "%22",
    "*": "%2A",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line that looks the same throughout; `href` makes it a link."""

    text: str
    bold: bool = False
    italic: bool = False
    href: str | None = None


Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, numbered or not; an item may run over several lines."""

    ordered: bool
    items: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's words, set apart: paragraphs and lists only."""

    blocks: tuple[Paragraph | Listing, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A product card; what it shows is read when the mail is made."""

    sku: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture among the draft's attachments, shown in its place."""

    attachment_id: int


Block = Paragraph | Listing | Quote | Card | Picture


def tidy_line(runs: Iterable[Run]) -> Line:
    """The one way to write a line: single blanks, none at its ends nor at those of a style or a link."""
    line = [run for run in runs if run.text]
    if len(line) == 1 and line[0] == Run(line[0].text):  # by far the most common, so it has its own short way
        text = _BLANKS.sub(" ", _UNSEEN.sub("", line[0].text)).strip()
        return (Run(text),) if text else ()
    line = list(_single_blanks(replace(run, text=_UNSEEN.sub("", run.text), href=_href(run.href)) for run in line))
    ink = [run for run in _split_blanks(line)[1] if run.text]
    for outside in _OUTSIDE:
        ink = [each for on, stretch in groupby(ink, key=outside.same) for each in _trim(list(stretch), on, outside)]
    return tuple(
        replace(key, text=text)
        for key, same in groupby(ink, key=lambda each: replace(each, text=""))
        if (text := "".join(each.text for each in same))
    )


def tidy(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks without empty lines, items, paragraphs, lists or quotes; an empty line divides a paragraph."""
    return tuple(kept for block in blocks for kept in _tidy_block(block))


def words(blocks: Iterable[Block]) -> str:
    """What a person wrote, as plain lines without marks; quotes, cards and pictures are left out."""
    parts = []
    for block in blocks:
        if isinstance(block, Paragraph):
            parts.append("\n".join(plain(line) for line in block.lines))
        elif isinstance(block, Listing):
            parts.append("\n".join(" ".join(plain(line) for line in item) for item in block.items))
    return "\n\n".join(parts)


def plain(line: Line) -> str:
    """A line's text alone."""
    return "".join(run.text for run in line)


def _tidy_block(block: Block) -> Iterator[Block]:
    if isinstance(block, Paragraph):
        yield from _paragraphs(block.lines)
    elif isinstance(block, Listing):
        items = [tuple(line for line in map(tidy_line, item) if line) for item in block.items]
        if kept := tuple(item for item in items if item):
            yield Listing(block.ordered, kept)
    elif isinstance(block, Quote):
        inner = tidy(block.blocks)
        if inner:
            yield Quote(tuple(each for each in inner if isinstance(each, Paragraph | Listing)))
    elif isinstance(block, Picture) or SKU.fullmatch(block.sku):
        yield block


def _paragraphs(lines: Iterable[Line]) -> Iterator[Paragraph]:
    for full, group in groupby(map(tidy_line, lines), key=bool):
        if full:
            yield Paragraph(tuple(group))


@dataclass(frozen=True, slots=True)
class _Outside:
    """A property that blanks at the edge of its stretch do not have."""

    same: Callable[[Run], object]  # falsy where the property is absent
    without: Callable[[Run], Run]


_OUTSIDE = (
    _Outside(lambda run: run.href, lambda run: replace(run, href=None)),
    _Outside(lambda run: run.bold, lambda run: replace(run, bold=False)),
    _Outside(lambda run: run.italic, lambda run: replace(run, italic=False)),
)


def _trim(stretch: list[Run], on: object, outside: _Outside) -> Iterator[Run]:
    if not on:
        yield from stretch
        return
    lead, ink, tail = _split_blanks(stretch)
    yield from map(outside.without, lead)
    yield from ink
    yield from map(outside.without, tail)


def _split_blanks(runs: list[Run]) -> tuple[list[Run], list[Run], list[Run]]:
    """The blanks `runs` begin with, what stands between, and the blanks they end with."""
    lead, rest = _leading_blanks(runs, str.lstrip, lambda text, size: (text[:-size], text[-size:]))
    tail, ink = _leading_blanks(rest[::-1], str.rstrip, lambda text, size: (text[size:], text[:size]))
    return lead, ink[::-1], tail[::-1]


def _leading_blanks(
    runs: list[Run], strip: Callable[[str], str], cut: Callable[[str, int], tuple[str, str]]
) -> tuple[list[Run], list[Run]]:
    blanks: list[Run] = []
    for position, run in enumerate(runs):
        inked = len(strip(run.text))
        if inked == 0:
            blanks.append(run)
            continue
        blank, ink = cut(run.text, inked)
        return [*blanks, replace(run, text=blank)], [replace(run, text=ink), *runs[position + 1 :]]
    return blanks, []


def _single_blanks(runs: Iterable[Run]) -> Iterator[Run]:
    after_blank = False
    for run in runs:
        text = _BLANKS.sub(" ", run.text)
        if after_blank and text.startswith(" "):
            text = text[1:]
        if text:
            after_blank = text.endswith(" ")
            yield replace(run, text=text)


def _href(href: str | None) -> str | None:
    """A link's target, written so that it fits every form; None when we would not send anybody there."""
    if href is None:
        return None
    target = _UNSEEN.sub("", href).strip()
    if not _SCHEME.match(target) or len(target) > 2000:
        return None
    return "".join("%20" if each.isspace() else _URL_UNSAFE.get(each, each) for each in target)
