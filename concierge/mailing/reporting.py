"""Keeping what providers report, and acting on it: once each, in whatever order it comes."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.addresses import normalise
from concierge.mailing import queries
from concierge.mailing.mail import bracketed
from concierge.mailing.models import Delivery, DeliveryEvent, DeliveryState, ProviderPost
from concierge.mailing.moves import SETTLED
from concierge.mailing.reports import Report, ReportKind, becomes, split_key, why_suppressed
from concierge.mailing.suppressing import suppress

_REFUSALS = (DeliveryState.REJECTED.value, DeliveryState.BOUNCED.value, ReportKind.DROPPED.value, "came_back")


def keep_post(session: Session, source: str, blob_key: str, *, size: int, now: datetime) -> ProviderPost | None:
    """Write down that a provider posted these bytes; None when it has posted the very same before."""
    same = (ProviderPost.source == source, ProviderPost.blob_key == blob_key)
    if session.scalar(sa.select(ProviderPost.id).where(*same)) is not None:
        return None
    post = ProviderPost(source=source, blob_key=blob_key, size=size, received_at=now, events=0, unknown=0)
    session.add(post)
    return post


def read_post(session: Session, post: ProviderPost, reports: list[Report], *, now: datetime) -> int:
    """Take every report of a post; how many were about mails of ours."""
    ours = sum(take_report(session, report, now=now) is not None for report in reports)
    post.read_at, post.events, post.unknown = now, len(reports), len(reports) - ours
    return ours


def take_report(session: Session, report: Report, *, now: datetime) -> Delivery | None:
    """Act on a report; the delivery it is about, None when that is none of ours. Twice is the same as once."""
    key, intent = split_key(report.key)
    if (delivery := _find(session, key, report)) is None:
        return None
    session.refresh(delivery, with_for_update=True)
    if _is_known(session, report.external_id):
        return delivery
    was_refused = intent < delivery.intent and _was_refused(session, delivery)
    session.add(
        DeliveryEvent(
            delivery_id=delivery.id,
            external_id=report.external_id,
            at=report.at,
            kind=report.kind.value,
            details={"words": report.words, "by": report.provider, "machine": report.by_machine, **report.details},
        )
    )
    state = becomes(delivery.state, report.kind, is_current=intent == delivery.intent, was_refused=was_refused)
    if state is not None:
        _move(session, delivery, state, report, now=now)
    because = why_suppressed(report)
    if because and (not report.address or normalise(report.address) == delivery.to_normalised):
        suppress(session, delivery.to_address, reason=because, by=None, now=now, evidence=report.words)
    session.flush()
    return delivery


def _find(session: Session, key: str, report: Report) -> Delivery | None:
    if key and (found := queries.find_delivery(session, key)) is not None:
        return found
    if not report.message_id:
        return None
    return session.scalar(sa.select(Delivery).where(Delivery.message_id == bracketed(report.message_id)).limit(1))


def _is_known(session: Session, external_id: str) -> bool:
    known = sa.select(DeliveryEvent.id).where(DeliveryEvent.external_id == external_id)
    return session.scalar(known) is not None


def _was_refused(session: Session, delivery: Delivery) -> bool:
    refusals = sa.select(DeliveryEvent.id).where(DeliveryEvent.delivery_id == delivery.id)
    return session.scalar(refusals.where(DeliveryEvent.kind.in_(_REFUSALS)).limit(1)) is not None


def _move(session: Session, delivery: Delivery, state: DeliveryState, report: Report, *, now: datetime) -> None:
    delivery.state, delivery.provider = state, delivery.provider or report.provider
    delivery.reason = (
        report.words if state in {DeliveryState.BOUNCED, DeliveryState.REJECTED, DeliveryState.DEFERRED} else ""
    )
    delivery.claimed_at = None
    delivery.settled_at = now if state in SETTLED else None
    if state is not DeliveryState.REJECTED:
        delivery.sent_at = delivery.sent_at or min(report.at, now)
    audit.record(session, f"delivery.{state.value}", delivery, by=None, now=now, reason=delivery.reason)
