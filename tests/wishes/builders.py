"""Wishes with lawful defaults: Barbara waits for the turquoise sandals in 36."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Mailbox
from concierge.catalogue.models import Product, Variant
from concierge.config import Policy
from concierge.customers.models import Consent, Customer
from concierge.wishes import commands
from concierge.wishes.models import Wish, WishWay
from concierge.wishes.offer_models import Offer, WavePolicy
from concierge.wishes.rounds import Round
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_customer, make_mailbox

FRIDAY = datetime(2026, 5, 15, 12, 0, tzinfo=UTC)  # 14:00 in Rome


def share_out(session: Session, variant: Variant, *, now: datetime) -> None:
    """Whatever is free of its product is offered to those whose turn it is, in this transaction."""
    session.flush()
    dealing = Round(session, variant.id, zone=ZoneInfo("UTC"), now=now)
    while not dealing.is_over:
        dealing.deal(session)


def restock(session: Session, variant: Variant, units: int = 1, now: datetime = FRIDAY) -> None:
    """So many come back, and those whose turn it is are offered them."""
    variant.on_hand += units
    session.flush()
    share_out(session, variant, now=now)
    session.commit()


def make_consent(session: Session, customer: Customer, **values: object) -> Consent:
    """A yes to exactly this."""
    consent = Consent(
        **{
            "customer_id": customer.id,
            "purpose": "wish",
            "words": "Write to me once, when exactly this is back.",
            "language": "en",
            "way": "form",
            "proof": {},
            "granted_at": NOW,
        }
        | values
    )
    session.add(consent)
    session.flush()
    return consent


def sandals(session: Session, **sizes: int) -> list[Variant]:
    """The turquoise sandals in these sizes (36, none on hand, unless said): `sandals(session, s36=1, s37=0)`."""
    wanted = {size.removeprefix("s").replace("_", "."): units for size, units in sizes.items()} or {"36": 0}
    product: Product = make_product(session, sizes=wanted)
    return list(product.variants)


def wish_for(
    session: Session,
    *variants: Variant,
    name: str = "Barbara Rossi",
    tier: str = "",
    now: datetime = NOW,
    confirmed: bool = True,
    customer: Customer | None = None,
    **values: object,
) -> Wish:
    """A wish of hers, confirmed at `now` unless told otherwise."""
    customer = customer or make_customer(session, name, tier=tier, timezone="Europe/Rome")
    return commands.make_wish(
        session,
        customer,
        variants,
        way=WishWay.FORM,
        mailbox=_mailbox(session),
        language="en",
        policy=Policy(),
        now=now,
        consent=make_consent(session, customer) if confirmed else None,
        **values,  # type: ignore[arg-type]
    )


def save_policy(session: Session, **values: object) -> WavePolicy:
    """A policy a merchandiser saved."""
    policy = WavePolicy(**{"saved_at": NOW, "head_starts": {}} | values)
    session.add(policy)
    session.flush()
    return policy


def offers(session: Session) -> list[Offer]:
    """All offers that have not ended, in the order in which they were made."""
    statement = sa.select(Offer).where(Offer.ended_at.is_(None)).order_by(Offer.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def _mailbox(session: Session) -> Mailbox:
    return session.scalar(sa.select(Mailbox).limit(1)) or make_mailbox(session)
