"""Reading follow-ups: what is due, what is coming, what did not leave and why; and the facts a release decides on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue.stock_models import Purchase
from concierge.config import Policy
from concierge.conversations.models import Conversation, ConversationState, Direction, Message, MessageKind
from concierge.customers.courtesy import WEEK, Courtesy, Late
from concierge.customers.feasts import Closing
from concierge.customers.models import Customer
from concierge.customers.zones import Whence, whence, zone_of
from concierge.drafts import body, queries, wording
from concierge.followups.conditions import Because, Facts, Kindness
from concierge.followups.models import FollowUp, FollowUpNotFound, FollowUpState
from concierge.followups.plan_conditions import is_one_to_one, stop_of_plan
from concierge.followups.plan_models import PlanRun
from concierge.followups.schedule import Window
from concierge.mailing.models import Delivery
from concierge.mailing.queries import find_suppression, list_courteous
from concierge.setbacks import NONE, Rows

PURPOSE = "follow_up"
# So long a parcel is waited for, or spoken of.
WAITED_FOR = timedelta(days=90)
# What is later than this was held up by an outage, and leaves little by little.
HELD_UP = timedelta(minutes=15)
# Those whose day only the shop can tell; one to which an editor has said yes waits for nothing more.
AWAITS = (FollowUp.awaited_id.is_not(None), FollowUp.settled_at.is_(None), FollowUp.approved_at.is_(None))
_HAS_A_DAY = FollowUp.awaited_id.is_(None) | FollowUp.approved_at.is_not(None)
# as a literal, so that the index of those that are not yet carried on is used
_SCHEDULED: sa.ColumnElement[str] = sa.literal_column("'scheduled'")
# scheduled, and not asking; in the words of the index of what is due
WAITS = (FollowUp.settled_at.is_(None), FollowUp.asked_at.is_(None))
_APPROVED = FollowUp.approved_at.is_not(None)
_BEGUN_BY_HAND = sa.exists().where(PlanRun.id == FollowUp.plan_run_id, PlanRun.begun_by_id.is_not(None))


@dataclass(frozen=True, slots=True)
class HerClock:
    """The zone her clock is in, and whence we have it."""

    zone: ZoneInfo
    whence: Whence


def her_clock(customer: Customer, house: ZoneInfo) -> HerClock:
    """Her zone from her profile, else from what her country and her mails say, else the house's."""
    zone = zone_of(customer.zone_name, customer.country, house)
    return HerClock(zone, whence(customer.timezone, customer.mail_zone, customer.country))


def kindness_of(policy: Policy) -> Kindness:
    """The house's numbers as the rule takes them."""
    return Kindness(
        Courtesy(policy.courtesy_mails_per_week, timedelta(hours=policy.courtesy_rest_hours)),
        Window(policy.courtesy_from_hour, policy.courtesy_until_hour),
        timedelta(hours=policy.follow_up_late_hours),
        Late(policy.follow_up_when_late),
        Closing(policy.is_closed, policy.zone),
    )


def get_follow_up(session: Session, follow_up_id: int) -> FollowUp:
    """The follow-up with this number; raises FollowUpNotFound."""
    if (found := session.get(FollowUp, follow_up_id)) is None:
        raise FollowUpNotFound
    return found


def list_uncarried(session: Session, *, limit: int, but: Rows = NONE) -> list[int]:
    """Mails of plans that have left, or have not, and from which their runs go on or end."""
    settled = (FollowUp.plan_run_id.is_not(None), FollowUp.carried_at.is_(None), FollowUp.state != _SCHEDULED)
    return list(
        session.scalars(
            sa.select(FollowUp.id).where(*settled, FollowUp.id.not_in(but)).order_by(FollowUp.id).limit(limit)
        )
    )


def newest_message_id(session: Session) -> int:
    """The number of the newest mail in the house: what is filed from now on has a higher one."""
    return session.scalar(sa.select(sa.func.max(Message.id))) or 0


def newest_of_hers(session: Session, customer_id: int, *, until: datetime) -> int:
    """The number of the newest mail in her conversations by then; 0 where there was none."""
    hers = sa.select(Conversation.id).where(Conversation.customer_id == customer_id)
    newest = sa.select(sa.func.max(Message.id)).where(Message.conversation_id.in_(hers), Message.created_at <= until)
    return session.scalar(newest) or 0


def newest_of_all(session: Session, customer: Customer) -> tuple[int | None, int | None, datetime | None]:
    """What there is of hers as three marks, one of which moves with whatever comes: her mails, orders, returns."""
    hers = sa.select(Conversation.id).where(Conversation.customer_id == customer.id)
    mail = sa.select(sa.func.max(Message.id)).where(Message.conversation_id.in_(hers)).scalar_subquery()
    orders = sa.select(sa.func.max(Purchase.id), sa.func.max(Purchase.returned_at), mail).where(_bought_by(customer))
    order, returned_at, message = session.execute(orders).one()
    return message, order, returned_at


def has_newer(session: Session, conversation_id: int, seen_message_id: int | None, editor: Editor) -> bool:
    """Whether anybody else has written here since the editor looked; a machine is nobody."""
    statement = sa.select(Message.id).where(
        Message.conversation_id == conversation_id,
        Message.id > (seen_message_id or 0),
        Message.kind == MessageKind.HUMAN,
        (Message.direction == Direction.IN) | (Message.editor_id != editor.id),
    )
    return session.scalar(statement.limit(1)) is not None


def find_planned(session: Session, conversation_id: int, editor_id: int, wall: datetime) -> FollowUp | None:
    """What an editor has planned here for this very moment of her clock."""
    hers = (FollowUp.conversation_id == conversation_id, FollowUp.editor_id == editor_id)
    planned = (FollowUp.state == FollowUpState.SCHEDULED, FollowUp.wall == wall)
    return session.scalar(sa.select(FollowUp).where(*hers, *planned))


def list_due(session: Session, *, now: datetime, limit: int, but: Rows = NONE) -> list[tuple[int, datetime]]:
    """Numbers of those that may be due, and since when: those on time, then what was held up, the longest first.

    So nothing that falls due now waits behind a backlog that leaves little by little.
    """
    found: list[tuple[int, datetime]] = []
    for since, until in ((now - HELD_UP, now), (None, now - HELD_UP)):
        statement = sa.select(FollowUp.id, FollowUp.due_at).where(*WAITS, FollowUp.due_at <= until)
        statement = statement.where(FollowUp.due_at > since) if since else statement
        statement = statement.where(FollowUp.id.not_in(but)).order_by(FollowUp.due_at, FollowUp.id)
        rows = session.execute(statement.limit(limit - len(found)))
        found += [(number, due) for number, due in rows]
    return found


def next_due_at(session: Session, *, but: Rows = NONE) -> datetime | None:
    """When the next one may be due."""
    first = sa.select(FollowUp.due_at).where(*WAITS, FollowUp.id.not_in(but)).order_by(FollowUp.due_at).limit(1)
    return session.scalar(first)


def list_moved(session: Session, *, until: datetime, limit: int, but: Rows = NONE) -> list[int]:
    """Those near enough to matter whose reader's zone or country is another than when they were reckoned."""
    statement = (
        sa.select(FollowUp.id)
        .join(Conversation, Conversation.id == FollowUp.conversation_id)
        .join(Customer, Customer.id == Conversation.customer_id)
        .where(*WAITS, FollowUp.due_at <= until, FollowUp.awaited_id.is_(None))
        .where(FollowUp.reckoned_from != Customer.zone_name + ":" + Customer.country, FollowUp.id.not_in(but))
    )
    return list(session.scalars(statement.order_by(FollowUp.due_at, FollowUp.id).limit(limit)))


def find_order(session: Session, customer: Customer, *, now: datetime) -> Purchase | None:
    """What she ordered last, be it on its way or in her hands, if that was lately; of its lines one that is to come."""
    hers = _bought_by(customer)
    waited = (Purchase.returned_at.is_(None), Purchase.at > now - WAITED_FOR)
    statement = sa.select(Purchase).where(hers, *waited)
    return session.scalar(statement.order_by(Purchase.at.desc(), Purchase.delivered_at.is_not(None)).limit(1))


def list_arrived(session: Session, *, limit: int, but: Rows = NONE) -> list[int]:
    """Those whose order is in her hands by now, or came to nothing."""
    statement = (
        sa.select(FollowUp.id)
        .outerjoin(Purchase, Purchase.id == FollowUp.awaited_id)
        .where(*AWAITS, FollowUp.id.not_in(but))
        .where(Purchase.delivered_at.is_not(None) | Purchase.returned_at.is_not(None) | Purchase.id.is_(None))
    )
    return list(session.scalars(statement.order_by(FollowUp.id).limit(limit)))


def list_awaiting(
    session: Session,
    *,
    editor_id: int | None = None,
    looked_before: datetime | None = None,
    limit: int = 100,
    but: Rows = NONE,
) -> list[FollowUp]:
    """What waits for a delivery and for nobody's yes, the longest first: of everybody, or of one editor.

    `looked_before`: only those at which nobody has looked since.
    """
    statement = sa.select(FollowUp).where(*AWAITS, FollowUp.asked_at.is_(None), FollowUp.id.not_in(but))
    if editor_id is not None:
        statement = statement.where(FollowUp.editor_id == editor_id)
    if looked_before is not None:
        statement = statement.where(FollowUp.since_at <= looked_before)
    return list(session.scalars(statement.order_by(FollowUp.since_at, FollowUp.id).limit(limit)))


def held_up_and_sent(session: Session, *, since: datetime) -> Iterator[datetime]:
    """When those left since then that had been held up, the last first; what left on time takes nobody's place."""
    statement = sa.select(FollowUp.due_at, FollowUp.settled_at).where(FollowUp.state == FollowUpState.SENT)
    rows = session.execute(statement.where(FollowUp.settled_at > since).order_by(FollowUp.settled_at.desc()))
    return (left for due, left in rows if left is not None and left - due >= HELD_UP)


def list_of_conversation(session: Session, conversation_id: int, *, settled: int = 5) -> list[FollowUp]:
    """What is planned in a conversation, the next first; then the last that did not leave."""
    here = sa.select(FollowUp).where(FollowUp.conversation_id == conversation_id)
    planned = here.where(FollowUp.state == FollowUpState.SCHEDULED).order_by(FollowUp.due_at, FollowUp.id)
    unsent = here.where(FollowUp.state.in_(UNSENT)).order_by(FollowUp.settled_at.desc(), FollowUp.id.desc())
    return [*session.scalars(planned), *session.scalars(unsent.limit(settled))]


def list_of_colleagues(session: Session, conversation_id: int, editor: Editor) -> list[FollowUp]:
    """What others have planned in a conversation for her, the next first; not what a plan sends by itself."""
    statement = sa.select(FollowUp).where(
        FollowUp.conversation_id == conversation_id,
        FollowUp.state == FollowUpState.SCHEDULED,
        FollowUp.editor_id != editor.id,
    )
    found = session.scalars(statement.order_by(FollowUp.due_at, FollowUp.id))
    return [each for each in found if is_one_to_one(each)]


UNSENT = (FollowUpState.WITHHELD, FollowUpState.CANCELLED)


def list_coming(
    session: Session, *, editor_id: int | None = None, until: datetime | None = None, limit: int = 100
) -> list[FollowUp]:
    """What will leave by itself, the next first: of everybody, or of one editor."""
    statement = sa.select(FollowUp).where(*WAITS, _HAS_A_DAY)
    if editor_id is not None:
        statement = statement.where(FollowUp.editor_id == editor_id)
    if until is not None:
        statement = statement.where(FollowUp.due_at < until)
    return list(session.scalars(statement.order_by(FollowUp.due_at, FollowUp.id).limit(limit)))


def list_between(
    session: Session, starts: datetime, ends: datetime, *, editor_id: int | None = None, limit: int
) -> list[FollowUp]:
    """What is planned from `starts` until before `ends`, that which asks too, the next first."""
    statement = sa.select(FollowUp).where(
        FollowUp.state == FollowUpState.SCHEDULED, FollowUp.due_at >= starts, FollowUp.due_at < ends,
        _HAS_A_DAY,
    )  # fmt: skip
    if editor_id is not None:
        statement = statement.where(FollowUp.editor_id == editor_id)
    return list(session.scalars(statement.order_by(FollowUp.due_at, FollowUp.id).limit(limit)))


def list_asking(session: Session, *, editor_id: int | None = None, limit: int = 100) -> list[FollowUp]:
    """What waits for a yes, the longest first."""
    statement = sa.select(FollowUp).where(FollowUp.state == FollowUpState.SCHEDULED, FollowUp.asked_at.is_not(None))
    if editor_id is not None:
        statement = statement.where(FollowUp.editor_id == editor_id)
    return list(session.scalars(statement.order_by(FollowUp.asked_at, FollowUp.id).limit(limit)))


@dataclass(frozen=True, slots=True)
class UnsentFilter:
    """Which of those that did not leave: for one reason, of one editor, older than a place in the list."""

    because: Because | None = None
    editor_id: int | None = None
    before: tuple[datetime, int] | None = None


def list_unsent(session: Session, shown: UnsentFilter, *, limit: int = 50) -> list[FollowUp]:
    """What did not leave, the latest first."""
    statement = sa.select(FollowUp).where(FollowUp.state.in_(UNSENT))
    if shown.because is not None:
        statement = statement.where(FollowUp.because == shown.because)
    if shown.editor_id is not None:
        statement = statement.where(FollowUp.editor_id == shown.editor_id)
    if shown.before is not None:
        statement = statement.where(sa.tuple_(FollowUp.settled_at, FollowUp.id) < shown.before)
    return list(session.scalars(statement.order_by(FollowUp.settled_at.desc(), FollowUp.id.desc()).limit(limit)))


def list_unsent_lately(session: Session, *, editor_id: int, since: datetime, limit: int = 20) -> list[FollowUp]:
    """What of hers something stopped since then, the latest first; what was taken back by hand is no news."""
    statement = sa.select(FollowUp).where(
        FollowUp.state == FollowUpState.WITHHELD, FollowUp.editor_id == editor_id, FollowUp.settled_at >= since
    )
    return list(session.scalars(statement.order_by(FollowUp.settled_at.desc(), FollowUp.id.desc()).limit(limit)))


def list_failed(session: Session, *, editor_id: int, limit: int = 20) -> list[Conversation]:
    """Her conversations in which a mail of ours did not arrive, the longest first."""
    statement = sa.select(Conversation).where(
        Conversation.editor_id == editor_id,
        Conversation.state == ConversationState.OPEN,
        Conversation.failed_at.is_not(None),
    )
    return list(session.scalars(statement.order_by(Conversation.failed_at, Conversation.id).limit(limit)))


def facts_of(session: Session, follow_up: FollowUp, *, house: ZoneInfo, now: datetime) -> Facts:
    """What is true of a follow-up at this moment; the caller holds what must not change under it."""
    conversation = follow_up.conversation
    customer = conversation.customer
    to = queries.recipient(session, conversation)
    return Facts(
        wall=follow_up.wall,
        zone=her_clock(customer, house).zone,
        country=customer.country,
        is_named=follow_up.is_named,
        awaits_delivery=follow_up.awaited_id is not None,
        she_wrote=_has_written(session, follow_up),
        she_waits=conversation.waiting_since is not None,
        she_bought=_has_bought(
            session, follow_up, Purchase.received_at > follow_up.since_at, Purchase.returned_at.is_(None)
        ),
        she_returned=_has_bought(session, follow_up, Purchase.returned_at > follow_up.since_at),
        colleague_wrote=_has_colleague_written(session, follow_up),
        not_for_us=conversation.not_for_us_at is not None,
        has_address=to is not None,
        suppressed=to is not None and find_suppression(session, to.address) is not None,
        may_answer=follow_up.editor.may_answer,
        mailbox_active=conversation.mailbox.active,
        has_hole=wording.find_hole(body.words(follow_up.body)) is not None,
        needs_yes=follow_up.needs_yes,
        is_approved=follow_up.approved_at is not None,
        at_once=follow_up.at_once,
        sent=list_courteous(session, [each.normalised for each in customer.addresses], since=now - WEEK),
        plan_stop=stop_of_plan(session, follow_up),
    )


def _hers(follow_up: FollowUp) -> sa.Select[int]:
    return sa.select(Conversation.id).where(Conversation.customer_id == follow_up.conversation.customer_id)


def _has_written(session: Session, follow_up: FollowUp) -> bool:
    """A person's mail of hers, wherever; machines, bounces and our own copies are no reply (RFC 3834)."""
    statement = sa.select(Message.id).where(
        Message.conversation_id.in_(_hers(follow_up)),
        Message.id > follow_up.since_message_id,
        Message.direction == Direction.IN,
        Message.kind == MessageKind.HUMAN,
    )
    return session.scalar(statement.limit(1)) is not None


def _has_colleague_written(session: Session, follow_up: FollowUp) -> bool:
    """Another editor's own mail to her, a follow-up that somebody meant for her among them.

    A letter of the house is none, nor is what a plan sends by itself in an editor's name: nobody wrote that to her, and
    the courtesy budget keeps the two apart.
    """
    meant = (
        sa.exists()
        .where(FollowUp.delivery_id == Delivery.id, FollowUp.plan_run_id.is_(None) | _APPROVED | _BEGUN_BY_HAND)
        .correlate(Delivery)
    )
    by_hand = (Delivery.purpose == "reply") | ((Delivery.purpose == PURPOSE) & meant)
    statement = (
        sa.select(Message.id)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(Message.conversation_id.in_(_hers(follow_up)), Message.id > follow_up.since_message_id)
        .where(Message.direction == Direction.OUT, Message.kind == MessageKind.HUMAN)
        .where(Message.editor_id != follow_up.editor_id, Delivery.id.is_(None) | by_hand)
    )
    return session.scalar(statement.limit(1)) is not None


def _has_bought(session: Session, follow_up: FollowUp, *conditions: sa.ColumnElement[bool]) -> bool:
    hers = _bought_by(follow_up.conversation.customer)
    return session.scalar(sa.select(Purchase.id).where(hers, *conditions).limit(1)) is not None


def _bought_by(customer: Customer) -> sa.ColumnElement[bool]:
    addresses = [each.normalised for each in customer.addresses]
    return (Purchase.customer_id == customer.id) | Purchase.normalised.in_(addresses)
