"""What an author does with a draft: save it, add to it, send it, call it back, discard it.

Beginning, sending, undoing and discarding are recorded, so that colleagues' open pages hear of it; saving is not.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.catalogue import queries as catalogue
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation
from concierge.drafts import body, gate, queries, wording
from concierge.drafts.models import (
    AttachmentNotFound,
    Draft,
    DraftAttachment,
    DraftLeaving,
    DraftNotFound,
    DraftStale,
    EmptyFile,
    MayNotAnswer,
    NothingToUndo,
    NotSendable,
    SendInThePast,
    TooLarge,
    TooLateToUndo,
)

_LONGEST_SUBJECT = 400


@dataclass(frozen=True, slots=True)
class Content:
    """What an author wrote: a canonical body (see `drafts.body`) and a subject."""

    body: str
    subject: str


@dataclass(frozen=True, slots=True)
class Sending:
    """How an answer is to leave: what its author had seen, what she chose to override, when it is due."""

    seen_message_id: int | None
    due_at: datetime
    overridden: frozenset[str] = frozenset()
    send_later: bool = False


def open_draft(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> Draft:
    """Her draft in this conversation, begun when there is none; raises MayNotAnswer."""
    if not by.may_answer:
        raise MayNotAnswer
    if draft := queries.find_draft(session, conversation.id, by.id):
        return draft
    draft = Draft(
        conversation=conversation,
        editor=by,
        version=0,
        language=queries.language_of(conversation),
        subject=wording.reply_subject(conversation.subject),
        overridden=[],
        created_at=now,
        updated_at=now,
        attachments=[],
    )
    try:
        with session.begin_nested():
            session.add(draft)
    except IntegrityError:  # two windows began at once; the other was first
        if (found := queries.find_draft(session, conversation.id, by.id)) is None:
            raise
        return found
    audit.record(session, "draft.begun", conversation, by=by, now=now)
    return draft


def save_draft(session: Session, draft: Draft, content: Content, *, version: int, now: datetime) -> Draft:
    """Keep what was written, when `version` is the one it was written on.

    Raises DraftStale when another window saved meanwhile something else, DraftLeaving after Send was pressed,
    DraftNotFound when it has left or was discarded. What was stored stays as it was then.
    """
    subject = wording.one_line(content.subject)[:_LONGEST_SUBJECT]
    if draft.version == version and (draft.body, draft.subject) == (content.body, subject) and not draft.is_leaving:
        return draft
    changed = change(
        session, draft, Draft.version == version, Draft.due_at.is_(None), body=content.body, subject=subject, now=now
    )
    if not changed and (draft.body, draft.subject) != (content.body, subject):
        raise DraftLeaving if draft.is_leaving else DraftStale
    return draft


def fill(session: Session, draft: Draft, text: str, subject: str, template_version_id: int, *, now: datetime) -> Draft:
    """Put a template's finished text above what was typed; the subject only where the conversation has none."""
    _require_still(draft)
    change(
        session,
        draft,
        Draft.due_at.is_(None),
        body=body.add_text(draft.body, text),
        subject=draft.subject or wording.one_line(subject)[:_LONGEST_SUBJECT],
        template_version_id=template_version_id,
        now=now,
    )
    return draft


def insert_product_card(session: Session, draft: Draft, sku: str, *, now: datetime) -> Draft:
    """Add a product's card at the end of the text; raises VariantNotFound."""
    _require_still(draft)
    variant = catalogue.get_variant_by_sku(session, sku)
    change(session, draft, Draft.due_at.is_(None), body=body.add_card(draft.body, variant.sku), now=now)
    return draft


def attach_file(
    session: Session,
    draft: Draft,
    *,
    filename: str,
    content_type: str,
    size: int,
    blob_key: str,
    limit: int,
    now: datetime,
) -> DraftAttachment:
    """Add a file whose bytes are kept already; raises EmptyFile, and TooLarge above `limit` bytes in all."""
    _require_still(draft)
    if size == 0:
        raise EmptyFile
    if sum(each.size for each in draft.attachments) + size > limit:
        raise TooLarge
    attachment = DraftAttachment(
        filename=wording.file_name(filename),
        content_type=wording.content_type(content_type),
        size=size,
        blob_key=blob_key,
        created_at=now,
    )
    draft.attachments.append(attachment)
    draft.updated_at = now
    session.flush()
    return attachment


def place_picture(session: Session, draft: Draft, attachment_id: int, *, now: datetime) -> Draft:
    """Show an attached picture at the end of the text; raises AttachmentNotFound."""
    _require_still(draft)
    if all(each.id != attachment_id for each in draft.attachments):
        raise AttachmentNotFound
    if attachment_id not in body.pictures(draft.body):
        change(session, draft, Draft.due_at.is_(None), body=body.add_picture(draft.body, attachment_id), now=now)
    return draft


def detach_file(session: Session, draft: Draft, attachment_id: int, *, now: datetime) -> None:
    """Take a file out again, and its picture out of the text; raises AttachmentNotFound."""
    _require_still(draft)
    found = next((each for each in draft.attachments if each.id == attachment_id), None)
    if found is None:
        raise AttachmentNotFound
    draft.attachments.remove(found)
    session.flush()
    without = body.without_picture(draft.body, attachment_id)
    if without != draft.body:
        change(session, draft, Draft.due_at.is_(None), body=without, now=now)


def send_draft(
    session: Session, draft: Draft, sending: Sending, *, version: int, limit: int, by: Editor, now: datetime
) -> Draft:
    """Freeze the draft until it is due; of two windows, or two clicks, one wins.

    Raises NotSendable with the gate's objections, SendInThePast, DraftLeaving when it is on its way already, DraftStale
    when it was changed elsewhere. Until `due_at` it can be undone.
    """
    if draft.is_leaving:
        raise DraftLeaving
    if sending.due_at < now:
        raise SendInThePast
    conversation = require_sendable(
        session, draft, seen_message_id=sending.seen_message_id, overridden=sending.overridden, limit=limit
    )
    changed = change(
        session,
        draft,
        Draft.version == version,
        Draft.due_at.is_(None),
        due_at=sending.due_at,
        send_later=sending.send_later,
        seen_message_id=sending.seen_message_id,
        overridden=sorted(sending.overridden),
        returned_reason="",
        now=now,
    )
    if not changed:
        raise DraftLeaving if draft.is_leaving else DraftStale
    if sending.send_later:
        audit.record(session, "answer.scheduled", conversation, by=by, now=now, due_at=sending.due_at.isoformat())
    else:
        audit.record(session, "draft.sent", conversation, by=by, now=now)
    return draft


def require_sendable(
    session: Session, draft: Draft, *, seen_message_id: int | None, overridden: frozenset[str], limit: int
) -> Conversation:
    """Its conversation, locked, so that nothing newer comes now; raises NotSendable with the gate's objections."""
    conversation = conversations.lock_conversation(session, draft.conversation_id)
    facts = queries.facts(
        session, draft, conversation, seen_message_id=seen_message_id, overridden=overridden, limit=limit
    )
    if found := gate.objections(facts):
        raise NotSendable(found)
    return conversation


def undo_draft(session: Session, draft: Draft, *, by: Editor, now: datetime) -> Draft:
    """Call an answer back to be written on; raises NothingToUndo, TooLateToUndo when it is just leaving."""
    was_later, conversation = draft.send_later, draft.conversation
    if not draft.is_leaving:
        raise NothingToUndo
    leaving = (Draft.due_at.is_not(None), Draft.claimed_at.is_(None))
    if not change(session, draft, *leaving, due_at=None, send_later=False, now=now):
        raise TooLateToUndo
    audit.record(session, "answer.cancelled" if was_later else "draft.undone", conversation, by=by, now=now)
    return draft


def discard_draft(session: Session, draft: Draft, *, version: int | None = None, by: Editor, now: datetime) -> None:
    """Throw an unsent reply away, as it was in `version` where one is named.

    Raises DraftLeaving, DraftStale when it is another by now, DraftNotFound when it is gone already.
    """
    _require_still(draft)
    conversation, as_seen = draft.conversation, []
    if version is not None:  # a file that was attached meanwhile makes no new version, but a later moment
        as_seen = [Draft.version == version, Draft.updated_at == draft.updated_at]
    gone = session.execute(sa.delete(Draft).where(Draft.id == draft.id, Draft.due_at.is_(None), *as_seen))
    if count_changed(gone) == 0:
        if (fresh := session.get(Draft, draft.id, populate_existing=True)) is None:
            raise DraftNotFound
        raise DraftLeaving if fresh.is_leaving else DraftStale
    audit.record(session, "draft.discarded", conversation, by=by, now=now)
    session.expunge(draft)


def change(session: Session, draft: Draft, *conditions: sa.ColumnElement[bool], now: datetime, **values: Any) -> bool:
    """Change the row if it still is what it was taken for; whether it was. `draft` then tells the truth either way."""
    changed = session.execute(
        sa.update(Draft)
        .where(Draft.id == draft.id, *conditions)
        .values(**values, version=Draft.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    fresh = session.get(Draft, draft.id, populate_existing=True)
    if fresh is None:
        raise DraftNotFound
    return count_changed(changed) == 1


def _require_still(draft: Draft) -> None:
    if draft.is_leaving:
        raise DraftLeaving


def count_changed(result: sa.Result[Any]) -> int:
    """How many rows a statement changed."""
    assert isinstance(result, sa.CursorResult)
    return result.rowcount
