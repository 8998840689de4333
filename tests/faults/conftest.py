"""What the tests of both sides of the doorstep share."""

from collections.abc import Callable, Iterator

import pytest

from tests.factories import make_mailbox
from tests.faults.doorstep import doorstep
from tests.faults.nursery import Nursery
from tests.faults.street import SECRET, Street
from tests.houses import free_port


@pytest.fixture(scope="session")
def small() -> Iterator[Nursery]:
    """The process the entrances, and those who file, are forked from."""
    with doorstep() as made:
        yield made


@pytest.fixture
def street(config, session, small) -> Callable[[str], Street]:
    """A house with one mailbox and one entrance."""
    make_mailbox(session)
    session.commit()

    def make(entrance: str) -> Street:
        port = free_port()
        given = {
            "data": config.data,
            "database_url": config.database_url,
            "secret_key": config.secret,
            "inbound_secret": SECRET,
            "provider": "memory",
            "smtp_port": free_port() if entrance == "lmtp" else port,
            "lmtp_port": port if entrance == "lmtp" else 0,
        }
        settings = {name: str(value) for name, value in given.items()}
        small.rehearse(settings)
        return Street(small, settings, port, entrance)

    return make
