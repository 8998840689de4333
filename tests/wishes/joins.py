"""Joining two customers, separating them again, and all that is known of what they wish for."""

import sqlalchemy as sa

from concierge.catalogue.stock_models import Purchase
from concierge.conversations.joining import join_customer, separate_customer
from concierge.wishes.invariants import find_broken_invariants
from concierge.wishes.models import Wish, WishPurchase, WishVariant
from concierge.wishes.offer_models import Offer
from tests.factories import DAY
from tests.wishes.builders import FRIDAY

LATER = FRIDAY + DAY
_TABLES = (Wish, WishVariant, Offer, Purchase, WishPurchase)


def rows(session):
    """All that is known of wishes, offers and orders, but in what order they were touched."""
    session.flush()
    session.expire_all()
    found = {}
    for table in _TABLES:
        columns = table.__table__.c
        keys = [each for each in columns if each.primary_key]
        for row in session.execute(sa.select(*columns).order_by(*keys)):
            values = dict(zip(columns.keys(), row, strict=True))
            found[table.__name__, *(values[each.name] for each in keys)] = values
    return found


def sound(session):
    session.flush()
    assert find_broken_invariants(session) == []


def join(session, two, nadia, *, now=LATER):
    join_customer(session, *two, by=nadia, now=now)
    sound(session)


def separate(session, two, nadia, *, now=LATER + DAY):
    address = two[0].addresses[-1].id
    parted = separate_customer(session, two[0], address, by=nadia, now=now)
    assert parted.customer is two[1]
    sound(session)
    return parted.kept
