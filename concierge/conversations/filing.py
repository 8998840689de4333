"""Files mails: one that came in finds its conversation or begins one; one that left is kept beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit, tokens
from concierge.accounts.models import Editor, Mailbox
from concierge.addresses import Address, normalise
from concierge.conversations import queries, threads
from concierge.conversations.display import fold
from concierge.conversations.indexing import index_message
from concierge.conversations.models import Attachment, Conversation, ConversationState, Direction, Message, MessageKind
from concierge.customers.models import Customer
from concierge.mailing.models import Delivery

# References may name hundreds of mails; the newest are enough to find the way home.
_MOST_IDS = 50


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
class MailIn:
    """A mail that came in, understood. Message ids stand without brackets.

    `received_at` is when it reached the house (for imported mail: when it was written). `recipients` are the
    envelope's, where a reply key may stand. `customer` is whom a new conversation would be with.
    """

    mailbox: Mailbox
    customer: Customer
    sender: Address
    received_at: datetime
    subject: str = ""
    text: str = ""
    fold_at: int | None = None
    html: str | None = None
    kind: MessageKind = MessageKind.HUMAN
    kind_reason: str = ""
    language: str = ""
    flags: tuple[str, ...] = ()
    authentic: bool | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    recipients: tuple[str, ...] = ()
    rfc_message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    fingerprint: str | None = None
    raw_key: str | None = None
    written_at: datetime | None = None
    attachments: tuple[FileIn, ...] = ()


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


def file_message(session: Session, mail: MailIn, *, secret: str, now: datetime) -> Message:
    """File a mail that came in, once: the same (mailbox, fingerprint) again gives the message that is there.

    A person's mail reopens its conversation, and it goes back to her editor: the one it is assigned to, else the last
    who answered her. Automatic mail is kept and moves nothing; what it begins is closed (RFC 3834; T26).
    """
    if (known := _find_copy(session, mail)) is not None:
        return known
    choice = find_conversation(session, mail, secret=secret)
    if choice.conversation_id is not None:
        conversation = queries.lock_conversation(session, choice.conversation_id)
    else:
        conversation = _begin(session, mail, choice.hint_conversation_id)
    message = _add_message(session, conversation, mail)
    if mail.kind is MessageKind.HUMAN:
        last_answer = queries.last_answer(session, conversation) if choice.conversation_id is not None else None
        with session.no_autoflush:  # one UPDATE, when all is known
            _take_notice(session, conversation, message, last_answer)
    index_message(session, message, sender_also=mail.customer.name)
    begins = choice.conversation_id is None
    audit.record(
        session,
        "conversation.began" if begins else "conversation.received",
        conversation,
        by=None,
        now=now,
        message=message.id,
        kind=mail.kind.value,
        why=choice.why.value,
    )
    return message


def _find_copy(session: Session, mail: MailIn) -> Message | None:
    if mail.fingerprint is None:
        return None
    same = (Message.mailbox_id == mail.mailbox.id, Message.fingerprint == mail.fingerprint)
    return session.scalar(sa.select(Message).where(*same))


def add_flags(message: Message, flags: Sequence[str]) -> None:
    """Note what else became known of a mail that was filed; each once."""
    if fresh := [each for each in flags if each not in message.flags]:
        message.flags = [*message.flags, *fresh]


def find_conversation(session: Session, mail: MailIn, *, secret: str) -> threads.Choice:
    """Which conversation a mail belongs to, by the rule of `threads` alone."""
    ids = _newest_first(mail.references, mail.in_reply_to)
    recipients = (*mail.recipients, *(each.address for each in (*mail.to, *mail.cc)))
    keys = [address.partition("@")[0].partition("+")[2] for address in recipients]
    keys += [message_id.partition("@")[0].partition(".")[0] for message_id in ids]
    found = dict.fromkeys(number for key in keys if (number := tokens.read_reply_key(secret, key)) is not None)
    keyed = queries.list_existing(session, tuple(found))
    answered = queries.list_conversations_of_ids(session, ids)
    participants = queries.participants(session, {*keyed, *answered})
    is_bounce = mail.kind is MessageKind.BOUNCE
    return threads.choose(threads.Facts(normalise(mail.sender.address), keyed, answered, participants, is_bounce))


def _newest_first(references: Sequence[str], in_reply_to: Sequence[str]) -> tuple[str, ...]:
    ids = (*reversed(references[-_MOST_IDS:]), *in_reply_to[:5])
    return tuple(dict.fromkeys(one.strip().strip("<>") for one in ids))


def _begin(session: Session, mail: MailIn, hint: int | None) -> Conversation:
    conversation = Conversation(
        mailbox=mail.mailbox,
        customer=mail.customer,
        editor=None,
        subject=mail.subject,
        language=mail.language or mail.customer.language,
        first_line=first_line(mail.text, mail.fold_at),
        last_message_at=mail.received_at,
        hint_conversation_id=hint,
        created_at=mail.received_at,
        tags=[],
    )
    if mail.kind is not MessageKind.HUMAN:  # nobody waits: it is kept, and stands in nobody's way
        conversation.state, conversation.closed_at = ConversationState.CLOSED, mail.received_at
    session.add(conversation)
    session.flush()
    return conversation


def _add_message(session: Session, conversation: Conversation, mail: MailIn) -> Message:
    message = Message(
        conversation=conversation,
        mailbox_id=mail.mailbox.id,
        direction=Direction.IN,
        kind=mail.kind,
        kind_reason=mail.kind_reason[:200],
        from_name=mail.sender.name[:400],
        from_address=mail.sender.address[:320],
        to=_as_json(mail.to),
        cc=_as_json(mail.cc),
        reply_to=_as_json(mail.reply_to),
        subject=mail.subject,
        text=mail.text,
        fold_at=mail.fold_at,
        html=mail.html,
        language=mail.language,
        flags=list(mail.flags),
        authentic=mail.authentic,
        rfc_message_id=_bare(mail.rfc_message_id),
        in_reply_to=list(mail.in_reply_to),
        references=list(mail.references),
        fingerprint=mail.fingerprint,
        raw_key=mail.raw_key,
        written_at=mail.written_at,
        created_at=mail.received_at,
        attachments=_attachments(mail.attachments),
    )
    session.add(message)
    session.flush()
    return message


def _take_notice(session: Session, conversation: Conversation, message: Message, last_answer: Message | None) -> None:
    is_answered = last_answer is not None and last_answer.created_at > message.created_at
    conversation.receive(at=message.created_at, is_answered=is_answered)
    conversation.editor = _her_editor(session, conversation, last_answer)
    _show_last(conversation, message)


def _her_editor(session: Session, conversation: Conversation, last_answer: Message | None) -> Editor | None:
    """Whom a mail goes to: the editor it is assigned to, else the last who answered it, else the last who answered
    her; somebody who no longer answers customers is passed over."""
    answered = last_answer.editor if last_answer else queries.last_editor_of(session, conversation.customer_id)
    for editor in (conversation.editor, answered):
        if editor is not None and editor.may_answer:
            return editor
    return None


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
        to=_as_json(mail.to),
        cc=_as_json(mail.cc),
        subject=mail.subject,
        text=mail.text,
        fold_at=mail.fold_at,
        html=mail.html,
        language=mail.language or conversation.language,
        rfc_message_id=_bare(mail.rfc_message_id),
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
    _show_last(conversation, message)
    index_message(session, message, sender_also=by.name)
    audit.record(session, "conversation.answered", conversation, by=by, now=now, message=message.id)
    return message


def _show_last(conversation: Conversation, message: Message) -> None:
    conversation.last_message_id = max(message.id, conversation.last_message_id or 0)
    if message.created_at >= conversation.last_message_at:
        conversation.last_message_at = message.created_at
        conversation.first_line = first_line(message.text, message.fold_at)


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


def _as_json(addresses: Sequence[Address]) -> list[dict[str, str]]:
    return [{"name": each.name, "address": each.address} for each in addresses[:200]]


def _bare(message_id: str | None) -> str | None:
    return message_id.strip().strip("<>")[:998] if message_id else None
