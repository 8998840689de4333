"""A real mail server: Dovecot tells of new mail, keeps our mark, moves, and gets its numbers anew (F20)."""

import os
import shutil
import time
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.imap_settings import ImapAccount
from concierge.inbound.models import WatchedFolder
from concierge.inbound.sources.imap_check import check_account
from concierge.inbound.sources.mailboxes import FolderReader, MailboxReading
from tests.factories import make_mailbox
from tests.inbound.arriving import CARE, letter
from tests.inbound.dovecot import PROGRAM, Dovecot, dovecot
from tests.inbound.test_imap import _until, kept, look, watched

pytestmark = pytest.mark.skipif(PROGRAM is None or os.getuid() != 0, reason="needs Dovecot, and root to start it")


def account(running: Dovecot, **values: object) -> ImapAccount:
    given = {"host": "127.0.0.1", "port": running.port, "tls": "none", "user": CARE, "password": "secret"}
    return ImapAccount.model_validate({"name": "care"} | given | values)


def test_dovecot_tells_of_mail_keeps_our_mark_moves_and_is_looked_at_anew(config, sessions, session, store):
    make_mailbox(session)
    session.commit()
    with dovecot() as running:
        theirs = running.client()
        marking = account(running)
        assert "127.0.0.1 opens INBOX (0 of 0 mails to fetch, tells of new mail)" in check_account(config, marking)
        reading = MailboxReading(config.model_copy(update={"imap": (marking,)}))
        reading.start(lambda: True)
        _until(lambda: len(_looked(session)) == 1)
        raw = letter(text="caff\xe8 e brioche")
        theirs.append("INBOX", raw)
        theirs.select_folder("INBOX")
        _until(lambda: b"$Concierge" in theirs.get_flags([1])[1])
        reading.stop()
        assert b"\\Seen" not in theirs.get_flags([1])[1]
        assert store.get(kept(session)[0].blob_key) == raw
        assert look(FolderReader(config, sessions, marking, "INBOX", lambda: True)) == 0
        # Restored by its owner: the same mail under other numbers, and without our mark.
        before = watched(session).validity
        _until(lambda: time.time() > before + 1)  # Dovecot numbers folders by the second
        shutil.rmtree(running.folder / "mail")
        theirs.logout()
        theirs = running.client()
        theirs.append("INBOX", raw)
        moving = account(running, move_to="Filed")
        assert look(FolderReader(config, sessions, moving, "INBOX", lambda: True)) == 0
        assert watched(session).validity != before
        theirs.append("INBOX", letter(message_id="second@example.com"))
        assert look(FolderReader(config, sessions, moving, "INBOX", lambda: True)) == 1
        assert theirs.folder_status("Filed", ["MESSAGES"]) == {b"MESSAGES": 2}
        theirs.logout()


def _looked(session: Session) -> Sequence[int]:
    session.expire_all()
    found = session.scalars(sa.select(WatchedFolder.id).where(WatchedFolder.looked_at.is_not(None))).all()
    session.commit()
    return found
