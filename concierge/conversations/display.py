"""Other people's HTML made safe to look at: pictures from us alone, links that tell nothing, cleaned last of all."""

import html as entities
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import nh3

# nh3 takes time in the square of the depth: 3,000 nested lists 0.3 s, 10,000 of them 7 s (T08). A mail with more
# elements than this is shown as text, and can be downloaded.
_MOST_ELEMENTS = 6_000
_LONGEST = 2_000_000
# https://html.spec.whatwg.org/multipage/parsing.html#has-an-element-in-button-scope
_SCOPE = re.compile(r"<(?:applet|button|marquee|object|select)", re.IGNORECASE)


def _words(text: str) -> set[str]:
    return set(text.split())


_TAGS = _words(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details "
    "dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p "
    "pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr "
    "tt u ul var wbr"
)
_CELL = {"align", "bgcolor", "colspan", "height", "rowspan", "style", "valign", "width"}
_ATTRIBUTES = {
    "*": {"dir", "lang", "style", "title"},
    "a": {"href"},
    "blockquote": {"type"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "details": {"data-fold"},
    "div": {"align"},
    "font": {"color", "face", "size"},
    "img": {"align", "alt", "border", "height", "hspace", "src", "vspace", "width"},
    "ol": {"start", "type"},
    "p": {"align"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "height", "width"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"align", "bgcolor", "valign"},
}
# Nothing that moves an element out of its place, covers others or loads anything (T17, T18).
_STYLES = _words(
    "background background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width "
    "border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius "
    "border-right border-right-color border-right-style border-right-width border-spacing border-style border-top "
    "border-top-color border-top-style border-top-width border-width clear color direction display float font "
    "font-family font-size font-style font-variant font-weight height letter-spacing line-height list-style-type "
    "margin margin-bottom margin-left margin-right margin-top max-height max-width min-width padding padding-bottom "
    "padding-left padding-right padding-top table-layout text-align text-decoration text-indent text-transform "
    "vertical-align white-space width word-break word-spacing word-wrap"
)
# Of CSS functions only colours and sums stay: url(), image-set(), var() and whatever comes next could load.
_FUNCTION = re.compile(r"(?:(?:rgb|hsl)a?|calc)\([^()]*\)", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s]+", re.IGNORECASE)
_REMOTE = re.compile(r"https?://[^\s]+", re.IGNORECASE)
_ELEMENT = re.compile(r"<[a-z]", re.IGNORECASE)
_FOLD = re.compile(r"<details data-fold(?:=\"\")?>(?!\s*<summary)", re.IGNORECASE)
_CID = re.compile(r"cid:(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail's HTML as it may be shown, and how many pictures from elsewhere were left out."""

    html: str
    pictures_blocked: int


def is_showable(html: str) -> bool:
    """Whether this HTML can be cleaned in a moment; otherwise the text is shown."""
    return len(html) <= _LONGEST and sum(1 for _found in _ELEMENT.finditer(html)) <= _MOST_ELEMENTS


def clean(
    html: str,
    *,
    pictures: Mapping[str, str],
    fold_label: str,
    load_pictures: bool = False,
    keep_classes: bool = False,
) -> Shown:
    """Safe HTML for a page of its own, under a CSP that forbids everything but our pictures.

    `pictures` gives our own URL for each Content-ID of the mail. Pictures from elsewhere stay out unless
    `load_pictures`. `fold_label` names the folded history. `keep_classes` is for our own letters, whose style sheet
    needs them. Cleaning comes last: nothing is changed after it (T16).
    """
    sieve = _Sieve(pictures, load_pictures)
    attributes = _ATTRIBUTES | {"*": _ATTRIBUTES["*"] | {"class"}} if keep_classes else _ATTRIBUTES
    summary = f"<details data-fold><summary>{entities.escape(fold_label)}</summary>"
    prepared = _FOLD.sub(lambda _found: summary, html)
    cleaned = _clean(prepared, sieve, attributes)
    # Where a link is dropped nh3 changes the order of the attributes that are left; where an element is dropped that
    # may hold a paragraph within a paragraph, they are left so; a style may hold escapes then. Once more settles it.
    if sieve.dropped_link or "<a rel=" in cleaned or "\\" in cleaned or _SCOPE.search(html):
        cleaned = _clean(cleaned, sieve, attributes)
    return Shown(cleaned, len(sieve.blocked))


def _clean(html: str, sieve: "_Sieve", attributes: dict[str, set[str]]) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "noscript", "template", "svg", "math", "xml", "iframe"},
        attributes=attributes,
        attribute_filter=sieve,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


class _Sieve:
    """Looks at every attribute that is left, inside the cleaning itself."""

    def __init__(self, pictures: Mapping[str, str], load_pictures: bool) -> None:
        self._by_cid = {_bare(cid): url for cid, url in pictures.items()}
        self._ours = frozenset(pictures.values())
        self._load_pictures = load_pictures
        self.blocked: set[str] = set()
        self.dropped_link = False

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return _harmless_style(value)
        if attribute == "href":
            return self._link(value)
        if attribute == "src":
            return self._picture(value.strip())
        return value

    def _link(self, url: str) -> str | None:
        if _LINK.fullmatch(url.strip()):
            return url
        self.dropped_link = True
        return None

    def _picture(self, url: str) -> str | None:
        if url in self._ours:
            return url
        if cid := _CID.fullmatch(url):
            return self._by_cid.get(_bare(cid[1]))
        if not _REMOTE.fullmatch(url):
            return None
        if self._load_pictures:
            return url
        self.blocked.add(url)
        return None


def _bare(cid: str) -> str:
    """A Content-ID without brackets; RFC 2392 lets the link percent-encode it, and mailers differ in case."""
    return unquote(cid).strip().strip("<>").casefold()


def _harmless_style(style: str) -> str | None:
    kept = [each.strip() for each in style.split(";") if _is_harmless(each)]
    return ";".join(kept) if kept or not style else None


def _is_harmless(declaration: str) -> bool:
    name, _, value = declaration.partition(":")
    return name.strip().lower() in _STYLES and not set("()\\@<{/") & set(_FUNCTION.sub("", value))


@dataclass(frozen=True, slots=True)
class Span:
    """A run of plain text; a link when `url` is set."""

    text: str
    url: str = ""


_URL = re.compile(r"https?://[^\s<>\"'“”«»]+[^\s<>\"'“”«».,;:!?)\]}]", re.IGNORECASE)


def spans(text: str) -> tuple[Span, ...]:
    """Plain text with its web addresses found, for a template that escapes everything (T15)."""
    found: list[Span] = []
    position = 0
    for url in _URL.finditer(text):
        if url.start() > position:
            found.append(Span(text[position : url.start()]))
        found.append(Span(url[0], url[0]))
        position = url.end()
    if position < len(text):
        found.append(Span(text[position:]))
    return tuple(found)


def fold(text: str, fold_at: int | None) -> tuple[str, str]:
    """What she wrote, and the quoted history or signature behind it; nothing is ever cut (`fold_at` is an index)."""
    if fold_at is None or not 0 <= fold_at <= len(text):
        return text.strip("\n"), ""
    written, folded = text[:fold_at].strip("\n"), text[fold_at:].strip("\n")
    return (written, folded) if written.strip() else (folded, "")


def picture_type(data: bytes) -> str | None:
    """The type of a raster picture by its first bytes; None for anything else, whatever it calls itself (T19)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff/\\:*?\"<>|]+")


def safe_filename(name: str) -> str:
    """A file name for saving: no path, no invisible or reversing characters, no leading dot, at most 120 (T20)."""
    plain = _UNSAFE.sub("_", name.encode("utf-8", "replace").decode()).strip(" ._")
    if len(plain) <= 120:
        return plain or "file"
    stem, dot, extension = plain.rpartition(".")
    if not dot or len(extension) > 10:
        return plain[:120]
    return f"{stem[: 119 - len(extension)]}.{extension}"
