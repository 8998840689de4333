"""Reading a variant's queue as it stands, in order, a few hundred places at a time, with what decides about each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product
from concierge.conversations.models import Conversation
from concierge.customers.models import Consent, Customer, CustomerAddress
from concierge.mailing.queries import list_suppressed
from concierge.rows import is_one_of
from concierge.wishes import waves
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.queries import IS_WAITING
from concierge.wishes.waves import Facts, Key, Place

# Places read at once.
AT_ONCE = 500


class Waiting(NamedTuple):
    """Somebody in the queue of one variant, with what an offer to her needs."""

    variant_id: int
    wish_id: int
    rank_at: datetime
    confirmed_at: datetime
    moved: bool
    preference: int
    quantity: int
    skipped_because: str
    customer_id: int
    editor_id: int | None
    timezone: str
    country: str
    price_cents: int
    void: str

    @property
    def key(self) -> Key:
        """Where she stands."""
        return (self.rank_at, self.confirmed_at, self.wish_id)

    def place(self, choices: tuple[int, ...]) -> Place:
        """Her place, content with these variants."""
        return Place(
            self.wish_id, self.rank_at, self.confirmed_at, self.quantity, self.moved, choices, self.void, facts=self
        )


def read_queue(
    session: Callable[[], Session],
    variant_id: int,
    *,
    behind: Key | None,
    plain_only: bool,
    now: datetime,
    zone: ZoneInfo,
) -> Iterator[Waiting]:
    """Those who wait for a variant, by rank, from behind a key on; `plain_only` leaves out those with a head start.

    Each few hundred are read with three statements, in the session that is current by then.
    """
    today = now.astimezone(zone).date()
    size = 32
    while True:
        rows = session().execute(_page(variant_id, behind, plain_only, size)).all()
        yield from _judged(session(), variant_id, rows, today=today, now=now)
        if len(rows) < size:
            return
        behind = (rows[-1].rank_at, rows[-1].confirmed_at, rows[-1].wish_id)
        size = AT_ONCE


def _page(variant_id: int, behind: Key | None, plain_only: bool, size: int) -> sa.Select[*tuple[Any, ...]]:
    statement: sa.Select[*tuple[Any, ...]] = (
        sa.select(
            WishVariant.wish_id,
            WishVariant.rank_at,
            Wish.confirmed_at,
            Wish.moved_at.is_not(None).label("moved"),
            WishVariant.preference,
            Wish.quantity,
            Wish.skipped_because,
            Wish.customer_id,
            sa.func.coalesce(Wish.editor_id, Conversation.editor_id).label("editor_id"),
            Customer.zone_name.label("timezone"),
            Customer.country,
            Product.price_cents,
            Wish.needed_by,
            Wish.ceiling_cents,
            Wish.rests_until,
            (Consent.id.is_not(None) & Consent.withdrawn_at.is_(None)).label("has_consent"),
        )
        .join(Wish, Wish.id == WishVariant.wish_id)
        .join(Customer, Customer.id == Wish.customer_id)
        .join(Product, Product.id == Wish.product_id)
        .outerjoin(Conversation, Conversation.id == Wish.conversation_id)
        .outerjoin(Consent, Consent.id == Wish.consent_id)
        .where(WishVariant.variant_id == variant_id, IS_WAITING)
        .order_by(WishVariant.rank_at, Wish.confirmed_at, WishVariant.wish_id)
        .limit(size)
    )
    if behind is not None:
        key = sa.tuple_(WishVariant.rank_at, Wish.confirmed_at, WishVariant.wish_id)
        statement = statement.where(WishVariant.rank_at >= behind[0], key > behind)
    if plain_only:
        statement = statement.where(Wish.moved_at.is_not(None) | (WishVariant.rank_at >= Wish.confirmed_at))
    return statement


def _judged(session: Session, variant_id: int, rows: Sequence[Any], *, today: date, now: datetime) -> Iterator[Waiting]:
    addresses = _addresses(session, [row.customer_id for row in rows])
    suppressed = list_suppressed(session, list(addresses.values())) if addresses else {}
    for row in rows:
        address = addresses.get(row.customer_id, "")
        facts = Facts(
            price_cents=row.price_cents,
            today=today,
            now=now,
            needed_by=row.needed_by,
            ceiling_cents=row.ceiling_cents,
            rests_until=row.rests_until,
            has_consent=row.has_consent,
            address=address,
            suppressed=str(suppressed.get(address, "")),
        )
        yield Waiting(
            variant_id=variant_id,
            wish_id=row.wish_id,
            rank_at=row.rank_at,
            confirmed_at=row.confirmed_at,
            moved=bool(row.moved),
            preference=row.preference,
            quantity=row.quantity,
            skipped_because=row.skipped_because,
            customer_id=row.customer_id,
            editor_id=row.editor_id,
            timezone=row.timezone,
            country=row.country,
            price_cents=row.price_cents,
            void=waves.void(facts),
        )


def _addresses(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    """The address each of them is written to: the one marked primary, else the first."""
    if not customer_ids:
        return {}
    statement = (
        sa.select(CustomerAddress.customer_id, CustomerAddress.normalised)
        .where(is_one_of(session, CustomerAddress.customer_id, customer_ids))
        .order_by(CustomerAddress.is_primary, CustomerAddress.id.desc())
    )
    return {customer_id: address for customer_id, address in session.execute(statement)}
