"""What the tests of both sides of the doorstep share."""

from collections.abc import Iterator

import pytest

from tests.faults.doorstep import doorstep
from tests.faults.nursery import Nursery


@pytest.fixture(scope="session")
def small() -> Iterator[Nursery]:
    """The process the entrances, and those who file, are forked from."""
    with doorstep() as made:
        yield made
