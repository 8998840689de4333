"""How an answer leaves: claimed, judged once more, made into a mail and queued in one transaction; or given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload
from sqlalchemy.orm.attributes import set_committed_value

from concierge import audit
from concierge.accounts.models import Editor
from concierge.conversations import queries as conversations
from concierge.conversations.commands import FileIn, MailOut, record_answer
from concierge.conversations.models import Conversation, Message
from concierge.drafts import body, gate, letter, queries
from concierge.drafts.commands import change, count_changed
from concierge.drafts.gate import Objection
from concierge.drafts.letter import Faces, Finished
from concierge.drafts.models import Draft
from concierge.mailing import commands as mailing
from concierge.mailing.models import Delivery


@dataclass(frozen=True, slots=True)
class House:
    """What releasing must know of the house: secret, zone, URL, how many bytes of files a mail may carry."""

    secret: str
    zone: ZoneInfo
    limit: int
    base_url: str = ""


def release_draft(session: Session, draft_id: int, faces: Faces, house: House, *, now: datetime) -> Message | None:
    """Let a due answer go, or give it back when the gate objects; None when nothing left.

    The gate reads everything anew under the conversation's lock, so a mail of hers filed a moment ago is seen (F09).
    """
    draft = claim_due(session, draft_id, now=now)
    if draft is None:
        return None
    facts = queries.facts(
        session,
        draft,
        draft.conversation,
        seen_message_id=draft.seen_message_id,
        overridden=draft.overridden,
        limit=house.limit,
    )
    if found := gate.objections(facts):
        return_draft(session, draft, found, now=now)
        return None
    return _let_go(session, draft, faces, house, now=now)


def claim_due(session: Session, draft_id: int, *, now: datetime) -> Draft | None:
    """Take a due draft in hand for this transaction alone; None when somebody else has, or it was called back.

    Its conversation is locked first, as `send_draft` does, so that nothing new is filed there meanwhile.
    """
    conversation_id = session.scalar(sa.select(Draft.conversation_id).where(Draft.id == draft_id))
    if conversation_id is None:
        return None
    conversation = conversations.lock_conversation(session, conversation_id)
    claimed = session.execute(
        sa.update(Draft)
        .where(Draft.id == draft_id, Draft.due_at <= now, Draft.claimed_at.is_(None))
        .values(claimed_at=now)
        .execution_options(synchronize_session=False)
    )
    if count_changed(claimed) != 1:
        return None
    draft = session.get_one(Draft, draft_id, populate_existing=True, options=[lazyload(Draft.conversation)])
    set_committed_value(draft, "conversation", conversation)  # as it was read under its lock
    return draft


def return_draft(session: Session, draft: Draft, objections: Sequence[Objection], *, now: datetime) -> Draft:
    """Give an answer that may not leave back to its author, with the reasons."""
    change(
        session,
        draft,
        due_at=None,
        send_later=False,
        claimed_at=None,
        returned_reason="\n".join(each.to_line() for each in objections),
        now=now,
    )
    reasons = [each.reason.value for each in objections]
    audit.record(
        session, "answer.returned", draft.conversation, by=None, now=now, editor=draft.editor.name, reasons=reasons
    )
    return draft


def _let_go(session: Session, draft: Draft, faces: Faces, house: House, *, now: datetime) -> Message:
    """Let a claimed draft go: the mail is queued, the answer stands in the conversation, the draft is gone."""
    written = queries.written(session, draft, secret=house.secret, zone=house.zone)
    finished = letter.compose(written, faces)
    # The number alone would not do: SQLite gives a deleted row's number to the next. Its words stand last, so that a
    # form posted once more is known for what it is, see `queries.was_sent`.
    key = f"reply:{draft.id}:{draft.created_at.timestamp():.6f}:{body.fingerprint(draft.body)}"
    leaving = Leaving(finished, key, "reply", draft.language, _files(draft, finished), draft.template_version_id)
    _delivery, message = queue_answer(session, draft.conversation, leaving, by=draft.editor, now=now)
    session.delete(draft)
    session.flush()
    return message


@dataclass(frozen=True, slots=True)
class Leaving:
    """A finished answer on its way out: the key and purpose of its delivery, and what stands in the conversation."""

    finished: Finished
    key: str
    purpose: str
    language: str
    files: tuple[FileIn, ...]
    template_version_id: int | None


def queue_answer(
    session: Session, conversation: Conversation, leaving: Leaving, *, by: Editor, now: datetime
) -> tuple[Delivery, Message]:
    """Queue an answer's mail, and let the answer stand in the conversation; whether she may be mailed was asked."""
    mail = leaving.finished.mail
    key, purpose = leaving.key, leaving.purpose
    delivery = mailing.queue_delivery(session, mail, key=key, purpose=purpose, now=now, may_be_mailed=True)
    answer = MailOut(
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        fold_at=leaving.finished.fold_at,
        language=leaving.language,
        sender=mail.sender,
        to=(mail.to,),
        rfc_message_id=mail.message_id,
        in_reply_to=(mail.in_reply_to,) if mail.in_reply_to else (),
        references=mail.references,
        delivery=delivery,
        template_version_id=leaving.template_version_id,
        attachments=leaving.files,
    )
    return delivery, record_answer(session, conversation, answer, by=by, now=now)


def _files(draft: Draft, finished: Finished) -> tuple[FileIn, ...]:
    left_over = {each.blob_key for each in finished.mail.attachments}
    attached = [
        FileIn(each.filename, each.content_type, each.size, each.blob_key)
        for each in draft.attachments
        if each.blob_key in left_over
    ]
    shown = [
        FileIn(each.filename, each.content_type, finished.sizes[each.blob_key], each.blob_key, each.cid, inline=True)
        for each in finished.mail.pictures
    ]
    return (*attached, *shown)
