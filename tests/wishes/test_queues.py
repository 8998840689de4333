"""Queues are read by their index, however many wishes the house keeps."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.catalogue.stock_models import Purchase
from concierge.wishes import matching, queries, queues
from tests.factories import NOW
from tests.wishes.builders import sandals, wish_for


def _plans(session: Session, *statements: sa.Select[Any]) -> list[str]:
    """How the database would go about each; PostgreSQL is told to take an index where it could take one."""
    dialect = session.get_bind().dialect
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    if dialect.name != "sqlite":
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    plans = []
    for each in statements:
        text = str(each.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        rows = session.connection().exec_driver_sql(f"{explain} {text.replace('%', '%%')}").all()
        plans.append(" ".join(str(row[-1]) for row in rows))
    return plans


def test_a_queue_is_read_and_counted_by_its_index(session: Session):
    behind = (NOW - timedelta(days=1), NOW, 7)
    statements = [
        queues._page(1, None, False, 500),
        queues._page(1, behind, False, 500),
        queues._page(1, behind, True, 500),
    ]
    for plan in _plans(session, *statements):
        assert "ix_wish_variant_queue" in plan, plan


def test_without_the_words_of_the_index_it_is_not(session: Session):
    """Negative control: the same asked through the mapped column, as SQLAlchemy writes it for SQLite."""
    asked = sa.select(queries.WishVariant.wish_id).where(
        queries.WishVariant.is_waiting, queries.WishVariant.variant_id == 1
    )
    if session.get_bind().dialect.name == "sqlite":
        assert "ix_wish_variant_queue" not in _plans(session, asked)[0]


def test_the_wish_of_a_purchase_is_found_by_its_customer(session: Session):
    (size,) = sandals(session, s36=0)
    wish = wish_for(session, size)
    purchase = Purchase(variant_id=size.id, customer_id=wish.customer_id, at=NOW + timedelta(days=400))
    assert matching._by_address(session, purchase) is wish
