"""What every test may ask for: a database, an application, people, a constant present."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge import blobs, schema
from concierge.app import create_app
from concierge.config import Config, read_config
from concierge.db import Sessions, make_sessions


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest migration, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    config = read_config(data=folder)
    schema.migrate(config)
    return folder / "concierge.db"


@pytest.fixture
def config(tmp_path: Path, migrated: Path) -> Config:
    """A house of its own for one test, migrated and empty; its secret is fixed."""
    shutil.copy(migrated, tmp_path / "concierge.db")
    return read_config(
        data=tmp_path,
        secret_key="a-secret-for-tests-only-0123456789",
        inbound_secret="an-inbound-secret-for-tests",
        provider="memory",
        demo=True,
    )


@pytest.fixture
def sessions(config: Config) -> Iterator[Sessions]:
    """Sessions as the worker opens them."""
    factory = make_sessions(config)
    yield factory
    factory.kw["bind"].dispose()


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """The test's own session, apart from the application's: what a view forgot to commit is not seen here."""
    with sessions() as opened:
        yield opened


@pytest.fixture
def store(config: Config) -> blobs.BlobStore:
    """The house's blobs."""
    return blobs.open_store(config)


@pytest.fixture
def app(config: Config) -> Flask:
    """The web application on the test's house; CSRF is off, it has tests of its own."""
    app = create_app(config)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()
