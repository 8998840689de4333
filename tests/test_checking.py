"""`concierge check`: each thing that can be wrong is found, alone, and its remedy named."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import starting
from concierge.checking import check_all
from concierge.config import Config, read_config
from concierge.db import make_engine
from tests.factories import make_mailbox


def _failing(config: Config) -> dict[str, str]:
    return {finding.name: finding.words for finding in check_all(config) if not finding.works}


def test_a_house_without_a_mailbox_is_told_how_to_open_one(config: Config, session: Session):
    assert "concierge mailbox add" in _failing(config)["mailboxes"]
    make_mailbox(session)
    session.commit()
    assert "mailboxes" not in _failing(config)


def test_what_works_is_said_too(config: Config, session: Session):
    make_mailbox(session)
    session.commit()
    words = {finding.name: finding.words for finding in check_all(config)}
    assert "care@maison-solenne.example" in words["mailboxes"]
    assert words["blobs"].startswith("Written, read and deleted")
    assert "Europe/Rome" in words["clock"]


def test_blobs_that_cannot_be_written_are_found(config: Config):
    (config.data / "file").write_text("in the way")
    assert (
        "CONCIERGE_BLOBS_URL" in _failing(config.model_copy(update={"blobs_url": str(config.data / "file")}))["blobs"]
    )


def test_a_relay_that_does_not_answer_is_found(tmp_path):
    config = read_config(data=tmp_path, provider="smtp", smtp_url="smtp://127.0.0.1:1")
    assert "127.0.0.1" in _failing(config)["provider"]


def test_a_database_out_of_reach_fails_once_and_holds_nothing_else_up(tmp_path):
    failing = _failing(read_config(data=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none"))
    assert "Connection refused" in failing["database"]
    assert failing["clock"] == failing["mailboxes"] == "Can't be looked at until the database works."
    assert "blobs" not in failing


def test_a_database_that_may_forget_is_found(config: Config):  # F17
    engine = make_engine(config)
    with engine.connect() as connection:
        if config.is_sqlite:
            assert starting.durability_faults(connection) == []
            connection.rollback()
            connection.connection.driver_connection.execute("PRAGMA synchronous=NORMAL")
            assert starting.durability_faults(connection) == ["synchronous is 1, not FULL"]
        else:  # the tests' own server is quick and forgetful
            assert "fsync is off" in starting.durability_faults(connection)
            connection.execute(sa.text("SET synchronous_commit = on"))
            assert "synchronous_commit is off" not in starting.durability_faults(connection)
    engine.dispose()
