"""Reads what "if not this one" is chosen from: the pieces in stock, and what each customer kept and sent back."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.models import Product, Variant
from concierge.catalogue.queries import count_available, search_products
from concierge.catalogue.sizes import all_systems, kind_of
from concierge.catalogue.stock_models import Purchase
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer, OfferEnding
from concierge.wishes.similar import Candidate, Taste, choose_similar

# An editor who wants no other pieces shown says so by this word in place of SKUs.
NONE = "none"
_MOST_IN_STOCK = 3_000


class Likenesses:
    """Chooses similar pieces for offers; what is in stock is read once, tastes a few hundred customers at a time."""

    def __init__(self, session: Session, *, always: bool) -> None:
        """`always`: also for wishes that did not ask for something similar."""
        self._session, self._always = session, always
        self._stock: dict[str, list[Candidate]] = {}
        self._tastes: dict[int, Taste] = {}
        self._chosen: dict[tuple[str, ...], tuple[str, ...]] = {}

    def choose(
        self, sku: str, customer_id: int, *, chosen: tuple[str, ...], asked: bool, ceiling_cents: int | None
    ) -> tuple[str, ...]:
        """What her editor chose and is still there, else what comes nearest; nothing where nobody asked for it."""
        if chosen:
            return self._still_there(chosen)
        if not (asked or self._always):
            return ()
        piece = self._session.scalar(sa.select(Variant).where(Variant.sku == sku))
        if piece is None:
            return ()
        wanted = candidate_of(piece)
        stock = self._in_stock(wanted.category)
        taste = replace(self._taste(customer_id), ceiling_cents=ceiling_cents)
        return choose_similar(wanted, stock, taste, sizes=wanted.fits)

    def read_tastes(self, customer_ids: Collection[int]) -> None:
        """Read many tastes with two statements."""
        self._tastes |= tastes_of(self._session, customer_ids)

    def _still_there(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        if chosen not in self._chosen:
            free = count_available(self._session, chosen)
            self._chosen[chosen] = tuple(each for each in chosen if free.get(each, 0) > 0)
        return self._chosen[chosen]

    def _taste(self, customer_id: int) -> Taste:
        if customer_id not in self._tastes:
            self.read_tastes([customer_id])
        return self._tastes[customer_id]

    def _in_stock(self, category: str) -> list[Candidate]:
        if category not in self._stock:
            statement = (
                sa.select(Variant)
                .join(Product, Product.id == Variant.product_id)
                .where(Variant.on_hand > Variant.promised + Variant.safety_minimum, Product.category == category)
                .limit(_MOST_IN_STOCK)
            )
            self._stock[category] = [candidate_of(each) for each in self._session.scalars(statement).unique()]
        return self._stock[category]


def list_pieces(session: Session, asked: Variant, words: str, *, most: int = 12) -> list[Variant]:
    """What may stand beside a piece, found by these words: in stock, in her size or in none, one of a product."""
    products = search_products(session, words, in_stock=True)
    fitting = (next((each for each in product.variants if may_stand_beside(asked, each)), None) for product in products)
    return [each for each in fitting if each is not None][:most]


def may_stand_beside(asked: Variant, other: Variant) -> bool:
    """Whether an editor may show this piece beside that one: it is there, in her size, and another product."""
    if other.product_id == asked.product_id or other.available <= 0:
        return False
    kinds = kind_of(asked.product.category), kind_of(other.product.category)
    return not other.size or bool(kinds[0] == kinds[1] and candidate_of(other).fits & candidate_of(asked).fits)


def candidate_of(variant: Variant) -> Candidate:
    """A variant as the rule sees it."""
    product = variant.product
    systems = all_systems(kind_of(product.category), variant.size, variant.size_system) if variant.size else {}
    written = systems or ({variant.size_system: variant.size} if variant.size else {})
    return Candidate(
        sku=variant.sku,
        product_id=product.id,
        category=product.category,
        colour=variant.colour,
        designer=product.designer,
        price_cents=product.price_cents,
        fits=frozenset(f"{system} {size}" for system, size in written.items()),
        tags=frozenset(product.tags),
    )


def tastes_of(session: Session, customer_ids: Collection[int]) -> dict[int, Taste]:
    """What these customers kept, sent back and passed on."""
    bought = (
        sa.select(Purchase.customer_id, Product.id, Product.designer, Purchase.returned_at.is_not(None))
        .join(Variant, Variant.id == Purchase.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Purchase.customer_id.in_(customer_ids))
    )
    passed = (
        sa.select(Wish.customer_id, Wish.product_id)
        .join(Offer, Offer.wish_id == Wish.id)
        .where(Wish.customer_id.in_(customer_ids), Offer.ended_because == OfferEnding.PASSED)
    )
    owned: defaultdict[int, set[int]] = defaultdict(set)
    disliked: defaultdict[int, set[int]] = defaultdict(set)
    liked_designers: defaultdict[int, set[str]] = defaultdict(set)
    disliked_designers: defaultdict[int, set[str]] = defaultdict(set)
    for customer_id, product_id, designer, sent_back in session.execute(bought):
        whose = customer_id or 0
        (disliked if sent_back else owned)[whose].add(product_id)
        (disliked_designers if sent_back else liked_designers)[whose].add(designer)
    for customer_id, product_id in session.execute(passed):
        disliked[customer_id].add(product_id)
    return {
        each: Taste(
            owned=frozenset(owned[each]),
            disliked=frozenset(disliked[each]),
            liked_designers=frozenset(liked_designers[each] - disliked_designers[each]),
            disliked_designers=frozenset(disliked_designers[each] - liked_designers[each]),
        )
        for each in customer_ids
    }
