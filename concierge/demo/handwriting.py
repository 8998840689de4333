"""Writes a customer's mail as her mail program would: plain or HTML, with the history quoted below in its own way."""

from dataclasses import dataclass
from datetime import datetime
from html import escape

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "it": ("lun", "mar", "mer", "gio", "ven", "sab", "dom"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "it": ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"),
}
_WROTE = {
    "en": "On {day} {date} at {time}, {who} wrote:",
    "it": "Il giorno {day} {date} alle ore {time} {who} ha scritto:",
}
_OUTLOOK = {"en": ("From", "Sent", "To", "Subject"), "it": ("Da", "Inviato", "A", "Oggetto")}
_PHONE = {"en": "Sent from my iPhone", "it": "Inviato da iPhone"}


@dataclass(frozen=True, slots=True)
class Quoted:
    """The mail that is answered; `at` is in the writer's own time zone."""

    name: str
    address: str
    subject: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """A mail's text, where its fold is, and its HTML if the program makes any."""

    text: str
    fold_at: int | None
    html: str | None


def write(words: str, *, style: str, language: str, quoted: Quoted | None, to: str) -> Written:
    """What arrives when somebody types `words` into her program (plain, apple, gmail, outlook or phone)."""
    is_signed = words.rstrip().endswith(("Sent from my phone", "Sent from my iPhone", "Inviato da iPhone"))
    tail = f"\n\n{_PHONE[language]}" if style == "phone" and not is_signed else ""
    if quoted is not None:
        tail += "\n\n" + _history(quoted, style=style, language=language, to=to)
    text = words + tail
    fold_at = len(words) + 2 if tail else None
    return Written(text, fold_at, None if style == "plain" else _html(words, tail.strip(), style))


def _history(quoted: Quoted, *, style: str, language: str, to: str) -> str:
    moment = {
        "day": _DAYS[language][quoted.at.weekday()],
        "date": f"{quoted.at.day} {_MONTHS[language][quoted.at.month - 1]} {quoted.at.year}",
        "time": f"{quoted.at:%H:%M}",
        "who": f"{quoted.name} <{quoted.address}>",
    }
    if style == "outlook":
        labels = _OUTLOOK[language]
        values = (moment["who"], f"{moment['day']} {moment['date']} {moment['time']}", to, quoted.subject)
        head = "\n".join(f"{label}: {value}" for label, value in zip(labels, values, strict=True))
        return f"________________________________\n{head}\n\n{quoted.text}"
    lines = (f"> {line}".rstrip() for line in quoted.text.split("\n"))
    return "\n".join((_WROTE[language].format(**moment), "", *lines))


def _html(words: str, tail: str, style: str) -> str:
    opening = {"gmail": '<div dir="ltr">', "outlook": '<div style="font-family: Calibri; font-size: 11pt">'}.get(
        style, "<div>"
    )
    body = f"{opening}{_paragraphs(words)}</div>"
    if not tail:
        return body
    return f"{body}<details data-fold><blockquote>{_paragraphs(_unquoted(tail))}</blockquote></details>"


def _unquoted(text: str) -> str:
    return "\n".join(line.removeprefix("> ").removeprefix(">") for line in text.split("\n"))


def _paragraphs(text: str) -> str:
    blocks = (block for block in text.split("\n\n") if block.strip())
    return "".join(f"<p>{'<br>'.join(escape(line) for line in block.splitlines())}</p>" for block in blocks)
