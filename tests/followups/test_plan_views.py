"""Admins write plans, without JavaScript too; everybody reads them; each number opens its rows; she may decline."""

import re

import pytest
import sqlalchemy as sa

from concierge import clock
from concierge.accounts.models import Role
from concierge.catalogue.purchases import report_purchase
from concierge.config import Policy
from concierge.conversations.models import Message
from concierge.customers.models import Customer
from concierge.customers.queries import list_consents
from concierge.followups import carrying, jobs, plan_commands
from concierge.followups.conditions import Because
from concierge.followups.plan_facts import Fact
from concierge.followups.plan_links import decline_link
from concierge.followups.plan_models import Plan
from concierge.followups.plans import Start
from concierge.followups.river import Station, draw
from tests.catalogue.builders import make_product
from tests.conversations.stories import receive
from tests.factories import DAY, NOW, make_editor, sign_in
from tests.followups.builders import answered
from tests.followups.plan_builders import make_plan, make_template, runs, steps_planned
from tests.followups.test_plan_facts import LINE


@pytest.fixture
def omar(session, nadia):
    omar = make_editor(session, "Omar Saidi", role=Role.ADMIN)
    session.commit()
    return omar


def step(place, template, **values):
    fields = {"number": "", "wait_days": "0", "from_hour": "9", "until_hour": "20", "template_id": str(template.id),
              "when_late": "asked", "weekdays": ["0", "1", "2", "3", "4", "5", "6"]}  # fmt: skip
    return {f"steps-{place}-{name}": value for name, value in (fields | values).items()}


def plan_fields(template, **values):
    fields = {"name": "After a pass", "start": "passed", "days": "3", "template_id": "0", "date_kind": "birthday"}
    return fields | step(0, template) | values


def version_of(page):
    [found] = re.findall(r'name="version"[^>]*value="([^"]*)"', page)
    return found


def the_plan(session):
    session.commit()
    found = session.scalars(sa.select(Plan).execution_options(populate_existing=True)).one()
    session.commit()
    return found


def test_an_admin_writes_a_plan_changes_it_and_switches_it(client, session, nadia, omar):
    template = make_template(session, nadia)
    session.commit()
    sign_in(client, omar)
    assert "how does it fit?" in client.get("/plans/new").get_data(as_text=True)
    fields = plan_fields(template, stops_also=["wish", "promise"], needs_consent="y")
    assert client.post("/plans", data=fields).status_code == 303
    plan = the_plan(session)
    assert (plan.start, plan.stops_also, plan.needs_consent, plan.is_on) == (
        Start.PASSED, ["promise", "wish"], True, False,
    )  # fmt: skip
    page = client.get(f"/plans/{plan.id}/edit").get_data(as_text=True)
    boxes = re.findall(r'<input[^>]*type="checkbox"[^>]*>', page)
    assert boxes and not [each for each in boxes if "required" in each], "a browser would ask for all seven days"
    [number] = re.findall(r'name="steps-0-number"[^>]*value="(\d+)"', page)
    changed = plan_fields(template, name="After a no", version=version_of(page)) | step(
        0, template, number=number, wait_days="2", needs_yes="y"
    )
    assert client.post(f"/plans/{plan.id}", data=changed | step(1, template, weekdays=["0"])).status_code == 303
    first, second = the_plan(session).steps
    assert (first.id, first.wait_days, first.needs_yes, second.weekdays) == (int(number), 2, True, "0")
    assert client.post(f"/plans/{plan.id}/switch-on").status_code == 303
    assert client.post(f"/plans/{plan.id}/switch-on").status_code == 409
    assert "Switch it off" in client.get(f"/plans/{plan.id}").get_data(as_text=True)
    assert client.post(f"/plans/{plan.id}/switch-off").status_code == 303
    assert not the_plan(session).is_on


def test_a_step_more_or_less_keeps_what_was_typed_and_keeps_nothing(client, session, nadia, omar):
    template = make_template(session, nadia)
    session.commit()
    sign_in(client, omar)
    more = client.post("/plans", data=plan_fields(template, do="add", name="Half-written")).get_data(as_text=True)
    assert more.count("steps-1-wait_days") >= 1
    assert 'value="Half-written"' in more
    fields = plan_fields(template) | step(0, template, wait_days="5") | step(1, template, wait_days="7")
    less = client.post("/plans", data=fields | {"do": "remove-0"}).get_data(as_text=True)
    assert re.search(r'name="steps-0-wait_days"[^>]*value="7"', less)
    assert "steps-1-wait_days" not in less
    assert session.scalar(sa.select(sa.func.count()).select_from(Plan)) == 0


def test_a_step_is_put_before_another_and_stays_the_step_it_was(client, session, nadia, omar):
    plan = make_plan(session, nadia, on_at=None)
    [first, second], address = [each.id for each in plan.steps], f"/plans/{plan.id}"
    template = make_template(session, nadia, "something else.")
    session.commit()
    sign_in(client, omar)
    page = client.get(f"{address}/edit").get_data(as_text=True)
    assert "Put step 2 before step 1" in page and "Put step 1" not in page
    fields = plan_fields(template) | step(0, template, number=str(first)) | step(1, template, number=str(second))
    for do, numbers in (("raise-1", [second, first]), ("raise-0", [first, second]), ("raise-9", [first, second])):
        shown = client.post(address, data=fields | {"do": do}).get_data(as_text=True)
        assert re.findall(r'name="steps-\d-number"[^>]*value="(\d+)"', shown) == [str(each) for each in numbers]
    session.commit()
    turned = (
        plan_fields(template, version=plan.version)
        | step(0, template, number=str(second))
        | step(1, template, number=str(first))
    )
    assert client.post(address, data=turned).status_code == 303
    assert [each.id for each in the_plan(session).steps] == [second, first]


def test_a_form_from_before_anothers_change_takes_no_step_out_unseen(client, session, nadia, omar):
    plan = make_plan(session, nadia, on_at=None)
    [first, second], address = [each.id for each in plan.steps], f"/plans/{plan.id}"
    template = make_template(session, nadia, "one word more.")
    session.commit()
    sign_in(client, omar)
    old = version_of(client.get(f"{address}/edit").get_data(as_text=True))
    both = step(0, template, number=str(first)) | step(1, template, number=str(second))
    longer = plan_fields(template, version=old) | both | step(2, template)
    assert client.post(address, data=longer).status_code == 303
    shorter = plan_fields(template, version=old, name="What I typed") | both
    added = client.post(address, data=shorter | {"do": "add"}).get_data(as_text=True)
    assert version_of(added) == old, "a row more is no look at the plan"
    answer = client.post(address, data=shorter)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Somebody has changed this plan" in page) == (409, True)
    assert 'value="What I typed"' in page
    assert page.count("one word more.: ") == 3, "how it stands now"
    assert len(the_plan(session).steps) == 3
    assert client.post(address, data=shorter | {"version": version_of(page)}).status_code == 303, "knowing it"
    assert len(the_plan(session).steps) == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "Give it a name."),
        ({"steps-0-until_hour": "9"}, "It has to be later than the first hour."),
        ({"steps-0-template_id": "0"}, "Choose a template."),
        (
            {"steps-0-from_hour": "21", "steps-0-until_hour": "23"},
            "Step 1 names hours in which the house never writes.",
        ),
        ({"steps-0-weekdays": []}, "Choose a day of the week at least."),
        ({"steps-0-wait_days": "x"}, "Not a valid integer value."),
    ],
)
def test_what_can_not_be_kept_says_so_beside_the_field(client, session, nadia, omar, wrong, sentence):
    template = make_template(session, nadia)
    session.commit()
    sign_in(client, omar)
    answer = client.post("/plans", data=plan_fields(template, **wrong))
    assert (answer.status_code, sentence in answer.get_data(as_text=True)) == (422, True)


def test_a_new_step_has_no_template_until_one_is_chosen(client, session, nadia, omar):
    make_template(session, nadia)
    session.commit()
    sign_in(client, omar)
    page = client.get("/plans/new").get_data(as_text=True)
    chosen = re.search(r'<select[^>]*name="steps-0-template_id".*?<option selected value="(\d+)"', page, re.S)
    assert chosen and chosen[1] == "0"


def test_a_template_that_can_never_be_filled_says_so_beside_its_step(client, session, nadia, omar):
    template = make_template(session, nadia, "{{ product.name }} is yours", name="A piece")
    session.commit()
    sign_in(client, omar)
    answer = client.post("/plans", data=plan_fields(template, start="closed"))
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Step 1 speaks of a piece" in page) == (422, True)
    assert client.post("/plans", data=plan_fields(template, start="passed")).status_code == 303


def test_the_hours_that_really_hold_are_shown(client, session, nadia):
    plan = make_plan(session, nadia, words=["hello to you.", "and again."], waits=[0, 1])
    first, second = plan.steps
    first.from_hour, first.until_hour, second.from_hour, second.until_hour = 19, 23, 21, 23
    session.commit()
    sign_in(client, nadia)
    page = client.get(f"/plans/{plan.id}").get_data(as_text=True)
    assert "between 19 and 20 by her clock (19–23 as written" in page
    assert "between 9 and 20 by her clock (21–23, as written, never meets" in page


def test_what_ended_before_a_word_was_planned_is_listed_by_its_reason(client, session, nadia, talk):
    plan = make_plan(session, nadia, Start.CLOSED)
    for fact_id in (1, 2):
        fact = Fact(fact_id, NOW, talk.customer_id, talk.id)
        carrying.start_run(session, plan, talk, fact, Start.CLOSED, by=None, policy=Policy(), now=NOW)
    session.commit()
    sign_in(client, nadia)
    assert "<b>1</b> in the plan already" in client.get(f"/plans/{plan.id}").get_data(as_text=True)
    rows = f"/plans/{plan.id}/rows?what=never&because="
    assert "She was in this plan already." in client.get(f"{rows}overlaps").get_data(as_text=True)
    assert "Nothing here." in client.get(f"{rows}hole").get_data(as_text=True)
    assert "did not begin: She was in this plan already." in client.get(f"/conversations/{talk.id}").text
    assert 'value="overlaps"' not in client.get("/followups/unsent").text, "no follow-up carries it"


def test_two_plans_of_one_name_are_refused(client, session, nadia, omar):
    template = make_template(session, nadia)
    session.commit()
    sign_in(client, omar)
    client.post("/plans", data=plan_fields(template))
    answer = client.post("/plans", data=plan_fields(template))
    assert (answer.status_code, "Another plan has this name" in answer.get_data(as_text=True)) == (409, True)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.MERCHANDISER])
def test_others_read_and_write_nothing(client, session, nadia, role):
    reader = make_editor(session, "Mallory Grey", role=role)
    plan = make_plan(session, nadia)
    sign_in(client, reader)
    for page in ("/plans", f"/plans/{plan.id}", f"/plans/{plan.id}/rows?what=runs"):
        assert client.get(page).status_code == 200
    assert "Switch it off" not in client.get(f"/plans/{plan.id}").get_data(as_text=True)
    for page in ("/plans/new", f"/plans/{plan.id}/edit"):
        assert client.get(page).status_code == 403
    for verb in ("", "/switch-off"):
        assert client.post(f"/plans/{plan.id}{verb}").status_code == 403


def test_each_number_opens_its_rows(client, session, sessions, config, nadia, talk, monkeypatch):
    plan = make_plan(session, nadia, Start.DELIVERED)
    make_product(session)
    report_purchase(session, LINE.__class__(**{**_fields(LINE), "delivered_at": NOW}), now=NOW)
    session.commit()
    plan_commands.begin_plan(
        session,
        plan,
        answered(session, nadia, "Anna Bianchi"),
        seen_message_id=10**9,
        by=nadia,
        policy=Policy(),
        now=NOW,
    )
    for each in plan.steps:
        each.wait_days = 0
    session.commit()
    config.policy.courtesy_rest_hours = 0
    for job in (jobs.release_due, jobs.carry_plans, jobs.release_due, jobs.carry_plans):
        job(config, sessions)
    plan.steps[1].wait_days = 3
    session.commit()
    for job in (jobs.begin_plans, jobs.release_due, jobs.carry_plans):
        job(config, sessions)
    monkeypatch.setattr(clock, "now", lambda: NOW + 4 * DAY)
    receive(session, at=NOW + DAY, in_reply_to=(talk_id(session, talk),))
    bought = LINE.__class__(**{**_fields(LINE), "external_id": "S-2:1", "at": NOW + DAY})
    report_purchase(session, bought, now=NOW + DAY)
    session.commit()
    jobs.release_due(config, sessions)
    jobs.carry_plans(config, sessions)
    sign_in(client, nadia)
    *_annas, first, second = steps_planned(session)
    page = client.get(f"/plans/{plan.id}").get_data(as_text=True)
    assert "river__water" in page
    for what, found in (("sent", first), ("answered", first), ("bought", first), ("stopped", second)):
        address = f"/plans/{plan.id}/rows?what={what}&amp;step={found.plan_step_id}"
        assert f'href="{address}' in page, what
        rows = client.get(address.replace("&amp;", "&")).get_data(as_text=True)
        assert "Barbara Rossi · The turquoise sandals" in rows
    assert "<b>1</b> she wrote</a>" in page
    assert "Barbara Rossi" in client.get(f"/plans/{plan.id}/rows?what=runs").get_data(as_text=True)
    assert "Barbara Rossi" not in client.get(f"/plans/{plan.id}/rows?what=living").get_data(as_text=True)
    assert "1 answered, 1 bought after" in client.get("/plans").get_data(as_text=True)


def _fields(line):
    return {name: getattr(line, name) for name in line.__dataclass_fields__}


def talk_id(session, talk):
    """The name of the newest mail in a conversation."""
    here = sa.select(Message.rfc_message_id).where(Message.conversation_id == talk.id)
    return session.scalar(here.order_by(Message.id.desc()))


def test_a_plan_is_begun_and_stopped_in_the_conversation(client, session, nadia, talk):
    plan = make_plan(session, nadia)
    sign_in(client, nadia)
    here = f"/conversations/{talk.id}"
    assert f'<option value="{plan.id}">A plan' in client.get(f"{here}/followups").get_data(as_text=True)
    seen = talk.last_message_id
    client.post(f"{here}/plans", data={"plan": plan.id, "seen": seen})
    page = client.get(f"{here}/followups").get_data(as_text=True)
    assert "The plan “A plan” is under way" in page
    assert "Of the plan" in page
    [run] = runs(session)
    assert client.post(f"/conversations/{talk.id + 1}/plans/{run.id}/stop").status_code == 404
    assert client.post(f"{here}/plans/{run.id}/stop").status_code == 303
    assert runs(session)[0].because is Because.BY_EDITOR
    assert "began the plan “A plan”" in client.get(here).get_data(as_text=True)


def test_a_draft_of_a_plan_waits_on_today_and_one_key_sends_it(client, session, sessions, config, nadia, talk):
    plan = make_plan(session, nadia, step={"needs_yes": True})
    plan_commands.begin_plan(
        session, plan, talk, seen_message_id=talk.last_message_id, by=nadia, policy=Policy(), now=NOW
    )
    session.commit()
    jobs.release_due(config, sessions)
    sign_in(client, nadia)
    page = client.get("/today").get_data(as_text=True)
    assert "Waits for your yes" in page
    assert 'data-key="y"' in page
    [draft] = steps_planned(session)
    seen = {"seen": draft.conversation.last_message_id, "version": draft.version, "back": "today"}
    assert client.post(f"/conversations/{talk.id}/followups/{draft.id}/approve", data=seen).status_code == 303
    assert jobs.release_due(config, sessions) == 1


def test_one_click_declines_and_a_page_takes_it_back(client, session, config, talk):
    link = decline_link(config, talk.customer_id).removeprefix(config.base_url)
    assert "No more of these, please" in client.get(link).get_data(as_text=True)
    for _twice in range(2):
        answer = client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.data) == (200, b"")
    assert session.get(Customer, talk.customer_id, populate_existing=True).declined_at == NOW
    session.rollback()
    assert "It is done" in client.get(link).get_data(as_text=True)
    assert client.post(f"{link}/undo").status_code == 303
    assert session.get(Customer, talk.customer_id, populate_existing=True).declined_at is None
    session.rollback()
    assert client.get("/no-more/forged").status_code == 403


def test_an_editor_notes_dates_and_what_she_agreed_to(client, session, nadia, talk):
    sign_in(client, nadia)
    here = f"/customers/{talk.customer_id}"
    assert client.post(f"{here}/dates", data={"kind": "birthday", "day": "20", "month": "5"}).status_code == 303
    assert client.post(f"{here}/dates", data={"kind": "party", "day": "31", "month": "2"}).status_code == 422
    assert client.post(f"{here}/unasked/agree", data={"words": ""}).status_code == 422
    assert client.post(f"{here}/unasked/agree", data={"words": "Do write, now and then."}).status_code == 303
    page = client.get(here).get_data(as_text=True)
    assert "Birthday: 20 May" in page or "Birthday: May 20" in page
    assert "Do write, now and then." in page
    assert client.post(f"{here}/unasked/decline").status_code == 303
    assert list_consents(session, talk.customer_id, purpose="plan", standing_only=True) == []
    assert "She wants none of them." in client.get(here).get_data(as_text=True)


def test_the_river_is_as_wide_as_there_are_people_and_says_nothing_raw():
    drawn = draw([Station("<begun>", 10), Station("one", 5, 2), Station("two", 0)], title='a "plan"')
    assert "&lt;begun&gt;" in drawn
    assert "style=" not in drawn
    heights = re.findall(r'river__line" x1="(\d+)" y1="([\d.]+)" x2="\d+" y2="([\d.]+)"', drawn)
    assert [float(low) - float(top) for _x, top, low in heights] == [64.0, 32.0, 2.0]
    assert draw([Station("begun", 0)], title="none").startswith("<svg")
