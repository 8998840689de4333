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
from concierge.customers.models import Customer
from concierge.drafts import body, wording
from concierge.drafts import commands as drafts
from concierge.drafts.models import Draft, MayNotAnswer
from concierge.drafts.queries import language_of
from concierge.errors import RuleBroken
from concierge.followups import queries
from concierge.followups.conditions import Because, Facts, all_stops, due_at
from concierge.followups.holding import hold_as_she_is, hold_her_still
from concierge.followups.models import (
    AlreadyPlanned,
    FilesStay,
    FollowUp,
    FollowUpNotFound,
    HappenedSince,
    HoleInWords,
    MomentPassed,
    MomentTaken,
    NothingOnItsWay,
    NothingSaid,
    Overtaken,
)
from concierge.followups.moments import Meant
from concierge.followups.schedule import in_days, instant_of

_FARTHEST = timedelta(days=731)
# Days after which what waits for a delivery is looked at though none was ever told.
_NEVER = 731


@dataclass(frozen=True, slots=True)
class Seen:
    """What an editor had before her eyes: the newest mail there, what the follow-up was like, what would stop it.

    `version` is `FollowUp.version`, `stops` is `Shown.stops`; None where it is a new one, or nobody looked at a page.
    """

    message_id: int | None = None
    version: str | None = None
    stops: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A follow-up as its editor means it: what her clock shows (naive), whether the day was named, and the words.

    `body` is canonical (see `drafts.body`). Without a subject it answers in the conversation's, without a language it
    speaks as one would write there now.
    """

    wall: datetime
    is_named: bool
    body: str
    seen: Seen
    subject: str = ""
    language: str = ""
    needs_yes: bool = False
    template_version_id: int | None = None
    # so many days after what she ordered is in her hands; `wall` says the hour
    after_delivery: int | None = None


def schedule_follow_up(
    session: Session, conversation: Conversation, planned: Planned, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """Plan a mail in her conversation, in the name of `by`.

    Raises MayNotAnswer, Overtaken, HappenedSince, NothingSaid, HoleInWords, MomentPassed, NothingOnItsWay,
    AlreadyPlanned, and MomentTaken where another of hers stands at this very moment.
    """
    if not by.may_answer:
        raise MayNotAnswer
    return _schedule(session, hold_as_she_is(session, conversation.id), planned, by=by, policy=policy, now=now)


def _schedule(
    session: Session, conversation: Conversation, planned: Planned, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """She is held still."""
    _require_newest(session, conversation, planned.seen, by)
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
        subject=planned.subject,
        body=planned.body,
        language=planned.language or language_of(conversation),
        template_version_id=planned.template_version_id,
        needs_yes=planned.needs_yes,
    )
    try:
        with session.begin_nested():
            session.add(follow_up)
    except IntegrityError as error:
        raise _taken(session, conversation, by, moment.wall, planned.body) from error
    _note(session, "follow_up.scheduled", follow_up, by=by, now=now)
    return follow_up


def schedule_draft(
    session: Session,
    draft: Draft,
    meant: Meant,
    seen: Seen,
    *,
    overridden: frozenset[str] = frozenset(),
    limit: int,
    by: Editor,
    policy: Policy,
    now: datetime,
) -> FollowUp:
    """Plan what stands in the composer, with its cards, subject and template, and clear the composer.

    She has been held (`holding.hold_as_she_is`) since before the composer's words were written, so that nobody who
    waits for her holds anything. Raises MayNotAnswer, FilesStay, NotSendable with what would speak against sending it,
    what `schedule_follow_up` raises but HappenedSince, and DraftLeaving or DraftStale when it was sent or changed
    elsewhere; then nothing is planned.
    """
    if not by.may_answer:
        raise MayNotAnswer
    if draft.attachments:
        raise FilesStay
    conversation = drafts.require_sendable(
        session, draft, seen_message_id=seen.message_id, overridden=overridden, limit=limit
    )
    planned = Planned(
        wall=meant.wall,
        is_named=meant.is_named,
        body=draft.body,
        seen=seen,
        subject="" if draft.subject == wording.reply_subject(conversation.subject) else draft.subject,
        language=draft.language,
        template_version_id=draft.template_version_id,
        after_delivery=meant.after_delivery,
    )
    with session.begin_nested():
        follow_up = _schedule(session, conversation, planned, by=by, policy=policy, now=now)
        drafts.discard_draft(session, draft, version=draft.version, by=by, now=now)
    return follow_up


def change_follow_up(
    session: Session, follow_up: FollowUp, planned: Planned, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """Another moment or other words; who changes it has read what is new, so "since" begins anew.

    Raises what `schedule_follow_up` raises, AlreadySettled, ChangedSince where somebody else was quicker, and
    HappenedSince.
    """
    follow_up = _still(session, follow_up, planned.seen, by)
    _require_newest(session, follow_up.conversation, planned.seen, by)
    _require_nothing_new(session, follow_up, planned.seen, policy=policy, now=now)
    require_words(planned.body)
    customer = follow_up.conversation.customer
    moment = moment_of(session, customer, planned, policy=policy, now=now)
    _look_anew(session, follow_up, now=now)
    try:
        with session.begin_nested():
            follow_up.wall, follow_up.is_named, follow_up.due_at = moment.wall, planned.is_named, moment.due_at
            follow_up.awaited_id, follow_up.awaited_days = moment.awaited_id, moment.awaited_days
            follow_up.body, follow_up.needs_yes = planned.body, planned.needs_yes
            follow_up.subject = planned.subject
            follow_up.reckoned_from = reckoned_from(customer)
            follow_up.asked_at = follow_up.asking = follow_up.approved_at = follow_up.approved_by_id = None
    except IntegrityError as error:
        raise _taken(session, follow_up.conversation, follow_up.editor, moment.wall, planned.body) from error
    _note(session, "follow_up.changed", follow_up, by=by, now=now)
    return follow_up


def cancel_follow_up(session: Session, follow_up: FollowUp, seen: Seen, *, by: Editor, now: datetime) -> FollowUp:
    """Take it back, whatever has come since; raises MayNotAnswer, AlreadySettled, ChangedSince."""
    follow_up = _still(session, follow_up, seen, by)
    follow_up.settle(Because.BY_EDITOR, by=by, now=now)
    _note(session, "follow_up.cancelled", follow_up, by=by, now=now)
    return follow_up


def approve_follow_up(
    session: Session, follow_up: FollowUp, seen: Seen, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """Say yes: it goes as soon as her hours and the courtesy budget let it.

    Raises Overtaken, AlreadySettled, ChangedSince, HappenedSince.
    """
    follow_up = _still(session, follow_up, seen, by)
    _require_newest(session, follow_up.conversation, seen, by)
    _require_nothing_new(session, follow_up, seen, policy=policy, now=now)
    follow_up.approve(by=by, now=now)
    follow_up.wait(now)
    _look_anew(session, follow_up, now=now)
    _note(session, "follow_up.approved", follow_up, by=by, now=now)
    return follow_up


def send_follow_up_now(
    session: Session, follow_up: FollowUp, seen: Seen, *, by: Editor, policy: Policy, now: datetime
) -> FollowUp:
    """Let it leave at once, whatever the hour and the budget, as her own mail.

    Raises what `approve_follow_up` raises.
    """
    follow_up = approve_follow_up(session, follow_up, seen, by=by, policy=policy, now=now)
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


def _still(session: Session, follow_up: FollowUp, seen: Seen, by: Editor) -> FollowUp:
    """The follow-up as it is now, she held still, so that neither it leaves nor she does anything meanwhile."""
    if not by.may_answer:
        raise MayNotAnswer
    hold_her_still(session, follow_up.conversation_id)
    fresh = session.get(FollowUp, follow_up.id, populate_existing=True)
    if fresh is None:
        raise FollowUpNotFound
    fresh.require_scheduled()
    fresh.require_version(seen.version)
    return fresh


def _require_newest(session: Session, conversation: Conversation, seen: Seen, by: Editor) -> None:
    if queries.has_newer(session, conversation.id, seen.message_id, by):
        raise Overtaken


def _require_nothing_new(session: Session, follow_up: FollowUp, seen: Seen, *, policy: Policy, now: datetime) -> None:
    """Raise HappenedSince where something would stop it that was not said on the page she looked at."""
    if seen.stops is not None:
        facts = queries.facts_of(session, follow_up, house=policy.zone, now=now)
        if set(all_stops(facts)) - set(seen.stops.split(",")):
            raise HappenedSince


class Moment(NamedTuple):
    """When a mail is due; one that waits for a delivery is due at no moment anybody will live to see."""

    wall: datetime
    due_at: datetime
    awaited_id: int | None = None
    awaited_days: int | None = None


def moment_of(
    session: Session, customer: Customer, planned: Planned | Meant, *, policy: Policy, now: datetime
) -> Moment:
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


def _taken(session: Session, conversation: Conversation, by: Editor, wall: datetime, body: str) -> RuleBroken:
    """What is said of a moment at which one stands already: this very one, or another."""
    there = queries.find_planned(session, conversation.id, by.id, wall)
    return MomentTaken() if there is not None and there.body != body else AlreadyPlanned()


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
