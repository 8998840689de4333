"""Two customers who are one person: her addresses and conversations joined by hand, and separated again."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.addresses import normalise
from concierge.audit import AuditEntry
from concierge.conversations.brought import BROUGHT, Separation
from concierge.conversations.models import Conversation, Direction, Message
from concierge.customers.models import Customer, CustomerAddress, LastAddress
from concierge.customers.queries import JOINED_TO, find_join, list_joins
from concierge.db import Base
from concierge.errors import RuleBroken

# What goes along, and what may stay behind unseen: whatever else speaks of a customer speaks against joining her.
_GOES_OR_STAYS = {"customer_address", "conversation", "customer_size", "customer_date"}


class SamePerson(RuleBroken):
    """That is her own address already."""


class HasMore(RuleBroken):
    """A plan of ours wrote to her, or she agreed to such mails or refused them: that belongs to her own address."""


class NotJoined(RuleBroken):
    """This address was not joined from another customer."""


class JoinedElsewhere(RuleBroken):
    """One of the two was joined to another customer meanwhile. Look at both again."""


class JoinedSince(RuleBroken):
    """Another customer with wishes for the same was joined to her since. Separate that one first."""


class MergedSince(RuleBroken):
    """Conversations of both were brought together since. Undo that first."""


def join_customer(session: Session, customer: Customer, other: Customer, *, by: Editor, now: datetime) -> None:
    """`other` is the same person: her addresses, conversations and wishes are `customer`'s from now on.

    Never by itself: an editor says so. Raises SamePerson, JoinedElsewhere, HasMore where something hangs on the other
    that must stay with its own address, and what `bring` does.
    """
    if other.id == customer.id:
        raise SamePerson
    _lock(session, customer, other)
    if not (customer.addresses and other.addresses):
        raise JoinedElsewhere
    if not may_be_joined(session, other):
        raise HasMore
    addresses = list(session.scalars(sa.select(CustomerAddress.id).where(CustomerAddress.customer_id == other.id)))
    talks = list(session.scalars(sa.select(Conversation.id).where(Conversation.customer_id == other.id)))
    _give(session, customer, addresses, talks)
    brought = {name: each.bring(session, customer, other, by=by, now=now) for name, each in BROUGHT.items()}
    details = {"other": other.id, "addresses": addresses, "conversations": talks, "brought": brought}
    audit.record(session, "customer.joined", customer, by=by, now=now, **details)
    audit.record(session, JOINED_TO, other, by=by, now=now, into=customer.id)


def may_be_joined(session: Session, other: Customer) -> bool:
    """Whether nothing hangs on this customer that must stay with her own address."""
    return not _has_more(session, other)


def keep_apart(session: Session, customer: Customer, other: Customer, *, by: Editor, now: datetime) -> None:
    """They are two people: it is not proposed again that `other` is `customer`."""
    audit.record(session, "customer.kept_apart", customer, by=by, now=now, other=other.id)


class Separated(NamedTuple):
    """The other customer, as she is again, and in sentences what could not be undone."""

    customer: Customer
    kept: list[str]


def separate_customer(session: Session, customer: Customer, address_id: int, *, by: Editor, now: datetime) -> Separated:
    """She is another person after all: what was joined with this address is hers again, and what came from it since.

    Raises NotJoined, JoinedSince, MergedSince, LastAddress.
    """
    _lock(session, customer)
    join = find_join(session, customer, address_id)
    if join is None:
        raise NotJoined
    if any(_rests_on(later, join) for later in list_joins(session, customer) if later.id > join.id):
        raise JoinedSince
    leaving = [each for each in customer.addresses if each.id in join.details["addresses"]]
    if len(leaving) == len(customer.addresses):
        raise LastAddress
    talks = {*join.details["conversations"], *_written_since(session, customer, leaving, join.at)}
    hers = list(session.scalars(sa.select(Conversation).where(Conversation.customer_id == customer.id)))
    going = [each.id for each in hers if each.id in talks]
    if any((each.id in talks) != (each.merged_into_id in talks) for each in hers if each.merged_into_id is not None):
        raise MergedSince
    other = session.get_one(Customer, join.details["other"])
    was_primary = any(each.is_primary for each in leaving)
    _give(session, other, [each.id for each in leaving], going)
    if was_primary:
        customer.addresses[0].is_primary = True
    other.addresses[0].is_primary = True
    separation = Separation(join.at, going, {each.normalised for each in other.addresses})
    kept = [
        words
        for name, brought in join.details.get("brought", {}).items()
        for words in BROUGHT[name].give_back(session, customer, other, brought, separation, by=by, now=now)
    ]
    audit.record(session, "customer.separated", customer, by=by, now=now, join=join.id, other=other.id)
    return Separated(other, kept)


def _rests_on(later: AuditEntry, join: AuditEntry) -> bool:
    """Whether the later join changed what this one had made, so that it has to be undone first."""
    both = (each.details.get("brought", {}) for each in (later, join))
    changed = [
        {(name, number) for name, one in brought.items() for number in BROUGHT[name].changed(one)} for brought in both
    ]
    return bool(changed[0] & changed[1])


def _lock(session: Session, *customers: Customer) -> None:
    """Hold what hangs on them, then themselves, then their addresses: in the order in which everybody takes them."""
    numbers = sorted(each.id for each in customers)
    for each in BROUGHT.values():
        each.lock(session, numbers)
    for number in numbers:
        session.get(Customer, number, with_for_update=True, populate_existing=True)
    # So that PostgreSQL counts an address that goes as another: who waited to share it then looks again.
    theirs = sa.select(CustomerAddress.id).where(CustomerAddress.customer_id.in_(numbers)).order_by(CustomerAddress.id)
    session.execute(theirs.with_for_update()).all()


def _give(session: Session, to: Customer, addresses: list[int], talks: list[int]) -> None:
    session.flush()
    whose = {"customer_id": to.id}
    theirs = sa.update(CustomerAddress).where(CustomerAddress.id.in_(addresses)).values(whose | {"is_primary": False})
    session.execute(theirs.execution_options(synchronize_session=False))
    moved = sa.update(Conversation).where(Conversation.id.in_(talks)).values(whose)
    session.execute(moved.execution_options(synchronize_session=False))
    session.expire_all()


def _has_more(session: Session, customer: Customer) -> bool:
    """Whether anything is hers, in whatever part of the house, that does not go along."""
    if customer.declined_at is not None or any(each.stays(session, customer) for each in BROUGHT.values()):
        return True
    goes = _GOES_OR_STAYS.union(*(each.tables for each in BROUGHT.values()))
    keys = [key for table in Base.metadata.sorted_tables for key in table.foreign_keys]
    hers = [key.parent for key in keys if key.column.table.name == "customer" and key.parent.table.name not in goes]
    return any(session.scalar(sa.select(each).where(each == customer.id).limit(1)) is not None for each in hers)


def _written_since(session: Session, customer: Customer, leaving: list[CustomerAddress], since: datetime) -> set[int]:
    """Conversations begun since then in which only the leaving addresses wrote."""
    theirs = {each.normalised for each in leaving}
    statement = (
        sa.select(Message.conversation_id, Message.from_address)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.customer_id == customer.id, Conversation.created_at >= since)
        .where(Message.direction == Direction.IN)
    )
    writers: dict[int, set[str]] = {}
    for number, address in session.execute(statement):
        writers.setdefault(number, set()).add(normalise(address))
    return {number for number, found in writers.items() if found <= theirs}
