"""Entrances for mail, each opened in a process forked from one small one, and told where to die.

A worker of `nursery` whose work is to take mail in, by SMTP, LMTP, a posted form, or from a mailbox over IMAP; or to
file, at the desk, what came in. It may be told a crash point: the n-th blob, the n-th commit, the n-th mail that is
filed or whose outcome is noted, or the write to the network that says something, before or after.
"""

import asyncio.selector_events
import gc
import json
import socket
import threading
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import sqlalchemy.orm

import concierge.inbound.jobs
from tests.faults.nursery import Fuse, Nursery, house, nursery, put_into, serve
from tests.faults.weak_disk import weaken


def doorstep(*, preload: str = "") -> AbstractContextManager[Nursery]:
    """A process of its own, with nothing open yet."""
    return nursery("tests.faults.doorstep", preload=preload)


# --- inside the process ---------------------------------------------------------------------------------------------
def _work(settings: dict[str, str], how: dict[str, Any]) -> None:
    config, sessions = house(json.dumps(settings))
    _arm(how, Fuse(int(how.get("n", 0)), after=bool(how.get("after")), stop=False))
    if how.get("careless"):
        _answer_first()
        _settle_first()
    if disk := how.get("disk"):
        weaken(disk)
    if how["entrance"] == "desk":
        _file(config, sessions)
    elif how["entrance"] == "imap":
        _read(config, sessions, int(how["port"]))
    elif how["entrance"] == "webhook":
        from werkzeug.serving import make_server

        make_server("127.0.0.1", int(how["port"]), _app(json.dumps(settings))).serve_forever()
    else:
        from concierge.inbound.sources.smtp import run_door

        run_door(config)


@lru_cache(maxsize=1)
def _app(settings: str) -> Any:
    from concierge.app import create_app

    return create_app(house(settings)[0])


def _rehearse(settings: dict[str, str]) -> None:
    """Take a mail in, and let it go again: those that are forked then know all that was learnt."""
    import concierge.inbound.sources.smtp  # noqa: F401 what every entrance needs is read once
    from concierge import blobs, clock
    from concierge.extensions import db
    from concierge.inbound import queries
    from concierge.inbound.commands import accept_mail
    from concierge.inbound.sources.mailboxes import SOURCE, find_mailbox

    app = _app(json.dumps(settings))
    config, sessions = house(json.dumps(settings))
    with sessions() as session:
        find_mailbox(session, "x@x.example")
        queries.was_fetched(session, "x", "x", [])
        queries.find_watched(session, "x", "x")
        now, store = clock.now(), blobs.open_store(config)
        queries.welcome(session, "x@x.example", 1, config.policy, now=now)
        accept_mail(session, store, b"x", source=SOURCE, envelope_from="", recipients=[], now=now)
        session.rollback()
    sessions.kw["bind"].dispose()  # no connection is shared with those to come
    with app.app_context():
        db.engine.dispose()
    gc.collect()
    gc.freeze()


def _arm(how: dict[str, Any], fuse: Fuse) -> None:
    """Count what is of this kind; of writes those that say these words."""
    from concierge.blobs import BlobStore

    kind, words = how.get("kind"), str(how.get("saying", ""))
    if kind == "blob":
        put_into(BlobStore, "put", fuse)
    elif kind == "commit":
        put_into(sqlalchemy.orm.Session, "commit", fuse)
    elif kind in _AT_THE_DESK:
        put_into(concierge.inbound.jobs, _AT_THE_DESK[kind], fuse)
    elif kind == "write":
        put_into(socket.socket, "sendall", fuse, words)
        put_into(asyncio.selector_events._SelectorSocketTransport, "write", fuse, words)


def _answer_first() -> None:
    """The careless entrance: it says 250, or 200, and stores later, however busy the machine."""
    from concierge.inbound import webhooks
    from concierge.inbound.sources.smtp import MailDoor

    store = MailDoor._accept

    def accept(self: MailDoor, *given: Any) -> int:
        threading.Timer(0.5, store, (self, *given)).start()
        return 1

    keep = webhooks._keep

    def keep_later(posted: Any, config: Any, app: Any) -> None:
        with app.app_context():
            keep(posted, config)

    def say_yes(posted: Any, config: Any) -> bool:
        from flask import current_app

        threading.Timer(0.5, keep_later, (posted, config, current_app._get_current_object())).start()  # type: ignore[attr-defined]
        return True

    MailDoor._accept, webhooks._keep = accept, say_yes  # type: ignore[method-assign]


_AT_THE_DESK = {"mail": "settle_mail", "outcome": "settle_claim"}


def _settle_first() -> None:
    """The careless desk: a mail is settled, and committed, before it is filed."""
    from concierge import clock
    from concierge.inbound import jobs
    from concierge.inbound.claims import Outcome
    from concierge.inbound.models import InboundState

    def settle_first(session: Any, desk: Any, taken: Any, mail: Any) -> None:
        now, secret = clock.now(), desk.config.secret
        jobs.settle_claim(session, taken.claim, Outcome(InboundState.FILED), now=now)
        session.commit()
        jobs.settle_mail(session, taken.claim, mail, house=taken.house, secret=secret, now=now, trust=desk.trust)

    jobs._settle = settle_first


def _file(config: Any, sessions: Any) -> None:
    """File what came in, as one handful; nothing is hostile in it, so it is read here."""
    from concierge.inbound import jobs
    from tests.inbound.arriving import AllAtOnce

    jobs._reader = lambda _most_bytes: AllAtOnce()  # type: ignore[assignment, return-value]
    jobs.file_received(config, sessions)


def _read(config: Any, sessions: Any, port: int) -> None:
    """One look into the mailbox, whose mails are moved once they are stored."""
    from concierge.imap_settings import ImapAccount
    from concierge.inbound.sources.imap import ImapFolder
    from concierge.inbound.sources.mailboxes import FolderReader

    account = ImapAccount(
        name="care", host="127.0.0.1", port=port, tls="none", user="x", password="secret", move_to="Filed"
    )
    outside = ImapFolder(account, "INBOX")
    outside.open()
    FolderReader(config, sessions, account, "INBOX", lambda: True).look(outside)
    outside.close()


if __name__ == "__main__":
    import concierge.mailing.jobs

    serve(_work, _rehearse)
