"""A loop ends: whatever answers us, and however, an address gets so many automatic mails in a day and no more."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa

from concierge.addresses import Address
from concierge.inbound.parsed import Kind
from concierge.inbound.parsing import parse_mail
from concierge.mailing import caps
from concierge.mailing.commands import queue_delivery, reserve_due
from concierge.mailing.models import Delivery, DeliveryState, Lane
from tests.factories import NOW
from tests.mailing.samples import make_mail

ROUNDS = int(os.environ.get("CONCIERGE_TESTS_ROUNDS", "40"))
HOUSE = "care@maison-solenne.example"


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
        if kind is Kind.HUMAN and not caps.share([(1, reply.sender)], left, now, most=most):
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
    assert caps.share([(1, "a"), (2, "a"), (3, "b")], {"a": left[:2]}, NOW, most=2) == {2: NOW + timedelta(hours=4)}


def test_of_five_automatic_mails_to_one_address_three_leave_today(session):  # T27
    for number in range(5):
        mail = make_mail(to=Address("", "barbara@example.com"), message_id=f"<{number}@house.example>")
        queue_delivery(session, mail, key=f"offer:{number}", purpose="offer", now=NOW)
        queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)

    def leave(lane: Lane, now) -> int:
        found = reserve_due(
            session, lane, claim=f"{lane}{now}", now=now, lease=timedelta(minutes=10), limit=50, most_automatic=3
        )
        for each in found:
            each.state, each.sent_at = DeliveryState.SENT, now
        session.flush()
        return len(found)

    assert leave(Lane.BULK, NOW) == 3
    assert leave(Lane.SINGLE, NOW) == 5  # what a person wrote is never held back
    assert leave(Lane.BULK, NOW + timedelta(hours=23)) == 0
    waiting = session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.QUEUED)).all()
    assert {each.due_at for each in waiting} == {NOW + timedelta(days=1)}
    assert all("waits" in each.reason for each in waiting)
    assert leave(Lane.BULK, NOW + timedelta(days=1)) == 2
