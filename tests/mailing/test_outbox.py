"""A house put back from a copy sends nothing until a person says so; then what may have left before asks (F11)."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from concierge.accounts.models import Role
from concierge.config import Config, read_config
from concierge.db import make_sessions
from concierge.drafts import jobs as drafts
from concierge.followups import jobs as followups
from concierge.followups.models import FollowUp
from concierge.mailing import jobs, outbox
from concierge.mailing.commands import queue_delivery
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers.memory import MemoryProvider
from concierge.restoring import shut_house
from tests.drafts.people import send, write
from tests.factories import NOW, make_editor
from tests.followups.builders import answered, follow_up
from tests.mailing.samples import make_mail
from tests.mailing.test_views import enter


@pytest.fixture
def present(at):
    at(NOW)
    return at


def queue(session, number: int = 1, now=NOW) -> None:
    queue_delivery(
        session, make_mail(message_id=f"<{number}@a.example>"), key=f"reply:{number}", purpose="reply", now=now
    )
    session.commit()


def states(session) -> list[str]:
    session.expire_all()
    return [each.value for each in session.scalars(sa.select(Delivery.state).order_by(Delivery.id))]


def kept(config: Config, session) -> list[str]:
    """What this machine remembers of the house."""
    found = outbox.find_outbox(session)
    return [path.read_text() for path in outbox.mark_files(config, found.house)]


def snapshot_put_back(config: Config, sessions, session, folder: Path) -> int:
    """A mail leaves after a snapshot of the data folder, which is put back: how many leave then."""
    jobs.keep_mark(config, sessions)
    queue(session)
    session.close()
    sessions.kw["bind"].dispose()
    shutil.copytree(config.data, folder)
    assert jobs.deliver_due(config, sessions, MemoryProvider()) == 1
    jobs.keep_mark(config, sessions)
    sessions.kw["bind"].dispose()
    shutil.rmtree(config.data)
    shutil.copytree(folder, config.data)
    return jobs.deliver_due(config, sessions, MemoryProvider())


@pytest.fixture
def elsewhere(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("another disk")


def test_a_snapshot_of_the_data_folder_is_noticed_by_marks_on_another_disk(
    config, sessions, session, elsewhere, present
):  # F11
    if config.is_sqlite:
        house = config.model_copy(update={"marks": elsewhere / "marks"})
        assert snapshot_put_back(house, sessions, session, elsewhere / "snapshot") == 0


def test_without_them_it_is_not(config, sessions, session, elsewhere, present):  # F11
    """The negative control, and what docs/operations.md says."""
    if config.is_sqlite:
        assert snapshot_put_back(config, sessions, session, elsewhere / "snapshot") == 1


def test_a_copy_that_was_opened_says_nothing_about_the_house_it_was_taken_from(
    config, sessions, session, elsewhere, present
):  # F11
    if not config.is_sqlite:
        return
    house = config.model_copy(update={"marks": elsewhere / "marks"})
    jobs.keep_mark(house, sessions)
    sessions.kw["bind"].dispose()
    shutil.copytree(house.data, elsewhere / "copy")
    copied = read_config(data=elsewhere / "copy", provider="memory", marks=house.marks)
    jobs.keep_mark(house, sessions)  # the first goes on
    others = make_sessions(copied)
    assert jobs.keep_mark(copied, others) == 1  # the copy is behind
    with others() as other:
        assert outbox.is_shut(other)
        outbox.open_outbox(other, by=make_editor(other), now=NOW)
        other.commit()
    for _minute in range(5):
        jobs.keep_mark(copied, others)
    others.kw["bind"].dispose()
    with sessions() as ours:
        assert outbox.is_open(ours, house)


def test_a_copy_is_shut_by_hand_before_it_is_started(config, sessions, session, present):  # F11
    queue(session)
    shut_house(config, now=NOW)
    shut_house(config, now=NOW)
    assert jobs.deliver_due(config, sessions, MemoryProvider()) == 0
    assert outbox.is_shut(session)


def test_a_house_that_was_emptied_can_be_shut(config, session):  # F11
    session.execute(sa.delete(outbox.Outbox))
    outbox.shut_outbox(session, outbox.RESTORED, now=NOW)
    session.commit()
    assert outbox.is_shut(session)


def test_shut_nothing_leaves_and_opened_what_may_have_left_asks(config, sessions, session, present):  # F11
    queue(session)
    outbox.shut_outbox(session, outbox.RESTORED, now=NOW)
    queue(session, 2, NOW + timedelta(minutes=1))
    session.commit()
    provider = MemoryProvider()
    present(NOW + timedelta(minutes=2))
    assert jobs.deliver_due(config, sessions, provider) == 0
    omar = make_editor(session)
    assert outbox.open_outbox(session, by=omar, now=NOW + timedelta(minutes=2)) == 1
    session.commit()
    assert jobs.deliver_due(config, sessions, provider) == 1  # what was written after it was shut
    assert states(session) == ["uncertain", "sent"]
    assert outbox.open_outbox(session, by=omar, now=NOW) == 0


def test_a_database_older_than_this_machine_remembers_shuts_itself(config, sessions, session, present):  # F11
    for _minute in range(3):
        jobs.keep_mark(config, sessions)
    assert kept(config, session) == ["3\n"]
    first = outbox.find_outbox(session).house
    queue(session)
    session.execute(sa.update(outbox.Outbox).values(mark=1))  # yesterday's copy, put back by hand
    session.commit()
    provider = MemoryProvider()
    assert jobs.deliver_due(config, sessions, provider) == 0
    assert outbox.is_shut(session)
    assert jobs.keep_mark(config, sessions) == 0
    outbox.open_outbox(session, by=make_editor(session), now=NOW)
    session.commit()
    jobs.keep_mark(config, sessions)
    assert outbox.find_outbox(session).house != first
    assert kept(config, session) == ["2\n"]
    assert not outbox.is_shut(session)
    assert (provider.sent, states(session)) == ([], ["uncertain"])


def test_one_that_went_on_is_let_be(config, sessions, session, present):
    """The negative control; and what a data folder knows of another house says nothing about this one."""
    jobs.keep_mark(config, sessions)
    queue(session)
    assert jobs.deliver_due(config, sessions, MemoryProvider()) == 1
    outbox.keep_mark(config, "another", 99)
    queue(session, 2)
    assert jobs.deliver_due(config, sessions, MemoryProvider()) == 1


def test_follow_ups_and_answers_of_a_restored_copy_ask_their_editors(config, sessions, session, present):  # F11
    nadia = make_editor(session)
    conversation = answered(session, nadia, "Barbara Weiss", at=NOW - timedelta(days=2))
    planned = follow_up(session, conversation, nadia, now=NOW - timedelta(days=1))
    planned.due_at = NOW - timedelta(minutes=1)
    other = answered(session, nadia, "Chloé Martin", at=NOW - timedelta(days=2))
    draft = write(session, other, nadia, "Dear Chloé,\n\nthey are yours.", now=NOW - timedelta(minutes=1))
    send(session, draft, now=NOW - timedelta(minutes=1))
    outbox.shut_outbox(session, outbox.RESTORED, now=NOW)
    session.commit()
    before = states(session)
    present(NOW + timedelta(minutes=1))
    assert (drafts.release_due(config, sessions), followups.release_due(config, sessions)) == (0, 0)
    session.expire_all()
    assert draft.is_leaving and planned.asked_at is None
    outbox.open_outbox(session, by=nadia, now=NOW + timedelta(minutes=1))
    session.commit()
    drafts.release_due(config, sessions)
    followups.release_due(config, sessions)
    session.expire_all()
    assert not draft.is_leaving
    assert "restored" in draft.returned_reason
    assert session.get_one(FollowUp, planned.id).asked_at is not None
    assert states(session) == before


def test_an_admin_opens_it_on_the_page(client, session):
    outbox.shut_outbox(session, outbox.RESTORED, now=NOW)
    queue(session)
    enter(client, session, role=Role.ADMIN)
    assert "No mail leaves" in client.get("/mail-out").text
    assert client.post("/mail-out/open").status_code == 303
    assert states(session) == [DeliveryState.UNCERTAIN]
    assert "No mail leaves" not in client.get("/mail-out").text


def test_an_editor_sees_that_it_is_shut_and_does_not_open_it(client, session):
    outbox.shut_outbox(session, outbox.RESTORED, now=NOW)
    enter(client, session)
    assert "No mail leaves" in client.get("/mail-out").text
    assert client.post("/mail-out/open").status_code == 403
