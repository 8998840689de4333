"""What SendGrid's event webhook says, in our words."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from concierge.errors import RuleBroken
from concierge.mailing.models import SuppressionReason
from concierge.mailing.reports import Report, ReportKind

KEY_ARGUMENT = "concierge_delivery"  # comes back with every event; prefixed, since reserved names win over ours

_KINDS: Mapping[str, ReportKind] = MappingProxyType(
    {
        "processed": ReportKind.ACCEPTED,
        "deferred": ReportKind.DEFERRED,
        "delivered": ReportKind.DELIVERED,
        "bounce": ReportKind.BOUNCED,
        "dropped": ReportKind.DROPPED,
        "spamreport": ReportKind.COMPLAINED,
        "unsubscribe": ReportKind.UNSUBSCRIBED,
        "group_unsubscribe": ReportKind.UNSUBSCRIBED,
        "open": ReportKind.OPENED,
        "click": ReportKind.CLICKED,
    }
)
# Why SendGrid drops a mail without trying, by the words its documentation promises.
_DROPPED_FOR: Mapping[str, SuppressionReason] = MappingProxyType(
    {
        "bounced address": SuppressionReason.HARD_BOUNCE,
        "spam reporting address": SuppressionReason.COMPLAINT,
        "unsubscribed address": SuppressionReason.UNSUBSCRIBED,
    }
)
_KEPT = ("event", "type", "status", "bounce_classification", "attempt", "smtp-id", "url")


class MisreadEvents(RuleBroken):
    """This post is signed by SendGrid, but it is no list of events."""


def read_events(body: bytes) -> list[Report]:
    """The reports in a post; what names neither itself nor its kind is left out. Raises MisreadEvents."""
    try:
        events = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MisreadEvents from error
    if not isinstance(events, list):
        raise MisreadEvents
    return list(_reports(events))


def _reports(events: list[Any]) -> Iterator[Report]:
    for event in events:
        if not isinstance(event, dict) or not (name := _text(event, "sg_event_id", 180)):
            continue
        kind, words = (
            _KINDS.get(_text(event, "event"), ReportKind.OTHER),
            _text(event, "reason") or _text(event, "response"),
        )
        yield Report(
            external_id=f"sendgrid:{name}",
            kind=kind,
            at=_moment(event.get("timestamp")),
            provider="sendgrid",
            key=_text(event, KEY_ARGUMENT),
            message_id=_text(event, "smtp-id"),
            address=_text(event, "email", 320),
            words=words,
            # "blocked" means not now and not from us: the mailbox is there.
            hard=_text(event, "type") == "bounce",
            because=_DROPPED_FOR.get(words.strip().lower()),
            by_machine=event.get("sg_machine_open") is True,
            details={field: _text(event, field) for field in _KEPT if field in event},
        )


def _text(event: Mapping[str, Any], name: str, most: int = 400) -> str:
    value = event.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return (
        " ".join("".join(c for c in value if c.isprintable() or c == " ").split())[:most]
        if isinstance(value, str)
        else ""
    )


def _moment(value: Any) -> datetime:
    """Unix seconds; the epoch for what is none, so that nothing is taken for new that can't be dated."""
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
