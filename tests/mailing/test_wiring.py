"""What the rules of sending say is what the worker does: each of these tests goes red when its rule is not asked."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.addresses import Address
from concierge.mailing import commands, jobs, leases
from concierge.mailing.backoff import BASE
from concierge.mailing.models import Delivery
from concierge.mailing.providers.base import Accepted, Parcel, TransportError
from concierge.mailing.providers.memory import MemoryProvider
from tests.mailing.samples import NOW, make_mail, states

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def hand(monkeypatch):
    """The hand of the clock."""
    moment = [NOW]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    monkeypatch.setattr(leases, "lease_now", lambda _session: moment[0])
    return moment


class Answering(MemoryProvider):
    """Answers every mail with the same error while it has one, and counts its calls."""

    def __init__(self, error: TransportError | None) -> None:
        super().__init__()
        self.error, self.calls = error, 0

    def send(self, parcel: Parcel) -> Accepted:
        self.calls += 1
        if self.error:
            raise self.error
        return super().send(parcel)


def due_at(sessions) -> list:
    with sessions() as session:
        return list(session.scalars(sa.select(Delivery.due_at).order_by(Delivery.id)))


@pytest.mark.parametrize(("a_day", "leave"), [(3, 3), (10, 5)])
def test_the_worker_asks_how_many_automatic_mails_may_leave(config, sessions, hand, a_day, leave):  # T26, T27
    """The second row is the negative control: with room for all of them all leave."""
    house = config.model_copy(update={"policy": config.policy.model_copy(update={"automatic_mails_a_day": a_day})})
    with sessions() as session:
        for number in range(5):
            mail = make_mail(to=Address("", "barbara@example.com"), message_id=f"<{number}@house.example>")
            commands.queue_delivery(session, mail, key=f"offer:{number}", purpose="offer", now=NOW)
        session.commit()
    provider = MemoryProvider()
    for _run in range(3):
        jobs.deliver_letters(house, sessions, provider)
    assert len(provider.sent) == leave


def test_a_carrier_is_left_alone_until_the_time_it_names(config, sessions, queue, hand):  # F12
    provider = Answering(TransportError("429", retry_after=NOW + 10 * MINUTE, reached=False))
    queue(5)
    for minutes in range(10):
        hand[0] = NOW + minutes * MINUTE
        jobs.deliver_due(config, sessions, provider)
    assert provider.calls == 1
    provider.error, hand[0] = None, NOW + 10 * MINUTE
    jobs.deliver_due(config, sessions, provider)
    assert provider.calls > 1


def test_a_mail_is_not_tried_again_before_the_time_its_carrier_names(config, sessions, queue, hand):  # F12
    queue(1)
    jobs.deliver_due(config, sessions, Answering(TransportError("451", retry_after=NOW + 10 * MINUTE)))
    [again] = due_at(sessions)
    assert NOW + 10 * MINUTE <= again <= NOW + 11 * MINUTE


def test_a_carrier_that_leaves_us_in_doubt_three_times_gets_no_fourth(config, sessions, queue, hand):  # F03, F12
    provider = Answering(TransportError("silence", uncertain=True))
    queue(8)
    jobs.deliver_due(config, sessions, provider)
    assert (provider.calls, states(sessions)) == (3, {"uncertain": 3, "queued": 5})


def test_a_carrier_that_is_back_gets_a_few_first(config, sessions, queue, hand):  # F12
    provider = Answering(TransportError("nobody there", reached=False))
    queue(40)
    jobs.deliver_due(config, sessions, provider)
    provider.error, hand[0] = None, NOW + MINUTE
    given = []
    for seconds in range(0, 30, 5):
        hand[0] = NOW + MINUTE + seconds * SECOND
        given.append(jobs.deliver_due(config, sessions, provider))
    assert given == [3, 2, 4, 8, 16, 7]  # the first to see whether it is back


def test_mails_that_were_put_off_do_not_come_back_in_step(config, sessions, queue, hand):  # F12
    queue(24)
    jobs.deliver_due(config, sessions, Answering(TransportError("451 later")))
    waits = [each - NOW for each in due_at(sessions)]
    assert len(set(waits)) > 12
    assert all(SECOND <= each <= BASE for each in waits)
