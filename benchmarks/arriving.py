"""From the shop's report of a unit to the mail its customer's provider has taken, in a house as a stranger runs it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import urllib3

from benchmarks import restock
from benchmarks.measuring import Figure, Place
from benchmarks.sinks import Server, SmtpSink
from concierge.api.commands import make_key
from concierge.catalogue.models import Variant
from tests.houses import open_house

NEEDS_CONVERSATIONS = False
EVENTS, A_SECOND = 240, 4.0
PROMISE = 10_000.0
_PATIENCE = 60.0


def measure(place: Place) -> Iterator[Figure]:
    """Two figures, the median and the 99th percentile, by the clock: it is by the clock that somebody waits."""
    with restock.own_house(place, "arriving") as house, _provider() as (port, taken):
        skus, key = _fill(house, place.of(EVENTS))
        settings = {
            "provider": "smtp",
            "smtp_url": f"smtp://127.0.0.1:{port}",
            "secret_key": house.config.secret,
            "database_url": house.config.database_url,
            # A count is believed at once here; how long a house lets it settle first is hers to say.
            "policy_stock_settle_minutes": "0",
        }
        with open_house(house.config.data, "--no-demo", **settings) as running:
            url, (first, *others) = f"{running.url}/api/v1/stock", skus.items()
            # Whether all of the house is awake yet is not what is measured.
            _post(url, key, dict([first]))
            _wait(taken, 1)
            posted = _post(url, key, dict(others))
            _wait(taken, len(skus))
    waits = sorted((taken[to] - at) * 1000 for to, at in posted.items() if to in taken)
    if not waits:
        raise AssertionError("no mail was taken")
    lost = f"{len(posted) - len(waits)} of them were never taken" if len(waits) < len(posted) else ""
    where, words = f"{len(posted)} reports, {A_SECOND:.0f} a second, {place.name}", "the promise"
    for name, at in (("median", len(waits) // 2), ("99th percentile", int(len(waits) * 0.99))):
        yield Figure(
            f"stock report to mail taken, {name}", where, waits[at], PROMISE, "ms", words, waits[at], beside=lost
        )


def _fill(house: Place, events: int) -> tuple[dict[str, str], str]:
    """A piece and somebody who waits for it, so many times: her address by its SKU; and a key to the API."""
    restock.fill_customers(house, events)
    skus = {}
    for number in range(1, events + 1):
        variant_id = restock.fill_wishes(house, 1, first=number, units=0)
        with house.sessions() as session:
            sku = session.scalars(sa.select(Variant.sku).where(Variant.id == variant_id)).one()
        skus[sku] = f"barbara{number}@example.com"
    with house.sessions() as session:
        _key, text = make_key(session, name="Shop", scopes=("stock",), by=None, now=datetime.now(UTC))
        session.commit()
    return skus, text


def _post(url: str, key: str, skus: dict[str, str]) -> dict[str, float]:
    """Report one unit of each at an even pace: when each report was acknowledged, by her address."""
    http, posted, began = urllib3.PoolManager(), {}, time.monotonic()
    for number, (sku, to) in enumerate(skus.items()):
        time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
        as_of = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        report = {"id": sku, "sku": sku, "units": 1, "as_of": as_of}
        answer = http.request("POST", url, json=report, headers={"Authorization": f"Bearer {key}"})
        assert answer.status == 200, (answer.status, answer.data)
        posted[to] = time.monotonic()
    return posted


def _wait(taken: dict[str, float], events: int) -> None:
    latest = time.monotonic() + _PATIENCE
    while len(taken) < events and time.monotonic() < latest:
        time.sleep(0.1)


@contextmanager
def _provider() -> Iterator[tuple[int, dict[str, float]]]:
    """A provider that notes when it took the first mail to each address."""
    taken: dict[str, float] = {}

    class Noting(SmtpSink):
        def took(self, to: str) -> None:
            taken.setdefault(to, time.monotonic())

    with Server(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], taken
        finally:
            server.shutdown()
            thread.join()
