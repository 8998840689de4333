"""Puts a message's words into the search index of either database."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address
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
    """Make a flushed message searchable, see `index_words`."""
    index_words(
        session,
        message.id,
        subject=message.subject,
        sender=Address(message.from_name, message.from_address),
        sender_also=sender_also,
        text=message.text,
        files=[attachment.filename for attachment in message.attachments],
        people=[Address(each["name"], each["address"]) for each in (*message.to, *message.cc)],
    )


def index_words(
    session: Session,
    number: int,
    *,
    subject: str,
    sender: Address,
    sender_also: str,
    text: str,
    files: Iterable[str],
    people: Iterable[Address],
) -> None:
    """Make the words of message `number` searchable; it is from its sender alone, so that from: means from.

    `sender_also`: another name the sender is known by. Its recipients, `people`, and the names of `files` are text.
    """
    senders = f"{sender.name} {sender.address} {sender_also}"
    recipients = " ".join(f"{each.name} {each.address}" for each in people)
    body = f"{text[:_LONGEST]}\n{' '.join(files)}\n{recipients[:2000]}"
    index_many(session, [(number, subject[:2000], senders, body)])


def index_many(session: Session, indexed: Sequence[tuple[int, str, str, str]]) -> None:
    """Make many messages searchable at once: each with its number, subject, people and body."""
    folded = [(number, fold(subject), fold(people), fold(body)) for number, subject, people, body in indexed]
    index_folded(session, folded)


def index_folded(session: Session, indexed: Sequence[tuple[int, str, str, str]]) -> None:
    """`index_many` for words that are folded already."""
    statement = _INTO_SQLITE if session.get_bind().dialect.name == "sqlite" else _INTO_POSTGRESQL
    columns = dict(zip(("id", "subject", "people", "body"), zip(*indexed, strict=True), strict=True)) if indexed else {}
    run_columns(session, statement, columns, len(indexed))
