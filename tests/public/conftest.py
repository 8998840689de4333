"""A customer's browser, a pair that came in, and time that passes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from concierge import clock
from concierge.catalogue.models import Variant
from tests.wishes.builders import sandals


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    """A browser without JavaScript; the test lets go of the database before each click."""

    class Browser(FlaskClient):
        def open(self, *args: Any, **options: Any) -> TestResponse:
            session.commit()
            return super().open(*args, **options)

    app.test_client_class = Browser
    return app.test_client()


@pytest.fixture
def pair(session: Session) -> list[Variant]:
    """One pair in 36 has come in, none in 37."""
    return sandals(session, s36=1, s37=0)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`later(days=4)`: let so much time pass, for the links too."""
    real = clock.now()

    def pass_time(**span: float) -> None:
        moment = real + timedelta(**span)
        monkeypatch.setattr(clock, "now", lambda: moment)
        monkeypatch.setattr("itsdangerous.timed.time.time", moment.timestamp)

    return pass_time
