"""Marta the merchandiser at her pages, and two who may not see all of them."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from tests.factories import make_editor, sign_in

Enter = Callable[[str, Role], FlaskClient]


@pytest.fixture
def enter(app: Flask, session: Session) -> Enter:
    """`enter("Nadia Ferrant", Role.EDITOR)`: a browser in which she is signed in."""

    def open_door(name: str, role: Role) -> FlaskClient:
        editor = make_editor(session, name, role=role)
        session.commit()
        client = app.test_client()
        sign_in(client, editor)
        return client

    return open_door


@pytest.fixture
def marta(enter: Enter) -> FlaskClient:
    """The merchandiser's browser."""
    return enter("Marta Lindqvist", Role.MERCHANDISER)
