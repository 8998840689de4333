"""A row its job fails at holds up no other; it rests, is tried again, and the third time it is set aside."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock, setbacks
from concierge.addresses import Address
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.errors import RuleBroken
from concierge.mailing.commands import queue_delivery
from concierge.mailing.jobs import deliver_due
from concierge.mailing.models import Delivery, DeliveryState
from concierge.reports.models import Reranking
from concierge.setbacks import Setback, SetbackNotFound, resting
from concierge.wishes.models import WishRequest, WishWay
from concierge.wishes.offer_models import WavePolicy
from concierge.worker import TIMETABLE
from concierge.working import work_each
from tests.catalogue.builders import make_product
from tests.factories import NOW, make_customer, make_editor
from tests.mailing.samples import make_mail

JOB = "conversations.wake_due"
POISON = 2


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The present, which a test may move."""
    hand = [NOW]
    monkeypatch.setattr(clock, "now", lambda: hand[0])
    return hand


class Rows:
    """Three rows that are due until they are done; the second can't be worked, unless it was mended."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions, self.is_mended, self.done, self.tries = sessions, False, [], 0

    def look(self) -> int:
        """What a job does."""
        with reading(self.sessions) as session:
            rests = set(session.scalars(resting(JOB, clock.now())))
        due = [each for each in (1, POISON, 3, 4) if each not in rests and each not in self.done]
        return work_each(self.sessions, JOB, due, self._act)

    def _act(self, session: Session, number: int) -> None:
        self.tries += number == POISON
        if number == POISON and not self.is_mended:
            make_customer(session, "Barbara Rossi")
            raise ValueError("barbara@example.com wishes for nothing")
        self.done.append(number)


def test_a_poisoned_row_holds_up_no_other(sessions: Sessions, session: Session, present):
    rows = Rows(sessions)
    assert rows.look() == 3
    assert rows.done == [1, 3, 4]
    assert session.scalar(sa.text("SELECT count(*) FROM customer")) == 0, "what it did half is undone"


def test_it_rests_longer_each_time_and_is_set_aside_after_the_third(sessions, session, present):
    rows = Rows(sessions)
    for pause, tries in ((0, 1), (29, 1), (2, 2), (60, 2), (61, 3), (100_000, 3)):
        present[0] += timedelta(seconds=pause)
        rows.look()
        assert rows.tries == tries
    [found] = setbacks.list_set_aside(session)
    assert (found.job, found.row_id, found.tries) == (JOB, POISON, 3)
    assert found.fault.startswith("ValueError")
    assert "barbara" not in found.fault.lower()


def test_mended_and_tried_again_by_an_admin_it_is_done_and_forgotten(sessions, session, present):
    rows = Rows(sessions)
    for _ in range(3):
        rows.look()
        present[0] += timedelta(minutes=5)
    omar = make_editor(session, "Omar Haddad")
    [found] = setbacks.list_set_aside(session)
    setbacks.retry(session, setbacks.get_set_aside(session, found.id), by=omar, now=present[0])
    session.commit()
    rows.is_mended = True
    assert rows.look() == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Setback)) == 0


def test_discarded_it_is_passed_over_for_good(sessions, session, present):
    rows = Rows(sessions)
    for _ in range(3):
        rows.look()
        present[0] += timedelta(minutes=5)
    [found] = setbacks.list_set_aside(session)
    setbacks.discard(session, found, by=make_editor(session, "Omar Haddad"), now=present[0])
    session.commit()
    present[0] += timedelta(days=365)
    assert rows.look() == 0
    assert rows.tries == 3
    assert setbacks.list_set_aside(session) == []
    with pytest.raises(SetbackNotFound):
        setbacks.get_set_aside(session, found.id)


def test_a_database_that_is_away_is_no_rows_fault(sessions, session, present):
    def act(_session: Session, _number: int) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        work_each(sessions, JOB, [1, 2], act)
    assert session.scalar(sa.select(sa.func.count()).select_from(Setback)) == 0


def test_a_mail_that_can_not_be_read_from_its_row_lets_the_others_leave(config: Config, sessions, session):
    if not config.is_sqlite:
        pytest.skip("PostgreSQL keeps no JSON that is none")
    queued = [
        queue_delivery(session, make_mail(to=Address("", f"{key}@example.com")), key=key, purpose="reply", now=NOW)
        for key in ("first", "second", "third")
    ]
    poison, *others = [delivery.id for delivery in queued]
    session.execute(sa.text("UPDATE delivery SET content = '{' WHERE id = :id"), {"id": poison})
    session.commit()
    assert deliver_due(config, sessions) == 0, "read together they fail together"
    assert deliver_due(config, sessions) == 2
    states = dict(session.execute(sa.select(Delivery.id, Delivery.state)).all())
    assert states == {poison: DeliveryState.QUEUED} | dict.fromkeys(others, DeliveryState.SENT)
    assert session.scalar(sa.select(Setback.row_id)) == poison


def test_the_words_for_a_broken_rule_are_its_own_and_never_its_details():
    class TooShort(RuleBroken):
        """This is too short."""

    assert setbacks.words_for(TooShort("barbara@example.com")) == "TooShort: This is too short."


def test_every_job_that_passes_rows_over_is_named_as_in_the_timetable():
    names = {line.name for line in TIMETABLE}
    for path in (Path(__file__).parent.parent / "concierge").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used = re.findall(r'(?:resting\(|work_each\(sessions, |_?(?i:job) = )"([^"]+)"', text)
        assert set(used) <= names, path


@pytest.mark.parametrize(
    ("job", "act"),
    [
        ("mailing.settle_orphans", "concierge.mailing.commands.settle_orphans"),
        ("public.forget_requests", "concierge.wishes.requests.forget_requests"),
        ("reports.rank_anew", "concierge.reports.jobs.rank_next"),
    ],
)
def test_a_row_that_these_fail_at_is_set_aside_too(  # noqa: PLR0917
    job, act, config, sessions, session, present, monkeypatch
):
    _make_due(session)
    [line] = [each for each in TIMETABLE if each.name == job]

    def poisoned(*_values: object, **_named: object) -> int:
        raise ValueError("barbara@example.com")

    monkeypatch.setattr(act, poisoned)
    for _look in range(5):
        assert line.job(config, sessions) == 0
        present[0] += timedelta(minutes=5)
    [found] = setbacks.list_set_aside(session)
    assert (found.job, found.tries) == (job, 3)


def _make_due(session: Session) -> None:
    """A mail whose worker died, a request nobody confirmed, a policy not all are ranked under."""
    delivery = queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)
    delivery.state, delivery.claimed_at, delivery.claim = DeliveryState.SENDING, NOW - timedelta(days=1), "dead"
    for number in range(2):
        product = make_product(session, f"CAL-{number}", sizes={"37": 0})
        session.add(
            WishRequest(
                address="barbara@example.com",
                normalised="barbara@example.com",
                product_id=product.id,
                way=WishWay.FORM,
                language="en",
                words="Yes.",
                created_at=NOW - timedelta(days=40),
            )
        )
    policy = WavePolicy(saved_at=NOW)
    session.add(policy)
    session.flush()
    session.add(Reranking(policy_id=policy.id, begun_at=NOW))
    session.commit()
