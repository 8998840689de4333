"""A loop ends: whatever answers us, and however, an address gets so many automatic mails in a day and no more."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.addresses import Address
from concierge.conversations.models import Direction, Message
from concierge.db import Sessions
from concierge.inbound.parsed import Kind
from concierge.inbound.parsing import parse_mail
from concierge.mailing import caps, pace
from concierge.mailing.caps import Caps, Left, Wanted
from concierge.mailing.commands import queue_delivery, reserve_due
from concierge.mailing.models import Delivery, DeliveryState, Lane
from tests.conversations.stories import receive
from tests.factories import NOW
from tests.mailing.samples import make_mail

ROUNDS = int(os.environ.get("CONCIERGE_TESTS_ROUNDS", "40"))
HOUSE = "care@maison-solenne.example"
MINUTES = timedelta(minutes=10)


@dataclass
class Reply:
    """What a bad responder sends back: from whom, and what it sets."""

    sender: str
    subject: str = "Re: hello"
    text: str = "Thank you for your mail."
    headers: tuple[tuple[str, str], ...] = ()


# Six that answer every mail at once, for ever; the last three say nothing by which they could be known.
RESPONDERS: dict[str, Callable[[int], Reply]] = {
    "an honest one": lambda _n: Reply("barbara@example.com", headers=(("Auto-Submitted", "auto-replied"),)),
    "one out of the office": lambda _n: Reply("barbara@example.com", "Automatic reply: hello"),
    "a list": lambda _n: Reply("ladies@lists.example", headers=(("List-Id", "<ladies.lists.example>"),)),
    "an echo": lambda _n: Reply("barbara@example.com"),
    "one with another number each time": lambda n: Reply("help@shop.example", f"[#{n}] We have got your mail"),
    "one with another address each time": lambda n: Reply(f"ticket-{n}@shop.example"),
}
KNOWN = ("an honest one", "one out of the office", "a list")


def write(reply: Reply) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = reply.sender, HOUSE, reply.subject
    for name, value in reply.headers:
        mail[name] = value
    mail.set_content(reply.text)
    return mail.as_bytes()


def play(responder: Callable[[int], Reply], *, most: int) -> tuple[Counter[str], Counter[Kind]]:
    """A house more eager than ours, which answers whatever looks human by itself, against a responder, for a day."""
    now, left, kinds = NOW, {"barbara@example.com": [NOW]}, Counter[Kind]()
    for number in range(ROUNDS):
        now += timedelta(days=1) / (ROUNDS + 1)
        reply = responder(number)
        kinds[kind := parse_mail(write(reply), envelope_from=None).kind] += 1
        if kind is Kind.HUMAN and not caps.share([Wanted(1, reply.sender)], Left(left), now, Caps(address=most)):
            left.setdefault(reply.sender, []).append(now)
    return Counter({address: len(times) for address, times in left.items()}), kinds


@pytest.mark.parametrize("name", RESPONDERS)
def test_a_loop_ends_whoever_answers(name):  # T26
    sent, kinds = play(RESPONDERS[name], most=3)
    assert max(sent.values()) <= 3
    if name in KNOWN:
        assert kinds[Kind.HUMAN] == 0


def test_without_a_cap_an_echo_is_answered_for_ever():  # T26
    """The negative control."""
    sent, _kinds = play(RESPONDERS["an echo"], most=10**6)
    assert sent["barbara@example.com"] == ROUNDS + 1


def test_what_is_more_waits_until_the_first_is_a_day_old():
    left = [NOW - timedelta(hours=hours) for hours in (30, 20, 10, 1)]
    assert caps.free_from(left, NOW, most=3) == NOW + timedelta(hours=4)
    assert caps.free_from(left, NOW, most=4) == NOW
    wanted = [Wanted(1, "a"), Wanted(2, "a"), Wanted(3, "b")]
    assert caps.share(wanted, Left({"a": left[:2]}), NOW, Caps(address=2)) == {2: NOW + timedelta(hours=4)}


def test_of_five_automatic_mails_to_one_address_three_leave_today(session):  # T27
    for number in range(5):
        mail = make_mail(to=Address("", "barbara@example.com"), message_id=f"<{number}@house.example>")
        queue_delivery(session, mail, key=f"offer:{number}", purpose="offer", now=NOW)
        queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)

    assert leave(session, Lane.SINGLE, NOW) == 5  # what a person wrote is never held back
    assert leave(session, Lane.BULK, NOW) == 3
    assert leave(session, Lane.BULK, NOW + timedelta(hours=23)) == 0
    waiting = session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.QUEUED)).all()
    assert {each.due_at for each in waiting} == {NOW + timedelta(days=1)}
    assert all("waits" in each.reason for each in waiting)
    assert leave(session, Lane.BULK, NOW + timedelta(days=1)) == 2


def test_a_conversation_has_a_cap_of_its_own_over_all_addresses():  # T26
    left = Left(conversations={7: [NOW - timedelta(hours=2), NOW - timedelta(hours=1)]})
    wanted = [Wanted(1, "a", 7), Wanted(2, "b", 7), Wanted(3, "c", 8), Wanted(4, "d")]
    assert caps.share(wanted, left, NOW, Caps(address=3, conversation=3)) == {2: NOW + timedelta(hours=22)}
    assert caps.share(wanted, left, NOW, Caps(address=3)) == {}


def test_of_one_conversation_so_many_leave_to_whatever_addresses(session):  # T26
    queue_in_one_conversation(session, 4)
    assert leave(session, Lane.BULK, NOW, Caps(address=3, conversation=2)) == 2
    assert leave(session, Lane.BULK, NOW + timedelta(hours=23), Caps(address=3, conversation=2)) == 0
    assert leave(session, Lane.BULK, NOW + timedelta(hours=24), Caps(address=3, conversation=2)) == 2


def test_the_house_lets_a_days_worth_leave_at_once_and_as_many_in_the_day_after(session, monkeypatch, caplog):  # T27
    hand = [NOW]
    monkeypatch.setattr(pace, "database_now", lambda _session: hand[0])
    queue_offers(session, *(f"customer{number}@example.com" for number in range(9)))
    house = Caps(address=3, house=4)
    assert leave(session, Lane.BULK, NOW, house) == 4
    assert "5 automatic mails wait" in caplog.text
    waiting = session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.QUEUED)).all()
    assert {(each.due_at > NOW, "The house has sent" in each.reason) for each in waiting} == {(True, True)}
    hand[0] += timedelta(hours=12)
    assert leave(session, Lane.BULK, hand[0], house) == 2
    hand[0] += timedelta(days=3)
    assert leave(session, Lane.BULK, hand[0], house) == 3


@pytest.mark.parametrize("first", [0, 1])
def test_two_workers_at_the_same_moment_let_no_more_leave_than_one(sessions, first):  # T27, F05
    """Whichever begins: the other counts only once the first has said what it lets leave."""
    assert race(sessions, first) == 3


def test_without_the_lock_two_workers_let_twice_as_many_leave(sessions, monkeypatch):
    """The negative control; SQLite has but one writer, and needs no lock."""
    with sessions() as session:
        if session.connection().dialect.name == "sqlite":
            return
    monkeypatch.setattr(pace, "lock_automatic", lambda _session: pace.Pace(name="none"))
    assert race(sessions, 0, patience=20.0) == 6


def race(sessions: Sessions, first: int, *, patience: float = 0.3) -> int:
    """Two workers reserve three offers each in one conversation at the same moment; how many they would let leave.

    `patience` is for how many seconds the first waits for the other, which comes further only if nothing keeps it.
    """
    with sessions() as session:
        queue_in_one_conversation(session, 6)
        numbers = list(session.scalars(sa.select(Delivery.id).order_by(Delivery.id)))
        session.commit()
    shares = [numbers[:3], numbers[3:]]
    begun, found = threading.Event(), []

    def reserve(share: list[int], *, begins: bool) -> None:
        with sessions() as session:
            if not begins:
                begun.wait(10)
            got = reserve_due(
                session,
                Lane.BULK,
                claim=str(share),
                now=NOW,
                lease=MINUTES,
                limit=3,
                only=share,
                limits=Caps(conversation=3),
            )
            if begins:
                begun.set()
                other.join(patience)
            session.commit()
            found.extend(each.id for each in got)

    other = threading.Thread(target=reserve, args=(shares[1 - first],), kwargs={"begins": False})
    other.start()
    reserve(shares[first], begins=True)
    other.join(10)
    return len(found)


def queue_in_one_conversation(session: Session, count: int) -> None:
    """So many offers, each to another address."""
    conversation = receive(session).conversation
    for number in range(count):
        mail = make_mail(to=Address("", f"barbara{number}@example.com"), message_id=f"<{number}@house.example>")
        queued = queue_delivery(session, mail, key=f"offer:{number}", purpose="offer", now=NOW)
        ours = {"mailbox_id": conversation.mailbox_id, "direction": Direction.OUT, "created_at": NOW}
        session.add(Message(conversation=conversation, delivery=queued, **ours))


def queue_offers(session: Session, *addresses: str) -> None:
    for number, address in enumerate(addresses):
        mail = make_mail(to=Address("", address), message_id=f"<{number}@house.example>")
        queue_delivery(session, mail, key=f"offer:{number}", purpose="offer", now=NOW)


def leave(session: Session, lane: Lane, now: datetime, limits: Caps = Caps(address=3)) -> int:  # noqa: B008 it is frozen
    """Let what is due leave, one of hers after the other; how many did."""
    due, taken = sa.select(sa.func.count()).where(lane.queued, Delivery.due_at <= now), 0
    while was_due := session.scalar(due):
        found = reserve_due(session, lane, claim=f"{lane}{now}", now=now, lease=MINUTES, limit=50, limits=limits)
        for each in found:
            each.state, each.sent_at = DeliveryState.SENT, now
        session.flush()
        taken += len(found)
        assert session.scalar(due) < was_due
    return taken
