"""SendGrid answers 429 or 5xx for a day and a night: mail waits, nobody hammers, and each leaves once afterwards."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from concierge import clock
from concierge.mailing import jobs, leases
from concierge.mailing.breaker import Breaker
from concierge.mailing.providers.sendgrid import SendGridProvider
from tests.mailing.doubles import API_KEY, SendGrid, sendgrid_door
from tests.mailing.samples import NOW, states

MAILS, STEP = 12, timedelta(minutes=20)
A_DAY = timedelta(hours=24)


class House:
    """The worker's job over a virtual day, against a double that speaks HTTP."""

    def __init__(self, config, sessions, door: SendGrid) -> None:
        self.config, self.sessions, self.door, self.time = config, sessions, door, NOW
        self.provider = SendGridProvider(API_KEY, door.url, seconds=5)

    def now(self) -> datetime:
        return self.time

    def work(self) -> int:
        """One run of the job; how often the provider was asked."""
        before = len(self.door.requests)
        jobs.deliver_due(self.config, self.sessions, self.provider)
        return len(self.door.requests) - before

    def be_refused(self, status: int, *, so_long: timedelta = A_DAY) -> list[int]:
        """A day of this answer; how often each run asked."""
        asked = []
        while self.time < NOW + so_long:
            self.door.answers.extend([status] * (2 * MAILS))
            asked.append(self.work())
            self.time += STEP
        self.door.answers.clear()
        return asked

    @property
    def taken(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(each["personalizations"][0]["to"][0]["email"] for each in self.door.accepted)


@pytest.fixture
def house(config, sessions, queue, monkeypatch) -> Iterator[House]:
    """With mails that are due, and a clock that is moved."""
    with sendgrid_door() as door:
        house = House(config, sessions, door)
        monkeypatch.setattr(clock, "now", house.now)
        monkeypatch.setattr(clock, "machine_now", house.now)
        monkeypatch.setattr(leases, "lease_now", lambda _session: house.time)
        queue(MAILS)
        yield house


@pytest.mark.parametrize("status", [429, 503])
def test_a_day_of_refusals_costs_nothing_but_time(house: House, sessions, status: int):  # F12
    asked = house.be_refused(status)
    assert states(sessions) == {"queued": MAILS}
    assert (house.taken, len(asked)) == (Counter(), A_DAY / STEP)
    assert 12 < sum(asked) <= len(asked) + MAILS, "it is asked now and then, and by one mail for the whole house"

    given = []
    for _run in range(200):
        given.append(house.work())
        house.time += timedelta(seconds=5)
        if states(sessions) == {"sent": MAILS}:
            break
        house.time += timedelta(minutes=4) if given[-1] == 0 else timedelta()
    assert house.taken == Counter({f"customer{number}@example.com": 1 for number in range(MAILS)})
    assert max(given) < MAILS / 2, "what has waited does not come back in one burst"


def test_a_day_of_answers_that_say_nothing_offers_each_mail_once(house: House, sessions):  # F03, F12
    """A 500 does not say whether it took the mail: each is in doubt then, and left to a person."""
    assert sum(house.be_refused(500)) == MAILS
    assert states(sessions) == {"uncertain": MAILS}
    assert house.work() == 0


def test_a_house_without_a_breaker_hammers(house: House, monkeypatch):
    """Negative control: every mail that is due asks for itself."""
    monkeypatch.setattr(Breaker, "holds", lambda *_now: False)
    monkeypatch.setattr(Breaker, "room", lambda _self, _now, wanted: wanted)
    asked = house.be_refused(503, so_long=timedelta(hours=4))
    assert sum(asked) > len(asked) + MAILS
