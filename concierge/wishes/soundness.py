"""What is broken in the house's sums, kept while it is: which rule, at which row, and since when."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from concierge.catalogue.models import Product, Variant
from concierge.db import Base, BigId
from concierge.wishes.invariants import NAMED, Broken
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import Offer


class BrokenInvariant(Base):
    """A rule that does not hold for a row; it goes when the rule holds again."""

    __tablename__ = "broken_invariant"
    __table_args__ = (sa.UniqueConstraint("rule", "subject_type", "subject_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(80))
    subject_type: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[int] = mapped_column(BigId)
    words: Mapped[str] = mapped_column(sa.String(200))
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


def keep_broken(session: Session, found: Sequence[Broken], *, now: datetime) -> list[Broken]:
    """Keep what was found, and forget what holds again; those that are new.

    Of a rule of which as many were found as are ever named, none is forgotten: there may be more.
    """
    known = {(each.rule, each.subject_type, each.subject_id): each for each in list_broken(session)}
    counts = {rule: sum(each.rule == rule for each in found) for rule in {each.rule for each in found}}
    fresh = []
    for each in found:
        if (row := known.pop((each.rule, each.table, each.id), None)) is not None:
            row.words, row.seen_at = each.words[:200], now
            continue
        fresh.append(each)
        session.add(
            BrokenInvariant(
                rule=each.rule,
                subject_type=each.table,
                subject_id=each.id,
                words=each.words[:200],
                since=now,
                seen_at=now,
            )
        )
    for (rule, _table, _id), row in known.items():
        if counts.get(rule, 0) < NAMED:
            session.delete(row)
    return fresh


def list_broken(session: Session) -> list[BrokenInvariant]:
    """What is broken, the longest first."""
    return list(session.scalars(sa.select(BrokenInvariant).order_by(BrokenInvariant.since, BrokenInvariant.id)))


def count_broken(session: Session) -> int:
    """How many rows break a rule."""
    return session.scalar(sa.select(sa.func.count()).select_from(BrokenInvariant)) or 0


def whereabouts(session: Session, found: BrokenInvariant) -> tuple[str, int | None]:
    """Where a row can be looked at: the code of its product, else the number of its customer."""
    if found.subject_type == "variant":
        code = sa.select(Product.code).join(Variant, Variant.product_id == Product.id)
        return session.scalar(code.where(Variant.id == found.subject_id)) or "", None
    wishes = sa.select(Wish.customer_id)
    if found.subject_type == "offer":
        return "", session.scalar(wishes.join(Offer, Offer.wish_id == Wish.id).where(Offer.id == found.subject_id))
    return "", session.scalar(wishes.where(Wish.id == found.subject_id))
