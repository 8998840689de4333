"""The database's schema: which migration it stands at, and moving it to the newest."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from concierge.config import Config, house_folder
from concierge.db import make_engine
from concierge.errors import ConciergeError


class NewerDatabase(ConciergeError):
    """This database was made by a newer Concierge; update the program, or choose another data folder."""


class ForeignDatabase(ConciergeError):
    """This database holds another program's tables; choose an empty one (CONCIERGE_DATABASE_URL, CONCIERGE_DATA)."""


class EmptyDatabase(ConciergeError):
    """There is nothing in this database yet; `concierge migrate` prepares it, and `concierge run` does so by itself."""


class OldDatabase(ConciergeError):
    """This database was made by an older Concierge; run `concierge migrate` first."""


def migrate(config: Config) -> None:
    """Bring the database to the newest migration; refuses what isn't ours to touch (see stands_at)."""
    engine = make_engine(config)
    with engine.connect() as connection:
        stands_at(connection)
    engine.dispose()
    command.upgrade(alembic_config(config), "head")


def require_current(config: Config) -> None:
    """Raise EmptyDatabase, OldDatabase or NewerDatabase unless the database stands at the newest migration."""
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            revision = stands_at(connection)
    finally:
        engine.dispose()
    if revision is None:
        raise EmptyDatabase
    if revision != newest():
        raise OldDatabase


def stands_at(connection: sa.Connection) -> str | None:
    """The migration the database stands at, None for an empty one.

    Raises NewerDatabase for a migration we don't know, ForeignDatabase where there are tables and no migration.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerDatabase
    # A first migration that was cut short leaves Alembic's own table behind.
    if revision is None and (tables := sa.inspect(connection).get_table_names()) and "alembic_version" not in tables:
        raise ForeignDatabase
    return revision


def is_known(revision: str) -> bool:
    """Whether this program knows that migration."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def newest() -> str:
    """The newest migration this program knows."""
    return _scripts().get_current_head() or ""


def alembic_config(config: Config) -> AlembicConfig:
    """What Alembic needs to find our migrations and the database."""
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(house_folder("migrations")))
    alembic.set_main_option("path_separator", "os")
    alembic.attributes["config"] = config
    return alembic


def _scripts() -> ScriptDirectory:
    folder: Path = house_folder("migrations")
    return ScriptDirectory(str(folder))
