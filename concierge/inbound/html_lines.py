"""The HTML of a mail as the lines a reader sees, each knowing where in the tree it begins and how deep it is quoted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import lxml.html
from lxml import etree

from concierge.conversations.quote_words import FIELD, FORWARDED

_BLOCKS = frozenset(
    "address article aside blockquote body center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr "
    "html li main nav ol p pre section table tbody td th thead tr ul".split()
)
_SILENT = frozenset(["head", "style", "script", "title", "meta", "link", "xml"])
_RULE = "_" * 32
MOST_LINES = 5_000
_MOST_STEPS = 40_000
_QUOTE_CLASSES = frozenset(
    "gmail_quote gmail_quote_container yahoo_quoted protonmail_quote tutanota_quote zmail_extra "
    "ymail_android_signature_quote bloop_original_html acompli_quote qt mailquote mailru-blockquote fm_quote "
    "front-blockquote hse_quote".split()
)
_QUOTE_IDS = frozenset(
    "mail-editor-reference-message-container yahoo_quoted isReplyContent quoted_message QuotedMessage "
    "edo-original edo-meta".split()
)
# From here on nothing is hers: Outlook on the web, in its app and on the Mac.
_OPEN_IDS = frozenset(["divRplyFwdMsg", "appendonsend", "OLK_SRC_BODY_SECTION", "x_divRplyFwdMsg", "x_appendonsend"])
_OPEN_CLASSES = frozenset(["OutlookMessageHeader", "moz-cite-prefix", "gmail_attr", "yahoo_quoted_header"])
# Besides whatever is named so: gmail_signature, AppleMailSignature, ms-outlook-mobile-signature …
_SIGNATURES = frozenset(["protonmail_signature_block", "lineBreakAtBeginningOfSignature"])
_TOP_LINE = re.compile(r"border-top(?:-style)?\s*:[^;]*\bsolid\b", re.IGNORECASE)
_KEEPS_LINES = re.compile(r"white-space\s*:\s*(?:pre|break)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


@dataclass
class Line:
    """One line: its words, the element it begins in (`tail`: behind that element), how deep it is quoted."""

    element: lxml.html.HtmlElement
    tail: bool
    depth: int
    plain_depth: int
    words: list[str] = field(default_factory=list)
    opens: bool = False
    signs: bool = False
    pictures: bool = False

    @property
    def text(self) -> str:
        """Its words with spaces collapsed."""
        return " ".join("".join(self.words).split())


def break_lines(root: lxml.html.HtmlElement) -> None:
    """Put a `<br>` for every line end in what is shown as it is written (`<pre>`), so that each line has its place."""
    kept: set[lxml.html.HtmlElement | None] = set()
    for element in list(root.iter("*")):
        within = element.getparent() in kept
        if within:
            first, breaks = _broken(element.tail)
            element.tail = None
            for each in reversed(breaks):
                element.addnext(each)
            element.tail = first
        if within or _keeps_lines(element):
            kept.add(element)
            element.text, breaks = _broken(element.text)
            for each in reversed(breaks):
                element.insert(0, each)


def _keeps_lines(element: lxml.html.HtmlElement) -> bool:
    return element.tag == "pre" or bool(_KEEPS_LINES.search((element.get("style") or "")[:2_000]))


def _broken(words: str | None) -> tuple[str, list[lxml.html.HtmlElement]]:
    """The first line of these words, and a `<br>` for each that follows, with it behind."""
    first, *lines = (words or "").split("\n", MOST_LINES)
    breaks = [lxml.html.Element("br") for _line in lines]
    for each, line in zip(breaks, lines, strict=True):
        each.tail = line
    return first, breaks


def read_lines(root: lxml.html.HtmlElement) -> list[Line]:
    """Return the lines of *root* in order, without those nobody sees; none of a page larger than anybody writes."""
    reader = _Reader()
    for count, (event, element) in enumerate(etree.iterwalk(root, events=("start", "end"))):
        if count > _MOST_STEPS or len(reader.lines) > MOST_LINES:
            return []
        if event == "start":
            reader.start(element)
        else:
            reader.end(element)
    return [line for line in reader.lines if line.text or line.pictures or line.opens or line.signs]


class _Reader:
    """Walks a tree and keeps what a reader would see."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._silent: lxml.html.HtmlElement | None = None
        self._depth = self._plain = 0
        self._quotes: list[lxml.html.HtmlElement] = []
        self._fresh = True

    def start(self, element: lxml.html.HtmlElement) -> None:
        if self._silent is None and (element.tag in _SILENT or _HIDDEN.search((element.get("style") or "")[:2_000])):
            self._silent = element
        if self._silent is not None:
            return
        tag = element.tag
        self._fresh |= tag in _BLOCKS or tag == "br"
        if element.attrib or tag == "blockquote":
            self._mark(element)
        if tag == "hr":
            self._line(element, tail=False, new=True).words.append(_RULE)
            self._fresh = True
        if tag == "img":
            self._line(element, tail=False).pictures = True
        self._say(element, element.text, tail=False)

    def end(self, element: lxml.html.HtmlElement) -> None:
        if self._silent is not None:
            if element is self._silent:
                self._silent = None
                self._say(element, element.tail, tail=True)
            return
        if self._quotes and self._quotes[-1] is element:
            self._quotes.pop()
            self._depth -= 1
        self._plain -= element.tag == "blockquote" and is_plain_quote(element)
        self._fresh |= element.tag in _BLOCKS
        self._say(element, element.tail, tail=True)

    def _mark(self, element: lxml.html.HtmlElement) -> None:
        if is_quote(element):
            self._depth += 1
            self._quotes.append(element)
        self._plain += is_plain_quote(element)
        opens, is_signature = opens_quote(element), signs(element)
        if opens or is_signature:
            line = self._line(element, tail=False, new=True)
            line.opens, line.signs = opens, is_signature

    def _say(self, element: lxml.html.HtmlElement, words: str | None, *, tail: bool) -> None:
        if words and words.strip():
            self._line(element, tail=tail).words.append(words)
        elif words and self.lines and not self._fresh:
            self.lines[-1].words.append(" ")

    def _line(self, element: lxml.html.HtmlElement, *, tail: bool, new: bool = False) -> Line:
        last = self.lines[-1] if self.lines else None
        if last is None or self._fresh or new:
            if last is not None and not last.words and not last.pictures and (last.opens or last.signs) and not new:
                self._fresh = False
                return last
            self.lines.append(Line(element, tail, self._depth, self._plain))
            self._fresh = False
        return self.lines[-1]


def _names(element: lxml.html.HtmlElement, attribute: str) -> list[str]:
    value = element.get(attribute)
    return value[:1_000].split() if value else []


def is_quote(element: lxml.html.HtmlElement) -> bool:
    """Whether a program says that all of *element* is an earlier mail; a mail passed on is none, nor an indent."""
    if element.tag == "blockquote":
        return (element.get("type") or "").lower() == "cite" and not _is_forward(element)
    marked = not _QUOTE_CLASSES.isdisjoint(_names(element, "class")) or not _QUOTE_IDS.isdisjoint(_names(element, "id"))
    return marked and not _is_forward(element)


def is_plain_quote(element: lxml.html.HtmlElement) -> bool:
    """Whether *element* may be a quote: it is one when a line above says who wrote it."""
    return element.tag == "blockquote" and not is_quote(element)


def opens_quote(element: lxml.html.HtmlElement) -> bool:
    """Whether all from *element* on is an earlier mail, without a container around it."""
    if element.tag not in ("div", "table", "p", "span"):
        return False
    if not _OPEN_IDS.isdisjoint(_names(element, "id")) or not _OPEN_CLASSES.isdisjoint(_names(element, "class")):
        return not _is_forward(element)
    if not _draws_line(element):
        return False
    words = _beginning(element)
    field = FIELD.match(words)
    # A table of hers may begin "From: Florence"; a mail's header tells an address or a day.
    return bool(field and (field["from"] or field["date"]) and (element.tag == "div" or re.search(r"[@\d]", words)))


def _draws_line(element: lxml.html.HtmlElement) -> bool:
    """Desktop Outlook draws a thin line on top of an earlier mail's header."""
    return bool(_TOP_LINE.search((element.get("style") or "")[:2_000]))


def signs(element: lxml.html.HtmlElement) -> bool:
    """Whether a program says that *element* is a signature."""
    names = _names(element, "class") + _names(element, "id")
    return bool(names) and any(name in _SIGNATURES or name.lower().endswith("signature") for name in names)


def _is_forward(element: lxml.html.HtmlElement) -> bool:
    return bool(FORWARDED.match(_beginning(element)))


def _beginning(element: lxml.html.HtmlElement) -> str:
    """The first words in *element*."""
    words = ""
    for each in islice(element.itertext(), 40):
        words += each
        if len(words) > 200:
            break
    return " ".join(words.split())


def as_text(lines: Sequence[Line]) -> list[str]:
    """Return *lines* as plain text has them, quoted ones behind `>`."""
    return [">" * line.depth + " " + line.text if line.depth else line.text for line in lines]
