"""A plan on its way: its steps leave one after the other, by itself or with a yes; or it ends, and says by what."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.audit import AuditEntry
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.config import Policy
from concierge.conversations.commands import close_conversation
from concierge.conversations.models import Message
from concierge.customers.commands import accept_unasked, decline_unasked, grant_consent
from concierge.customers.courtesy import Late
from concierge.drafts.models import MayNotAnswer
from concierge.followups import carrying, commands, jobs, plan_commands
from concierge.followups.conditions import Asking, Because
from concierge.followups.models import FollowUpState, Overtaken
from concierge.followups.plan_commands import PlanAsWritten, StepAsWritten
from concierge.followups.plan_facts import Fact
from concierge.followups.plan_models import (
    AlreadyInPlan,
    AlreadyOff,
    AlreadyOn,
    BegunBefore,
    EndsAtOnce,
    NoSteps,
    NothingToFillIt,
    PlanIsOff,
    PlanNameTaken,
    RunEnded,
)
from concierge.followups.plans import Start, StopsAlso
from concierge.followups.schedule import Window
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery
from concierge.templating.models import TemplateVersion
from tests.catalogue.builders import make_product
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_editor
from tests.followups.builders import answered
from tests.followups.plan_builders import make_plan, make_template, runs, steps_planned

# Every three days after NOW, a Tuesday, at 11:30 in Rome.
LATER = NOW + 3 * DAY


def begin(session, plan, talk, nadia):
    run = plan_commands.begin_plan(
        session, plan, talk, seen_message_id=talk.last_message_id, by=nadia, policy=Policy(), now=clock.now()
    )
    session.commit()
    return run


def tick(config, sessions):
    """What the worker does: begin, let go, carry on; how many mails left."""
    jobs.begin_plans(config, sessions)
    left = jobs.release_due(config, sessions)
    jobs.carry_plans(config, sessions)
    return left


def mails(session):
    session.commit()
    found = [Mail.from_json(each.content) for each in session.scalars(sa.select(Delivery).order_by(Delivery.id))]
    session.commit()
    return found


def reordered(session, plan, order, nadia):
    """The plan with its steps in another order, by their places so far; the others are taken out."""
    steps = [
        StepAsWritten(plan.steps[each].template_id, plan.steps[each].wait_days, id=plan.steps[each].id)
        for each in order
    ]
    written = PlanAsWritten(name=plan.name, start=plan.start, steps=steps)
    plan_commands.change_plan(session, plan, written, by=nadia, now=clock.now())
    session.commit()


@pytest.mark.parametrize(
    ("order", "said"),
    [((0, 2, 1), ["three", "two"]), ((2, 0, 1), ["two"]), ((1, 2, 0), []), ((2, 1), ["three", "two"])],
)
def test_in_another_order_nothing_is_said_twice_and_what_comes_after_follows(
    order, said, session, sessions, config, nadia, talk, at
):
    plan = make_plan(session, nadia, words=("one", "two", "three"), waits=(0, 8, 8))
    begin(session, plan, talk, nadia)
    assert jobs.release_due(config, sessions) == 1
    reordered(session, plan, order, nadia)
    for day in (0, 8, 16, 24):
        at(NOW + day * DAY)
        tick(config, sessions)
    assert [mail.text.split("\n")[2] for mail in mails(session)] == ["one", *said]


def test_its_steps_leave_one_after_the_other_as_her_editors_replies(session, sessions, config, nadia, talk, at):
    begin(session, make_plan(session, nadia), talk, nadia)
    assert tick(config, sessions) == 1
    [first, second] = steps_planned(session)
    assert (first.state, second.state) == (FollowUpState.SENT, FollowUpState.SCHEDULED)
    assert second.due_at == LATER
    at(LATER - MINUTE)
    assert tick(config, sessions) == 0
    at(LATER)
    assert tick(config, sessions) == 1
    thanks, fits = mails(session)
    assert "Dear Barbara,\n\nthank you." in thanks.text
    assert "how does it fit?" in fits.text
    assert (fits.sender.name, fits.subject) == ("Nadia Ferrant", "Re: The turquoise sandals")
    assert not fits.headers, "begun by hand: one person writes to another"
    [run] = runs(session)
    assert (run.ended_at, run.because) == (LATER, None)
    told = session.scalars(sa.select(AuditEntry.verb).where(AuditEntry.verb.like("plan.%"))).all()
    assert told[-2:] == ["plan.begun", "plan.ended"]


def she_writes(session, talk, _plan, _nadia):
    parent = session.scalar(sa.select(Message.rfc_message_id).order_by(Message.id.desc()))
    receive(session, at=NOW + DAY, in_reply_to=(parent,))


def she_buys(session, talk, _plan, _nadia):
    make_product(session)
    line = PurchaseReport("shop", "S-9:1", "CAL-TUR-37", NOW + DAY, address="barbara@example.com")
    report_purchase(session, line, now=NOW + DAY)


def it_is_switched_off(session, _talk, plan, nadia):
    plan_commands.switch_off(session, plan, by=nadia, now=NOW + DAY)


def the_step_is_taken_out(session, _talk, plan, nadia):
    written = PlanAsWritten(plan.name, plan.start, [StepAsWritten(plan.steps[0].template_id, id=plan.steps[0].id)])
    plan_commands.change_plan(session, plan, written, by=nadia, now=NOW + DAY)


def it_is_closed(session, talk, _plan, nadia):
    close_conversation(session, talk, by=nadia, now=NOW + DAY)


ENDS = {
    she_writes: Because.SHE_WROTE,
    she_buys: Because.SHE_BOUGHT,
    it_is_switched_off: Because.PLAN_OFF,
    the_step_is_taken_out: Because.PLAN_OFF,
    it_is_closed: Because.CLOSED,
}


@pytest.mark.parametrize(("happens", "because"), ENDS.items(), ids=[each.__name__ for each in ENDS])
def test_what_happens_between_two_steps_ends_it(session, sessions, config, nadia, talk, at, happens, because):  # F09
    plan = make_plan(session, nadia, stops_also=frozenset({StopsAlso.CLOSED}))
    begin(session, plan, talk, nadia)
    tick(config, sessions)
    happens(session, talk, plan, nadia)
    session.commit()
    at(LATER)
    assert tick(config, sessions) == 0
    [_first, second], [run] = steps_planned(session), runs(session)
    assert (second.state, second.because) == (FollowUpState.WITHHELD, because)
    assert (run.ended_at, run.because) == (LATER, because)
    assert len(mails(session)) == 1


def test_it_goes_by_itself_with_a_way_to_decline_it_and_stops_when_she_does(session, sessions, config, nadia, talk, at):
    make_plan(session, nadia, Start.SILENT, days=1)
    at(NOW + DAY)
    assert tick(config, sessions) == 1
    [mail] = mails(session)
    link = mail.headers["List-Unsubscribe"].strip("<>")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.startswith(f"{config.base_url}/no-more/")
    assert link in mail.text
    assert link in mail.html
    decline_unasked(session, talk.customer, by=None, way="one-click", now=NOW + 2 * DAY)
    session.commit()
    at(NOW + 4 * DAY)
    assert tick(config, sessions) == 0
    assert runs(session)[0].because is Because.DECLINED
    accept_unasked(session, talk.customer, by=nadia, way="editor", now=NOW + 4 * DAY)
    assert talk.customer.declined_at is None


@pytest.mark.parametrize(("agrees", "left"), [(True, 1), (False, 0)])
def test_what_wants_her_consent_goes_to_those_who_gave_it(session, sessions, config, nadia, talk, at, agrees, left):
    make_plan(session, nadia, Start.SILENT, days=1, needs_consent=True)
    if agrees:
        grant_consent(
            session,
            talk.customer,
            purpose="plan",
            words="Now and then.",
            language="en",
            way="editor",
            proof={},
            now=NOW,
        )
        session.commit()
    at(NOW + DAY)
    assert tick(config, sessions) == left
    assert runs(session)[0].because is (None if agrees else Because.NO_CONSENT)


def test_a_step_that_waits_for_a_yes_is_a_draft_on_her_desk_and_her_yes_makes_it_one_to_one(
    session, sessions, config, nadia, talk, at
):
    make_plan(session, nadia, Start.SILENT, days=1, needs_consent=True, step={"needs_yes": True})
    at(NOW + DAY)
    assert tick(config, sessions) == 0
    [draft] = steps_planned(session)
    assert (draft.asking, draft.editor_id) == (Asking.PLANNED_SO, nadia.id)
    seen = draft.conversation.last_message_id
    commands.approve_follow_up(session, draft, commands.Seen(seen), by=nadia, policy=Policy(), now=NOW + DAY)
    session.commit()
    assert tick(config, sessions) == 1
    assert not mails(session)[0].headers


@pytest.mark.parametrize(
    ("late", "state", "because"),
    [
        (Late.ASKED, FollowUpState.SCHEDULED, None),
        (Late.SKIPPED, FollowUpState.WITHHELD, Because.TOO_LATE),
        (Late.SENT, FollowUpState.SENT, None),
    ],
)
def test_a_step_that_is_late_does_what_it_says(session, sessions, config, nadia, talk, at, late, state, because):
    begin(session, make_plan(session, nadia, words=["hello to you."], waits=[1], step={"when_late": late}), talk, nadia)
    at(NOW + 4 * DAY)
    tick(config, sessions)
    [step] = steps_planned(session)
    assert (step.state, step.because) == (state, because)
    assert (step.asking is Asking.LATE) == (late is Late.ASKED)


def test_a_step_waits_for_its_own_window(session, sessions, config, nadia, talk, at):
    window = Window(15, 17, frozenset({3}))
    begin(session, make_plan(session, nadia, words=["hello to you."], waits=[0], step={"window": window}), talk, nadia)
    assert tick(config, sessions) == 0
    [step] = steps_planned(session)
    assert step.due_at == datetime(2026, 5, 14, 13, tzinfo=UTC), "Thursday at three by her clock"
    at(step.due_at)
    assert tick(config, sessions) == 1


def test_what_is_planned_keeps_its_words_and_later_steps_follow_the_new_text(
    session, sessions, config, nadia, talk, at
):
    plan = make_plan(session, nadia, words=["thank you.", "does it fit?", "take care of it."], waits=[0, 3, 3])
    begin(session, plan, talk, nadia)
    tick(config, sessions)
    for step in plan.steps[1:]:
        words = {"language": "en", "number": 2, "subject": "A word", "created_at": NOW}
        step.template.versions.append(TemplateVersion(body=f"new words of {step.place}.", **words))
    session.commit()
    for moment in (LATER, LATER + 3 * DAY):
        at(moment)
        assert tick(config, sessions) == 1
    _thanks, fit, care = (each.text for each in mails(session))
    assert "does it fit?" in fit
    assert "new words of 2." in care


def test_a_step_put_in_at_the_end_is_met_by_who_is_on_the_way(session, sessions, config, nadia, talk, at):
    plan = make_plan(session, nadia, words=["thank you."], waits=[0])
    begin(session, plan, talk, nadia)
    written = [StepAsWritten(each.template_id, id=each.id) for each in plan.steps]
    more = StepAsWritten(make_template(session, nadia, "one word more.").id, 1)
    plan_commands.change_plan(session, plan, PlanAsWritten(plan.name, plan.start, [*written, more]), by=nadia, now=NOW)
    session.commit()
    tick(config, sessions)
    assert [each.plan_step.place for each in steps_planned(session)] == [0, 1]


def test_words_with_a_hole_end_it_instead_of_leaving(session, sessions, config, nadia, talk):
    plan = make_plan(session, nadia, Start.DELIVERED, words=["{{ product.name }} is yours"], waits=[0])
    nameless = Fact(talk.id, NOW, talk.customer_id, talk.id)
    run = carrying.start_run(session, plan, talk, nameless, Start.DELIVERED, by=None, policy=Policy(), now=NOW)
    assert (run.because, steps_planned(session)) == (Because.HOLE, [])


def test_begun_by_hand_it_says_that_it_has_nothing_to_say_and_leaves_nothing_behind(session, nadia, talk):
    plan = make_plan(session, nadia, Start.DELIVERED, words=["{{ product.name }} is yours"], waits=[0])
    for _twice in range(2):
        with pytest.raises(EndsAtOnce):
            begin(session, plan, talk, nadia)
        session.rollback()
    assert runs(session) == []


@pytest.mark.parametrize("start", [Start.HAND, Start.SILENT, Start.DATE, Start.CLOSED])
def test_a_template_that_this_beginning_can_never_fill_is_not_kept(session, nadia, start):
    piece = {"words": ["{{ product.name }} is yours"], "waits": [0]}
    with pytest.raises(NothingToFillIt):
        make_plan(session, nadia, start, **piece)
    session.rollback()
    make_plan(
        session, nadia, start, step={"needs_yes": True}, name="Read first", words=["{{ product.name }}!"], waits=[0]
    )


def test_a_plan_whose_template_was_changed_since_is_not_switched_on(session, nadia):
    plan = make_plan(session, nadia, words=["hello to you."], waits=[0], on_at=None)
    newer = TemplateVersion(body="{{ product.name }}", language="en", number=2, subject="A word", created_at=NOW)
    plan.steps[0].template.versions.append(newer)
    session.commit()
    with pytest.raises(NothingToFillIt):
        plan_commands.switch_on(session, plan, by=nadia, now=NOW)


def test_a_run_that_ends_at_birth_is_told_in_the_conversation(session, nadia, talk):
    plan = make_plan(session, nadia, Start.CLOSED)
    for fact_id in (1, 2):
        fact = Fact(fact_id, NOW, talk.customer_id, talk.id)
        carrying.start_run(session, plan, talk, fact, Start.CLOSED, by=None, policy=Policy(), now=NOW)
    told = session.scalars(sa.select(AuditEntry).where(AuditEntry.verb == "plan.not_begun")).one()
    assert (told.subject_id, told.details["because"]) == (talk.id, "overlaps")


def test_taking_a_step_back_ends_it_and_so_does_stopping_it(session, sessions, config, nadia, talk, at):
    plan = make_plan(session, nadia)
    first = begin(session, plan, talk, nadia)
    commands.cancel_follow_up(session, steps_planned(session)[0], commands.Seen(), by=nadia, now=NOW)
    session.commit()
    tick(config, sessions)
    receive(session, at=NOW - HOUR / 2, in_reply_to=())
    session.commit()
    second = plan_commands.begin_plan(
        session,
        plan,
        answered(session, nadia, "Anna Bianchi"),
        seen_message_id=10**6,
        by=nadia,
        policy=Policy(),
        now=NOW,
    )
    plan_commands.stop_run(session, second, by=nadia, now=NOW)
    assert [each.because for each in runs(session)] == [Because.BY_EDITOR] * 2
    assert [each.state for each in steps_planned(session)] == [FollowUpState.CANCELLED] * 2
    with pytest.raises(RunEnded):
        plan_commands.stop_run(session, first, by=nadia, now=NOW)


def test_what_can_not_be_begun_or_kept_says_why(session, nadia, talk):
    plan = make_plan(session, nadia)
    reader = make_editor(session, "Marta Neri", role="merchandiser")
    session.commit()
    with pytest.raises(MayNotAnswer):
        begin(session, plan, talk, reader)
    with pytest.raises(Overtaken):
        plan_commands.begin_plan(
            session, plan, talk, seen_message_id=0, by=reader_of(session), policy=Policy(), now=NOW
        )
    begin(session, plan, talk, nadia)
    with pytest.raises(AlreadyInPlan):
        begin(session, plan, talk, nadia)
    plan_commands.stop_run(session, runs(session)[0], by=nadia, now=NOW)
    with pytest.raises(BegunBefore):
        begin(session, plan, talk, nadia)
    with pytest.raises(AlreadyOn):
        plan_commands.switch_on(session, plan, by=nadia, now=NOW)
    plan_commands.switch_off(session, plan, by=nadia, now=NOW)
    with pytest.raises(AlreadyOff):
        plan_commands.switch_off(session, plan, by=nadia, now=NOW)
    with pytest.raises(PlanIsOff):
        begin(session, plan, talk, nadia)
    with pytest.raises(PlanNameTaken):
        written = PlanAsWritten("A plan", Start.HAND, [StepAsWritten(plan.steps[0].template_id)])
        plan_commands.write_plan(session, written, by=nadia, now=NOW)
    with pytest.raises(NoSteps):
        plan_commands.write_plan(session, PlanAsWritten("Another", Start.HAND, []), by=nadia, now=NOW)


def reader_of(session):
    """Chiara has not seen what Nadia wrote."""
    return make_editor(session, "Chiara Bassi")


def test_two_plans_of_one_minute_leave_a_minute_apart_and_within_the_courtesy_budget(
    session, sessions, config, nadia, talk, at
):
    for number in range(2):
        plan = make_plan(session, nadia, words=[f"a word, number {number}."], waits=[1], name=f"Plan {number}")
        begin(session, plan, talk, nadia)
    first, second = steps_planned(session)
    assert second.wall - first.wall == timedelta(minutes=1)
    at(NOW + DAY + HOUR)
    assert tick(config, sessions) == 1
    at(NOW + 2 * DAY + HOUR)
    assert tick(config, sessions) == 1
