"""Restocks with their waves, and offers in the order in which they were made: to whom, why, and what became of each."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue.cards import sized_words
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import colour_name
from concierge.catalogue.stock_models import Restock, RestockNotFound
from concierge.customers.models import Customer
from concierge.errors import NotFound
from concierge.reports import conditions
from concierge.reports.counting import became_of_waves
from concierge.reports.rows import primary_addresses, product_names
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState, Wave, WavePolicy
from concierge.wishes.waves import tiers_ahead


class Became(StrEnum):
    """What became of an offer, as far as the house's figures tell offers apart."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    ANSWERED = "answered"  # one or the other
    BOUGHT = "bought"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class RestockRow:
    """A restock in the list: what came, and what became of it so far."""

    restock: Restock
    waves: int
    offers: int
    taken: int
    not_taken: int


@dataclass(frozen=True, slots=True)
class WaveRow:
    """A wave within its restock; `round` begins with 1."""

    wave: Wave
    round: int
    offers: int
    taken: int
    not_taken: int


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers to list; those of one wave or one restock come in the order in which they were made.

    `asked_by` keeps to those the chances of a count at that moment rest on, `age` to wishes that were as old when the
    offer was made, `travelled` to those over which times are taken.
    """

    wave_id: int | None = None
    restock_id: int | None = None
    asked_by: datetime | None = None
    age: int | None = None
    travelled: bool = False
    became: Became | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer as it is listed and exported; money in cents.

    `place`, `of`, `before_by_tier` and `since` say why it was her turn; `moved_because` when a colleague moved her.
    """

    id: int
    wave_id: int
    restock_id: int | None
    customer_id: int
    customer: str
    conversation_id: int | None
    editor: str
    product_code: str
    product: str
    colour: str
    size: str
    sku: str
    quantity: int
    price_cents: int
    currency: str
    place: int
    of: int
    before_by_tier: int
    tiers: tuple[str, ...]
    by_tier: bool
    since: datetime
    moved_because: str
    made_at: datetime
    left_at: datetime | None
    held_until: datetime | None
    holds: bool
    says_held: bool
    state: OfferState
    ended_at: datetime | None
    ended_because: OfferEnding | None


@dataclass(frozen=True, slots=True)
class OfferPage:
    """Some offers, and the token of the page behind; None on the last."""

    rows: list[OfferRow]
    next: str | None


class WaveNotFound(NotFound):
    """There is no such wave."""


def get_restock(session: Session, restock_id: int) -> Restock:
    """The restock with this number; raises RestockNotFound."""
    if (restock := session.get(Restock, restock_id)) is None:
        raise RestockNotFound
    return restock


def get_wave(session: Session, wave_id: int) -> Wave:
    """The wave with this number; raises WaveNotFound."""
    if (wave := session.get(Wave, wave_id)) is None:
        raise WaveNotFound
    return wave


def list_restocks(
    session: Session, *, product_id: int | None = None, before: int | None = None, limit: int = 30
) -> tuple[list[RestockRow], int | None]:
    """Restocks, the newest first, and the number to go on before; those that only flapped are left out."""
    statement = sa.select(Restock).where(Restock.flapped.is_(False)).order_by(Restock.id.desc()).limit(limit + 1)
    if product_id is not None:
        statement = statement.where(
            Restock.variant_id.in_(sa.select(Variant.id).where(Variant.product_id == product_id))
        )
    if before is not None:
        statement = statement.where(Restock.id < before)
    found = list(session.scalars(statement).unique())
    restocks = found[:limit]
    return list(_with_waves(session, restocks)), restocks[-1].id if len(found) > limit else None


def walk_restocks(session: Session, *, product_id: int | None = None) -> Iterator[RestockRow]:
    """Every restock that was believed, page by page; between two pages the session holds nothing."""
    before: int | None = None
    while True:
        rows, before = list_restocks(session, product_id=product_id, before=before, limit=200)
        yield from rows
        session.rollback()
        if before is None:
            return


def _with_waves(session: Session, restocks: Sequence[Restock]) -> Iterator[RestockRow]:
    by_restock: dict[int, list[int]] = defaultdict(list)
    statement = sa.select(Wave.restock_id, Wave.id).where(Wave.restock_id.in_([each.id for each in restocks]))
    for restock_id, wave_id in session.execute(statement):
        by_restock[restock_id or 0].append(wave_id)
    became = became_of_waves(session, [each for ids in by_restock.values() for each in ids])
    for restock in restocks:
        waves = by_restock[restock.id]
        sums = [sum(became[wave][number] for wave in waves) for number in range(3)]
        yield RestockRow(restock, len(waves), *sums)


def list_waves(session: Session, restock_id: int) -> list[WaveRow]:
    """The waves of a restock, the first first."""
    waves = list(session.scalars(sa.select(Wave).where(Wave.restock_id == restock_id).order_by(Wave.id)).unique())
    became = became_of_waves(session, [each.id for each in waves])
    return [WaveRow(wave, number, *became[wave.id]) for number, wave in enumerate(waves, start=1)]


def list_offers(session: Session, shown: OfferFilter, *, language: str, after: str = "", limit: int = 50) -> OfferPage:
    """One page of offers, from behind the token `after` on; a token nobody can read is the beginning."""
    found = session.execute(_offers(session, shown, _read(after)).limit(limit + 1)).all()
    rows = found[:limit]
    names = product_names(session, {row.product_id for row in rows}, language)
    addresses = primary_addresses(session, {row.customer_id for row in rows if not row.name})
    made = [_offer_row(row, names, row.name or addresses.get(row.customer_id, ""), language) for row in rows]
    last = rows[-1] if len(found) > limit else None
    return OfferPage(made, f"{last.wave_id}-{last.place}-{last.id}" if last else None)


def walk_offers(session: Session, shown: OfferFilter, *, language: str) -> Iterator[OfferRow]:
    """Every offer, page by page; between two pages the session holds nothing."""
    after: str | None = ""
    while after is not None:
        page = list_offers(session, shown, language=language, after=after, limit=500)
        session.rollback()
        yield from page.rows
        after = page.next


def _read(token: str) -> tuple[int, int, int] | None:
    parts = token.split("-")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 19 for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


def _offers(session: Session, shown: OfferFilter, after: tuple[int, int, int] | None) -> sa.Select[*tuple[Any, ...]]:
    statement = (
        sa.select(
            Offer.id, Offer.wave_id, Wave.restock_id, Offer.customer_id, Customer.name, Wish.conversation_id,
            Editor.name.label("editor"), Variant.product_id, Product.code, Variant.colour,
            Variant.size_system, Variant.size, Variant.sku, Offer.quantity, Offer.price_cents, Product.currency,
            Offer.place, Wave.waiting, Offer.before_by_tier, Offer.by_tier, Wish.confirmed_at, Wish.created_at,
            Wish.moved_because, Offer.made_at, Offer.left_at, Offer.held_until, Offer.holds, Offer.says_held,
            Offer.state, Offer.ended_at, Offer.ended_because, WavePolicy.head_starts,
        )
        .join_from(Offer, Wave, Offer.wave_id == Wave.id)
        .join(WavePolicy, Wave.policy_id == WavePolicy.id)
        .join(Wish, Offer.wish_id == Wish.id)
        .join(Customer, Offer.customer_id == Customer.id)
        .join(Variant, Offer.variant_id == Variant.id)
        .join(Product, Variant.product_id == Product.id)
        .outerjoin(Editor, Offer.editor_id == Editor.id)
        .where(*_conditions(session, shown))
    )  # fmt: skip
    if shown.wave_id is None and shown.restock_id is None:
        ordered = statement.order_by(Offer.id.desc())
        return ordered.where(Offer.id < after[2]) if after else ordered
    ordered = statement.order_by(Offer.wave_id, Offer.place, Offer.id)
    if after is None:
        return ordered
    return ordered.where(sa.tuple_(Offer.wave_id, Offer.place, Offer.id) > sa.tuple_(*map(sa.literal, after)))


def _conditions(session: Session, shown: OfferFilter) -> Iterator[sa.ColumnElement[bool]]:
    if shown.wave_id is not None:
        yield Offer.wave_id == shown.wave_id
    if shown.restock_id is not None:
        yield Offer.wave_id.in_(sa.select(Wave.id).where(Wave.restock_id == shown.restock_id))
    if shown.asked_by is not None:
        yield from conditions.asked(shown.asked_by)
    if shown.age is not None:
        yield conditions.age_then(session, Offer.made_at) == shown.age
    if shown.travelled:
        yield conditions.travelled()
    if shown.became is not None:
        yield _became(shown.became)


def _became(became: Became) -> sa.ColumnElement[bool]:
    was_taken, was_not = conditions.was_taken(), Offer.ended_because.in_(conditions.NOT_TAKEN)
    return {
        Became.TAKEN: was_taken,
        Became.NOT_TAKEN: was_not,
        Became.ANSWERED: sa.or_(was_taken, was_not),
        Became.BOUGHT: conditions.was_bought(),
        Became.OPEN: sa.and_(Offer.ended_at.is_(None), Offer.state == OfferState.OPEN),
    }[became]


def _offer_row(row: Any, names: dict[int, str], customer: str, language: str) -> OfferRow:
    return OfferRow(
        id=row.id, wave_id=row.wave_id, restock_id=row.restock_id, customer_id=row.customer_id, customer=customer,
        conversation_id=row.conversation_id, editor=row.editor or "", product_code=row.code,
        product=names.get(row.product_id, row.code), colour=colour_name(row.colour, language),
        size=sized_words(row), sku=row.sku, quantity=row.quantity,
        price_cents=row.price_cents, currency=row.currency, place=row.place, of=row.waiting,
        before_by_tier=row.before_by_tier, tiers=tiers_ahead(row), by_tier=row.by_tier,
        since=row.confirmed_at or row.created_at, moved_because=row.moved_because, made_at=row.made_at,
        left_at=row.left_at, held_until=row.held_until, holds=row.holds, says_held=row.says_held, state=row.state,
        ended_at=row.ended_at, ended_because=row.ended_because,
    )  # fmt: skip
