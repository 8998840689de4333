"""On a disk that is full, or fails, now and then: nothing acknowledged is lost, nothing leaves twice (F16)."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from concierge.mailing.providers.smtp import SmtpProvider
from tests.faults.doorstep import doorstep
from tests.faults.nursery import Nursery, nursery
from tests.faults.relays import relay
from tests.faults.street import Street, lost
from tests.faults.test_sending import ENDS, by_smtp, come_back, compare, prepare, queue
from tests.faults.weak_disk import PRELOAD, WHY_NOT, disk
from tests.inbound.arriving import letter

pytestmark = pytest.mark.skipif(not PRELOAD, reason=WHY_NOT)
MAILS = 60


@pytest.fixture(scope="module")
def small() -> Iterator[Nursery]:
    """The process the entrances are forked from, with libfiu beneath it."""
    with doorstep(preload=PRELOAD) as made:
        yield made


@pytest.fixture(scope="module")
def senders() -> Iterator[Nursery]:
    """The same for those who send."""
    with nursery(preload=PRELOAD) as made:
        yield made


def hand_over(place: Street, first: int = 0, count: int = MAILS) -> int:
    """So many mails, one after the other; how many were acknowledged."""
    numbers = range(first, first + count)
    return sum(place.hand_over(letter(message_id=f"{n}@example.com", text=f"Hello {n}")) for n in numbers)


@pytest.mark.parametrize("entrance", ["smtp", "lmtp"])
def test_what_a_weak_disk_does_not_take_is_not_acknowledged_and_it_goes_on_by_itself(
    sessions, store, street: Callable[[str], Street], entrance: str
):  # F16
    place = street(entrance)
    pid = place.open(disk=disk(0.12))
    taken = hand_over(place)
    assert 0 < taken < MAILS, "some of its calls fail, and some don't"
    assert set(place.refused) <= {451, 452}, "a false no would bounce her mail"
    os.kill(pid, signal.SIGUSR1)
    assert hand_over(place, MAILS, 5) == 5
    place.end(pid)
    assert lost(sessions, store, place.acknowledged) == []


def test_the_ledger_sees_a_door_on_a_dead_disk_that_says_yes_first(sessions, store, street):
    """Negative control: it says 250 before it has written and settled anything."""
    place = street("smtp")
    pid = place.open(disk=disk(1.0), careless=True)
    assert hand_over(place, count=3) == 3
    time.sleep(1)  # it stores half a second later
    os.kill(pid, signal.SIGKILL)
    place.small.wait(pid)
    assert len(lost(sessions, store, place.acknowledged)) == 3


def test_a_sender_on_a_weak_disk_doubles_and_loses_nothing(config, sessions, senders):  # F02, F16
    rounds, failed = 16, 0
    weak = disk(0.02 if config.is_sqlite else 0.1)  # on PostgreSQL it writes its logbook alone
    with relay() as ledger:
        settings = prepare(config, sessions, senders, **by_smtp(ledger))
        for number in range(rounds):
            queue(sessions, 4, first=4 * number)
            failed += senders.wait(senders.fork(settings, disk=weak)) != 0
        assert ledger.taken
        smtp = SmtpProvider(f"smtp://127.0.0.1:{ledger.port}", seconds=5)
        come_back(config, sessions, smtp)
        smtp.close()
        found = compare(sessions, ledger.taken, 4 * rounds, ends=ENDS)
    assert failed > 0, "the disk was too good"
    assert found["sent"] > rounds
