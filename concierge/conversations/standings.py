"""How a conversation stands once it is merged, and once that is undone: rules over plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

OPEN, SNOOZED, CLOSED = "open", "snoozed", "closed"
# What changes together is taken back together, or not at all.
_TOGETHER = ("state", "snoozed_until", "closed_at", "closed_by_id", "not_for_us_at")


@dataclass(frozen=True, slots=True)
class Standing:
    """A conversation's state and whose turn it is, as `conversations.models.Conversation` has it."""

    state: str = OPEN
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    closed_by_id: int | None = None
    not_for_us_at: datetime | None = None
    waiting_since: datetime | None = None
    failed_at: datetime | None = None
    editor_id: int | None = None
    merged_into_id: int | None = None
    hint_conversation_id: int | None = None


def together(one: Standing, other: Standing) -> Standing:
    """How `one` stands when it has taken in `other`: nobody who waits in either is forgotten."""
    merged = replace(
        one,
        waiting_since=_earlier(one.waiting_since, other.waiting_since),
        failed_at=_earlier(one.failed_at, other.failed_at),
        editor_id=one.editor_id or other.editor_id,
    )
    closed = {"closed_at": None, "closed_by_id": None, "not_for_us_at": None}
    states = {one.state, other.state}
    if OPEN in states:
        return replace(merged, state=OPEN, snoozed_until=None, **closed)
    if SNOOZED in states:
        until = _earlier(one.snoozed_until, other.snoozed_until)
        return replace(merged, state=SNOOZED, snoozed_until=until, **closed)
    # Both are closed; what is for us in one is for us in both.
    return merged if other.not_for_us_at else replace(merged, not_for_us_at=None)


def share_failure(one: Standing, other: Standing, *, went: bool, stays: bool) -> tuple[Standing, Standing]:
    """How both stand when mails of `one` went to `other`: `went` an answer that did not arrive, `stays` there one."""
    left = one if stays else replace(one, failed_at=None)
    return left, replace(other, failed_at=_earlier(one.failed_at, other.failed_at)) if went else other


def emptied(standing: Standing, into: int, *, now: datetime) -> Standing:
    """How a conversation stands that went into another: closed, and nobody waits; when it was closed stays true."""
    left = replace(standing, waiting_since=None, failed_at=None, snoozed_until=None, merged_into_id=into)
    return left if standing.state == CLOSED else replace(left, state=CLOSED, closed_at=now, closed_by_id=None)


def taken_back(current: Standing, *, before: Standing, after: Standing) -> Standing:
    """How it stands once a change from `before` to `after` is undone; what changed since stays as it is now."""
    now, then, was = asdict(current), asdict(after), asdict(before)
    same = {name for name in now if now[name] == then[name]}
    if not same.issuperset(_TOGETHER):
        same -= {*_TOGETHER, "waiting_since"}
    return Standing(**{name: was[name] if name in same else now[name] for name in now})


def to_json(standing: Standing) -> dict[str, Any]:
    """As it is kept: instants in ISO 8601, and nothing for nothing."""
    values = asdict(standing).items()
    return {name: each.isoformat() if isinstance(each, datetime) else each for name, each in values if each is not None}


def from_json(kept: Mapping[str, Any]) -> Standing:
    """What `to_json` kept."""
    values: dict[str, Any] = {
        name: datetime.fromisoformat(each) if name.endswith(("_at", "_until", "_since")) else each
        for name, each in kept.items()
    }
    return Standing(**values)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
