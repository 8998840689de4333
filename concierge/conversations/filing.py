"""Files mails that left: an answer is kept beside what it answers; and what is shown of a mail in either direction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import Address
from concierge.conversations.display import fold
from concierge.conversations.indexing import index_message
from concierge.conversations.models import Attachment, Conversation, Direction, Message, MessageKind
from concierge.mailing.models import Delivery


@dataclass(frozen=True, slots=True)
class FileIn:
    """A file of a mail whose bytes are a blob already."""

    filename: str
    content_type: str
    size: int
    blob_key: str
    cid: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class MailOut:
    """An answer that is leaving. Message ids stand without brackets."""

    subject: str
    text: str
    sender: Address
    to: tuple[Address, ...]
    html: str | None = None
    fold_at: int | None = None
    language: str = ""
    cc: tuple[Address, ...] = ()
    rfc_message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    delivery: Delivery | None = None
    template_version_id: int | None = None
    attachments: tuple[FileIn, ...] = ()


def add_flags(message: Message, flags: Sequence[str]) -> None:
    """Note what else became known of a mail that was filed; each once."""
    if fresh := [each for each in flags if each not in message.flags]:
        message.flags = [*message.flags, *fresh]


def record_answer(session: Session, conversation: Conversation, mail: MailOut, *, by: Editor, now: datetime) -> Message:
    """Keep an answer that is leaving: nobody waits any more, and the conversation is hers if it was nobody's."""
    message = Message(
        conversation=conversation,
        mailbox_id=conversation.mailbox_id,
        direction=Direction.OUT,
        kind=MessageKind.HUMAN,
        editor=by,
        from_name=mail.sender.name,
        from_address=mail.sender.address,
        to=as_json(mail.to),
        cc=as_json(mail.cc),
        subject=mail.subject,
        text=mail.text,
        fold_at=mail.fold_at,
        html=mail.html,
        language=mail.language or conversation.language,
        rfc_message_id=bare(mail.rfc_message_id),
        in_reply_to=list(mail.in_reply_to),
        references=list(mail.references),
        delivery=mail.delivery,
        template_version_id=mail.template_version_id,
        written_at=now,
        created_at=now,
        attachments=_attachments(mail.attachments),
    )
    session.add(message)
    session.flush()
    conversation.answer(by=by)
    show_last(conversation, message.id, message.created_at, message.text, message.fold_at)
    index_message(session, message, sender_also=by.name)
    audit.record(session, "conversation.answered", conversation, by=by, now=now, message=message.id)
    return message


def show_last(conversation: Conversation, number: int, at: datetime, text: str, fold_at: int | None) -> None:
    """The list shows the conversation by this message from now on, unless it has a newer one."""
    conversation.last_message_id = max(number, conversation.last_message_id or 0)
    if at >= conversation.last_message_at:
        conversation.last_message_at = at
        conversation.first_line = first_line(text, fold_at)


def first_line(text: str, fold_at: int | None) -> str:
    """The beginning of what was written, on one line, as the list shows it; a greeting alone goes on to the next."""
    written = fold(text, fold_at)[0]
    return re.sub(r"\s+", " ", written[:2000]).strip()[:240]


def _attachments(files: Sequence[FileIn]) -> list[Attachment]:
    return [
        Attachment(
            filename=file.filename[:255],
            content_type=file.content_type[:127],
            size=file.size,
            blob_key=file.blob_key,
            cid=file.cid[:400] if file.cid else None,
            inline=file.inline,
        )
        for file in files
    ]


def as_json(addresses: Sequence[Address]) -> list[dict[str, str]]:
    """Addresses as a message keeps them."""
    return [{"name": each.name, "address": each.address} for each in addresses[:200]]


def bare(message_id: str | None) -> str | None:
    """A Message-ID as a message keeps it: without brackets."""
    return message_id.strip().strip("<>")[:998] if message_id else None
