"""A house where nothing happens writes nothing: the worker's looks and the door's questions take no write lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from concierge.config import Config
from concierge.db import Sessions
from concierge.inbound.sources.smtp import MailDoor
from concierge.mailing.jobs import keep_mark
from concierge.worker import TIMETABLE
from tests.factories import make_mailbox
from tests.inbound.arriving import CARE, letter, receive


@contextmanager
def write_locks(sessions: Sessions) -> Iterator[list[str]]:
    """Every BEGIN IMMEDIATE that SQLite runs for these sessions."""
    heard: list[str] = []

    def listen(connection: Any, *_: object) -> None:
        connection.set_trace_callback(lambda said: heard.append(said) if "IMMEDIATE" in said else None)

    event.listen(sessions.kw["bind"], "checkout", listen)
    yield heard
    event.remove(sessions.kw["bind"], "checkout", listen)


@pytest.fixture(autouse=True)
def embedded(config: Config, session) -> None:
    """Only SQLite has one lock for all who write."""
    if not config.is_sqlite:
        pytest.skip("PostgreSQL has no such lock")
    make_mailbox(session)
    session.commit()


def test_the_idle_worker_takes_no_write_lock(config, sessions):
    with write_locks(sessions) as taken:
        # how far the house has come is noted once a minute, whatever happens
        assert sum(line.job(config, sessions) for line in TIMETABLE if line.job is not keep_mark) == 0
    assert taken == []


def test_the_door_asks_who_lives_here_without_the_write_lock(config, sessions):
    door = MailDoor(config, sessions)
    with write_locks(sessions) as taken:
        assert door._is_known(CARE)
        assert not door._is_known("nobody@maison-solenne.example")
    assert taken == []


def test_with_a_mail_to_file_they_are_seen(config, sessions):
    """Negative control: keeping and filing one mail takes the lock, and is counted."""
    with write_locks(sessions) as taken:
        receive(config, sessions, letter())
        assert len(taken) == 1
        assert sum(line.job(config, sessions) for line in TIMETABLE) == 1
    assert len(taken) >= 3
