"""The HTML of a mail: its text, and the quoted tail wrapped for folding. It is cleaned elsewhere, last of all."""

import re

import lxml.html
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree

MOST_HTML = 1_500_000
_MOST_FOR_TEXT = 400_000
_DEEPEST = 180
_DEEPEST_TABLES = 8
_MOST_TABLES = 300
_MOST_QUOTES = 2

_BLOCKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/blockquote)\b[^<>]*>", re.IGNORECASE)
# Every pattern below is linear: what is opened ends at its mark or at the end of the page, never by looking twice.
_UNREAD = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b[^<>]*>.*?(?:</(?:script|style|head|title)\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>?")
_OUTLOOK_LINE = re.compile(
    r"border-?(?:top)?\s*:\s*(?:none;\s*border-top\s*:\s*)?solid\s+#(?:e1e1e1|b5c4df|ccc)", re.IGNORECASE
)
_QUOTE_CLASSES = frozenset(
    ["gmail_quote", "gmail_quote_container", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix", "tutanota_quote"]
)
_QUOTE_IDS = frozenset(
    ["divRplyFwdMsg", "appendonsend", "OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container"]
)
_SIGNATURE_CLASSES = frozenset(["gmail_signature", "moz-signature", "protonmail_signature_block", "AppleMailSignature"])
_SIGNATURE_IDS = frozenset(("AppleMailSignature", "Signature", "ms-outlook-mobile-signature"))


def html_to_text(html: str) -> str:
    """Return what a reader sees of *html* as plain text; of a huge or very deep page without its layout."""
    root = _parse(html[:_MOST_FOR_TEXT])
    if root is None or len(html) > _MOST_FOR_TEXT or not _is_shallow(root):
        return _strip(html)
    _plain_styles(root)
    try:
        engine = Inscriptis(root, ParserConfig(css=CSS_PROFILES["relaxed"]))
        return _tidy(engine.get_text())
    except (RecursionError, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return _strip(html)


def fold_html(html: str) -> str:
    """Return *html* with quoted mails and signature wrapped in `<details data-fold>`; unchanged without any."""
    if not re.search(r"quote|cite|signature|RplyFwdMsg|appendonsend|OLK_SRC|border", html, re.IGNORECASE):
        return html
    root = _parse(html)
    # What is nested too deep was cut by the HTML reader: then the original stands.
    if root is None or not _is_shallow(root, tables=False) or (found := _find_tail(root)) is None:
        return html
    _wrap(*found)
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


def _parse(html: str) -> lxml.html.HtmlElement | None:
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_pis=True, no_network=True, huge_tree=False)
    try:
        root = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None
    return root


def _is_shallow(root: lxml.html.HtmlElement, *, tables: bool = True) -> bool:
    """Layout is worked out by recursion, and by padding every level of nested tables: both must stay small."""
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


def _strip(html: str) -> str:
    text = _UNREAD.sub(" ", html[:MOST_HTML])
    text = _TAG.sub(" ", _BLOCKS.sub("\n", re.sub(r"\s+", " ", text)))
    for entity, character in (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return _tidy(text)


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) if line.lstrip() == line else line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).replace("\xa0", " ")).strip("\n")


def _find_tail(root: lxml.html.HtmlElement) -> tuple[lxml.html.HtmlElement, bool] | None:
    """The first element of the tail, and whether everything after it belongs to it as well.

    Where she writes on between or below quotes only a quote that stands alone is wrapped, so her words stay in view.
    """
    quotes: list[lxml.html.HtmlElement] = []
    for element in root.iter("div", "blockquote", "span", "table", "p", "section"):
        if _marks(element, _QUOTE_IDS, "id") or _is_outlook_line(element):
            return (_outermost(element), True) if _text_before(root, element) else None
        if (_marks(element, _QUOTE_CLASSES, "class") or _is_cited(element)) and not _inside(element, quotes):
            quotes.append(element)
            if len(quotes) > _MOST_QUOTES:
                return None
    if quotes and _text_before(root, quotes[0]):
        open_ended = _marks(quotes[0], frozenset(("moz-cite-prefix",)), "class")
        return (quotes[0], True) if open_ended else (quotes[0], False)
    for element in root.iter("div", "span", "table"):
        if _marks(element, _SIGNATURE_CLASSES, "class") or _marks(element, _SIGNATURE_IDS, "id"):
            return (element, False) if _text_before(root, element) else None
    return None


def _marks(element: lxml.html.HtmlElement, words: frozenset[str], attribute: str) -> bool:
    return not words.isdisjoint((element.get(attribute) or "").split())


def _is_cited(element: lxml.html.HtmlElement) -> bool:
    return element.tag == "blockquote" and (element.get("type") or "").lower() == "cite"


def _is_outlook_line(element: lxml.html.HtmlElement) -> bool:
    """Outlook on the desktop: a thin line on top of a block that begins with From:, Von:, Da: …"""
    if element.tag != "div" or not _OUTLOOK_LINE.search(element.get("style") or ""):
        return False
    words = " ".join(element.itertext())[:400].split()
    return bool(words) and words[0].rstrip(":").lower() in {"from", "von", "de", "da", "van", "sent"}


def _inside(element: lxml.html.HtmlElement, others: list[lxml.html.HtmlElement]) -> bool:
    return any(ancestor in others for ancestor in element.iterancestors())


def _outermost(element: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """Climb while the element is the first thing in its parent, as Outlook wraps its line."""
    while (parent := element.getparent()) is not None and parent.tag == "div":
        if parent.index(element) > 0 or (parent.text or "").strip():
            break
        element = parent
    return element


def _text_before(root: lxml.html.HtmlElement, element: lxml.html.HtmlElement) -> bool:
    """Whether anything of hers stands above, so that a mail is never folded whole."""
    for each in root.iter():
        if each is element:
            return False
        if each.tag in ("style", "script", "title", "head", "meta") or not isinstance(each.tag, str):
            continue
        if (each.text or "").strip() or each.tag == "img":
            return True
        previous = each.getprevious()
        if previous is not None and (previous.tail or "").strip():
            return True
    return False


def _wrap(element: lxml.html.HtmlElement, with_rest: bool) -> None:
    parent = element.getparent()
    if parent is None:
        return
    folded = [element, *element.itersiblings()] if with_rest else [element]
    details = etree.SubElement(parent, "details", {"data-fold": ""})
    etree.SubElement(details, "summary").text = "…"
    parent.insert(parent.index(element), details)
    if not with_rest:
        details.tail, element.tail = element.tail, None
    for each in folded:
        details.append(each)
