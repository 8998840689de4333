"""The street before a house: who hands mail over at which entrance, and what was acknowledged there."""

import http.client
import json
import os
import signal
import smtplib
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from concierge.inbound.models import InboundMail
from tests.faults.nursery import Nursery
from tests.inbound.arriving import CARE

SECRET = "an-inbound-secret-for-tests"


@dataclass
class Street:
    """Where mail is handed over: the entrance, how it is opened, and what it has acknowledged."""

    small: Nursery
    settings: dict[str, str]
    port: int
    entrance: str
    acknowledged: list[bytes] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
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
        except (OSError, smtplib.SMTPException, http.client.HTTPException) as error:
            self.refused += _codes(error)
            return False
        self.acknowledged += [raw] if taken else []
        return taken


def _codes(error: Exception) -> list[int]:
    """What the entrance said instead of yes, if it said anything."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _words in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []


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


def lost(sessions, store, acknowledged: list[bytes]) -> list[bytes]:
    """Those that were acknowledged and are not here with all their bytes."""
    with sessions() as session:
        keys = session.scalars(sa.select(InboundMail.blob_key)).all()
    here = {store.get(key).rstrip(b"\r\n") for key in keys}
    return [raw for raw in acknowledged if raw.rstrip(b"\r\n") not in here]
