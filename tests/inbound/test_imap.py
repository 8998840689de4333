"""Mailboxes read over IMAP: nothing lost wherever the line is cut, nothing twice, nothing held up (F01, F20)."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.config import Config
from concierge.db import Sessions
from concierge.imap_settings import ImapAccount
from concierge.inbound.models import InboundMail, WatchedFolder
from concierge.inbound.sources import mailboxes
from concierge.inbound.sources.imap import CutOff, FolderUnfit, LoginRefused
from concierge.inbound.sources.imap_check import AccountAway, check_account
from concierge.inbound.sources.mailboxes import FolderReader, MailboxReading
from tests.factories import make_mailbox
from tests.inbound.arriving import CARE, letter
from tests.inbound.imap_server import Box, ImapServer


@pytest.fixture
def server() -> Iterator[ImapServer]:
    opened = ImapServer()
    yield opened
    opened.shutdown()
    opened.server_close()


@pytest.fixture(autouse=True)
def opened(session: Session) -> None:
    make_mailbox(session)
    session.commit()


def account(server: ImapServer, **values: Any) -> ImapAccount:
    """How the server's one account is read."""
    given = {"host": "127.0.0.1", "port": server.port, "tls": "none", "user": CARE, "password": "secret"}
    return ImapAccount(name="care", **given | values)


def reader(config: Config, sessions: Sessions, server: ImapServer, **values: Any) -> FolderReader:
    return FolderReader(config, sessions, account(server, **values), "INBOX", lambda: True)


def look(reading: FolderReader) -> int:
    """One connection, one look."""
    with reading._opened() as outside:
        return reading.look(outside)


def kept(session: Session) -> list[InboundMail]:
    session.expire_all()
    found = list(session.scalars(sa.select(InboundMail).order_by(InboundMail.id)))
    session.commit()
    return found


def watched(session: Session) -> WatchedFolder:
    session.expire_all()
    found = session.scalars(sa.select(WatchedFolder)).one()
    session.commit()
    return found


def fill(server: ImapServer, number: int) -> list[bytes]:
    raws = [letter(message_id=f"m{each}@example.com", text=f"Hello {each}") for each in range(number)]
    for raw in raws:
        server.inbox.add(raw)
    return raws


def test_a_mail_is_kept_byte_for_byte_then_marked_and_not_taken_again(config, sessions, session, store, server):
    raws = fill(server, 2)
    reading = reader(config, sessions, server)
    assert [look(reading), look(reading), look(reader(config, sessions, server))] == [2, 0, 0]
    mails = kept(session)
    assert [store.get(mail.blob_key) for mail in mails] == raws
    assert [(mail.source, mail.recipients, mail.envelope_from) for mail in mails] == [("imap", [CARE], None)] * 2
    assert [mail.flags for mail in server.inbox.mails] == [{"$Concierge"}] * 2  # and not \Seen
    assert sum("BODY" in each for each in server.commands) == 1


def test_an_account_that_is_no_mailbox_of_ours_leaves_it_to_the_header_whom_a_mail_is_for(
    config, sessions, session, server
):
    fill(server, 1)
    look(reader(config, sessions, server, user="robot@gmail.example"))
    assert kept(session)[0].recipients == []


def test_mails_are_moved_to_a_folder_that_is_made_if_it_is_missing(config, sessions, session, server):
    raws = fill(server, 3)
    look(reader(config, sessions, server, move_to="Filed"))
    assert (server.inbox.mails, [mail.raw for mail in server.boxes["Filed"].mails]) == ([], raws)
    assert len(kept(session)) == 3


def test_a_server_that_can_not_move_copies_and_takes_away_only_ours(config, sessions, session, server):
    server.capabilities = "IMAP4rev1 UIDPLUS"
    server.inbox.add(b"Subject: thrown away\r\n\r\nx", "\\Deleted")
    fill(server, 1)
    look(reader(config, sessions, server, move_to="Filed"))
    assert [mail.uid for mail in server.inbox.mails] == [1]  # deleted by somebody else, left to them
    assert (len(server.boxes["Filed"].mails), len(kept(session))) == (1, 1)


@pytest.mark.parametrize(
    ("way", "can"),
    [({}, "MOVE"), ({"move_to": "Filed"}, "MOVE"), ({"move_to": "Filed"}, "UIDPLUS"), ({"move_to": "Filed"}, "")],
)
def test_cut_off_before_or_after_any_command_nothing_is_lost_and_nothing_is_here_twice(
    config, sessions, session, *, store, server, way, can
):  # F01, F20
    """Each command once, before it is done and after: what a death of ours between two commands looks like, too.

    A server that can only copy may have a mail in the other folder twice then; nobody else's is taken away.
    """
    server.capabilities = f"IMAP4rev1 {can}"
    wanted: list[bytes] = []
    number, is_over = 0, False
    while not is_over:
        number += 1
        for when in ("before", "after"):
            wanted.append(letter(message_id=f"{number}.{when}@example.com"))
            server.inbox.add(wanted[-1])
            server.commands.clear()
            server.cuts = lambda count, _c, at=number, when=when: when if count == at else ""
            with suppress(*CutOff, LoginRefused):
                look(reader(config, sessions, server, **way))
            is_over = len(server.commands) < number
            server.cuts = lambda _n, _c: ""
            if not re.match(r"UID (STORE|MOVE|COPY|EXPUNGE)", server.commands[-1]):
                break  # a command that changes nothing is cut off before or after alike
    look(reader(config, sessions, server, **way))
    assert number > 7  # capabilities, login, select, search, sizes, bodies, mark, at least
    assert [store.get(mail.blob_key) for mail in kept(session)] == wanted
    assert [mail for mail in server.inbox.mails if not mail.flags & {"$Concierge", "\\Deleted"}] == []
    if way:
        assert {mail.raw for mail in server.boxes["Filed"].mails} == set(wanted)


def test_the_check_itself_sees_a_mail_that_is_marked_before_it_is_stored(config, sessions, session, server):
    """Negative control: marked first, a cut in between loses it."""

    class Careless(FolderReader):
        def _take_batch(self, outside, uids):
            raws = outside.fetch(uids)
            outside.settle(uids)
            return self.store(outside.validity, raws)

    fill(server, 1)
    server.cuts = lambda _n, command: "after" if "STORE" in command else ""
    with pytest.raises(CutOff):
        look(Careless(config, sessions, account(server), "INBOX", lambda: True))
    server.cuts = lambda _n, _c: ""
    look(Careless(config, sessions, account(server), "INBOX", lambda: True))
    assert kept(session) == []


def test_new_numbers_mean_looking_at_everything_again_and_taking_only_what_is_new(config, sessions, session, server):
    # F20
    fill(server, 25)
    look(reader(config, sessions, server))
    server.inbox.renumber()
    server.inbox.add(letter(message_id="lost-when-restored@example.com"), "$Concierge")
    assert look(reader(config, sessions, server)) == 1
    assert len(kept(session)) == 26
    assert (watched(session).validity, watched(session).walked_to) == (2, None)
    server.commands.clear()
    assert look(reader(config, sessions, server)) == 0
    assert not any("FETCH" in each for each in server.commands)


def test_looking_at_everything_again_goes_on_where_it_was_cut_off(config, sessions, session, server):
    fill(server, 45)
    look(reader(config, sessions, server))
    server.inbox.renumber()
    fetched: list[str] = []

    def second_fetch(_number: int, command: str) -> str:
        fetched.extend([command] if "BODY" in command else [])
        return "before" if len(fetched) == 2 else ""

    server.cuts = second_fetch
    with pytest.raises(CutOff):
        look(reader(config, sessions, server))
    assert watched(session).walked_to == server.inbox.mails[19].uid
    server.cuts = lambda _n, _c: ""
    server.commands.clear()
    assert look(reader(config, sessions, server)) == 0
    assert f"FETCH {server.inbox.mails[20].uid}," in " ".join(server.commands)


def test_a_forged_repeat_of_an_id_is_another_mail(config, sessions, session, server):  # F20
    server.inbox.add(letter(text="Mallory was here first"))
    server.inbox.add(letter(text="Hello, it is really me"))
    look(reader(config, sessions, server))
    assert len({mail.blob_key for mail in kept(session)}) == 2


def test_two_copies_of_the_worker_that_read_at_once_store_it_once(config, sessions, session, server):  # F06
    fill(server, 1)
    one, other = reader(config, sessions, server), reader(config, sessions, server)
    assert [one.store(1, {1: letter()}), other.store(1, {1: letter()})] == [1, 0]
    results: list[int] = []

    def store(reading: FolderReader) -> None:
        results.append(reading.store(1, {2: letter(message_id="second@example.com")}))

    threads = [threading.Thread(target=store, args=(each,)) for each in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1]
    assert len(kept(session)) == 2


def test_a_mail_too_large_stays_where_it_is_and_holds_up_nobody(config, sessions, session, server):
    small = config.model_copy(update={"max_mail_bytes": 2000})
    server.inbox.add(letter(text="x" * 5000))
    fill(server, 1)
    look(reader(small, sessions, server))
    assert len(kept(session)) == 1
    assert [(each["uid"], each["why"]) for each in watched(session).left] == [(1, "too-large")]
    assert not any("FETCH 1 " in each and "BODY" in each for each in server.commands)
    server.inbox.mails.pop(0)  # somebody put it away
    look(reader(small, sessions, server))
    assert watched(session).left == []


@pytest.mark.parametrize("how", ["refused", "cut"])
def test_a_mail_the_server_stumbles_over_holds_up_nobody(config, sessions, session, *, server, how, monkeypatch):
    monkeypatch.setattr(mailboxes, "_BASE", mailboxes.timedelta(0))
    monkeypatch.setattr(mailboxes.backoff, "wait", lambda *_a, **_k: mailboxes.timedelta(0))
    fill(server, 3)
    poison = server.inbox.mails[1].uid

    def stumbles(command: str) -> bool:
        return "BODY" in command and str(poison) in command.split(" ")[2].split(",")

    if how == "refused":
        server.refuses = stumbles
    else:
        server.cuts = lambda _n, command: "before" if stumbles(command) else ""
    reading = reader(config, sessions, server)
    thread = threading.Thread(target=reading.run, daemon=True)
    thread.start()
    assert server.idling.wait(10)
    assert len(kept(session)) == 2
    reading._rests[poison].until = 0.0  # its rest is over
    server.refuses, server.cuts = (lambda _c: False), (lambda _n, _c: "")
    server.inbox.add(letter(message_id="news@example.com"))
    _until(lambda: len(kept(session)) == 4)
    reading.stop()
    thread.join(5)
    assert not thread.is_alive()


def _until(is_so: Any, seconds: float = 10.0) -> None:
    latest = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < latest
        time.sleep(0.01)


@pytest.mark.parametrize("idles", [True, False])
def test_new_mail_is_told_of_or_asked_for(config, session, server, idles):
    if not idles:
        server.capabilities = "IMAP4rev1 MOVE"
    polled = account(server).model_copy(update={"poll_seconds": 0.02})
    reading = MailboxReading(config.model_copy(update={"imap": (polled,)}))
    reading.start(lambda: True)
    _until(server.idling.is_set if idles else lambda: "UID SEARCH" in " ".join(server.commands))
    fill(server, 1)
    _until(lambda: len(kept(session)) == 1)
    reading.stop()
    assert all(not thread.is_alive() for thread in reading._threads)


def test_nobody_but_the_clock_reads(config, sessions, session, server):
    fill(server, 1)
    reading = MailboxReading(config.model_copy(update={"imap": (account(server),)}))
    reading.start(lambda: False)
    time.sleep(0.05)
    reading.stop()
    assert server.commands == []


def test_a_refused_password_is_told_in_words_without_the_password(config, sessions, session, server):
    reading = reader(config, sessions, server, password="hunter2")
    with pytest.raises(LoginRefused) as refused:
        look(reading)
    reading.told.set()
    reading._fail(refused.value)
    assert "does not let care@maison-solenne.example in" in watched(session).fault
    assert "hunter2" not in watched(session).fault + str(refused.value)
    look(reader(config, sessions, server))
    assert (watched(session).fault, watched(session).fault_since) == ("", None)


def test_a_folder_or_a_flag_the_server_does_not_have_is_named_with_the_remedy(config, server):
    server.boxes["Sent"] = Box()
    with pytest.raises(FolderUnfit, match=r"CONCIERGE_IMAP_CARE_FOLDERS names it. There are: INBOX, Sent"):
        check_account(config, account(server, folders="Inbux"))
    server.permanent = "\\Seen \\Flagged"
    with pytest.raises(FolderUnfit, match="CONCIERGE_IMAP_CARE_MOVE_TO"):
        check_account(config, account(server))
    server.inbox.add(b"x: y\r\n\r\n", "\\Flagged")
    assert "INBOX (0 of 1 mails to fetch" in check_account(config, account(server, flag="\\Flagged"))
    with pytest.raises(AccountAway, match="CONCIERGE_IMAP_CARE_HOST"):
        check_account(config, account(server, port=1))
