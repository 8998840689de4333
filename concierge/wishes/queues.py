"""Reading a variant's queue as it stands, in order, a few hundred places at a time, with what decides about each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product
from concierge.customers.models import Consent, CustomerAddress
from concierge.mailing.queries import list_suppressed
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

    Each few hundred are read with two statements, in the session that is current by then.
    """
    today = now.astimezone(zone).date()
    size = 32
    while True:
        rows = session().connection().execute(_page(variant_id, behind, plain_only, size)).all()
        yield from _judged(session(), variant_id, rows, today=today, now=now)
        if len(rows) < size:
            return
        behind = (rows[-1].rank_at, rows[-1].confirmed_at, rows[-1].wish_id)
        size = AT_ONCE


# The address she is written to: the one marked primary, else the first.
_WRITTEN_TO = (
    sa.select(CustomerAddress.normalised)
    .where(CustomerAddress.customer_id == WishVariant.customer_id)
    .order_by(CustomerAddress.is_primary.desc(), CustomerAddress.id)
    .limit(1)
    .scalar_subquery()
    .label("address")
)


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
            Product.price_cents,
            Wish.needed_by,
            Wish.ceiling_cents,
            Wish.rests_until,
            (Consent.id.is_not(None) & Consent.withdrawn_at.is_(None)).label("has_consent"),
            _WRITTEN_TO,
        )
        .join(Wish, Wish.id == WishVariant.wish_id)
        .join(Product, Product.id == Wish.product_id)
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
    suppressed = list_suppressed(session, [row.address for row in rows if row.address])
    # Taken apart by their order: there may be a hundred thousand.
    for wish_id, rank_at, confirmed_at, moved, preference, quantity, skipped, price_cents, *facts in rows:
        needed_by, ceiling, rests_until, has_consent, address = facts
        barred = str(suppressed.get(address, "")) if suppressed else ""
        known = Facts(price_cents, today, now, needed_by, ceiling, rests_until, has_consent, address or "", barred)
        yield Waiting(
            variant_id, wish_id, rank_at, confirmed_at, bool(moved), preference, quantity, skipped, price_cents,
            waves.void(known),
        )  # fmt: skip
