"""Reading customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.addresses import normalise
from concierge.audit import AuditEntry
from concierge.customers.models import Consent, Customer, CustomerAddress, CustomerNotFound
from concierge.rows import read_rows

PAGE_SIZE = 60
# Of a customer who was joined to another: whose she is since.
JOINED_TO = "customer.joined_to"


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some customers by name, and the name and number to go on behind; None on the last page."""

    customers: tuple[Customer, ...]
    next: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Writer:
    """A customer as far as filing a mail has to know her; `is_new` when that mail made her known."""

    id: int
    name: str
    language: str
    country: str = ""
    offsets: Sequence[Any] = ()
    is_new: bool = False


def get_customer(session: Session, customer_id: int) -> Customer:
    """The customer with this number; raises CustomerNotFound."""
    if (customer := session.get(Customer, customer_id)) is None:
        raise CustomerNotFound
    return customer


def get_person(session: Session, customer_id: int) -> Customer:
    """The customer with this number, or she to whom that one was joined: a link in a mail is hers all the same.

    Raises CustomerNotFound.
    """
    customer, seen = get_customer(session, customer_id), {customer_id}
    while not customer.addresses:  # one who was joined to another has no address of her own any more
        into = [each.details["into"] for each in audit.list_for(session, customer) if each.verb == JOINED_TO]
        if not into or into[-1] in seen:
            return customer
        seen.add(into[-1])
        customer = get_customer(session, into[-1])
    return customer


def find_customer_by_address(session: Session, address: str) -> Customer | None:
    """Whose address this is, however it is written."""
    statement = (
        sa.select(Customer)
        .join(CustomerAddress, CustomerAddress.customer_id == Customer.id)
        .where(CustomerAddress.normalised == normalise(address))
    )
    return session.scalar(statement)


def share_customer(session: Session, address: str) -> Customer | None:
    """Whose address this is; nothing is decided about her until the transaction ends, or is waited for.

    It is what a row that names her does by its foreign key: who writes of an address alone calls this, and who writes
    of her by it, for she may just be joined to another.
    """
    while (customer := find_customer_by_address(session, address)) is not None:
        herself = sa.select(Customer.id).where(Customer.id == customer.id)
        session.execute(herself.with_for_update(read=True, key_share=True, of=Customer)).all()
        if find_customer_by_address(session, address) is customer:
            break
    return customer


_customers, _addresses = (cast("sa.Table", each.__table__) for each in (Customer, CustomerAddress))
_WRITER = (
    sa.select(*(_customers.c[name] for name in ("id", "name", "language", "country", "offsets")))
    .join(_addresses, _addresses.c.customer_id == _customers.c.id)
    .where(_addresses.c.normalised == sa.bindparam("address"))
    .with_for_update(read=True, key_share=True)
)


def find_address(session: Session, address: str) -> CustomerAddress | None:
    """This address, if it is a customer's."""
    return session.scalar(sa.select(CustomerAddress).where(CustomerAddress.normalised == normalise(address)))


def list_pictured(session: Session, addresses: Sequence[str]) -> set[str]:
    """Those of these addresses whose pictures an editor wants to see without asking each time, normalised."""
    wanted = {normalise(each) for each in addresses}
    shown = CustomerAddress.normalised.in_(wanted), CustomerAddress.pictures_at.is_not(None)
    return set(session.scalars(sa.select(CustomerAddress.normalised).where(*shown))) if wanted else set()


def find_writer(session: Session, address: str) -> Writer | None:
    """`share_customer`, for a mail that is filed."""
    values = {"address": normalise(address)}
    # An address that went to another customer while she was waited for is found by the second look.
    found = read_rows(session, _WRITER, values) or read_rows(session, _WRITER, values)
    return Writer(*found[0]) if found else None


def find_join(session: Session, customer: Customer, address_id: int) -> AuditEntry | None:
    """What joined this address to hers: the newest such entry that was not taken back."""
    joins = list_joins(session, customer)
    return next((each for each in reversed(joins) if address_id in each.details["addresses"]), None)


def list_joins(session: Session, customer: Customer) -> list[AuditEntry]:
    """What joined others to her and was not taken back, the newest last."""
    entries = audit.list_for(session, customer)
    separated = {each.details["join"] for each in entries if each.verb == "customer.separated"}
    return [each for each in entries if each.verb == "customer.joined" and each.id not in separated]


def are_kept_apart(session: Session, customer: Customer, other: Customer) -> bool:
    """Whether an editor said that these two are two people."""
    entries = audit.list_for(session, customer)
    return any(each.verb == "customer.kept_apart" and each.details["other"] == other.id for each in entries)


def list_joined(session: Session, customer: Customer) -> set[int]:
    """The numbers of those of her addresses that were joined from another customer."""
    return {each.id for each in customer.addresses if find_join(session, customer, each.id) is not None}


def search_customers(
    session: Session, text: str, *, after: tuple[str, int] | None = None, limit: int = PAGE_SIZE
) -> CustomerPage:
    """Customers in whose name or address every word of `text` stands, by name; all of them when it is empty."""
    key = (sa.func.lower(Customer.name), Customer.id)
    # One who was joined to another has no address of her own any more.
    statement = sa.select(Customer).where(Customer.addresses.any()).order_by(*key).limit(limit + 1)
    for word in text.casefold().split()[:5]:
        pattern = f"%{_literally(word)}%"
        written: list[sa.ColumnElement[str]] = [CustomerAddress.normalised.expression]
        if not word.isascii():  # a domain in other letters stands there as it was typed
            written.append(sa.func.lower(CustomerAddress.address))
        like = sa.or_(*(each.like(pattern, escape="\\") for each in written))
        theirs = sa.select(CustomerAddress.customer_id).where(like)
        named = sa.func.lower(Customer.name).like(pattern, escape="\\")
        statement = statement.where(named | Customer.id.in_(theirs))
    if after is not None:
        statement = statement.where(sa.tuple_(*key) > after)
    found = tuple(session.scalars(statement))
    if len(found) <= limit:
        return CustomerPage(found, None)
    return CustomerPage(found[:limit], (found[limit - 1].name.lower(), found[limit - 1].id))


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def count_customers(session: Session) -> int:
    """How many customers the house knows."""
    return session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0


def list_consents(
    session: Session, customer_id: int, *, purpose: str | None = None, standing_only: bool = False
) -> list[Consent]:
    """What she agreed to, the newest first; to one purpose alone, and without what she took back, if asked."""
    statement = sa.select(Consent).where(Consent.customer_id == customer_id).order_by(Consent.id.desc())
    if purpose is not None:
        statement = statement.where(Consent.purpose == purpose)
    return list(session.scalars(statement.where(Consent.withdrawn_at.is_(None)) if standing_only else statement))
