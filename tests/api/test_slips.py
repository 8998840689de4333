"""Slips of those who call the API: each is said, where it is, and nothing is swallowed."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.api.commands import make_key
from concierge.web.security import public
from tests.catalogue.builders import make_product
from tests.factories import NOW

REPORT = {"id": "1", "sku": "CAL-TUR-36", "units": 2, "as_of": "2026-05-12T09:30:00Z"}
LINE = {"id": "1", "sku": "CAL-TUR-36", "units": 1, "price_cents": 1}
ORDER = {"id": "S-1", "at": "2026-05-12T09:30:00Z", "lines": [LINE]}


@pytest.fixture
def shop(client: FlaskClient, session: Session):
    """Posts with a key, and gives back the status and where the faults are."""
    make_product(session)
    _key, text = make_key(session, name="Shop", scopes=("stock", "orders"), by=None, now=NOW)
    session.commit()

    def post(path: str, sent: object) -> tuple[int, list[str]]:
        answer = client.post(f"/api/v1/{path}", json=sent, headers={"Authorization": f"Bearer {text}"})
        faults = answer.get_json().get("error", {}).get("faults", [])
        assert all(fault["what"] and fault["how"] != "See docs/api.md." for fault in faults)
        return answer.status_code, [fault["where"] for fault in faults]

    return post


@pytest.mark.parametrize(
    "as_of", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1999-12-31T00:00:00Z", "2200-01-01T00:00:00Z"]
)
def test_a_time_at_the_edge_of_the_calendar_is_a_slip(shop, as_of: str) -> None:
    assert shop("stock", REPORT | {"as_of": as_of}) == (422, ["as_of"])
    assert shop("orders", ORDER | {"at": as_of}) == (422, ["at"])


def test_one_name_in_a_batch_is_one_report(shop) -> None:
    second = REPORT | {"sku": "CAL-TUR-37"}
    assert shop("stock", {"reports": [REPORT, second]}) == (422, ["reports[1].id"])
    assert shop("stock", {"reports": [REPORT, REPORT | {"location": "Milano"}]}) == (422, ["reports[1].id"])
    assert shop("stock", {"reports": [REPORT, REPORT]}) == (200, [])
    assert shop("stock", second) == (422, ["id"])
    unit = {"id": "R", "sku": "CAL-TUR-36", "state": "announced", "as_of": "2026-05-12T09:30:00Z"}
    assert shop("returns", {"returns": [unit, unit | {"sku": "CAL-TUR-37"}]}) == (422, ["returns[1].id"])
    assert shop("returns", unit) == (200, [])
    assert shop("returns", {"returns": [unit | {"sku": "CAL-TUR-37"}]}) == (422, ["returns[0].id"])


def test_no_line_of_an_order_is_swallowed(shop) -> None:
    assert shop("orders", ORDER | {"lines": [LINE, LINE]}) == (422, ["lines[1].id"])
    assert shop("orders", ORDER) == (200, [])
    assert shop("orders", ORDER | {"lines": [LINE | {"sku": "CAL-TUR-37"}]}) == (422, ["lines[0].id"])


@pytest.mark.parametrize("units", [True, "2", 2.5, None])
def test_units_are_whole_numbers(shop, units: object) -> None:
    assert shop("stock", REPORT | {"units": units}) == (422, ["units"])


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/api/v1/nowhere", 404, "NotFound"),
        ("GET", "/api/v1/stock", 405, "MethodNotAllowed"),
    ],
)
def test_every_error_is_json(client: FlaskClient, method: str, path: str, status: int, name: str) -> None:
    answer = client.open(path, method=method, headers={"Accept": "text/html"})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["name"], error["faults"]) == (status, name, [])
    assert error["what"]
    assert status != 405 or "POST" in answer.headers["Allow"]


def test_what_breaks_on_our_side_is_json_too(app) -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    app.add_url_rule("/api/v1/breaks", "breaks", public(breaks))
    answer = app.test_client().get("/api/v1/breaks")
    assert (answer.status_code, answer.get_json()["error"]["name"]) == (500, "InternalServerError")
