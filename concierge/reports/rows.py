"""The rows behind every number: wishes that wait, wishes that ended, and offers; by key, a page or a file at a time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue.cards import sizes_words
from concierge.catalogue.models import Product, ProductText, Variant
from concierge.customers.models import Customer, CustomerAddress
from concierge.reports import chances, conditions
from concierge.web.paging import Page, Place
from concierge.wishes.models import Wish, WishEnding, WishState, WishVariant, WishWay
from concierge.wishes.queries import IS_WAITING


class Shelf(StrEnum):
    """Which wishes: those that wait or have an offer, those that ended, those of them we had nothing for in time."""

    OPEN = "open"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class WishFilter:
    """Which wishes to list.

    `first` keeps to those for whom the variant, or the size, is (or is not) the first choice; a `size` is one of
    `system`. `age` is how old those that wait are, and how old those that ended were then.
    """

    shelf: Shelf = Shelf.OPEN
    product_id: int | None = None
    variant_id: int | None = None
    first: bool | None = None
    age: int | None = None
    category: str = ""
    system: str = ""
    size: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class WishRow:
    """A wish as it is listed and exported; money in cents, `sizes` the dearest first."""

    id: int
    state: WishState
    way: WishWay
    quantity: int
    value: int
    currency: str
    confirmed_at: datetime
    ended_at: datetime | None
    ended_because: WishEnding | None
    needed_by: Any
    conversation_id: int | None
    customer_id: int
    customer: str
    address: str
    editor: str
    product_code: str
    product: str
    sizes: tuple[str, ...]
    skus: tuple[str, ...]


def list_wishes(
    session: Session, shown: WishFilter, *, language: str, now: datetime, after: Place | None = None, limit: int = 50
) -> Page[WishRow]:
    """One page: the longest waiting first, or what ended last first."""
    found = session.execute(_wishes(session, shown, after, now=now).limit(limit + 1)).all()
    rows = found[:limit]
    made = tuple(_complete(session, rows, language))
    at = (rows[-1].confirmed_at if shown.shelf is Shelf.OPEN else rows[-1].ended_at) if rows else None
    return Page(made, Place(at, rows[-1].id) if at and len(found) > limit else None)


def walk_wishes(session: Session, shown: WishFilter, *, language: str, now: datetime) -> Iterator[WishRow]:
    """Every wish, page by page; between two pages the session holds nothing, so a long file holds nobody up."""
    after: Place | None = None
    while True:
        page = list_wishes(session, shown, language=language, now=now, after=after, limit=500)
        session.rollback()
        yield from page.rows
        if (after := page.next) is None:
            return


def _wishes(session: Session, shown: WishFilter, after: Place | None, *, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    statement = (
        sa.select(
            Wish.id, Wish.state, Wish.way, Wish.quantity, Wish.confirmed_at, Wish.ended_at, Wish.ended_because,
            Wish.needed_by, Wish.conversation_id, Wish.customer_id, Wish.product_id, Customer.name,
            Product.code, Product.price_cents, Product.currency, Editor.name.label("editor"),
        )
        .join_from(Wish, Customer, Wish.customer_id == Customer.id)
        .join(Product, Wish.product_id == Product.id)
        .outerjoin(Editor, Wish.editor_id == Editor.id)
        .where(*_shelf(shown, now), *_age(session, shown, now), *_piece(shown))
    )  # fmt: skip
    if shown.shelf is Shelf.OPEN:
        ordered = statement.order_by(Wish.confirmed_at, Wish.id)
        return ordered.where(sa.tuple_(Wish.confirmed_at, Wish.id) > _bound(after)) if after else ordered
    ordered = statement.order_by(Wish.ended_at.desc(), Wish.id.desc())
    return ordered.where(sa.tuple_(Wish.ended_at, Wish.id) < _bound(after)) if after else ordered


def _bound(place: Place) -> sa.Tuple:
    return sa.tuple_(sa.literal(place.at, Wish.confirmed_at.type), sa.literal(place.id))


def _shelf(shown: WishFilter, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    yield Wish.confirmed_at.is_not(None)
    if shown.shelf is Shelf.LOST:
        yield from conditions.lost(now)
    else:
        yield Wish.ended_at.is_(None) if shown.shelf is Shelf.OPEN else Wish.ended_at.is_not(None)


def _age(session: Session, shown: WishFilter, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    if shown.age is None:
        return
    if shown.shelf is not Shelf.OPEN:
        yield conditions.age_then(session, Wish.ended_at) == shown.age
        return
    earliest, latest = chances.bounds(shown.age, now)
    yield from [Wish.confirmed_at >= earliest] if earliest else []
    yield from [Wish.confirmed_at < latest] if latest else []


def _piece(shown: WishFilter) -> Iterator[sa.ColumnElement[bool]]:
    if shown.product_id is not None:
        yield Wish.product_id == shown.product_id
    if shown.category:
        yield Product.category == shown.category
    if shown.currency:
        yield Product.currency == shown.currency
    if shown.variant_id is not None or shown.size:
        yield _wants(shown)


def _wants(shown: WishFilter) -> sa.ColumnElement[bool]:
    """Whether a wish is content with a variant, or with a size, and as its first choice if asked."""
    choice = sa.select(WishVariant.wish_id).where(WishVariant.wish_id == Wish.id)
    if shown.variant_id is not None:
        choice = choice.where(WishVariant.variant_id == shown.variant_id)
    if shown.size:
        of_size = (Variant.size == shown.size, Variant.size_system == shown.system)
        choice = choice.join(Variant, WishVariant.variant_id == Variant.id).where(*of_size)
    if shown.first is not None:
        is_first = conditions.is_first_choice()
        choice = choice.where(is_first if shown.first else ~is_first)
    return choice.exists()


def _complete(session: Session, rows: Sequence[Any], language: str) -> Iterator[WishRow]:
    sizes = _sizes(session, [row.id for row in rows], language)
    addresses = primary_addresses(session, {row.customer_id for row in rows})
    names = product_names(session, {row.product_id for row in rows}, language)
    for row in rows:
        address = addresses.get(row.customer_id, "")
        yield WishRow(
            id=row.id, state=row.state, way=row.way, quantity=row.quantity, value=row.quantity * row.price_cents,
            currency=row.currency, confirmed_at=row.confirmed_at, ended_at=row.ended_at,
            ended_because=row.ended_because, needed_by=row.needed_by, conversation_id=row.conversation_id,
            customer_id=row.customer_id, customer=row.name or address, address=address, editor=row.editor or "",
            product_code=row.code, product=names.get(row.product_id, row.code),
            sizes=tuple(size for size, _ in sizes[row.id]), skus=tuple(sku for _, sku in sizes[row.id]),
        )  # fmt: skip


def count_waiting(session: Session, variant_ids: Sequence[int]) -> dict[int, int]:
    """How many wait in the queue of each of these variants now; whoever is content with several stands in each."""
    statement = sa.select(WishVariant.variant_id, sa.func.count()).where(
        WishVariant.variant_id.in_(variant_ids), IS_WAITING
    )
    return {variant_id: count for variant_id, count in session.execute(statement.group_by(WishVariant.variant_id))}


def _sizes(session: Session, wish_ids: list[int], language: str) -> dict[int, list[tuple[str, str]]]:
    """What each wish is for, the dearest first: the colour and size in words, and the SKU."""
    statement = (
        sa.select(WishVariant.wish_id, Variant.colour, Variant.size_system, Variant.size, Variant.sku)
        .join_from(WishVariant, Variant, WishVariant.variant_id == Variant.id)
        .where(WishVariant.wish_id.in_(wish_ids))
        .order_by(WishVariant.wish_id, WishVariant.preference)
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    row: Any
    for row in session.execute(statement):
        found[row.wish_id].append((sizes_words([row], language), row.sku))
    return found


def primary_addresses(session: Session, customer_ids: set[int]) -> dict[int, str]:
    """The address we write to, by customer: the one marked primary, else the first."""
    statement = sa.select(CustomerAddress.customer_id, CustomerAddress.address)
    ordered = statement.where(CustomerAddress.customer_id.in_(customer_ids)).order_by(
        CustomerAddress.is_primary, CustomerAddress.id.desc()
    )
    return {customer_id: address for customer_id, address in session.execute(ordered)}


def product_names(session: Session, product_ids: set[int], language: str) -> dict[int, str]:
    """What each product is called in this language, else in English, else in any."""
    rank = sa.case((ProductText.language == language, 2), (ProductText.language == "en", 1), else_=0)
    statement = sa.select(ProductText.product_id, ProductText.name).where(ProductText.product_id.in_(product_ids))
    return {product_id: name for product_id, name in session.execute(statement.order_by(rank, ProductText.id))}
