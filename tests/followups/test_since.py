"""What counts as "since": what happens while somebody plans, between a fact and its run, and behind an old page."""

import re
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from concierge import setbacks
from concierge.accounts.models import Editor
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.conversations.models import Conversation
from concierge.customers.commands import set_date
from concierge.customers.courtesy import Late
from concierge.customers.models import BIRTHDAY
from concierge.followups import jobs, queries
from concierge.followups.conditions import Because
from concierge.followups.models import FollowUpState, HappenedSince
from concierge.followups.plans import Start
from concierge.wishes.offering import pass_offer
from tests.catalogue.builders import make_product
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, MINUTE, NOW, sign_in
from tests.followups.builders import FRIDAY, answered, follow_up, fresh
from tests.followups.plan_builders import make_plan, steps_planned
from tests.followups.test_plan_facts import sandals_offered
from tests.followups.test_races import leave_while

LINE = PurchaseReport("shop", "S-1:1", "CAL-TUR-37", NOW, address="barbara@example.com")


def she_begins_anew(session, at):
    receive(session, "Barbara Rossi", at=at, subject="Something else")


def she_buys(session, at):
    report_purchase(session, replace(LINE, at=at), now=at)


each_fact = pytest.mark.parametrize(
    ("happens", "because"),
    [(she_begins_anew, Because.SHE_WROTE), (she_buys, Because.SHE_BOUGHT)],
    ids=["writes", "buys"],
)


@pytest.fixture
def sandals(session, nadia):
    make_product(session, sizes={"37": 5})
    session.commit()


@each_fact
def test_what_is_under_way_while_somebody_plans_is_said_to_her(
    session, sessions, config, nadia, talk, sandals, happens, because
):  # F09
    """Else it would be numbered before what she has seen, and committed after she looked: seen by nobody."""
    if config.is_sqlite:
        pytest.skip("SQLite has one writer at a time: nothing is under way")

    def plan():
        with sessions() as desk:
            mine = desk.get_one(Editor, nadia.id)
            planned = follow_up(desk, desk.get_one(Conversation, talk.id), mine, now=NOW)
            desk.commit()
            return planned.id

    with sessions() as hers, ThreadPoolExecutor(1) as pool:
        happens(hers, NOW - MINUTE)
        hers.flush()
        receive(session, "Someone Other", at=NOW - MINUTE)  # numbered later, and committed first
        session.commit()
        planning = pool.submit(plan)
        wait([planning], timeout=0.3)
        assert not planning.done()
        hers.commit()
        with pytest.raises(HappenedSince):
            planning.result(20)
    assert queries.get_follow_up(session, plan()).is_scheduled


def test_a_return_that_is_just_told_is_not_passed_by(session, sessions, config, nadia, talk, sandals, at, monkeypatch):
    """What came to nothing is no new order: nothing but a lock on her says that it is under way."""  # F09
    report_purchase(session, replace(LINE, at=NOW - HOUR), now=NOW - HOUR)
    planned = follow_up(session, talk, nadia)
    session.commit()
    at(FRIDAY)

    def she_returns(other, _follow_up):
        report_purchase(other, replace(LINE, is_void=True, stated_at=FRIDAY), now=FRIDAY)

    assert not leave_while(she_returns, config, sessions, planned.id, monkeypatch)


@each_fact
def test_a_yes_on_a_page_from_before_is_asked_again(
    session, sessions, config, client, nadia, talk, sandals, at, happens, because
):
    planned = follow_up(session, talk, nadia, needs_yes=True)
    session.commit()
    sign_in(client, nadia)
    at(FRIDAY)
    assert jobs.release_due(config, sessions) == 0
    yes = f"/conversations/{talk.id}/followups/{planned.id}/approve"
    page = client.get("/today").text
    assert "Yes, send it" in page and "all the same" not in page
    happens(session, FRIDAY + HOUR)
    session.commit()
    at(FRIDAY + 2 * HOUR)
    answer = client.post(yes, data=form_of(page, yes))
    assert answer.status_code == 409 and "Something has happened since you opened this page" in answer.text
    assert fresh(session, planned).approved_at is None
    page = client.get("/today").text
    assert "As things stand it will not leave" in page
    if because is Because.SHE_WROTE:
        return  # she waits for an answer, and this is none
    assert "Send it all the same" in page
    assert client.post(yes, data=form_of(page, yes)).status_code == 303
    assert jobs.release_due(config, sessions) == 1
    assert fresh(session, planned).state is FollowUpState.SENT


def form_of(page, action):
    """What the form on a page takes along to this address."""
    form = page[page.index(f'action="{action}"') :].partition("</form>")[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_other_words_from_a_page_from_before_are_asked_again(session, client, nadia, talk, sandals, at):
    planned = follow_up(session, talk, nadia)
    session.commit()
    sign_in(client, nadia)
    change = f"/conversations/{talk.id}/followups/{planned.id}"
    old = form_of(client.get(change).text, change)
    she_buys(session, NOW + HOUR)
    session.commit()
    at(NOW + 2 * HOUR)
    mine = {"when": "Friday 11:00", "text": "Dear Barbara,\n\nanother word."}
    refused = client.post(change, data=old | mine)
    assert refused.status_code == 409 and "another word" in refused.text and "She has bought since" in refused.text
    assert client.post(change, data=form_of(refused.text, change) | mine).status_code == 303
    assert "another word" in fresh(session, planned).body


def test_who_buys_in_the_silence_gets_no_word_of_it(session, sessions, config, nadia, talk, sandals, at):
    make_plan(session, nadia, Start.SILENT, days=4, words=["it is sold out."], waits=[0])
    she_buys(session, NOW + DAY)
    session.commit()
    at(NOW + 4 * DAY + HOUR)
    assert jobs.begin_plans(config, sessions) == 1
    at(NOW + 4 * DAY + 2 * HOUR)
    assert jobs.release_due(config, sessions) == 0
    assert [each.because for each in steps_planned(session)] == [Because.SHE_BOUGHT]


@each_fact
def test_what_she_did_between_a_fact_and_its_late_run_is_news(
    session, sessions, config, nadia, talk, at, happens, because
):
    """Nobody was there for three days to begin it."""
    make_plan(session, nadia, Start.PASSED, words=["a pity."], waits=[0], step={"when_late": Late.SENT})
    pass_offer(session, sandals_offered(session, talk)[1], now=NOW)
    happens(session, NOW + DAY)
    session.commit()
    at(NOW + 3 * DAY)
    assert jobs.begin_plans(config, sessions) == 1
    at(NOW + 3 * DAY + MINUTE)
    assert jobs.release_due(config, sessions) == 0
    assert [each.because for each in steps_planned(session)] == [because]


def test_an_order_we_hear_of_when_it_has_come_does_not_stop_what_it_begins(
    session, sessions, config, nadia, talk, sandals, at
):
    make_plan(session, nadia, Start.DELIVERED, words=["how does it fit?"], waits=[0])
    report_purchase(session, replace(LINE, at=NOW - DAY, delivered_at=NOW - HOUR), now=NOW)
    session.commit()
    at(NOW + MINUTE)
    assert jobs.begin_plans(config, sessions) == 1
    at(NOW + HOUR)
    assert jobs.release_due(config, sessions) == 1
    report_purchase(session, replace(LINE, external_id="S-2:1", at=NOW + HOUR), now=NOW + HOUR)
    session.commit()


@pytest.mark.parametrize("late", [Late.ASKED, Late.SKIPPED])
def test_a_birthday_nobody_was_there_for_is_asked_or_skipped_and_never_dropped(
    session, sessions, config, nadia, talk, at, late
):
    step = {"when_late": late}
    make_plan(session, nadia, Start.DATE, days=0, date_kind=BIRTHDAY, words=["all the best."], waits=[0], step=step)
    set_date(session, talk.customer, BIRTHDAY, 5, 14, by=nadia, now=NOW)
    session.commit()
    at(FRIDAY + 3 * DAY)
    assert jobs.begin_plans(config, sessions) == 1
    at(FRIDAY + 3 * DAY + MINUTE)
    assert jobs.release_due(config, sessions) == 0
    [found] = steps_planned(session)
    assert (found.asked_at is not None, found.because) == (
        (True, None) if late is Late.ASKED else (False, Because.TOO_LATE)
    )


def test_a_day_that_is_noted_when_it_has_gone_begins_nothing(session, sessions, config, nadia, talk, at):
    make_plan(session, nadia, Start.DATE, days=0, date_kind=BIRTHDAY, words=["all the best."], waits=[0])
    set_date(session, talk.customer, BIRTHDAY, NOW.month, NOW.day - 1, by=nadia, now=NOW)
    session.commit()
    assert jobs.begin_plans(config, sessions) == 0
    set_date(session, talk.customer, BIRTHDAY, NOW.month, NOW.day, by=nadia, now=NOW)
    session.commit()
    assert jobs.begin_plans(config, sessions) == 1


def test_one_that_can_not_be_reckoned_anew_holds_up_no_other(session, sessions, config, nadia, at, monkeypatch):
    both = [follow_up(session, answered(session, nadia, f"{name} Rossi"), nadia) for name in ("Anna", "Bruna")]
    for each in both:
        each.conversation.customer.timezone = "America/New_York"
    session.commit()
    at(FRIDAY - HOUR)
    facts_of, bad = queries.facts_of, both[0].id

    def spoilt(session, found, **more):
        if found.id == bad:
            raise ValueError("spoilt")
        return facts_of(session, found, **more)

    monkeypatch.setattr(queries, "facts_of", spoilt)
    for minutes in (0, 1, 5):
        at(FRIDAY - HOUR + minutes * MINUTE)
        jobs.reckon_anew(config, sessions)
    assert fresh(session, both[1]).due_at > FRIDAY
    assert setbacks.count_set_aside(session) == 1
