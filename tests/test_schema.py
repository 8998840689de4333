"""The migrations make the tables that the models describe, on both databases, as often as one likes."""

import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from concierge import schema
from concierge.config import Config, read_config
from concierge.db import Base, make_engine
from concierge.errors import ConciergeError
from tests.houses import ROOT


def test_the_migrations_make_what_the_models_describe(config: Config):
    engine = make_engine(config)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: (
                    kind != "table" or not name.startswith(("message_search", "nudge"))
                )
            },
        )
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(config: Config):
    schema.migrate(config)
    schema.require_current(config)


def test_another_programs_database_is_left_as_it_was(tmp_path):
    config = read_config(data=tmp_path)
    engine = make_engine(config)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE shoes (size INTEGER)")
    for attempt in (schema.migrate, schema.require_current):
        with pytest.raises(schema.ForeignDatabase):
            attempt(config)
    assert sa.inspect(engine).get_table_names() == ["shoes"]
    engine.dispose()


def test_a_first_migration_that_was_cut_short_is_taken_up_again(tmp_path):  # F19
    config = read_config(data=tmp_path)
    engine = make_engine(config)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    engine.dispose()
    schema.migrate(config)
    schema.require_current(config)


_KILLED = """
import os, signal, sys
import sqlalchemy as sa
from concierge import schema
from concierge.config import read_config
left = [int(sys.argv[1])]
@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def count(*_given):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
schema.migrate(read_config(data=sys.argv[2], database_url=sys.argv[3]))
"""


@pytest.mark.parametrize("statement", [40, 230])
def test_a_migration_killed_midway_is_taken_up_again(tmp_path, config, request, statement):  # F19
    url = f"sqlite+pysqlite:///{tmp_path / 'killed.db'}"
    if not config.is_sqlite:
        server: sa.Connection = request.getfixturevalue("postgresql")
        server.exec_driver_sql("DROP DATABASE IF EXISTS killed WITH (FORCE)")
        server.exec_driver_sql("CREATE DATABASE killed")
        url = sa.make_url(config.database_url).set(database="killed").render_as_string(hide_password=False)
    fresh = read_config(data=tmp_path, database_url=url)
    child = [sys.executable, "-c", _KILLED, str(statement), str(tmp_path), url]
    assert subprocess.run(child, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    with pytest.raises(ConciergeError):  # nobody opens a house that stands half-way
        schema.require_current(fresh)
    schema.migrate(fresh)
    schema.require_current(fresh)
    test_the_migrations_make_what_the_models_describe(fresh)


def test_a_database_with_nothing_in_it_is_not_called_old(tmp_path):
    with pytest.raises(schema.EmptyDatabase):
        schema.require_current(read_config(data=tmp_path))
