"""Signing in, and the lock-out that can't be turned against a colleague."""

import re

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.factories import PASSWORD, make_editor, sign_in


def _try(client: FlaskClient, email: str, password: str, network: str = "192.0.2.7"):
    return client.post("/sign-in", data={"email": email, "password": password}, environ_base={"REMOTE_ADDR": network})


def test_an_editor_signs_in_and_a_stranger_is_asked_to(client: FlaskClient, session: Session):
    nadia = make_editor(session)
    session.commit()
    assert client.get("/profile").headers["Location"].startswith("/sign-in")
    sign_in(client, nadia)
    assert "/sign-in" not in client.get("/profile").headers.get("Location", "")


def test_five_wrong_passwords_make_the_same_caller_wait(client: FlaskClient, session: Session):
    nadia = make_editor(session)
    session.commit()
    for _ in range(5):
        assert _try(client, nadia.email, "wrong-password").status_code == 200
    assert _try(client, nadia.email, PASSWORD).status_code == 429


def test_mallory_can_not_lock_nadia_out(client: FlaskClient, session: Session):
    nadia = make_editor(session)
    session.commit()
    for _ in range(9):
        _try(client, nadia.email, "wrong-password", network="203.0.113.9")
    assert _try(client, nadia.email, PASSWORD, network="192.0.2.7").status_code == 302


def test_a_browser_that_signed_in_before_is_not_held_up_by_its_neighbour(app, session: Session):
    nadia = make_editor(session)
    session.commit()
    hers, his = app.test_client(), app.test_client()
    assert _try(hers, nadia.email, PASSWORD).status_code == 302
    hers.post("/sign-out")
    for _ in range(9):
        _try(his, nadia.email, "wrong-password")
    assert _try(his, nadia.email, PASSWORD).status_code == 429
    assert _try(hers, nadia.email, PASSWORD).status_code == 302


def test_an_unknown_address_and_a_wrong_password_read_the_same(client: FlaskClient, session: Session):  # T32
    nadia = make_editor(session)
    session.commit()
    assert _words(client, nadia.email) == _words(client, "nobody@maison-solenne.example")


def _words(client: FlaskClient, email: str) -> str:
    page = _try(client, email, "wrong-password").get_data(as_text=True).replace(email, "")
    return re.sub(r'(name="(now|csrf-token)" content|value)="[^"]*"', "", page)
