"""Killed while taking mail in, at every entrance: what was acknowledged is here, and each mail is one message (F01)."""

import os
import random
import signal
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from concierge.conversations.models import Message
from concierge.inbound.jobs import file_received
from concierge.inbound.tallying import reckon
from tests.faults.street import lost
from tests.inbound.arriving import letter
from tests.inbound.imap_server import ImapServer

# So many kills at random moments, at each entrance on each database; `make faults` asks for more. With those of the
# senders, of the desk and at every named point they are 300 whenever the tests run.
KILLS = int(os.environ.get("CONCIERGE_TESTS_KILLS", "4"))


def filed_once(config, sessions, wanted: int) -> None:
    """Every mail is one message, however often it was handed over, and the sums agree."""
    while file_received(config, sessions):
        pass
    with sessions() as session:
        assert session.scalar(sa.select(sa.func.count(Message.id))) == wanted
        found = reckon(session)
        assert found.agrees


# Before and after the bytes are kept, and before and after the row is.
STORING = [{"kind": kind, "n": 1, "after": after} for kind in ("blob", "commit") for after in (False, True)]


def saying(words: str) -> list[dict[str, Any]]:
    """Before and after the write to the network that says this."""
    return [{"kind": "write", "n": 1, "saying": words, "after": after} for after in (False, True)]


# By LMTP it is the same door, but for its last word.
@pytest.mark.parametrize(
    ("entrance", "points"),
    [
        ("smtp", STORING + saying("354 ") + saying("we have it")),
        ("lmtp", saying("we have it")),
        ("webhook", STORING + saying("HTTP/1.")),
    ],
)
def test_killed_at_any_point_of_taking_a_mail_nothing_acknowledged_is_lost(
    config, sessions, store, street, *, entrance, points
):  # F01
    place, deaths = street(entrance), 0
    for number, point in enumerate(points):
        raw = letter(message_id=f"{number}@example.com", text=f"Hello {number}")
        pid = place.open(**point)
        taken = place.hand_over(raw)
        deaths += place.died(pid)
        if not taken:  # its mail system tries again, of a house that was opened anew
            pid = place.open()
            assert place.hand_over(raw)
            place.end(pid)
    assert deaths == len(points)
    assert place.handed > len(place.acknowledged) >= len(points)  # some died before they had said so
    assert lost(sessions, store, place.acknowledged) == []
    filed_once(config, sessions, len(points))


def test_the_ledger_sees_a_door_that_says_yes_before_it_has_stored(sessions, store, street):
    """Negative control."""
    place = street("smtp")
    pid = place.open(kind="commit", n=1, careless=True)
    assert place.hand_over(letter())
    place.end(pid)
    assert lost(sessions, store, place.acknowledged) == [letter()]


def test_killed_at_any_point_of_reading_a_mailbox_nothing_moved_away_is_lost(config, sessions, store, small, street):
    # F01, F20
    place, server = street("imap"), ImapServer()
    deaths: list[int] = []
    seconds = [{"kind": "commit", "n": 2, "after": after} for after in (False, True)]
    wanted = STORING + seconds + saying("UID MOVE")
    for number, point in enumerate(wanted):
        server.inbox.add(letter(message_id=f"{number}@example.com", text=f"Hello {number}"))
        for how in (point, {}):
            pid = small.fork(place.settings, entrance="imap", port=server.server_address[1], **how)
            deaths.append(small.wait(pid))
        moved = [mail.raw for mail in server.boxes["Filed"].mails]
        assert lost(sessions, store, moved) == []
    assert set(deaths[::2]) == {-signal.SIGKILL}
    assert set(deaths[1::2]) == {0}
    assert (server.inbox.mails, len(moved)) == ([], len(wanted))
    filed_once(config, sessions, len(wanted))
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("entrance", ["smtp", "lmtp", "webhook"])
def test_killed_at_random_moments_while_mail_pours_in_nothing_acknowledged_is_lost(
    config, sessions, store, street, entrance
):  # F01
    place, chance, number, kills = street(entrance), random.Random(5), 0, 0
    # a machine too busy for a single mail between two kills is given more of them
    while kills < KILLS or (not number and kills < 100):
        kills += 1
        pid = place.open()
        timer = threading.Timer(chance.uniform(0.005, 0.08), os.kill, (pid, signal.SIGKILL))
        timer.start()
        while place.hand_over(letter(message_id=f"{number}@example.com", text=f"Hello {number}")):
            number += 1
        timer.join()
        place.end(pid)
    assert lost(sessions, store, place.acknowledged) == []
    assert len(place.acknowledged) == number > 0


def test_killed_at_random_moments_of_reading_a_mailbox_nothing_moved_away_is_lost(
    config, sessions, store, small, street
):  # F01, F20
    place, server, chance, killed, number = street("imap"), ImapServer(), random.Random(5), 0, 0

    def read() -> int:
        return small.fork(place.settings, entrance="imap", port=server.server_address[1])

    while killed < KILLS:
        for _mail in range(4):
            server.inbox.add(letter(message_id=f"{number}@example.com", text=f"Hello {number}"))
            number += 1
        began = time.monotonic()
        if number == 4:  # the first is left alone, to see how long it takes
            assert small.wait(read()) == 0
            lasts = time.monotonic() - began
            continue
        pid = read()
        time.sleep(chance.uniform(0, lasts))
        os.kill(pid, signal.SIGKILL)
        killed += small.wait(pid) == -signal.SIGKILL
    assert lost(sessions, store, [mail.raw for mail in server.boxes["Filed"].mails]) == []
    assert small.wait(read()) == 0
    moved = [mail.raw for mail in server.boxes["Filed"].mails]
    assert (server.inbox.mails, len(moved), lost(sessions, store, moved)) == ([], number, [])
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("entrance", ["lmtp", "webhook"])
def test_the_ledger_sees_any_entrance_that_says_yes_before_it_has_stored(sessions, store, street, entrance):
    """Negative control of the other entrances."""
    place = street(entrance)
    pid = place.open(kind="commit", n=1, careless=True)
    assert place.hand_over(letter())
    assert place.died(pid)
    assert lost(sessions, store, place.acknowledged) == [letter()]
