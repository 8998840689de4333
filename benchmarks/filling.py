"""Fills a house with as many conversations as asked for, their words as unevenly used as words are."""

import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.commands import add_editor, add_mailbox
from concierge.accounts.models import Editor, Role
from concierge.accounts.passwords import hash_password
from concierge.addresses import normalise
from concierge.conversations.indexing import index_many
from concierge.conversations.models import (
    Attachment,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageKind,
    Tag,
    conversation_tag,
)
from concierge.customers.models import Customer, CustomerAddress
from concierge.db import Sessions

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
PASSWORD = "a password for measuring"
CHUNK = 5_000
_SYLLABLES = ("ba", "ce", "di", "fo", "lu", "ma", "ne", "pi", "ro", "sa", "te", "vi", "zo", "gra", "sti")
# One word for many mails, one for some, one for hardly any.
COMMON, SELDOM, RARE = "sandals", "velvet", "aquamarine"
# One tag for many conversations, one for a few that are all old: the newest match of anything else is far from them.
TAGS = ("wedding", "vintage")
# Her conversations are the oldest hundredth of the house, for the same reason.
GONE = "Omar Haddad"


def furnish(sessions: Sessions) -> None:
    """A mailbox and four editors, Nadia first."""
    with sessions() as session:
        add_mailbox(session, address="care@maison.example", brand="Maison", language="en", by=None, now=NOW)
        for name in ("Nadia Ferrant", "Chiara Bellini", "Omar Haddad", "Marta Lindqvist"):
            add_editor(
                session,
                email=f"{name.split()[0].lower()}@maison.example",
                name=name,
                title="Fashion Editor",
                role=Role.ADMIN if name.startswith("Omar") else Role.EDITOR,
                password_hash=hash_password(PASSWORD),
                by=None,
                now=NOW,
            )
        session.add_all(Tag(name=name) for name in TAGS)
        session.commit()


def fill(sessions: Sessions, upto: int) -> None:
    """Add conversations, of one customer and one message each, until there are `upto`."""
    with sessions() as session:
        have = session.scalar(sa.select(sa.func.count()).select_from(Conversation)) or 0
        editors = list(session.scalars(sa.select(Editor.id).order_by(Editor.name == GONE, Editor.id)))
    writer = Writer()
    for begin in range(have, upto, CHUNK):
        numbers = range(begin + 1, min(begin + CHUNK, upto) + 1)
        with sessions() as session:
            session.execute(sa.insert(Customer), [_customer(number) for number in numbers])
            session.execute(sa.insert(CustomerAddress), [_address(number) for number in numbers])
            session.execute(sa.insert(Conversation), [_conversation(number, upto, editors) for number in numbers])
            messages = [_message(number, upto, writer.text(number)) for number in numbers]
            session.execute(sa.insert(Message), messages)
            session.execute(sa.insert(Attachment), [_attachment(number) for number in numbers if number % 7 == 0])
            session.execute(sa.insert(conversation_tag), [each for number in numbers for each in _tagged(number, upto)])
            index_many(session, [_indexed(values) for values in messages])
            session.commit()
    with sessions() as session:
        for table in ("customer", "conversation", "message"):
            count_on(session, table)
        session.execute(sa.text("ANALYZE"))
        session.commit()


def count_on(session: Session, table: str) -> None:
    """PostgreSQL's own numbers go on behind those that were given here; SQLite's do so by themselves."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))


class Writer:
    """Writes mails of some sixty words, a few of which are used very often and most hardly ever."""

    def __init__(self) -> None:
        """The same words every time."""
        self._random = random.Random(7)
        self.words = ["".join(self._random.choices(_SYLLABLES, k=self._random.randint(2, 4))) for _ in range(8_000)]
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self.words) + 1)))

    def text(self, number: int) -> str:
        """The text of mail `number`."""
        words = self._random.choices(self.words, cum_weights=self._weights, k=self._random.randint(30, 90))
        words += [COMMON] if number % 10 == 0 else []
        words += [SELDOM] if number % 500 == 0 else []
        words += [RARE] if number % 20_000 == 7 else []
        self._random.shuffle(words)
        return " ".join(words)


def _at(number: int, of: int) -> datetime:
    return NOW - timedelta(minutes=of - number)


def _customer(number: int) -> dict[str, object]:
    return {"id": number, "name": f"Customer Number{number}", "first_name": "Customer", "created_at": NOW}


def _address(number: int) -> dict[str, object]:
    address = f"customer{number}@example.com"
    return {"customer_id": number, "address": address, "normalised": normalise(address), "created_at": NOW}


def _conversation(number: int, of: int, editors: list[int]) -> dict[str, object]:
    """Nine of ten are closed, one of a hundred is snoozed; half of those that are not closed belong to nobody."""
    chance = random.Random(number)
    state = chance.choices(list(ConversationState), (9, 1, 90))[0]
    *here, gone = editors
    owner = chance.choice(here) if state is ConversationState.CLOSED or chance.random() < 0.5 else None
    return {
        "id": number,
        "mailbox_id": 1,
        "customer_id": number,
        "editor_id": gone if number * 100 < of else owner,
        "subject": f"About order {number}",
        "state": state,
        "closed_at": NOW if state is ConversationState.CLOSED else None,
        "snoozed_until": _at(number, of) + timedelta(days=400) if state is ConversationState.SNOOZED else None,
        "waiting_since": _at(number, of) if state is ConversationState.OPEN and number % 3 else None,
        "first_line": "Good morning, I am looking for something in a colour that I saw last week",
        "last_message_at": _at(number, of),
        "last_message_id": number,
        "created_at": _at(number, of),
    }


def _attachment(number: int) -> dict[str, object]:
    return {
        "message_id": number,
        "filename": f"photo-{number}.jpg",
        "content_type": "image/jpeg",
        "size": 250_000,
        "blob_key": "0" * 64,
        "inline": number % 14 == 0,
    }


def _tagged(number: int, of: int) -> list[dict[str, int]]:
    """A twentieth is tagged with the first tag, the oldest two hundredth with the second."""
    tags = ([1] if number % 20 == 0 else []) + ([2] if number * 200 < of else [])
    return [{"conversation_id": number, "tag_id": tag_id} for tag_id in tags]


def _message(number: int, of: int, text: str) -> dict[str, Any]:
    return {
        "id": number,
        "conversation_id": number,
        "mailbox_id": 1,
        "direction": Direction.IN,
        "kind": MessageKind.HUMAN,
        "from_name": f"Customer Number{number}",
        "from_address": f"customer{number}@example.com",
        "to": [{"name": "", "address": "care@maison.example"}],
        "cc": [],
        "reply_to": [],
        "subject": f"About order {number}",
        "text": text,
        "rfc_message_id": f"{number}@example.com",
        "created_at": _at(number, of),
    }


def _indexed(message: dict[str, Any]) -> tuple[int, str, str, str]:
    people = f"{message['from_name']} {message['from_address']}"
    return message["id"], message["subject"], people, f"{message['text']}\n{message['to'][0]['address']}"
