"""The ledger: what a provider's double accepted against what we recorded, whatever died and when."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.addresses import Address
from concierge.mailing import commands, jobs, leases
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers.sendgrid import SendGridProvider
from concierge.mailing.providers.smtp import SmtpProvider
from tests.faults.nursery import Nursery, nursery
from tests.faults.relays import Ledger, relay
from tests.mailing.doubles import API_KEY, sendgrid_door
from tests.mailing.samples import make_mail

# So many kills for each number of workers on each database; `make faults` asks for 1,250, which makes 10,000.
KILLS = int(os.environ.get("CONCIERGE_TESTS_KILLS", "20"))
WORKERS = (1, 2, 4, 8)
# Every commit while two mails are handed over, with how many are under way if the worker dies before and after it …
COMMITS = {"reserve": (0, 0), "begin": (0, 1), "record one, begin the next": (1, 1), "record": (1, 0)}
# … and every write of the first of them: it has begun, so nobody knows, whatever was written.
WRITES = ("EHLO", "MAIL", "RCPT", "DATA", "the text", "the closing dot")
# The same where the relay takes the envelope as a whole (RFC 2920).
WRITES_TOGETHER = ("EHLO", "MAIL, RCPT and DATA", "the text", "the closing dot")
_S = DeliveryState
# What a mail may be in the end, after whatever happened; of the last two nothing may have been taken.
ENDS = {_S.SENT, _S.UNCERTAIN, _S.REJECTED, _S.QUEUED}


@pytest.fixture(scope="module")
def small() -> Iterator[Nursery]:
    """The process the workers are forked from."""
    with nursery() as made:
        yield made


@pytest.fixture
def prepared(config, sessions, small) -> Any:
    """Workers of this house, sending by the relay on a port."""
    return lambda **more: prepare(config, sessions, small, **more)


def prepare(config, sessions, small, **more: object) -> dict[str, str]:
    """The settings of workers that are forked from this process, which knows its way about then."""
    given = {"data": config.data, "database_url": config.database_url, "secret_key": config.secret, "demo": False}
    settings = {name: str(value) for name, value in (given | more).items()}
    queue(sessions, 2, first=-2)
    small.rehearse(settings)
    with sessions() as session:
        session.execute(sa.delete(Delivery))
        session.commit()
    return settings


def by_smtp(ledger: Ledger) -> dict[str, str]:
    return {"provider": "smtp", "smtp_url": f"smtp://127.0.0.1:{ledger.port}"}


def queue(sessions, count: int, first: int = 0) -> None:
    with sessions() as session:
        for number in range(first, first + count):
            mail = make_mail(to=Address("", f"customer{number}@example.com"), message_id=f"<{number}@house.example>")
            commands.queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=clock.now())
        session.commit()


def come_back(config, sessions, provider) -> None:
    """Another worker, when every lease has run out and every pause is over."""
    real = leases.lease_now
    leases.lease_now = lambda session: real(session) + timedelta(hours=1)
    try:
        with sessions() as session:
            session.execute(sa.update(Delivery).where(Delivery.state == _S.QUEUED).values(due_at=clock.now()))
            session.commit()
        while jobs.settle_orphans(config, sessions):  # so many at a time
            pass
        while jobs.deliver_answers(config, sessions, provider):
            pass
    finally:
        leases.lease_now = real


def compare(sessions, taken: Counter[str], wanted: int, *, ends: set[DeliveryState] = ENDS) -> Counter[str]:
    """None doubled, and none missing of which we say that it left, or say nothing; in how many ways they ended."""
    with sessions() as session:
        told = {to: state for to, state in session.execute(sa.select(Delivery.to_address, Delivery.state))}
    assert len(told) == wanted
    assert set(told.values()) <= ends
    assert [to for to, times in taken.items() if times > 1] == []
    assert [to for to, state in told.items() if state is _S.SENT and not taken[to]] == []
    assert [to for to, state in told.items() if state in {_S.REJECTED, _S.QUEUED} and taken[to]] == []
    return Counter(state.value for state in told.values())


def death(chance: random.Random) -> dict[str, Any]:
    """Before or after a commit or a write, some of which it may not live to see."""
    kind, most = chance.choice([("commit", 7), ("write", 30)])
    return {kind: True, "n": chance.randint(1, most), "after": chance.random() < 0.5}


def under_way(sessions) -> int:
    with sessions() as session:
        return session.scalar(sa.select(sa.func.count(Delivery.id)).where(Delivery.state == _S.SENDING)) or 0


@pytest.mark.parametrize("writes", [WRITES, WRITES_TOGETHER], ids=["one at a time", "together"])
def test_killed_at_any_commit_or_write_no_mail_is_lost_or_doubled(  # F02, F03
    config, sessions, small, prepared, writes
):
    points = [("commit", n, after) for n in range(1, len(COMMITS) + 1) for after in (False, True)]
    doubts = [doubt for both in COMMITS.values() for doubt in both] + [1] * (len(writes) + 1)
    points += [("write", n, False) for n in range(1, len(writes) + 1)] + [("write", len(writes), True)]
    with relay(together=writes is WRITES_TOGETHER) as ledger:
        settings, seen = prepared(**by_smtp(ledger)), []
        for round_, (kind, n, after) in enumerate(points):
            queue(sessions, 2, first=2 * round_)
            before = under_way(sessions)
            assert small.wait(small.fork(settings, **{kind: True}, n=n, after=after)) == -signal.SIGKILL
            seen.append(under_way(sessions) - before)
        smtp = SmtpProvider(f"smtp://127.0.0.1:{ledger.port}", seconds=5)
        come_back(config, sessions, smtp)
        smtp.close()
        found = compare(sessions, ledger.taken, 2 * len(points))
    assert seen == doubts
    # At a commit, the logbook tells whether the mail had been taken or never been offered; at a write, that it had been
    # offered and no more.
    assert found == {"sent": 2 * len(points) - len(writes) - 1, "uncertain": len(writes) + 1}


def test_killed_while_speaking_http_no_mail_is_lost_or_doubled(config, sessions, small, prepared):  # F02
    with sendgrid_door() as door:
        settings = prepared(provider="sendgrid", sendgrid_api_key=API_KEY, sendgrid_url=door.url)
        for round_, after in enumerate((False, True)):
            queue(sessions, 1, first=round_)
            assert small.wait(small.fork(settings, write=True, n=1, after=after)) == -signal.SIGKILL
        queue(sessions, 1, first=2)
        come_back(config, sessions, SendGridProvider(API_KEY, door.url, seconds=5))
        taken = Counter(each["personalizations"][0]["to"][0]["email"] for each in door.accepted)
    assert compare(sessions, taken, 3) == {"uncertain": 2, "sent": 1}


@pytest.mark.parametrize("after", [False, True])
def test_killed_while_several_are_on_the_line_only_those_are_in_doubt(config, sessions, small, prepared, after):  # F02
    with sendgrid_door() as door:
        settings = prepared(provider="sendgrid", sendgrid_api_key=API_KEY, sendgrid_url=door.url)
        queue(sessions, 8)
        how = {"write": True, "n": 3, "after": after, "lines": 8}
        assert small.wait(small.fork(settings, **how)) == -signal.SIGKILL
        assert under_way(sessions) == 8
        _until(lambda: len(door.accepted) == (3 if after else 2))
        come_back(config, sessions, SendGridProvider(API_KEY, door.url, seconds=5))
        taken = Counter(each["personalizations"][0]["to"][0]["email"] for each in door.accepted)
    assert compare(sessions, taken, 8) == {"uncertain": 3, "sent": 5}


@pytest.mark.parametrize("workers", WORKERS)
def test_kill_nine_at_any_moment_loses_and_doubles_nothing(config, sessions, small, prepared, workers):  # F02, F05
    """While the relay cuts, hangs, puts off, refuses, and takes a mail and dies before it says so."""
    chance, killed, queued = random.Random(workers), 0, 0
    with relay(random.Random(workers)) as ledger:
        settings = prepared(**by_smtp(ledger))
        while killed < KILLS:
            queue(sessions, 4 * workers, first=queued)
            queued += 4 * workers
            running = [small.fork(settings, **death(chance)) for _ in range(workers)]
            if chance.random() < 0.3:
                time.sleep(chance.uniform(0.01, 0.03))
                os.kill(running[0], signal.SIGKILL)
            killed += sum(small.wait(worker) == -signal.SIGKILL for worker in running)
        ledger.chance = None
        smtp = SmtpProvider(f"smtp://127.0.0.1:{ledger.port}", seconds=5)
        come_back(config, sessions, smtp)
        smtp.close()
        found = compare(sessions, ledger.taken, queued, ends=ENDS - {_S.QUEUED})
    assert found["uncertain"] <= killed + sum(ledger.moods[mood] for mood in ledger.moods if "cuts" in mood)
    click.echo(f"{config.database_url.partition(':')[0]}, {workers}: {killed} kills, {queued} mails, {dict(found)}")


def test_a_worker_that_slept_longer_than_its_lease_doubles_nothing(config, sessions, small, prepared):  # F04
    with relay() as ledger:
        settings = prepared(**by_smtp(ledger))
        queue(sessions, 2)
        sleeper = small.fork(settings, write=True, n=6, stop=True)  # the closing dot is still with it
        _until(lambda: Path(f"/proc/{sleeper}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        smtp = SmtpProvider(f"smtp://127.0.0.1:{ledger.port}", seconds=5)
        come_back(config, sessions, smtp)
        os.kill(sleeper, signal.SIGCONT)
        assert small.wait(sleeper) == 0
        smtp.close()
    assert compare(sessions, ledger.taken, 2) == {"sent": 2}  # its late answer settled the doubt


def test_a_house_that_takes_a_sleepers_mail_for_unsent_doubles_it(config, sessions, small, prepared):  # F04
    """The negative control: when its lease has run out its mail is queued again, and it wakes."""
    with relay() as ledger:
        settings = prepared(**by_smtp(ledger))
        queue(sessions, 1)
        sleeper = small.fork(settings, write=True, n=6, stop=True)
        _until(lambda: Path(f"/proc/{sleeper}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        with sessions() as session:
            session.execute(sa.update(Delivery).values(state=_S.QUEUED, claim=None, claimed_at=None))
            session.commit()
        assert small.wait(small.fork(settings)) == 0
        os.kill(sleeper, signal.SIGCONT)
        small.wait(sleeper)
        _until(lambda: sum(ledger.taken.values()) == 2)
        with pytest.raises(AssertionError):
            compare(sessions, ledger.taken, 1)


def test_sent_again_by_itself_the_ledger_shows_a_doubled_mail(config, sessions, small, prepared):  # F02
    """The negative control: a house that queues again whatever died doubles a mail, and `compare` sees it."""
    with relay() as ledger:
        settings = prepared(**by_smtp(ledger))
        queue(sessions, 1)
        assert small.wait(small.fork(settings, write=True, n=6, after=True)) == -signal.SIGKILL
        _until(lambda: sum(ledger.taken.values()) == 1)
        with sessions() as session:
            session.execute(sa.update(Delivery).values(state=_S.QUEUED, claim=None, claimed_at=None))
            session.commit()
        assert small.wait(small.fork(settings)) == 0
        with pytest.raises(AssertionError):
            compare(sessions, ledger.taken, 1)


def _until(done) -> None:
    latest = time.monotonic() + 20
    while not done():
        assert time.monotonic() < latest
        time.sleep(0.005)
