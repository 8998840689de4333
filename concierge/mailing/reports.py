"""What a provider reports of a mail, in our words, and what follows from it: a rule over plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from concierge.mailing.models import DeliveryState, SuppressionReason
from concierge.mailing.moves import may_move


class ReportKind(StrEnum):
    """What happened to a mail after it was handed over."""

    ACCEPTED = "accepted"  # the provider has it and will try
    DEFERRED = "put_off"  # her mail system asked to wait
    DELIVERED = "arrived"  # her mail system took it
    BOUNCED = "came_back"
    DROPPED = "dropped"  # the provider did not even try
    COMPLAINED = "complained"  # she called it unwanted
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    OTHER = "other"  # kept, and means nothing to us


@dataclass(frozen=True, slots=True)
class Report:
    """One report: its name at the provider, the mail it is about (by our key or its Message-ID), and its words.

    `hard`: that mailbox is gone for good. `because`: why the provider itself mails her no more. `by_machine`: a scanner
    opened it, not she.
    """

    external_id: str
    kind: ReportKind
    at: datetime
    provider: str
    key: str = ""
    message_id: str = ""
    address: str = ""
    words: str = ""
    hard: bool = False
    because: SuppressionReason | None = None
    by_machine: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


_S, _K = DeliveryState, ReportKind
# Where a report would have the mail be. Whoever calls it unwanted, or opens it, has it.
_WOULD_BE: Mapping[ReportKind, DeliveryState] = MappingProxyType(
    {
        _K.ACCEPTED: _S.SENT,
        _K.DEFERRED: _S.DEFERRED,
        _K.DELIVERED: _S.DELIVERED,
        _K.BOUNCED: _S.BOUNCED,
        _K.DROPPED: _S.REJECTED,
        _K.COMPLAINED: _S.DELIVERED,
        _K.UNSUBSCRIBED: _S.DELIVERED,
        _K.OPENED: _S.DELIVERED,
        _K.CLICKED: _S.DELIVERED,
    }
)
# What we believed had not left, and now hear the provider has, or had: it must not leave once more.
_HAS_LEFT = frozenset({_S.SENT, _S.DEFERRED, _S.DELIVERED})
_NOT_LEFT = frozenset({_S.QUEUED, _S.FAILED})


def becomes(state: DeliveryState, kind: ReportKind, *, is_current: bool, was_refused: bool) -> DeliveryState | None:
    """Where the mail is now, having been in `state`; None when that says nothing new, or comes late.

    `is_current` is False for a report on an earlier sending of it, after which an editor had it sent again. Such a
    report counts only if nothing but our doubt stood behind her decision: not after it `was_refused`.
    """
    target = _WOULD_BE.get(kind)
    if target is None or (not is_current and (was_refused or target not in _HAS_LEFT)):
        return None
    if state in _NOT_LEFT and (is_current or target in _HAS_LEFT):
        return target
    return target if target is not state and may_move(state, target) else None


def why_suppressed(report: Report) -> SuppressionReason | None:
    """Why the address is not to be mailed any more, if that follows."""
    if report.kind is _K.BOUNCED:
        return SuppressionReason.HARD_BOUNCE if report.hard else None
    if report.kind is _K.COMPLAINED:
        return SuppressionReason.COMPLAINT
    if report.kind is _K.UNSUBSCRIBED:
        return SuppressionReason.UNSUBSCRIBED
    return report.because if report.kind is _K.DROPPED else None


def key_of(key: str, intent: int) -> str:
    """What a provider knows a sending by: the delivery's key, and the number of the decision to send it."""
    return key if intent == 1 else f"{key}#{intent}"


def split_key(said: str) -> tuple[str, int]:
    """The delivery's key and the number of the decision, as `key_of` joined them."""
    key, mark, number = said.rpartition("#")
    return (key, int(number)) if mark and number.isascii() and number.isdigit() else (said, 1)
