"""The house itself among six bad responders that answer whatever they get, for days (T26).

The responders and what marks them are those of `tests/mailing/test_caps.py`. Here nothing but the carrier is a double:
it hands each mail to its responder, whose answer comes to the door, is read by the reading process and filed.
"""

import os
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from concierge import clock, worker
from concierge.addresses import Address
from concierge.config import Config
from concierge.conversations.models import Direction, Message, MessageKind
from concierge.db import Sessions
from concierge.lines import Queue
from concierge.mailing import jobs, leases, pace
from concierge.mailing.commands import queue_delivery
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers.base import Accepted, Parcel
from concierge.mailing.providers.memory import MemoryProvider
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_mailbox
from tests.inbound.arriving import receive
from tests.mailing.samples import make_mail
from tests.mailing.test_caps import KNOWN, RESPONDERS, Reply, write
from tests.public.circle import ask

ROUNDS = int(os.environ.get("CONCIERGE_TESTS_ROUNDS", "30"))
DAY = timedelta(days=1)
DAYS = 2
STEP = DAYS * DAY / ROUNDS
MAIL = [line for line in worker.TIMETABLE if line.queue in (Queue.ANSWERS, Queue.LETTERS, Queue.MAIL)]
SILENT = ("an echo", "one with another number each time", "one with another address each time")


class Street(MemoryProvider):
    """The carrier, and behind it the responders: what each has got, when, and what it has not answered yet."""

    def __init__(self, hand: list[datetime]) -> None:
        super().__init__()
        self.hand, self.mails = hand, 0
        self.got: dict[str, list[datetime]] = {name: [] for name in RESPONDERS}
        self.reached: Counter[str] = Counter()
        self.unanswered: list[tuple[str, Parcel]] = []

    def send(self, parcel: Parcel) -> Accepted:
        address = parcel.mail.to.address
        name = next(name for name in RESPONDERS if address_of(name, 0).partition("0")[0] in address)
        self.got[name].append(self.hand[0])
        self.reached[address] += 1
        self.unanswered.append((name, parcel))
        return Accepted(parcel.key)

    def answer_all(self, config: Config, sessions: Sessions) -> None:
        """Each answers every mail it got, at once."""
        waiting, self.unanswered = self.unanswered, []
        for name, parcel in waiting:
            self.mails += 1
            number = len(self.got[name])
            reply = replace(RESPONDERS[name](number), sender=address_of(name, number))
            told = (("Message-ID", f"<{self.mails}@responder.example>"), ("In-Reply-To", parcel.mail.message_id))
            raw = write(replace(reply, headers=(*reply.headers, *told)))
            receive(config, sessions, raw, envelope_from=reply.sender)


def address_of(name: str, number: int) -> str:
    """Where it writes from: each has an address of its own, one of them another each time."""
    return f"ticket-{number}@shop.example" if "address" in name else f"{name.replace(' ', '-')}-0@example.com"


@pytest.fixture
def hand(monkeypatch) -> list[datetime]:
    """The hand of every clock the house looks at."""
    moment = [NOW]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    for module, name in ((leases, "lease_now"), (pace, "database_now")):
        monkeypatch.setattr(module, name, lambda _session: moment[0])
    return moment


def play(config: Config, sessions: Sessions, street: Street, *, answers_by_itself: bool) -> None:
    """Days of the timetable (whole, or all of it that carries mail), the door and the responders, in so many rounds."""
    for _round in range(ROUNDS):
        for line in MAIL if answers_by_itself else worker.TIMETABLE:
            delivers = line.job in (jobs.deliver_answers, jobs.deliver_letters)
            line.job(config, sessions, street) if delivers else line.job(config, sessions)  # type: ignore[call-arg]
            street.answer_all(config, sessions)
        if answers_by_itself:
            answer_people(sessions, street.hand[0])
        street.hand[0] += STEP


def answer_people(sessions: Sessions, now: datetime) -> None:
    """A house more eager than ours: whatever is filed as a person's is answered by the house itself, once."""
    with sessions() as session:
        theirs = Message.direction == Direction.IN, Message.kind == MessageKind.HUMAN
        for message in session.scalars(sa.select(Message).where(*theirs)):
            key = f"eager:{message.id}"
            mail = make_mail(to=Address("", message.from_address), message_id=f"<{message.id}@maison-solenne.example>")
            if session.scalar(sa.select(Delivery.id).where(Delivery.key == key)) is None:
                queued = queue_delivery(session, mail, key=key, purpose="wish_confirm", now=now)
                session.add(
                    Message(
                        conversation_id=message.conversation_id,
                        mailbox_id=message.mailbox_id,
                        direction=Direction.OUT,
                        rfc_message_id=mail.message_id.strip("<>"),
                        delivery=queued,
                        created_at=now,
                    )
                )
        session.commit()


def begin(config: Config, sessions: Sessions, street: Street) -> None:
    """Each has written to the house once, like a person."""
    with sessions() as session:
        make_mailbox(session)
        session.commit()
    for number, name in enumerate(RESPONDERS):
        reply = Reply(address_of(name, 0), headers=(("Message-ID", f"<first-{number}@responder.example>"),))
        receive(config, sessions, write(reply), envelope_from=reply.sender)


def most_in_a_day(moments: list[datetime]) -> int:
    return max((sum(first <= each < first + DAY for each in moments) for first in moments), default=0)


def with_caps(config: Config, address: int, conversation: int, house: int) -> Config:
    caps = {
        "automatic_mails_a_day": address,
        "automatic_mails_a_day_per_conversation": conversation,
        "automatic_mails_a_day_in_all": house,
    }
    return config.model_copy(update={"policy": config.policy.model_copy(update=caps)})


def test_a_loop_with_a_house_that_answers_by_itself_ends_at_its_caps(config, sessions, hand):  # T26, T27
    house = with_caps(config, 3, 5, 12)
    street = Street(hand)
    begin(house, sessions, street)
    play(house, sessions, street, answers_by_itself=True)
    assert {name: len(street.got[name]) for name in KNOWN} == dict.fromkeys(KNOWN, 1)  # known, and not answered again
    assert 1 < most_in_a_day(street.got["an echo"]) <= 3
    assert max(street.reached.values()) <= 3 * DAYS
    everything = [moment for moments in street.got.values() for moment in moments]
    assert most_in_a_day(everything) <= 2 * 12  # a day's worth at once, and as many in the day after
    with sessions() as session:
        waiting = session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.QUEUED)).all()
        unsaid = [each for each in waiting if not each.reason and each.created_at < hand[0] - STEP]
    assert waiting and not unsaid


def test_without_caps_the_loop_goes_on_for_ever(config, sessions, hand):  # T26
    """The negative control: three of the six say nothing by which they could be known, and get a mail each round."""
    house = with_caps(config, 0, 0, 0)
    street = Street(hand)
    begin(house, sessions, street)
    play(house, sessions, street, answers_by_itself=True)
    assert {name: len(street.got[name]) for name in KNOWN} == dict.fromkeys(KNOWN, 1)
    assert {name: len(street.got[name]) for name in SILENT} == dict.fromkeys(SILENT, ROUNDS - 1)


def test_the_house_as_it_is_answers_none_of_them(config, sessions, hand, client):  # T26, T27
    """Each is asked for its consent once, because somebody filled in the shop's form; that is all it ever gets."""
    street = Street(hand)
    with sessions() as session:
        make_mailbox(session)
        make_product(session)
        session.commit()
    for name in RESPONDERS:
        assert ask(client, email=address_of(name, 0)).status_code == 303
    play(config, sessions, street, answers_by_itself=False)
    assert {name: len(moments) for name, moments in street.got.items()} == dict.fromkeys(RESPONDERS, 1)
    with sessions() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == len(RESPONDERS)
        assert session.scalar(sa.select(sa.func.count()).where(Message.direction == Direction.IN)) == len(RESPONDERS)
