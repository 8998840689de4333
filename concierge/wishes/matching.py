"""Which wish a purchase fulfils, or no longer does: by the checkout's hold token, else by who bought and what."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.stock_models import Purchase
from concierge.customers.models import CustomerAddress
from concierge.wishes import queries
from concierge.wishes.models import Wish, WishPurchase, WishVariant
from concierge.wishes.offer_models import Offer
from concierge.wishes.offering import fulfil_wish
from concierge.wishes.restoring import undo_purchase


def match_purchase(session: Session, purchase_id: int, *, offer_id: int | None, now: datetime) -> bool:
    """Fulfil the wish this purchase answers, if there is one; whether it did. Looked for once.

    `offer_id` is what its hold token says. A purchase of any variant the wish names counts, bought anywhere, and so
    does one by somebody else with her token; one made before she wished does not. One that came to nothing after all
    is looked at again, and gives her wish back.
    """
    statement = (
        sa.select(Purchase)
        .where(Purchase.id == purchase_id, Purchase.matched_at.is_(None))
        .with_for_update(of=Purchase)
    )
    if (purchase := session.scalar(statement.execution_options(populate_existing=True))) is None:
        return False
    purchase.matched_at = now
    if purchase.returned_at is not None:
        undo_purchase(session, purchase, now=now)
        return False
    if session.get(WishPurchase, purchase.id) is not None:  # it came to nothing for a moment, and nobody had looked
        return False
    if (wish := _by_offer(session, purchase, offer_id) or _by_address(session, purchase)) is None:
        return False
    fulfil_wish(session, wish, purchase, now=now)
    # whose it is by now, as nobody can be joined to another while the wish is held
    purchase.customer_id = purchase.customer_id or wish.customer_id
    return True


def _by_offer(session: Session, purchase: Purchase, offer_id: int | None) -> Wish | None:
    found = session.execute(sa.select(Offer.wish_id, Offer.variant_id).where(Offer.id == (offer_id or 0))).first()
    if found is None:
        return None
    wish = queries.get_wish_alone(session, found.wish_id)
    named = {choice.variant_id for choice in wish.choices}
    return wish if wish.is_living and purchase.variant_id in named | {found.variant_id} else None


def _by_address(session: Session, purchase: Purchase) -> Wish | None:
    customer_id = purchase.customer_id
    if customer_id is None and purchase.normalised:
        customer_id = session.scalar(
            sa.select(CustomerAddress.customer_id).where(CustomerAddress.normalised == purchase.normalised)
        )
    if customer_id is None:
        return None
    statement = (
        sa.select(Wish)
        .join(WishVariant, WishVariant.wish_id == Wish.id)
        .where(WishVariant.customer_id == customer_id, WishVariant.variant_id == purchase.variant_id)
        .where(queries.IS_LIVING, Wish.created_at <= purchase.at)
    )
    return session.scalars(statement).unique().first()
