"""The merchandiser's pages over a million wishes, beside counting those wishes when the page is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from flask.testing import FlaskClient

from benchmarks.filling import NOW, PASSWORD
from benchmarks.measuring import Figure, Place, milliseconds
from concierge import clock
from concierge.app import create_app
from concierge.catalogue.models import Product, ProductText, Variant
from concierge.customers.models import Customer
from concierge.db import Sessions
from concierge.extensions import db
from concierge.reports import jobs
from concierge.serving import settled
from concierge.wishes.models import Wish
from concierge.wishes.offer_models import WavePolicy

NEEDS_CONVERSATIONS = False
WISHES = 1_000_000
PRODUCTS, SIZES, CUSTOMERS = 2_500, 8, 100_000
PAGES = {
    "wish board": "/wishes",
    "wish board of one age": "/wishes?age=2&order=people",
    "demand page": "/wishes/demand",
    "wishes of one product": "/wishes/rows?product=",
    "wishes of one age": "/wishes/rows?age=2",
    "wishes that ended": "/wishes/rows?shelf=ended",
}
_WITHOUT_COUNTS = sa.text(
    "SELECT wish.product_id, count(*), sum(wish.quantity * product.price_cents) FROM wish "
    "JOIN product ON product.id = wish.product_id WHERE wish.ended_at IS NULL AND wish.confirmed_at IS NOT NULL "
    "GROUP BY wish.product_id ORDER BY 3 DESC LIMIT 25"
)
_WORDS = "the database, asked to count and sum the wishes by product"


def measure(place: Place) -> Iterator[Figure]:
    """How long the worker counts, then the median and the 95th percentile of each page, Omar signed in."""
    wishes = place.of(WISHES)
    wanted = _fill(place.sessions, wishes)
    bare = _Counting(place.sessions)
    counting, plain = milliseconds(place, lambda: _count_anew(place), bare, times=3, warm=0)
    where = f"{wishes:,} wishes, {place.name}"
    beside = (
        f"by the clock {counting.waited:,.0f} ms, at most one part in fifty of the time; pages only read what came out"
    )
    yield Figure(
        "counting all wishes in the worker", where, counting.middle, plain.middle, "ms", _WORDS, counting.waited, beside
    )
    app = settled(create_app(place.config))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answer = client.post("/sign-in", data={"email": "omar@maison.example", "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    for name, path in PAGES.items():
        visit = _Visit(client, f"{path}{wanted}" if path.endswith("=") else path, is_whole=place.part == 1)
        ours, bare_taken = milliseconds(place, visit, bare, times=12, warm=2)
        yield Figure(f"{name}, median", where, ours.middle, bare_taken.middle, "ms", _WORDS, ours.waited)
        yield Figure(f"{name}, 95th percentile", where, ours.slow, bare_taken.middle, "ms", _WORDS)
    with app.app_context():
        db.engine.dispose()


def _count_anew(place: Place) -> None:
    with place.sessions() as session:
        session.execute(sa.text("DELETE FROM demand_count"))
        session.add(WavePolicy(head_starts={}, saved_at=NOW))
        session.commit()
    jobs.count_demand(place.config, place.sessions)


class _Counting:
    """What a page without counts made beforehand would ask."""

    def __init__(self, sessions: Sessions) -> None:
        """`sessions` of the house measured."""
        self._sessions = sessions

    def __call__(self) -> None:
        with self._sessions() as session:
            session.connection(execution_options={"writes": False})
            assert session.execute(_WITHOUT_COUNTS).all()


class _Visit:
    """A page asked for, and found full."""

    def __init__(self, client: FlaskClient, path: str, *, is_whole: bool) -> None:
        """`path` with its question; in a house of less than the whole size a page may not be full."""
        self._client, self._path, self._is_whole = client, path, is_whole

    def __call__(self) -> None:
        answer = self._client.get(self._path)
        assert answer.status_code == 200, answer.status_code
        rows = max(answer.data.count(b"BENCH-"), answer.data.count(b"Wisher"))
        assert rows >= (25 if self._is_whole else 1), (self._path, rows)


@dataclass(frozen=True)
class _Bases:
    """The numbers that were taken before: ours begin behind them."""

    product: int
    variant: int
    customer: int
    wish: int


def _fill(sessions: Sessions, wishes: int) -> str:
    """Make products and customers, and so many wishes by two statements; the code of a product wished for often."""
    with sessions() as session:
        bases = _Bases(
            *(session.scalar(sa.select(sa.func.max(each.id))) or 0 for each in (Product, Variant, Customer, Wish))
        )
        products, variants = range(1, PRODUCTS + 1), range(1, PRODUCTS * SIZES + 1)
        session.execute(sa.insert(Product), [_product(number, bases) for number in products])
        session.execute(sa.insert(ProductText), [_text(number, bases) for number in products])
        session.execute(sa.insert(Variant), [_variant(number, bases) for number in variants])
        session.execute(sa.insert(Customer), [_customer(number, bases) for number in range(1, CUSTOMERS + 1)])
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        for statement in _statements(wishes, bases, is_sqlite=is_sqlite):
            session.execute(sa.text(statement))
        session.commit()
        session.execute(sa.text("ANALYZE"))
        session.commit()
    return f"BENCH-{bases.product + 7}"


def _statements(count: int, bases: _Bases, *, is_sqlite: bool) -> list[str]:
    """Wishes with their variants: three in ten ended, spread over 400 days, most products wished for seldom."""
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        if is_sqlite
        else f"WITH n(i) AS (SELECT generate_series(1, {count}))"
    )
    no = "0" if is_sqlite else "false"
    # The product of two even spreads falls off from the first number on.
    product = f"{bases.product} + 1 + ((i % 1021) * ((i / 7) % 1013)) % {PRODUCTS}"
    since = _ago("(i % 997) * 577 + i % 577", is_sqlite=is_sqlite)
    wish = (
        "INSERT INTO wish (id, customer_id, product_id, state, way, quantity, or_similar, language, mailbox_id, "
        "editor_id, created_at, confirmed_at, rank_at, moved_because, skipped_because, expires_at, ended_at, "
        f"ended_because) {numbers} SELECT {bases.wish} + i, {bases.customer} + 1 + i % {CUSTOMERS}, {product}, "
        "CASE WHEN i % 10 < 3 THEN 'expired' ELSE 'waiting' END, 'form', CASE WHEN i % 40 = 0 THEN 2 ELSE 1 END, "
        f"{no}, 'en', 1, 1, {since}, {since}, {since}, '', '', {_ago('0', is_sqlite=is_sqlite)}, "
        f"CASE WHEN i % 10 < 3 THEN {_ago('i % 100000', is_sqlite=is_sqlite)} END, "
        "CASE WHEN i % 10 < 3 THEN 'too_old' END FROM n"
    )
    size = f"{bases.variant} + (product_id - {bases.product} - 1) * {SIZES} + 1 + id % {SIZES}"
    # Nobody is content with one piece twice in life; that she may be living once only is not what is measured.
    variant = (
        "INSERT INTO wish_variant (wish_id, variant_id, customer_id, preference, is_living, is_waiting, rank_at) "
        f"SELECT id, {size}, customer_id, 0, {no}, ended_at IS NULL, rank_at FROM wish WHERE id > {bases.wish}"
    )
    advance = [
        f"SELECT setval(pg_get_serial_sequence('{each}', 'id'), (SELECT max(id) FROM {each}))"
        for each in ("product", "variant", "customer", "wish")
    ]
    return [wish, variant, *([] if is_sqlite else advance)]


def _ago(minutes: str, *, is_sqlite: bool) -> str:
    at = f"{clock.now():%Y-%m-%d %H:00:00}"
    if is_sqlite:
        return f"strftime('%Y-%m-%d %H:%M:%f000', '{at}', '-' || ({minutes}) || ' minutes')"
    return f"timestamptz '{at}+00' - ({minutes}) * interval '1 minute'"


def _product(number: int, bases: _Bases) -> dict[str, object]:
    return {
        "id": bases.product + number, "code": f"BENCH-{bases.product + number}", "designer": f"Atelier {number % 40}",
        "category": ("sandals", "boots", "coats", "bags")[number % 4], "price_cents": 9_000 + number * 13 % 90_000,
        "created_at": NOW,
    }  # fmt: skip


def _text(number: int, bases: _Bases) -> dict[str, object]:
    return {"product_id": bases.product + number, "language": "en", "name": f"Piece {number}", "description": ""}


def _variant(number: int, bases: _Bases) -> dict[str, object]:
    return {
        "id": bases.variant + number, "product_id": bases.product + (number - 1) // SIZES + 1,
        "sku": f"BENCH-{bases.variant + number}", "position": number % SIZES, "size": str(36 + number % SIZES),
        "on_hand": number % 3,
    }  # fmt: skip


def _customer(number: int, bases: _Bases) -> dict[str, object]:
    return {"id": bases.customer + number, "name": f"Wisher {number}", "created_at": NOW}
