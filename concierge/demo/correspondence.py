"""Brings a month of mail in: two hundred conversations as rows, with their history, searchable."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, Mailbox
from concierge.audit import AuditEntry
from concierge.blobs import BlobStore
from concierge.catalogue.models import Variant
from concierge.conversations.indexing import index_message
from concierge.conversations.models import Conversation, ConversationState, Direction, Message, MessageKind, Tag
from concierge.customers.models import Customer
from concierge.demo.answers import Studio
from concierge.demo.casting import Telling, cast
from concierge.demo.goods import HERE, read, sku
from concierge.demo.mails import Cast, Rows, make_rows
from concierge.demo.stories import Story, Turn, read_stories
from concierge.demo.timing import SPAN, morning_after, schedule

BARBARA_WAITS = timedelta(hours=23, minutes=10)
_LONGEST_WAIT = timedelta(hours=21)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody a conversation may be with, or belong to, by key; mailboxes by language; variants by SKU."""

    mailboxes: Mapping[str, Mailbox]
    editors: dict[str, Editor]
    customers: Mapping[str, Customer]
    variants: Mapping[str, Variant]


def stories() -> list[Story]:
    """Every story of the house, English ones first."""
    return [
        story
        for language in ("en", "it")
        for story in read_stories((HERE / "furniture" / f"conversations.{language}.txt").read_text("utf-8"), language)
    ]


def bring_correspondence(session: Session, blobs: BlobStore, people: People, *, now: datetime) -> None:
    """Add the conversations of the last thirty days before `now`; the same ones every time."""
    chance = Random("Maison Solenne")  # noqa: S311 it only has to be the same every time
    tellings = cast(stories(), read("customers")["customers"], read("products")["product"], chance)
    tags = {name: Tag(name=name) for telling in tellings for name in telling.tags}
    session.add_all(tags.values())
    session.flush()
    studio = Studio(blobs)
    made = [_conversation(telling, studio, people, tags, chance, now=now) for telling in tellings]
    made.sort(key=lambda each: each[0].created_at)
    session.add_all(conversation for conversation, _rows in made)
    session.flush()
    messages = sorted((message for _, rows in made for message in rows.messages), key=lambda each: each.created_at)
    notes = sorted((note for _, rows in made for note in rows.notes), key=lambda each: each.created_at)
    session.add_all([*messages, *notes])
    session.flush()
    for conversation, rows in made:
        conversation.last_message_id = max(message.id for message in rows.messages)
    for message in messages:
        index_message(session, message, sender_also=_known_as(message))
    names = {editor.id: editor.name for editor in people.editors.values()}
    history = (entry for conversation, rows in made for entry in _history(conversation, rows, names))
    session.add_all(sorted(history, key=attrgetter("at")))
    session.flush()


def _conversation(
    telling: Telling,
    studio: Studio,
    people: People,
    tags: Mapping[str, Tag],
    chance: Random,
    *,
    now: datetime,
) -> tuple[Conversation, Rows]:
    customer, mailbox = people.customers[telling.customer["key"]], people.mailboxes[telling.language]
    turns = [entry.turn for entry in telling.entries]
    end = _true_end(telling, turns)
    moments = schedule(turns, last_at=now - _age(end, chance), now=now, chance=chance)
    conversation = Conversation(
        mailbox=mailbox,
        customer=customer,
        subject=telling.subject,
        language=telling.language,
        created_at=moments[0],
        tags=[tags[name] for name in telling.tags],
    )
    editor = people.editors[telling.editor]
    variant = people.variants[_sku(telling)]
    parts = Cast(conversation, customer, mailbox, editor, people.editors, variant, studio, chance)
    rows = make_rows(telling, parts, moments)
    customer.created_at = min(customer.created_at, moments[0])
    _show_last(conversation, rows.messages)
    _settle(conversation, rows.messages, end, editor, chance, now=now)
    return conversation, rows


def _sku(telling: Telling) -> str:
    """The SKU of the product that is spoken of, in her size where it comes in her sizes."""
    sizes = read("products")["sizes"][telling.product["sizes"]]["run"]
    hers = (telling.customer["shoes"], telling.customer["dress"])
    return sku(telling.product["code"], next((size for size in hers if size in sizes), sizes[len(sizes) // 2]))


def _true_end(telling: Telling, turns: list[Turn]) -> str:
    """Nobody leaves a customer's last word open without answering it: such an exchange is closed instead."""
    last = [turn for turn in turns if turn in (Turn.HERS, Turn.OURS)][-1]
    return "closed" if telling.end == "answered" and last is Turn.HERS else telling.end


def _age(end: str, chance: Random) -> timedelta:
    """How long ago the last mail was; Barbara's waits the longest."""
    if end == "barbara":
        return BARBARA_WAITS
    if end == "waiting":
        return timedelta(minutes=6) + chance.random() * (_LONGEST_WAIT - timedelta(minutes=6))
    most = {"answered": timedelta(days=5), "snoozed": timedelta(days=6)}.get(end, SPAN - timedelta(days=3))
    return timedelta(hours=26) + chance.random() * (most - timedelta(hours=26))


def _show_last(conversation: Conversation, messages: list[Message]) -> None:
    last = [message for message in messages if message.kind is MessageKind.HUMAN][-1]
    conversation.last_message_at = last.created_at
    conversation.first_line = re.sub(r"\s+", " ", last.text[: last.fold_at]).strip()[:240]


def _settle(
    conversation: Conversation, messages: list[Message], end: str, editor: Editor, chance: Random, *, now: datetime
) -> None:
    """Put it into the state it ended in, with the columns that say who waits and whose it is."""
    people = [message for message in messages if message.kind is MessageKind.HUMAN]
    answers = [message for message in people if message.direction is Direction.OUT]
    last = people[-1]
    if last.direction is Direction.IN and end != "closed":
        conversation.waiting_since = last.created_at
    is_taken = end not in ("waiting", "barbara") or (end == "waiting" and chance.random() < 0.42)
    conversation.editor = answers[-1].editor if answers else editor if is_taken else None
    conversation.state = ConversationState.OPEN
    if end == "snoozed":
        conversation.state = ConversationState.SNOOZED
        conversation.snoozed_until = morning_after(now, chance.randrange(1, 8))
    elif end == "not-for-us":
        conversation.editor = None
        conversation.mark_not_for_us(by=editor, now=min(last.created_at + timedelta(minutes=40), now))
    elif end == "closed":
        conversation.state = ConversationState.CLOSED
        conversation.closed_at = min(last.created_at + timedelta(minutes=chance.randrange(15, 900)), now)
        conversation.closed_by = conversation.editor


def _history(conversation: Conversation, rows: Rows, names: Mapping[int, str]) -> Iterator[AuditEntry]:
    """What its history tells, as the verbs would have written it."""
    for number, message in enumerate(rows.messages):
        if message.direction is Direction.OUT:
            yield _entry("answered", conversation, message.created_at, message.editor, message=message.id)
        else:
            verb, why = ("received", "known_id") if number else ("began", "new")
            yield _entry(
                verb, conversation, message.created_at, None, message=message.id, kind=message.kind.value, why=why
            )
    for tag in conversation.tags:
        at = conversation.created_at + timedelta(minutes=2)
        yield _entry("tagged", conversation, at, conversation.editor, tag=tag.name)
    for note in rows.notes:
        named = [names[mention.editor_id] for mention in note.mentions]
        yield _entry("noted", conversation, note.created_at, note.editor, note=note.id, mentioned=named)
    yield from _ending(conversation)


def _ending(conversation: Conversation) -> Iterator[AuditEntry]:
    editor, last = conversation.editor, conversation.last_message_at
    if conversation.snoozed_until is not None:
        until = conversation.snoozed_until.isoformat()
        yield _entry("snoozed", conversation, last + timedelta(minutes=3), editor, until=until)
    elif conversation.not_for_us_at is not None:
        yield _entry("marked_not_for_us", conversation, conversation.not_for_us_at, conversation.closed_by)
    elif conversation.closed_at is not None:
        yield _entry("closed", conversation, conversation.closed_at, editor)
    elif editor is not None and conversation.waiting_since == conversation.created_at:
        at = last + timedelta(minutes=4)
        yield _entry("assigned", conversation, at, editor, to=editor.id, name=editor.name)


def _entry(verb: str, conversation: Conversation, at: datetime, by: Editor | None, **details: Any) -> AuditEntry:
    return AuditEntry(
        at=at,
        verb=f"conversation.{verb}",
        subject_type=Conversation.__tablename__,
        subject_id=conversation.id,
        editor_id=by.id if by else None,
        details=details,
    )


def _known_as(message: Message) -> str:
    return message.editor.name if message.editor else message.conversation.customer.name
