"""What was done, by whom and when: a conversation's history, and the feed that live pages follow."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from concierge.db import Base, BigId
from concierge.rows import Same, insert_columns, insert_row


class HasId(Protocol):
    """A row, or whoever did something to one."""

    @property
    def id(self) -> Any: ...


class AuditEntry(Base):
    """One thing done to one row; entries are only ever added."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry_subject", "subject_type", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    verb: Mapped[str] = mapped_column(sa.String(60))
    subject_type: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[int] = mapped_column(BigId)
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


_ENTRIES = cast("sa.Table", AuditEntry.__table__)


def record(
    session: Session, verb: str, subject: HasId, *, by: HasId | None, now: datetime, **details: Any
) -> AuditEntry:
    """Add an entry such as "conversation.closed" for a row that is in the session; flushes to learn its id."""
    if subject.id is None:
        session.flush()
    entry = AuditEntry(
        at=now,
        verb=verb,
        subject_type=type(subject).__tablename__,  # type: ignore[attr-defined]
        subject_id=subject.id,
        editor_id=by.id if by else None,
        details=details,
    )
    session.add(entry)
    return entry


def record_each(session: Session, verb: str, kind: type[Base], ids: Sequence[int], *, now: datetime) -> None:
    """Add an entry for each of these rows of a kind, to which the house itself did something, in one statement."""
    columns = {
        "at": Same(now),
        "verb": Same(verb),
        "subject_type": Same(kind.__tablename__),
        "subject_id": ids,
        "editor_id": Same(None),
        "details": Same({}),
    }
    insert_columns(session, _ENTRIES, columns, len(ids))


def record_row(session: Session, verb: str, kind: type[Base], number: int, /, *, now: datetime, **details: Any) -> None:
    """The same for one of them, which need not be in the session, with details."""
    told = {"subject_type": kind.__tablename__, "subject_id": number, "details": details}
    insert_row(session, _ENTRIES, {"at": now, "verb": verb} | told)


def list_for(session: Session, subject: HasId) -> list[AuditEntry]:
    """Everything done to `subject`, oldest first."""
    statement = (
        sa.select(AuditEntry)
        .where(AuditEntry.subject_type == type(subject).__tablename__)  # type: ignore[attr-defined]
        .where(AuditEntry.subject_id == subject.id)
        .order_by(AuditEntry.id)
    )
    return list(session.scalars(statement))


def latest_id(session: Session) -> int:
    """The number of the newest entry, 0 when there is none: it grows with every change in the house."""
    return session.scalar(sa.select(sa.func.max(AuditEntry.id))) or 0
