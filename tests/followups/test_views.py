"""Planning follow-ups from a conversation, without JavaScript and with it; the desk's pages; who may."""

import re

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from concierge.accounts.models import Role
from concierge.config import LANGUAGES
from concierge.conversations.models import Conversation
from concierge.conversations.queries import last_answer
from concierge.drafts.wording import find_hole
from concierge.followups import jobs, words
from concierge.followups.conditions import Asking, Because, Moved
from concierge.followups.models import FollowUp, FollowUpState
from concierge.followups.moments import read_phrase
from concierge.mailing.models import Delivery
from concierge.templating.commands import Wording, add_template
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, NOW, make_editor, sign_in
from tests.followups.builders import FRIDAY, ROME, answered, follow_up

HTMX = {"HX-Request": "true"}


@pytest.fixture
def talk(session, nadia, client):
    """Nadia is signed in and has answered Barbara; the address of her follow-ups there."""
    conversation = answered(session, nadia)
    session.commit()
    sign_in(client, nadia)
    return f"/conversations/{conversation.id}/followups"


def form_of(page: str) -> dict[str, str]:
    """The fields as the page proposes them."""
    fields = dict(re.findall(r'<input[^>]* name="(when|seen|version)" value="([^"]*)"', page))
    [text] = re.findall(r'<textarea[^>]*name="text"[^>]*>([^<]*)</textarea>', page)
    return {name: value.replace("&#39;", "'") for name, value in (fields | {"text": text}).items()}


def the_one(session) -> FollowUp:
    found = session.scalars(sa.select(FollowUp).execution_options(populate_existing=True)).one()
    session.commit()
    return found


def test_what_is_proposed_is_planned_by_one_press(client, session, talk, nadia):
    page = client.get(talk).get_data(as_text=True)
    assert "Friday 15 May, 10:00" in page
    answer = client.post(talk, data=form_of(page))
    assert (answer.status_code, answer.headers["Location"]) == (303, talk)
    found = the_one(session)
    assert (found.due_at, found.editor_id, found.is_named) == (FRIDAY, nadia.id, False)
    page = client.get(talk).get_data(as_text=True)
    assert "Friday 15 May, 10:00" in page
    assert "I only wanted to make sure" in page
    assert "planned a follow-up for 15 May" in client.get(talk.removesuffix("/followups")).get_data(as_text=True)


def test_with_htmx_the_piece_comes_back(client, talk):
    piece = client.get(talk, headers=HTMX).get_data(as_text=True)
    assert "<html" not in piece
    planned = client.post(talk, data=form_of(piece), headers=HTMX).get_data(as_text=True)
    assert "<html" not in planned
    assert "Friday 15 May, 10:00" in planned


def test_what_a_moment_means_is_said_while_it_is_typed(client, talk):
    assert "Monday 18 May, 10:00" in client.get(f"{talk}/when?when=next monday").get_data(as_text=True)
    night = client.get(f"{talk}/when?when=tomorrow 23:00").get_data(as_text=True)
    assert "Thursday 14 May, 09:00" in night, "she sleeps at eleven"
    assert "“in 3 days”" in client.get(f"{talk}/when?when=whenever").get_data(as_text=True)


@pytest.mark.parametrize(
    ("typed", "said", "refusal"),
    [
        ("1 January 2020", "Wednesday 1 January 2020, 10:00", "That has gone by already."),
        ("today at 9", "Tuesday 12 May, 09:00", "That has gone by already."),
        ("in 20 months", "Wednesday 12 January 2028, 10:00", ""),
        ("8 March", "Monday 8 March 2027, 10:00", ""),
        ("1 January 2030", "Tuesday 1 January 2030, 10:00", "still to come, within two years."),
        ("31 December", "Thursday 31 December, 10:00", ""),
    ],
)
def test_another_year_and_what_has_gone_by_are_said_while_it_is_typed(client, session, talk, typed, said, refusal):
    shown = client.get(f"{talk}/when", query_string={"when": typed}).text
    assert said in shown
    assert (refusal in shown) and ("<strong>" in shown) is bool(refusal)
    planned = client.post(talk, data=form_of(client.get(talk).text) | {"when": typed})
    assert planned.status_code == (422 if refusal else 303)
    if not refusal:
        assert said in client.get(talk).text


@pytest.mark.parametrize(
    ("language", "typed", "in_order"),
    [
        ("en", "1 January 2020", ["Wednesday 1 January 2020, 10:00", "her time, Europe/Rome", "gone by already."]),
        ("it", "1 gennaio 2020", ["mercoledì 1 gennaio 2020, 10:00", "ora sua, Europe/Rome", "È già passato."]),
        ("en", "tomorrow 23:00", ["Thursday 14 May, 09:00", "her time, Europe/Rome", "outside her hours."]),
        (
            "it",
            "domani alle 23",
            [
                "giovedì 14 maggio, 09:00",
                "ora sua, Europe/Rome",
                "Rinviato: il momento previsto è fuori dalle sue ore.",
            ],
        ),
    ],
)
def test_whose_clock_it_is_stands_beside_the_moment_and_then_what_is_said_of_it(
    client, session, nadia, talk, language, typed, in_order
):
    nadia.language = language
    session.commit()
    shown = client.get(f"{talk}/when", query_string={"when": typed}).text
    assert all(words in shown for words in in_order), shown
    assert sorted(in_order, key=shown.index) == in_order


@pytest.mark.parametrize(("language", "begins"), [("en", "Put off: "), ("it", "Rinviato: ")])
def test_why_it_was_moved_can_not_be_read_as_said_of_the_day_beside_it(app, language, begins):
    with app.test_request_context(), force_locale(language):
        assert all(words.moved_words(each).startswith(begins) for each in Moved)


def test_where_nothing_is_on_its_way_no_clock_is_named(client, talk):
    shown = client.get(f"{talk}/when?when=2 weeks after it is delivered").text
    assert "No order of hers is on its way" in shown and "her time" not in shown


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"when": "whenever"}, 422, "We could not read when."),
        ({"when": "2026-05-11 10:00"}, 422, "still to come"),
        ({"text": " "}, 422, "There is nothing in this mail yet."),
        ({"text": "Dear Barbara, your size [size] is back"}, 422, "There is still a hole"),
        ({"seen": "0"}, 409, "Something newer has arrived"),
    ],
)
def test_what_can_not_be_planned_is_shown_again_as_it_was_typed(client, session, talk, typed, status, sentence):
    fields = form_of(client.get(talk).get_data(as_text=True)) | typed
    answer = client.post(talk, data=fields)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, sentence in page) == (status, True)
    assert form_of(page)["text"].strip() == fields["text"].strip()
    assert session.scalar(sa.select(sa.func.count()).select_from(FollowUp)) == 0


def test_a_template_fills_the_words_by_the_composers_own_rendering(client, session, talk, nadia):
    greeting = "{% if customer.first_name %}Dear {{ customer.first_name }}{% else %}Good morning{% endif %}"
    wording = {"en": Wording("Again", f"{greeting},\n\nhave you seen it?")}
    template = add_template(session, name="A nudge", when_to_use="", wording=wording, by=nadia, now=NOW)
    session.commit()
    fields = form_of(client.get(talk).get_data(as_text=True)) | {"template": str(template.id), "when": "in a week"}
    page = client.post(f"{talk}/fill", data=fields).get_data(as_text=True)
    filled = form_of(page)
    assert "Dear Barbara,\n\nhave you seen it?" in filled["text"]
    assert filled["when"] == "in a week"
    assert session.scalar(sa.select(sa.func.count()).select_from(FollowUp)) == 0
    [version] = template.versions
    session.commit()
    assert f'name="template_version" value="{version.id}"' in page
    refused = client.post(talk, data=filled | {"template_version": version.id, "when": "whenever"})
    assert f'name="template_version" value="{version.id}"' in refused.get_data(as_text=True), "kept with what was typed"
    assert client.post(talk, data=filled | {"template_version": version.id}).status_code == 303
    assert the_one(session).template_version_id == version.id
    session.refresh(template)
    assert template.uses == 1, "as for a reply"
    session.commit()
    address = f"{talk}/{the_one(session).id}"
    fields = form_of(client.get(address).get_data(as_text=True)) | {"text": "Dear Barbara, another word."}
    assert client.post(address, data=fields).status_code == 303
    assert the_one(session).template_version_id == version.id, "changed words were still begun from it"


def test_a_template_nobody_has_is_no_template(client, session, talk):
    fields = form_of(client.get(talk).get_data(as_text=True))
    assert client.post(talk, data=fields | {"template_version": "4711"}).status_code == 303
    assert the_one(session).template_version_id is None


def test_where_a_template_that_speaks_of_a_piece_is_filled_is_said(client, session, talk, nadia):
    wording = {"en": Wording("Gone", "Good day,\n\n{{ product.name }} is back.")}
    add_template(session, name="It is back", when_to_use="", wording=wording, by=nadia, now=NOW)
    session.commit()
    page = client.get(talk).get_data(as_text=True)
    assert "“It is back” speaks of a piece: choose it in the answer" in page
    assert ">It is back</option>" not in page


def test_while_she_waits_the_form_says_that_a_follow_up_is_no_answer(client, session, talk):
    said = "She waits for an answer, and a follow-up is none"
    assert said not in client.get(talk).text
    conversation = session.get(Conversation, int(talk.split("/")[2]))
    receive(session, at=NOW + HOUR, references=(last_answer(session, conversation).rfc_message_id,))
    session.commit()
    assert said in client.get(talk).text
    assert said in client.get(talk.replace("/followups", "/draft")).text


def test_one_is_changed_and_taken_back(client, session, talk, nadia):
    client.post(talk, data=form_of(client.get(talk).get_data(as_text=True)))
    address = f"{talk}/{the_one(session).id}"
    fields = form_of(client.get(address).get_data(as_text=True))
    assert fields["when"] == "2026-05-15 10:00"
    assert client.post(address, data=fields | {"when": "in a week"}).status_code == 303
    assert the_one(session).due_at == FRIDAY + 4 * DAY
    version = the_one(session).version
    assert client.post(f"{address}/cancel", data={"version": version}).status_code == 303
    assert the_one(session).because is Because.BY_EDITOR
    assert client.post(f"{address}/cancel").status_code == 409
    assert "It was taken back." in client.get(talk).get_data(as_text=True)


def test_sent_now_it_leaves_at_the_next_look(client, session, sessions, config, talk):
    client.post(talk, data=form_of(client.get(talk).get_data(as_text=True)))
    found = the_one(session)
    seen = found.conversation.last_message_id
    assert client.post(f"{talk}/{found.id}/send-now", data={"seen": seen, "version": found.version}).status_code == 303
    assert jobs.release_due(config, sessions) == 1
    assert session.scalars(sa.select(Delivery)).one().purpose == "follow_up"


def test_what_a_colleague_changed_meanwhile_is_not_overwritten_and_what_was_typed_is_kept(client, session, talk):
    client.post(talk, data=form_of(client.get(talk).get_data(as_text=True)))
    address = f"{talk}/{the_one(session).id}"
    nadias = form_of(client.get(address).get_data(as_text=True))
    chiaras = nadias | {"text": "Dear Barbara, the ivory pair is back."}
    assert client.post(address, data=chiaras).status_code == 303
    answer = client.post(address, data=nadias | {"text": "Dear Barbara, from Nadia."})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Somebody has changed this follow-up" in page) == (409, True)
    assert "the ivory pair is back" in page.split("What it says now")[1].split("<textarea")[0]
    assert form_of(page)["text"].strip() == "Dear Barbara, from Nadia."
    assert "ivory" in the_one(session).body
    assert client.post(address, data=form_of(page)).status_code == 303, "knowing what was there"
    assert "from Nadia" in the_one(session).body


@pytest.mark.parametrize("verb", ["cancel", "approve", "send-now"])
def test_nobody_says_yes_or_no_to_words_she_has_not_seen(client, session, talk, verb):
    client.post(talk, data=form_of(client.get(talk).get_data(as_text=True)))
    found = the_one(session)
    address, seen = f"{talk}/{found.id}", {"seen": found.conversation.last_message_id, "version": found.version}
    fields = form_of(client.get(address).get_data(as_text=True))
    client.post(address, data=fields | {"text": "Dear Barbara, the ivory pair is back."})
    answer = client.post(f"{address}/{verb}", data=seen)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Somebody has changed this follow-up" in page) == (409, True)
    assert "the ivory pair is back" in form_of(page)["text"]
    assert (the_one(session).is_scheduled, the_one(session).approved_at) == (True, None)
    assert client.post(f"{address}/{verb}", data=seen | {"version": the_one(session).version}).status_code == 303


def test_when_she_has_written_the_page_says_that_it_will_not_leave(client, session, talk, nadia):
    client.post(talk, data=form_of(client.get(talk).get_data(as_text=True)))
    receive(session, at=NOW + HOUR, subject="Another dress")
    session.commit()
    page = client.get(talk).get_data(as_text=True)
    assert "As things stand it will not leave:" in page
    assert "She has written since." in page


def test_the_form_says_what_a_colleague_has_planned_here(client, session, talk, nadia):
    chiara = make_editor(session, "Chiara Bassi")
    conversation = session.get(Conversation, int(talk.split("/")[2]))
    said = "has one planned here already, Friday 15 May, 10:00"
    follow_up(session, conversation, nadia)
    session.commit()
    assert said not in client.get(talk).get_data(as_text=True), "her own is in the list"
    follow_up(session, conversation, chiara)
    session.commit()
    page = client.get(talk).get_data(as_text=True)
    assert f"Chiara Bassi {said}" in page
    assert client.post(talk, data=form_of(page) | {"when": "in a week"}).status_code == 303, "a hint, no refusal"


@pytest.fixture
def full_desk(session, nadia, talk):
    """One asks, one leaves today, one was stopped, one is Chiara's."""
    chiara = make_editor(session, "Chiara Bassi")
    names = ("Anna", "Bruna", "Carla", "Dora")
    asks, leaves, stopped, hers = (
        follow_up(session, answered(session, nadia, f"{name} Rossi"), chiara if name == "Dora" else nadia)
        for name in names
    )
    asks.ask(Asking.LATE, now=NOW)
    leaves.due_at = NOW + HOUR
    stopped.settle(Because.SHE_BOUGHT, by=None, now=NOW)
    session.commit()
    return asks, leaves, stopped, hers


def test_today_shows_what_asks_for_her_and_a_yes_leads_back_to_it(client, session, full_desk):
    page = client.get("/today").get_data(as_text=True)
    for words_shown in (
        "Anna Rossi",
        "It is late. May it still go?",
        "Bruna Rossi",
        "Carla Rossi",
        "She has bought since.",
    ):
        assert words_shown in page
    assert "Dora" not in page
    asks = full_desk[0]
    seen = asks.conversation.last_message_id
    address = f"/conversations/{asks.conversation_id}/followups/{asks.id}/approve"
    said = {"seen": seen, "version": asks.version, "back": "today"}
    assert client.post(address, data=said).headers["Location"] == "/today"
    assert session.get(FollowUp, asks.id, populate_existing=True).asked_at is None


def test_what_comes_is_shown_by_day_and_what_did_not_leave_by_reason(client, session, full_desk):
    coming = client.get("/followups").get_data(as_text=True)
    assert "Tuesday 12 May 2026" in coming
    for desk in (coming, client.get("/plans").get_data(as_text=True)):
        assert re.search(r'<a href="/today"[^>]* aria-current="page"', desk), "it is of her day"
    assert "Dora Rossi" in coming
    assert "Dora Rossi" not in client.get("/followups?whose=mine").get_data(as_text=True)
    assert "Carla Rossi" in client.get("/followups/unsent").get_data(as_text=True)
    assert "Carla Rossi" in client.get("/followups/unsent?because=she_bought").get_data(as_text=True)
    assert "Carla Rossi" not in client.get("/followups/unsent?because=she_wrote").get_data(as_text=True)
    assert "Carla Rossi" not in client.get(f"/followups/unsent?editor={full_desk[3].editor_id}").get_data(as_text=True)


def test_a_long_list_of_what_did_not_leave_has_pages(client, session, nadia, talk, monkeypatch):
    monkeypatch.setattr("concierge.followups.pages._PAGE", 2)
    for number in range(3):
        found = follow_up(session, answered(session, nadia, f"Reader{number} Rossi"), nadia)
        found.settle(Because.SHE_BOUGHT, by=None, now=NOW)
    session.commit()
    first = client.get("/followups/unsent").get_data(as_text=True)
    assert "Reader2" in first
    assert "Reader0" not in first
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(older.replace("&amp;", "&")).get_data(as_text=True)
    assert "Reader0" in second
    assert "Reader2" not in second


def test_a_merchandiser_looks_but_plans_nothing(app, session, talk, nadia):
    found = follow_up(session, answered(session, nadia, "Anna Rossi"), nadia)
    marta = make_editor(session, "Marta Villa", role=Role.MERCHANDISER)
    session.commit()
    client = app.test_client()
    sign_in(client, marta)
    page = client.get(talk).get_data(as_text=True)
    assert 'name="when"' not in page
    verbs = ("", "/fill", f"/{found.id}", f"/{found.id}/cancel", f"/{found.id}/approve", f"/{found.id}/send-now")
    assert {client.post(f"{talk}{verb}").status_code for verb in verbs} == {403}
    assert the_one(session).state is FollowUpState.SCHEDULED


def test_one_of_another_conversation_is_not_found_there(client, session, talk, nadia):
    other = follow_up(session, answered(session, nadia, "Anna Rossi"), nadia)
    session.commit()
    assert client.get(f"{talk}/{other.id}").status_code == 404
    assert client.post(f"{talk}/{other.id}/cancel").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_house_proposes_can_be_read_by_it_and_sent(app, language):
    with app.test_request_context(), force_locale(language):
        for phrase in (words.proposed_moment(), *words.suggested_moments()):
            assert read_phrase(phrase, NOW, ROME) is not None, phrase
        for name in ("Barbara", ""):
            assert find_hole(words.proposed_words(language, name)) is None
        assert all(words.because_words(each) for each in Because)
        assert all(words.asking_words(each) for each in Asking)


def test_the_calendar_shows_what_will_leave_in_the_readers_days_with_her_hour(client, session, nadia, monkeypatch):
    talk = answered(session, nadia)
    talk.customer.timezone = "Asia/Tokyo"
    planned = follow_up(session, talk, nadia)  # Friday 10:00 in Tokyo is three in the morning in Rome
    session.commit()
    sign_in(client, nadia)
    month = client.get("/followups/calendar?on=2026-05-12").text
    assert "May 2026" in month and "03:00" in month and "10:00 her time" in month
    assert f"/conversations/{talk.id}" in month and "Asia/Tokyo" in month
    week = client.get("/followups/calendar?view=week&on=2026-05-12").text
    assert "03:00" in week and "?view=week&amp;on=2026-05-18" in week
    assert "03:00" not in client.get("/followups/calendar?view=week&on=2026-05-18").text
    assert "03:00" not in client.get(f"/followups/calendar?on=2026-05-12&editor={nadia.id + 1}").text
    for nonsense in ("on=soon", "on=9999-12-31", "view=year", "editor=x"):
        assert client.get(f"/followups/calendar?{nonsense}").status_code == 200
    session.refresh(planned)
    assert planned.is_scheduled
    session.commit()
