"""The database as we need it: durable, migrated, UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic import command

from concierge import schema
from concierge.audit import AuditEntry
from concierge.db import is_safe_sqlite, lock_for_writing
from concierge.extensions import db
from tests.factories import NOW, make_editor, make_mailbox


def test_sqlite_is_durable(session, config):  # F17
    if not config.is_sqlite:
        return
    pragmas = [session.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert pragmas == ["wal", 2, 1]


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 53, 4), True),
    ],
)
def test_an_sqlite_that_can_lose_mail_is_refused(version, safe):  # F17
    assert is_safe_sqlite(version) is safe


def test_the_tables_are_what_the_migrations_make(config):
    command.check(schema.alembic_config(config))
    schema.require_current(config)


def test_a_database_of_a_newer_concierge_is_left_alone(config, session):
    session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    session.commit()
    with pytest.raises(schema.NewerDatabase):
        schema.migrate(config)


def test_instants_are_kept_in_utc_and_must_be_aware(session):
    tokyo = datetime(2026, 5, 12, 18, 30, tzinfo=timezone(timedelta(hours=9)))
    mailbox = make_mailbox(session, created_at=tokyo)
    session.commit()
    session.expire_all()
    assert (mailbox.created_at, mailbox.created_at.tzinfo) == (NOW, UTC)
    with pytest.raises(sa.exc.StatementError):
        make_mailbox(session, "ciao@maison-solenne.example", created_at=NOW.replace(tzinfo=None))


def test_a_state_outside_its_words_is_refused_by_the_database(session):
    nadia = make_editor(session)
    session.commit()
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.text("UPDATE editor SET role = 'duchess' WHERE id = :id"), {"id": nadia.id})


def test_an_audit_entry_needs_a_real_editor(session):
    session.add(AuditEntry(at=NOW, verb="x", subject_type="x", subject_id=1, editor_id=999, details={}))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()


def test_who_has_looked_already_still_gets_the_lock_and_sees_what_was_written_meanwhile(app, session):
    nadia = make_editor(session)
    session.commit()
    with app.app_context():
        assert db.session.get(type(nadia), nadia.id).name == "Nadia Ferrant"
        nadia.name = "Nadia Rossi"
        session.commit()
        lock_for_writing(db.session)
        assert db.session.scalar(sa.select(type(nadia).name)) == "Nadia Rossi"
        db.session.execute(sa.update(type(nadia)).values(title="Editor"))
        db.session.commit()


def test_without_the_lock_it_would_fail(app, session, config):
    """Negative control of the test above, on SQLite: a reader that turns writer after another wrote is refused."""
    if not config.is_sqlite:
        return
    nadia = make_editor(session)
    session.commit()
    with app.app_context():
        db.session.get(type(nadia), nadia.id)
        nadia.name = "Nadia Rossi"
        session.commit()
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            db.session.execute(sa.update(type(nadia)).values(title="Editor"))
