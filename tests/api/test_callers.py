"""Who may call the API, how often, and what is kept of a key."""

import re

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.api import queries
from concierge.api.commands import make_key, revoke_key
from concierge.api.models import ApiKey
from concierge.cli import main
from concierge.config import Config
from concierge.extensions import limiter
from concierge.wishes import links
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_editor, sign_in

REPORT = {"id": "1", "sku": "CAL-TUR-36", "units": 2, "as_of": "2026-05-12T09:30:00Z"}


@pytest.fixture
def key(session: Session) -> str:
    make_product(session)
    _key, text = make_key(session, name="Shop", scopes=("stock",), by=None, now=NOW)
    session.commit()
    return text


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer concierge_guess", "Basic x", "Bearer \x80", "bearer"])
def test_nobody_gets_in_without_a_key(client: FlaskClient, key: str, header: str) -> None:  # T35
    answer = client.post("/api/v1/stock", json=REPORT, headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["error"]["name"]) == (401, "NoKey")


def test_a_key_opens_its_own_doors_only(client: FlaskClient, key: str, session: Session) -> None:  # T35
    assert client.post("/api/v1/stock", json=REPORT, headers=bearer(key)).status_code == 200
    assert client.post("/api/v1/orders", json={}, headers=bearer(key)).status_code == 403
    found = session.query(ApiKey).one()
    assert found.last_used_at is not None
    revoke_key(session, found, by=None, now=NOW)
    session.commit()
    assert client.post("/api/v1/stock", json=REPORT, headers=bearer(key)).status_code == 401


def test_only_a_hash_of_a_key_is_kept(session: Session, key: str) -> None:  # T38
    kept = session.query(ApiKey).one()
    assert key not in repr(vars(kept))
    assert len(kept.hash) == 64
    assert queries.find_key(session, key.upper()) is None


def test_who_calls_too_often_is_told_to_wait(client: FlaskClient, key: str, config: Config) -> None:
    config.policy.api_calls_per_minute = 2
    limiter.reset()
    answers = [client.post("/api/v1/stock", json=REPORT, headers=bearer(key)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert answers[-1].get_json()["error"]["what"]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"reports": []}',
        b'{"reports": "all"}',
        b"\xff",
        b'{"units": 1e400}',
        b"[" * 9999,
        b'{"id": "a\\u0000", "sku": "S", "units": 1, "as_of": "2026-05-12T09:30:00Z"}',
    ],
)
def test_no_body_breaks_it(client: FlaskClient, key: str, sent: bytes) -> None:
    answer = client.post("/api/v1/stock", data=sent, headers=bearer(key))
    assert answer.status_code == 422
    assert answer.get_json()["error"]["faults"]


def test_a_hold_says_nothing_to_whoever_has_another_token(
    client: FlaskClient, session: Session, config: Config
) -> None:  # T31
    _key, text = make_key(session, name="Shop", scopes=("orders",), by=None, now=NOW)
    session.commit()
    answer = client.get(f"/api/v1/holds/{links.hold_token(config, 41)}", headers=bearer(text))
    assert answer.status_code == 404
    for purpose in (links.OFFER, links.WISHES):
        other = links.tokens.sign(config.secret, purpose, "41")
        assert client.get(f"/api/v1/holds/{other}", headers=bearer(text)).status_code == 403


def test_an_admin_makes_a_key_on_a_page_and_sees_it_once(client: FlaskClient, session: Session) -> None:
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    sign_in(client, omar)
    page = client.post("/api-keys", data={"name": "Till", "scopes": ["stock"]}).get_data(as_text=True)
    text = page.split("concierge_")[1].split("<")[0]
    assert queries.find_key(session, f"concierge_{text}")
    session.rollback()
    again = client.get("/api-keys").get_data(as_text=True)
    boxes = re.findall(r"<input[^>]*name=\"scopes\"[^>]*>", again)
    assert boxes and not any("required" in each for each in boxes)
    assert "Till" in again
    assert text not in again
    assert client.post("/api-keys", data={"name": "", "scopes": []}).status_code == 422
    assert client.post("/api-keys/1/revoke").status_code == 303
    assert queries.find_key(session, f"concierge_{text}") is None


def test_nobody_else_sees_the_page(client: FlaskClient, session: Session) -> None:
    marta = make_editor(session, "Marta Conti", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert client.get("/api-keys").status_code == 403


def test_a_key_is_made_by_hand(config: Config, session: Session, monkeypatch) -> None:
    monkeypatch.setenv("CONCIERGE_DATABASE_URL", config.database_url)
    monkeypatch.setenv("CONCIERGE_DATA", str(config.data))
    text = CliRunner().invoke(main, ["api-key", "add", "Shop", "--scope", "stock"]).output.strip()
    assert queries.find_key(session, text)
    session.rollback()
    assert "Shop" in CliRunner().invoke(main, ["api-key", "list"]).output
    CliRunner().invoke(main, ["api-key", "revoke", "1"])
    assert queries.find_key(session, text) is None
