"""The worker's heartbeat: tells the database every few seconds that this copy lives, and asks to be the clock."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from concierge import copies
from concierge.config import Config
from concierge.copies import WorkerCopy
from concierge.db import Sessions, database_now, reading

log = logging.getLogger(__name__)

Report = Callable[[], dict[str, Any]]


class Heartbeat:
    """One copy's sign of life, in a thread of its own."""

    def __init__(
        self, sessions: Sessions, lines: Report, provider: Report, elected: Callable[[], None] | None = None
    ) -> None:
        """`lines` and `provider` say how things stand here; `elected` is called when this copy becomes the clock.

        Without `elected` it never asks to be.
        """
        self._sessions, self._lines, self._provider, self._elected = sessions, lines, provider, elected
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._copy_id: int | None = None
        self._number: int | None = None
        self._holds_until = 0.0
        self._is_well = True

    @property
    def number(self) -> int | None:
        """The number of the lease while this copy is the clock, as far as it knows."""
        return self._number if time.monotonic() < self._holds_until else None

    def start(self) -> None:
        """Beat from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye: this copy is forgotten, and another may be the clock."""
        self._stopping.set()
        self._thread.join(5.0)
        if self._copy_id is None:
            return
        with self._sessions() as session:
            if self._number is not None:
                copies.give_up_lease(session, self._copy_id, self._number)
            if (ours := session.get(WorkerCopy, self._copy_id)) is not None:
                session.delete(ours)
            session.commit()

    def beat(self) -> None:
        """Say that we live, and be the clock if nobody else is."""
        began = time.monotonic()
        with self._sessions() as session:
            now = database_now(session)
            ours = session.get(WorkerCopy, self._copy_id) if self._copy_id else None
            if ours is None:  # new, or forgotten while it slept
                ours = WorkerCopy(host=socket.gethostname(), pid=os.getpid(), version=_version(), started_at=now)
                session.add(ours)
            ours.seen_at, ours.lines, ours.provider = now, self._lines(), self._provider()
            session.flush()
            number = self._number
            if self._elected and (number is None or not copies.renew_lease(session, ours.id, number, now=now)):
                number = copies.take_lease(session, ours.id, now=now)
            session.commit()
        was, self._copy_id, self._number = self._number, ours.id, number
        self._holds_until = began + copies.LEASE.total_seconds() if number is not None else 0.0
        if number is not None and number != was:
            log.info("copy %d is the clock, under lease %d", ours.id, number)
            if self._elected:
                self._elected()

    def _beat_on(self) -> None:
        while not self._stopping.is_set():
            try:
                self.beat()
                if not self._is_well:
                    log.warning("the heartbeat is heard again")
                self._is_well = True
            except Exception:
                if self._is_well:
                    log.exception("the heartbeat is not heard")
                self._is_well = False
            self._stopping.wait(copies.BEAT.total_seconds())


def forget_copies(config: Config, sessions: Sessions) -> int:
    """Forget the copies that said nothing for a day; how many."""
    number = copies.OURS.number
    with reading(sessions) as session:
        now = database_now(session)
        if not copies.is_any_old(session, now=now):
            return 0
    with sessions() as session:
        copies.fence(session, number)
        gone = copies.forget_copies(session, now=now)
        session.commit()
    return gone


def _version() -> str:
    try:
        return metadata.version("concierge")
    except metadata.PackageNotFoundError:
        return "checkout"
