"""Looking whether whoever waits apart is the customer of the conversation this may belong to (see `sameness`)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from concierge.addresses import Address, normalise, spellings
from concierge.catalogue.stock_models import Purchase
from concierge.conversations.joining import may_be_joined
from concierge.conversations.likenesses import Likeness
from concierge.conversations.models import Conversation, Direction, Message, MessageKind
from concierge.conversations.sameness import Proof, are_one_buyer, how_sure
from concierge.customers.models import Customer, CustomerAddress
from concierge.customers.queries import are_kept_apart


def find_proof(
    session: Session, conversation: Conversation, messages: Sequence[Message], doubts: Collection[Likeness]
) -> Proof | None:
    """What makes it sure that the stranger of this conversation is the customer of the one its hint names; or None.

    `messages` are all of it, the oldest first; `doubts` what is to be said of their sender.
    """
    hinted = session.get(Conversation, conversation.hint_conversation_id or 0)
    people = [each for each in messages if each.direction is Direction.IN and each.kind is MessageKind.HUMAN]
    other = conversation.customer
    if hinted is None or not people or hinted.customer_id == other.id or len(other.addresses) != 1:
        return None
    if any(normalise(each.from_address) != other.addresses[0].normalised for each in people):
        return None
    hers = _mails_of(session, hinted)
    proof = how_sure(
        Address(people[0].from_name, people[0].from_address),
        {hinted.customer.name, *(each.from_name for each in hers)},
        answers_ours=_answers_ours(session, people[0], hinted),
        told_us=(each.text[: each.fold_at] for each in hers),
        doubts=doubts,
        authentic=all(each.authentic is not False for each in people),
    )
    if proof is None or are_kept_apart(session, hinted.customer, other) or not may_be_joined(session, other):
        return None
    return proof


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another customer who is she as well, and what makes it sure."""

    customer: Customer
    proof: Proof


def list_same_person(session: Session, customer: Customer) -> list[Candidate]:
    """The customers who are surely `customer` too, and may be joined to her; nobody who was said to be another."""
    found = [Candidate(each, Proof.MAILBOX) for each in _at_one_mailbox(session, customer)]
    known = {customer.id, *(each.customer.id for each in found)}
    found += [Candidate(each, Proof.ACCOUNT) for each in _with_one_account(session, customer) if each.id not in known]
    return [
        each
        for each in found
        if not are_kept_apart(session, customer, each.customer)
        and not are_kept_apart(session, each.customer, customer)
        and may_be_joined(session, each.customer)
    ]


def _at_one_mailbox(session: Session, customer: Customer) -> list[Customer]:
    """Those whose address is one of hers in another spelling: of a house that kept the two apart once."""
    forms = {form for each in customer.addresses for form in spellings(each.address)}
    there = sa.select(CustomerAddress.customer_id).where(CustomerAddress.normalised.in_(forms))
    others = sa.select(Customer).where(Customer.id.in_(there), Customer.id != customer.id)
    return list(session.scalars(others.order_by(Customer.id)))


def _with_one_account(session: Session, customer: Customer) -> list[Customer]:
    """Those of her full name whose orders are of the same account in the shop, and nobody else's are."""
    hers = [each.normalised for each in customer.addresses]
    bought = aliased(Purchase)
    people = (
        sa.select(Purchase.source, Purchase.account, CustomerAddress.customer_id)
        .join(bought, (bought.source == Purchase.source) & (bought.account == Purchase.account))
        .join(CustomerAddress, CustomerAddress.normalised == Purchase.normalised)
        .where(bought.normalised.in_(hers), Purchase.account != sa.literal_column("''"))  # as its index says it
        .distinct()
    )
    sharing: dict[tuple[str, str], set[int]] = defaultdict(set)
    for source, number, customer_id in session.execute(people):
        sharing[source, number].add(customer_id)
    pairs = {other for each in sharing.values() if len(each) == 2 for other in each - {customer.id}}
    others = [session.get_one(Customer, number) for number in sorted(pairs)]
    return [each for each in others if are_one_buyer(each.name, customer.name)]


def _mails_of(session: Session, hinted: Conversation) -> list[Message]:
    """What she wrote there herself."""
    statement = sa.select(Message).where(
        Message.conversation_id == hinted.id,
        Message.direction == Direction.IN,
        Message.kind == MessageKind.HUMAN,
    )
    hers = {each.normalised for each in hinted.customer.addresses}
    return [each for each in session.scalars(statement) if normalise(each.from_address) in hers]


def _answers_ours(session: Session, mail: Message, hinted: Conversation) -> bool:
    ours = sa.select(Message.id).where(
        Message.conversation_id == hinted.id,
        Message.direction == Direction.OUT,
        Message.rfc_message_id.in_([*mail.in_reply_to, *mail.references]),
    )
    return session.scalar(ours.limit(1)) is not None
