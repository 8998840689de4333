"""Many machines: the same jobs as Celery tasks, handed out by a clock, done by any number of workers.

Celery is the post office and nothing else: it stores no results and keeps no times, and every message may be lost,
repeated or late (`handing.py` says why). Imported here alone, and only where a broker is configured.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from concierge import clock, copies, lifeline
from concierge.config import Config
from concierge.db import Sessions, make_sessions
from concierge.errors import ConciergeError
from concierge.handing import hand_out
from concierge.heartbeat import Heartbeat
from concierge.lines import Line, Queue
from concierge.mailing.jobs import provider_state
from concierge.timekeeping import FINISHING_SECONDS, Attempt, keep_time
from concierge.worker import TIMETABLE, beside
from concierge.working import sharing

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)

# A task that goes on for so long after it was told to end is ended, and its process with it.
_GRACE_SECONDS = 30.0
_REACH_SECONDS = 5.0
# A message whose worker is gone comes back by itself after so long; what it was about was found again long before.
_VISIBLE_SECONDS = 900


class ClusterUnfit(ConciergeError):
    """Several machines can't work together like this."""


def make_app(config: Config, timetable: Sequence[Line] = TIMETABLE) -> "Celery":
    """The Celery application: a task for every line that has a queue. Raises ClusterUnfit where Celery is missing."""
    try:
        from celery import Celery
        from kombu.entity import Queue as MessageQueue
    except ImportError as error:
        raise ClusterUnfit(
            "CONCIERGE_BROKER_URL is set, but Celery is not installed: pip install 'concierge[cluster]'."
        ) from error
    app = Celery("concierge", broker=config.broker_url.get_secret_value(), set_as_current=False)
    app.conf.update(_settings())
    app.conf.task_queues = [MessageQueue(name) for name in Queue]  # type: ignore[no-untyped-call]
    app.conf.task_routes = {line.name: {"queue": str(line.queue)} for line in timetable if line.queue}
    hands = Hands(config, timetable)
    for line in timetable:
        if line.queue:
            app.task(
                _doing(hands, line.name),
                name=line.name,
                shared=False,
                soft_time_limit=line.limit,
                time_limit=line.limit + _GRACE_SECONDS,
            )
    app.hands = hands
    return app


def require_cluster(config: Config) -> "Celery":
    """The application, once everything it needs is there; raises ClusterUnfit with one sentence."""
    if not config.broker_url.get_secret_value():
        raise ClusterUnfit(
            "CONCIERGE_BROKER_URL is not set; without a broker `concierge worker` keeps time and works by itself."
        )
    if config.is_sqlite:
        raise ClusterUnfit(
            "CONCIERGE_BROKER_URL is set, but several machines need a database they share: "
            "set CONCIERGE_DATABASE_URL to a PostgreSQL, or leave the broker out."
        )
    app = make_app(config)
    check_broker(app)
    return app


def check_broker(app: "Celery") -> str:
    """The broker's address, its password left out, when it answers; raises ClusterUnfit."""
    with app.connection_for_write(connect_timeout=_REACH_SECONDS) as connection:
        where = str(connection.as_uri())
        try:
            connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=_REACH_SECONDS)
        except Exception as error:  # each transport has its own kinds
            why = str(error).strip().rstrip(".") or type(error).__name__
            raise ClusterUnfit(
                f"The broker {where} can't be reached ({why}); start it, or mend CONCIERGE_BROKER_URL."
            ) from error
    return where


def keep_clock(config: Config) -> None:
    """Hand out what is due until SIGTERM or SIGINT; of several clocks one does, the others wait to take over."""
    app = require_cluster(config)
    keep_time(config, hand_out(TIMETABLE, poster(app)), beside=beside(config))


def poster(app: "Celery") -> Any:
    """What hands a task to the broker; raises when it can't be reached, and the next look tries again."""

    def post(line: Line, rows: Sequence[int] | None, number: int | None, void_after: float) -> None:
        app.tasks[line.name].apply_async((rows, number), expires=void_after)

    return post


def do_tasks(config: Config, *, queues: Collection[str] = (), processes: int | None = None) -> int:
    """Do what is handed out until SIGTERM or SIGINT, in so many processes; the exit code. No `queues`: all of them."""
    from celery import signals

    app = require_cluster(config)
    # Our log is set up already, and Celery is to leave it alone.
    signals.setup_logging.connect(_leave_alone)
    signals.worker_process_init.connect(app.hands.open, weak=False)
    signals.worker_process_shutdown.connect(app.hands.close, weak=False)
    signals.worker_shutting_down.connect(_end_in_time, weak=False)
    lifeline.hold(os.getpid())
    worker = app.Worker(
        hostname=f"concierge-{os.getpid()}@%h",
        pool_cls="prefork",
        concurrency=processes or os.cpu_count() or 1,
        queues=sorted(queues) or [str(each) for each in Queue],
        optimization="fair",
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
        quiet=True,
        loglevel=logging.INFO,
        redirect_stdouts=False,
    )
    worker.start()
    return int(worker.exitcode or 0)


class Hands:
    """One process that does tasks: its own connections, how its runs went, and its heart."""

    def __init__(self, config: Config, timetable: Sequence[Line]) -> None:
        """Opened where it is needed: the processes are forked from one that has it too."""
        self._config, self._timetable = config, [line for line in timetable if line.queue]
        self._opened_in = 0
        self._sessions: Sessions
        self._attempts: dict[str, Attempt]
        self._heartbeat: Heartbeat

    def do(self, job: str, rows: Sequence[int] | None, number: int | None) -> int:
        """Run a job for these rows (None: for all that is due) under the lease it was handed out with."""
        if self._opened_in != os.getpid():
            self.open()
        copies.OURS.number = number
        attempt = self._attempts[job]
        if rows is None:
            return attempt.run_once()
        with sharing(rows):
            return attempt.run_once()

    def open(self, **_signal: object) -> None:
        """This process begins."""
        self._opened_in = os.getpid()
        clock.follow(self._config.clock_file)
        self._sessions = make_sessions(self._config)
        self._attempts = {line.name: Attempt(line, self._config, self._sessions) for line in self._timetable}
        self._heartbeat = Heartbeat(self._sessions, self._report, provider_state)
        self._heartbeat.start()

    def close(self, **_signal: object) -> None:
        """It ends, and says goodbye."""
        if self._opened_in == os.getpid():
            self._opened_in = 0
            self._heartbeat.stop()
            self._sessions.kw["bind"].dispose()

    def _report(self) -> dict[str, Any]:
        return {name: attempt.report() for name, attempt in self._attempts.items()}


def _doing(hands: Hands, job: str) -> Any:
    def do(rows: list[int] | None, number: int | None) -> int:
        return hands.do(job, rows, number)

    return do


def _settings() -> dict[str, Any]:
    """Celery's own: at least once, one at a time, nothing kept."""
    return {
        "task_acks_late": True,
        "task_ignore_result": True,
        "task_publish_retry": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": _REACH_SECONDS,
        "broker_transport_options": {"visibility_timeout": _VISIBLE_SECONDS, "socket_connect_timeout": _REACH_SECONDS},
    }


def _leave_alone(**_signal: object) -> None:
    """Nothing: whoever listens to this signal keeps Celery from setting up logging."""


def _end_in_time(**_signal: object) -> None:
    """Told to stop, wait for what is in hand as long as the worker of one machine does; then end."""

    def end() -> None:
        time.sleep(FINISHING_SECONDS)
        log.warning("not finished in time, to be taken up again")
        sys.stderr.flush()
        os._exit(0)

    threading.Thread(target=end, name="closing", daemon=True).start()
