"""Furnishes the demo house, knows whether a house is one, and empties it to be made anew."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor, Mailbox
from concierge.audit import AuditEntry
from concierge.blobs import BlobStore
from concierge.config import Config, Policy
from concierge.conversations.models import Conversation
from concierge.customers.models import Customer
from concierge.db import Base
from concierge.demo.correspondence import People, bring_correspondence
from concierge.demo.followups import bring_follow_ups, bring_promises
from concierge.demo.goods import bring_collection, move_shop, read
from concierge.demo.offers import bring_offers
from concierge.demo.people import bring_customers, bring_editors, bring_mailboxes, bring_templates, see_clocks
from concierge.demo.plans import bring_plans
from concierge.demo.shelves import bring_shop_history
from concierge.demo.wishes import bring_wishes, count_house
from concierge.errors import RuleBroken

_FURNISHED = "house.furnished"
_BLOBS = {"blob_key", "photo_key", "raw_key"}


class NotADemoHouse(RuleBroken):
    """This house is a real one, or was begun as one: the demo leaves it as it is. Choose another data folder for it."""


def is_furnished(session: Session) -> bool:
    """Whether this is the demo house."""
    return session.scalar(sa.select(AuditEntry.id).where(AuditEntry.verb == _FURNISHED).limit(1)) is not None


def is_empty(session: Session) -> bool:
    """Whether nobody lives here yet: no editor, mailbox, customer or conversation."""
    return all(
        session.scalar(sa.select(kind.id).limit(1)) is None for kind in (Editor, Mailbox, Customer, Conversation)
    )


def furnish(session: Session, blobs: BlobStore, *, now: datetime, shop: str = "", config: Config | None = None) -> bool:
    """Fill an empty house with the demo, as it would be at `now`; False when it is furnished already.

    `shop` is where its own shop will be, which may move from one start to the next. With a `config`, which links are
    signed by, something has come back this morning too, and mails are on their way.
    Raises NotADemoHouse when somebody lives here.
    """
    if is_furnished(session):
        move_shop(session, shop) if shop else None
        return False
    if not is_empty(session):
        raise NotADemoHouse
    mailboxes = bring_mailboxes(session, now=now)
    editors = bring_editors(session, blobs, now=now)
    variants = bring_collection(session, blobs, now=now, shop=shop)
    bring_templates(session, by=editors["nadia"], now=now)
    people = People(mailboxes, editors, bring_customers(session, now=now), variants)
    bring_shop_history(session, blobs, people.customers, now=now)
    bring_correspondence(session, blobs, people, now=now)
    see_clocks(session, people.customers)
    bring_wishes(session, people, now=now)
    if config is not None:
        bring_offers(session, config, [each for each in variants.values() if not each.available], now=now)
    bring_follow_ups(session, config.policy if config is not None else Policy(), now=now)
    if config is not None:
        bring_plans(session, config, editors, variants, now=now)
    bring_promises(session, now=now)
    count_house(session, now=now)
    audit.record(session, _FURNISHED, mailboxes["en"], by=None, now=now)
    session.flush()
    return True


def empty(session: Session, blobs: BlobStore, outbox: Path | None) -> None:
    """Take everything out of the demo house: every row, the blobs they name, and the mails in the outbox.

    Raises NotADemoHouse, touching nothing, unless the house was furnished by us and has no mailbox of its own.
    """
    ours = {each["address"] for each in read("house")["mailbox"]}
    if not is_empty(session) and (not is_furnished(session) or set(session.scalars(sa.select(Mailbox.address))) - ours):
        raise NotADemoHouse
    for key in set(_blob_keys(session)):
        blobs.delete(key)
    _empty_tables(session)
    for mail in sorted(outbox.glob("*.eml")) if outbox and outbox.is_dir() else ():
        mail.unlink()


def _blob_keys(session: Session) -> Iterator[str]:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.name in _BLOBS:
                yield from session.scalars(sa.select(column).where(column.is_not(None)))


def _empty_tables(session: Session) -> None:
    session.execute(sa.update(Conversation).values(hint_conversation_id=None))
    session.execute(sa.text("DELETE FROM message_search"))
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(sa.delete(table))
    session.expunge_all()
