"""A run of the post: mails begun a handful at a time, and what becomes of the rest when one of them spoils it."""

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

    def __init__(self, sessions: Any, *, goes_at: int = 0) -> None:
        super().__init__()
        self._sessions, self._goes_at, self.under_way = sessions, goes_at, []

    def send(self, parcel: Parcel) -> Accepted:
        self.under_way.append(states(self._sessions)["sending"])
        if len(self.under_way) == self._goes_at:
            raise TransportError("gone", reached=False)
        return super().send(parcel)


def test_mails_are_begun_a_handful_at_a_time(config, sessions, queue):
    queue(20)
    provider = Watching(sessions)
    assert jobs.deliver_answers(config, sessions, provider) == 20
    assert provider.under_way == [1] + [8] * 16 + [3] * 3


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
