"""What editors do with a conversation; each verb leaves a line in its history."""

import re
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts import queries as accounts
from concierge.accounts.models import Editor
from concierge.conversations import queries
from concierge.conversations.filing import FileIn, MailOut, add_flags, record_answer
from concierge.conversations.letters_out import Common, LetterOut, record_letters, reserve_conversations
from concierge.conversations.models import (
    AlreadyTagged,
    Conversation,
    EmptyNote,
    EmptyTag,
    Mention,
    Note,
    NotTagged,
    Tag,
)
from concierge.conversations.receiving import MailIn, file_message
from concierge.conversations.search_terms import fold

__all__ = [
    "Common",
    "FileIn",
    "LetterOut",
    "MailIn",
    "MailOut",
    "add_flags",
    "add_note",
    "assign_conversation",
    "close_conversation",
    "file_message",
    "mark_not_for_us",
    "record_answer",
    "record_letters",
    "reopen_conversation",
    "reserve_conversations",
    "see_mentions",
    "snooze_conversation",
    "tag_conversation",
    "unassign_conversation",
    "unmark_not_for_us",
    "untag_conversation",
    "wake_conversation",
]

_MENTION = re.compile(r"@([^\W\d_][\w'’-]*)")


def assign_conversation(
    session: Session, conversation: Conversation, editor: Editor, *, by: Editor, now: datetime
) -> None:
    """Make it `editor`'s; raises CannotAnswer, AlreadyAssigned."""
    conversation.assign(editor)
    audit.record(session, "conversation.assigned", conversation, by=by, now=now, to=editor.id, name=editor.name)


def unassign_conversation(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """Make it nobody's; raises NotAssigned."""
    conversation.unassign()
    audit.record(session, "conversation.unassigned", conversation, by=by, now=now)


def close_conversation(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """Nothing is left to do; raises AlreadyClosed."""
    conversation.close(by=by, now=now)
    audit.record(session, "conversation.closed", conversation, by=by, now=now)


def reopen_conversation(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """There is something to do after all; who had no answer waits again. Raises AlreadyOpen."""
    conversation.reopen(waiting_since=queries.oldest_unanswered(session, conversation))
    audit.record(session, "conversation.reopened", conversation, by=by, now=now)


def snooze_conversation(
    session: Session, conversation: Conversation, *, until: datetime, by: Editor, now: datetime
) -> None:
    """Out of sight until `until` or until she writes; raises AlreadyClosed, SnoozeInThePast."""
    conversation.snooze(until=until, now=now)
    audit.record(session, "conversation.snoozed", conversation, by=by, now=now, until=until.isoformat())


def wake_conversation(session: Session, conversation: Conversation, *, by: Editor | None, now: datetime) -> None:
    """Back in sight; raises NotSnoozed. `by` is None when its time has come."""
    conversation.wake()
    audit.record(session, "conversation.woken", conversation, by=by, now=now)


def mark_not_for_us(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """Spam, offers, misdirected mail: closed and out of every figure; raises AlreadyNotForUs."""
    conversation.mark_not_for_us(by=by, now=now)
    audit.record(session, "conversation.marked_not_for_us", conversation, by=by, now=now)


def unmark_not_for_us(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> None:
    """It is for us after all, and open again; raises NotMarked."""
    conversation.unmark_not_for_us(waiting_since=queries.oldest_unanswered(session, conversation))
    audit.record(session, "conversation.unmarked_not_for_us", conversation, by=by, now=now)


def tag_conversation(session: Session, conversation: Conversation, *, name: str, by: Editor, now: datetime) -> None:
    """Put a tag on it, made when new; raises EmptyTag, AlreadyTagged. Tags have no case."""
    name = _tag_name(name)
    if any(tag.name == name for tag in conversation.tags):
        raise AlreadyTagged
    tag = session.scalar(sa.select(Tag).where(Tag.name == name)) or Tag(name=name)
    conversation.tags.append(tag)
    audit.record(session, "conversation.tagged", conversation, by=by, now=now, tag=name)


def untag_conversation(session: Session, conversation: Conversation, *, name: str, by: Editor, now: datetime) -> None:
    """Take a tag off it; raises NotTagged."""
    name = _tag_name(name)
    found = [tag for tag in conversation.tags if tag.name == name]
    if not found:
        raise NotTagged
    conversation.tags.remove(found[0])
    audit.record(session, "conversation.untagged", conversation, by=by, now=now, tag=name)


def _tag_name(name: str) -> str:
    name = " ".join(name.replace("#", " ").split()).casefold()
    if not name or len(name) > 40 or not name.isprintable():
        raise EmptyTag
    return name


def add_note(session: Session, conversation: Conversation, *, text: str, by: Editor, now: datetime) -> Note:
    """Add an internal remark; every `@Firstname` of an active colleague makes it hers to see. Raises EmptyNote."""
    text = text.strip()
    if not text:
        raise EmptyNote
    note = Note(conversation_id=conversation.id, editor=by, text=text[:20_000], created_at=now)
    mentioned = [editor for editor in _mentioned(session, text) if editor is not by]
    note.mentions = [Mention(editor_id=editor.id) for editor in mentioned]
    session.add(note)
    session.flush()
    names = [editor.name for editor in mentioned]
    audit.record(session, "conversation.noted", conversation, by=by, now=now, note=note.id, mentioned=names)
    return note


def _mentioned(session: Session, text: str) -> list[Editor]:
    wanted = {fold(name) for name in _MENTION.findall(text)}
    if not wanted:
        return []
    return [editor for editor in accounts.list_editors(session, active_only=True) if fold(editor.first_name) in wanted]


def see_mentions(session: Session, conversation: Conversation, *, by: Editor, now: datetime) -> int:
    """She has read the notes that name her; the number of mentions that were new."""
    notes = sa.select(Note.id).where(Note.conversation_id == conversation.id)
    unseen = sa.select(Mention).where(Mention.editor_id == by.id, Mention.seen_at.is_(None), Mention.note_id.in_(notes))
    mentions = session.scalars(unseen).all()
    for mention in mentions:
        mention.seen_at = now
    if mentions:
        audit.record(session, "conversation.mentions_seen", conversation, by=by, now=now)
    return len(mentions)
