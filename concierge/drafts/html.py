"""The body as HTML: what we keep, what the editor for rich text makes of it and wants back, and anything pasted."""

import json
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

import nh3

from concierge.drafts.blocks import Block, Card, Line, Listing, Paragraph, Picture, Quote, Run, tidy, tidy_line

_BOLD = frozenset({"strong", "b", "h1", "h2", "h3"})
_ITALIC = frozenset({"em", "i"})
_DIVIDERS = frozenset({"div", "p", "h1", "h2", "h3", "pre", "table", "tr", "section", "article", "hr"})
_TAGS = _BOLD | _ITALIC | _DIVIDERS | {"br", "a", "ul", "ol", "li", "blockquote", "figure"}
_ATTRIBUTES = {
    "a": {"href"},
    "figure": {"data-product", "data-attachment", "data-trix-attachment"},
}
# What a figure of the editor shows besides is ours anyway and read anew; a caption is not offered.
_DROPPED = {"script", "style", "figcaption", "title", "head", "template", "noscript", "iframe", "svg", "math"}


def write(blocks: Iterable[Block]) -> str:
    """The one HTML we keep: p, br, strong, em, a, ul, ol, li, blockquote, and a figure for a card or a picture."""
    return "".join(_write_block(block) for block in blocks)


def read(html: str) -> tuple[Block, ...]:
    """The blocks in `html`: ours, the editor's, or whatever was pasted; all else is dropped, its text is kept."""
    reader = _Reader()
    reader.feed(nh3.clean(html, tags=set(_TAGS), attributes=_ATTRIBUTES, clean_content_tags=_DROPPED, link_rel=None))
    reader.close()
    reader.flush()
    return tidy(reader.blocks)


def _write_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_lines(block.lines)}</p>"
    if isinstance(block, Listing):
        return _listing(block)
    if isinstance(block, Quote):
        return f"<blockquote>{write(block.blocks)}</blockquote>"
    if isinstance(block, Card):
        return f'<figure data-product="{escape(block.sku)}"></figure>'
    return f'<figure data-attachment="{block.attachment_id}"></figure>'


def _listing(block: Listing) -> str:
    tag = "ol" if block.ordered else "ul"
    return f"<{tag}>{''.join(f'<li>{_lines(item)}</li>' for item in block.items)}</{tag}>"


def _lines(lines: Iterable[Line]) -> str:
    return "<br>".join("".join(_write_run(run) for run in line) for line in lines)


def _write_run(run: Run) -> str:
    text = escape(run.text, quote=False)
    if run.italic:
        text = f"<em>{text}</em>"
    if run.bold:
        text = f"<strong>{text}</strong>"
    return f'<a href="{escape(run.href)}">{text}</a>' if run.href else text


class _Reader(HTMLParser):
    """Reads HTML that nh3 has put in order; keeps no tree, so depth costs nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._lines: list[list[Run]] = [[]]
        self._bold = self._italic = self._figures = self._quotes = 0
        self._hrefs: list[str | None] = []
        self._lists: list[tuple[bool, list[tuple[Line, ...]]]] = []
        self._items = 0
        self._quoted: list[Paragraph | Listing] = []

    def handle_data(self, data: str) -> None:
        """Text, which looks as the tags around it say."""
        if self._figures:
            return
        href = self._hrefs[-1] if self._hrefs else None
        self._lines[-1].append(Run(data, self._bold > 0, self._italic > 0, href))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        if tag == "figure":
            self._open_figure(dict(attrs))
        elif self._figures:
            return
        elif tag == "br":
            self._lines.append([])
        elif tag == "a":
            self._hrefs.append(dict(attrs).get("href"))
        else:
            self._open_block(tag)
            self._bold += tag in _BOLD
            self._italic += tag in _ITALIC

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        if tag == "figure":
            self._figures = max(0, self._figures - 1)
        elif self._figures:
            return
        elif tag == "a":
            self._hrefs[-1:] = []
        else:
            self._close_block(tag)
            self._bold = max(0, self._bold - (tag in _BOLD))
            self._italic = max(0, self._italic - (tag in _ITALIC))

    def flush(self) -> None:
        """End the paragraph or the item being read, and with it whatever it stands in."""
        self._end_lines()
        while self._lists:
            self._close_list()
        self._end_quote()

    def _open_block(self, tag: str) -> None:
        if tag in {"ul", "ol"}:
            self._end_lines()
            self._lists.append((tag == "ol", []))
        elif tag == "blockquote":
            if not self._quotes:
                self._end_lines()
                self._leave_lists()
            self._quotes += 1
        elif tag == "li":
            self._end_lines()
            self._items += 1
        elif tag in _DIVIDERS:
            self._divide()

    def _close_block(self, tag: str) -> None:
        if tag in {"ul", "ol"}:
            self._end_lines()
            self._close_list()
        elif tag == "blockquote":
            self._end_lines()
            self._quotes = max(0, self._quotes - 1)
            if not self._quotes:
                self._leave_lists()
                self._end_quote()
        elif tag == "li":
            self._end_lines()
            self._items = max(0, self._items - 1)
        elif tag in _DIVIDERS:
            self._divide()

    def _divide(self) -> None:
        """A new paragraph; within an item, a new line."""
        if self._items and self._lists:
            self._lines.append([])
        else:
            self._end_lines()

    def _open_figure(self, attributes: dict[str, str | None]) -> None:
        self._figures += 1
        block = _read_figure(attributes) if self._figures == 1 else None
        if block is None:
            return
        self._end_lines()
        self._leave_lists()
        self._end_quote()
        self.blocks.append(block)

    def _end_lines(self) -> None:
        lines = tuple(tidy_line(line) for line in self._lines)
        self._lines = [[]]
        if not any(lines):
            return
        if self._lists:
            self._lists[-1][1].append(lines)
        else:
            self._add(Paragraph(lines))

    def _leave_lists(self) -> None:
        """A card ends the list it was put in; what follows in the list begins another of its kind."""
        for position, (ordered, items) in enumerate(self._lists):
            if items:
                self._add(Listing(ordered, tuple(items)))
            self._lists[position] = (ordered, [])

    def _close_list(self) -> None:
        """End a list; one within another gives it its items: we keep one level."""
        if not self._lists:
            return
        ordered, items = self._lists.pop()
        if self._lists:
            self._lists[-1][1].extend(items)
        elif items:
            self._add(Listing(ordered, tuple(items)))

    def _add(self, block: Paragraph | Listing) -> None:
        if self._quotes:
            self._quoted.append(block)
        else:
            self.blocks.append(block)

    def _end_quote(self) -> None:
        if self._quoted:
            self.blocks.append(Quote(tuple(self._quoted)))
            self._quoted = []


def _read_figure(attributes: dict[str, str | None]) -> Block | None:
    facts = _read_attachment(attributes.get("data-trix-attachment") or "")
    sku = attributes.get("data-product") or facts.get("sku")
    if isinstance(sku, str) and sku:
        return Card(sku)
    number = attributes.get("data-attachment") or facts.get("attachmentId")
    return Picture(int(str(number))) if _is_number(str(number)) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _read_attachment(text: str) -> dict[str, object]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
