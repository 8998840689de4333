"""Pages that stay open to hear what is new, and how they are let go when the house closes.

One thread a process looks at the end of the audit log twice a second while anybody listens; every listener is told by
a server-sent event (html.spec.whatwg.org, 9.2) that carries no content: who hears it asks for the pages she may see.
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from concierge import clock
from concierge.audit import AuditEntry
from concierge.extensions import db

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 20.0
# A closed page gives its place back within this; nothing is sent to find that out.
PRESENCE_SECONDS = 2.0
# A stream ends after this, and the browser comes back by itself: whoever may no longer sign in is gone by then.
LIFE_SECONDS = 300.0
# Each listener keeps a thread; the pages need some too.
MOST_LISTENERS = 40
# Entries may be committed out of order (PostgreSQL gives numbers before commits): so far back is looked again.
_OVERLAP = 200
# A page that was drawn this long before it began to listen is told of what happened in between.
_DRAWING = timedelta(seconds=10)

# A stream waits on this instead of sleeping, and ends when it is set.
STOPPING = threading.Event()

bp = Blueprint("live", __name__)


class Line(Protocol):
    """The connection to a listener, as far as we look at it."""

    def recv(self, size: int, flags: int, /) -> bytes: ...


def stop_all() -> None:
    """Let go of all live pages of this process; called when it is told to stop."""
    STOPPING.set()


def init_app(app: Flask) -> None:
    """Give the application its feed and the address /live."""
    with app.app_context():
        app.extensions["live"] = Feed(db.engine)
    app.register_blueprint(bp)


class Feed:
    """The end of the audit log, looked at by one thread for many listeners."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._listeners = 0
        self._looking = False
        self._seen: dict[int, int | None] = {}  # entry → its conversation
        self._latest = 0
        self._newest_at: datetime | None = None

    def join(self) -> bool:
        """Count one listener in and see that somebody looks; False when there are too many."""
        with self._changed:
            if self._listeners >= MOST_LISTENERS:
                return False
            self._listeners += 1
            if not self._looking:
                self._looking = True
                self._look()
                threading.Thread(target=self._keep_looking, name="live", daemon=True).start()
            return True

    def leave(self) -> None:
        """Count one listener out; the last one lets the looking end."""
        with self._changed:
            self._listeners -= 1

    def stream(self, since: int | None, line: Line | None = None) -> Iterator[str]:
        """Server-sent events for one listener who has joined and knows the log up to `since`.

        It ends when she hangs up, as far as `line` lets us see that.
        """
        ends = time.monotonic() + LIFE_SECONDS
        known = self._begin(since)
        yield f"retry: 2000\nid: {known}\nevent: alive\ndata:\n\n"
        spoke = time.monotonic()
        while time.monotonic() < ends and not STOPPING.is_set() and not _hung_up(line):
            with self._changed:
                self._changed.wait_for(partial(self._has_news, known), min(PRESENCE_SECONDS, HEARTBEAT_SECONDS))
                latest, conversations = self._latest, self._conversations_after(known)
            if latest > known:
                known, spoke = latest, time.monotonic()
                yield f"id: {known}\nevent: changed\ndata: {json.dumps(conversations)}\n\n"
            elif time.monotonic() - spoke >= HEARTBEAT_SECONDS and not STOPPING.is_set():
                spoke = time.monotonic()
                yield f"id: {known}\nevent: alive\ndata:\n\n"

    def _has_news(self, known: int) -> bool:
        return self._latest > known or STOPPING.is_set()

    def _begin(self, since: int | None) -> int:
        with self._changed:
            if since is not None:
                return min(since, self._latest)
            is_fresh = self._newest_at is not None and clock.now() - self._newest_at < _DRAWING
            return self._latest - 1 if is_fresh else self._latest

    def _conversations_after(self, known: int) -> list[int]:
        return sorted({talk for entry, talk in self._seen.items() if entry > known and talk is not None})

    def _keep_looking(self) -> None:
        while not STOPPING.wait(LOOK_SECONDS):
            with self._changed:
                if not self._listeners:
                    self._looking = False
                    return
            self._look()
        with self._changed:
            self._looking = False
            self._changed.notify_all()

    def _look(self) -> None:
        """Read the newest entries; a database that does not answer is asked again next time."""
        newest = sa.select(sa.func.max(AuditEntry.id)).scalar_subquery()
        columns = (AuditEntry.id, AuditEntry.subject_type, AuditEntry.subject_id, AuditEntry.at)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(sa.select(*columns).where(AuditEntry.id > newest - _OVERLAP)).all()
        except SQLAlchemyError:
            log.warning("live pages can't read the audit log", exc_info=True)
            return
        found = {entry: subject if kind == "conversation" else None for entry, kind, subject, _at in rows}
        with self._changed:
            if found.keys() <= self._seen.keys():
                return
            # A late entry with a smaller number is news too, so the number told grows whatever was found.
            self._latest = max(*found, self._latest + 1 if self._seen else 0)
            self._seen = found
            self._newest_at = max(row.at for row in rows)
            self._changed.notify_all()


@bp.get("/live")
def live() -> Response:
    """Stay open and tell that something changed; `Last-Event-ID` or ?since= lets the listener catch up."""
    feed: Feed = current_app.extensions["live"]
    if STOPPING.is_set() or not feed.join():
        return Response(status=503, headers={"Retry-After": "30"})
    response = Response(feed.stream(_since(), request.environ.get("gunicorn.socket")), mimetype="text/event-stream")
    response.call_on_close(feed.leave)
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep the events back
    return response


def _hung_up(line: Line | None) -> bool:
    """Whether the other end has closed: a look that takes nothing away reads an end of file."""
    if line is None:
        return False
    try:
        return not line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _since() -> int | None:
    known = request.headers.get("Last-Event-ID") or request.args.get("since", "")
    return int(known) if known.isdecimal() and len(known) < 19 else None
