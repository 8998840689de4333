"""A house so many of whose processes are killed at random, one a second, while it works: who got her mail, how often.

`python -m tests.faults.tumult cluster` runs many machines on this one: two pages, two clocks and four Celery workers
over a Redis and a PostgreSQL of their own. `… workers --count 8` runs so many plain workers, on either database, with
gunicorn beside them; with `--careless follow-ups` (or `deliveries`) they claim none of those, which must show.
`python -m tests.faults` plays all of it, one after the other. What counts is what the provider was given: it is a relay
of ours that writes down every mail.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from concierge import schema
from concierge.config import Config, Policy, read_config
from concierge.copies import WorkerCopy
from concierge.db import Sessions, database_now, make_sessions, reading
from concierge.followups.models import FollowUp, FollowUpState
from concierge.mailing.models import Delivery, DeliveryState
from tests.drafts.people import send, write
from tests.factories import make_editor
from tests.faults.careless import KINDS
from tests.faults.ends import Relay, redis_server, relay
from tests.followups.builders import ROME, answered, follow_up
from tests.houses import ROOT, free_port
from tests.postgresql import private_server

SECRET = "a-secret-for-tests-only-0123456789"
# So that it can be run at any hour.
ALL_DAY = Policy(courtesy_from_hour=0, courtesy_until_hour=24)
# What a dead worker had on the line is settled after a minute.
SETTINGS = {
    "provider": "smtp",
    "secret_key": SECRET,
    "inbound_secret": "an-inbound-secret-for-tests",
    "log": "json",
    "policy_courtesy_from_hour": str(ALL_DAY.courtesy_from_hour),
    "policy_courtesy_until_hour": str(ALL_DAY.courtesy_until_hour),
    "policy_follow_up_backlog_per_minute": "100000",
    "policy_lease_minutes": "1",
}
_SETTLED = (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.FAILED, DeliveryState.REJECTED)


@dataclass
class Troupe:
    """The processes of the house: what each is called, how it is started, and which one runs now."""

    environment: dict[str, str]
    log: Path
    commands: dict[str, list[str]]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    _were_up: set[str] = field(default_factory=set)

    def look_after(self) -> None:
        """Start what does not run."""
        for name, command in self.commands.items():
            if name not in self.running or self.running[name].poll() is not None:
                with self.log.open("ab") as out:
                    self.running[name] = subprocess.Popen(
                        command, cwd=ROOT, env=self.environment, stdout=out, stderr=out, start_new_session=True
                    )

    def kill_one(self, sessions: Sessions, chance: random.Random) -> str | None:
        """Kill one that has come up, at once: alone, or with all it has started; its name."""
        up = [name for name, process in self.running.items() if self._is_up(name, process, sessions)]
        if new := set(up) - self._were_up:
            click.echo(f"up: {', '.join(sorted(new))}", err=True)
        self._were_up |= set(up)
        if not up or len(self._were_up) < len(self.commands):  # none before all have come up
            return None
        name = chance.choice(up)
        process = self.running[name]
        children = _children(process.pid)
        if children and chance.random() < 0.5:
            os.kill(chance.choice(children), signal.SIGKILL)
            self.killed[f"a child of {_kind(name)}"] += 1
        else:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.killed[_kind(name)] += 1
        return name

    def _is_up(self, name: str, process: subprocess.Popen[bytes], sessions: Sessions) -> bool:
        """Whether it, or a child of it, has said that it lives; pages only need to have children."""
        children = _children(process.pid) if process.poll() is None else []
        if name.startswith("pages"):
            return bool(children)
        with reading(sessions) as session:
            return bool(session.scalar(sa.select(WorkerCopy.id).where(WorkerCopy.pid.in_([process.pid, *children]))))

    def close(self) -> None:
        """End all, politely, then not."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        latest = time.monotonic() + 40
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, latest - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _kind(name: str) -> str:
    return name.rstrip("0123456789 ")


def _children(process: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def furnish(sessions: Sessions, follow_ups: int, answers: int, *, due_at: datetime) -> None:
    """So many follow-ups and answers, all due at that moment, each for somebody else."""
    long_ago = due_at - timedelta(days=2)
    with sessions() as session:
        nadia = make_editor(session)
        for number in range(follow_ups):
            conversation = answered(session, nadia, f"Reader{number} Rossi", at=long_ago)
            wall = due_at.astimezone(ROME).replace(tzinfo=None)
            planned_at = long_ago + timedelta(hours=1)
            follow_up(session, conversation, nadia, now=planned_at, policy=ALL_DAY, wall=wall, is_named=True)
        for number in range(answers):
            conversation = answered(session, nadia, f"Asker{number} Rossi", at=long_ago)
            words = f"Dear Asker{number},\n\nthe pair is put aside for you."
            draft = write(session, conversation, nadia, words, now=due_at - timedelta(seconds=10))
            send(session, draft, now=due_at - timedelta(seconds=10))
        session.commit()


@dataclass(frozen=True)
class Outcome:
    """How it ended."""

    wanted: int
    taken: Counter[str]
    uncertain: int
    settled: int
    queued: int
    waiting: int
    seconds: float
    killed: Counter[str]
    took_p99: float
    # the end of what the processes wrote
    log: str = ""

    @property
    def twice(self) -> list[str]:
        """Who got more than one mail."""
        return [to for to, times in self.taken.items() if times > 1]

    @property
    def lost(self) -> int:
        """How many mails were neither queued nor are still planned."""
        return max(0, self.wanted - self.queued - self.waiting)

    @property
    def is_well(self) -> bool:
        """Each was queued once and settled, none was given to the provider twice, and none is missing unnoticed."""
        unnoticed = self.wanted - len(self.taken) - self.uncertain
        return not self.twice and self.queued == self.settled == self.wanted and unnoticed <= 0

    def __str__(self) -> str:
        kills = ", ".join(f"{times} × {name}" for name, times in sorted(self.killed.items())) or "none"
        return (
            f"{self.wanted} mails, {sum(self.killed.values())} kills ({kills}), {self.seconds:.0f} s\n"
            f"  queued once: {self.queued}; given to the provider once: {sum(n == 1 for n in self.taken.values())}, "
            f"twice: {len(self.twice)}; still waiting: {self.waiting}; lost: {self.lost}\n"
            f"  of unknown end (killed while talking), shown to an editor: {self.uncertain}; "
            f"from due to the provider, 99 of 100: {self.took_p99:.1f} s\n"
            f"  {'well' if self.is_well else 'NOT WELL'}"
        )


def run(config: Config, troupe: Troupe, given: Relay, wanted: int, *, kills: int, most_seconds: float) -> Outcome:
    """Kill one a second once all have come up, so many, and wait until everything is settled; what was seen."""
    sessions, chance = make_sessions(config), random.Random(4)
    began = time.monotonic()
    try:
        while time.monotonic() - began < most_seconds:
            troupe.look_after()
            time.sleep(1.0)
            if sum(troupe.killed.values()) < kills and (name := troupe.kill_one(sessions, chance)):
                click.echo(f"{time.monotonic() - began:5.0f} s  {name} was killed", err=True)
            if _count(sessions, Delivery.state.in_(_SETTLED)) >= wanted:
                break
    finally:
        troupe.close()
    seconds = time.monotonic() - began
    outcome = Outcome(
        wanted,
        Counter(given.taken),
        _count(sessions, Delivery.state == DeliveryState.UNCERTAIN),
        _count(sessions, Delivery.state.in_(_SETTLED)),
        _count(sessions, sa.true()),
        _waiting(sessions),
        seconds,
        troupe.killed,
        _p99(sessions),
        troupe.log.read_text(errors="replace")[-6000:],
    )
    sessions.kw["bind"].dispose()
    return outcome


def _count(sessions: Sessions, condition: Any) -> int:
    with reading(sessions) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(condition)) or 0


def _waiting(sessions: Sessions) -> int:
    with reading(sessions) as session:
        planned = sa.select(sa.func.count()).select_from(FollowUp).where(FollowUp.state == FollowUpState.SCHEDULED)
        return session.scalar(planned) or 0


def _p99(sessions: Sessions) -> float:
    with reading(sessions) as session:
        spans = sorted(
            (sent - due).total_seconds()
            for due, sent in session.execute(sa.select(Delivery.due_at, Delivery.sent_at))
            if sent is not None
        )
    return spans[int(len(spans) * 0.99)] if spans else 0.0


def _environment(config: Config, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONCIERGE_")}
    given = SETTINGS | {"data": str(config.data), "database_url": config.database_url} | settings
    kept |= {f"CONCIERGE_{name.upper()}": value for name, value in given.items()}
    return kept | {"PYTHONPATH": str(ROOT)}


def _concierge(*arguments: str, program: str = "concierge") -> list[str]:
    return [sys.executable, "-m", program, *arguments]


def pages(count: int, *, preload: bool) -> list[str]:
    """Gunicorn with so many workers, as an operator may run it."""
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "--workers", str(count), "--threads", "4", "--bind", bind]
    return [*command, *(["--preload"] if preload else []), "wsgi:app"]


@contextmanager
def house(database: str, follow_ups: int, answers: int) -> Iterator[tuple[Config, Relay, Path]]:
    """A furnished house in a folder of its own; everything is due in a few seconds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tumult-")))
        given = stack.enter_context(relay())
        url = stack.enter_context(private_server(durable=True)).format("postgres") if database == "postgresql" else ""
        config = read_config(data=folder / "data", database_url=url, secret_key=SECRET, demo=False)
        schema.migrate(config)
        sessions = make_sessions(config)
        with reading(sessions) as session:
            now = database_now(session).astimezone(UTC)
        furnish(sessions, follow_ups, answers, due_at=now + timedelta(seconds=5))
        sessions.kw["bind"].dispose()
        yield config, given, folder


@click.group()
def main() -> None:
    """Kill processes of a working house at random, and see what its customers got."""


_follow_ups = click.option("--follow-ups", default=500, show_default=True)
_answers = click.option("--answers", default=0, show_default=True)
_kills = click.option("--kills", default=30, show_default=True)
_seconds = click.option("--seconds", default=300.0, show_default=True, help="Give up after so long.")


@main.command()
@_follow_ups
@_answers
@_kills
@_seconds
def cluster(follow_ups: int, answers: int, kills: int, seconds: float) -> None:
    """Many machines on this one: two pages, two clocks, four Celery workers; Redis and PostgreSQL."""
    _end(play_cluster(follow_ups, answers, kills=kills, most_seconds=seconds))


def play_cluster(follow_ups: int, answers: int, *, kills: int, most_seconds: float) -> Outcome:
    """The same, to be called."""
    with house("postgresql", follow_ups, answers) as (config, given, folder), redis_server(folder) as broker:
        environment = _environment(config, broker_url=broker, smtp_url=f"smtp://127.0.0.1:{given.port}")
        commands = {"pages": pages(2, preload=False)}
        commands |= {f"clock {number}": _concierge("clock") for number in (1, 2)}
        commands |= {f"worker {number}": _concierge("worker", "--processes", "1") for number in (1, 2, 3, 4)}
        troupe = Troupe(environment, folder / "log", commands)
        return run(config, troupe, given, follow_ups + answers, kills=kills, most_seconds=most_seconds)


@main.command()
@click.option("--database", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--count", default=2, show_default=True, help="Workers.")
@click.option("--preload/--no-preload", default=False)
@click.option("--careless", type=click.Choice(list(KINDS)), help="They claim none of these: the negative control.")
@_follow_ups
@_answers
@_kills
@_seconds
def workers(  # noqa: PLR0917 - as click calls it, by name
    database: str,
    count: int,
    preload: bool,
    careless: str | None,
    follow_ups: int,
    answers: int,
    kills: int,
    seconds: float,
) -> None:
    """So many plain workers on one machine, with gunicorn beside them."""
    cast = Cast(database, count, preload=preload, careless=careless)
    _end(play_workers(cast, follow_ups, answers, kills=kills, most_seconds=seconds))


@dataclass(frozen=True)
class Cast:
    """So many plain workers over a database, and gunicorn beside them; `careless` ones claim none of that kind."""

    database: str
    count: int
    preload: bool = False
    careless: str | None = None


def play_workers(cast: Cast, follow_ups: int, answers: int, *, kills: int, most_seconds: float) -> Outcome:
    """Let these work while they are killed."""
    with house(cast.database, follow_ups, answers) as (config, given, folder):
        environment = _environment(config, smtp_url=f"smtp://127.0.0.1:{given.port}")
        worker = _concierge("worker")
        if cast.careless:
            worker = _concierge(cast.careless, "worker", program="tests.faults.careless")
        commands = {"pages": pages(3, preload=cast.preload)}
        commands |= {f"worker {number}": worker for number in range(1, cast.count + 1)}
        troupe = Troupe(environment, folder / "log", commands)
        return run(config, troupe, given, follow_ups + answers, kills=kills, most_seconds=most_seconds)


def _end(outcome: Outcome) -> None:
    click.echo(outcome)
    if not outcome.is_well:
        click.echo(outcome.log, err=True)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
