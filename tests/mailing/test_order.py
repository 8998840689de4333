"""Mails to one person leave in the order they were written, whoever hands them over; nothing holds hers up for ever."""

import threading
import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from concierge import clock, setbacks
from concierge.addresses import Address
from concierge.mailing import commands, jobs
from concierge.mailing.delivering import JOBS
from concierge.mailing.models import Delivery, DeliveryState, Lane
from concierge.mailing.providers.base import Accepted, Parcel
from concierge.mailing.providers.memory import MemoryProvider
from tests.mailing.samples import NOW, make_mail

MINUTE = timedelta(minutes=1)
HERS = "barbara@example.com"


def write(session: Any, number: int, to: str = HERS, *, purpose: str = "reply", due: datetime = NOW) -> int:
    mail = make_mail(to=Address("", to), message_id=f"<{number}@house.example>")
    queued = commands.queue_delivery(session, mail, key=f"mail:{number}", purpose=purpose, now=NOW, not_before=due)
    session.commit()
    return queued.id


def reserve(session: Any, claim: str = "one", *, lane: Lane = Lane.SINGLE, only: Any = None) -> list[int]:
    """What a worker may take in hand a minute later, of up to ten mails."""
    at = NOW + MINUTE
    rest = setbacks.resting(JOBS[lane], at, *JOBS.values())
    found = commands.reserve_due(
        session, lane, claim=claim, now=at, lease=5 * MINUTE, limit=10, but=rest, only=only
    )  # fmt: skip
    session.commit()
    return [each.id for each in found]


class Slow(MemoryProvider):
    """Takes a moment for each mail, and notes which of whose it was."""

    def __init__(self, taken: dict[str, list[int]]) -> None:
        super().__init__()
        self.taken = taken

    def send(self, parcel: Parcel) -> Accepted:
        time.sleep(0.002)
        self.taken[parcel.mail.to.address].append(int(parcel.key.split(":")[1]))
        return Accepted()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_what_waited_out_an_outage_leaves_in_order_for_each_customer(config, sessions, workers):  # F12, G12
    with sessions() as session:
        for number in range(100):
            mail = make_mail(
                to=Address("", f"customer{number % 20}@example.com"), message_id=f"<{number}@house.example>"
            )
            commands.queue_delivery(
                session, mail, key=f"mail:{number}", purpose="reply", now=clock.now() - timedelta(hours=1)
            )
        session.commit()
    taken: dict[str, list[int]] = defaultdict(list)
    at_work = [
        threading.Thread(target=jobs.deliver_due, args=(config, sessions, Slow(taken)), daemon=True)
        for _ in range(workers)
    ]
    for each in at_work:
        each.start()
    for each in at_work:
        each.join(60)
    jobs.deliver_due(config, sessions, Slow(taken))
    assert sorted(len(hers) for hers in taken.values()) == [5] * 20
    assert [hers for hers in taken.values() if hers != sorted(hers)] == []


def test_what_one_worker_has_in_hand_another_does_not_overtake(session):  # G12
    first, second = write(session, 1), write(session, 2, "Barbara@Example.com")
    other = write(session, 3, "chloe@example.com")
    assert reserve(session) == [first, other]
    assert reserve(session, "another") == []
    assert reserve(session, "another", only=[second]) == []
    assert commands.begin_sending(session, [first], claim="one", now=NOW + MINUTE) == {first}
    session.commit()
    assert reserve(session, "another") == []


def test_without_the_order_another_worker_overtakes(session, monkeypatch):
    """The negative control: who only looks whether an earlier mail was tried takes her second before her first."""
    monkeypatch.setattr(commands, "_is_first_of_hers", lambda *_given: commands._NOTHING_EARLIER_TRIED)
    first, second = write(session, 1), write(session, 2)
    assert reserve(session, only=[first]) == [first]
    assert reserve(session, "another") == [second]
    assert commands.begin_sending(session, [second], claim="another", now=NOW + MINUTE) == {second}


def test_hers_are_never_taken_in_hand_together(session):  # G12
    """On eight lines at a time they would arrive as the lines happen to be."""
    hers = [write(session, number) for number in range(3)]
    assert reserve(session) == hers[:1]


@pytest.mark.parametrize("state", [each for each in DeliveryState if each not in ("queued", "sending")])
def test_an_earlier_mail_that_is_settled_or_in_doubt_holds_up_nothing(session, state):  # G12
    first, second = write(session, 1), write(session, 2)
    session.execute(sa.update(Delivery).where(Delivery.id == first).values(state=state, attempts=3))
    session.commit()
    assert reserve(session) == [second]


def test_an_earlier_mail_that_is_tried_again_later_holds_up_hers_and_no_other(session):  # G12
    first = write(session, 1)
    write(session, 2)
    other = write(session, 3, "chloe@example.com")
    later = {"attempts": 1, "due_at": NOW + timedelta(hours=1)}
    session.execute(sa.update(Delivery).where(Delivery.id == first).values(later))
    session.commit()
    assert reserve(session) == [other]


def test_an_earlier_mail_that_is_for_later_holds_up_nothing(session):
    write(session, 1, due=NOW + timedelta(hours=1))
    second = write(session, 2)
    assert reserve(session) == [second]


def test_an_earlier_mail_that_was_set_aside_holds_up_nothing(session):
    """Never for ever: one that spoils its job waits for an admin, and hers go on."""
    first, second = write(session, 1), write(session, 2)
    for _try in range(3):
        setbacks.note(session, JOBS[Lane.SINGLE], first, ValueError("unreadable"), now=NOW)
    session.commit()
    assert reserve(session) == [second]


def test_a_letter_waits_for_her_answer_and_an_answer_for_no_letter(session):
    letter, answer = write(session, 1, purpose="offer"), write(session, 2)
    assert reserve(session) == [answer]
    second_letter = write(session, 3, "chloe@example.com", purpose="offer")
    write(session, 4, "anna@example.com")
    write(session, 5, "anna@example.com", purpose="offer")
    assert reserve(session, lane=Lane.BULK) == [letter, second_letter]


def test_what_an_earlier_one_has_overtaken_since_it_was_reserved_is_not_begun(session):  # G12
    """Her letter was written first, and is on its way out by the time her answer is to begin."""
    letter, answer = write(session, 1, purpose="offer"), write(session, 2)
    other = write(session, 3, "chloe@example.com")
    assert reserve(session, "answers") == [answer, other]
    assert reserve(session, "letters", lane=Lane.BULK) == [letter]
    assert commands.begin_sending(session, [letter], claim="letters", now=NOW + MINUTE) == {letter}
    assert commands.begin_sending(session, [answer, other], claim="answers", now=NOW + MINUTE) == {other}
