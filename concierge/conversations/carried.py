"""What hangs on a conversation and goes along when its mails do; parts above this one add what they own."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from concierge.conversations.models import Message, Note

Choose = Callable[[Session, int, int, Sequence[int]], Sequence[int]]
Refuse = Callable[[Session, Collection[int]], None]


@dataclass(frozen=True, slots=True)
class Carried:
    """Rows of one table: `conversation` is the column that moves, `of_message` the mail a row belongs to, if any.

    `made_at`: what was made from a split on goes with it. `refuse` raises where something speaks against touching
    these conversations now; `choose` is asked which rows may go from one to another, and makes room for them.
    """

    id: InstrumentedAttribute[int]
    conversation: InstrumentedAttribute[Any]
    made_at: InstrumentedAttribute[datetime] | None = None
    of_message: InstrumentedAttribute[Any] | None = None
    refuse: Refuse | None = None
    choose: Choose | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What goes: these mails and what belongs to them, and whatever was made since then."""

    messages: tuple[int, ...]
    since: datetime | None = None


CARRIED: dict[str, Carried] = {
    "message": Carried(Message.id, Message.conversation_id, of_message=Message.id),
    "note": Carried(Note.id, Note.conversation_id, made_at=Note.created_at),
}


def refuse(session: Session, *conversation_ids: int) -> None:
    """Raise the reason why these conversations can't be rearranged at this moment, if there is one."""
    for each in CARRIED.values():
        if each.refuse is not None:
            each.refuse(session, conversation_ids)


def carry(
    session: Session, source_id: int, target_id: int, part: Part | None = None, *, only: Collection[str] | None = None
) -> dict[str, list[int]]:
    """Move what hangs on one conversation to another: all of it, or a part; the numbers of what was moved, by name."""
    moved = {}
    for name, each in CARRIED.items():
        if only is not None and name not in only:
            continue
        found: Sequence[int] = session.scalars(
            sa.select(each.id).where(each.conversation == source_id, _within(each, part)).order_by(each.id)
        ).all()
        chosen = each.choose(session, source_id, target_id, found) if each.choose and found else found
        moved.update(put(session, {name: list(chosen)}, target_id))
    return moved


def put(
    session: Session, moved: dict[str, list[int]], target_id: int, *, source_id: int | None = None
) -> dict[str, list[int]]:
    """Move these rows to a conversation; with `source_id` those of them that are still there."""
    for name, numbers in moved.items():
        if name in CARRIED and numbers:
            column = CARRIED[name].conversation
            still = column == source_id if source_id is not None else sa.true()
            session.execute(
                sa.update(column.class_)
                .where(CARRIED[name].id.in_(numbers), still)
                .values({column: target_id})
                .execution_options(synchronize_session=False)
            )
    return {name: numbers for name, numbers in moved.items() if numbers}


def hangs_on(session: Session, conversation_id: int, *, besides: Collection[str]) -> bool:
    """Whether anything hangs on a conversation besides rows of these names."""
    return any(
        session.scalar(sa.select(each.id).where(each.conversation == conversation_id).limit(1)) is not None
        for name, each in CARRIED.items()
        if name not in besides
    )


def _within(each: Carried, part: Part | None) -> sa.ColumnElement[bool]:
    if part is None:
        return sa.true()
    of_them = each.of_message.in_(part.messages) if each.of_message is not None else sa.false()
    is_later = each.made_at >= part.since if each.made_at is not None and part.since is not None else sa.false()
    return of_them | is_later
