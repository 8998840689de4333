"""The quoted tail of an HTML mail wrapped for folding, by the same rules as that of plain text."""

from collections.abc import Sequence

import lxml.html
from lxml import etree

from concierge.conversations.quoting import begin_of_attribution, find_tail
from concierge.inbound.html_lines import Line, as_text, is_plain_quote, is_quote, read_lines

# Stand around quoted mails while HTML is laid out as text; private use, so that no mail's own letters are meant.
QUOTE_OPENS, QUOTE_ENDS = "\ue0f1", "\ue0f2"

_MOST_QUOTES = 2


def fold_tail(root: lxml.html.HtmlElement) -> bool:
    """Wrap the tail of *root* (signature, quoted mails) in `<details data-fold>`; whether there was one.

    Where she writes on between or below quotes only a quote that stands alone is wrapped, so her words stay in view.
    A mail is never folded whole.
    """
    lines = read_lines(root)
    _note_plain_quotes(lines)
    first = _first_of_tail(lines)
    if first is not None and any(line.text or line.pictures for line in lines[:first]):
        _wrap_from(root, lines[first])
        return True
    return first is None and _wrap_lone_quote(root, lines)


def mark_quotes(root: lxml.html.HtmlElement) -> None:
    """Put QUOTE_OPENS and QUOTE_ENDS around the quoted mails in *root*, so that its text can show them by `>`."""
    lines = read_lines(root)
    _note_plain_quotes(lines)
    if not any(line.depth for line in lines):
        return
    quoted = {id(line.element) for line in lines if line.depth}
    for element in list(root.iter("blockquote", "div", "table", "section", "span", "p")):
        is_marked = is_quote(element) or (is_plain_quote(element) and _holds(element, quoted))
        if is_marked:
            element.text = QUOTE_OPENS + (element.text or "")
            if len(element):
                element[-1].tail = (element[-1].tail or "") + QUOTE_ENDS
            else:
                element.text += QUOTE_ENDS


def _holds(element: lxml.html.HtmlElement, quoted: set[int]) -> bool:
    return any(id(each) in quoted for each in element.iter())


def _note_plain_quotes(lines: Sequence[Line]) -> None:
    """A plain blockquote is an earlier mail when the line above says who wrote it; else it may be her own indent."""
    words = [line.text for line in lines]
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.plain_depth and not line.depth and _is_introduced(lines, words, index):
            while index < len(lines) and lines[index].plain_depth:
                lines[index].depth = lines[index].plain_depth
                index += 1
        else:
            index += 1


def _is_introduced(lines: Sequence[Line], words: Sequence[str], index: int) -> bool:
    """Whether it is told right above who wrote this: outside the blockquote or where it begins, not below her words."""
    first = begin_of_attribution(words, index - 1) if index else None
    if first is None:
        return False
    depth = lines[first].plain_depth
    return depth < lines[index].plain_depth or first == 0 or lines[first - 1].plain_depth < depth


def _first_of_tail(lines: Sequence[Line]) -> int | None:
    tails = [find_tail(as_text(lines))]
    tails += [index for index, line in enumerate(lines) if line.opens and _nothing_hers(lines, index)][:1]
    quote = min((tail for tail in tails if tail is not None), default=len(lines))
    tails += [_signature(lines[:quote])]
    return min((tail for tail in tails if tail is not None), default=None)


def _nothing_hers(lines: Sequence[Line], index: int) -> bool:
    """Whether nothing unquoted follows a quote that has a container; without one all that follows is quoted."""
    quoted = [bool(line.depth) for line in lines[index + 1 :]]
    return True not in quoted or False not in quoted[quoted.index(True) :]


def _signature(lines: Sequence[Line]) -> int | None:
    """A signature marked as one, with nothing but quotes below."""
    for index, line in enumerate(lines):
        if line.signs and not line.depth:
            inside = set(line.element.iter())
            below = [each for each in lines[index + 1 :] if each.element not in inside and not each.depth and each.text]
            return index if not below else None
    return None


def _wrap_lone_quote(root: lxml.html.HtmlElement, lines: Sequence[Line]) -> bool:
    """Wrap one quote, or two, that stand among her words."""
    found = _outermost_quotes(root, lines)
    if not 1 <= len(found) <= _MOST_QUOTES:
        return False
    first = next((line for line in lines if line.depth), None)
    if first is None or not any(line.text and not line.depth for line in lines[: lines.index(first)]):
        return False
    for element in found:
        parent = element.getparent()
        if parent is None:
            return False
        details = _details()
        details.tail, element.tail = element.tail, None
        parent.replace(element, details)
        details.append(element)
    return True


def _outermost_quotes(root: lxml.html.HtmlElement, lines: Sequence[Line]) -> list[lxml.html.HtmlElement]:
    quoted = {id(line.element) for line in lines if line.depth}
    found: list[lxml.html.HtmlElement] = []
    for element in root.iter("blockquote", "div", "section", "table"):
        if any(ancestor in found for ancestor in element.iterancestors()):
            continue
        if is_quote(element) or (is_plain_quote(element) and _holds(element, quoted)):
            found.append(element)
            if len(found) > _MOST_QUOTES:
                break
    return found


def _details() -> lxml.html.HtmlElement:
    details = lxml.html.Element("details", {"data-fold": ""})
    etree.SubElement(details, "summary").text = "…"
    return details


def _wrap_from(root: lxml.html.HtmlElement, line: Line) -> None:
    """Put everything from *line* on into one `<details>`, splitting the elements it stands in."""
    body = root.find("body")
    # What stands outside the body, behind it or in a frameset, is wrapped where it stands.
    within = body in line.element.iterancestors() or (body is line.element and not line.tail)
    top = body if body is not None and within else root
    node, details = _cut(line, top), _details()
    while (parent := node.getparent()) is not None and parent is not top:
        shell = _empty_like(parent)
        _move(node, shell)
        parent.addnext(shell)
        shell.tail, parent.tail = parent.tail, None
        node = shell
    _move(node, details)
    top.append(details)


def _empty_like(element: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """An empty element of the same kind; of one whose name or attributes only a damaged mail has, a `<div>`."""
    try:
        return lxml.html.Element(element.tag, dict(element.attrib))
    except (ValueError, KeyError):
        return lxml.html.Element("div")


def _cut(line: Line, top: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """The element the tail begins with: its words behind another are put into one of their own."""
    element = line.element
    if line.tail:
        piece = lxml.html.Element("span")
        piece.text, element.tail = element.tail, None
        element.addnext(piece)
        return piece
    while (parent := element.getparent()) is not None and parent is not top:
        if parent.index(element) > 0 or (parent.text or "").strip():
            break
        element = parent
    if element is top:
        piece = lxml.html.Element("span")
        piece.text, top.text = top.text, None
        top.insert(0, piece)
        element = piece
    return element


def _move(node: lxml.html.HtmlElement, into: lxml.html.HtmlElement) -> None:
    """Move *node* and all that follows it under the same parent, their tails with them."""
    for each in [node, *node.itersiblings()]:
        into.append(each)
