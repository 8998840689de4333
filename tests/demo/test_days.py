"""The demo's clock is moved for every process of the house; a house for work has one that cannot be."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from concierge import audit, clock
from concierge.app import create_app
from concierge.audit import AuditEntry
from concierge.clock import Lead
from concierge.demo import days
from concierge.demo.house import NotADemoHouse
from concierge.inbound import jobs as inbound
from concierge.inbound.models import InboundMail, InboundState
from concierge.mailing import jobs as mailing
from concierge.mailing.commands import queue_delivery
from concierge.mailing.models import DeliveryState
from concierge.timekeeping import Line, Timekeeper
from tests.factories import make_editor, sign_in
from tests.mailing.samples import make_mail

DAY = timedelta(days=1)


@pytest.fixture
def demo(config, session):
    """A furnished demo, as far as its clock asks."""
    nadia = make_editor(session)
    audit.record(session, "house.furnished", nadia, by=None, now=clock.now())
    session.commit()
    assert config.demo
    clock.follow(config.clock_file)
    return nadia


def arrive(config, ahead: timedelta) -> None:
    """The days have passed."""
    assert clock.followed() is None or clock.followed() == config.clock_file
    config.clock_file.write_text(json.dumps({"ahead": ahead.total_seconds()}), encoding="ascii")


def ahead() -> timedelta:
    return clock.now() - datetime.now(UTC)


def test_hours_pass_one_by_one_to_the_very_moment_and_then_no_more():
    lead, machine, seen = Lead(60.0, until=10_000.0, step=3600.0), 1000.0, []
    while lead.until is not None:
        machine += 1
        lead = lead.next(machine)
        seen.append(machine + lead.ahead)
    assert seen == [4661.0, 8262.0, 10_000.0, 10_001.0]


def test_what_one_process_moves_all_others_follow(config, session, demo):
    now = clock.now()
    days.pass_until(session, now + timedelta(hours=4.5), by=demo, now=now)
    with pytest.raises(days.DaysPassing):
        days.pass_until(session, now + 4 * DAY, by=demo, now=now)
    for hours in (2, 4, 4.5):
        assert clock.go_on()
        assert abs(ahead() - timedelta(hours=hours)) < timedelta(seconds=5)
    assert not clock.go_on() and not clock.go_on()
    assert abs(clock.machine_now() - datetime.now(UTC)) < timedelta(seconds=5)
    days.set_right()
    assert abs(ahead()) < timedelta(seconds=5)


def test_time_set_right_while_it_passes_stays_right(config, session, demo):
    now = clock.now()
    passing = days.pass_until(session, now + 2 * DAY, by=demo, now=now)
    days.set_right()
    assert not clock.set_lead(passing.next(now.timestamp()), instead_of=passing)
    assert not clock.go_on()
    assert abs(ahead()) < timedelta(seconds=5)


def test_it_goes_forward_only_and_not_too_far(config, session, demo):
    now = clock.now()
    for until in (now - timedelta(seconds=1), now, now + 401 * DAY):
        with pytest.raises(days.NotAhead):
            days.pass_until(session, until, by=demo, now=now)
    assert not config.clock_file.exists()


def test_a_house_for_work_goes_by_the_world_whatever_lies_in_its_folder(config, session, demo):
    arrive(config, 3 * DAY)
    at_work = config.model_copy(update={"demo": False})
    app = create_app(at_work)
    assert abs(ahead()) < timedelta(seconds=1)
    with pytest.raises(days.ClockFixed):
        days.pass_until(session, clock.now() + DAY, by=demo, now=clock.now())
    with pytest.raises(days.ClockFixed):
        days.set_right()
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    sign_in(client, demo)
    assert client.get("/post-office/days").status_code == 404
    assert client.post("/post-office/days/pass", data={"hours": 24}).status_code == 404


def test_a_house_begun_as_a_real_one_is_not_moved_though_it_stands_alone(config, session):
    nadia = make_editor(session)
    session.commit()
    clock.follow(config.clock_file)
    with pytest.raises(NotADemoHouse):
        days.pass_until(session, clock.now() + DAY, by=nadia, now=clock.now())
    assert not config.clock_file.exists()


def test_an_editor_lets_days_pass_and_sees_which_day_it_is_on_every_page(config, session, client, demo):
    sign_in(client, demo)
    assert 'id="ribbon"' not in client.get("/today").text
    assert client.post("/post-office/days/pass", data={"hours": 72}).status_code == 303
    passing = client.get("/today").text
    assert "The days pass" in passing and 'hx-trigger="every 1s"' in passing
    assert client.post("/post-office/days/pass", data={"hours": 24}).status_code == 409
    arrive(config, 3 * DAY)
    assert "In this demo it is" in client.get("/today").text
    assert "3 days ahead" in client.get("/post-office/days").text
    for nonsense in ({"hours": "-3"}, {"hours": "9999999"}, {"until": "soon"}, {"until": "0001-01-01T00:00"}, {}):
        assert client.post("/post-office/days/pass", data=nonsense).status_code == 422, nonsense
    assert client.post("/post-office/days/back").status_code == 303
    assert 'id="ribbon"' not in client.get("/today").text
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.verb == "demo.days_passed")) == 1


def test_no_lease_runs_out_because_days_pass(config, session, sessions, demo):
    """A mail that is just being filed or sent belongs to its worker, though by the calendar that was last week."""
    delivery = queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=clock.now())
    delivery.state, delivery.claim, delivery.claimed_at = DeliveryState.SENDING, "ours", clock.machine_now()
    arriving = InboundMail(
        source="smtp", blob_key="a" * 64, size=1, received_at=clock.now(), state=InboundState.RECEIVED,
        claimed_at=clock.machine_now(),
    )  # fmt: skip
    session.add(arriving)
    session.commit()
    arrive(config, 7 * DAY)
    assert mailing.settle_orphans(config, sessions) == 0
    assert inbound.release_stale(config, sessions) == 0
    # the negative control: claimed a week ago by the machine, both are given up
    delivery.claimed_at = arriving.claimed_at = clock.machine_now() - 7 * DAY
    session.commit()
    assert mailing.settle_orphans(config, sessions) == 1
    assert inbound.release_stale(config, sessions) == 1


def test_no_hours_pass_before_the_worker_has_done_what_fell_due_in_those_before(config, session, demo):
    runs: list[float] = []

    def note_slowly(_config, _sessions) -> int:
        runs.append(ahead() / timedelta(hours=1))
        time.sleep(0.1)
        return 0

    keeper = Timekeeper(config, [Line(note_slowly, every=60.0)])
    thread = threading.Thread(target=keeper.run)
    thread.start()
    wait_for(lambda: runs)
    days.pass_until(session, clock.now() + timedelta(hours=9), by=demo, now=clock.now())
    session.commit()
    wait_for(lambda: clock.lead().until is None)
    keeper.close()
    thread.join()
    assert {round(hours) for hours in runs} == {0, 2, 4, 6, 8, 9}
    assert len(runs) < 20


def wait_for(true, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
