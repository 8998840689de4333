"""A clock moved by hand."""

from datetime import timedelta

import pytest

from concierge import clock


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
