"""What each entrance took in and what became of it, to the last mail, by one query; and whether the sums agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.config import Config
from concierge.conversations.models import Direction, Message, MessageKind
from concierge.inbound.models import HELD_BACK, InboundMail, InboundState, WatchedFolder


class Fate(StrEnum):
    """What became of a mail that was taken in; each has exactly one, or something is wrong."""

    WAITING = "waiting"
    FILED = "filed"  # as a person's letter
    AUTOMATIC = "automatic"  # as a machine's
    DUPLICATE = "duplicate"  # the same mail is here already
    ASIDE = "aside"
    QUARANTINED = "quarantine"
    HELD = "held-back"
    ASTRAY = "astray"  # none of the others: it says that it was filed, and its message is not there


_SEEN_BEFORE = "seen-before"
_STATE, _REASON = InboundMail.state, InboundMail.reason
_IS: Mapping[Fate, sa.ColumnElement[bool]] = {
    Fate.WAITING: _STATE == InboundState.RECEIVED,
    Fate.FILED: sa.and_(_STATE == InboundState.FILED, Message.kind == MessageKind.HUMAN),
    Fate.AUTOMATIC: sa.and_(_STATE == InboundState.FILED, Message.kind != MessageKind.HUMAN),
    Fate.DUPLICATE: sa.and_(_STATE == InboundState.IGNORED, _REASON == _SEEN_BEFORE, Message.id.is_not(None)),
    Fate.ASIDE: sa.and_(_STATE == InboundState.IGNORED, _REASON != _SEEN_BEFORE),
    Fate.QUARANTINED: sa.and_(_STATE == InboundState.QUARANTINED, _REASON != HELD_BACK),
    Fate.HELD: sa.and_(_STATE == InboundState.QUARANTINED, _REASON == HELD_BACK),
}
KNOWN = tuple(_IS)


@dataclass(frozen=True, slots=True)
class Entrance:
    """One entrance: how many mails it took in, and how many met each fate; each number is counted by itself."""

    source: str
    accepted: int
    fates: Mapping[Fate, int]

    @property
    def missing(self) -> int:
        """How many of what it took in are in no column; negative when some are in two."""
        return self.accepted - sum(self.fates.values())


@dataclass(frozen=True, slots=True)
class Reckoning:
    """All entrances; `unexplained` messages came in by a door, and no mail says that it became them."""

    entrances: tuple[Entrance, ...]
    unexplained: int

    @property
    def agrees(self) -> bool:
        """Whether every mail is in exactly one column, and every message came from a mail."""
        return not self.unexplained and all(each.missing == 0 for each in self.entrances)

    @property
    def accepted(self) -> int:
        """How many mails all entrances took in."""
        return sum(each.accepted for each in self.entrances)

    def total(self, fate: Fate) -> int:
        """How many met this fate, whichever way they came."""
        return sum(each.fates[fate] for each in self.entrances)


def reckon(session: Session) -> Reckoning:
    """Count it all, in one statement: no mail comes in between two of its numbers."""
    each = [sa.func.count().filter(condition).label(fate.name) for fate, condition in _IS.items()]
    by_entrance = (
        sa.select(InboundMail.source, sa.func.count(), *each)
        .outerjoin(Message, Message.id == InboundMail.message_id)
        .group_by(InboundMail.source)
        .subquery()
    )
    loose = sa.select(sa.func.count().label("unexplained")).where(*_unexplained()).subquery()
    rows = session.execute(sa.select(loose, by_entrance).outerjoin_from(loose, by_entrance, sa.true())).all()
    entrances = (
        Entrance(source, accepted, dict(zip(KNOWN, counts, strict=True)))
        for _loose, source, accepted, *counts in rows
        if source is not None
    )
    return Reckoning(tuple(sorted(entrances, key=lambda one: (-one.accepted, one.source))), rows[0][0])


def _unexplained() -> tuple[sa.ColumnElement[bool], ...]:
    filed = sa.exists().where(InboundMail.message_id == Message.id, InboundMail.state == InboundState.FILED)
    return Message.direction == Direction.IN, Message.raw_key.is_not(None), ~filed


def list_by_fate(
    session: Session, fate: Fate, *, source: str | None = None, before: int | None = None, most: int = 50
) -> list[tuple[InboundMail, Message | None]]:
    """The mails of one column with their messages, of one entrance or all, newest first, from below the id *before*."""
    told = sa.case(*((condition, known.value) for known, condition in _IS.items()), else_=Fate.ASTRAY.value)
    statement = sa.select(InboundMail, Message).outerjoin(Message, Message.id == InboundMail.message_id)
    statement = statement.where(told == fate.value if fate is Fate.ASTRAY else _IS[fate])
    if source is not None:
        statement = statement.where(InboundMail.source == source)
    if before is not None:
        statement = statement.where(InboundMail.id < before)
    rows = session.execute(statement.order_by(InboundMail.id.desc()).limit(most))
    return [(mail, message) for mail, message in rows]


def list_unexplained(session: Session, *, most: int = 50) -> list[Message]:
    """Messages that came in by a door, and that no mail says it became; newest first."""
    return list(session.scalars(sa.select(Message).where(*_unexplained()).order_by(Message.id.desc()).limit(most)))


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder that is read over IMAP, as configured; `state` is None until it was looked at."""

    account: str
    name: str
    state: WatchedFolder | None

    def left(self, why: str) -> list[Mapping[str, Any]]:
        """The mails that stay there for this reason: "too-large" or "unfetchable"."""
        return [each for each in self.state.left if each["why"] == why] if self.state else []


def list_watched(session: Session, config: Config) -> list[Watched]:
    """Every folder that is read, in the order of their names."""
    known = {(each.account, each.name): each for each in session.scalars(sa.select(WatchedFolder))}
    return [
        Watched(account.user, name, known.get((account.name, name)))
        for account in config.imap
        for name in account.folders
    ]
