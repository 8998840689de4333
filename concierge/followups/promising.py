"""Promises: proposed from sent mails, marked or dismissed, kept or released, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer

from concierge import audit
from concierge.accounts.models import Editor
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.conversations.queries import own_words
from concierge.followups.models import Promise, PromiseMarked, PromiseNotFound, PromiseState
from concierge.followups.promises import find_promises
from concierge.followups.schedule import wall_of

# Older mails are not looked through: whoever reads them has seen what came of them.
_RECENT = timedelta(days=30)
_MOST_MAILS = 20


@dataclass(frozen=True, slots=True)
class Proposed:
    """A sentence of a sent mail that seems to promise something; `place` says which of the mail's promises it is."""

    message_id: int
    place: int
    words: str
    due_on: date
    editor: Editor


@dataclass(frozen=True, slots=True)
class Tally:
    """How promises of a time fared: kept by their day, kept late, still open, and open though their day is over."""

    kept: int
    late: int
    open: int
    overdue: int


def list_proposed(session: Session, conversation: Conversation, *, now: datetime) -> list[Proposed]:
    """What editors seem to have promised here lately and nobody has marked or dismissed, oldest first."""
    marked = sa.select(Promise.message_id, Promise.place).where(Promise.conversation_id == conversation.id)
    known = {(message_id, place) for message_id, place in session.execute(marked)}
    return [
        each
        for message in _sent_lately(session, conversation, now=now)
        for each in _promised(message)
        if (each.message_id, each.place) not in known
    ]


def _sent_lately(session: Session, conversation: Conversation, *, now: datetime) -> Sequence[Message]:
    statement = (
        sa.select(Message)
        .where(Message.conversation_id == conversation.id, Message.created_at > now - _RECENT)
        .where(Message.direction == Direction.OUT, Message.kind == MessageKind.HUMAN, Message.editor_id.is_not(None))
        .order_by(Message.id.desc())
        .limit(_MOST_MAILS)
        .options(defer(Message.html), defer(Message.references), defer(Message.in_reply_to))
    )
    return list(session.scalars(statement))[::-1]


def _promised(message: Message) -> list[Proposed]:
    editor = message.editor
    assert editor is not None
    found = find_promises(own_words(message), message.created_at, ZoneInfo(editor.timezone))
    return [Proposed(message.id, place, each.words, each.due_on, editor) for place, each in enumerate(found)]


def mark_promise(
    session: Session, conversation: Conversation, message_id: int, place: int, *, by: Editor, now: datetime
) -> Promise:
    """It is a promise: on its day it is on the desk of who made it. Raises PromiseNotFound, PromiseMarked."""
    promise = _make(session, conversation, message_id, place, PromiseState.OPEN, by=by, now=now)
    audit.record(
        session, "promise.marked", conversation, by=by, now=now, promise=promise.id, due_on=promise.due_on.isoformat()
    )
    return promise


def dismiss_promise(
    session: Session, conversation: Conversation, message_id: int, place: int, *, by: Editor, now: datetime
) -> Promise:
    """It is none, and is not proposed again. Raises PromiseNotFound, PromiseMarked."""
    promise = _make(session, conversation, message_id, place, PromiseState.DISMISSED, by=by, now=now)
    audit.record(session, "promise.dismissed", conversation, by=by, now=now, promise=promise.id)
    return promise


def _make(
    session: Session,
    conversation: Conversation,
    message_id: int,
    place: int,
    state: PromiseState,
    *,
    by: Editor,
    now: datetime,
) -> Promise:
    offered = {(each.message_id, each.place): each for each in list_proposed(session, conversation, now=now)}
    if (proposed := offered.get((message_id, place))) is None:
        raise PromiseNotFound
    is_settled = state is not PromiseState.OPEN
    promise = Promise(
        conversation=conversation,
        message_id=message_id,
        place=place,
        editor=proposed.editor,
        words=proposed.words,
        due_on=proposed.due_on,
        state=state,
        marked_at=now,
        marked_by_id=by.id,
        settled_at=now if is_settled else None,
        settled_by_id=by.id if is_settled else None,
    )
    try:
        with session.begin_nested():
            session.add(promise)
    except IntegrityError as error:
        raise PromiseMarked from error
    return promise


def keep_promise(session: Session, promise: Promise, *, by: Editor, now: datetime) -> Promise:
    """It is done; late when its day is over by the clock of who promised. Raises PromiseSettled."""
    promise.settle(PromiseState.KEPT, by=by, now=now)
    promise.kept_late = today_of(promise.editor, now) > promise.due_on
    audit.record(session, "promise.kept", promise.conversation, by=by, now=now, promise=promise.id)
    return promise


def release_promise(session: Session, promise: Promise, *, by: Editor, now: datetime) -> Promise:
    """It need not be kept any more: she no longer wants it. Raises PromiseSettled."""
    promise.settle(PromiseState.RELEASED, by=by, now=now)
    audit.record(session, "promise.released", promise.conversation, by=by, now=now, promise=promise.id)
    return promise


def get_promise(session: Session, conversation_id: int, promise_id: int) -> Promise:
    """A promise of a conversation, held until the transaction ends; raises PromiseNotFound."""
    statement = sa.select(Promise).where(Promise.id == promise_id, Promise.conversation_id == conversation_id)
    found = session.scalar(statement.with_for_update(of=Promise).execution_options(populate_existing=True))
    if found is None:
        raise PromiseNotFound
    return found


def list_open(session: Session, conversation_id: int) -> list[Promise]:
    """What is promised in a conversation and not kept yet, the nearest first."""
    here = (Promise.conversation_id == conversation_id, Promise.state == PromiseState.OPEN)
    return list(session.scalars(sa.select(Promise).where(*here).order_by(Promise.due_on, Promise.id)))


def list_due(session: Session, editor: Editor, *, now: datetime, limit: int = 50) -> list[Promise]:
    """What this editor has promised for today, or for days that are over; the longest over first."""
    hers = (Promise.editor_id == editor.id, Promise.state == PromiseState.OPEN)
    due = sa.select(Promise).where(*hers, Promise.due_on <= today_of(editor, now))
    return list(session.scalars(due.order_by(Promise.due_on, Promise.id).limit(limit)))


def tally(session: Session, editor: Editor, *, since: date, now: datetime) -> Tally:
    """How the promises of this editor fared whose day lies behind `since`."""
    is_kept, is_open = Promise.state == PromiseState.KEPT, Promise.state == PromiseState.OPEN
    over = Promise.due_on < today_of(editor, now)
    counts = sa.select(
        sa.func.count().filter(is_kept & ~Promise.kept_late),
        sa.func.count().filter(is_kept & Promise.kept_late),
        sa.func.count().filter(is_open),
        sa.func.count().filter(is_open & over),
    ).where(Promise.editor_id == editor.id, Promise.due_on >= since)
    return Tally(*session.execute(counts).one())


def today_of(editor: Editor, now: datetime) -> date:
    """The day it is by an editor's own clock."""
    return wall_of(now, ZoneInfo(editor.timezone)).date()
