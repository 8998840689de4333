"""What the web process knows of the worker: a look at the database, at most every few seconds, for every page."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import Session

from concierge import clock, copies
from concierge.config import Config
from concierge.db import database_now
from concierge.extensions import db
from concierge.mailing import outbox
from concierge.operations import queries
from concierge.operations.state import Fault, Kind, Queue, Seen, find_faults

log = logging.getLogger(__name__)

# How old what is known may be; with the silence of a copy it makes less than half a minute.
LOOK_SECONDS = 4.0
# A house that opens gives its worker so long to begin.
GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class State:
    """How the house runs; `now` is the database's."""

    now: datetime
    copies: list[Seen]
    queues: list[Queue]
    faults: list[Fault]


class Watch:
    """One application's look at the worker."""

    def __init__(self, engine: sa.Engine, config: Config) -> None:
        """Knows nothing yet."""
        self._engine = engine
        self._accounts = config.imap
        self._patience = timedelta(minutes=config.policy.backlog_minutes)
        self._guard = threading.Lock()
        self._known: list[Fault] = []
        self._looked_at = time.monotonic() + GRACE_SECONDS - LOOK_SECONDS

    def look(self) -> State:
        """How things stand now, on a connection of its own. Raises SQLAlchemyError."""
        with Session(self._engine) as session:
            now = database_now(session)
            seen, queues = queries.list_seen(session), queries.list_queues(session, now=clock.now())
            unread = queries.list_unread(session, self._accounts)
            shut = [Fault(Kind.SHUT)] if outbox.is_shut(session) else []
        faults = shut + find_faults(seen, queues, unread, now=now, silence=copies.SILENCE, patience=self._patience)
        return State(now, seen, queues, faults)

    def faults(self) -> list[Fault]:
        """What is wrong, as far as is known; nothing in the first half minute, for the worker has to begin too."""
        with self._guard:
            if time.monotonic() - self._looked_at < LOOK_SECONDS:
                return self._known
            self._looked_at = time.monotonic()
        try:
            self._known = self.look().faults
        except sa.exc.SQLAlchemyError:  # the page that is asked for will say so
            log.warning("the worker can't be looked after", exc_info=True)
        return self._known


def init_app(app: Flask, config: Config) -> None:
    """Give the application its watch."""
    with app.app_context():
        app.extensions["watch"] = Watch(db.engine, config)


def the_watch() -> Watch:
    """The running application's."""
    watch: Watch = current_app.extensions["watch"]
    return watch
