"""Due follow-ups claimed, judged and queued, among many scheduled; beside APScheduler's own job store, as full.

That store finds a job, runs it (here it does nothing) and deletes it. Ours reads every condition anew, makes the mail,
keeps it in her conversation and queues it.
"""

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.job import Job
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from benchmarks import filling, restock
from benchmarks.measuring import Figure, Place, milliseconds, per_second
from concierge import clock
from concierge.conversations.models import Conversation, ConversationState, Direction, Message, MessageKind
from concierge.db import reading
from concierge.followups import jobs
from concierge.followups.models import FollowUp, FollowUpState
from concierge.timekeeping import Timekeeper
from concierge.worker import TIMETABLE

NEEDS_CONVERSATIONS = False
SIZES = (10_000, 1_000_000)
READERS = 10_000
DUE, A_SECOND, PACED = 200, 5.0, 100
_STORE = "APScheduler's SQLAlchemyJobStore: found, run, deleted"
_ROME = ZoneInfo("Europe/Rome")
_BODY = "<p>Dear Barbara,</p><p>did you have a moment to look at the ivory pair?</p>"


def measure(place: Place) -> Iterator[Figure]:
    """For each size: queued per second, the look for what is due, and from due to queued by the clock."""
    for size in (max(place.of(each), 1_000) for each in SIZES):
        with restock.own_house(place, f"following{size}") as house:
            awake = _awake(house)
            _fill(awake, size)
            store = Store(awake, size)
            where = f"{size:,} scheduled, {place.name}"
            yield _speed(awake, store, where)
            yield _look(awake, store, where)
            yield from _paced(awake, store, where)
            store.close()


def _awake(house: Place) -> Place:
    """The same house, which writes at any hour: what is measured is not when a day begins."""
    hours = {"courtesy_from_hour": 0, "courtesy_until_hour": 24}
    policy = house.config.policy.model_copy(update=hours)
    return replace(house, config=house.config.model_copy(update={"policy": policy}))


def _speed(house: Place, store: "Store", where: str) -> Figure:
    with restock.memory() as grown:
        ours, theirs = per_second(
            house, lambda: _queue(house), store.work, lambda: (_fall_due(house), store.fall_due(DUE))
        )
    beside = f"memory {grown[0]:+.0f} MiB"
    return Figure("follow-ups claimed and queued", where, ours, theirs, "/s", _STORE, beside=beside)


def _queue(house: Place) -> int:
    """Let all that are due go; each is a mail."""
    done = 0
    while left := jobs.release_due(house.config, house.sessions):
        done += left
    assert done == DUE, done
    return done


def _look(house: Place, store: "Store", where: str) -> Figure:
    """Nothing is due: what it costs to see that, and when to look again."""

    def look() -> None:
        assert jobs.release_due(house.config, house.sessions) == 0
        with reading(house.sessions) as session:
            jobs.next_due(session)

    ours, theirs = milliseconds(house, look, store.look, times=100)
    words = "APScheduler's SQLAlchemyJobStore: jobs that are due, and the next moment"
    return Figure("a look where none is due", where, ours.middle, theirs.middle, "ms", words, ours.waited)


def _paced(house: Place, store: "Store", where: str) -> Iterator[Figure]:
    """From due to queued, at an even pace, beside from due to run; by the clock, for a moment is one."""
    first = clock.now() + timedelta(seconds=2)
    moments = [first + timedelta(seconds=number / A_SECOND) for number in range(PACED)]
    _fall_due(house, moments)
    [line] = [line for line in TIMETABLE if line.job is jobs.release_due]
    with _running(Timekeeper(house.config, [line])):
        ours = _seen(moments, lambda: _sent(house))
    store.fall_due_at([moment + (clock.now() + timedelta(seconds=2) - first) for moment in moments])
    theirs = store.run()
    for name, at in (("median", PACED // 2), ("99 of 100", int(PACED * 0.99))):
        words = f"APScheduler's own, from due to run, {name}"
        yield Figure(f"from due to queued, {name}", where, ours[at], theirs[at], "ms", words, ours[at])


@contextmanager
def _running(keeper: Timekeeper) -> Iterator[None]:
    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        yield
    finally:
        keeper.close()
        thread.join()


def _seen(moments: list[datetime], count: Callable[[], int]) -> list[float]:
    """How many ms after its moment each was seen to have left, shortest first; they leave in their order."""
    before, waits = count(), []
    latest = moments[-1] + timedelta(seconds=60)
    while len(waits) < len(moments) and clock.now() < latest:
        time.sleep(0.01)
        left, now = count() - before, clock.now()
        waits += [(now - moment).total_seconds() * 1000 for moment in moments[len(waits) : left]]
    assert len(waits) == len(moments), len(waits)
    return sorted(waits)


def _sent(house: Place) -> int:
    sent = sa.select(sa.func.count()).select_from(FollowUp).where(FollowUp.state == FollowUpState.SENT)
    with reading(house.sessions) as session:
        return session.scalar(sent) or 0


def _fill(house: Place, size: int) -> None:
    """So many follow-ups of ten thousand readers, all of them weeks away."""
    restock.fill_customers(house, min(size, READERS))
    asked = filling.NOW - timedelta(days=30)
    readers = range(1, min(size, READERS) + 1)
    with house.sessions() as session:
        session.execute(sa.insert(Conversation), [_conversation(number, asked) for number in readers])
        session.execute(sa.insert(Message), [_message(number, asked) for number in readers])
        session.commit()
    with house.sessions() as session:
        for begin in range(0, size, 50_000):
            some = range(begin, min(begin + 50_000, size))
            session.execute(sa.insert(FollowUp), [_follow_up(number, len(readers)) for number in some])
        for table in ("conversation", "message"):
            filling.count_on(session, table)
        session.commit()
    tidied = "ANALYZE" if house.config.is_sqlite else "VACUUM ANALYZE"  # or the server does it while we measure
    with house.sessions.kw["bind"].connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(tidied)


def _conversation(number: int, at: datetime) -> dict[str, object]:
    return {
        "id": number,
        "mailbox_id": 1,
        "customer_id": number,
        "editor_id": 1,
        "subject": f"About order {number}",
        "state": ConversationState.CLOSED,
        "closed_at": at,
        "first_line": "Good morning",
        "last_message_at": at,
        "last_message_id": number,
        "created_at": at,
    }


def _message(number: int, at: datetime) -> dict[str, object]:
    return {
        "id": number,
        "conversation_id": number,
        "mailbox_id": 1,
        "direction": Direction.IN,
        "kind": MessageKind.HUMAN,
        "from_name": f"Barbara {number}",
        "from_address": f"barbara{number}@example.com",
        "to": [{"name": "", "address": "care@maison.example"}],
        "cc": [],
        "reply_to": [],
        "subject": f"About order {number}",
        "text": "Is there a pair left in 36?",
        "rfc_message_id": f"{number}@example.com",
        "created_at": at,
    }


def _follow_up(number: int, readers: int) -> dict[str, object]:
    due_at = clock.now().replace(microsecond=0) + timedelta(days=30, seconds=number * 7919 % 10_000_000)
    return {
        "conversation_id": number % readers + 1,
        "editor_id": 1,
        "state": FollowUpState.SCHEDULED,
        "planned_at": filling.NOW,
        "since_message_id": READERS + 10_000_000,
        "since_at": filling.NOW,
        "wall": due_at.astimezone(_ROME).replace(tzinfo=None) + timedelta(microseconds=number // readers),
        "is_named": True,
        "due_at": due_at,
        "reckoned_from": "Europe/Rome:",
        "body": _BODY,
        "language": "en",
        "needs_yes": False,
        "at_once": False,
    }


def _fall_due(house: Place, moments: list[datetime] | None = None) -> None:
    """So many, each of a reader who has had none, are due a second ago, or at these moments."""
    moments = moments or [clock.now() - timedelta(seconds=1)] * DUE
    with house.sessions() as session:
        fresh = sa.select(sa.func.min(FollowUp.id)).group_by(FollowUp.conversation_id)
        fresh = fresh.having(sa.func.count(FollowUp.settled_at) == 0).order_by(FollowUp.conversation_id)
        ids = session.scalars(fresh.limit(len(moments))).all()
        table = FollowUp.__table__
        moved = sa.update(table).where(table.c.id == sa.bindparam("its_id"))
        moved = moved.values(due_at=sa.bindparam("at"), wall=sa.bindparam("shown"))
        session.connection().execute(
            moved,
            [
                {"its_id": number, "at": at, "shown": at.astimezone(_ROME).replace(tzinfo=None)}
                for number, at in zip(ids, moments, strict=True)
            ],
        )
        session.commit()


def do_nothing() -> None:
    """What the jobs of the other store do."""


class Store:
    """APScheduler's store with as many date jobs, in the same database, used as its scheduler uses it."""

    def __init__(self, house: Place, size: int) -> None:
        """Filled with jobs that are weeks away, and that nobody will read."""
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        self._store = SQLAlchemyJobStore(engine=house.sessions.kw["bind"].execution_options(writes=True))
        self._scheduler.add_jobstore(self._store)
        self._scheduler.start(paused=True)
        self._numbers = iter(range(size, 10**9))
        far = time.time() + 30 * 86_400
        with self._store.engine.begin() as connection:
            for begin in range(0, size, 50_000):
                some = range(begin, min(begin + 50_000, size))
                connection.execute(
                    self._store.jobs_t.insert(),
                    [
                        {"id": f"{each:032}", "next_run_time": far + each % 10_000_000, "job_state": b""}
                        for each in some
                    ],
                )

    def fall_due(self, count: int) -> None:
        """So many are due a second ago."""
        self.fall_due_at([clock.now() - timedelta(seconds=1)] * count)

    def fall_due_at(self, moments: list[datetime]) -> None:
        """Jobs for these moments, in place of as many that are far away."""
        numbers = [next(self._numbers) for _ in moments]
        with self._store.engine.begin() as connection:
            connection.execute(
                self._store.jobs_t.insert(),
                [
                    {
                        "id": f"{number:032}",
                        "next_run_time": moment.timestamp(),
                        "job_state": pickle.dumps(self._job(number, moment).__getstate__(), pickle.HIGHEST_PROTOCOL),
                    }
                    for number, moment in zip(numbers, moments, strict=True)
                ],
            )

    def _job(self, number: int, moment: datetime) -> Job:
        return Job(
            self._scheduler,
            id=f"{number:032}",
            name="nothing",
            func=do_nothing,
            args=(),
            kwargs={},
            trigger=DateTrigger(moment, "UTC"),
            executor="default",
            misfire_grace_time=None,
            coalesce=True,
            max_instances=PACED,
            next_run_time=moment,
        )

    def work(self) -> int:
        """What its scheduler does with what is due: run, and delete, one after the other."""
        due = self._store.get_due_jobs(clock.now())
        for job in due:
            job.func(*job.args, **job.kwargs)
            self._store.remove_job(job.id)
        assert len(due) == DUE, len(due)
        return len(due)

    def look(self) -> None:
        """What its scheduler asks at each look."""
        assert not self._store.get_due_jobs(clock.now())
        self._store.get_next_run_time()

    def run(self) -> list[float]:
        """Let its scheduler run: how many ms after its moment each job was run, shortest first."""
        waits: list[float] = []

        def ran(event: object) -> None:
            waits.append((clock.now() - event.scheduled_run_time).total_seconds() * 1000)  # type: ignore[attr-defined]

        self._scheduler.add_listener(ran, EVENT_JOB_EXECUTED)
        self._scheduler.resume()
        self._scheduler.wakeup()
        latest = time.monotonic() + PACED / A_SECOND + 60
        while len(waits) < PACED and time.monotonic() < latest:
            time.sleep(0.05)
        self._scheduler.pause()
        assert len(waits) == PACED, len(waits)
        return sorted(waits)

    def close(self) -> None:
        """Stop, and leave the engine to the house."""
        self._scheduler.shutdown(wait=False)
