"""The body's plain-text twin: what a text area shows without JavaScript, and what templates render to."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from concierge.drafts.blocks import (
    SKU,
    Block,
    Card,
    Line,
    Listing,
    Paragraph,
    Picture,
    Quote,
    Run,
    tidy,
    tidy_line,
)

_CARD = re.compile(rf"\[product ({SKU.pattern})\]")
_PICTURE = re.compile(r"\[picture ([0-9]{1,18})\]")
_BULLET = re.compile(r"- (?=\S)")
_FIRST = re.compile(r"1[.)] (?=\S)")
_NUMBER = re.compile(r"[0-9]{1,3}[.)] (?=\S)")
_QUOTED = re.compile(r"> ?")
_LINK = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]\(((?:https?://|mailto:|tel:)[^\s()<>\[\]\\]+)\)", re.IGNORECASE)
_PUNCTUATION = frozenset(r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~""")
_ORDINARY = re.compile(r"[^\\\[*]+")
_STARS = re.compile(r"\*+")
_MARKS = {1: ("*",), 2: ("**",), 3: ("**", "*")}


def write(blocks: Iterable[Block]) -> str:
    """The twin of `blocks`: paragraphs divided by blank lines, lists, quotes, `[product SKU]` lines."""
    return "\n\n".join(_write_block(block) for block in blocks)


def read(text: str) -> tuple[Block, ...]:
    """The blocks a person meant when typing `text`; never raises, what isn't a mark is text."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return tidy(_read_blocks(lines, nested=False))


def escape(text: str) -> str:
    """`text` with a backslash before each character that could be taken for a mark."""
    return re.sub(r"[\\*\[\]]", r"\\\g<0>", text)


def write_unmarked(blocks: Iterable[Block]) -> str:
    """`blocks` as a person types them into a mail without form: no stars, a link's address behind its words."""
    return "\n\n".join(filter(None, map(_unmarked_block, blocks)))


def _unmarked_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return "\n".join(_unmarked(line) for line in block.lines)
    if isinstance(block, Listing):
        items = ("\n  ".join(_unmarked(line) for line in item) for item in block.items)
        return "\n".join(f"{number}. {item}" if block.ordered else f"- {item}" for number, item in enumerate(items, 1))
    if isinstance(block, Quote):
        return "\n".join(f"> {line}".rstrip() for line in write_unmarked(block.blocks).split("\n"))
    return ""


def _unmarked(line: Line) -> str:
    out: list[str] = []
    for href, runs in groupby(line, key=lambda run: run.href):
        text = "".join(run.text for run in runs)
        shown = (href or "").removeprefix("mailto:").removeprefix("tel:")
        out.append(text if href is None or text == shown else f"{text} ({shown})")
    return "".join(out)


def _write_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return "\n".join(_guard(_write_line(line)) for line in block.lines)
    if isinstance(block, Listing):
        items = (
            "\n  ".join((_write_line(item[0]), *(_guard(_write_line(line), _NUMBER) for line in item[1:])))
            for item in block.items
        )
        return "\n".join(
            f"{number}. {item}" if block.ordered else f"- {item}" for number, item in enumerate(items, start=1)
        )
    if isinstance(block, Quote):
        return "\n".join(f"> {line}".rstrip() for line in write(block.blocks).split("\n"))
    return f"[product {block.sku}]" if isinstance(block, Card) else f"[picture {block.attachment_id}]"


def _guard(line: str, number: re.Pattern[str] = _FIRST) -> str:
    """A line that looks like an item or a quote but is neither gets a backslash."""
    if _BULLET.match(line) or line.startswith(">"):
        return "\\" + line
    if found := number.match(line):
        return f"{line[: found.end() - 2]}\\{line[found.end() - 2 :]}"
    return line


def _write_line(line: Line) -> str:
    out: list[str] = []
    last = Run("")
    for run in (*line, Run("")):
        if last.href is not None and run.href != last.href:
            out.append(f"]({last.href})")
        out.append(("**" if run.bold != last.bold else "") + ("*" if run.italic != last.italic else ""))
        if run.href is not None and run.href != last.href:
            out.append("[")
        out.append(escape(run.text))
        last = run
    return "".join(out)


def _read_blocks(lines: list[str], *, nested: bool) -> list[Block]:
    blocks: list[Block] = []
    position = 0
    while position < len(lines):
        block, position = _read_block(lines, position, nested=nested)
        if block is not None:
            blocks.append(block)
    return blocks


def _read_block(lines: list[str], start: int, *, nested: bool) -> tuple[Block | None, int]:
    """The block that begins at line `start`, and where the next one begins."""
    first = lines[start].strip()
    if not first:
        return None, start + 1
    if not nested:
        if single := _single(first):
            return single, start + 1
        if first.startswith(">"):
            return _read_quote(lines, start)
    if _BULLET.match(first):
        return _read_listing(lines, start, _BULLET, ordered=False)
    if _FIRST.match(first):
        return _read_listing(lines, start, _NUMBER, ordered=True)
    end = start + 1
    while end < len(lines) and not _begins(lines[end], nested=nested):
        end += 1
    return Paragraph(tuple(_read_line(line) for line in lines[start:end])), end


def _single(line: str) -> Block | None:
    if card := _CARD.fullmatch(line):
        return Card(card[1])
    if picture := _PICTURE.fullmatch(line):
        return Picture(int(picture[1]))
    return None


def _begins(line: str, *, nested: bool) -> bool:
    """Whether `line` ends the paragraph before it: blank, or the start of another block."""
    line = line.strip()
    if not line or _BULLET.match(line) or _FIRST.match(line):
        return True
    return not nested and (line.startswith(">") or _single(line) is not None)


def _read_quote(lines: list[str], start: int) -> tuple[Block | None, int]:
    end = start
    while end < len(lines) and lines[end].strip().startswith(">"):
        end += 1
    inner = [_QUOTED.sub("", line.strip(), count=1) for line in lines[start:end]]
    blocks = _read_blocks(inner, nested=True)
    return Quote(tuple(each for each in blocks if isinstance(each, Paragraph | Listing))), end


def _read_listing(lines: list[str], start: int, mark: re.Pattern[str], *, ordered: bool) -> tuple[Block | None, int]:
    items: list[list[Line]] = []
    end = start
    while end < len(lines):
        line = lines[end]
        if found := mark.match(line.lstrip()):
            items.append([_read_line(line.lstrip()[found.end() :])])
        elif items and line.startswith("  ") and line.strip():
            items[-1].append(_read_line(line))
        else:
            break
        end += 1
    return Listing(ordered, tuple(tuple(item) for item in items)), end


@dataclass(slots=True)
class _Piece:
    """A character, or one mark that may turn a style on or off."""

    text: str
    mark: bool = False
    before: str = ""  # the characters on either side of the run of stars it came from
    after: str = ""
    href: str | None = None
    styles: set[str] = field(default_factory=set)


def _read_line(line: str) -> Line:
    pieces = list(_pieces(line, None))
    for mark in ("**", "*"):
        _pair(pieces, mark)
    runs = (Run(each.text, "**" in each.styles, "*" in each.styles, each.href) for each in pieces)
    return tidy_line(run for run in runs if run.text)


def _pieces(line: str, href: str | None) -> Iterator[_Piece]:
    position = 0
    while position < len(line):
        character = line[position]
        following = line[position + 1 : position + 2]
        if character == "\\" and following in _PUNCTUATION and following:
            yield _Piece(following, href=href)
            position += 2
        elif href is None and character == "[" and (link := _LINK.match(line, position)):
            yield from _pieces(link[1], link[2])
            position = link.end()
        elif character == "*" and (stars := _STARS.match(line, position)):
            before, after = line[position - 1 : position], line[stars.end() : stars.end() + 1]
            for mark in _MARKS.get(len(stars[0]), tuple(stars[0])):
                yield _Piece(mark, mark=len(stars[0]) in _MARKS, before=before, after=after, href=href)
            position = stars.end()
        else:
            ordinary = _ORDINARY.match(line, position + 1)
            end = ordinary.end() if ordinary else position + 1
            yield _Piece(line[position:end], href=href)
            position = end


def _pair(pieces: list[_Piece], mark: str) -> None:
    """Style what stands between two marks and take the marks away; a mark without its partner stays text."""
    opener: int | None = None
    for position, piece in enumerate(pieces):
        if not piece.mark or piece.text != mark:
            continue
        if opener is None:
            opener = position if piece.after and not piece.after.isspace() else None
        elif piece.before and not piece.before.isspace():
            for inside in pieces[opener:position]:
                inside.styles.add(mark)
            pieces[opener] = replace(pieces[opener], text="", mark=False)
            pieces[position] = replace(piece, text="", mark=False)
            opener = None
