"""The outbox as a whole: shut in a database that is an older copy of itself, until a person opens it (F11).

The database carries a mark that grows while the house works; each machine keeps the highest it has seen, in its data
folder and in `config.marks`. A database whose mark is lower is one that was put back. `concierge restore` shuts the
outbox by itself; a copy that nothing here knows better than is shut by `concierge outbox shut`.
"""

import os
import secrets
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from concierge import audit
from concierge.accounts.models import Editor
from concierge.config import Config
from concierge.db import Base, BigId
from concierge.mailing.commands import settle
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.reasons import Reason

RESTORED, BEHIND, BY_HAND = "restored", "behind", "by_hand"


class Outbox(Base):
    """The one row: the house's own name for itself, its mark, since when and why nothing leaves.

    What was due until `asks_until` when it was opened may have left before, and asks.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    house: Mapped[str] = mapped_column(sa.String(32))
    mark: Mapped[int] = mapped_column(BigId)
    shut_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(sa.String(24), default="")
    asks_until: Mapped[datetime | None]
    opened_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))


def find_outbox(session: Session, *, lock: bool = False) -> Outbox | None:
    """The row; None in a house that has just been emptied."""
    return session.get(Outbox, 1, with_for_update=lock, populate_existing=True)


def is_shut(session: Session) -> bool:
    """Whether nothing may leave."""
    return session.scalar(sa.select(Outbox.shut_at).where(Outbox.id == 1)) is not None


def shut_outbox(session: Session, why: str, *, now: datetime) -> Outbox:
    """Let nothing leave until somebody opens it; twice is fine."""
    outbox = find_outbox(session, lock=True)
    if outbox is None:  # a demo house that was emptied
        outbox = Outbox(id=1, house=secrets.token_hex(16), mark=0, why="")
        session.add(outbox)
    if outbox.shut_at is None:
        outbox.shut_at, outbox.why = now, why
        audit.record(session, "outbox.shut", outbox, by=None, now=now, why=why)
    return outbox


def open_outbox(session: Session, *, by: Editor, now: datetime) -> int:
    """Let mail leave again. What was due when it was shut becomes uncertain, for it may have left before; how many."""
    outbox = find_outbox(session, lock=True)
    if outbox is None or outbox.shut_at is None:
        return 0
    overdue = session.scalars(
        sa.select(Delivery)
        .where(Delivery.state == DeliveryState.QUEUED, Delivery.due_at <= outbox.shut_at)
        .with_for_update()
    ).all()
    for delivery in overdue:
        settle(session, delivery, DeliveryState.UNCERTAIN, Reason.RESTORED.of(), by=by, now=now)
    outbox.asks_until, outbox.shut_at, outbox.why, outbox.opened_by_id = now, None, "", by.id
    outbox.house = secrets.token_hex(16)  # from now on another house than the one it was copied from
    audit.record(session, "outbox.opened", outbox, by=by, now=now, uncertain=len(overdue))
    return len(overdue)


def asks(session: Session, due_at: datetime) -> bool:
    """Whether what was due then has to be asked about, because the outbox was shut in between."""
    until = asks_until(session)
    return until is not None and due_at <= until


def asks_until(session: Session) -> datetime | None:
    """What was due until then has to be asked about; None where the outbox was never shut."""
    return session.scalar(sa.select(Outbox.asks_until).where(Outbox.id == 1))


def is_open(session: Session, config: Config) -> bool:
    """Whether mail may leave: not while it is shut, nor from a copy of the past that nobody has shut yet."""
    outbox = find_outbox(session)
    return outbox is None or (outbox.shut_at is None and not _is_behind(outbox, config))


def shut_if_behind(session: Session, config: Config, *, now: datetime) -> bool:
    """Shut the outbox of a copy of the past; whether it was one."""
    outbox = find_outbox(session)
    if outbox is None or outbox.shut_at is not None or not _is_behind(outbox, config):
        return False
    shut_outbox(session, BEHIND, now=now)
    return True


def raise_mark(session: Session) -> tuple[str, int]:
    """Note in the database that the house has gone on; what `keep_mark` is to keep of it outside, after the commit."""
    outbox = find_outbox(session, lock=True)
    if outbox is None or outbox.shut_at is not None:
        return "", 0
    outbox.mark += 1
    return outbox.house, outbox.mark


def keep_mark(config: Config, house: str, mark: int) -> None:
    """Keep it on this machine, wherever it is kept, whole or not at all; raises OSError."""
    for path in mark_files(config, house):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(f"{mark}\n", encoding="ascii")
        part.replace(path)


def mark_files(config: Config, house: str) -> list[Path]:
    """Where this machine keeps what it has seen of a house."""
    return [folder / house for folder in (config.data / "marks", config.marks) if folder]


def _is_behind(outbox: Outbox, config: Config) -> bool:
    """Whether this machine has seen this very house further on than its database knows."""
    return any(_read_mark(path) > outbox.mark for path in mark_files(config, outbox.house))


def _read_mark(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return -1
