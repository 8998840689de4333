"""A queue to fill."""

from collections.abc import Callable
from typing import Any

import pytest

from concierge.addresses import Address
from concierge.mailing import commands
from tests.mailing.samples import NOW, make_mail


@pytest.fixture
def queue(sessions) -> Callable[..., None]:
    """So many replies, each to another customer."""

    def queue(count: int = 1, **changes: Any) -> None:
        with sessions() as session:
            for number in range(count):
                mail = make_mail(**{"to": Address("", f"customer{number}@example.com")} | changes)
                commands.queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)
            session.commit()

    return queue
