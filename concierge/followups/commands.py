"""What editors do with follow-ups: schedule, change, cancel, say yes, send now; a command never sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.config import Policy
from concierge.conversations.models import Conversation
from concierge.conversations.queries import lock_conversation
from concierge.customers.models import Customer
from concierge.drafts import body, wording
from concierge.drafts.models import MayNotAnswer
from concierge.drafts.queries import language_of
from concierge.followups import queries
from concierge.followups.conditions import Because, Facts, due_at
from concierge.followups.models import (
    AlreadyPlanned,
    FollowUp,
    FollowUpNotFound,
    HoleInWords,
    MomentPassed,
    NothingOnItsWay,
    NothingSaid,
    Overtaken,
)
from concierge.followups.schedule import in_days, instant_of

_FARTHEST = timedelta(days=731)
# Days after which what waits for a delivery is looked at though none was ever told.
_NEVER = 731


@dataclass(frozen=True, slots=True)
class Planned:
    """A follow-up as its editor means it: what her clock shows (naive), whether the day was named, and the words.

    `body` is canonical (see `drafts.body`). `seen_message_id` is the newest mail its editor had before her eyes.
    """

    wall: datetime
    is_named: bool
    body: str
    seen_message_id: int | None
    needs_yes: bool = False
    template_version_id: int | None = None
    # what the follow-up was like that its editor had before her eyes, see `FollowUp.version`; None for a new one
    seen_version: str | None = None
    # so many days after what she ordered is in her hands; `wall` says the hour
    after_delivery: int | None = None


def schedule_follow_up(
    session: Session, conversation: Conversation, planned: Planned, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """Plan a mail in her conversation, in the name of `by`.

    Raises MayNotAnswer, Overtaken, NothingSaid, HoleInWords, MomentPassed, NothingOnItsWay, AlreadyPlanned.
    """
    if not by.may_answer:
        raise MayNotAnswer
    conversation = lock_conversation(session, conversation.id)
    _require_newest(session, conversation, planned.seen_message_id, by)
    require_words(planned.body)
    moment = moment_of(session, conversation.customer, planned, policy=policy, now=now)
    follow_up = FollowUp(
        conversation=conversation,
        editor=by,
        planned_at=now,
        since_message_id=queries.newest_message_id(session),
        since_at=now,
        wall=moment.wall,
        is_named=planned.is_named,
        due_at=moment.due_at,
        awaited_id=moment.awaited_id,
        awaited_days=moment.awaited_days,
        reckoned_from=reckoned_from(conversation.customer),
        body=planned.body,
        language=language_of(conversation),
        template_version_id=planned.template_version_id,
        needs_yes=planned.needs_yes,
    )
    _add(session, follow_up)
    _note(session, "follow_up.scheduled", follow_up, by=by, now=now)
    return follow_up


def change_follow_up(
    session: Session, follow_up: FollowUp, planned: Planned, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """Another moment or other words; who changes it has read what is new, so "since" begins anew.

    Raises what `schedule_follow_up` raises, AlreadySettled, and ChangedSince where somebody else was quicker.
    """
    follow_up = _still(session, follow_up, by, planned.seen_version)
    _require_newest(session, follow_up.conversation, planned.seen_message_id, by)
    require_words(planned.body)
    customer = follow_up.conversation.customer
    moment = moment_of(session, customer, planned, policy=policy, now=now)
    _look_anew(session, follow_up, now=now)
    try:
        with session.begin_nested():
            follow_up.wall, follow_up.is_named, follow_up.due_at = moment.wall, planned.is_named, moment.due_at
            follow_up.awaited_id, follow_up.awaited_days = moment.awaited_id, moment.awaited_days
            follow_up.body, follow_up.needs_yes = planned.body, planned.needs_yes
            follow_up.reckoned_from = reckoned_from(customer)
            follow_up.asked_at = follow_up.asking = follow_up.approved_at = follow_up.approved_by_id = None
    except IntegrityError as error:
        raise AlreadyPlanned from error
    _note(session, "follow_up.changed", follow_up, by=by, now=now)
    return follow_up


def cancel_follow_up(
    session: Session, follow_up: FollowUp, *, seen_version: str | None = None, by: Editor, now: datetime
) -> FollowUp:
    """Take it back; raises MayNotAnswer, AlreadySettled, ChangedSince."""
    follow_up = _still(session, follow_up, by, seen_version)
    follow_up.settle(Because.BY_EDITOR, by=by, now=now)
    _note(session, "follow_up.cancelled", follow_up, by=by, now=now)
    return follow_up


def approve_follow_up(
    session: Session,
    follow_up: FollowUp,
    *,
    seen_message_id: int | None,
    seen_version: str | None = None,
    by: Editor,
    now: datetime,
) -> FollowUp:
    """Say yes: it goes as soon as her hours and the courtesy budget let it.

    Raises Overtaken, AlreadySettled, ChangedSince.
    """
    follow_up = _still(session, follow_up, by, seen_version)
    _require_newest(session, follow_up.conversation, seen_message_id, by)
    follow_up.approve(by=by, now=now)
    follow_up.wait(now)
    _look_anew(session, follow_up, now=now)
    _note(session, "follow_up.approved", follow_up, by=by, now=now)
    return follow_up


def send_follow_up_now(
    session: Session,
    follow_up: FollowUp,
    *,
    seen_message_id: int | None,
    seen_version: str | None = None,
    by: Editor,
    now: datetime,
) -> FollowUp:
    """Let it leave at once, whatever the hour and the budget, as her own mail.

    Raises Overtaken, AlreadySettled, ChangedSince.
    """
    follow_up = approve_follow_up(
        session, follow_up, seen_message_id=seen_message_id, seen_version=seen_version, by=by, now=now
    )
    follow_up.at_once = True
    return follow_up


def reckoned_from(customer: Customer) -> str:
    """What `due_at` was reckoned from, to see when it is to be reckoned anew."""
    return f"{customer.zone_name}:{customer.country}"


def require_words(written: str) -> None:
    """Raise NothingSaid or HoleInWords unless a canonical body says something, and all of it."""
    words = body.words(written)
    if not words.strip():
        raise NothingSaid
    if wording.find_hole(words):
        raise HoleInWords


def _still(session: Session, follow_up: FollowUp, by: Editor, seen_version: str | None) -> FollowUp:
    """The follow-up as it is now, its conversation locked, so that it can't leave meanwhile."""
    if not by.may_answer:
        raise MayNotAnswer
    lock_conversation(session, follow_up.conversation_id)
    fresh = session.get(FollowUp, follow_up.id, populate_existing=True)
    if fresh is None:
        raise FollowUpNotFound
    fresh.require_scheduled()
    fresh.require_version(seen_version)
    return fresh


def _require_newest(session: Session, conversation: Conversation, seen_message_id: int | None, by: Editor) -> None:
    if queries.has_newer(session, conversation.id, seen_message_id, by):
        raise Overtaken


class Moment(NamedTuple):
    """When a mail is due; one that waits for a delivery is due at no moment anybody will live to see."""

    wall: datetime
    due_at: datetime
    awaited_id: int | None = None
    awaited_days: int | None = None


def moment_of(session: Session, customer: Customer, planned: Planned, *, policy: Policy, now: datetime) -> Moment:
    """When this is due, as far as anybody can tell; raises MomentPassed, NothingOnItsWay."""
    zone, wall = queries.her_clock(customer, policy.zone).zone, planned.wall
    if planned.after_delivery is not None:
        if (order := queries.find_order(session, customer, now=now)) is None:
            raise NothingOnItsWay
        if order.delivered_at is None:
            never = in_days(now, _NEVER + planned.after_delivery, wall.time(), zone)
            return Moment(never, instant_of(never, zone), order.id, planned.after_delivery)
        wall = in_days(order.delivered_at, planned.after_delivery, wall.time(), zone)
    require_to_come(wall, zone, now=now)
    return Moment(wall, due_at(Facts(wall, zone, customer.country, planned.is_named), queries.kindness_of(policy)))


def require_to_come(wall: datetime, zone: ZoneInfo, *, now: datetime) -> None:
    """Raise MomentPassed unless her clock is still to show this, and soon enough to be planned for."""
    if not now < instant_of(wall, zone) < now + _FARTHEST:
        raise MomentPassed


def _look_anew(session: Session, follow_up: FollowUp, *, now: datetime) -> None:
    follow_up.since_message_id, follow_up.since_at = queries.newest_message_id(session), now


def _add(session: Session, follow_up: FollowUp) -> None:
    try:
        with session.begin_nested():
            session.add(follow_up)
    except IntegrityError as error:
        raise AlreadyPlanned from error


def _when(follow_up: FollowUp) -> dict[str, Any]:
    if follow_up.awaits_delivery:
        return {"days_after_delivery": follow_up.awaited_days}
    return {"due_at": follow_up.due_at.isoformat()}


def _note(session: Session, verb: str, follow_up: FollowUp, *, by: Editor, now: datetime) -> None:
    audit.record(
        session,
        verb,
        follow_up.conversation,
        by=by,
        now=now,
        follow_up=follow_up.id,
        **_when(follow_up),
    )
