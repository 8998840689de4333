"""Killed while taking mail in, at every entrance: what was acknowledged is here, and each mail is one message (F01)."""

import http.client
import json
import os
import random
import signal
import smtplib
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from concierge.conversations.models import Message
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail
from concierge.inbound.tallying import reckon
from tests.factories import make_mailbox
from tests.faults.nursery import Nursery
from tests.houses import free_port
from tests.inbound.arriving import CARE, letter
from tests.inbound.imap_server import ImapServer

# So many kills at random moments; `make faults` asks for more.
KILLS = int(os.environ.get("CONCIERGE_TESTS_KILLS", "4"))
SECRET = "an-inbound-secret-for-tests"


@dataclass
class Street:
    """Where mail is handed over: the entrance, how it is opened, and what it has acknowledged."""

    small: Nursery
    settings: dict[str, str]
    port: int
    entrance: str
    acknowledged: list[bytes] = field(default_factory=list)
    handed: int = 0

    def open(self, **how: Any) -> int:
        """One process that takes mail in."""
        pid = self.small.fork(self.settings, entrance=self.entrance, port=self.port, **how)
        latest = time.monotonic() + 30
        while time.monotonic() < latest:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return pid
            time.sleep(0.005)
        raise AssertionError("the entrance did not open")

    def end(self, pid: int) -> int:
        """End the process, if it lives; how it ended: by SIGKILL only if it was before."""
        os.kill(pid, signal.SIGTERM)
        return self.small.wait(pid)

    def died(self, pid: int) -> bool:
        """Whether it was killed where it was to be; it is given the time to get there."""
        stat, latest = Path(f"/proc/{pid}/stat"), time.monotonic() + 20
        while ") Z " not in stat.read_text(encoding="utf-8") and time.monotonic() < latest:
            time.sleep(0.005)
        return self.end(pid) == -signal.SIGKILL

    def hand_over(self, raw: bytes) -> bool:
        """One mail; whether it was acknowledged."""
        self.handed += 1
        try:
            taken = POSTMEN[self.entrance](self.port, raw)
        except (OSError, smtplib.SMTPException, http.client.HTTPException):
            return False
        self.acknowledged += [raw] if taken else []
        return taken


def _by_smtp(port: int, raw: bytes) -> bool:
    with smtplib.SMTP("127.0.0.1", port, "x", timeout=20) as talk:
        talk.sendmail("barbara@example.com", [CARE], raw)
    return True


def _by_lmtp(port: int, raw: bytes) -> bool:
    with smtplib.LMTP("127.0.0.1", port, "x") as talk:
        talk.sendmail("barbara@example.com", [CARE], raw)
    return True


def _by_post(port: int, raw: bytes) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    fields = {"email": raw, "envelope": json.dumps({"to": [CARE], "from": "barbara@example.com"}).encode()}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + data for name, data in fields.items()
    ]
    line.request(
        "POST",
        f"/webhooks/inbound/{SECRET}",
        b"\r\n".join([*parts, b"--b--\r\n"]),
        {"Content-Type": "multipart/form-data; boundary=b"},
    )
    return line.getresponse().status == 200


POSTMEN: dict[str, Callable[[int, bytes], bool]] = {"smtp": _by_smtp, "lmtp": _by_lmtp, "webhook": _by_post}


@pytest.fixture
def street(config, session, small) -> Callable[[str], Street]:
    """A house with one mailbox and one entrance."""
    make_mailbox(session)
    session.commit()

    def make(entrance: str) -> Street:
        port = free_port()
        given = {
            "data": config.data,
            "database_url": config.database_url,
            "secret_key": config.secret,
            "inbound_secret": SECRET,
            "provider": "memory",
            "smtp_port": free_port() if entrance == "lmtp" else port,
            "lmtp_port": port if entrance == "lmtp" else 0,
        }
        settings = {name: str(value) for name, value in given.items()}
        small.rehearse(settings)
        return Street(small, settings, port, entrance)

    return make


def lost(sessions, store, acknowledged: list[bytes]) -> list[bytes]:
    """Those that were acknowledged and are not here with all their bytes."""
    with sessions() as session:
        keys = session.scalars(sa.select(InboundMail.blob_key)).all()
    here = {store.get(key).rstrip(b"\r\n") for key in keys}
    return [raw for raw in acknowledged if raw.rstrip(b"\r\n") not in here]


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


def test_killed_at_random_moments_while_mail_pours_in_nothing_acknowledged_is_lost(config, sessions, store, street):
    place, chance, number = street("smtp"), random.Random(5), 0
    for _kill in range(KILLS):
        pid = place.open()
        timer = threading.Timer(chance.uniform(0.005, 0.08), os.kill, (pid, signal.SIGKILL))
        timer.start()
        while place.hand_over(letter(message_id=f"{number}@example.com", text=f"Hello {number}")):
            number += 1
        timer.join()
        place.end(pid)
    assert lost(sessions, store, place.acknowledged) == []
    assert len(place.acknowledged) == number
