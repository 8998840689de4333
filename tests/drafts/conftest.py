"""Nadia, a conversation, the composer in her window, and a clock moved by hand."""

from datetime import timedelta

import pytest

from concierge import clock
from concierge.drafts import jobs
from tests.drafts.people import begin
from tests.drafts.windows import Window
from tests.factories import make_editor, sign_in


class ClockHand:
    """Moves the house's clock on."""

    def __init__(self) -> None:
        self.gone = timedelta()

    def moves(self, *, seconds: float) -> None:
        self.gone += timedelta(seconds=seconds)


@pytest.fixture
def clock_hand(monkeypatch) -> ClockHand:
    """The hand of the house's clock."""
    real, hand = clock.now, ClockHand()
    monkeypatch.setattr(clock, "now", lambda: real() + hand.gone)
    return hand


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def conversation(session, nadia):
    conversation = begin(session)
    session.commit()
    return conversation


@pytest.fixture
def worker(config, sessions, clock_hand):
    """Eleven seconds pass and the worker looks; how many answers left."""

    def look() -> int:
        clock_hand.moves(seconds=11)
        return jobs.release_due(config, sessions)

    return look


@pytest.fixture
def window(client, nadia, conversation, worker):
    sign_in(client, nadia)
    return Window(client, conversation.id, worker).open()
