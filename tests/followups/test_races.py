"""What happens to her in the very moment a follow-up leaves, in either order; many workers at once; a worker killed."""

import logging
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.accounts.models import Editor
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.conversations.models import Message
from concierge.conversations.queries import lock_conversation
from concierge.db import make_sessions
from concierge.drafts import letter
from concierge.followups import jobs, releasing
from concierge.followups.conditions import Because
from concierge.followups.models import FollowUp, FollowUpState
from concierge.mailing.models import Delivery, SuppressionReason
from concierge.mailing.suppressing import suppress
from tests.catalogue.builders import make_product
from tests.conversations.stories import answer, receive
from tests.factories import DAY, NOW, make_editor
from tests.followups.builders import FRIDAY, answered, follow_up, fresh

log = logging.getLogger(__name__)

# `CONCIERGE_TESTS_FOLLOWUPS=full` plays each race until either side has been first 1,000 times, and sends 500
# follow-ups with 1, 2, 4 and 8 processes.
FULL = os.environ.get("CONCIERGE_TESTS_FOLLOWUPS") == "full"
ROUNDS = 1000
# So many seconds one waits for the other; a machine busy with other things has let a thread stand for ten.
PATIENCE = 120


@pytest.fixture
def nadia(session, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: FRIDAY)
    nadia = make_editor(session)
    make_editor(session, "Chiara Bassi")
    make_product(session, sizes={"37": 5000})
    session.commit()
    return nadia


def plan(session, nadia, name="Barbara Rossi"):
    found = follow_up(session, answered(session, nadia, name), nadia)
    session.commit()
    return found.id


def she_replies(session, found):
    parent = session.scalar(
        sa.select(Message.rfc_message_id)
        .where(Message.conversation_id == found.conversation_id)
        .order_by(Message.id.desc())
    )
    receive(session, _name(found), at=NOW + DAY, in_reply_to=(parent,))


def she_begins_anew(session, found):
    receive(session, _name(found), at=NOW + DAY, subject="Something else")


def she_buys(session, found):
    address = found.conversation.customer.address
    line = PurchaseReport("shop", f"S-{found.id}:1", "CAL-TUR-37", NOW + DAY, address=address)
    report_purchase(session, line, now=NOW + DAY)


def chiara_writes(session, found):
    chiara = session.scalars(sa.select(Editor).where(Editor.name == "Chiara Bassi")).one()
    answer(session, lock_conversation(session, found.conversation_id), by=chiara, at=NOW + DAY)


def she_complains(session, found):
    address = found.conversation.customer.address
    suppress(session, address, reason=SuppressionReason.COMPLAINT, by=None, now=NOW + DAY)


def _name(found):
    return found.conversation.customer.name


FACTS = {
    she_replies: Because.SHE_WROTE,
    she_begins_anew: Because.SHE_WROTE,
    she_buys: Because.SHE_BOUGHT,
    she_complains: Because.SUPPRESSED,
    chiara_writes: Because.COLLEAGUE_WROTE,
}
each_fact = pytest.mark.parametrize(("happens", "because"), FACTS.items(), ids=[each.__name__ for each in FACTS])


@each_fact
def test_what_was_in_hand_first_is_seen(session, sessions, config, nadia, happens, because):  # F09
    follow_up_id = plan(session, nadia)
    with sessions() as other, ThreadPoolExecutor(1) as pool:
        happens(other, other.get(FollowUp, follow_up_id))
        other.flush()
        looking = pool.submit(jobs.release_due, config, sessions)
        time.sleep(0.05)
        other.commit()
        assert looking.result() == 0
    jobs.release_due(config, sessions)
    found = session.get(FollowUp, follow_up_id, populate_existing=True)
    assert (found.state, found.because) == (FollowUpState.WITHHELD, because)


def leave_while(happens, config, sessions, follow_up_id, monkeypatch, *, patience=0.15):
    """Let it leave, and let something happen after everything was asked: whether that was there before it had left.

    `patience` is how many seconds it is given; it is over as soon as it has happened.
    """
    asked, happened, compose = threading.Event(), threading.Event(), letter.compose

    def slowly(*values: object, **more: object) -> object:
        asked.set()
        happened.wait(patience)
        return compose(*values, **more)  # type: ignore[arg-type]

    def happen() -> None:
        assert asked.wait(PATIENCE)
        with sessions() as other:
            happens(other, other.get(FollowUp, follow_up_id))
            other.commit()
        happened.set()

    monkeypatch.setattr(letter, "compose", slowly)
    was_there = []
    release = releasing.release_follow_up

    def released(*values: object, **named: object) -> object:
        message = release(*values, **named)  # type: ignore[arg-type]
        was_there.append(happened.is_set())
        return message

    monkeypatch.setattr(releasing, "release_follow_up", released)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(happen)
        assert jobs.release_due(config, sessions) == 1
        done.result()
    return was_there == [True]


@each_fact
def test_what_happens_while_it_leaves_comes_after(
    session, sessions, config, nadia, happens, because, monkeypatch
):  # F09
    assert not leave_while(happens, config, sessions, plan(session, nadia), monkeypatch)


@each_fact
def test_without_the_locks_it_slips_in(session, sessions, config, nadia, happens, because, monkeypatch):
    """Negative control: SQLite has one writer at a time anyway; on PostgreSQL it shows."""
    monkeypatch.setattr(releasing, "hold_her_still", lambda *_values, **_how: None)
    slips = session.get_bind().dialect.name == "postgresql"
    patience = PATIENCE if slips else 0.15
    assert leave_while(happens, config, sessions, plan(session, nadia), monkeypatch, patience=patience) == slips


def storm(happens, make, session, sessions, config, monkeypatch):
    """Let it happen at the very moment at which a follow-up leaves, until either has been the first so many times.

    `make` plans one for somebody with a number; none may leave after what was committed first.
    """
    left_at, release = {}, releasing.release_follow_up

    def released(other, follow_up_id, *values, **named):
        message = release(other, follow_up_id, *values, **named)
        if message is not None:
            left_at[follow_up_id] = time.perf_counter()
        return message

    monkeypatch.setattr(releasing, "release_follow_up", released)
    # Always at the edge: it happens a little sooner whenever the follow-up was the first, and later when it was not;
    # where it takes longer to come to its point than the follow-up does, the follow-up waits.
    head_start, rounds = 0.02, 0
    with ThreadPoolExecutor(1) as pool:
        while min(len(left_at), rounds - len(left_at)) < ROUNDS if FULL else rounds < 2:
            follow_up_id, together = make(rounds), threading.Barrier(2)

            def happen(follow_up_id=follow_up_id, together=together, head_start=head_start):
                with sessions() as other:
                    found = other.get(FollowUp, follow_up_id)
                    other.rollback()
                    together.wait(PATIENCE)
                    time.sleep(max(0.0, head_start))
                    happens(other, other.merge(found, load=True))
                    other.commit()
                    return time.perf_counter()

            happened = pool.submit(happen)
            together.wait(PATIENCE)
            time.sleep(max(0.0, -head_start))
            jobs.release_due(config, sessions)
            at = happened.result()
            assert follow_up_id not in left_at or left_at[follow_up_id] < at
            head_start += -0.002 if follow_up_id in left_at else 0.002
            if follow_up_id not in left_at:
                jobs.release_due(config, sessions)  # it was being written of when it was looked at first
            assert not fresh(session, session.get(FollowUp, follow_up_id)).is_scheduled
            rounds += 1
    log.info("%s: %d rounds, in %d the follow-up was first", happens.__name__, rounds, len(left_at))


@each_fact
def test_in_a_storm_none_leaves_after_what_was_committed_first(
    session, sessions, config, nadia, happens, because, monkeypatch
):  # F09
    def make(number: int) -> int:
        return plan(session, nadia, f"Reader{number} Rossi")

    storm(happens, make, session, sessions, config, monkeypatch)


def outcome(session):
    """How many mails are queued and stand in conversations, and how many follow-ups say that they left."""
    purpose = Delivery.purpose == "follow_up"
    deliveries = session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(purpose))
    joined = sa.select(sa.func.count()).select_from(Message).join(Delivery, Delivery.id == Message.delivery_id)
    messages = session.scalar(joined.where(purpose))
    left = session.scalar(sa.select(sa.func.count()).select_from(FollowUp).where(FollowUp.state == FollowUpState.SENT))
    session.commit()
    return deliveries, messages, left


def work_together(config, workers: int) -> None:
    """So many workers, each with a database connection of its own, until nothing is due."""
    together = threading.Barrier(workers)

    def work() -> None:
        sessions = make_sessions(config)
        together.wait(PATIENCE)
        while jobs.release_due(config, sessions):
            pass
        sessions.kw["bind"].dispose()

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work) for _each in range(workers)]:
            done.result()


def test_many_workers_send_each_once(session, config, nadia):  # F05
    for number in range(4):
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
    session.commit()
    work_together(config, 3)
    assert outcome(session) == (4, 4, 4)


def test_without_the_claim_one_is_sent_twice(session, config, nadia, monkeypatch):  # F05, negative control
    both, sent = threading.Barrier(2), []

    def look_only(other, follow_up_id, *, now):
        found = other.get(FollowUp, follow_up_id)
        other.commit()
        both.wait(PATIENCE)
        return found

    plan(session, nadia)
    monkeypatch.setattr(releasing, "claim_due", look_only)
    monkeypatch.setattr(releasing, "_let_go", lambda _session, found, *_values, **_named: sent.append(found.id))
    work_together(config, 2)
    assert len(sent) == 2


def toil(config) -> None:
    """What a worker does, in a process of its own: it lets go what is due until it is told otherwise, or killed."""
    sessions = make_sessions(config)
    while True:
        if not jobs.release_due(config, sessions):
            time.sleep(0.02)


@contextmanager
def toiling(config, workers):
    """So many processes at work; gives a way to kill one of them at once, in whose place another begins."""
    forked = multiprocessing.get_context("fork")
    running = []

    def begin():
        running.append(forked.Process(target=toil, args=(config,), daemon=True))
        running[-1].start()

    def kill_one():
        running.pop(0).kill()
        begin()

    for _each in range(workers):
        begin()
    try:
        yield kill_one
    finally:
        for each in running:
            each.kill()
            each.join()


@pytest.mark.parametrize(
    ("workers", "count", "kills"), [(2, 20, 3), *(((each, 500, 25) for each in (1, 2, 4, 8)) if FULL else ())]
)
def test_each_leaves_once_while_workers_are_killed(session, config, nadia, workers, count, kills):  # F05
    for number in range(count):
        follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
    session.commit()
    with toiling(config, workers) as kill_one:
        killed, latest = 0, time.monotonic() + 2 * count
        while (left := outcome(session)[0]) < count:
            if killed < kills and left >= (killed + 1) * count // (kills + 1):
                kill_one()
                killed += 1
            assert time.monotonic() < latest
            time.sleep(0.02)
    assert killed
    assert outcome(session) == (count, count, count)
