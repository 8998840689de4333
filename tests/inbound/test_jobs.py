"""Filing what was received: once, whatever dies; and nothing is ever lost (T08, T09, F01)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import blobs, clock
from concierge.accounts.models import Mailbox
from concierge.audit import AuditEntry
from concierge.conversations.models import Message
from concierge.inbound import jobs, queries
from concierge.inbound.commands import retry_mail
from concierge.inbound.filing import keep_files
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.reading import MailReader
from tests.factories import make_editor, make_mailbox
from tests.inbound.arriving import arrive, letter, receive

HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(autouse=True)
def mailbox(session: Session) -> Mailbox:
    mailbox = make_mailbox(session)
    session.commit()
    return mailbox


def test_the_count_itself_sees_a_lost_mail(config, sessions, session):
    """Negative control: a mail whose row is gone leaves the count uneven."""
    for number in range(3):
        receive(config, sessions, letter(message_id=f"{number}@x"))
    jobs.file_received(config, sessions)
    session.execute(sa.delete(InboundMail).where(InboundMail.id == 2))
    assert queries.tally(session).all != 3


def test_a_mail_is_filed_well_within_a_second(config, sessions):
    jobs.file_received(config, sessions)  # an idle look starts the reading process
    receive(config, sessions, letter(message_id="2@x"))
    began = time.monotonic()
    assert jobs.file_received(config, sessions) == 1
    assert time.monotonic() - began < 0.7  # and the timetable looks every quarter of a second


def test_many_workers_file_every_mail_once(config, sessions, session):
    for number in range(40):
        receive(config, sessions, letter(message_id=f"{number}@x", text=f"letter {number}"))
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(jobs.file_received(config, sessions))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 40
    assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 40


def test_while_the_store_is_away_a_mail_keeps_its_tries(config, sessions, session, monkeypatch):
    number = receive(config, sessions, letter())

    def away(*_: object) -> bytes:
        raise blobs.StoreAway("no line to the store")

    with monkeypatch.context() as patched:
        patched.setattr(blobs.BlobStore, "get", away)
        for _again in range(config.policy.filing_attempts + 1):
            with pytest.raises(blobs.StoreAway):
                jobs.file_received(config, sessions)
    assert jobs.file_received(config, sessions) == 1
    assert session.get_one(InboundMail, number).state is InboundState.FILED


def test_a_mail_whose_worker_died_is_taken_up_again_after_its_lease(config, sessions, session):
    number = receive(config, sessions, letter())
    mail = session.get_one(InboundMail, number)
    mail.claimed_at, mail.attempts = clock.now() - timedelta(seconds=90), 1
    session.commit()
    assert jobs.release_stale(config, sessions) == 0
    assert jobs.file_received(config, sessions) == 0
    mail.claimed_at = clock.now() - timedelta(minutes=3)
    session.commit()
    assert jobs.release_stale(config, sessions) == 1
    assert jobs.file_received(config, sessions) == 1


def test_who_reads_longer_than_her_claim_stands_files_nothing(config, sessions, session, monkeypatch):
    number = receive(config, sessions, letter())
    times = []

    def keep_slowly(store, parsed):
        if not times:  # meanwhile the lease runs out
            with sessions() as other:
                other.execute(sa.update(InboundMail).values(claimed_at=None))
                other.commit()
        times.append(1)
        return keep_files(store, parsed)

    monkeypatch.setattr(jobs, "keep_files", keep_slowly)
    assert jobs.file_received(config, sessions) == 1
    mail = session.get_one(InboundMail, number)
    assert (mail.state, mail.attempts) == (InboundState.FILED, 2)
    assert session.scalars(sa.select(AuditEntry.verb)).all() == ["conversation.began"]


@pytest.fixture(scope="module")
def dying() -> Iterator[MailReader]:
    """A real reader, whose process some mails kill or hold up."""
    with MailReader(seconds=0.5, module="tests.inbound.dying_child") as reader:
        yield reader


def test_a_mail_that_kills_its_reader_is_tried_three_times_and_blocks_nobody(
    config, sessions, session, monkeypatch, dying
):
    monkeypatch.setattr(jobs, "_reader", lambda most_bytes: dying)
    raws = [letter(text=f"{'poison' if number == 2 else 'hello'} {number}") for number in range(5)]
    numbers = [receive(config, sessions, raw) for raw in raws]
    while jobs.file_received(config, sessions):
        pass
    mails = [session.get_one(InboundMail, number) for number in numbers]
    killer = mails.pop(2)
    assert (killer.state, killer.reason, killer.attempts) == (InboundState.QUARANTINED, "crash", 3)
    assert blobs.open_store(config).get(killer.blob_key) == raws[2]
    assert {(mail.state, mail.attempts) for mail in mails} == {(InboundState.FILED, 1)}


def test_a_busy_machine_costs_a_mail_a_try_not_its_place_in_the_house(config, sessions, session, monkeypatch):
    number = receive(config, sessions, letter())
    with HeldUpReader() as reader:
        monkeypatch.setattr(jobs, "_reader", lambda most_bytes: reader)
        jobs.file_received(config, sessions)
    mail = session.get_one(InboundMail, number)
    assert (mail.state, mail.attempts, reader.held_up) == (InboundState.FILED, 2, 1)


class HeldUpReader(MailReader):
    """A real reader whose process gets no time from the machine at its first mail."""

    def __init__(self) -> None:
        super().__init__(seconds=0.3)
        self.held_up = 0

    def _ask(self, under_way):
        if under_way and not self.held_up:
            os.kill(self.pid, signal.SIGSTOP)
            self.held_up += 1
        elif self.held_up:
            self._seconds = 2.0
        super()._ask(under_way)


def test_a_quarantined_mail_can_be_tried_again(config, sessions, session):
    mail = arrive(config, sessions, b"\r\nno header")
    assert (mail.state, mail.reason) == (InboundState.QUARANTINED, "no-header")
    again = session.get_one(InboundMail, mail.id)
    retry_mail(session, again, by=make_editor(session), now=clock.now())
    session.commit()
    assert jobs.file_received(config, sessions) == 1
    session.refresh(again)
    assert (again.state, again.attempts) == (InboundState.QUARANTINED, 1)


def test_a_mail_whose_bytes_are_gone_says_so(config, sessions, session):
    number = receive(config, sessions, letter())
    blobs.open_store(config).delete(session.get_one(InboundMail, number).blob_key)
    session.commit()
    jobs.file_received(config, sessions)
    session.expire_all()
    assert session.get_one(InboundMail, number).reason == "bytes-missing"


def test_a_database_that_fails_costs_the_mail_no_try(config, sessions, session, monkeypatch):  # F16
    number = receive(config, sessions, letter())

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, OSError("disk I/O error"))

    with monkeypatch.context() as patched, pytest.raises(OperationalError):
        patched.setattr(jobs, "settle_mail", fail)
        jobs.file_received(config, sessions)
    mail = session.get_one(InboundMail, number)
    session.commit()
    assert (mail.state, mail.attempts, mail.claimed_at) == (InboundState.RECEIVED, 0, None)
    assert jobs.file_received(config, sessions) == 1


def test_a_mail_that_cannot_be_filed_goes_to_quarantine_after_three_tries(config, sessions, session, monkeypatch):
    number = receive(config, sessions, letter())

    def surprise(*_: object, **__: object) -> None:
        raise RuntimeError("a rule nobody thought of")

    monkeypatch.setattr(jobs, "settle_mail", surprise)
    for _ in range(3):
        jobs.file_received(config, sessions)
    mail = session.get_one(InboundMail, number)
    assert (mail.state, mail.reason) == (InboundState.QUARANTINED, "not-filed")


@pytest.mark.parametrize("module", ["concierge.worker", "concierge.inbound.sources.smtp", "concierge.inbound.models"])
def test_each_process_knows_every_table_its_own_point_to(module):
    """A door or worker that starts alone has imported less than a test has."""
    code = f"import {module}\nfrom concierge.db import Base\n"
    code += "[key.column for table in Base.metadata.tables.values() for key in table.foreign_keys]"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], env=os.environ | HERE)
