"""The facts that begin plans: one query for each kind, over what is true anyway; nothing is noted down beforehand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from concierge.catalogue.models import Variant
from concierge.catalogue.stock_models import Purchase
from concierge.conversations.models import Conversation, ConversationState, Direction, Message, MessageKind
from concierge.customers.models import Customer, CustomerAddress, CustomerDate
from concierge.customers.zones import zone_of
from concierge.followups.plan_models import Plan, PlanRun
from concierge.followups.plans import FORGOTTEN, Start, date_begins
from concierge.mailing.models import Delivery
from concierge.setbacks import rests
from concierge.templating.models import TemplateVersion
from concierge.wishes.models import Wish, WishEnding, WishState, WishVariant
from concierge.wishes.offer_models import Offer, OfferEnding

# The job's name in the timetable.
BEGIN: Final = "followups.begin_plans"


@dataclass(frozen=True, slots=True)
class Fact:
    """What begins a plan: its row, and which time of it (a year, a closing); since when it is true, for whom.

    What she did after `since_at` is news to the plan, and what she wrote after the mail `since_message_id`; None: after
    the fact.
    """

    id: int
    at: datetime
    customer_id: int
    conversation_id: int
    sku: str = ""
    mark: int = 0
    since_at: datetime | None = None
    since_message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which facts are asked for: those of a plan that is on, all of them or one row's, as they are at `now`."""

    plan: Plan
    now: datetime
    house: ZoneInfo
    only: int | None = None

    @property
    def since(self) -> datetime:
        """The oldest a fact may be."""
        assert self.plan.on_at is not None
        return max(self.plan.on_at, self.now - FORGOTTEN)

    def fresh(self, moment: Any) -> sa.ColumnElement[bool]:
        """Whether it came true while the plan was on, and lately."""
        fresh: sa.ColumnElement[bool] = moment.between(self.since, self.now)
        return fresh

    def new(self, row: Any, at: Any, *more: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        """Whether it, true since `at`, has begun nothing yet, does not rest after failing, and is the one asked for."""
        begun = sa.exists().where(
            PlanRun.plan_id == self.plan.id, PlanRun.start == self.plan.start, PlanRun.fact_id == row, *more
        )
        new = ~begun & ~rests(begin_job(self.plan.id), row, self.now, since=at)
        return new if self.only is None else new & (row == self.only)


def begin_job(plan_id: int) -> str:
    """The name under which facts that could not begin a plan are set aside: each plan counts rows of its own kind."""
    return f"{BEGIN} #{plan_id}"


def list_facts(
    session: Session, plan: Plan, *, now: datetime, house: ZoneInfo, only: int | None = None, limit: int = 100
) -> list[Fact]:
    """The facts that are there and have not begun this plan, the oldest first; with `only`, this row's if it is one.

    Who never wrote, or is nobody's, has no editor to write to her.
    """
    if not plan.is_on or plan.start not in _READ:
        return []
    return _READ[plan.start](session, Asked(plan, now, house, only), limit)


def _silent(session: Session, asked: Asked, limit: int) -> list[Fact]:
    """An editor's answer is the last word, and has been for so many days."""
    wait = timedelta(days=asked.plan.days)
    statement = (
        sa.select(Message.id, Conversation.last_message_at, Conversation.customer_id, Conversation.id)
        .join(Message, Message.id == Conversation.last_message_id)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(Conversation.state.in_((ConversationState.OPEN, ConversationState.SNOOZED)))
        .where(Conversation.last_message_at.between(asked.since - wait, asked.now - wait))
        .where(Conversation.waiting_since.is_(None), Conversation.editor_id.is_not(None))
        .where(Message.direction == Direction.OUT, Message.kind == MessageKind.HUMAN)
        .where(
            Delivery.id.is_(None) | (Delivery.purpose == "reply"), asked.new(Message.id, Conversation.last_message_at)
        )
        .order_by(Conversation.last_message_at, Message.id)
        .limit(limit)
    )
    if asked.plan.template_id is not None:
        versions = sa.select(TemplateVersion.id).where(TemplateVersion.template_id == asked.plan.template_id)
        statement = statement.where(Message.template_version_id.in_(versions))
    return [
        Fact(message_id, at + wait, customer_id, talk_id, since_at=at, since_message_id=message_id)
        for message_id, at, customer_id, talk_id in session.execute(statement)
    ]


def _delivered(session: Session, asked: Asked, limit: int) -> list[Fact]:
    """The first line of an order that she has in her hands and kept; the lines of an order begin a plan once."""
    other = aliased(Purchase)
    same = (other.source == Purchase.source, other.normalised == Purchase.normalised, other.at == Purchase.at)
    kept = (other.delivered_at.is_not(None), other.returned_at.is_(None))
    earlier = sa.exists().where(*same, *kept, other.id < Purchase.id)
    begun = (
        sa.select(PlanRun.id)
        .join(other, other.id == PlanRun.fact_id)
        .where(PlanRun.plan_id == asked.plan.id, PlanRun.start == Start.DELIVERED, *same)
        .correlate(Purchase)
    )
    by_address = sa.select(CustomerAddress.customer_id).where(CustomerAddress.normalised == Purchase.normalised)
    buyer = sa.func.coalesce(Purchase.customer_id, by_address.scalar_subquery())
    statement = (
        sa.select(Purchase.id, Purchase.delivered_at, buyer, _talk(buyer), Variant.sku)
        .join(Variant, Variant.id == Purchase.variant_id)
        .where(
            asked.fresh(Purchase.delivered_at),
            Purchase.returned_at.is_(None),
            asked.new(Purchase.id, Purchase.delivered_at),
        )
        .where(~begun.exists(), ~earlier)
        .order_by(Purchase.delivered_at, Purchase.id)
    )
    if not (facts := _facts(session, statement, limit)):
        return []
    # an order that we hear of when it has come already is no news beside itself
    lines = sa.select(Purchase.id, sa.func.max(other.received_at)).join(other, sa.and_(*same)).group_by(Purchase.id)
    heard = {number: at for number, at in session.execute(lines.where(Purchase.id.in_([each.id for each in facts])))}
    return [replace(each, since_at=max(each.at, heard[each.id])) for each in facts]


def _offers(because: OfferEnding) -> Callable[[Session, Asked, int], list[Fact]]:
    def read(session: Session, asked: Asked, limit: int) -> list[Fact]:
        talk = sa.func.coalesce(Wish.conversation_id, _talk(Offer.customer_id))
        statement = (
            sa.select(Offer.id, Offer.ended_at, Offer.customer_id, talk, Variant.sku)
            .join(Wish, Wish.id == Offer.wish_id)
            .join(Variant, Variant.id == Offer.variant_id)
            .where(Offer.ended_because == because, asked.fresh(Offer.ended_at), asked.new(Offer.id, Offer.ended_at))
            .where(Offer.left_at.is_not(None))
            .order_by(Offer.ended_at, Offer.id)
        )
        return _facts(session, statement, limit)

    return read


def _expired(session: Session, asked: Asked, limit: int) -> list[Fact]:
    """A wish she had said yes to ended without a piece."""
    talk = sa.func.coalesce(Wish.conversation_id, _talk(Wish.customer_id))
    dearest = (
        sa.select(Variant.sku)
        .join(WishVariant, WishVariant.variant_id == Variant.id)
        .where(WishVariant.wish_id == Wish.id)
        .order_by(WishVariant.preference)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(Wish.id, Wish.ended_at, Wish.customer_id, talk, dearest)
        .where(Wish.state == WishState.EXPIRED, Wish.ended_because != WishEnding.NEVER_CONFIRMED)
        .where(asked.fresh(Wish.ended_at), asked.new(Wish.id, Wish.ended_at))
        .order_by(Wish.ended_at, Wish.id)
    )
    return _facts(session, statement, limit)


def _closed(session: Session, asked: Asked, limit: int) -> list[Fact]:
    """An editor closed a conversation, and it is closed still; each closing is a fact of its own."""
    statement = (
        sa.select(Conversation.id, Conversation.closed_at, Conversation.customer_id, Conversation.id, sa.literal(""))
        .where(Conversation.state == ConversationState.CLOSED, Conversation.closed_by_id.is_not(None))
        .where(Conversation.not_for_us_at.is_(None), Conversation.editor_id.is_not(None))
        .where(asked.fresh(Conversation.closed_at))
        .where(asked.new(Conversation.id, Conversation.closed_at, PlanRun.fact_at == Conversation.closed_at))
        .order_by(Conversation.closed_at, Conversation.id)
    )
    return _facts(session, statement, limit, mark=lambda at: int(at.timestamp() * 1_000_000))


def _dates(session: Session, asked: Asked, limit: int) -> list[Fact]:
    """A date of hers is so many days ahead, by her own clock; one that was noted later than that has gone by."""
    plan, middle = asked.plan, asked.now.date() + timedelta(days=asked.plan.days)
    days = {(each.month, each.day) for each in (middle + timedelta(days=off) for off in range(-FORGOTTEN.days - 1, 3))}
    days |= {(2, 29)} if (2, 28) in days else set()
    near = sa.or_(*((CustomerDate.month == month) & (CustomerDate.day == day) for month, day in days))
    talk = _talk(CustomerDate.customer_id)
    statement = (
        sa.select(CustomerDate, Customer.zone_name, Customer.country, talk)
        .join(Customer, Customer.id == CustomerDate.customer_id)
        .where(CustomerDate.kind == plan.date_kind, near, talk.is_not(None))
        .where(sa.true() if asked.only is None else CustomerDate.id == asked.only)
        .where(~rests(begin_job(plan.id), CustomerDate.id, asked.now, since=asked.now - FORGOTTEN))
    )
    facts = []
    for found, timezone, country, talk_id in session.execute(statement):
        zone = zone_of(timezone, country, asked.house)
        begun = date_begins(found.month, found.day, plan.days, zone, now=asked.now, since=asked.since)
        if begun is not None and (found.noted_at is None or _was_noted(found.noted_at, begun[1], zone)):
            facts.append(Fact(found.id, begun[1], found.customer_id, talk_id, mark=begun[0]))
    return _not_begun(session, plan, facts)[:limit]


def _was_noted(noted_at: datetime, begun: datetime, zone: ZoneInfo) -> bool:
    """Whether it was known on the day that begins a plan: what is noted on that very day counts."""
    return noted_at.astimezone(zone).date() <= begun.astimezone(zone).date()


def _not_begun(session: Session, plan: Plan, facts: list[Fact]) -> list[Fact]:
    runs = sa.select(PlanRun.fact_id, PlanRun.fact_mark).where(
        PlanRun.plan_id == plan.id, PlanRun.start == plan.start, PlanRun.fact_mark.in_({each.mark for each in facts})
    )
    begun = set(map(tuple, session.execute(runs))) if facts else set()
    return sorted((each for each in facts if (each.id, each.mark) not in begun), key=lambda each: (each.at, each.id))


def _facts(
    session: Session,
    statement: sa.Select[*tuple[Any, ...]],
    limit: int,
    *,
    mark: Callable[[datetime], int] = lambda _at: 0,
) -> list[Fact]:
    """The rows of a statement that selects row, moment, customer, conversation and piece."""
    rows = statement.subquery()
    number, at, customer, talk, _sku = rows.c
    read = sa.select(rows).where(customer.is_not(None), talk.is_not(None)).order_by(at, number).limit(limit)
    return [
        Fact(number, at, customer_id, talk_id, sku or "", mark(at))
        for number, at, customer_id, talk_id, sku in session.execute(read)
    ]


def _talk(customer_id: Any) -> Any:
    """Her newest conversation that is somebody's."""
    talk = aliased(Conversation)
    return (
        sa.select(talk.id)
        .where(talk.customer_id == customer_id, talk.editor_id.is_not(None), talk.not_for_us_at.is_(None))
        .order_by(talk.last_message_at.desc(), talk.id.desc())
        .limit(1)
        .scalar_subquery()
    )


_READ: Final[dict[Start, Callable[[Session, Asked, int], list[Fact]]]] = {
    Start.SILENT: _silent,
    Start.DELIVERED: _delivered,
    Start.PASSED: _offers(OfferEnding.PASSED),
    Start.LAPSED: _offers(OfferEnding.LAPSED),
    Start.EXPIRED: _expired,
    Start.DATE: _dates,
    Start.CLOSED: _closed,
}
