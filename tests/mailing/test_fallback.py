"""Another carrier for when the first is away: only for what the first surely did not take, and never for good."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.addresses import Address
from concierge.config import Config, read_config
from concierge.errors import Misconfigured
from concierge.mailing import commands, jobs, leases
from concierge.mailing.models import Delivery
from concierge.mailing.providers.base import Accepted, Parcel, TransportError
from concierge.mailing.providers.memory import MemoryProvider
from tests.factories import NOW
from tests.mailing.doubles import Relay, smtp_relay
from tests.mailing.samples import make_mail


class First(MemoryProvider):
    """Leaves us in doubt about its first mail, then is away, then back."""

    trouble = ("doubt",)

    def send(self, parcel: Parcel) -> Accepted:
        if self.trouble == ("doubt",):
            self.trouble = ("away",)
            raise TransportError("silence", uncertain=True)
        if self.trouble:
            raise TransportError("nobody there", reached=False)
        return super().send(parcel)


@pytest.fixture
def hand(monkeypatch):
    """The hand of the clock."""
    moment = [NOW]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    monkeypatch.setattr(leases, "lease_now", lambda _session: moment[0])
    return moment


def queue(sessions, *numbers: int) -> None:
    with sessions() as session:
        for number in numbers:
            mail = make_mail(to=Address("", f"customer{number}@example.com"), message_id=f"<{number}@house.example>")
            commands.queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)
        session.commit()


def with_relay(config: Config, relay: Relay) -> Config:
    """The house with a relay that takes over."""
    url = type(config.smtp_url)(f"smtp://127.0.0.1:{relay.port}")
    return config.model_copy(update={"fallback": "smtp", "smtp_url": url})


def ways(sessions) -> Counter[tuple[str, str]]:
    with sessions() as session:
        found = session.execute(sa.select(Delivery.state, Delivery.provider))
        return Counter((state.value, provider) for state, provider in found)


def test_what_the_first_did_not_take_goes_by_the_other_until_it_is_back(config, sessions, hand, tmp_path):  # F03, F12
    first = First()
    with smtp_relay(tmp_path) as relay:
        house = with_relay(config, relay)
        queue(sessions, *range(6))
        jobs.deliver_due(house, sessions, first)
        jobs.deliver_due(house, sessions, first)
        assert relay.mails == []  # it is away for a moment; that is no reason yet
        for _try in range(120):  # until the other takes over, each mail the first is tried with waits a little
            hand[0] += timedelta(seconds=20)
            jobs.deliver_answers(house, sessions, first)
            if len(relay.mails) == 5:
                break
        went = [recipients[0] for _sender, recipients, _content in relay.mails]
        assert ways(sessions) == {("uncertain", "memory"): 1, ("sent", "smtp"): 5}
        assert sorted(went) == [f"customer{number}@example.com" for number in range(1, 6)]
        first.trouble = ()
        hand[0] += timedelta(minutes=2)
        queue(sessions, *range(6, 9))
        for _try in range(4):
            jobs.deliver_due(house, sessions, first)
            hand[0] += timedelta(seconds=10)
        assert len(relay.mails) == 5  # none of the new ones
        assert len(first.sent) == 3


def test_a_house_that_gives_the_other_what_is_in_doubt_doubles_a_mail(config, sessions, hand, tmp_path):  # F03
    """Negative control: the first took it and fell silent; queued again, it leaves a second time by the other."""

    class TookIt(First):
        def send(self, parcel: Parcel) -> Accepted:
            if self.trouble == ("doubt",):
                MemoryProvider.send(self, parcel)
            return super().send(parcel)

    first = TookIt()
    with smtp_relay(tmp_path) as relay:
        house = with_relay(config, relay)
        queue(sessions, 0, 1)
        for _try in range(120):
            jobs.deliver_answers(house, sessions, first)
            with sessions() as session:
                doubted = sa.update(Delivery).where(Delivery.state == "uncertain")
                session.execute(doubted.values(state="queued", claim=None, claimed_at=None, due_at=hand[0]))
                session.commit()
            hand[0] += timedelta(seconds=20)
        went = [recipients[0] for _sender, recipients, _content in relay.mails]
    taken = Counter([*went, *(each.mail.to.address for each in first.sent)])
    assert taken["customer0@example.com"] == 2


def test_a_single_mail_goes_by_the_other_too(config, sessions, hand, tmp_path):  # F12
    """Though the first is tried with it each time it is due, for there is no other mail to try it with."""
    first = First()
    first.trouble = ("away",)
    with smtp_relay(tmp_path) as relay:
        house = with_relay(config, relay)
        queue(sessions, 0)
        jobs.deliver_due(house, sessions, first)
        hand[0] += timedelta(hours=1)  # long after its first wait
        jobs.deliver_due(house, sessions, first)
        hand[0] += timedelta(seconds=1)
        jobs.deliver_due(house, sessions, first)
        assert ways(sessions) == {("sent", "smtp"): 1}


def test_without_another_everything_waits(config, sessions, hand):
    """The negative control."""
    queue(sessions, 0, 1)
    first = First()
    for _try in range(40):
        hand[0] += timedelta(seconds=20)
        jobs.deliver_due(config, sessions, first)
    assert ways(sessions)["sent", "memory"] == 0


def test_the_other_carrier_is_another_and_can_be_reached():
    with pytest.raises(Misconfigured, match="--fallback: is the provider itself"):
        read_config(provider="smtp", smtp_url="smtp://127.0.0.1", fallback="smtp")
    with pytest.raises(Misconfigured, match="is needed by the sendgrid provider"):
        read_config(provider="smtp", smtp_url="smtp://127.0.0.1", fallback="sendgrid")
