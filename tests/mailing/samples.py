"""Mails with lawful defaults, and what a mail program reads in the bytes we make."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import Any

import sqlalchemy as sa

from concierge.addresses import Address
from concierge.mailing.mail import Mail, MailFile
from concierge.mailing.models import Delivery

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf50000003010181d2d2b60000000049454e44ae426082"
)
BLOBS = {"pixel": PIXEL, "letter": b"%PDF-1.7 a care guide", "mail": b"Subject: hello\r\n\r\nhi"}

NADIA_AT_CARE = Address("Nadia Ferrant", "care@maison-solenne.example")
BARBARA = Address("Barbara Weiss", "barbara@example.com")


def make_mail(**changes: Any) -> Mail:
    """Nadia's answer to Barbara."""
    values: dict[str, Any] = {
        "sender": NADIA_AT_CARE,
        "to": BARBARA,
        "subject": "Re: The turquoise sandals in 36",
        "text": "Dear Barbara,\n\nthey are yours.\n\nNadia\n",
        "message_id": "<abc.1@maison-solenne.example>",
        "reply_to": Address("Nadia Ferrant", "care+k3y@maison-solenne.example"),
    }
    return Mail(**(values | changes))


def make_full_mail(**changes: Any) -> Mail:
    """The same with everything a mail can have."""
    values: dict[str, Any] = {
        "html": '<p>Dear Barbara, <img src="cid:photo" alt="Nadia"></p>',
        "in_reply_to": "<q2@example.com>",
        "references": ("<q1@example.com>",),
        "headers": {"X-Auto-Response-Suppress": "All"},
        "pictures": (MailFile("nadia.png", "image/png", "pixel", "photo"),),
        "attachments": (MailFile("Pflege & Größe.pdf", "application/pdf", "letter"),),
    }
    return make_mail(**(values | changes))


@dataclass(frozen=True)
class SeenFile:
    """A file as a mail program sees it."""

    filename: str
    content_type: str
    data: bytes
    cid: str | None
    inline: bool


@dataclass(frozen=True)
class SeenMail:
    """What a mail program, or a provider's server, understood of one mail."""

    sender: str
    sender_name: str
    to: str
    to_name: str
    reply_to: str | None
    subject: str
    text: str
    html: str | None
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    files: tuple[SeenFile, ...]
    extra: tuple[tuple[str, str], ...]


def read_mail(raw: bytes) -> SeenMail:
    """Read a mail with the standard library's modern parser, which is not what made it."""
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    sender, to = mail["From"].addresses[0], mail["To"].addresses[0]
    assert len(mail["From"].addresses) == len(mail["To"].addresses) == 1
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    return SeenMail(
        sender=sender.addr_spec,
        sender_name=sender.display_name,
        to=to.addr_spec,
        to_name=to.display_name,
        reply_to=mail["Reply-To"].addresses[0].addr_spec if mail["Reply-To"] else None,
        subject=str(mail["Subject"]),
        text=lines(text.get_content()),
        html=lines(html.get_content()) if html is not None else None,
        message_id=mail["Message-ID"],
        in_reply_to=mail["In-Reply-To"],
        references=tuple(str(mail["References"] or "").split()),
        files=tuple(_file(part) for part in mail.walk() if part.get_filename() is not None),
        extra=tuple((name, value) for name, value in mail.items() if name.startswith(("X-Auto", "List-", "Auto-"))),
    )


def lines(text: str) -> str:
    """Text with bare line ends and none at its end: the way over the wire decides both."""
    return text.replace("\r\n", "\n").rstrip("\n")


def _file(part: Message) -> SeenFile:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    cid = part["Content-ID"]
    inline = part.get_content_disposition() == "inline"
    return SeenFile(str(part.get_filename()), part.get_content_type(), data, cid and cid.strip("<>"), inline)


def states(sessions: Any) -> Counter[str]:
    """How many deliveries are in each state."""
    with sessions() as session:
        return Counter(state.value for state in session.scalars(sa.select(Delivery.state)))
