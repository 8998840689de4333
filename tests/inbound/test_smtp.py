"""The mail door, spoken to by a real client and by raw sockets (T12, F01, F16)."""

import errno
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import blobs
from concierge.config import Config
from concierge.inbound.models import InboundMail
from concierge.inbound.sources.smtp import MailDoor, OpenDoor, open_door
from concierge.mailing.returns import return_path
from tests.factories import make_mailbox
from tests.inbound.arriving import CARE, letter


@pytest.fixture
def house(config: Config, session: Session) -> Config:
    """A house with one mailbox and a free port for its door."""
    make_mailbox(session)
    session.commit()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return config.model_copy(update={"smtp_port": port, "max_mail_bytes": 200_000})


@pytest.fixture
def door(house: Config) -> Iterator[OpenDoor]:
    opened = open_door(house)
    opened.start()
    yield opened
    opened.stop()


def client(house: Config) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", house.smtp_port, timeout=10)


def mails(session: Session) -> list[InboundMail]:
    found = list(session.scalars(sa.select(InboundMail).order_by(InboundMail.id)))
    session.commit()
    return found


def test_a_mail_by_smtplib_is_kept_byte_for_byte_before_250(house, door, session, store):
    with client(house) as smtp:
        smtp.sendmail("barbara@example.com", [CARE], letter(text="caff\xe8\r\n.\r\n..dots"))
    mail = mails(session)[0]
    assert store.get(mail.blob_key) == letter(text="caff\xe8\r\n.\r\n..dots") + b"\r\n"
    assert (mail.source, mail.envelope_from, mail.recipients) == ("smtp", "barbara@example.com", [CARE])


def test_one_envelope_for_two_mailboxes_is_one_mail_that_knows_both(house, door, session):
    make_mailbox(session, "cura@maison-solenne.example")
    session.commit()
    with client(house) as smtp:
        smtp.sendmail("barbara@example.com", ["cura@maison-solenne.example", CARE], letter())
    assert [mail.recipients for mail in mails(session)] == [["cura@maison-solenne.example", CARE]]


def test_the_null_path_is_kept_as_such(house, door, session):
    with client(house) as smtp:
        smtp.sendmail("", [CARE], letter())
    assert mails(session)[0].envelope_from == ""


def test_the_size_limit_is_announced_and_kept(house, door, session):
    with client(house) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == "200000"
        assert smtp.docmd("MAIL", "FROM:<b@example.com> SIZE=999999999")[0] == 552
        smtp.rset()
        smtp.mail("b@example.com")  # a client that does not say how much is coming
        smtp.rcpt(CARE)
        assert smtp.data(letter(text="x\r\n" * 90_000))[0] == 552
    assert mails(session) == []


def test_only_our_mailboxes_are_known_in_any_form(house, door, session):
    with client(house) as smtp:
        smtp.ehlo()
        smtp.mail("b@example.com")
        assert smtp.rcpt("care+abc234@maison-solenne.example")[0] == 250
        assert smtp.rcpt("CARE@Maison-Solenne.example")[0] == 250
        for unknown in ("nobody@maison-solenne.example", "care@other.example", "care", "+@maison-solenne.example"):
            assert smtp.rcpt(unknown)[0] >= 500
        assert smtp.rcpt("nobody@maison-solenne.example")[0] == 550


@pytest.mark.parametrize("source", ["smtp", "lmtp"])
def test_an_address_for_what_comes_back_is_known_if_it_is_signed(house, sessions, source):
    at = "bounces@mail.example.com"
    door = MailDoor(house.model_copy(update={"return_path": at}), sessions, source)
    signed = return_path(house.secret, CARE, 1, 1, at=at)
    assert [door._is_known(each) for each in (signed, signed.upper())] == [True, True]
    unknown = (f"{signed[:-1]}x", signed.replace("mail.", "other."), at, signed.replace("bounces", "others"))
    assert not any(map(door._is_known, unknown))


def test_a_line_longer_than_the_rfc_allows_is_taken(house, door, session):
    with client(house) as smtp:
        smtp.sendmail("b@example.com", [CARE], letter(text="x" * 50_000))
    assert len(mails(session)) == 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_full_or_broken_disk_is_answered_with_come_again(house, door, session, monkeypatch, error):  # F16
    def fail(*_: object) -> str:
        raise OSError(error, os.strerror(error))

    with client(house) as smtp:
        with monkeypatch.context() as patched, pytest.raises(smtplib.SMTPDataError) as refusal:
            patched.setattr(blobs.BlobStore, "put", fail)
            smtp.sendmail("b@example.com", [CARE], letter())
        assert refusal.value.smtp_code == (452 if error == errno.ENOSPC else 451)
        smtp.sendmail("b@example.com", [CARE], letter())  # it recovers alone
    assert len(mails(session)) == 1


@pytest.mark.parametrize("method", ["_is_known", "_accept"])
def test_whatever_else_goes_wrong_bounces_no_mail_and_tells_nothing(house, door, session, monkeypatch, method):  # F16
    def fail(*_: object) -> int:
        raise RuntimeError("s3.internal:9000 is away")

    monkeypatch.setattr(MailDoor, method, fail)
    with client(house) as smtp, pytest.raises(smtplib.SMTPException) as refusal:
        smtp.sendmail("b@example.com", [CARE], letter())
    assert "451" in str(refusal.value)
    assert "internal" not in str(refusal.value)
    assert mails(session) == []


@pytest.mark.parametrize("method", ["_is_known", "_accept"])
def test_a_database_that_fails_is_answered_with_451(house, door, session, monkeypatch, method):  # F16
    def fail(*_: object) -> int:
        raise OperationalError("INSERT", {}, OSError("disk I/O error"))

    monkeypatch.setattr(MailDoor, method, fail)
    with client(house) as smtp, pytest.raises(smtplib.SMTPException) as refusal:
        smtp.sendmail("b@example.com", [CARE], letter())
    assert "451" in str(refusal.value)
    assert mails(session) == []


SMUGGLED = (
    b"MAIL FROM:<mallory@evil.example>\r\nRCPT TO:<care@maison-solenne.example>\r\nDATA\r\nFrom: x\r\n\r\nevil\r\n.\r\n"
)


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\n\0.\r\n"]
)
def test_no_second_mail_is_smuggled_in_behind_a_false_end(house, door, session, store, end):  # T12
    with socket.create_connection(("127.0.0.1", house.smtp_port), timeout=10) as raw:
        talk(raw, b"", b"EHLO x\r\n", b"MAIL FROM:<b@example.com>\r\n", f"RCPT TO:<{CARE}>\r\n".encode(), b"DATA\r\n")
        raw.sendall(b"Subject: one\r\n\r\nwords" + end + SMUGGLED)
        answers = talk(raw, b"QUIT\r\n", until_closed=True)
    assert answers.count(b"250 2.0.0") == 1
    assert [mail.envelope_from for mail in mails(session)] == ["b@example.com"]
    assert b"mallory@evil.example" in store.get(mails(session)[0].blob_key)


def test_the_smuggling_check_itself_sees_a_second_mail(house, door, session):
    """Negative control: behind a true end a second mail is lawful, and is seen."""
    with socket.create_connection(("127.0.0.1", house.smtp_port), timeout=10) as raw:
        talk(raw, b"", b"EHLO x\r\n", b"MAIL FROM:<b@example.com>\r\n", f"RCPT TO:<{CARE}>\r\n".encode(), b"DATA\r\n")
        raw.sendall(b"Subject: one\r\n\r\nwords\r\n.\r\n" + SMUGGLED)
        answers = talk(raw, b"QUIT\r\n", until_closed=True)
    assert answers.count(b"250 2.0.0") == 2
    assert len(mails(session)) == 2


def talk(raw: socket.socket, *lines: bytes, until_closed: bool = False) -> bytes:
    """Say each line and hear the answer; with `until_closed`, say all and hear everything to the end."""
    heard = b""
    for line in lines:
        raw.sendall(line)
        heard += b"" if until_closed else hear(raw)
    while until_closed and (more := raw.recv(65536)):
        heard += more
    return heard


def hear(raw: socket.socket) -> bytes:
    """One whole answer: its last line has a space behind the number."""
    heard = raw.recv(65536)
    while not re.search(rb"^\d{3} [^\r\n]*\r\n\Z", heard, re.MULTILINE):
        heard += raw.recv(65536)
    return heard


def test_a_line_without_end_is_cut_off_before_it_fills_the_memory(house, door, session):
    with socket.create_connection(("127.0.0.1", house.smtp_port), timeout=10) as raw:
        talk(raw, b"", b"EHLO x\r\n", b"MAIL FROM:<b@example.com>\r\n", f"RCPT TO:<{CARE}>\r\n".encode(), b"DATA\r\n")
        with pytest.raises(OSError):
            for _ in range(1_000):
                raw.sendall(b"x" * 65536)
    assert mails(session) == []


def test_told_to_stop_the_door_finishes_the_mail_it_is_receiving(house, session, tmp_path):
    process = start_door(house, tmp_path)
    raw = greeted(house)
    talk(raw, b"EHLO x\r\n", b"MAIL FROM:<b@example.com>\r\n", f"RCPT TO:<{CARE}>\r\n".encode(), b"DATA\r\n")
    raw.sendall(b"Subject: half\r\n\r\n")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", house.smtp_port), timeout=2).recv(1)
    raw.sendall(b"the other half\r\n.\r\n")
    assert b"250 2.0.0" in talk(raw, until_closed=True)
    assert process.wait(10) == 0
    assert len(mails(session)) == 1


def test_a_door_killed_in_the_middle_of_a_mail_has_promised_nothing(house, session, tmp_path):  # F01
    process = start_door(house, tmp_path)
    raw = greeted(house)
    talk(raw, b"EHLO x\r\n", b"MAIL FROM:<b@example.com>\r\n", f"RCPT TO:<{CARE}>\r\n".encode(), b"DATA\r\n")
    raw.sendall(b"Subject: half\r\n\r\n")
    process.kill()
    process.wait()
    try:
        heard = talk(raw, until_closed=True)
    except OSError:
        heard = b""
    assert b"250" not in heard
    assert mails(session) == []


def start_door(house: Config, folder: Path) -> subprocess.Popen[bytes]:
    """The door as a process of its own, on the house's database."""
    code = (
        "import sys; from concierge.config import read_config; from concierge.inbound.sources.smtp import run_door\n"
        "run_door(read_config(data=sys.argv[1], smtp_port=int(sys.argv[2]), database_url=sys.argv[3]))"
    )
    arguments = [str(house.data), str(house.smtp_port), house.database_url]
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=Path(__file__).parents[2], env=environment())


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def greeted(house: Config) -> socket.socket:
    """A connection to the door as soon as it is open."""
    latest = time.monotonic() + 30
    while True:
        try:
            raw = socket.create_connection(("127.0.0.1", house.smtp_port), timeout=10)
        except ConnectionRefusedError:
            assert time.monotonic() < latest, "the door did not open"
            time.sleep(0.1)
        else:
            assert hear(raw).startswith(b"220")
            return raw
