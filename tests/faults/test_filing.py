"""Killed while filing what came in, also in the middle of a handful: nothing is lost, and each mail is one message."""

import signal
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.conversations.models import Message
from concierge.inbound import jobs
from concierge.inbound.models import InboundMail
from concierge.inbound.tallying import reckon
from tests.factories import make_mailbox
from tests.inbound.arriving import letter, receive

MAILS = 3  # come before each kill; with all that is left of the kills before they are one handful
POINTS: tuple[dict[str, Any], ...] = (
    {"kind": "commit", "n": 1, "after": True},  # that claims them
    {"kind": "mail", "n": 2, "after": True},
    {"kind": "outcome", "n": 8, "after": True},
    {"kind": "commit", "n": 2, "after": False},  # that files them
    {"kind": "commit", "n": 2, "after": True},
)


@pytest.fixture
def settings(config, session, small) -> dict[str, str]:
    """A house with one mailbox."""
    make_mailbox(session)
    session.commit()
    given = {"data": config.data, "database_url": config.database_url, "secret_key": config.secret}
    settings = {name: str(value) for name, value in given.items()} | {"provider": "memory"}
    small.rehearse(settings)
    return settings


def end_leases(config, sessions) -> None:
    """What a dead one had claimed is taken up again, as it is two minutes later."""
    with sessions() as session:
        long_ago = clock.machine_now() - timedelta(minutes=3)
        claimed = sa.update(InboundMail).where(InboundMail.claimed_at.is_not(None))
        session.execute(claimed.values(claimed_at=long_ago))
        session.commit()
    jobs.release_stale(config, sessions)


def messages(sessions) -> int:
    with sessions() as session:
        return session.scalar(sa.select(sa.func.count(Message.id))) or 0


def test_killed_at_any_point_of_filing_a_handful_each_mail_is_filed_once(config, sessions, settings, small):  # F01
    filed, came = [], 0
    for point in POINTS:
        for _mail in range(MAILS):
            came += 1
            receive(config, sessions, letter(message_id=f"{came}@example.com", text=f"Hello {came}"))
        assert small.wait(small.fork(settings, entrance="desk", **point)) == -signal.SIGKILL
        filed.append(messages(sessions))
        end_leases(config, sessions)
    assert filed == [0, 0, 0, 0, came]  # all of the handful or none of it
    assert small.wait(small.fork(settings, entrance="desk")) == 0
    assert messages(sessions) == came
    with sessions() as session:
        assert reckon(session).agrees


def test_the_count_sees_a_desk_that_settles_before_it_files(config, sessions, settings, small):
    """Negative control."""
    for number in range(MAILS):
        receive(config, sessions, letter(message_id=f"{number}@example.com", text=f"Hello {number}"))
    dies = small.fork(settings, entrance="desk", kind="mail", n=2, careless=True)
    assert small.wait(dies) == -signal.SIGKILL
    end_leases(config, sessions)
    assert small.wait(small.fork(settings, entrance="desk")) == 0
    assert messages(sessions) < MAILS
