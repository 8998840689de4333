"""Follow-ups for so many days after her order is in her hands: nobody knows when, until it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from concierge import setbacks
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.followups import carrying, commands, jobs, queries
from concierge.followups.conditions import Asking, Because
from concierge.followups.models import AlreadyPlanned, FollowUpState, MomentPassed, NothingOnItsWay
from tests.catalogue.builders import make_product
from tests.factories import DAY, HOUR, NOW, sign_in
from tests.followups.builders import POLICY, WALL, answered, follow_up, fresh, planned

ORDER = PurchaseReport("shop", "S-1:1", "CAL-TUR-37", NOW - DAY, address="barbara@example.com")
TEN = WALL.replace(hour=10, minute=0)
# She has it on the 20th; two weeks later it is Wednesday, ten o'clock in Rome.
ARRIVED = datetime(2026, 5, 20, 14, 0, tzinfo=UTC)
WEDNESDAY = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)


@pytest.fixture
def talk(session, nadia):
    """Nadia has answered Barbara."""
    make_product(session)
    return answered(session, nadia)


@pytest.fixture
def awaiting(session, talk, nadia):
    """Her order is on its way, and Nadia will write two weeks after it has come."""
    report_purchase(session, ORDER, now=NOW - DAY)
    found = follow_up(session, talk, nadia, wall=TEN, after_delivery=14)
    session.commit()
    return found


def test_it_is_due_so_many_days_after_her_order_has_come(session, sessions, config, awaiting, at):
    at(NOW + 30 * DAY)
    assert jobs.await_deliveries(config, sessions) == 0
    assert jobs.release_due(config, sessions) == 0
    assert fresh(session, awaiting).awaits_delivery
    report_purchase(session, replace(ORDER, delivered_at=ARRIVED), now=ARRIVED + HOUR)
    session.commit()
    at(ARRIVED + HOUR)
    assert [jobs.await_deliveries(config, sessions) for _ in range(2)] == [1, 0]
    found = fresh(session, awaiting)
    assert (found.awaits_delivery, found.due_at) == (False, WEDNESDAY)
    at(WEDNESDAY)
    assert jobs.release_due(config, sessions) == 1
    assert fresh(session, awaiting).state is FollowUpState.SENT


def test_no_calendar_shows_what_has_no_day(session, awaiting):
    assert queries.list_coming(session) == []
    assert queries.list_between(session, NOW, NOW + 5000 * DAY, limit=9) == []
    assert queries.list_of_conversation(session, awaiting.conversation_id) == [awaiting]


def test_what_has_come_already_is_reckoned_from_that_day(session, talk, nadia):
    report_purchase(session, replace(ORDER, delivered_at=NOW - HOUR), now=NOW)
    found = follow_up(session, talk, nadia, wall=TEN, after_delivery=14)
    assert (found.awaits_delivery, found.wall) == (False, datetime(2026, 5, 26, 10))
    with pytest.raises(MomentPassed):
        follow_up(session, talk, nadia, wall=TEN, after_delivery=0)


def test_it_speaks_of_her_newest_order_be_it_on_its_way_or_in_her_hands(session, talk, nadia):
    report_purchase(session, replace(ORDER, external_id="S-2:1", at=NOW - 9 * DAY), now=NOW - 9 * DAY)
    report_purchase(session, replace(ORDER, delivered_at=NOW - HOUR), now=NOW)
    assert not follow_up(session, talk, nadia, wall=TEN, after_delivery=14).awaits_delivery
    report_purchase(session, replace(ORDER, external_id="S-3:1", at=NOW - HOUR / 2), now=NOW)
    assert follow_up(session, talk, nadia, wall=TEN, after_delivery=14).awaits_delivery


def test_one_that_waits_for_a_newer_order_by_now_waits_on(session, sessions, config, awaiting, at, monkeypatch):
    at(NOW + HOUR)
    # looked for while the older one was awaited, which has come
    monkeypatch.setattr(jobs.queries, "list_arrived", lambda _session, **_how: [awaiting.id])
    jobs.await_deliveries(config, sessions)
    found = fresh(session, awaiting)
    assert (found.awaits_delivery, found.is_scheduled, found.asked_at) == (True, True, None)


@pytest.fixture
def asked(session, sessions, config, awaiting, at):
    """For ninety days the shop has said nothing."""
    at(NOW + 89 * DAY)
    assert jobs.await_deliveries(config, sessions) == 0
    at(NOW + 90 * DAY)
    jobs.await_deliveries(config, sessions)
    return fresh(session, awaiting)


def test_without_a_word_from_the_shop_its_editor_is_asked(client, session, sessions, config, asked, nadia, at):
    assert (asked.is_scheduled, asked.asking) == (True, Asking.LATE)
    sign_in(client, nadia)
    assert "The shop has not said that her order came" in client.get("/today").get_data(as_text=True)
    seen = asked.conversation.last_message_id
    commands.approve_follow_up(session, asked, commands.Seen(seen), by=nadia, policy=POLICY, now=NOW + 90 * DAY)
    session.commit()
    assert jobs.await_deliveries(config, sessions) == 0
    assert jobs.release_due(config, sessions) == 1, "her yes needs no shop"


def test_when_it_comes_after_all_it_asks_no_more(session, sessions, config, asked, at):
    assert asked.asking is Asking.LATE
    late = NOW + 91 * DAY
    report_purchase(session, replace(ORDER, delivered_at=late), now=late)
    session.commit()
    at(late)
    jobs.await_deliveries(config, sessions)
    found = fresh(session, asked)
    assert (found.asked_at, found.awaits_delivery) == (None, False)
    assert found.due_at > late + 13 * DAY


def test_what_waits_for_a_delivery_never_goes_by_itself(session, sessions, config, awaiting, at):
    awaiting.due_at = NOW
    session.commit()
    config.policy.follow_up_when_late = "sent"
    at(NOW + 5000 * DAY)
    assert jobs.release_due(config, sessions) == 0
    assert fresh(session, awaiting).asking is Asking.LATE


def test_coming_shows_what_waits_for_a_delivery_in_a_part_of_its_own(client, session, awaiting, nadia):
    sign_in(client, nadia)
    page = client.get("/followups").get_data(as_text=True)
    assert "14 days after her order is delivered" in page.split("Waits for a delivery")[1]
    assert "Waits for a delivery" not in client.get(f"/followups?editor={nadia.id + 1}").get_data(as_text=True)


@pytest.mark.parametrize("order", [None, replace(ORDER, returned=1), replace(ORDER, at=NOW - 200 * DAY)])
def test_without_an_order_there_is_nothing_to_wait_for(session, talk, nadia, order):
    if order:
        report_purchase(session, order, now=NOW - DAY)
    with pytest.raises(NothingOnItsWay):
        follow_up(session, talk, nadia, wall=TEN, after_delivery=14)


def test_what_is_sent_back_before_it_came_needs_no_letter(session, sessions, config, awaiting, at):
    report_purchase(session, replace(ORDER, returned=1), now=NOW + DAY)
    session.commit()
    at(NOW + DAY)
    assert jobs.await_deliveries(config, sessions) == 1
    found = fresh(session, awaiting)
    assert (found.state, found.because) == (FollowUpState.WITHHELD, Because.SHE_RETURNED)


def test_two_for_the_same_delivery_stand_apart_and_the_same_one_is_planned_once(
    session, sessions, config, awaiting, talk, nadia, at
):
    with pytest.raises(AlreadyPlanned):
        follow_up(session, talk, nadia, wall=TEN, after_delivery=14)
    on_that_day = follow_up(session, talk, nadia, wall=datetime(2026, 6, 3, 10), now=NOW)
    report_purchase(session, replace(ORDER, delivered_at=ARRIVED), now=ARRIVED)
    session.commit()
    at(ARRIVED)
    assert jobs.await_deliveries(config, sessions) == 1
    assert fresh(session, awaiting).due_at - fresh(session, on_that_day).due_at == timedelta(minutes=1)


def test_given_a_day_it_waits_for_nothing_more(session, sessions, config, awaiting, nadia, at):
    what = planned(awaiting.conversation)
    commands.change_follow_up(session, awaiting, what, by=nadia, policy=POLICY, now=NOW)
    assert not awaiting.awaits_delivery
    report_purchase(session, replace(ORDER, delivered_at=NOW), now=NOW)
    session.commit()
    assert jobs.await_deliveries(config, sessions) == 0


def test_it_is_typed_as_it_is_said_and_shown_so(client, session, talk, nadia):
    session.commit()
    sign_in(client, nadia)
    here = f"/conversations/{talk.id}/followups"
    typed = {"when": "two weeks after it is delivered", "text": "Does it fit?", "seen": talk.last_message_id}
    refused = client.post(here, data=typed)
    assert refused.status_code == 422
    assert "No order of hers is on its way" in refused.get_data(as_text=True)
    report_purchase(session, ORDER, now=NOW - DAY)
    session.commit()
    said = client.get(f"{here}/when?when={typed['when']}").get_data(as_text=True)
    assert "14 days after her order is delivered, at 10:00" in said
    assert client.post(here, data=typed).status_code == 303
    page = client.get(here).get_data(as_text=True)
    assert "14 days after her order is delivered, at 10:00" in page
    history = client.get(f"/conversations/{talk.id}").get_data(as_text=True)
    assert "planned a follow-up: 14 days after her order is delivered" in history
    [found] = queries.list_of_conversation(session, talk.id)
    form = client.get(f"{here}/{found.id}").get_data(as_text=True)
    assert 'value="14 days after it is delivered at 10:00"' in form


def test_one_that_fails_rests_is_set_aside_and_holds_up_no_other(
    session, sessions, config, nadia, talk, awaiting, at, monkeypatch
):
    other = follow_up(session, talk, nadia, wall=TEN.replace(hour=11), after_delivery=14)
    report_purchase(session, replace(ORDER, delivered_at=ARRIVED), now=ARRIVED + HOUR)
    session.commit()
    tries, beside_others = [], carrying.beside_others

    def spoilt(session, found, wall):
        if found.id == awaiting.id:
            tries.append(found.id)
            raise ValueError("spoilt")
        return beside_others(session, found, wall)

    monkeypatch.setattr(carrying, "beside_others", spoilt)
    for minutes in (0, 1, 6, 7, 60):
        at(ARRIVED + HOUR + timedelta(minutes=minutes))
        jobs.await_deliveries(config, sessions)
    assert not fresh(session, other).awaits_delivery
    assert (len(tries), setbacks.count_set_aside(session)) == (3, 1)
