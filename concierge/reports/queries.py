"""Reading what was counted last, which policies there were, and products by number."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.catalogue.models import Product
from concierge.catalogue.stock_models import Purchase, ReturnedUnit
from concierge.reports.figures import HouseCount, read_house
from concierge.reports.models import DemandCount, Reranking
from concierge.setbacks import NONE, Rows
from concierge.wishes.offer_models import WavePolicy


def find_count(session: Session, *, finished_only: bool = True) -> DemandCount | None:
    """The newest count; of those that are finished unless told otherwise."""
    statement = sa.select(DemandCount).order_by(DemandCount.id.desc()).limit(1)
    return session.scalar(statement.where(DemandCount.counted_at.is_not(None)) if finished_only else statement)


def newest_figures(session: Session) -> tuple[DemandCount | None, HouseCount]:
    """The newest finished count and its figures; figures of nothing before the first."""
    count = find_count(session)
    return count, read_house(count.figures if count else {})


def pulse(session: Session) -> int:
    """A number that grows with whatever could change a count: something done, sold, or announced."""
    newest = (sa.select(sa.func.max(each)).scalar_subquery() for each in (Purchase.id, ReturnedUnit.id))
    return audit.latest_id(session) + sum(each or 0 for each in session.execute(sa.select(*newest)).one())


def list_unranked_policy_ids(session: Session, *, but: Rows = NONE) -> list[int]:
    """Policies under which not all waiting wishes are ranked yet, the oldest first."""
    unfinished = (Reranking.finished_at.is_(None), Reranking.policy_id.not_in(but))
    return list(session.scalars(sa.select(Reranking.policy_id).where(*unfinished).order_by(Reranking.policy_id)))


def list_policies(session: Session, *, limit: int = 20) -> list[WavePolicy]:
    """The policies as they were saved, the newest first."""
    return list(session.scalars(sa.select(WavePolicy).order_by(WavePolicy.id.desc()).limit(limit)))


def products_by_id(session: Session, ids: Sequence[int]) -> dict[int, Product]:
    """These products with their texts, pictures and variants."""
    return {each.id: each for each in session.scalars(sa.select(Product).where(Product.id.in_(ids)))}
