"""Behind the post office: whose mailboxes there are, a mail as her program shows it, an answer as it writes it."""

import base64
import html as entities
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import nh3
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.addresses import Address
from concierge.customers.models import Customer, CustomerAddress
from concierge.mailing.letters import introduce, quoted
from concierge.mailing.mail import Mail, ancestry, bracketed, build
from concierge.mailing.models import Delivery
from concierge.mailing.queries import LEFT
from concierge.mailing.sheets import unfold

_NEVER = datetime.min.replace(tzinfo=UTC)
# What such letters are queued for (`mailing.staff_mail`): new passwords, among others.
STAFF = "staff"

_CID = re.compile(r"cid:(.+)", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\\]+", re.IGNORECASE)
_TAGS = {
    "a", "b", "blockquote", "br", "center", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol", "p", "span",
    "strong", "style", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "class", "dir", "height", "lang", "role", "style", "valign", "width"},
    "a": {"href"},
    "img": {"alt", "src"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has a mailbox in the demo: how many mails arrived, and when the newest of them left."""

    name: str
    address: str
    count: int
    newest: datetime | None


def list_people(session: Session, *, with_staff: bool) -> list[Person]:
    """Everybody who was written to, the most recently written to first; then all other customers by name.

    Letters to the staff count only `with_staff`.
    """
    arrived = {
        address: (number, newest)
        for address, number, newest in session.execute(
            sa.select(
                Delivery.to_normalised,
                sa.func.count(),
                sa.func.max(sa.func.coalesce(Delivery.sent_at, Delivery.created_at)),
            )
            .where(Delivery.state.in_(LEFT), sa.true() if with_staff else Delivery.purpose != STAFF)
            .group_by(Delivery.to_normalised)
        )
    }
    known = {
        address: name
        for address, name in session.execute(
            sa.select(CustomerAddress.normalised, Customer.name).join(CustomerAddress.customer)
        )
    }
    staff = {address: name for address, name in session.execute(sa.select(Editor.email, Editor.name))}
    people = [
        Person(known.get(address) or staff.get(address) or address, address, *arrived.get(address, (0, None)))
        for address in known | arrived
    ]
    by_name = sorted(people, key=lambda person: person.name.casefold())
    return sorted(by_name, key=lambda person: person.newest or _NEVER, reverse=True)


def find_language(session: Session, address: str) -> str:
    """The language her mail program speaks."""
    found = session.scalar(
        sa.select(Customer.language).join(Customer.addresses).where(CustomerAddress.normalised == address)
    )
    return found or "en"


def read_source(delivery: Delivery, outbox: Path | None, read_blob: Callable[[str], bytes]) -> bytes:
    """The mail's bytes: the file in the outbox where there is one, else built anew."""
    if outbox and delivery.provider == "folder" and re.fullmatch(r"[\w.-]+\.eml", delivery.provider_id):
        file = outbox / delivery.provider_id
        if file.is_file():
            return file.read_bytes()
    return build(unfold(delivery.content, read_blob), read_blob, now=delivery.sent_at or delivery.created_at)


def show(mail: Mail, read_blob: Callable[[str], bytes]) -> str:
    """The mail as a whole page for a sandboxed frame: cleaned last of all, its pictures inside it."""
    pictures = {
        file.cid: f"data:{file.content_type};base64,{base64.b64encode(read_blob(file.blob_key)).decode('ascii')}"
        for file in mail.pictures
        if file.cid and file.content_type in {"image/png", "image/jpeg", "image/webp", "image/gif"}
    }
    body = mail.html or f'<pre style="font:15px/1.6 sans-serif;white-space:pre-wrap">{entities.escape(mail.text)}</pre>'
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><style>body{margin:0}body>pre{padding:24px}</style></head>'
        f"<body>{clean(body, pictures)}</body></html>"
    )


def clean(html: str, pictures: Mapping[str, str]) -> str:
    """A mail of ours, its layout and style sheet kept and everything else gone; the frame's CSP is the second wall."""

    def judge(_tag: str, attribute: str, value: str) -> str | None:
        if attribute == "src":
            cid = _CID.fullmatch(value.strip())
            return pictures.get(unquote(cid[1])) if cid else None
        if attribute == "href":
            return value if _LINK.fullmatch(value.strip()) else None
        return value

    return nh3.clean(
        html,
        tags=_TAGS | {"pre"},
        clean_content_tags={"script", "title", "noscript", "template", "svg", "math", "iframe"},
        attributes=_ATTRIBUTES,
        attribute_filter=judge,
        url_schemes={"http", "https", "mailto", "cid", "data"},
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def answer(mail: Mail, words: str, *, language: str, sent_at: datetime) -> Mail:
    """What her mail program sends when she types `words` below `mail`, which reached her at `sent_at`."""
    introduction = introduce(language, name=mail.sender.name or mail.sender.address, sent_at=sent_at)
    subject = mail.subject if re.match(r"(?i)\s*(re|r|aw)\s*:", mail.subject) else f"Re: {mail.subject}"
    return Mail(
        sender=mail.to,
        to=Address("", (mail.reply_to or mail.sender).address),
        subject=subject,
        text=f"{words.strip()}\n\n{introduction}\n{quoted(mail.text)}\n",
        html=(
            f'<div dir="auto">{_typed(words)}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
            f'{entities.escape(introduction)}</div><blockquote class="gmail_quote">{_typed(mail.text)}</blockquote>'
            "</div>"
        ),
        message_id=_new_id(mail.to.address),
        in_reply_to=bracketed(mail.message_id),
        references=ancestry((*mail.references, mail.in_reply_to or ""), mail.message_id),
    )


def letter(sender: Address, to: Address, subject: str, words: str) -> Mail:
    """A new mail from somebody to the house."""
    return Mail(
        sender=sender,
        to=to,
        subject=subject,
        text=f"{words.strip()}\n",
        html=f'<div dir="auto">{_typed(words)}</div>',
        message_id=_new_id(sender.address),
    )


def _typed(words: str) -> str:
    return "<br>".join(entities.escape(words.strip()).splitlines())


def _new_id(address: str) -> str:
    return f"<{uuid4().hex}@{address.rpartition('@')[2]}>"
