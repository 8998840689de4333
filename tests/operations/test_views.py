"""The operations page, the banner on every page, and what machines ask."""

import re
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge import clock, copies, setbacks
from concierge.accounts.models import Role
from concierge.app import create_app
from concierge.config import Config
from concierge.copies import WorkerCopy
from concierge.db import database_now
from concierge.imap_settings import ImapAccount
from concierge.inbound.models import WatchedFolder
from concierge.mailing.commands import queue_delivery
from concierge.mailing.models import DeliveryState
from concierge.operations import watch
from concierge.setbacks import Setback
from concierge.timekeeping import Timekeeper
from concierge.worker import TIMETABLE
from tests.factories import NOW, make_editor, sign_in
from tests.inbound.arriving import letter, receive
from tests.mailing.samples import make_mail


@pytest.fixture
def worker(config: Config, session: Session) -> WorkerCopy:
    """A copy of the worker, seen a second ago, with the timetable as it is."""
    now = database_now(session)
    copy = WorkerCopy(
        host="atelier", pid=4711, version="0.1.0", started_at=now, seen_at=now - timedelta(seconds=1),
        lines=Timekeeper(config, TIMETABLE).report(), provider={"name": "memory", "away_since": None},
    )  # fmt: skip
    session.add(copy)
    session.commit()
    return copy


@pytest.fixture
def omar(session: Session, client: FlaskClient):
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN, language="en")
    session.commit()
    sign_in(client, omar)
    return omar


def set_aside(session: Session) -> Setback:
    for _ in range(3):
        setback = setbacks.note(session, "wishes.lapse_due", 7, ValueError("barbara@example.com"), now=clock.now())
        session.flush()
    session.commit()
    return setback


def age(session: Session, worker: WorkerCopy, span: timedelta) -> None:
    worker.seen_at = database_now(session) - span
    session.commit()


def test_machines_ask_whether_it_lives_and_whether_it_is_ready(client: FlaskClient, worker, session):
    assert client.get("/healthz").data == b"ok\n"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"ready": True, "reasons": []})
    age(session, worker, timedelta(seconds=40))
    silent = client.get("/readyz")
    assert silent.status_code == 503
    assert re.fullmatch(r"worker: no sign of life for 4\d s", silent.json["reasons"][0])


def test_a_house_that_leaves_mail_lying_is_not_ready(client: FlaskClient, worker, config, sessions):
    receive(config, sessions, letter())  # months ago
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"][0].startswith("backlog: mail has waited for")


@pytest.mark.usefixtures("worker")
def test_a_house_that_can_not_read_its_mailbox_is_not_ready(app: Flask, client: FlaskClient, session):
    session.add(WatchedFolder(account="care", name="INBOX", validity=1, fault="no", fault_since=NOW, left=[]))
    session.commit()
    assert client.get("/readyz").status_code == 200, "one that is read no more is no matter"
    account = ImapAccount(name="care", host="imap.example.com", user="care", password="secret")
    app.extensions["watch"]._accounts = (account,)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"][0].startswith("mailbox: INBOX (care) has not been readable for")


def test_a_database_that_is_gone_is_a_reason_not_an_error(client: FlaskClient, session):
    session.execute(sa.text("ALTER TABLE worker_copy RENAME TO gone"))
    session.commit()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"][0].startswith("database: ")
    assert client.get("/healthz").status_code == 200


def test_every_page_says_when_the_worker_is_silent(app: Flask, client: FlaskClient, omar, worker, session):
    known = app.extensions["watch"]
    known._looked_at = time.monotonic() - watch.LOOK_SECONDS
    assert b"The worker has been silent" not in client.get("/profile").data
    age(session, worker, timedelta(seconds=40))
    known._looked_at = time.monotonic() - watch.LOOK_SECONDS
    page = client.get("/profile").text
    assert "The worker has been silent for 4" in page
    assert 'href="/operations"' in page


def test_every_editor_sees_a_queue_of_mail_that_does_not_move(app: Flask, client: FlaskClient, worker, session):
    chiara = make_editor(session, "Chiara Conti", language="en")
    queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)  # months ago
    session.commit()
    sign_in(client, chiara)
    app.extensions["watch"]._looked_at = time.monotonic() - watch.LOOK_SECONDS
    page = client.get("/profile").text
    assert "Mail is not leaving: the oldest has waited for" in page
    assert 'href="/operations"' not in page


def test_a_house_that_has_just_opened_gives_its_worker_time(client: FlaskClient, omar):
    """Negative control: none was ever seen."""
    assert client.get("/readyz").status_code == 503
    assert b"worker is not running" not in client.get("/profile").data


def test_an_admin_sees_the_timetable_and_the_copies(client: FlaskClient, omar, worker):
    page = client.get("/operations").text
    for line in TIMETABLE:
        assert line.name in page
    assert "atelier" in page
    assert "All is well" in page


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("verb", "tries"), [("retry", 0), ("discard", 3)])
def test_an_admin_says_what_becomes_of_what_was_set_aside(client, omar, session, verb, tries):
    found = set_aside(session)
    page = client.get("/operations").text
    assert "All is well" not in page
    assert "one row was set aside and waits for your word" in page
    assert "Ends holds that are over" in page
    assert "ValueError" in page
    assert "barbara" not in page
    assert client.post(f"/operations/set-aside/{found.id}/{verb}").status_code == 303
    assert "All is well" in client.get("/operations").text
    session.refresh(found)
    assert (found.tries, found.discarded_at is None) == (tries, verb == "retry")
    session.commit()
    assert client.post(f"/operations/set-aside/{found.id}/{verb}").status_code == 404, "twice is once"


@pytest.mark.parametrize("role", [Role.EDITOR, Role.MERCHANDISER])
def test_others_do_not(client: FlaskClient, session, role):
    marta = make_editor(session, "Marta Bellini", role=role)
    found = set_aside(session)
    sign_in(client, marta)
    assert client.get("/operations").status_code == 403
    assert client.post(f"/operations/set-aside/{found.id}/discard").status_code == 403
    assert client.get("/operations/banner").status_code == 200


def test_figures_tell_of_mail_that_did_not_arrive_and_of_rows_set_aside(client: FlaskClient, session, worker):
    set_aside(session)
    for number, (state, hours) in enumerate([(DeliveryState.BOUNCED, 1), (DeliveryState.BOUNCED, 30)]):
        delivery = queue_delivery(session, make_mail(), key=f"reply:{number}", purpose="reply", now=clock.now())
        delivery.state, delivery.due_at = state, clock.now() - timedelta(hours=hours)
    session.commit()
    page = client.get("/metrics").text
    assert 'concierge_deliveries_troubled{state="bounced"} 1.0' in page
    assert 'concierge_deliveries_troubled{state="uncertain"} 0.0' in page
    assert "concierge_set_aside 1.0" in page


def test_figures_are_for_this_machine_or_for_whoever_has_the_token(config: Config, client: FlaskClient, worker):
    page = client.get("/metrics").text
    assert "concierge_ready 1.0" in page
    assert 'concierge_queue_age_seconds{queue="deliveries"} 0.0' in page
    assert 'concierge_job_runs_total{copy="atelier:4711",job="mailing.deliver_answers"} 0.0' in page
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.9"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    guarded = create_app(config.model_copy(update={"metrics_token": type(config.secret_key)("for-prometheus")}))
    assert guarded.test_client().get("/metrics").status_code == 403
    bearer = {"Authorization": "Bearer for-prometheus", "X-Forwarded-For": "203.0.113.9"}
    assert guarded.test_client().get("/metrics", headers=bearer).status_code == 200


def test_the_silence_and_the_looks_make_less_than_half_a_minute():
    assert copies.SILENCE.total_seconds() + watch.LOOK_SECONDS < 30
