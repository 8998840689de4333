"""One sender who floods us fills no disk and buries nobody, and nothing of hers is lost (T14)."""

import json
import smtplib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.config import Config
from concierge.inbound import jobs, queries
from concierge.inbound.measures import MEGABYTE, Measure, Sent, Welcome, weigh
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.sources.smtp import OpenDoor, open_door
from tests.factories import make_editor, make_mailbox, sign_in
from tests.houses import free_port
from tests.inbound.arriving import CARE, letter
from tests.inbound.test_webhook import form, post

MALLORY = "mallory@evil.example"
DAY = Measure(mails=10, size=5 * MEGABYTE)


@pytest.mark.parametrize(
    ("sender", "sent", "size", "becomes"),
    [
        (MALLORY, Sent(), 1, Welcome.FILED),
        (MALLORY, Sent(9, 900), 1, Welcome.FILED),
        (MALLORY, Sent(10, 900), 1, Welcome.HELD),
        (MALLORY, Sent(99, 900), 1, Welcome.HELD),
        (MALLORY, Sent(100, 900), 1, Welcome.LATER),
        (MALLORY, Sent(1, 5 * MEGABYTE - 1), 1, Welcome.FILED),
        (MALLORY, Sent(1, 5 * MEGABYTE - 1), 2, Welcome.LATER),
        (MALLORY, Sent(50, 5 * MEGABYTE), 1, Welcome.LATER),
        ("", Sent(99, 900), 1, Welcome.FILED),
        ("", Sent(100, 900), 1, Welcome.LATER),
        (None, Sent(1000, 50 * MEGABYTE), 1, Welcome.FILED),
    ],
)
def test_what_becomes_of_one_more_mail(sender, sent, size, becomes):
    assert weigh(sender, sent, size, DAY) is becomes


def test_without_a_measure_everything_is_welcome():
    assert weigh(MALLORY, Sent(10**6, 10**12), 10**9, Measure(0, 0)) is Welcome.FILED


@pytest.fixture
def config(config: Config) -> Config:
    """A house where two mails of one sender a day are enough, and her twentieth has to wait outside."""
    policy = config.policy.model_copy(update={"sender_mails_a_day": 2, "sender_megabytes_a_day": 1})
    return config.model_copy(update={"policy": policy, "smtp_port": free_port()})


@pytest.fixture
def door(config: Config, session: Session) -> Iterator[OpenDoor]:
    make_mailbox(session)
    session.commit()
    opened = open_door(config)
    opened.start()
    yield opened
    opened.stop()


def knock(config: Config, sender: str, mails: int, *, text: str = "hello") -> list[int]:
    """Send so many mails through one connection; what was answered to each."""
    answers = []
    with smtplib.SMTP("127.0.0.1", config.smtp_port, timeout=10) as smtp:
        for number in range(mails):
            try:
                smtp.sendmail(sender, [CARE], letter(sender, message_id=f"{number}.{len(text)}.{sender}", text=text))
                answers.append(250)
            except smtplib.SMTPResponseException as refusal:
                answers.append(refusal.smtp_code)
            except smtplib.SMTPRecipientsRefused as refusal:
                answers.append(refusal.recipients[CARE][0])
    return answers


def test_a_flood_is_kept_then_waits_outside_and_barbara_is_seen(door, config, sessions, session, client):
    assert knock(config, MALLORY, 22) == [250] * 20 + [451] * 2
    assert knock(config, "barbara@example.com", 1) == [250]
    while jobs.file_received(config, sessions):
        pass
    assert queries.tally(session) == queries.Tally(waiting=0, filed=3, ignored=0, quarantined=18)
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    shown = client.get("/mail-in?show=held").get_data(as_text=True)
    assert MALLORY in shown
    assert "More of it has to wait outside" in shown
    assert "Every mail could be read" in client.get("/mail-in").get_data(as_text=True)
    assert client.post("/mail-in/held/file", data={"sender": MALLORY}).status_code == 303
    while jobs.file_received(config, sessions):
        pass
    session.rollback()
    assert queries.tally(session) == queries.Tally(waiting=0, filed=21, ignored=0, quarantined=0)
    session.commit()
    assert "Nobody sends too much" in client.get("/mail-in?show=held").get_data(as_text=True)


def test_bytes_wait_outside_before_they_fill_the_disk(door, config, session):
    assert knock(config, MALLORY, 2, text=("x" * 900 + "\r\n") * 700) == [250, 451]
    kept = session.scalars(sa.select(InboundMail.size)).all()
    assert len(kept) == 1
    assert sum(kept) < MEGABYTE


def test_what_was_held_back_can_be_set_aside_all_at_once(door, config, session, client):
    knock(config, MALLORY, 4)
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    assert client.post("/mail-in/held/ignore", data={"sender": MALLORY}).status_code == 303
    assert queries.tally(session).ignored == 2
    session.commit()
    assert client.post("/mail-in/held/ignore", data={"sender": "nobody@example.com"}).status_code == 303


def test_sendgrid_is_told_to_come_again(config, session, client):
    make_mailbox(session)
    session.commit()
    envelope = json.dumps({"to": [CARE], "from": MALLORY}).encode()
    answers = [
        post(client, form(("email", letter(MALLORY, message_id=f"{number}@x")), ("envelope", envelope)))
        for number in range(21)
    ]
    assert answers == [200] * 20 + [503]
    states = session.scalars(sa.select(InboundMail.state).order_by(InboundMail.id)).all()
    assert states == [InboundState.RECEIVED] * 2 + [InboundState.QUARANTINED] * 18
