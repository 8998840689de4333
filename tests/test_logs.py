"""The log carries ids and no customer: nothing she is called, wrote, or is reached at, however badly things go."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from concierge import logs
from concierge.addresses import Address
from concierge.config import Config
from concierge.errors import RuleBroken
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail
from concierge.mailing.commands import queue_delivery
from concierge.mailing.jobs import deliver_due
from concierge.mailing.providers.base import TransportError
from concierge.mailing.providers.memory import MemoryProvider
from concierge.timekeeping import Attempt, Line
from concierge.working import work_each
from tests.factories import NOW, make_customer, make_mailbox
from tests.inbound.arriving import letter, receive
from tests.mailing.samples import make_mail

CANARIES = ("Canaria", "Zeisig", "zeisig@example.com", "Purpurkleid", "Mondlicht")


class Out:
    """What was logged, as it would be written."""

    def __init__(self) -> None:
        self.text = io.StringIO()

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]

    def canaries(self) -> list[str]:
        return [each for each in CANARIES if each.lower() in self.text.getvalue().lower()]


@pytest.fixture(params=[True, False], ids=["json", "text"])
def out(request: pytest.FixtureRequest) -> Iterator[Out]:
    written = Out()
    handler = logging.StreamHandler(written.text)
    handler.setFormatter(logs.formatter(is_json=request.param))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def run(job, config: Config, sessions) -> None:
    Attempt(Line(job, every=60.0), config, sessions)()


def test_a_day_on_which_all_goes_wrong_tells_nothing_of_a_customer(config, sessions, session, store, out: Out):
    """A mail can't be filed, a delivery can't be sent, a row can't be worked, a write is refused."""
    make_mailbox(session)
    canary = make_customer(session, "Canaria Zeisig", "zeisig@example.com")
    queue_delivery(
        session, make_mail(to=Address(canary.name, "zeisig@example.com"), subject="Purpurkleid"),
        key="first", purpose="reply", now=NOW,
    )  # fmt: skip
    session.commit()
    raw = letter("Canaria Zeisig <zeisig@example.com>", subject="Purpurkleid", text="Mondlicht!")
    mail_id = receive(config, sessions, raw, envelope_from="zeisig@example.com")
    session.execute(sa.text("ALTER TABLE message RENAME COLUMN subject TO gone"))
    session.commit()

    class Rude(MemoryProvider):
        def send(self, parcel):
            raise TransportError("421 later <zeisig@example.com>", reached=False)

    def spoil(in_hand, number):
        in_hand.execute(sa.text("INSERT INTO customer (name) VALUES (:name)"), {"name": "Canaria Zeisig"})

    run(file_received, config, sessions)
    run(lambda config, sessions: work_each(sessions, "wishes.lapse_due", [7], spoil), config, sessions)
    run(lambda config, sessions: [][fail("Canaria")], config, sessions)
    assert "Error" in out.text.getvalue()
    assert str(mail_id) in out.text.getvalue()
    deliver_due(config, sessions, Rude())
    assert out.canaries() == []
    assert session.get_one(InboundMail, mail_id).id == mail_id


def fail(name: str) -> int:
    raise KeyError(name)


def test_without_our_formatter_the_canaries_are_seen(caplog: pytest.LogCaptureFixture):
    """Negative control."""
    try:
        fail("Canaria")
    except KeyError:
        logging.getLogger("anybody").exception("for %s", "zeisig@example.com")
    assert "Canaria" in caplog.text
    assert "zeisig@example.com" in caplog.text


def test_a_line_for_machines_names_the_job_and_its_ids(config, sessions, session):
    out = Out()
    handler = logging.StreamHandler(out.text)
    handler.setFormatter(logs.formatter(is_json=True))
    log = logging.getLogger("concierge.somewhere")
    log.addHandler(handler)

    def job(config, sessions) -> int:
        log.warning("row %d waits", 7, extra={"row": 7})
        return 0

    run(job, config, sessions)
    log.removeHandler(handler)
    [line] = out.lines()
    assert (line["event"], line["row"], line["level"]) == ("row 7 waits", 7, "warning")
    assert str(line["job"]).endswith("job")
    assert line["timestamp"]


def test_our_own_errors_keep_their_sentence_and_lose_their_details():
    class TooShort(RuleBroken):
        """This is too short."""

    out = Out()
    handler = logging.StreamHandler(out.text)
    handler.setFormatter(logs.formatter(is_json=True))
    log = logging.getLogger("concierge.elsewhere")
    log.addHandler(handler)
    try:
        try:
            fail("Canaria")
        except KeyError as error:
            raise TooShort("Zeisig") from error
    except TooShort:
        log.exception("refused")
    log.removeHandler(handler)
    [line] = out.lines()
    assert "TooShort: This is too short." in str(line["exception"])
    assert "which led to" in str(line["exception"])
    assert out.canaries() == []
