"""Deliveries through the worker: once each, whatever dies, whoever helps."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.mailing import commands, jobs, leases, talking
from concierge.mailing.mail import Mail, MailFile
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers import provider_for
from concierge.mailing.providers.base import Accepted, Parcel, TransportError
from concierge.mailing.providers.memory import MemoryProvider
from concierge.mailing.providers.smtp import SmtpProvider
from concierge.mailing.returns import read_return_path
from tests.mailing.doubles import smtp_relay
from tests.mailing.samples import BLOBS, NOW, make_full_mail, states

MINUTE = timedelta(minutes=1)


class Died(BaseException):
    """The worker was killed."""


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(clock, "now", watch.now)
    monkeypatch.setattr(leases, "lease_now", lambda _session: watch.time)
    return watch


def test_due_mail_leaves(config, sessions, queue, watch):
    provider = MemoryProvider()
    queue(120)
    assert jobs.deliver_due(config, sessions, provider) == 120
    assert states(sessions) == {"sent": 120}
    assert sorted(parcel.key for parcel in provider.sent) == sorted(f"reply:{number}" for number in range(120))
    assert jobs.deliver_due(config, sessions, provider) == 0


@pytest.mark.parametrize(
    ("at", "begins"), [("", "care+"), ("bounces@mail.example.com", "bounces+"), ("unsigned", "care@")]
)
@pytest.mark.usefixtures("watch")
def test_each_sending_has_a_return_path_of_its_own(config, sessions, queue, at, begins):
    provider = MemoryProvider()
    queue(2)
    jobs.deliver_due(config.model_copy(update={"return_path": at}), sessions, provider)
    paths = [parcel.return_path for parcel in provider.sent]
    assert all(path.startswith(begins) for path in paths), paths
    signed = [None, None] if at == "unsigned" else [(1, 1), (2, 1)]
    assert sorted((read_return_path(config.secret, path) for path in paths), key=str) == signed


def test_pictures_and_attachments_come_from_the_blobs(config, sessions, store, watch):
    keys = {name: store.put(data) for name, data in BLOBS.items()}
    mail = make_full_mail(
        pictures=(MailFile("nadia.png", "image/png", keys["pixel"], "photo"),),
        attachments=(MailFile("guide.pdf", "application/pdf", keys["letter"]),),
    )
    with sessions() as session:
        commands.queue_delivery(session, mail, key="reply:1", purpose="reply", now=NOW)
        session.commit()
    provider = MemoryProvider()
    assert jobs.deliver_due(config, sessions, provider) == 1
    assert provider.sent[0].files == {keys["pixel"]: BLOBS["pixel"], keys["letter"]: BLOBS["letter"]}


def test_a_mail_whose_file_is_gone_fails_in_words(config, sessions, queue, watch):
    queue(1, attachments=(MailFile("guide.pdf", "application/pdf", "0" * 64),))
    jobs.deliver_due(config, sessions, MemoryProvider())
    with sessions() as session:
        delivery = session.scalar(sa.select(Delivery))
        assert (delivery.state, delivery.reason) == ("failed", "These bytes are no longer in the store.")


def test_a_stored_mail_that_became_unlawful_fails_and_nobody_is_called(config, sessions, queue, watch):  # T07
    queue(1)
    with sessions() as session:
        delivery = session.scalar(sa.select(Delivery))
        delivery.content = {**delivery.content, "subject": "hi\r\nBcc: mallory@evil.example"}
        session.commit()
    provider = MemoryProvider()
    assert jobs.deliver_due(config, sessions, provider) == 0
    assert (states(sessions), provider.sent) == ({"failed": 1}, [])


def test_the_worker_uses_the_configured_provider_and_keeps_it(config, sessions, queue, watch):
    queue(2)
    assert jobs.deliver_due(config, sessions) == 2
    assert len(provider_for(config).sent) == 2


def test_one_bad_mail_does_not_hold_up_the_others(config, sessions, queue, watch):
    provider = MemoryProvider()
    provider.fail_next(TransportError("no such person", permanent=True), TransportError("full"))
    queue(5)
    assert jobs.deliver_due(config, sessions, provider) == 3
    assert states(sessions) == {"rejected": 1, "queued": 1, "sent": 3}
    watch.time += timedelta(hours=1)
    assert jobs.deliver_due(config, sessions, provider) == 1


def test_an_outage_costs_nothing_but_time(config, sessions, queue, watch):  # F12, G12
    class Down(MemoryProvider):
        calls = 0

        def send(self, parcel: Parcel) -> Accepted:
            self.calls += 1
            if watch.time < NOW + timedelta(hours=24):
                raise TransportError("nobody there", reached=False)
            return super().send(parcel)

    provider = Down()
    queue(40)
    runs = 0
    while watch.time < NOW + timedelta(hours=23):
        jobs.deliver_due(config, sessions, provider)
        watch.time += timedelta(minutes=15)
        runs += 1
    assert provider.sent == []
    assert states(sessions) == {"queued": 40}
    assert provider.calls <= runs  # one call a run for the whole house, not one a mail
    watch.time = NOW + timedelta(hours=25)
    for _ in range(40):
        jobs.deliver_due(config, sessions, provider)
        watch.time += timedelta(minutes=2)
    assert Counter(parcel.key for parcel in provider.sent) == {f"reply:{number}": 1 for number in range(40)}
    assert states(sessions) == {"sent": 40}


def test_a_fault_of_ours_while_talking_is_uncertain(config, sessions, queue, watch):  # F03
    class Broken(MemoryProvider):
        def send(self, parcel: Parcel) -> Accepted:
            super().send(parcel)
            raise KeyError("a slip of ours")

    queue(1)
    jobs.deliver_due(config, sessions, Broken())
    assert states(sessions) == {"uncertain": 1}


def test_a_worker_that_was_asleep_too_long_does_not_begin(config, sessions, queue, watch, monkeypatch):  # F04
    provider, pack = MemoryProvider(), talking.pack

    def slowly(*given: Any, **named: Any) -> Parcel:  # an hour goes by between the commit and the call
        monkeypatch.setattr(talking, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
        return pack(*given, **named)

    monkeypatch.setattr(talking, "pack", slowly)
    queue(1)
    jobs.deliver_answers(config, sessions, provider)
    assert provider.sent == []
    assert states(sessions) == {"queued": 1}


# --- a worker that dies ---------------------------------------------------------------------------------------------
class MortalSessions:
    """Sessions that kill their worker before or after its n-th commit."""

    def __init__(self, sessions: Any, *, dies_at: float, before: bool) -> None:
        self._sessions, self._left, self._before = sessions, dies_at, before
        self.kw = sessions.kw

    def __call__(self) -> Any:
        session = self._sessions()
        commit = session.commit

        def mortal() -> None:
            self._left -= 1
            if self._left == 0 and self._before:
                raise Died
            commit()
            if self._left == 0:
                raise Died

        session.commit = mortal
        return session


class Mortal(MemoryProvider):
    """A provider whose worker is killed before or after it took the n-th mail."""

    def __init__(self, *, dies_at: int = 0, before: bool = False) -> None:
        super().__init__()
        self.left, self.before = dies_at, before
        self.taken: list[str] = []

    def send(self, parcel: Parcel) -> Accepted:
        self.left -= 1
        if self.left == 0 and self.before:
            raise Died
        self.taken.append(parcel.key)  # this one, unlike MemoryProvider, takes the same mail twice
        if self.left == 0:
            raise Died
        return Accepted()


def deaths() -> Iterator[tuple[str, int, bool]]:
    for step in range(1, 8):
        for before in (True, False):
            yield "commit", step, before
    for step in range(1, 5):
        for before in (True, False):
            yield "send", step, before


@pytest.mark.parametrize("death", list(deaths()), ids=lambda death: "-".join(map(str, death)))
def test_whenever_the_worker_dies_no_mail_is_lost_or_doubled(config, sessions, queue, watch, death):  # F02
    where, step, before = death
    queue(37)  # one, a whole handful, and some more
    provider = Mortal(dies_at=step if where == "send" else 0, before=before)
    mortal = MortalSessions(sessions, dies_at=step if where == "commit" else 0, before=before)
    try:
        jobs.deliver_due(config, mortal, provider)
        died = False
    except Died:
        died = True
    assert died or (where == "commit" and step > 6)
    come_back(config, sessions, provider, watch)
    counts = Counter(provider.taken)
    found = states(sessions)
    assert max(counts.values()) == 1
    assert found["sent"] + found["uncertain"] == 37
    assert found["uncertain"] <= 1
    assert len(counts) >= found["sent"]
    assert found["uncertain"] or len(counts) == 37


def come_back(config, sessions, provider, watch) -> None:
    """Another worker, when every lease has run out."""
    watch.time += timedelta(hours=1)
    jobs.settle_orphans(config, sessions)
    jobs.deliver_due(config, sessions, provider)


def test_a_house_that_sends_again_by_itself_doubles_mail(config, sessions, queue, watch, monkeypatch):  # F02
    """The negative control: with orphans queued again, the test above would find a doubled mail."""

    def eager(session, **_when):
        orphans = sa.update(Delivery).where(Delivery.state == DeliveryState.SENDING)
        return session.execute(orphans.values(state=DeliveryState.QUEUED, claim=None, claimed_at=None)).rowcount

    monkeypatch.setattr(commands, "settle_orphans", eager)
    queue(13)
    provider = Mortal(dies_at=2, before=False)
    with pytest.raises(Died):
        jobs.deliver_due(config, sessions, provider)
    come_back(config, sessions, provider, watch)
    assert max(Counter(provider.taken).values()) == 2


# --- several workers ------------------------------------------------------------------------------------------------
def run_workers(count: int, work: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


class Counting(MemoryProvider):
    """Takes everything, also twice; a mail takes a moment, so that workers meet."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self._gate = threading.Event()

    def send(self, parcel: Parcel) -> Accepted:
        self._gate.wait(0.001)
        self.taken.append(parcel.key)
        return Accepted()


def test_several_workers_on_the_same_rows_send_each_mail_once(config, sessions, queue):  # F02, F05
    queue(120)
    provider = Counting()
    run_workers(4, lambda: jobs.deliver_due(config, sessions, provider) and None)
    jobs.deliver_due(config, sessions, provider)
    assert Counter(provider.taken) == {f"reply:{number}": 1 for number in range(120)}
    assert states(sessions) == {"sent": 120}


def test_workers_that_only_look_before_they_send_double_mail(config, sessions, queue):  # F05
    """The negative control: without claims, the test above would find doubled mail."""
    queue(40)
    provider = Counting()
    together = threading.Barrier(4)

    def careless() -> None:
        with sessions() as session:
            due = list(session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.QUEUED)))
        together.wait(10)
        for delivery in due:
            provider.send(Parcel(delivery.key, Mail.from_json(delivery.content), {}, NOW))

    run_workers(4, careless)
    assert max(Counter(provider.taken).values()) > 1


def test_a_sender_with_several_lines_sends_each_mail_once(config, sessions, queue, monkeypatch):
    monkeypatch.setattr(jobs, "_LINES", {"memory": 4})
    queue(100)
    provider = Counting()
    assert jobs.deliver_due(config, sessions, provider) == 100
    assert Counter(provider.taken) == {f"reply:{number}": 1 for number in range(100)}


def test_a_reply_goes_through_a_real_relay(config, sessions, queue, tmp_path):  # F03
    queue(3)
    with smtp_relay(tmp_path) as relay:
        relay.answer_next("ok", "cut-after-dot", "data 451 4.3.0 later")
        provider = SmtpProvider(f"smtp://127.0.0.1:{relay.port}", seconds=2.0)
        assert jobs.deliver_due(config, sessions, provider) == 1
        assert states(sessions) == {"sent": 1, "uncertain": 1, "queued": 1}
        assert len(relay.mails) == 2
        provider.close()
