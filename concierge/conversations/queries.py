"""Reading conversations and their messages; lists are in `listing`, the search in `searching`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session, defaultload, defer, lazyload

from concierge.accounts.models import Editor, Mailbox
from concierge.addresses import Address, normalise
from concierge.audit import AuditEntry
from concierge.conversations import quoting
from concierge.conversations.display import fold
from concierge.conversations.looks import Look, frame_height, look_at
from concierge.conversations.models import (
    Attachment,
    AttachmentNotFound,
    Conversation,
    ConversationNotFound,
    Direction,
    Mention,
    Message,
    MessageKind,
    MessageNotFound,
    Note,
    Tag,
)
from concierge.conversations.rearrangement_models import Rearrangement, RearrangementNotFound
from concierge.customers.models import Customer
from concierge.customers.queries import list_pictured
from concierge.mailing.models import LETTERS, UNASKED, Delivery, DeliveryState
from concierge.rows import at_most, read_rows

# Beside the address a mail names in Reply-To: an editor has said that answers go there.
CHOSEN = "chosen"
# States that leave the customer without her answer, or us without knowing.
NOT_ARRIVED = (
    DeliveryState.BOUNCED,
    DeliveryState.REJECTED,
    DeliveryState.FAILED,
    DeliveryState.UNCERTAIN,
    DeliveryState.WITHHELD,
)
_NEWEST = (Message.created_at.desc(), Message.id.desc())
# A conversation without what hardly anybody asks of it who has it locked; it is read when somebody does.
BARE = (
    lazyload(Conversation.tags),
    defaultload(Conversation.customer).lazyload(Customer.sizes),
    defaultload(Conversation.editor).lazyload(Editor.sign_offs),
)


def get_conversation(session: Session, conversation_id: int) -> Conversation:
    """The conversation with this number, or the one it was merged into; raises ConversationNotFound."""
    conversation = session.get(Conversation, conversation_id)
    while conversation is not None and conversation.merged_into_id is not None:
        conversation = session.get(Conversation, conversation.merged_into_id)
    if conversation is None:
        raise ConversationNotFound
    return conversation


def lock_conversation(session: Session, conversation_id: int, *, wait: bool = True) -> Conversation:
    """The conversation as it is now, and nobody else may change it before this transaction ends.

    Compare-and-send reads `last_message_id` here. One that was merged leads to the other. Raises ConversationNotFound,
    and OperationalError when somebody else has it and we don't `wait`.
    (On SQLite the transaction's write lock does it.)
    """
    conversation = lock_as_it_is(session, conversation_id, wait=wait)
    while conversation.merged_into_id is not None:
        conversation = lock_as_it_is(session, conversation.merged_into_id, wait=wait)
    return conversation


def lock_as_it_is(session: Session, conversation_id: int, *, wait: bool = True) -> Conversation:
    """`lock_conversation` for one that may be merged into another, and is wanted all the same."""
    statement = (
        sa.select(Conversation)
        .where(Conversation.id == conversation_id)
        .options(*BARE)
        .with_for_update(of=Conversation, nowait=not wait)
        .execution_options(populate_existing=True)
    )
    if (conversation := session.scalar(statement)) is None:
        raise ConversationNotFound
    return conversation


def get_message(session: Session, message_id: int) -> Message:
    """The message with this number; raises MessageNotFound."""
    if (message := session.get(Message, message_id)) is None:
        raise MessageNotFound
    return message


_message = cast("sa.Table", Message.__table__)
# The index begins with the mailbox; there are few of them.
_COPY = (
    sa.select(_message.c.id)
    .where(_message.c.mailbox_id.in_(sa.select(Mailbox.__table__.c.id)), _message.c.fingerprint == sa.bindparam("one"))
    .order_by(_message.c.id)
    .limit(at_most(1))
)


def find_copy(session: Session, fingerprint: str) -> int | None:
    """The number of the message with this fingerprint, whichever of our mailboxes it came to, or None."""
    found = read_rows(session, _COPY, {"one": fingerprint})
    return found[0][0] if found else None


def own_words(message: Message) -> str:
    """What its writer wrote herself, without signature and earlier mails, above, below or between her words."""
    return quoting.own_words(fold(message.text, message.fold_at)[0])


def get_attachment(session: Session, attachment_id: int) -> Attachment:
    """The file with this number; raises AttachmentNotFound."""
    if (attachment := session.get(Attachment, attachment_id)) is None:
        raise AttachmentNotFound
    return attachment


def list_messages(session: Session, conversation: Conversation) -> list[Message]:
    """Its mails, oldest first, without their HTML (loaded when asked for)."""
    statement = (
        sa.select(Message)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.created_at, Message.id)
        .options(defer(Message.html), defer(Message.references), defer(Message.in_reply_to))
    )
    return list(session.scalars(statement))


def list_designed(session: Session, conversation: Conversation) -> dict[int, Look]:
    """The mails whose HTML holds pictures or tables, wherever, and how each looks.

    A letter sent to many has its HTML elsewhere; such a letter of ours shows its piece.
    """
    html = sa.func.lower(Message.html)
    shows_more = html.like("%<img%") | html.like("%<table%")
    on_sheet = Message.html.is_(None) & Delivery.content["sheet"].as_string().is_not(None)
    found = (
        sa.select(Message.id, Message.html, Message.text, Message.fold_at, Message.direction)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(Message.conversation_id == conversation.id, shows_more | on_sheet)
    )
    looks: dict[int, Look] = {}
    for message_id, designed, text, fold_at, direction in session.execute(found):
        words = fold(text, fold_at)[0]
        if designed is None:
            looks[message_id] = Look(True, False, frame_height(words, [_PIECE], is_ours=True))
        else:
            looks[message_id] = look_at(designed, words, is_ours=direction is Direction.OUT)
    return looks


# How high the picture of a piece is in our letters, in CSS pixels.
_PIECE = 320


def list_loading(session: Session, messages: Sequence[Message]) -> set[int]:
    """The mails whose pictures are fetched unasked: somebody said so of their sender, and they truly come from there.

    Anybody can write an address into From: a mail whose sender was not confirmed asks each time, whoever it names.
    """
    genuine = [each for each in messages if each.direction is Direction.IN and each.authentic]
    pictured = list_pictured(session, [each.from_address for each in genuine])
    return {each.id for each in genuine if normalise(each.from_address) in pictured}


def list_notes(session: Session, conversation: Conversation) -> list[Note]:
    """Its notes, oldest first."""
    return list(session.scalars(sa.select(Note).where(Note.conversation_id == conversation.id).order_by(Note.id)))


def last_change(session: Session, conversation: Conversation) -> str:
    """A word that changes with whatever the conversation's page shows: its history, and how its mails fare."""
    entries = sa.select(sa.func.max(AuditEntry.id)).where(
        AuditEntry.subject_type == "conversation", AuditEntry.subject_id == conversation.id
    )
    fares = (
        sa.select(Message.id, Delivery.state)
        .join(Delivery, Delivery.id == Message.delivery_id)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.id)
    )
    states = ",".join(f"{number}{state.value}" for number, state in session.execute(fares))
    return f"{session.scalar(entries) or 0}-{crc32(states.encode()):x}"


def has_unseen_mention(session: Session, conversation: Conversation, editor: Editor) -> bool:
    """Whether a note here names her that she has not seen."""
    statement = (
        sa.select(Mention.id)
        .join(Note, Note.id == Mention.note_id)
        .where(Note.conversation_id == conversation.id, Mention.editor_id == editor.id, Mention.seen_at.is_(None))
    )
    return session.scalar(statement.limit(1)) is not None


def list_tags(session: Session) -> list[Tag]:
    """Every tag by name."""
    return list(session.scalars(sa.select(Tag).order_by(Tag.name)))


def last_incoming(session: Session, conversation: Conversation) -> Message | None:
    """The newest mail a person sent us: what an answer answers."""
    return _last(session, conversation, Direction.IN)


def find_recipient(session: Session, conversation: Conversation) -> Address | None:
    """Who would receive an answer: the address she last wrote from, when it is one of hers, else her main address.

    A Reply-To counts only when that address is known as hers, or an editor has said so: anybody can write one.
    """
    customer = conversation.customer
    hers = {each.normalised: each.address for each in customer.addresses}
    where_from = sa.select(Message.reply_to, Message.from_address).where(*_by_people(conversation, Direction.IN))
    last = session.execute(where_from.order_by(*_NEWEST).limit(1)).one_or_none()
    if last is not None and last.reply_to and last.reply_to[0].get(CHOSEN):
        return Address(last.reply_to[0]["name"], last.reply_to[0]["address"])
    named = [each["address"] for each in last.reply_to[:1]] + [last.from_address] if last else []
    address = next((hers[normalise(each)] for each in named if normalise(each) in hers), customer.address)
    return Address(customer.name, address) if address else None


def last_answer(session: Session, conversation: Conversation) -> Message | None:
    """The newest mail an editor sent; letters about wishes are no answers."""
    return _last(session, conversation, Direction.OUT, _is_answer())


def _is_answer() -> sa.ColumnElement[bool]:
    """Whether a mail of ours is an answer: offers and the like leave by themselves, whatever she asked meanwhile."""
    letters = sa.select(Delivery.id).where(Delivery.id == Message.delivery_id, Delivery.purpose.in_(LETTERS))
    return ~letters.exists()


def _last(
    session: Session, conversation: Conversation, direction: Direction, *also: sa.ColumnElement[bool]
) -> Message | None:
    statement = sa.select(Message).where(*also, *_by_people(conversation, direction)).order_by(*_NEWEST).limit(1)
    return session.scalar(statement.options(lazyload(Message.attachments), defer(Message.html)))


def _by_people(conversation: Conversation, direction: Direction) -> tuple[sa.ColumnElement[bool], ...]:
    here = (Message.conversation_id == conversation.id, Message.direction == direction)
    return (*here, Message.kind == MessageKind.HUMAN)


def oldest_unanswered(session: Session, conversation: Conversation) -> datetime | None:
    """Since when she waits: her oldest mail behind the last answer; None when all is answered."""
    answered = last_answer(session, conversation)
    statement = sa.select(sa.func.min(Message.created_at)).where(
        Message.conversation_id == conversation.id,
        Message.direction == Direction.IN,
        Message.kind == MessageKind.HUMAN,
        Message.created_at > answered.created_at if answered else sa.true(),
    )
    return session.scalar(statement)


def list_failed(session: Session, conversation: Conversation) -> set[int]:
    """The numbers of our answers here that did not arrive, or of which we don't know."""
    statement = sa.select(Message.id).join(Delivery, Delivery.id == Message.delivery_id)
    failed = (Delivery.state.in_(NOT_ARRIVED), Delivery.purpose.not_in(UNASKED))
    return set(session.scalars(statement.where(Message.conversation_id == conversation.id, *failed)))


def unanswered_before(session: Session, message: Message) -> datetime | None:
    """Since when she would wait if this answer of ours had not been: her oldest mail behind the answer before it."""
    earlier = sa.select(sa.func.max(Message.created_at)).where(
        Message.conversation_id == message.conversation_id,
        Message.direction == Direction.OUT,
        _is_answer(),
        Message.id != message.id,
        Message.created_at <= message.created_at,
    )
    before = session.scalar(earlier)
    statement = sa.select(sa.func.min(Message.created_at)).where(
        Message.conversation_id == message.conversation_id,
        Message.direction == Direction.IN,
        Message.kind == MessageKind.HUMAN,
        Message.created_at > before if before else sa.true(),
    )
    return session.scalar(statement)


def references_for(session: Session, conversation: Conversation) -> tuple[tuple[str, ...], str | None]:
    """For the next answer: the References of the mail it answers, and that mail's own id (RFC 5322, 3.6.4)."""
    parent = last_incoming(session, conversation) or _last(session, conversation, Direction.OUT)
    if parent is None:
        return (), None
    return tuple(parent.references or parent.in_reply_to), parent.rfc_message_id


def list_existing(session: Session, conversation_ids: Sequence[int]) -> tuple[int, ...]:
    """Those of the numbers that are conversations, in the order given; for one that was merged, the other."""
    leads: dict[int, int | None] = {}
    asked = set(conversation_ids)
    while asked:
        statement = sa.select(Conversation.id, Conversation.merged_into_id).where(Conversation.id.in_(asked))
        found = {number: into for number, into in session.execute(statement)}
        leads |= found
        asked = {into for into in found.values() if into is not None} - leads.keys()
    return tuple(dict.fromkeys(_end(leads, number) for number in conversation_ids if number in leads))


def _end(leads: Mapping[int, int | None], number: int) -> int:
    while (into := leads[number]) is not None:
        number = into
    return number


def get_rearrangement(session: Session, number: int) -> Rearrangement:
    """What was done under this number; raises RearrangementNotFound."""
    if (done := session.get(Rearrangement, number)) is None:
        raise RearrangementNotFound
    return done


def list_undoable(session: Session, numbers: Sequence[int]) -> set[int]:
    """Those of these rearrangements that were not undone."""
    if not numbers:
        return set()
    statement = sa.select(Rearrangement.id).where(Rearrangement.id.in_(numbers), Rearrangement.undone_at.is_(None))
    return set(session.scalars(statement))


def list_merged(session: Session, conversation: Conversation) -> list[int]:
    """The conversations that went into this one, and those that went into them before."""
    found: list[int] = []
    last = [conversation.id]
    while last:
        last = list(session.scalars(sa.select(Conversation.id).where(Conversation.merged_into_id.in_(last))))
        found += last
    return found


def has_seen(customer: Customer, message: Message) -> bool:
    """Whether the customer knows these words of a mail to us already: she wrote them, or they came to her as well."""
    named = [message.from_address, *(each["address"] for each in (*message.to, *message.cc))]
    return not {each.normalised for each in customer.addresses}.isdisjoint(map(normalise, named))
