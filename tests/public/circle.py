"""Steps on the customer's side, for every test of her pages: a wish with its links, an offer that has left."""

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from concierge import clock
from concierge.config import Config
from concierge.db import Base
from concierge.mailing.models import Delivery
from concierge.wishes import links
from concierge.wishes.models import Wish, WishRequest
from concierge.wishes.offer_models import Offer
from tests.wishes.builders import offers, share_out, wish_for

FORM = {"product": "CAL-TUR", "sku": ["CAL-TUR-36"], "email": "barbara@example.com", "consent": "en.1"}


def path(config: Config, link: str) -> str:
    """The link as the test's browser follows it."""
    return link.removeprefix(config.base_url)


def ask(client: FlaskClient, **change: object) -> TestResponse:
    """Fill in the shop's form."""
    return client.post("/wishes/requests", data=FORM | change)


def newest_request(session: Session) -> WishRequest:
    """What was asked last."""
    session.rollback()
    return session.scalars(sa.select(WishRequest).order_by(WishRequest.id.desc())).unique().first()


def only_wish(session: Session) -> Wish:
    """The one wish there is, as it is now."""
    session.rollback()
    return session.scalars(sa.select(Wish).execution_options(populate_existing=True)).unique().one()


def offer_to(session: Session, *variants: object, now: datetime | None = None, **values: object) -> Offer:
    """A wish, a unit for it, and the offer, whose mail has left a moment ago."""
    now = now or clock.now()
    wish_for(session, *variants, now=now - timedelta(days=3), **values)
    share_out(session, variants[0], now=now)
    [offer] = offers(session)
    offer.left_at, offer.held_until = now, now + timedelta(hours=24)
    session.commit()
    return offer


def links_of(config: Config, wish: Wish, offer: Offer | None = None) -> dict[str, str]:
    """Every link a mail of ours may carry to her, as paths by their purpose."""
    found = {
        "wishes": links.wishes_link(config, wish.customer_id),
        "unsubscribe": links.unsubscribe_link(config, wish.customer_id),
        "wish": links.confirm_link(config, wish.id),
    }
    if offer is not None:
        found["offer"] = links.offer_link(config, offer.id)
    return {name: path(config, link) for name, link in found.items()}


def everything(session: Session) -> str:
    """A hash over all rows of all tables, to see that nothing has changed."""
    session.rollback()
    digest = hashlib.sha256()
    for table in Base.metadata.sorted_tables:
        rows = sorted(repr(tuple(row)) for row in session.execute(sa.select(table)))
        digest.update(repr((table.name, rows)).encode())
    session.rollback()
    return digest.hexdigest()


def mails(session: Session, purpose: str) -> list[Delivery]:
    """The mails of one kind, oldest first."""
    session.rollback()
    return list(session.scalars(sa.select(Delivery).where(Delivery.purpose == purpose).order_by(Delivery.id)))
