"""Live pages hear of every change within two seconds, catch up after sleep, and let go when told."""

import socket
import threading
import time
from datetime import timedelta

import pytest
from flask import Flask

from concierge import audit, clock
from concierge.web import live
from tests.conversations.stories import receive
from tests.factories import NOW, make_editor, sign_in


@pytest.fixture(autouse=True)
def open_house():
    live.STOPPING.clear()
    yield
    live.STOPPING.set()
    time.sleep(0.05)
    live.STOPPING.clear()


@pytest.fixture
def feed(app: Flask) -> live.Feed:
    return app.extensions["live"]


def change(session, conversation, now=NOW):
    audit.record(session, "conversation.closed", conversation, by=None, now=now)
    session.commit()


def following(feed, since=None):
    """A listener's events but the first, which only says that the line stands."""
    assert feed.join()
    stream = feed.stream(since)
    return next(stream), stream


def test_a_change_is_heard_within_two_seconds(session, feed):
    conversation = receive(session).conversation
    session.commit()
    _hello, stream = following(feed)
    began = time.monotonic()
    threading.Timer(0.2, change, (session, conversation)).start()
    event = next(stream)
    assert "event: changed" in event
    assert f"data: [{conversation.id}]" in event
    assert time.monotonic() - began < 2


def test_after_sleep_the_page_catches_up(session, feed):
    conversation = receive(session).conversation
    session.commit()
    known = audit.latest_id(session)
    change(session, conversation)
    _hello, stream = following(feed, since=known)
    assert f"id: {known + 1}\nevent: changed" in next(stream)


def test_who_knows_everything_hears_nothing_but_a_heartbeat(session, feed, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.1)
    receive(session)
    session.commit()
    hello, stream = following(feed, since=audit.latest_id(session))
    assert "event: alive" in hello
    assert "event: alive" in next(stream)


def test_what_happened_while_the_page_was_drawn_is_told(session, feed):
    conversation = receive(session).conversation
    change(session, conversation, now=clock.now() - timedelta(seconds=2))
    _hello, stream = following(feed)
    assert "event: changed" in next(stream)


def test_many_listeners_are_served_by_one_look(session, feed):
    conversation = receive(session).conversation
    session.commit()
    streams = [following(feed)[1] for _listener in range(5)]
    change(session, conversation)
    assert all("event: changed" in next(stream) for stream in streams)
    assert sum(thread.name == "live" for thread in threading.enumerate()) == 1


def test_streams_end_when_the_house_closes(feed):
    _hello, stream = following(feed)
    threading.Timer(0.1, live.stop_all).start()
    began = time.monotonic()
    assert list(stream) == []
    assert time.monotonic() - began < 2


def test_a_stream_ends_after_its_life_and_the_browser_comes_back(feed, monkeypatch):
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.1)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    _hello, stream = following(feed)
    assert len(list(stream)) <= 3


def test_pages_keep_threads_for_themselves(feed, monkeypatch):
    monkeypatch.setattr(live, "MOST_LISTENERS", 1)
    assert feed.join()
    assert not feed.join()
    feed.leave()
    assert feed.join()


def test_a_listener_who_hangs_up_is_counted_out(session, app, client, feed):
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    for _visit in range(live.MOST_LISTENERS + 2):
        response = client.get("/live", buffered=False)
        assert response.status_code == 200
        assert response.mimetype == "text/event-stream"
        response.close()


def test_a_closed_page_gives_its_place_back_without_being_spoken_to(session, feed, monkeypatch):
    monkeypatch.setattr(live, "PRESENCE_SECONDS", 0.05)
    receive(session)
    session.commit()
    ours, hers = socket.socketpair()
    assert feed.join()
    stream = feed.stream(audit.latest_id(session), ours)
    next(stream)
    threading.Timer(0.2, hers.close).start()
    began = time.monotonic()
    assert list(stream) == []
    assert time.monotonic() - began < live.HEARTBEAT_SECONDS / 2
    ours.close()


def test_a_page_that_stays_open_is_kept(session, feed, monkeypatch):
    monkeypatch.setattr(live, "PRESENCE_SECONDS", 0.05)
    conversation = receive(session).conversation
    session.commit()
    ours, hers = socket.socketpair()
    assert feed.join()
    stream = feed.stream(audit.latest_id(session), ours)
    next(stream)
    threading.Timer(0.3, change, (session, conversation)).start()
    assert "event: changed" in next(stream)
    ours.close()
    hers.close()


def test_a_stranger_hears_nothing(client):
    assert client.get("/live").status_code == 302
