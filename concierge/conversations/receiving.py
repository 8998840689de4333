"""Files a mail that came in: it finds its conversation or begins one.

Every mail passes here. So nothing is loaded that is not asked about, and everything is written by plain statements,
beside the session's book-keeping; what the verbs of a conversation change in it is one UPDATE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit, tokens
from concierge.accounts.models import Mailbox
from concierge.accounts.queries import House
from concierge.addresses import Address, normalise
from concierge.conversations import queries, threads, traces
from concierge.conversations.filing import FileIn, as_json, bare, first_line, show_last
from concierge.conversations.indexing import index_words
from concierge.conversations.models import Attachment, Conversation, ConversationState, Direction, Message, MessageKind
from concierge.customers.queries import Writer
from concierge.rows import Columns, Same, insert_columns, insert_row, reserve_ids, run_row

# References may name hundreds of mails; the newest are enough to find the way home.
_MOST_IDS = 50
_talks, _mails, _files = (cast("sa.Table", each.__table__) for each in (Conversation, Message, Attachment))
_BEGUN = (
    "id", "mailbox_id", "customer_id", "subject", "language", "hint_conversation_id", "created_at", *traces.STANDING
)  # fmt: skip
_CHANGE = (
    sa.update(_talks)
    .where(_talks.c.id == sa.bindparam("number"))
    .values({name: sa.bindparam(name) for name in traces.STANDING})
)


@dataclass(frozen=True, slots=True)
class MailIn:
    """A mail that came in, understood. Message ids stand without brackets.

    `received_at` is when it reached the house (for imported mail: when it was written). `recipients` are the
    envelope's, where a reply key may stand. `customer` is whom a new conversation would be with.
    """

    mailbox: Mailbox
    customer: Writer
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


def file_message(session: Session, mail: MailIn, *, house: House, secret: str, now: datetime) -> int:
    """File a mail that is not here yet (`queries.find_copy`); returns the number of its message.

    A person's mail reopens its conversation, and it goes back to her editor: the one it is assigned to, else the last
    who answered her. Automatic mail is kept and moves nothing; what it begins is closed (RFC 3834; T26). Should another
    worker have filed it meanwhile, the database refuses it (IntegrityError).
    """
    choice = find_conversation(session, mail, house=house, secret=secret)
    begins = choice.conversation_id is None
    if choice.conversation_id is None:
        conversation = _begun(session, mail, choice.hint_conversation_id)
    else:
        conversation = traces.lock_standing(session, choice.conversation_id)
    # Behind the lock: in a conversation what comes later has the higher number, by which compare-and-send knows it.
    [number] = reserve_ids(session, _mails, 1)
    if mail.kind is MessageKind.HUMAN:
        _take_notice(session, conversation, mail, number, house=house, begins=begins)
    if begins or mail.kind is MessageKind.HUMAN:
        _write(session, conversation, begins=begins)
    _add_message(session, mail, number, conversation.id)
    audit.record_row(
        session,
        "conversation.began" if begins else "conversation.received",
        Conversation,
        conversation.id,
        now=now,
        message=number,
        kind=mail.kind.value,
        why=choice.why.value,
    )
    return number


def find_conversation(session: Session, mail: MailIn, *, house: House, secret: str) -> threads.Choice:
    """Which conversation a mail belongs to, by the rule of `threads` alone."""
    ids = _newest_first(mail.references, mail.in_reply_to)
    recipients = (*mail.recipients, *(each.address for each in (*mail.to, *mail.cc)))
    keys = [address.partition("@")[0].partition("+")[2] for address in recipients]
    keys += [key for message_id in ids for key in tokens.keys_in(message_id)]
    found = dict.fromkeys(number for key in keys if (number := tokens.read_reply_key(secret, key)) is not None)
    keyed = queries.list_existing(session, tuple(found))
    answered = traces.list_conversations_of_ids(session, ids)
    participants = traces.list_participants(session, {*keyed, *answered}, ours=house.addresses)
    is_bounce = mail.kind is MessageKind.BOUNCE
    return threads.choose(threads.Facts(normalise(mail.sender.address), keyed, answered, participants, is_bounce))


def _newest_first(references: Sequence[str], in_reply_to: Sequence[str]) -> tuple[str, ...]:
    ids = (*reversed(references[-_MOST_IDS:]), *in_reply_to[:5])
    return tuple(dict.fromkeys(one.strip().strip("<>") for one in ids))


def _begun(session: Session, mail: MailIn, hint: int | None) -> Conversation:
    conversation = Conversation(
        id=reserve_ids(session, _talks, 1)[0],
        mailbox_id=mail.mailbox.id,
        customer_id=mail.customer.id,
        subject=mail.subject,
        language=mail.language or mail.customer.language,
        last_message_at=mail.received_at,
        hint_conversation_id=hint,
        created_at=mail.received_at,
    )
    if mail.kind is not MessageKind.HUMAN:  # nobody waits: it is kept, and stands in nobody's way
        conversation.state, conversation.closed_at = ConversationState.CLOSED, mail.received_at
        conversation.first_line = first_line(mail.text, mail.fold_at)
    return conversation


def _take_notice(
    session: Session, conversation: Conversation, mail: MailIn, number: int, *, house: House, begins: bool
) -> None:
    answer = None if begins else traces.find_answer(session, conversation.id)
    conversation.receive(at=mail.received_at, is_answered=answer is not None and answer.at > mail.received_at)
    conversation.closed_by_id = None  # what a session would make of `closed_by`
    if conversation.editor_id not in house.answering:
        is_new = begins and mail.customer.is_new
        conversation.editor_id = None if is_new else _who_answered(session, conversation, answer, house)
    show_last(conversation, number, mail.received_at, mail.text, mail.fold_at)


def _who_answered(
    session: Session, conversation: Conversation, answer: traces.Answer | None, house: House
) -> int | None:
    """The last who answered it, else the last who answered her; not one who no longer answers customers."""
    editor_id = answer.editor_id if answer else traces.find_last_editor(session, conversation.customer_id)
    return editor_id if editor_id in house.answering else None


def _write(session: Session, conversation: Conversation, *, begins: bool) -> None:
    values = {name: getattr(conversation, name) for name in (_BEGUN if begins else traces.STANDING)}
    if begins:
        insert_row(session, _talks, values)
    else:
        run_row(session, _CHANGE, values | {"number": conversation.id})


def _add_message(session: Session, mail: MailIn, number: int, conversation_id: int) -> None:
    values = {
        "id": number,
        "conversation_id": conversation_id,
        "mailbox_id": mail.mailbox.id,
        "direction": Direction.IN,
        "kind": mail.kind,
        "kind_reason": mail.kind_reason[:200],
        "from_name": mail.sender.name[:400],
        "from_address": mail.sender.address[:320],
        "to": as_json(mail.to),
        "cc": as_json(mail.cc),
        "reply_to": as_json(mail.reply_to),
        "subject": mail.subject,
        "text": mail.text,
        "fold_at": mail.fold_at,
        "html": mail.html,
        "language": mail.language,
        "flags": list(mail.flags),
        "authentic": mail.authentic,
        "rfc_message_id": bare(mail.rfc_message_id),
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "fingerprint": mail.fingerprint,
        "raw_key": mail.raw_key,
        "written_at": mail.written_at,
        "created_at": mail.received_at,
    }
    insert_row(session, _mails, values)
    insert_columns(session, _files, _file_columns(number, mail.attachments), len(mail.attachments))
    index_words(
        session,
        number,
        subject=mail.subject,
        sender=Address(mail.sender.name[:400], mail.sender.address[:320]),
        sender_also=mail.customer.name,
        text=mail.text,
        files=[each.filename[:255] for each in mail.attachments],
        people=(*mail.to[:200], *mail.cc[:200]),
    )


def _file_columns(message: int, files: Sequence[FileIn]) -> Columns:
    return {
        "message_id": Same(message),
        "filename": [each.filename[:255] for each in files],
        "content_type": [each.content_type[:127] for each in files],
        "size": [each.size for each in files],
        "blob_key": [each.blob_key for each in files],
        "cid": [each.cid[:400] if each.cid else None for each in files],
        "inline": [each.inline for each in files],
    }
