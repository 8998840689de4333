"""Saving a wave policy, which counts from now on, and ranking the waiting wishes anew under its head starts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.customers.models import Customer
from concierge.reports.models import Reranking
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.offer_models import WavePolicy
from concierge.wishes.queries import policy_or_first
from concierge.wishes.waves import rank_at


@dataclass(frozen=True, slots=True)
class Batch:
    """Some wishes looked at: how many stand elsewhere now, and whether they were the last."""

    moved: int
    is_last: bool


def save_policy(session: Session, policy: WavePolicy, *, by: Editor, now: datetime) -> WavePolicy:
    """Keep a policy as the newest, which counts from now on; those before it stay as they are.

    With other head starts than before, the waiting wishes are ranked anew by `rank_next`.
    """
    before = policy_or_first(session)
    policy.saved_at, policy.saved_by = now, by
    session.add(policy)
    session.flush()
    unfinished = session.scalar(sa.select(Reranking.policy_id).where(Reranking.finished_at.is_(None)).limit(1))
    if unfinished is not None or dict(before.head_starts) != dict(policy.head_starts):
        session.add(Reranking(policy_id=policy.id, begun_at=now))
    audit.record(session, "policy.saved", policy, by=by, now=now, rule=policy.rule.value)
    return policy


def rank_next(session: Session, policy_id: int, *, limit: int, now: datetime) -> Batch:
    """Rank the next waiting wishes anew; a policy saved since takes over where this one stood, from the beginning.

    Wishes moved by hand keep their place.
    """
    run = session.scalar(sa.select(Reranking).where(Reranking.policy_id == policy_id).with_for_update())
    policy = session.get(WavePolicy, policy_id)
    if run is None or policy is None or run.finished_at is not None:
        return Batch(0, is_last=True)
    if policy_or_first(session).id != policy_id:
        run.finished_at = now
        return Batch(0, is_last=True)
    rows = session.execute(_waiting(run.upto_wish_id).limit(limit).with_for_update(of=Wish)).all()
    moves = [
        {"wish": row.id, "rank": rank}
        for row in rows
        if row.moved_at is None and (rank := rank_at(row.confirmed_at, row.tier, policy)) != row.rank_at
    ]
    _move(session, moves)
    run.moved += len(moves)
    run.upto_wish_id = rows[-1].id if rows else run.upto_wish_id
    run.finished_at = now if len(rows) < limit else None
    return Batch(len(moves), is_last=len(rows) < limit)


def _waiting(after: int) -> sa.Select[*tuple[Any, ...]]:
    statement = sa.select(Wish.id, Wish.confirmed_at, Wish.rank_at, Wish.moved_at, Customer.tier)
    joined = statement.join_from(Wish, Customer, Wish.customer_id == Customer.id)
    return joined.where(Wish.id > after, Wish.ended_at.is_(None), Wish.confirmed_at.is_not(None)).order_by(Wish.id)


def _move(session: Session, moves: list[dict[str, Any]]) -> None:
    """Give each wish its rank, and its copies in the queues the same."""
    if not moves:
        return
    connection = session.connection()
    wish, choice = cast(sa.Table, Wish.__table__), cast(sa.Table, WishVariant.__table__)
    rank: sa.BindParameter[Any] = sa.bindparam("rank")
    connection.execute(sa.update(wish).where(wish.c.id == sa.bindparam("wish")).values(rank_at=rank), moves)
    connection.execute(sa.update(choice).where(choice.c.wish_id == sa.bindparam("wish")).values(rank_at=rank), moves)
