"""Each fact begins a plan, once; what is no such fact begins nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from concierge import clock, setbacks
from concierge.catalogue.purchases import PurchaseReport, report_delivery, report_purchase
from concierge.conversations.commands import (
    assign_conversation,
    close_conversation,
    reopen_conversation,
    snooze_conversation,
)
from concierge.conversations.models import ConversationState, Message, MessageKind
from concierge.customers.commands import set_date
from concierge.customers.models import BIRTHDAY, NoSuchDay
from concierge.followups import carrying, jobs
from concierge.followups.conditions import Because
from concierge.followups.plans import Start
from concierge.templating.models import Template
from concierge.wishes.commands import expire_wish
from concierge.wishes.models import WishEnding
from concierge.wishes.offer_models import Offer
from concierge.wishes.offering import lapse_offer, pass_offer
from tests.catalogue.builders import make_product
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW
from tests.followups.builders import answered
from tests.followups.plan_builders import make_plan, runs, steps_planned
from tests.wishes.builders import restock, wish_for

LINE = PurchaseReport("shop", "S-1:1", "CAL-TUR-37", NOW - DAY, address="Barbara@Example.com")
# The piece she had to do with stands in the words.
WORDS = ["about {{ product.name }} we speak.\n\n{{ product.card }}\n\nIs it yours?"]


def look(config, sessions):
    """Twice: the second look finds nothing that the first has seen."""
    return jobs.begin_plans(config, sessions), jobs.begin_plans(config, sessions)


def delivered(session, talk, nadia):
    make_product(session)
    for line in ("S-1:1", "S-1:2"):
        report_purchase(session, replace(LINE, external_id=line, delivered_at=NOW), now=NOW)


def sandals_offered(session, talk):
    variant = make_product(session).variants[0]
    wish = wish_for(session, variant, customer=talk.customer, conversation=talk)
    restock(session, variant, now=NOW - HOUR)
    offer = session.scalars(sa.select(Offer)).one()
    offer.left_at = NOW - HOUR
    return wish, offer


def passed(session, talk, nadia):
    pass_offer(session, sandals_offered(session, talk)[1], now=NOW)


def lapsed(session, talk, nadia):
    lapse_offer(session, sandals_offered(session, talk)[1], now=NOW)


def expired(session, talk, nadia):
    wish = wish_for(session, make_product(session).variants[0], customer=talk.customer)
    expire_wish(session, wish, WishEnding.TOO_OLD, now=NOW)


FACTS = {Start.DELIVERED: delivered, Start.PASSED: passed, Start.LAPSED: lapsed, Start.EXPIRED: expired}


@pytest.mark.parametrize(("start", "happens"), FACTS.items(), ids=list(FACTS))
def test_a_fact_begins_its_plan_once_in_her_conversation_and_about_her_piece(
    session, sessions, config, nadia, talk, start, happens
):
    make_plan(session, nadia, start, words=WORDS, waits=[2])
    assert look(config, sessions) == (0, 0)
    happens(session, talk, nadia)
    session.commit()
    assert look(config, sessions) == (1, 0)
    [run], [step] = runs(session), steps_planned(session)
    assert (run.start, run.fact_at, run.conversation_id, run.editor_id) == (start, NOW, talk.id, nadia.id)
    assert (step.wall.date(), step.editor_id) == ((NOW + 2 * DAY).date(), nadia.id)
    assert "Calanque sandals" in step.body
    assert 'data-product="CAL-TUR-' in step.body


@pytest.mark.parametrize("start", FACTS)
def test_a_fact_that_can_not_begin_its_plan_is_set_aside_after_three_times(
    session, sessions, config, nadia, talk, at, monkeypatch, start
):
    other = make_plan(session, nadia, start, name="Another", words=["it is a pleasure."], waits=[2])
    plan = make_plan(session, nadia, start, words=WORDS, waits=[2])
    FACTS[start](session, talk, nadia)
    numbers = (other.id, plan.id)
    session.commit()
    begin_run = carrying.begin_run

    def begin(session, plan_id, *values, **named):
        if plan_id == numbers[1]:
            raise ValueError("barbara@example.com")
        return begin_run(session, plan_id, *values, **named)

    monkeypatch.setattr(carrying, "begin_run", begin)
    looks = [jobs.begin_plans(config, sessions)]
    for minutes in (0, 1, 4, 9, 19):
        at(NOW + minutes * MINUTE)
        looks.append(jobs.begin_plans(config, sessions))
    assert looks == [1, 0, 0, 0, 0, 0], "the other plan begins"
    [found] = setbacks.list_set_aside(session)
    assert (found.job, found.tries, "barbara" in found.fault) == (f"followups.begin_plans #{numbers[1]}", 3, False)
    session.commit()
    monkeypatch.setattr(carrying, "begin_run", begin_run)
    at(NOW + 20 * MINUTE)
    assert jobs.begin_plans(config, sessions) == 0
    setbacks.retry(session, found, by=nadia, now=clock.now())
    session.commit()
    assert look(config, sessions) == (1, 0)
    assert tuple(run.plan_id for run in runs(session)) == numbers


def test_before_it_was_on_and_in_a_plan_that_is_off_nothing_begins(session, sessions, config, nadia, talk):
    make_plan(session, nadia, Start.DELIVERED, on_at=None, name="Off")
    make_plan(session, nadia, Start.DELIVERED, words=["later then."], waits=[0], on_at=NOW + MINUTE, name="Since later")
    delivered(session, talk, nadia)
    session.commit()
    assert look(config, sessions) == (0, 0)


def test_silence_begins_so_many_days_after_an_editors_answer(session, sessions, config, nadia, talk, at):
    make_plan(session, nadia, Start.SILENT, days=3)
    said = talk.last_message_at
    at(said + 3 * DAY - MINUTE)
    assert look(config, sessions) == (0, 0)
    at(said + 3 * DAY)
    assert look(config, sessions) == (1, 0)
    [run] = runs(session)
    assert (run.fact_id, run.since_message_id, run.fact_at) == (talk.last_message_id, talk.last_message_id, clock.now())


def she_answers(session, talk, nadia):
    parent = session.scalar(sa.select(Message.rfc_message_id).order_by(Message.id.desc()))
    receive(session, at=NOW + HOUR, in_reply_to=(parent,))


def nadia_writes_again(session, talk, nadia):
    answer(session, talk, by=nadia, at=NOW + DAY)


def it_is_closed(session, talk, nadia):
    close_conversation(session, talk, by=nadia, now=NOW)


@pytest.mark.parametrize(
    ("happens", "begun"), [(she_answers, 0), (nadia_writes_again, 0), (it_is_closed, 0)]
)  # fmt: skip
def test_it_is_no_silence_when(session, sessions, config, nadia, talk, at, happens, begun):
    make_plan(session, nadia, Start.SILENT, days=3)
    happens(session, talk, nadia)
    session.commit()
    at(NOW + 3 * DAY)
    assert look(config, sessions) == (begun, 0)


def test_a_machines_mail_breaks_no_silence_and_a_snooze_neither(session, sessions, config, nadia, talk, at):  # T26
    make_plan(session, nadia, Start.SILENT, days=3)
    snooze_conversation(session, talk, until=NOW + 9 * DAY, by=nadia, now=NOW)
    session.commit()
    at(NOW + 3 * DAY)
    assert look(config, sessions) == (1, 0)
    assert MessageKind.AUTOMATIC is not MessageKind.HUMAN


def test_silence_after_a_certain_template_begins_after_answers_made_from_it_alone(
    session, sessions, config, nadia, talk, at
):
    plan = make_plan(session, nadia, Start.SILENT, days=3)
    sold_out = session.scalars(sa.select(Template)).first()
    plan.template_id = sold_out.id
    other = answered(session, nadia, "Anna Bianchi", at=NOW - HOUR)
    session.execute(
        sa.update(Message)
        .where(Message.id == other.last_message_id)
        .values(template_version_id=sold_out.versions[0].id)
    )
    session.commit()
    at(NOW + 3 * DAY)
    assert look(config, sessions) == (1, 0)
    assert runs(session)[0].conversation_id == other.id


def test_a_delivered_line_that_comes_later_or_was_sent_back_begins_nothing_more(
    session, sessions, config, nadia, talk, at
):
    make_plan(session, nadia, Start.DELIVERED)
    make_product(session)
    for line in ("S-1:1", "S-1:2", "S-1:3"):
        report_purchase(session, replace(LINE, external_id=line), now=NOW)
    report_delivery(session, "shop", "S-1:2", NOW, now=NOW)
    session.commit()
    assert look(config, sessions) == (1, 0)
    report_delivery(session, "shop", "S-1:1", NOW + DAY, now=NOW + DAY)
    report_purchase(session, replace(LINE, external_id="S-1:2", returned=1), now=NOW + DAY)
    report_delivery(session, "shop", "S-1:3", NOW + DAY, now=NOW + DAY)
    report_purchase(
        session, replace(LINE, external_id="S-2:1", at=NOW, returned=1, delivered_at=NOW + DAY), now=NOW + DAY
    )
    session.commit()
    at(NOW + DAY)
    assert look(config, sessions) == (0, 0)


def test_who_never_wrote_has_no_editor_and_begins_nothing(session, sessions, config, nadia, talk):
    make_plan(session, nadia, Start.DELIVERED)
    make_product(session)
    report_purchase(session, replace(LINE, address="stranger@example.com", delivered_at=NOW), now=NOW)
    session.commit()
    assert look(config, sessions) == (0, 0)


def test_each_closing_begins_it_and_a_mail_that_is_not_for_us_does_not(session, sessions, config, nadia, talk, at):
    make_plan(session, nadia, Start.CLOSED, words=["until we meet again."], waits=[0])
    close_conversation(session, talk, by=nadia, now=NOW)
    session.commit()
    assert look(config, sessions) == (1, 0)
    jobs.release_due(config, sessions)
    jobs.carry_plans(config, sessions)
    session.refresh(talk)
    if talk.closed_at is not None:
        reopen_conversation(session, talk, by=nadia, now=NOW + DAY)
    close_conversation(session, talk, by=nadia, now=NOW + DAY)
    session.commit()
    at(NOW + DAY)
    assert look(config, sessions) == (1, 0)
    assert len(runs(session)) == 2


def test_her_birthday_begins_it_each_year_by_her_own_clock(session, sessions, config, nadia, talk, at):
    make_plan(session, nadia, Start.DATE, days=1, date_kind=BIRTHDAY, words=["all the best to you."], waits=[0])
    set_date(session, talk.customer, "Birthday ", 5, 20, by=nadia, now=NOW)
    set_date(session, talk.customer, "wedding day", 5, 20, by=nadia, now=NOW)
    with pytest.raises(NoSuchDay):
        set_date(session, talk.customer, "party", 4, 31, by=nadia, now=NOW)
    session.commit()
    midnight = datetime(2026, 5, 18, 22, tzinfo=UTC)
    at(midnight - MINUTE)
    assert look(config, sessions) == (0, 0)
    at(midnight)
    assert look(config, sessions) == (1, 0)
    [step] = steps_planned(session)
    assert step.due_at == datetime(2026, 5, 19, 7, tzinfo=UTC)
    assert runs(session)[0].fact_mark == 2026


def test_she_is_in_a_plan_once_at_a_time_and_the_other_fact_says_so(session, sessions, config, nadia, talk):
    make_plan(session, nadia, Start.DELIVERED)
    make_product(session)
    for number in range(2):
        sold = replace(LINE, external_id=f"S-{number}:1", at=NOW - number * DAY, delivered_at=NOW - number * MINUTE)
        report_purchase(session, sold, now=NOW)
    session.commit()
    assert sum(look(config, sessions)) == 2
    assert [each.because for each in runs(session)] == [None, Because.OVERLAPS]


def test_an_editor_who_is_gone_begins_nothing_and_it_is_written_down(session, sessions, config, nadia, talk):
    make_plan(session, nadia, Start.DELIVERED)
    nadia.active = False
    delivered(session, talk, nadia)
    session.commit()
    assert look(config, sessions) == (1, 0)
    assert (runs(session)[0].because, steps_planned(session)) == (Because.EDITOR_GONE, [])


def it_is_closed_by_nadia(session, talk, nadia):
    close_conversation(session, talk, by=nadia, now=NOW)


AGING = FACTS | {Start.CLOSED: it_is_closed_by_nadia}


@pytest.mark.parametrize(("start", "happens"), AGING.items(), ids=list(AGING))
def test_a_week_later_a_fact_begins_nothing_any_more(session, sessions, config, nadia, talk, at, start, happens):
    make_plan(session, nadia, start)
    happens(session, talk, nadia)
    session.commit()
    at(NOW + 7 * DAY + MINUTE)
    assert look(config, sessions) == (0, 0)
    at(NOW + 7 * DAY - MINUTE)
    assert look(config, sessions) == (1, 0)


@pytest.mark.parametrize(("start", "happens"), AGING.items(), ids=list(AGING))
def test_a_fact_of_before_the_plan_was_on_begins_nothing(session, sessions, config, nadia, talk, at, start, happens):
    make_plan(session, nadia, start, on_at=NOW + MINUTE)
    happens(session, talk, nadia)
    session.commit()
    at(NOW + DAY)
    assert look(config, sessions) == (0, 0)


def test_what_no_editor_closed_begins_nothing(session, sessions, config, nadia, talk):
    make_plan(session, nadia, Start.CLOSED)
    machines = receive(session, subject="Away", kind=MessageKind.AUTOMATIC, kind_reason="Auto-Submitted").conversation
    assign_conversation(session, machines, nadia, by=nadia, now=NOW)
    session.commit()
    assert (machines.state, machines.closed_at, machines.closed_by_id) == (ConversationState.CLOSED, NOW, None)
    assert look(config, sessions) == (0, 0)
    close_conversation(session, talk, by=nadia, now=NOW)
    session.commit()
    assert look(config, sessions) == (1, 0)


@pytest.mark.parametrize(("start", "ends"), [(Start.PASSED, pass_offer), (Start.LAPSED, lapse_offer)])
def test_an_offer_that_never_left_was_none_to_her_and_begins_nothing(
    session, sessions, config, nadia, talk, start, ends
):
    make_plan(session, nadia, start)
    _wish, offer = sandals_offered(session, talk)
    offer.left_at = None
    ends(session, offer, now=NOW)
    session.commit()
    assert look(config, sessions) == (0, 0)
    offer.left_at = NOW - HOUR
    session.commit()
    assert look(config, sessions) == (1, 0)


@pytest.mark.parametrize(("because", "begun"), [(WishEnding.NEVER_CONFIRMED, 0), (WishEnding.TOO_OLD, 1)])
def test_a_wish_that_she_never_said_yes_to_begins_nothing(session, sessions, config, nadia, talk, because, begun):
    make_plan(session, nadia, Start.EXPIRED)
    is_hers = because is not WishEnding.NEVER_CONFIRMED
    wish = wish_for(session, make_product(session).variants[0], customer=talk.customer, confirmed=is_hers)
    expire_wish(session, wish, because, now=NOW)
    session.commit()
    assert look(config, sessions) == (begun, 0)
