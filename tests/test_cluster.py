"""Many machines: a task is a hint, so one that is lost, repeated or late does no harm; and the jobs are the same."""

import ast
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from celery.contrib.testing.worker import start_worker
from click.testing import CliRunner
from sqlalchemy.orm import Session

from concierge import cluster, handing, setbacks
from concierge.addresses import Address
from concierge.cli import main
from concierge.cluster import ClusterUnfit, Hands, make_app, poster, require_cluster
from concierge.config import Config, read_config
from concierge.db import Sessions
from concierge.handing import AGAIN_SECONDS, hand_out
from concierge.lines import Line, Queue
from concierge.mailing.commands import queue_delivery
from concierge.mailing.jobs import deliver_due
from concierge.mailing.models import Delivery, DeliveryState
from concierge.worker import TIMETABLE
from concierge.working import work_each
from tests.factories import NOW, make_customer
from tests.mailing.samples import make_mail
from tests.test_idle import write_locks


@dataclass
class Road:
    """What the clock handed out, under way to the workers: it may be lost, repeated and late."""

    hands: Hands
    tasks: list[tuple[str, list[int] | None]] = field(default_factory=list)

    def post(self, line: Line, rows: list[int] | None, _number: int | None, void_after: float) -> None:
        """As the broker would."""
        assert void_after >= AGAIN_SECONDS
        self.tasks.append((line.name, rows))

    def arrive(self, *, times: int = 1) -> int:
        """All of it arrives, each task so often; how much was done."""
        tasks, self.tasks = self.tasks, []
        return sum(self.hands.do(name, rows, None) for name, rows in tasks for _each in range(times))


@pytest.fixture
def road(config: Config) -> Iterator[Road]:
    hands = Hands(config, TIMETABLE)
    yield Road(hands)
    hands.close()


@pytest.fixture
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The steady clock of the handing, which a test may move."""
    hand = [time.monotonic()]
    monkeypatch.setattr(handing.time, "monotonic", lambda: hand[0])
    return hand


def queue_mails(session: Session, count: int) -> None:
    for number in range(count):
        mail = make_mail(to=Address("", f"customer{number}@example.com"))
        queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)
    session.commit()


def clock_of(road: Road, name: str = "mailing.deliver_answers") -> Line:
    """The clock's line for this job."""
    [line] = [each for each in hand_out(TIMETABLE, road.post) if each.name.startswith(f"{name} →")]
    return line


def states(session: Session) -> dict[DeliveryState, int]:
    found = session.execute(sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)).all()
    session.commit()
    return dict(found)


def test_what_is_due_is_handed_out_in_chunks_and_done_once(config, sessions, session, road):
    queue_mails(session, 60)
    assert clock_of(road).job(config, sessions) == 60
    assert [len(rows) for _name, rows in road.tasks] == [25, 25, 10]
    assert states(session) == {DeliveryState.QUEUED: 60}, "the clock only looks"
    assert road.arrive() == 60
    assert states(session) == {DeliveryState.SENT: 60}


def test_a_task_that_is_lost_is_found_again_by_a_later_look(config, sessions, session, road, an_hour_later):
    queue_mails(session, 30)
    line = clock_of(road)
    assert line.job(config, sessions) == 30
    del road.tasks[0]  # 25 of them
    assert road.arrive() == 5
    assert line.job(config, sessions) == 0, "they may still be under way"
    an_hour_later[0] += AGAIN_SECONDS
    assert line.job(config, sessions) == 25
    assert road.arrive() == 25
    assert states(session) == {DeliveryState.SENT: 30}


def test_a_task_that_comes_three_times_is_done_once(config, sessions, session, road):
    queue_mails(session, 30)
    clock_of(road).job(config, sessions)
    assert road.arrive(times=3) == 30


def test_a_task_that_comes_late_does_what_is_left(config, sessions, session, road):
    queue_mails(session, 30)
    clock_of(road).job(config, sessions)
    assert deliver_due(config, sessions) == 30, "a worker of one machine was quicker"
    assert road.arrive() == 0
    assert states(session) == {DeliveryState.SENT: 30}


def test_a_task_works_its_own_rows_and_no_others(config, sessions, session, road):
    queue_mails(session, 30)
    clock_of(road).job(config, sessions)
    [first, _second] = road.tasks
    road.tasks = [first]
    assert road.arrive() == 25
    assert states(session) == {DeliveryState.SENT: 25, DeliveryState.QUEUED: 5}


def test_a_clock_that_took_over_hands_out_anew_what_the_other_may_have_lost(config, sessions, session, road):
    queue_mails(session, 5)
    assert clock_of(road).job(config, sessions) == 5
    assert clock_of(road).job(config, sessions) == 5, "another clock, which knows of nothing"
    assert road.arrive() == 5


def test_without_the_claim_a_repeated_task_is_done_twice(config, sessions, session, road, monkeypatch):
    """Negative control."""
    done: list[int] = []

    def careless(config: Config, sessions: Sessions) -> int:
        return work_each(sessions, "careless", [1, 2, 3], lambda _session, number: done.append(number))

    line = Line(careless, every=1, queue=Queue.HOUSE, chunk=2, called="careless")
    road.hands = Hands(config, [line])
    hand_out([line], road.post)[0].job(config, sessions)
    assert road.arrive(times=2) == 6
    assert sorted(done) == [1, 1, 2, 2, 3, 3]
    road.hands.close()


def test_while_something_handed_out_is_still_due_the_clock_looks_again_soon(config, sessions, session, road):
    queue_mails(session, 5)
    line = clock_of(road)
    line.job(config, sessions)
    assert line.due is not None
    assert line.due(session) is not None
    session.commit()
    road.arrive()
    line.job(config, sessions)
    assert line.due(session) is None
    session.commit()


def test_a_row_that_fails_in_a_task_rests_like_anywhere_else(config, sessions, session, road):
    def spoilt(config: Config, sessions: Sessions) -> int:
        return work_each(sessions, "spoilt", [1, 2], lambda session, number: make_customer(session, 1 / (2 - number)))

    line = Line(spoilt, every=1, queue=Queue.HOUSE, chunk=10, called="spoilt")
    road.hands = Hands(config, [line])
    assert road.hands.do("spoilt", [2], None) == 0
    assert setbacks.list_failed(session, "spoilt") == {2}
    session.commit()
    road.hands.close()


def test_a_look_of_the_clock_changes_nothing(config, sessions, session, road):
    """A job whose rows are shared out must not write before it has asked which of them are its own."""
    if not config.is_sqlite:
        pytest.skip("PostgreSQL has no lock that shows it")
    queue_mails(session, 2)
    with write_locks(sessions) as taken:
        for line in hand_out(TIMETABLE, road.post):
            line.job(config, sessions)
    assert taken == []
    assert ("mailing.deliver_answers", [1, 2]) in road.tasks


def test_every_line_is_handed_to_a_queue_or_done_by_the_clock_itself():
    assert [line.name for line in TIMETABLE if not line.queue] == [
        "catalogue.read_stock_folder",  # on whichever machine the folder is
        "heartbeat.forget_copies",
    ]
    nudged = [line for line in TIMETABLE if line.on and not line.by_clock]
    assert all(line.chunk for line in nudged), "what is nudged is known by its rows, so that none is handed out twice"
    assert {line.queue for line in TIMETABLE if line.queue} == set(Queue)


def test_celery_carries_it_to_a_worker(config, sessions, session):
    """The real thing, over a broker in memory: published, routed, acknowledged late, done."""
    queue_mails(session, 30)
    app = make_app(config.model_copy(update={"broker_url": type(config.broker_url)("memory://")}))
    line = next(each for each in hand_out(TIMETABLE, poster(app)) if each.name.startswith("mailing.deliver_answers →"))
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR", queues=[str(q) for q in Queue]):
        assert line.job(config, sessions) == 30
        latest = time.monotonic() + 10
        while states(session) != {DeliveryState.SENT: 30}:
            assert time.monotonic() < latest, states(session)
            time.sleep(0.02)
    app.hands.close()


def test_celery_is_told_to_hold_nothing_back_and_to_keep_nothing(config):
    app = make_app(config.model_copy(update={"broker_url": type(config.broker_url)("memory://")}))
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_ignore_result
    assert app.conf.accept_content == ["json"]
    tasks = [app.tasks[line.name] for line in TIMETABLE if line.queue]
    assert all(0 < task.soft_time_limit < task.time_limit for task in tasks)
    assert app.tasks["wishes.open_waves"].soft_time_limit == 300


def shared(tmp_path, broker: str) -> Config:
    return read_config(data=tmp_path, broker_url=broker, database_url="postgresql://concierge@127.0.0.1:1/none")


def test_what_is_missing_is_said_in_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ClusterUnfit, match="CONCIERGE_BROKER_URL is not set"):
        require_cluster(read_config(data=tmp_path))
    with pytest.raises(ClusterUnfit, match="need a database they share"):
        require_cluster(read_config(data=tmp_path, broker_url="redis://127.0.0.1:1/0"))
    with pytest.raises(ClusterUnfit) as raised:
        require_cluster(shared(tmp_path, "redis://:secret@127.0.0.1:1/0"))
    assert "127.0.0.1:1" in str(raised.value)
    assert "can't be reached" in str(raised.value)
    assert "secret" not in str(raised.value)
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(ClusterUnfit, match="Celery is not installed: pip install 'concierge\\[cluster\\]'"):
        require_cluster(shared(tmp_path, "redis://127.0.0.1:1/0"))


def test_the_house_runs_without_celery():
    """It is an extra: nothing but `cluster` imports it, and that only when a broker is configured."""
    for path in Path(cluster.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "celery" not in text and "kombu" not in text and "redis" not in text:
            continue
        tree = ast.parse(text)
        at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        named = [node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in at_once]
        assert not {name.partition(".")[0] for name in named} & {"celery", "kombu", "redis"}, path


def test_options_of_many_machines_ask_for_a_broker(tmp_path, monkeypatch):
    monkeypatch.setattr("concierge.cli._ready_config", lambda: read_config(data=tmp_path))
    said = CliRunner().invoke(main, ["worker", "--queue", "answers"])
    assert said.exit_code == 2
    assert "CONCIERGE_BROKER_URL" in said.output
    said = CliRunner().invoke(main, ["clock"])
    assert said.exit_code == 1
    assert "CONCIERGE_BROKER_URL is not set" in said.output


def test_the_broker_is_checked_with_everything_else(monkeypatch, tmp_path):
    monkeypatch.setenv("CONCIERGE_BROKER_URL", "kafka://broker")
    with pytest.raises(Exception, match=r"CONCIERGE_BROKER_URL: must begin with redis://"):
        read_config(data=tmp_path)
