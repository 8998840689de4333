"""LMTP for a mail system beside the house: one answer for each recipient, whatever becomes of the mail (F01, F16)."""

import errno
import smtplib
import socket
import stat
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from concierge import blobs
from concierge.config import Config, Misconfigured, read_config
from concierge.inbound.sources.smtp import open_door
from tests.factories import make_mailbox
from tests.houses import free_port
from tests.inbound.arriving import CARE, letter
from tests.inbound.test_smtp import mails

PRESS = "press@maison-solenne.example"


@pytest.fixture
def house(config: Config, session: Session) -> Iterator[Config]:
    """A house with two mailboxes, whose door speaks LMTP on a port and on a socket."""
    make_mailbox(session)
    make_mailbox(session, PRESS)
    session.commit()
    ports = {"smtp_port": free_port(), "lmtp_port": free_port(), "lmtp_socket": config.data / "lmtp"}
    listening = config.model_copy(update={**ports, "max_mail_bytes": 200_000})
    door = open_door(listening)
    door.start()
    yield listening
    door.stop()
    assert not (config.data / "lmtp").exists()


def say(talk: smtplib.LMTP, raw: bytes, *recipients: str) -> list[str]:
    """Hand over one mail; the answer to each recipient that was taken."""
    talk.ehlo()
    talk.mail("barbara@example.com")
    taken = [each for each in recipients if talk.rcpt(each)[0] == 250]
    first = talk.data(raw)
    return [f"{first[0]} {first[1].decode()}", *(talk.getreply()[1].decode() for _each in taken[1:])]


def test_each_recipient_is_answered_and_the_mail_is_kept_once(house, session, store):
    with smtplib.LMTP("127.0.0.1", house.lmtp_port, timeout=10) as talk:
        answers = say(talk, letter(), CARE, "nobody@maison-solenne.example", PRESS)
        assert len(answers) == 2
        assert all("we have it as 1" in each for each in answers)
        assert talk.noop()[0] == 250  # nothing more was said
    (mail,) = mails(session)
    assert (mail.source, mail.recipients, mail.envelope_from) == ("lmtp", [CARE, PRESS], "barbara@example.com")
    assert store.get(mail.blob_key) == letter() + b"\r\n"


def test_a_socket_in_the_file_system_is_for_our_group(house, session):
    assert stat.S_IMODE(house.lmtp_socket.stat().st_mode) == 0o660
    with smtplib.LMTP(str(house.lmtp_socket)) as talk:
        assert len(say(talk, letter(), CARE)) == 1
    assert [mail.source for mail in mails(session)] == ["lmtp"]


@pytest.mark.parametrize("fault", ["disk", "bug", "size"])
def test_what_can_not_be_kept_is_answered_for_each_recipient_too(house, session, monkeypatch, fault):
    def fail(*_: object) -> str:
        raise OSError(errno.ENOSPC, "full") if fault == "disk" else RuntimeError("bug")

    with smtplib.LMTP("127.0.0.1", house.lmtp_port, timeout=10) as talk:
        with monkeypatch.context() as patched:
            patched.setattr(blobs.BlobStore, "put", fail) if fault != "size" else None
            answers = say(talk, letter(text="x\r\n" * 90_000) if fault == "size" else letter(), CARE, PRESS)
        assert len(answers) == 2
        assert answers[0][:3] == {"disk": "452", "bug": "451", "size": "552"}[fault]
        assert "we have it" in say(talk, letter(), CARE)[0]  # it recovers, and no answer is left over
    assert len(mails(session)) == 1


def test_who_speaks_smtp_there_is_told_so(house):
    with socket.create_connection(("127.0.0.1", house.lmtp_port), timeout=10) as raw:
        raw.recv(200)
        raw.sendall(b"EHLO x\r\n")
        assert raw.recv(200).startswith(b"500")


def test_a_port_that_is_taken_by_another_door_is_a_mistake(tmp_path):
    with pytest.raises(Misconfigured, match=r"CONCIERGE_LMTP_PORT|--lmtp-port"):
        read_config(data=tmp_path, lmtp_port=2525)
