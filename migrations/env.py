"""Runs the migrations on the configured database; imports every part's tables so that they can be compared."""

from alembic import context

import concierge.api.models
import concierge.audit
import concierge.catalogue.stock_models
import concierge.conversations.rearrangement_models
import concierge.copies
import concierge.drafts.models
import concierge.followups.models
import concierge.inbound.models
import concierge.mailing.outbox
import concierge.mailing.pace
import concierge.operations.models
import concierge.reports.models
import concierge.setbacks
import concierge.templating.models
import concierge.wishes.offer_models
import concierge.wishes.soundness  # noqa: F401
from concierge.config import read_config
from concierge.db import Base, make_engine

# Full-text indexes and SQLite's nudges differ by database and are written by hand.
BY_HAND = ("message_search", "nudge")


def include_name(name, kind, _parents):
    """Leave the hand-written tables out of the comparison."""
    return kind != "table" or not name.startswith(BY_HAND)


def run():
    """Migrate in one transaction a migration."""
    config = context.config.attributes.get("config") or read_config()
    given = context.config.attributes.get("connection")
    engine = None if given is not None else make_engine(config)
    connection = given if given is not None else engine.execution_options(writes=True).connect()
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=include_name,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        if engine is not None:
            connection.close()
            engine.dispose()


run()
