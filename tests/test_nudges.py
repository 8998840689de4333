"""What is stored is worked at once, on both databases; and where nothing is stored nobody is woken."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import clock
from concierge.catalogue.stock import Report, report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.config import Config, Policy
from concierge.db import Sessions, reading
from concierge.inbound import jobs as inbound
from concierge.inbound.models import InboundMail, InboundState
from concierge.mailing.commands import Posting, queue_deliveries, send_again
from concierge.mailing.models import Delivery, DeliveryState
from concierge.nudges import EVERYTHING, Topic, listening
from concierge.timekeeping import Attempt, Line, Timekeeper
from concierge.wishes import jobs as wishes
from concierge.wishes.offer_models import Offer
from concierge.worker import TIMETABLE
from tests.drafts.people import begin, send, write, write_again
from tests.factories import DAY, NOW, make_editor, make_mailbox
from tests.inbound.arriving import letter, receive
from tests.wishes.builders import sandals, save_policy, share_out, wish_for

NEVER = 3600.0


@contextmanager
def keeping(config: Config, *lines: Line) -> Iterator[Timekeeper]:
    """A timekeeper at work in a thread of its own, as the worker runs it."""
    keeper = Timekeeper(config, lines)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        yield keeper
    finally:
        keeper.close()
        thread.join(10)
        assert not thread.is_alive()


def wait_for(true, seconds: float = 5.0) -> float:
    """How long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "not in time"
        time.sleep(0.005)
    return time.monotonic() - began


def counted(runs: list[float], work: float = 0.0):
    """A job that notes when it ran."""

    def job(_config: Config, _sessions: Sessions) -> int:
        runs.append(time.monotonic())
        time.sleep(work)
        return 0

    return job


def test_a_mail_is_filed_within_a_second_of_being_stored(config: Config, sessions: Sessions, session: Session):
    make_mailbox(session)
    session.commit()

    def is_filed() -> bool:
        left = sa.select(InboundMail.id).where(InboundMail.state != InboundState.FILED)
        with reading(sessions) as looking:
            return looking.scalar(left) is None

    with keeping(config, Line(inbound.file_received, every=NEVER, on=(Topic.MAIL,))):
        receive(config, sessions, letter())
        wait_for(is_filed, 20.0)  # its reading process starts
        receive(config, sessions, letter(message_id="second@example.com"))
        assert wait_for(is_filed) < 1.0


def test_a_stock_event_is_worked_within_a_second_of_being_stored_and_not_at_the_next_look(
    config: Config, sessions: Sessions, session: Session
):
    [sandal] = sandals(session)
    for name in ("Chloe Martin", "Barbara Rossi"):
        wish_for(session, sandal, name=name)
    session.commit()
    runs: list[float] = []

    def are_offered(count: int) -> bool:
        with reading(sessions) as looking:
            return looking.scalar(sa.select(sa.func.count()).select_from(Offer)) == count

    def report(units: int) -> None:
        said = Report("shop", str(units), sandal.sku, "online", StockReport.SNAPSHOT, units, clock.now())
        report_stock(session, said, now=clock.now(), policy=Policy(stock_settle_minutes=0))

    ready = Line(counted(runs), every=NEVER, on=(Topic.STOCK,))
    with keeping(config, ready, Line(wishes.open_waves, every=NEVER, on=(Topic.STOCK,))):
        wait_for(lambda: runs and time.monotonic() - runs[-1] > 0.5, 20.0)
        report(1)
        assert are_offered(0)
        session.commit()
        wait_for(lambda: are_offered(1))  # the first of its kind, whose statements are yet to be made
        report(2)
        session.commit()
        assert wait_for(lambda: are_offered(2)) < 1.0


def test_nothing_is_heard_where_nothing_is_stored_that_it_works_on(
    config: Config, sessions: Sessions, session: Session
):
    """Negative control, and the price of an idle house."""
    runs: list[float] = []
    with keeping(config, Line(counted(runs), every=NEVER, on=tuple(Topic))):
        wait_for(lambda: runs and time.monotonic() - runs[-1] > 0.5, 20.0)  # it has begun to listen
        begun = len(runs)
        make_mailbox(session)
        session.commit()
        time.sleep(0.3)
        assert len(runs) == begun


def test_whatever_the_worker_works_on_is_told_when_it_is_stored(config: Config, session: Session):
    nadia = make_editor(session)
    conversation = begin(session)
    [sandal] = sandals(session)
    wish_for(session, sandal, name="Chloe Martin")
    draft = write(session, conversation, nadia)
    session.commit()
    mail = Posting("reply:1", "reply", "<1@house.example>", "barbara@example.com", "Blue", {})

    with listening(config) as ear:

        def heard(seconds: float = 2.0) -> frozenset[Topic]:
            session.commit()
            return ear.hear(seconds)

        report = Report("shop", "1", sandal.sku, "online", StockReport.SNAPSHOT, 1, NOW)
        report_stock(session, report, now=NOW, policy=Policy())
        assert Topic.STOCK in heard()
        share_out(session, sandal, now=NOW + DAY)
        assert {Topic.OFFER, Topic.WISH} <= heard()
        send(session, draft)
        assert Topic.ANSWER in heard()
        write_again(session, conversation)
        assert Topic.MESSAGE in heard()
        [number] = queue_deliveries(session, [mail], now=NOW)
        assert Topic.DELIVERY in heard()
        delivery = session.get_one(Delivery, number)
        delivery.state = DeliveryState.FAILED
        assert Topic.OUTCOME in heard()
        send_again(session, delivery, by=nadia, now=NOW)
        assert Topic.DELIVERY in heard()
        save_policy(session)
        assert Topic.POLICY in heard()
        assert heard(0.3) == frozenset(), "a negative control: nothing was stored"


def test_a_due_row_is_worked_at_its_moment_and_not_at_the_next_look(config: Config):
    runs: list[float] = []
    at = clock.now() + timedelta(seconds=0.4)

    def due(_session: Session) -> datetime | None:
        return at if clock.now() < at else None

    with keeping(config, Line(counted(runs), every=NEVER, due=due)):
        wait_for(lambda: len(runs) >= 2)
    assert 0.3 < runs[1] - runs[0] < 0.7


def test_a_row_that_is_due_and_left_lying_is_looked_at_twice_a_second(config: Config):
    runs: list[float] = []
    with keeping(config, Line(counted(runs), every=NEVER, due=lambda _session: clock.now() - timedelta(days=1))):
        wait_for(lambda: len(runs) >= 3)
    assert runs[2] - runs[1] > 0.4


def test_what_is_stored_while_its_job_runs_is_looked_for_once_more(config: Config, sessions: Sessions):
    runs: list[float] = []
    attempt = Attempt(Line(counted(runs, work=0.2), every=NEVER), config, sessions)
    first = threading.Thread(target=attempt)
    first.start()
    wait_for(lambda: len(runs) == 1)
    assert attempt() is None
    assert attempt() is None
    first.join()
    assert len(runs) == 2


def test_a_line_that_was_cut_is_made_anew_and_what_was_missed_is_looked_for(config: Config, session: Session):
    if config.is_sqlite:
        pytest.skip("there is no line to cut")
    runs: list[float] = []
    with keeping(config, Line(counted(runs), every=NEVER, on=(Topic.MAIL,))):
        wait_for(lambda: len(runs) >= 1)
        time.sleep(0.3)
        before = len(runs)
        session.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN concierge'")
        )
        session.commit()
        wait_for(lambda: len(runs) > before)


def test_a_topic_of_a_newer_program_is_not_heard(config: Config, session: Session):
    news = "INSERT INTO nudge VALUES ('horoscope', 1)" if config.is_sqlite else "NOTIFY concierge, 'horoscope'"
    with listening(config) as ear:
        session.execute(sa.text(news))
        session.commit()
        assert ear.hear(1.0) == frozenset()


def test_every_topic_has_a_job_that_waits_for_it():
    assert {topic for line in TIMETABLE for topic in line.on} == EVERYTHING
