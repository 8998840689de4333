"""What every test may ask for: a database, an application, people, a constant present."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge import blobs, clock, schema
from concierge.app import create_app
from concierge.config import Config, Policy, read_config
from concierge.db import Sessions, make_sessions
from concierge.extensions import db
from tests.factories import NOW
from tests.postgresql import private_server
from tests.thrift import TEMPLATES, be_thrifty

POSTGRESQL = "CONCIERGE_TESTS_POSTGRESQL"
_server = ExitStack()
_numbers = count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database=both` runs every test that touches the database twice."""
    parser.addoption("--database", choices=("sqlite", "postgresql", "both"), default="sqlite")


def pytest_configure(config: pytest.Config) -> None:
    """Forget the developer's own settings; start one PostgreSQL for all test processes, in the first of them."""
    Config.model_config["env_file"] = Policy.model_config["env_file"] = None
    be_thrifty()
    if hasattr(config, "workerinput"):
        return
    for name in [
        name for name in os.environ if name.startswith("CONCIERGE_") and not name.startswith("CONCIERGE_TESTS_")
    ]:
        del os.environ[name]
    if config.getoption("--database") != "sqlite":
        os.environ[POSTGRESQL] = _server.enter_context(private_server())


def pytest_unconfigure() -> None:
    """Stop the PostgreSQL we started."""
    _server.close()


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector of garbage need not look at it again after every few hundred rows."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each database asked for, if it touches one."""
    if "database" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--database")
        metafunc.parametrize("database", ("sqlite", "postgresql") if asked == "both" else (asked,), indirect=True)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest migration, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    schema.migrate(read_config(data=folder))
    return folder / "concierge.db"


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Connection]:
    """A connection to the server of this run, where the database `migrated_<process>` waits to be copied."""
    url = os.environ[POSTGRESQL]
    engine = sa.create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE migrated_{os.getpid()}")
        schema.migrate(
            read_config(data=tmp_path_factory.mktemp("data"), database_url=url.format(f"migrated_{os.getpid()}"))
        )
        yield connection
    engine.dispose()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database for one test: a copied file (2 ms) or a copied database (30 ms)."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), tmp_path / "concierge.db")
        yield f"sqlite+pysqlite:///{tmp_path / 'concierge.db'}"
        return
    connection: sa.Connection = request.getfixturevalue("postgresql")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE migrated_{os.getpid()} STRATEGY file_copy")
    yield os.environ[POSTGRESQL].format(name)
    connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the house's clock, which stands at NOW until then."""

    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(NOW)
    return set_clock


@pytest.fixture(autouse=True)
def by_the_worlds_clock() -> Iterator[None]:
    """An application of a demo goes by its own clock; the next test doesn't."""
    yield
    clock.follow(None)


@pytest.fixture
def config(tmp_path: Path, database: str) -> Config:
    """A house of its own for one test, migrated and empty; its secret is fixed."""
    return read_config(
        data=tmp_path,
        database_url=database,
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
def app(config: Config) -> Iterator[Flask]:
    """The web application on the test's house; CSRF is off, it has tests of its own."""
    app = create_app(config)
    app.jinja_env.bytecode_cache = TEMPLATES
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()
