"""A follow-up leaves as her editor's reply, once; or says why it did not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from concierge.audit import AuditEntry
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.conversations.commands import mark_not_for_us
from concierge.conversations.models import Conversation, Message, MessageKind
from concierge.customers.commands import add_address, change_customer
from concierge.customers.models import Customer
from concierge.followups import carrying, commands, jobs, queries
from concierge.followups.conditions import Asking, Because
from concierge.followups.models import FollowUpState
from concierge.followups.plan_facts import Fact
from concierge.followups.plans import Start
from concierge.mailing.commands import reserve_due, suppress
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery, DeliveryState, Lane, SuppressionReason
from concierge.setbacks import Setback
from concierge.tokens import reply_key
from tests.catalogue.builders import make_product
from tests.conversations.stories import answer, receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor
from tests.followups.builders import FRIDAY, POLICY, WALL, answered, follow_up, fresh
from tests.followups.plan_builders import make_plan


@pytest.fixture
def at(at):
    """It is Friday, until a test says otherwise."""
    at(FRIDAY)
    return at


@pytest.fixture
def planned(session, nadia):
    """Planned on Tuesday for Friday at ten, after Nadia's answer."""
    found = follow_up(session, answered(session, nadia), nadia)
    session.commit()
    return found


def sent(session):
    found = list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))
    session.commit()
    return found


def test_it_leaves_as_her_editors_reply_in_her_conversation(session, sessions, config, planned, nadia):
    assert jobs.release_due(config, sessions) == 1
    [delivery] = sent(session)
    assert (delivery.key, delivery.purpose) == (f"followup:{planned.id}", "follow_up")
    mail, conversation = Mail.from_json(delivery.content), session.get(Conversation, planned.conversation_id)
    asked = session.scalars(sa.select(Message).order_by(Message.id)).first()
    key = reply_key(config.secret, conversation.id)
    assert (mail.sender.name, mail.sender.address) == ("Nadia Ferrant", "care@maison-solenne.example")
    assert mail.to.address == "barbara@example.com"
    assert mail.subject == "Re: The turquoise sandals"
    assert mail.in_reply_to.strip("<>") == asked.rfc_message_id
    assert mail.reply_to.address == f"care+{key}@maison-solenne.example"
    assert "did you have a moment to look at the ivory pair?" in mail.text
    assert "Warmly,\nNadia" in mail.text
    assert not mail.headers, "one person writes to another: nothing to unsubscribe from"
    done = fresh(session, planned)
    message = session.get(Message, done.message_id)
    assert (done.state, done.settled_at, done.delivery_id) == (FollowUpState.SENT, FRIDAY, delivery.id)
    assert (message.conversation_id, message.editor_id) == (conversation.id, nadia.id)


def test_before_its_time_nothing_leaves_and_afterwards_nothing_leaves_again(session, sessions, config, planned, at):
    at(FRIDAY - MINUTE)
    assert jobs.release_due(config, sessions) == 0
    at(FRIDAY)
    assert [jobs.release_due(config, sessions) for _look in range(3)] == [1, 0, 0]
    assert len(sent(session)) == 1


def she_writes(session, found, _nadia):
    parent = session.scalar(sa.select(Message.rfc_message_id).order_by(Message.id.desc()))
    receive(session, at=NOW + DAY, subject="Re: The turquoise sandals", in_reply_to=(parent,))


def she_writes_elsewhere(session, found, _nadia):
    assert receive(session, at=NOW - HOUR, subject="A dress").conversation_id != found.conversation_id


def she_buys(session, found, _nadia, **values):
    make_product(session)
    line = PurchaseReport("shop", "S-1:1", "CAL-TUR-37", NOW + HOUR, address="Barbara@Example.com", **values)
    report_purchase(session, line, now=NOW + DAY)


def she_sends_back(session, found, nadia):
    """What she bought before comes back."""
    make_product(session)
    line = PurchaseReport("shop", "S-1:1", "CAL-TUR-37", NOW - DAY, address="barbara@example.com")
    report_purchase(session, line, now=NOW - DAY)
    report_purchase(session, PurchaseReport(**{**_fields(line), "returned": 1}), now=NOW + DAY)


def _fields(line):
    return {name: getattr(line, name) for name in line.__dataclass_fields__}


def a_colleague_writes(session, found, _nadia):
    answer(session, found.conversation, by=make_editor(session, "Chiara Bassi"), at=NOW + DAY)


def not_for_us(session, found, nadia):
    mark_not_for_us(session, found.conversation, by=nadia, now=NOW + DAY)


def no_more_mail(session, found, _nadia):
    suppress(session, "barbara@example.com", reason=SuppressionReason.COMPLAINT, by=None, now=NOW + DAY)


def the_editor_leaves(session, found, nadia):
    nadia.active = False


FACTS = {
    she_writes: Because.SHE_WROTE,
    she_writes_elsewhere: Because.SHE_WROTE,
    she_buys: Because.SHE_BOUGHT,
    she_sends_back: Because.SHE_RETURNED,
    a_colleague_writes: Because.COLLEAGUE_WROTE,
    not_for_us: Because.NOT_FOR_US,
    no_more_mail: Because.SUPPRESSED,
    the_editor_leaves: Because.EDITOR_GONE,
}


@pytest.mark.parametrize(("happens", "because"), FACTS.items(), ids=[each.__name__ for each in FACTS])
def test_after_what_has_happened_it_stays_unsent_and_says_why(
    session, sessions, config, planned, nadia, happens, because
):  # F09
    happens(session, planned, nadia)
    session.commit()
    before = len(sent(session))
    assert jobs.release_due(config, sessions) == 0
    done = fresh(session, planned)
    assert (done.state, done.because, done.settled_at) == (FollowUpState.WITHHELD, because, FRIDAY)
    assert len(sent(session)) == before
    told = session.scalars(sa.select(AuditEntry).where(AuditEntry.verb == "follow_up.withheld")).one()
    assert (told.subject_id, told.details["because"]) == (planned.conversation_id, because.value)


def test_an_order_from_an_address_that_is_hers_by_now_stops_it(session, sessions, config, planned, nadia):  # F09
    """Nobody's when it came: the shop knew her by an address that we did not."""
    make_product(session)
    line = PurchaseReport("shop", "S-1:1", "CAL-TUR-37", NOW + HOUR, address="B.Rossi@Work.example")
    assert report_purchase(session, line, now=NOW + HOUR).customer_id is None
    add_address(session, planned.conversation.customer, "b.rossi@work.example", by=nadia, now=NOW + DAY)
    session.commit()
    assert jobs.release_due(config, sessions) == 0
    assert fresh(session, planned).because is Because.SHE_BOUGHT


@pytest.mark.parametrize("kind", [MessageKind.AUTOMATIC, MessageKind.BOUNCE])
def test_a_machines_mail_is_no_reply(session, sessions, config, planned, kind):  # T26
    receive(session, at=NOW + DAY, kind=kind, kind_reason="Auto-Submitted")
    session.commit()
    assert jobs.release_due(config, sessions) == 1


def test_her_own_editors_next_mail_and_an_earlier_order_do_not_stop_it(session, sessions, config, planned, nadia):
    answer(session, planned.conversation, by=nadia, at=NOW + MINUTE)
    make_product(session)
    line = PurchaseReport("shop", "S-0:1", "CAL-TUR-37", NOW - DAY, address="barbara@example.com")
    report_purchase(session, line, now=NOW - HOUR)
    session.commit()
    assert jobs.release_due(config, sessions) == 1


def test_after_three_days_of_standstill_its_editor_is_asked_and_her_yes_lets_it_go(
    session, sessions, config, planned, nadia, at
):  # F15
    monday = FRIDAY + 3 * DAY
    at(monday)
    assert jobs.release_due(config, sessions) == 0
    asked = fresh(session, planned)
    assert (asked.state, asked.asked_at, asked.asking) == (FollowUpState.SCHEDULED, monday, Asking.LATE)
    assert jobs.release_due(config, sessions) == 0
    seen = asked.conversation.last_message_id
    commands.approve_follow_up(session, asked, commands.Seen(seen), by=nadia, policy=POLICY, now=monday)
    session.commit()
    assert jobs.release_due(config, sessions) == 1


def test_a_clock_that_jumps_back_sends_nothing_twice_and_loses_nothing(session, sessions, config, planned, at):  # F15
    at(FRIDAY)
    assert jobs.release_due(config, sessions) == 1
    for jump in (-HOUR, -DAY, HOUR, DAY):
        at(FRIDAY + jump)
        assert jobs.release_due(config, sessions) == 0
    assert len(sent(session)) == 1


def test_the_second_in_a_week_waits_until_she_has_had_her_rest(session, sessions, config, planned, nadia, at):
    other = follow_up(session, planned.conversation, nadia, wall=WALL - 10 * MINUTE)
    session.commit()
    assert jobs.release_due(config, sessions) == 1
    other, planned = fresh(session, planned), fresh(session, other)
    assert planned.state is FollowUpState.SENT
    assert fresh(session, other).due_at == datetime(2026, 5, 16, 8, 0, tzinfo=UTC)
    at(FRIDAY + DAY)
    assert jobs.release_due(config, sessions) == 1


def test_who_moves_to_another_country_is_written_to_by_the_clock_there(session, sessions, config, planned, nadia, at):
    customer = planned.conversation.customer
    change_customer(session, customer, timezone="America/New_York", by=nadia, now=NOW)
    session.commit()
    at(FRIDAY - MINUTE)
    assert jobs.reckon_anew(config, sessions) == 1
    assert fresh(session, planned).due_at == FRIDAY + 6 * HOUR
    assert jobs.reckon_anew(config, sessions) == 0


def test_who_moves_east_unseen_is_still_asked_for_by_facts(session, sessions, config, planned, nadia, at):
    """The bookmark says Friday 10:00 in Rome; by her new clock it is 04:00 then, and it waits."""
    planned.conversation.customer.timezone = "America/New_York"
    session.commit()
    assert jobs.release_due(config, sessions) == 0
    assert fresh(session, planned).due_at == FRIDAY + 6 * HOUR


def test_a_colleagues_follow_up_that_left_stops_hers(session, sessions, config, planned, nadia, at):
    chiara = make_editor(session, "Chiara Bassi")
    first = follow_up(session, planned.conversation, chiara, wall=WALL - HOUR)
    session.commit()
    at(FRIDAY - HOUR)
    assert jobs.release_due(config, sessions) == 1
    assert fresh(session, first).state is FollowUpState.SENT
    at(FRIDAY)
    assert jobs.release_due(config, sessions) == 0
    assert fresh(session, planned).because is Because.COLLEAGUE_WROTE


@pytest.mark.parametrize(("begun_by_hand", "stopped"), [(False, False), (True, True)])
def test_what_a_plan_sends_by_itself_in_a_colleagues_name_is_nobodys_letter(
    session, sessions, config, nadia, at, begun_by_hand, stopped
):
    chiara = make_editor(session, "Chiara Bassi")
    talk = answered(session, chiara)
    hers = follow_up(session, talk, nadia, wall=WALL, seen=commands.Seen(talk.last_message_id))
    plan = make_plan(session, chiara, Start.HAND, words=["hello to you."], waits=[1])
    run = carrying.start_run(
        session, plan, talk, Fact(talk.id, NOW, talk.customer_id, talk.id, mark=1), Start.HAND,
        by=chiara if begun_by_hand else None, policy=config.policy, now=NOW,
    )  # fmt: skip
    assert run.editor_id == chiara.id
    session.commit()
    config.policy.courtesy_rest_hours = 0
    at(FRIDAY - DAY)
    assert jobs.release_due(config, sessions) == 1
    at(FRIDAY)
    assert jobs.release_due(config, sessions) == (0 if stopped else 1)
    assert (fresh(session, hers).because is Because.COLLEAGUE_WROTE) is stopped


def rename(session, found, name):
    session.execute(sa.update(Customer).where(Customer.id == found.conversation.customer_id).values(name=name))
    session.commit()


def test_what_can_not_be_made_into_a_mail_says_so_and_holds_nobody_up(session, sessions, config, planned, nadia, at):
    other = follow_up(session, answered(session, nadia, "Anna Bianchi"), nadia)
    rename(session, planned, "Bar\x01")
    for seconds, left in ((0, 1), (31, 0)):
        at(FRIDAY + timedelta(seconds=seconds))
        assert jobs.release_due(config, sessions) == left
        assert fresh(session, planned).is_scheduled
    assert fresh(session, other).state is FollowUpState.SENT
    assert jobs.release_due(config, sessions) == 0, "it rests"
    at(FRIDAY + 3 * MINUTE)
    jobs.release_due(config, sessions)
    assert fresh(session, planned).because is Because.UNSENDABLE
    assert session.scalar(sa.select(sa.func.count()).select_from(Setback)) == 0


def test_a_fault_that_passes_loses_no_follow_up(session, sessions, config, planned, at):
    rename(session, planned, "Bar\x01")
    assert jobs.release_due(config, sessions) == 0
    rename(session, planned, "Barbara Rossi")
    at(FRIDAY + timedelta(seconds=31))
    assert jobs.release_due(config, sessions) == 1
    assert fresh(session, planned).state is FollowUpState.SENT


def test_a_conversation_that_began_with_our_letter_is_gone_on_with(session, sessions, config, nadia, at):
    conversation = answered(session, nadia)
    session.execute(sa.update(Message).where(Message.direction == "in").values(kind="automatic"))
    follow_up(session, conversation, nadia)
    session.commit()
    assert jobs.release_due(config, sessions) == 1
    ours = session.scalars(sa.select(Message).where(Message.direction == "out").order_by(Message.id)).first()
    mail = Mail.from_json(sent(session)[0].content)
    assert mail.in_reply_to.strip("<>") == ours.rfc_message_id
    assert "wrote:" not in mail.text


def test_a_mail_withheld_on_its_way_out_is_told_of_by_its_delivery(session, sessions, config, planned):
    """She asks for no more mails between the claim and the provider: the delivery is withheld."""
    assert jobs.release_due(config, sessions) == 1
    suppress(session, "barbara@example.com", reason=SuppressionReason.UNSUBSCRIBED, by=None, now=FRIDAY)
    session.commit()
    assert reserve_due(session, Lane.SINGLE, claim="one", now=FRIDAY, lease=timedelta(minutes=10), limit=10) == []
    session.commit()
    assert sent(session)[0].state is DeliveryState.WITHHELD


def test_what_is_due_is_found_by_the_index_of_what_is_due_however_many_are_planned(session):
    """Asked by state, SQLite walks through all that are planned; PostgreSQL reads so small a table whole."""
    asked, engine = [], session.get_bind().engine

    def note(_connection, _cursor, statement, values, *_others):
        asked.append((statement, values))

    sa.event.listen(engine, "before_cursor_execute", note)
    queries.list_due(session, now=FRIDAY, limit=200)
    queries.next_due_at(session)
    queries.list_moved(session, until=FRIDAY, limit=200)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 4
    if engine.dialect.name == "sqlite":
        for statement, values in asked:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            assert any("ix_follow_up_due" in row.detail for row in plan), statement
