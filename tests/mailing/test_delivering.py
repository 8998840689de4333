"""A run of the post: mails begun a handful at a time, and what becomes of the rest when one of them spoils it."""

import time
from collections import Counter
from typing import Any

import sqlalchemy as sa

from concierge.mailing import commands, delivering, jobs
from concierge.mailing.models import Delivery
from concierge.mailing.providers.base import Accepted, Parcel, TransportError
from concierge.mailing.providers.memory import MemoryProvider
from tests.mailing.samples import states


class Watching(MemoryProvider):
    """Notes at each call how many mails are under way; at one of them it is gone."""

    def __init__(self, sessions: Any, *, goes_at: int = 0, takes: float = 0.0) -> None:
        super().__init__()
        self._sessions, self._goes_at, self._takes, self.under_way = sessions, goes_at, takes, []

    def send(self, parcel: Parcel) -> Accepted:
        self.under_way.append(states(self._sessions)["sending"])
        time.sleep(self._takes)
        if len(self.under_way) == self._goes_at:
            raise TransportError("gone", reached=False)
        return super().send(parcel)


def test_mails_are_begun_a_handful_at_a_time(config, sessions, queue, monkeypatch):
    monkeypatch.setattr(delivering, "_QUICK_SECONDS", 60.0)  # the machine that tests it may be a slow one
    queue(36)
    provider = Watching(sessions)
    assert jobs.deliver_answers(config, sessions, provider) == 36
    assert provider.under_way == [1] + [32] * 32 + [3] * 3


def test_of_a_carrier_that_takes_its_time_only_as_many_as_it_takes_in_a_second_are_begun(
    config, sessions, queue, monkeypatch
):
    monkeypatch.setattr(delivering, "_QUICK_SECONDS", 0.1)
    queue(9)
    provider = Watching(sessions, takes=0.03)
    assert jobs.deliver_answers(config, sessions, provider) == 9
    assert max(provider.under_way) <= 3


def test_a_run_does_not_begin_anew_with_every_batch(config, sessions, queue, monkeypatch):
    monkeypatch.setattr(delivering, "_QUICK_SECONDS", 60.0)
    monkeypatch.setattr(delivering, "BATCH", 3)
    queue(7)
    provider = Watching(sessions)
    assert jobs.deliver_answers(config, sessions, provider) == 7
    assert provider.under_way == [1, 2, 2, 3, 3, 3, 1]


def test_a_slow_carrier_gets_one_at_a_time(config, sessions, queue, monkeypatch):
    monkeypatch.setattr(delivering, "_QUICK_SECONDS", 0.0)
    queue(5)
    provider = Watching(sessions)
    assert jobs.deliver_answers(config, sessions, provider) == 5
    assert provider.under_way == [1] * 5


def test_when_the_carrier_goes_the_rest_of_a_handful_has_not_been_tried(config, sessions, queue):
    queue(9)
    assert jobs.deliver_answers(config, sessions, Watching(sessions, goes_at=3)) == 2
    with sessions() as session:
        tried = Counter(session.execute(sa.select(Delivery.state, Delivery.attempts)))
    assert tried == {("sent", 1): 2, ("queued", 1): 1, ("queued", 0): 6}


def test_one_that_cannot_be_recorded_spoils_it_for_no_other(config, sessions, queue, monkeypatch):
    record, spoiled = commands.record_sent, set[int]()

    def stumble(session: Any, taken: Any, **named: Any) -> set[int]:
        if len(taken) > 1:
            spoiled.add(min(taken))
        if spoiled & set(taken):
            raise ValueError("a slip of ours")
        return record(session, taken, **named)

    monkeypatch.setattr(commands, "record_sent", stumble)
    queue(6)
    assert jobs.deliver_answers(config, sessions, MemoryProvider()) == 6
    assert states(sessions) == {"sent": 5, "sending": 1}
