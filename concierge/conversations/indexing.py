"""Puts a message's words into the search index of either database."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.conversations.models import Message
from concierge.conversations.search_terms import fold
from concierge.rows import run_columns

# PostgreSQL refuses documents over 1 MB; what stands behind this many characters is not searched.
_LONGEST = 200_000

_INTO_SQLITE = sa.text(
    "INSERT INTO message_search(rowid, subject, people, body) VALUES (:id, :subject, :people, :body)"
)
_INTO_POSTGRESQL = sa.text(
    "INSERT INTO message_search(message_id, document) VALUES (:id, "
    "setweight(to_tsvector('simple', :subject), 'A') || setweight(to_tsvector('simple', :people), 'B') || "
    "to_tsvector('simple', :body))"
)


def index_message(session: Session, message: Message, *, sender_also: str = "") -> None:
    """Make a flushed message searchable; `people` is its sender alone, so that from: means from.

    `sender_also`: another name the sender is known by. Recipients and file names count as body.
    """
    people = f"{message.from_name} {message.from_address} {sender_also}"
    recipients = " ".join(f"{each['name']} {each['address']}" for each in (*message.to, *message.cc))
    names = " ".join(attachment.filename for attachment in message.attachments)
    body = f"{message.text[:_LONGEST]}\n{names}\n{recipients[:2000]}"
    index_many(session, [(message.id, message.subject[:2000], people, body)])


def index_many(session: Session, indexed: Sequence[tuple[int, str, str, str]]) -> None:
    """Make many messages searchable at once: each with its number, subject, people and body."""
    folded = [(number, fold(subject), fold(people), fold(body)) for number, subject, people, body in indexed]
    index_folded(session, folded)


def index_folded(session: Session, indexed: Sequence[tuple[int, str, str, str]]) -> None:
    """`index_many` for words that are folded already."""
    statement = _INTO_SQLITE if session.get_bind().dialect.name == "sqlite" else _INTO_POSTGRESQL
    columns = dict(zip(("id", "subject", "people", "body"), zip(*indexed, strict=True), strict=True)) if indexed else {}
    run_columns(session, statement, columns, len(indexed))
