"""The house's letters: `emails/` made into a subject, a written text and an HTML that holds in any mail program."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import css_inline
import nh3
from babel.dates import format_date, format_time
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape
from mjml import mjml2html

from concierge.config import LANGUAGES, house_folder, locale_of

_TRANSLATIONS = Path(__file__).parent.parent / "translations"

_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_HELD = re.compile(r"<!--held (\d+)-->|held-(\d+)-held")
_LETTER_SLOT = "<!-- the letter -->"

# What an editor's own words wear: mail programs that drop style sheets still show it (Gmail without a Google account).
_PARAGRAPH = "display:block;margin:0 0 18px 0;"
_LINK = "color:#096a6c;text-decoration:underline;"
_WORDS_TAGS = {"p", "br", "a", "strong", "em", "b", "i", "ul", "ol", "li", "blockquote", "h1", "h2", "del"}
_WORDS_STYLES = {
    "p": {"style": _PARAGRAPH},
    "a": {"style": _LINK},
    "ul": {"style": "margin:0 0 18px 0;padding:0 0 0 22px;"},
    "ol": {"style": "margin:0 0 18px 0;padding:0 0 0 22px;"},
    "li": {"style": "margin:0 0 6px 0;"},
    "h1": {"style": "margin:0 0 14px 0;font-size:26px;line-height:1.25;font-weight:normal;font-family:Georgia,serif;"},
    "h2": {"style": "margin:0 0 14px 0;font-size:21px;line-height:1.3;font-weight:normal;font-family:Georgia,serif;"},
    "blockquote": {"style": "margin:0 0 18px 0;padding:0 0 0 14px;border-left:2px solid #dfdfdb;"},
}
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished letter: one line of subject, the text part, the HTML part."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of an editor's own writing, as text and as clean HTML."""

    text: str
    html: str
    kind: Literal["words"] = field(default="words", init=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A product shown in a letter. `details` are short finished phrases: colour, size, price.

    `picture` is what an <img> takes, "cid:…" or https.
    """

    name: str
    designer: str
    details: tuple[str, ...]
    link: str
    picture: str | None = None
    kind: Literal["card"] = field(default="card", init=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture within the text; `picture` is what an <img> takes, `name` stands for it where none is shown."""

    name: str
    picture: str
    kind: Literal["picture"] = field(default="picture", init=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs: her name, her title, and her face as an <img> takes it."""

    name: str
    title: str = ""
    photo: str | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The mail that is answered, below the answer: how it is introduced, what it said, its Message-ID."""

    introduction: str
    text: str
    message_id: str = ""

    @property
    def cite(self) -> str:
        """The quoted mail's URL (RFC 2392), or nothing."""
        return f"mid:{self.message_id.strip('<>')}" if self.message_id else ""


def render_letter(name: str, language: str, /, **values: Any) -> Letter:
    """The letter `name` (a folder of emails/) in `language`, with `values` ready to be shown.

    A value that is missing raises jinja2.UndefinedError; everything but an editor's own words is escaped.
    """
    templates = _letter(name, language if language in LANGUAGES else LANGUAGES[0])
    subject = _one_line(templates.subject.render(values))
    text = _INVISIBLE.sub("", templates.text.render(values))
    text = re.sub(r"\n{4,}", "\n\n\n", text).strip("\n") + "\n"
    html = templates.html.render({**values, "subject": subject, "preview": _preview(values, text)})
    return Letter(subject, text, _INVISIBLE.sub("", html))


def introduce(language: str, *, name: str, sent_at: datetime) -> str:
    """The line above a quoted mail; `sent_at` is shown in the zone it carries."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    locale = locale_of(known)
    date, time = format_date(sent_at, "full", locale=locale), format_time(sent_at, "short", locale=locale)
    words = _translations(known).gettext("On %(date)s at %(time)s, %(name)s wrote:")
    return str(words) % {"date": date, "time": time, "name": _one_line(name)}


def phrases(language: str) -> Callable[..., str]:
    """gettext for what is said in a letter outside its template: a phrase, and the values of its places."""
    gettext = _translations(language if language in LANGUAGES else LANGUAGES[0]).gettext

    def say(phrase: str, **values: object) -> str:
        text = str(gettext(phrase))
        return text % values if values else text

    return say


def dressed(html: str) -> Markup:
    """An editor's words, cleaned once more and each element wearing its style."""
    clean = nh3.clean(
        html,
        tags=_WORDS_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel=None,
        set_tag_attribute_values=_WORDS_STYLES,
    )
    return Markup(clean)  # noqa: S704 - nh3 was the last to touch it


def broken(text: str) -> Markup:
    """Plain text as HTML that keeps its lines and its leading spaces."""
    rows = (escape(row.expandtabs(4)) for row in text.strip("\n").splitlines())
    return Markup("<br>\n").join(Markup(re.sub(r"^ +| (?= )", _hard, row)) for row in rows)  # noqa: S704 - escaped


def _hard(spaces: re.Match[str]) -> str:
    return "&nbsp;" * len(spaces[0])


def quoted(text: str) -> str:
    """Plain text behind ">", deeper quotes without a space between their marks (RFC 3676, 4.5)."""
    rows = (row.rstrip() for row in text.strip("\n").splitlines())
    return "\n".join(">" + row if row.startswith(">") else f"> {row}".rstrip() for row in rows)


def _one_line(text: str) -> str:
    return " ".join(_INVISIBLE.sub(" ", text).split())


def _preview(values: dict[str, Any], text: str) -> str:
    """What an inbox shows beside the subject: the first words, not the letterhead."""
    if "preview" in values:
        return _one_line(values["preview"])
    blocks: Sequence[Words | Card | Picture] = values.get("blocks", ())
    first = next((block.text for block in blocks if block.kind == "words"), text)
    return _one_line(first)[:140]


@dataclass(frozen=True, slots=True)
class _Templates:
    subject: Template
    text: Template
    html: Template


@cache
def _letter(name: str, language: str) -> _Templates:
    folder = house_folder("emails")
    plain = _environment(language, html=False)
    return _Templates(
        subject=plain.get_template(f"{name}/subject.txt"),
        text=plain.get_template(f"{name}/body.txt"),
        html=_environment(language, html=True).from_string(
            inlined(
                compiled((folder / "layout.mjml").read_text("utf-8"), (folder / name / "body.mjml").read_text("utf-8"))
            )
        ),
    )


def _environment(language: str, *, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(house_folder("emails")),
        autoescape=html,  # noqa: S701 - subjects and text parts are no HTML
        undefined=StrictUndefined,
        trim_blocks=not html,
        lstrip_blocks=not html,
        extensions=["jinja2.ext.i18n"],
    )
    translations = _translations(language)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {"dressed": dressed, "broken": broken, "quoted": quoted}
    environment.globals["language"] = language
    return environment


@cache
def _translations(language: str) -> Any:
    return Translations.load(_TRANSLATIONS, [language])


def compiled(layout: str, body: str) -> str:
    """MJML to HTML, with its Jinja still in it (control lines stand in mj-raw, so MJML leaves them alone)."""
    return mjml2html(layout.replace(_LETTER_SLOT, body), fonts={})


def inlined(source: str) -> str:
    """A Jinja template of HTML with its style sheet written onto its elements.

    An HTML parser moves `{% for %}` out of a table and escapes what stands in `{{ }}`, so both are held aside
    meanwhile: as comments, which may stand anywhere, or as plain words inside tags and the comments meant for Outlook.
    """
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match[0])
        number = len(held) - 1
        return f"<!--held {number}-->" if _between_tags(source, match.start()) else f"held-{number}-held"

    finished = _INLINER.inline(_JINJA.sub(hold, source))
    return _HELD.sub(lambda match: held[int(match[1] or match[2])], finished)


def _between_tags(source: str, position: int) -> bool:
    in_comment = source.rfind("<!--", 0, position) > source.rfind("-->", 0, position)
    in_title = source.rfind("<title", 0, position) > source.rfind("</title", 0, position)
    in_tag = source.rfind("<", 0, position) > source.rfind(">", 0, position)
    return not (in_comment or in_title or in_tag)
