"""The house's clock in tests of wishes, an editor, and two customers who are one person."""

import pytest

from tests.factories import make_customer, make_editor
from tests.wishes.builders import FRIDAY


@pytest.fixture
def at(at):
    """It is Friday, until a test says otherwise."""
    at(FRIDAY)
    return at


@pytest.fixture
def nadia(session, app):
    return make_editor(session)


@pytest.fixture
def two(session, nadia):
    """Barbara, and Barbara at work."""
    return make_customer(session), make_customer(session, "Bea Rossi")
