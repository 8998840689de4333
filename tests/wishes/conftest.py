"""The house's clock in tests of wishes, and units that come back."""

import pytest

from tests.wishes.builders import FRIDAY


@pytest.fixture
def at(at):
    """It is Friday, until a test says otherwise."""
    at(FRIDAY)
    return at
