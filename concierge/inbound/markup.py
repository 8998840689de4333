"""The HTML of a mail: its text, and its tail folded. It is cleaned elsewhere, last of all."""

import html as entities
import re

import lxml.html
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree

from concierge.inbound.html_lines import break_lines
from concierge.inbound.html_quotes import QUOTE_ENDS, QUOTE_OPENS, fold_tail, mark_quotes

MOST_HTML = 1_500_000
_MOST_FOR_TEXT = 400_000
_DEEPEST = 180
_DEEPEST_TABLES = 8
_MOST_TABLES = 300
# More than anybody writes, or quotes: such a page is shown as it is.
_MOST_TAGS = 20_000

_BLOCKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/blockquote)\b[^<>]*>", re.IGNORECASE)
# Every pattern below is linear: what is opened ends at its mark or at the end of the page, never by looking twice.
_UNREAD = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b[^<>]*>.*?(?:</(?:script|style|head|title)\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
# Somewhere text is shown as it is written, line by line.
_AS_WRITTEN = re.compile(r"<pre\b|white-space", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>?")
# Characters no XML may hold (XML 1.0, 2.2).
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def html_to_text(html: str) -> str:
    """Return what a reader sees of *html* as plain text; of a huge or very deep page without its layout."""
    root = parse_html(html[:_MOST_FOR_TEXT])
    if root is None or len(html) > _MOST_FOR_TEXT or not is_shallow(root):
        return strip_tags(html)
    if html.count("<") <= _MOST_TAGS:
        mark_quotes(root)
    _plain_styles(root)
    for rule in root.iter("hr"):
        rule.tag = "div"  # laid out, a line drawn across ends no line of words
    try:
        engine = Inscriptis(root, ParserConfig(css=CSS_PROFILES["relaxed"]))
        return _with_marks(_tidy(engine.get_text()))
    except (RecursionError, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return strip_tags(html)


def fold_html(html: str) -> str:
    """Return *html* with quoted mails and signature wrapped in `<details data-fold>`; unchanged without any."""
    if html.count("<") > _MOST_TAGS:
        return html
    root = parse_html(html)
    # What is nested too deep was cut by the HTML reader: then the original stands.
    if root is None or not is_shallow(root, tables=False):
        return html
    if _AS_WRITTEN.search(html):
        break_lines(root)
    if not fold_tail(root):
        return html
    try:
        return str(lxml.html.tostring(root, encoding="unicode"))
    except (etree.LxmlError, RecursionError, ValueError):
        return html


def text_to_html(text: str) -> str:
    """Return plain *text* as escaped HTML, for mails that mix both."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "<div>" + escaped.replace("\n", "<br>\n") + "</div>"


def named_cids(html: str) -> frozenset[str]:
    """Return the content ids that *html* shows with `cid:`."""
    found = re.findall(r"cid:([^\"'\s<>)]{1,400})", html, re.IGNORECASE)
    return frozenset(_unquoted(cid) for cid in found)


def _unquoted(cid: str) -> str:
    return re.sub(r"%([0-9a-fA-F]{2})", lambda code: chr(int(code.group(1), 16)), cid)


def parse_html(html: str) -> lxml.html.HtmlElement | None:
    """Return the tree of *html* without comments; None where there is none."""
    parser = lxml.html.HTMLParser(
        encoding="utf-8", remove_pis=True, remove_comments=True, no_network=True, huge_tree=False
    )
    try:
        root = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None
    if "&#" in html or _NO_XML.search(html):
        _drop_unlawful(root)
    return root


def _drop_unlawful(root: lxml.html.HtmlElement) -> None:
    """Take out what the reader lets in, written so or as `&#1;`, and no text may be made of again."""
    for element in root.iter():
        if element.text and _NO_XML.search(element.text):
            element.text = _NO_XML.sub("", element.text)
        if element.tail and _NO_XML.search(element.tail):
            element.tail = _NO_XML.sub("", element.tail)


def is_shallow(root: lxml.html.HtmlElement, *, tables: bool = True) -> bool:
    """Whether *root* can be laid out: that recurses, and pads every level of nested tables, so both must stay small."""
    if tables and sum(1 for _ in root.iter("table")) > _MOST_TABLES:
        return False
    waiting = [(root, 0, 0)]
    while waiting:
        element, depth, nested = waiting.pop()
        if depth > _DEEPEST or (tables and nested > _DEEPEST_TABLES):
            return False
        waiting += [(child, depth + 1, nested + (child.tag == "table")) for child in element]
    return True


def _plain_styles(root: lxml.html.HtmlElement) -> None:
    """Keep of every style only that something is hidden: margins of a million lines are no words of hers."""
    for element in root.iter("*"):
        style = element.attrib.pop("style", "")
        if style and re.search(r"display\s*:\s*none", style[:2_000], re.IGNORECASE):
            element.set("style", "display: none")


def strip_tags(html: str) -> str:
    """Return the words of *html*, without asking how they are laid out."""
    text = _UNREAD.sub(" ", html[:MOST_HTML])
    text = _TAG.sub(" ", _BLOCKS.sub("\n", re.sub(r"\s+", " ", text)))
    return _tidy(entities.unescape(text))


def _with_marks(text: str) -> str:
    """Put `>` before the lines of quoted mails, as plain text does."""
    if QUOTE_OPENS not in text:
        return text
    lines, depth = [], 0
    for line in text.split("\n"):
        depth += line.count(QUOTE_OPENS)
        words = line.replace(QUOTE_OPENS, "").replace(QUOTE_ENDS, "")
        lines.append((">" * depth + " " + words.strip()).rstrip() if depth else words)
        depth = max(0, depth - line.count(QUOTE_ENDS))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) if line.lstrip() == line else line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).replace("\xa0", " ")).strip("\n")
