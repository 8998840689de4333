"""Reading drafts: hers, her colleagues', those due, and the facts the gate decides on."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import tokens
from concierge.addresses import Address
from concierge.catalogue import queries as catalogue
from concierge.catalogue.sizes import system_known
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.customers.zones import zone_of
from concierge.drafts import body, wording
from concierge.drafts.gate import Facts
from concierge.drafts.letter import Answered, Written
from concierge.drafts.models import AttachmentNotFound, Draft, DraftAttachment, DraftNotFound
from concierge.mailing import queries as mailing
from concierge.mailing.mail import MailFile
from concierge.mailing.models import Delivery
from concierge.setbacks import NONE, Rows

_WORDS = re.compile(r"[^\W_]+")


def find_draft(session: Session, conversation_id: int, editor_id: int) -> Draft | None:
    """An editor's draft in a conversation."""
    statement = sa.select(Draft).where(Draft.conversation_id == conversation_id, Draft.editor_id == editor_id)
    return session.scalar(statement.execution_options(populate_existing=True))


def get_draft(session: Session, conversation_id: int, editor_id: int) -> Draft:
    """An editor's draft in a conversation; raises DraftNotFound."""
    if (draft := find_draft(session, conversation_id, editor_id)) is None:
        raise DraftNotFound
    return draft


def get_attachment(session: Session, conversation_id: int, editor_id: int, attachment_id: int) -> DraftAttachment:
    """A file of her draft; raises DraftNotFound, AttachmentNotFound."""
    draft = get_draft(session, conversation_id, editor_id)
    found = next((each for each in draft.attachments if each.id == attachment_id), None)
    if found is None:
        raise AttachmentNotFound
    return found


def list_drafts_of_others(session: Session, conversation_id: int, editor_id: int) -> list[Draft]:
    """What colleagues are writing here, or have on its way; empty drafts don't count."""
    statement = sa.select(Draft).where(
        Draft.conversation_id == conversation_id, Draft.editor_id != editor_id, Draft.body != ""
    )
    return list(session.scalars(statement.order_by(Draft.id)))


def list_due_ids(session: Session, *, now: datetime, limit: int = 100, but: Rows = NONE) -> list[int]:
    """Answers whose moment has come, the longest due first."""
    statement = sa.select(Draft.id).where(Draft.due_at <= now, Draft.claimed_at.is_(None), Draft.id.not_in(but))
    return list(session.scalars(statement.order_by(Draft.due_at, Draft.id).limit(limit)))


def next_due_at(session: Session, *, but: Rows = NONE) -> datetime | None:
    """When the next answer is to leave; it may be past."""
    return session.scalar(
        sa.select(Draft.due_at)
        .where(Draft.due_at.is_not(None), Draft.claimed_at.is_(None), Draft.id.not_in(but))
        .order_by(Draft.due_at)
        .limit(1)
    )


def list_overtaken_ids(session: Session, *, limit: int = 100, but: Rows = NONE) -> list[int]:
    """Answers on their way in whose conversation something newer arrived than their author had seen."""
    statement = (
        sa.select(Draft.id)
        .join(Conversation, Conversation.id == Draft.conversation_id)
        .where(Draft.due_at.is_not(None), Draft.claimed_at.is_(None), Draft.id.not_in(but))
        .where(sa.func.coalesce(Conversation.last_message_id, 0) > sa.func.coalesce(Draft.seen_message_id, 0))
    )
    return list(session.scalars(statement.order_by(Draft.id).limit(limit)))


def was_sent(
    session: Session,
    conversation_id: int,
    editor_id: int,
    written: str,
    files: Collection[str],
    *,
    seen_message_id: int | None,
) -> bool:
    """Whether the very words `written` (a canonical body) and `files` (names) left since she saw the conversation.

    So a form that is posted late or again, when its draft is gone, is told from a new answer.
    """
    statement = (
        sa.select(Message)
        .join(Delivery, Delivery.id == Message.delivery_id)
        .where(Message.conversation_id == conversation_id, Message.editor_id == editor_id)
        .where(Message.id > (seen_message_id or 0), Delivery.key.endswith(f":{body.fingerprint(written)}"))
    )
    return any({each.filename for each in sent.attachments}.issuperset(files) for sent in session.scalars(statement))


def recipient(session: Session, conversation: Conversation) -> Address | None:
    """Who would receive an answer, see `conversations.queries`."""
    return conversations.find_recipient(session, conversation)


def language_of(conversation: Conversation) -> str:
    """The language to write in: the customer's, unless it was only guessed and this conversation runs in another."""
    customer = conversation.customer
    return conversation.language if customer.language_guessed and conversation.language else customer.language


def facts(
    session: Session,
    draft: Draft,
    conversation: Conversation,
    *,
    seen_message_id: int | None,
    overridden: Collection[str],
    limit: int,
) -> Facts:
    """What the gate must know; `conversation` is fresh and locked. `limit` is how many bytes of files may go."""
    to, customer = recipient(session, conversation), conversation.customer
    blocks = body.read(draft.body)
    text = body.words(draft.body)
    skus = body.cards(draft.body)
    known = catalogue.count_available(session, skus)
    attached = {each.id for each in draft.attachments}
    return Facts(
        seen_message_id=seen_message_id,
        newest_message_id=conversation.last_message_id,
        text=text,
        subject=draft.subject,
        recipient=to,
        has_content=bool(blocks),
        may_answer=draft.editor.may_answer,
        not_for_us=conversation.not_for_us_at is not None,
        mailbox_active=conversation.mailbox.active,
        suppressed=to is not None and mailing.find_suppression(session, to.address) is not None,
        last_recipient=_last_recipient(session, conversation),
        unknown_products=tuple(sku for sku in skus if sku not in known),
        missing_pictures=not attached.issuperset(body.pictures(draft.body)),
        attachments=len(draft.attachments),
        attachments_size=sum(each.size for each in draft.attachments),
        attachments_limit=limit,
        customer_name=" ".join(filter(None, (customer.name, customer.first_name, to.name if to else ""))),
        language=draft.language,
        text_language=wording.language_of(text),
        overridden=frozenset(overridden),
    )


def written(session: Session, draft: Draft, *, secret: str, zone: ZoneInfo) -> Written:
    """Everything the mail of this draft says; `zone` is the house's, for a customer whose own is unknown."""
    conversation = draft.conversation
    to, system = recipient(session, conversation), system_known(conversation.customer.country)
    return Written(
        body=draft.body,
        subject=draft.subject,
        language=draft.language,
        editor=draft.editor,
        mailbox=conversation.mailbox,
        to=to or Address(conversation.customer.name, ""),
        cards=catalogue.cards(session, body.cards(draft.body), draft.language, system),
        key=tokens.reply_key(secret, conversation.id),
        answered=answered(session, conversation, zone),
        files={each.id: MailFile(each.filename, each.content_type, each.blob_key) for each in draft.attachments},
    )


@dataclass(frozen=True, slots=True)
class Originals:
    """The blobs of the pictures a mail will show: of cards, of faces, and placed in the text."""

    cards: frozenset[str] = frozenset()
    faces: frozenset[str] = frozenset()
    placed: frozenset[str] = frozenset()


def originals(session: Session, draft: Draft) -> Originals:
    """The pictures its mail will show."""
    cards = catalogue.cards(session, body.cards(draft.body), draft.language)
    placed = set(body.pictures(draft.body))
    return Originals(
        frozenset(each.picture_key for each in cards.values() if each.picture_key),
        frozenset(filter(None, [draft.editor.photo_key])),
        frozenset(each.blob_key for each in draft.attachments if each.id in placed),
    )


def answered(session: Session, conversation: Conversation, zone: ZoneInfo) -> Answered | None:
    """The mail an answer written now answers; None where she never wrote. `zone` is for her whose own is unknown.

    What somebody in copy wrote to us alone is not quoted to her.
    """
    if (message := conversations.last_incoming(session, conversation)) is None:
        return None
    customer = conversation.customer
    hers = zone_of(customer.zone_name, customer.country, zone)
    return Answered(
        name=message.from_name or customer.display_name,
        sent_at=(message.written_at or message.created_at).astimezone(hers),
        text=message.text if conversations.has_seen(customer, message) else "",
        message_id=message.rfc_message_id,
        references=tuple(message.references or message.in_reply_to),
    )


def product_words(session: Session, conversation: Conversation) -> str:
    """What to look for first in the catalogue: the words of the subject that together still find a product."""
    words = dict.fromkeys(each for each in _WORDS.findall(conversation.subject) if len(each) > 3 or each.isdigit())
    kept: list[str] = []
    for word in sorted(words, key=lambda each: (each.isdigit(), -len(each)))[:8]:
        if catalogue.search_variants(session, " ".join([*kept, word]), limit=1):
            kept.append(word)
    return " ".join(kept)


def newer_messages(session: Session, conversation_id: int, seen_message_id: int | None) -> list[Message]:
    """What people wrote here since her view, oldest first; automatic mail is no reason to look up."""
    statement = sa.select(Message).where(
        Message.conversation_id == conversation_id,
        Message.id > (seen_message_id or 0),
        Message.kind == MessageKind.HUMAN,
    )
    return list(session.scalars(statement.order_by(Message.id).limit(20)))


def _last_recipient(session: Session, conversation: Conversation) -> str | None:
    statement = (
        sa.select(Message.to)
        .where(Message.conversation_id == conversation.id, Message.direction == Direction.OUT)
        .order_by(Message.id.desc())
        .limit(1)
    )
    to = session.scalar(statement)
    return to[0]["address"] if to else None
