"""The house's clock in tests of wishes, and units that come back."""

import pytest

from concierge import clock
from tests.wishes.builders import FRIDAY


@pytest.fixture
def at(monkeypatch):
    """Sets the house's clock."""

    def set_clock(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(FRIDAY)
    return set_clock
