"""The composer's words as a follow-up: planned from its Send menu with all that is in them, or refused and kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO
from threading import Barrier

import pytest
import sqlalchemy as sa

from concierge.accounts.models import Role
from concierge.catalogue.purchases import report_purchase
from concierge.conversations.models import Message
from concierge.conversations.queries import last_answer
from concierge.drafts.models import Draft, DraftLeaving, DraftStale
from concierge.followups import commands, draft_views, jobs, queries
from concierge.followups.commands import Seen
from concierge.followups.models import FollowUp, HappenedSince
from concierge.followups.moments import Meant
from concierge.mailing.models import Delivery
from concierge.templating.commands import Wording, add_template
from tests.conversations.stories import receive
from tests.drafts.people import LIMIT, make_sandals, send, write
from tests.drafts.windows import HTMX, Window, stored
from tests.factories import HOUR, NOW, make_editor, sign_in
from tests.followups.builders import FRIDAY, POLICY, WALL, follow_up
from tests.followups.test_awaited import ORDER

LETTER = "Dear Barbara,\n\nhave you had a moment to think of the turquoise pair?"
SOON = "in 3 days if she hasn’t answered"


@pytest.fixture
def window(client, nadia, talk):
    """Nadia's composer is open."""
    sign_in(client, nadia)
    return Window(client, talk.id).open()


def plan(window: Window, phrase: str = SOON, **fields: object):
    """Press "Plan it" in the Send menu."""
    return window.press(window.here.replace("/draft", "/followups/from-draft"), phrase=phrase, **fields)


def planned(session) -> list[FollowUp]:
    found = session.scalars(sa.select(FollowUp).execution_options(populate_existing=True)).all()
    session.commit()
    return list(found)


def test_the_words_with_their_card_subject_and_template_leave_as_a_follow_up(
    window, session, sessions, config, talk, nadia, at
):
    make_sandals(session)
    wording = {"en": Wording("Your sandals", LETTER)}
    template = add_template(session, name="A nudge", when_to_use="", wording=wording, by=nadia, now=NOW)
    session.commit()
    window.press("/fill", template_id=template.id)
    window.press("/card", sku="CAL-TUR-36")
    answer = plan(window, subject="The turquoise pair")
    assert (answer.status_code, answer.request.path) == (200, f"/conversations/{talk.id}/followups")
    assert "Friday 15 May, 10:00" in window.page and "The turquoise pair" in window.page
    [found] = planned(session)
    assert (found.due_at, found.editor_id, found.is_named) == (FRIDAY, nadia.id, False)
    assert found.template_version_id == template.versions[0].id
    assert session.scalars(sa.select(Draft)).all() == []
    session.commit()
    at(FRIDAY)
    assert jobs.release_due(config, sessions) == 1
    message = session.scalars(sa.select(Message).where(Message.id == planned(session)[0].message_id)).one()
    assert (message.subject, message.template_version_id) == ("The turquoise pair", template.versions[0].id)
    assert "Calanque sandals" in message.text and "turquoise pair?" in message.text


def test_the_conversations_own_subject_is_not_kept_twice(window, session, talk):
    plan(window, body_text=LETTER)
    assert [each.subject for each in planned(session)] == [""]


def test_with_htmx_the_composer_is_emptied_and_the_moment_is_said_in_passing(window, talk):
    answer = plan(window, body_text=LETTER, headers=HTMX)
    assert "<html" not in window.page
    assert 'hx-swap-oob="beforeend:#toasts"' in window.page and "Friday 15 May, 10:00" in window.page
    assert f'name="phrase" value="{SOON}"' in window.page and window.fields["body_text"] == ""
    assert answer.headers["HX-Trigger"] == "house-changed"
    assert window.open().fields["body_text"] == ""


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        ("", "We could not read when. Try “in 3 days”"),
        ("whenever she likes", "We could not read when. Try “in 3 days”"),
        ("1 January 2020", "Choose a moment that is still to come"),
        ("2 weeks after it is delivered", "No order of hers is on its way"),
    ],
)
def test_a_moment_nobody_can_read_leaves_the_draft_as_it_is_and_says_what_to_write(
    window, session, talk, nadia, phrase, sentence
):
    assert "<details open" not in window.page and ' menu--up">' in window.page
    answer = plan(window, phrase, body_text=LETTER)
    assert answer.status_code == 422
    assert sentence in window.page
    assert ' menu--up" open>' in window.page and 'aria-invalid="true" autofocus' in window.page
    assert not phrase or f'name="phrase" value="{phrase}"' in window.page
    assert window.fields["body_text"] == LETTER
    assert "turquoise pair?" in stored(session, talk, nadia).body
    assert planned(session) == []
    plan(window, "domani alle 11")
    assert [each.wall for each in planned(session)] == [datetime(2026, 5, 13, 11)]


def test_files_are_not_left_behind_unsaid(window, session, talk, nadia):
    answer = plan(window, body_text=LETTER, files=[(BytesIO(b"%PDF"), "lookbook.pdf", "application/pdf")])
    assert answer.status_code == 409
    assert "A follow-up takes no files along. Take them out of the answer, or choose “Send later”" in window.page
    assert "lookbook.pdf" in window.page and window.fields["body_text"] == LETTER
    assert planned(session) == []
    [file] = stored(session, talk, nadia).attachments
    window.press(f"/files/{file.id}/detach")
    plan(window)
    assert len(planned(session)) == 1


def test_an_old_window_is_shown_both_texts_and_nothing_is_planned(client, window, session, talk, nadia):  # F08
    other = Window(client, talk.id).open()
    window.press(body_text="written here first")
    answer = plan(other, "in a week", body_text="written elsewhere")
    assert answer.status_code == 409
    assert "The other window says" in other.page and "written here first" in other.page
    assert 'name="phrase" value="in a week"' in other.page
    assert other.fields["body_text"] == "written elsewhere"
    assert planned(session) == []
    assert stored(session, talk, nadia).body == "<p>written here first</p>"
    plan(other, "in a week")
    assert [each.body for each in planned(session)] == ["<p>written elsewhere</p>"]


@pytest.mark.parametrize("saved", [True, False])
def test_pressed_twice_the_first_press_counts(window, session, talk, nadia, saved):
    if saved:
        window.press(body_text=LETTER)
    fields = dict(window.fields) | {"body_text": LETTER}
    for _press in range(2):
        assert plan(window, **fields).status_code == 200
        assert "Friday 15 May, 10:00" in window.page
    assert len(planned(session)) == 1
    assert stored(session, talk, nadia) is None


def test_pressed_in_two_windows_at_the_very_same_time_it_is_planned_once(app, window, session, talk, nadia):
    window.press(body_text=LETTER)
    fields, together = dict(window.fields) | {"body_text": LETTER}, Barrier(2)

    def press(_number: int) -> int:
        client = app.test_client()
        sign_in(client, nadia)
        other = Window(client, talk.id)
        other.fields |= fields
        together.wait(60)
        return plan(other).status_code

    with ThreadPoolExecutor(2) as both:
        answers = set(both.map(press, range(2)))
    assert answers <= {200, 404, 409} and 200 in answers
    assert len(planned(session)) == 1
    assert stored(session, talk, nadia) is None


def test_other_words_for_a_moment_that_is_taken_are_kept(window, session, talk, nadia):
    plan(window, body_text=LETTER)
    answer = plan(window.open(), body_text="Dear Barbara,\n\nand the ivory one?")
    assert answer.status_code == 409
    assert "You have another follow-up for this very moment here." in window.page
    assert "ivory" in stored(session, talk, nadia).body
    plan(window, "Friday 10:30")
    assert len(planned(session)) == 2


def test_what_speaks_against_sending_speaks_against_planning_and_a_warning_is_asked_once(window, session):
    for _try in range(2):
        assert plan(window, body_text="Dear ,\n\nyes.").status_code == 409
    assert "Not planned yet." in window.page and "hole in the text: “Dear ,”" in window.page
    assert plan(window, "in a week", body_text="Dear Chloé,\n\nyour sandals are here.").status_code == 409
    assert "“Chloé”" in window.page and "Plan it anyway, I have read it" in window.page
    assert 'name="phrase" value="in a week"' in window.page
    assert planned(session) == []
    assert plan(window, "in a week").status_code == 200
    assert len(planned(session)) == 1


def test_what_came_meanwhile_is_shown_beside_the_draft_and_then_it_may_be_planned(window, session, talk):  # F08
    ours = last_answer(session, talk).rfc_message_id
    receive(session, at=NOW, references=(ours,), text="Please wait, I am coming to Milan!")
    session.commit()
    assert plan(window, body_text=LETTER).status_code == 409
    assert "Please wait, I am coming to Milan!" in window.page
    assert planned(session) == []
    assert plan(window).status_code == 200
    assert len(planned(session)) == 1


def test_what_happened_while_she_was_waited_for_is_said_and_the_words_are_kept(
    window, session, talk, nadia, monkeypatch
):
    def raising(*_values):
        raise HappenedSince

    with monkeypatch.context() as under_way:
        under_way.setattr(draft_views, "hold_as_she_is", raising)
        answer = plan(window, body_text=LETTER)
    assert answer.status_code == 409 and "Something has happened since you opened this page" in window.page
    assert "had a moment to think" in stored(session, talk, nadia).body and planned(session) == []
    assert plan(window).status_code == 200 and len(planned(session)) == 1


def test_she_is_held_once_for_it_before_anything_is_written(window, session, monkeypatch):
    looks, newest_of_all = [], queries.newest_of_all

    def looking(looker, customer):
        looks.append(sorted(type(each).__name__ for each in looker.dirty | looker.new))
        return newest_of_all(looker, customer)

    monkeypatch.setattr(queries, "newest_of_all", looking)
    assert plan(window, body_text=LETTER).status_code == 200
    assert looks == [[], []]  # before and behind the lock
    assert len(planned(session)) == 1


def test_her_order_is_waited_for(window, session, talk):
    make_sandals(session, "CAL-TUR-37")
    report_purchase(session, ORDER, now=NOW - HOUR)
    session.commit()
    plan(window, "due settimane dopo la consegna", body_text=LETTER)
    assert [(each.awaits_delivery, each.awaited_days) for each in planned(session)] == [(True, 14)]


def test_the_phrase_does_not_keep_an_answer_from_leaving_now(window, session, talk, nadia):
    window.press("/send", body_text=LETTER, when="now", phrase=SOON)
    assert stored(session, talk, nadia).is_leaving
    assert planned(session) == []


def test_a_merchandiser_plans_nothing(app, session, talk):
    marta = make_editor(session, "Marta Villa", role=Role.MERCHANDISER)
    session.commit()
    client = app.test_client()
    sign_in(client, marta)
    assert plan(Window(client, talk.id), body_text=LETTER).status_code == 403
    assert planned(session) == []


@pytest.mark.parametrize(
    ("meanwhile", "refusal"), [("sent", DraftLeaving), ("changed", DraftStale), ("a file", DraftStale)]
)
def test_of_two_windows_one_sends_and_the_other_plans_nothing(session, talk, nadia, meanwhile, refusal):
    draft = write(session, talk, nadia, LETTER)
    if meanwhile == "sent":
        send(session, draft)
    elif meanwhile == "a file":  # which is no change of its words, and must not go with them
        later = sa.update(Draft).values(updated_at=NOW + HOUR)
        session.execute(later.execution_options(synchronize_session=False))
    else:
        session.execute(sa.update(Draft).values(version=7).execution_options(synchronize_session=False))
    session.flush()
    with pytest.raises(refusal):
        commands.schedule_draft(
            session, draft, Meant(WALL, is_named=False), Seen(talk.last_message_id),
            limit=LIMIT, by=nadia, policy=POLICY, now=NOW,
        )  # fmt: skip
    assert planned(session) == []
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(Delivery.purpose == "follow_up")) == 0


def test_a_subject_of_its_own_is_shown_and_changed_with_the_follow_up(window, session, client, talk, nadia):
    plan(window, body_text=LETTER, subject="The turquoise pair")
    [found] = planned(session)
    address = f"/conversations/{talk.id}/followups/{found.id}"
    page = client.get(address).text
    assert 'name="subject" value="The turquoise pair"' in page
    fields = {"when": "in a week", "text": LETTER, "version": found.version, "seen": talk.last_message_id}
    assert client.post(address, data=fields | {"subject": "Turquoise, or ivory?"}).status_code == 303
    [found] = planned(session)
    assert (found.subject, "Turquoise, or ivory?" in client.get(address).text) == ("Turquoise, or ivory?", True)
    other = follow_up(session, talk, nadia)
    session.commit()
    assert 'name="subject"' not in client.get(f"/conversations/{talk.id}/followups/{other.id}").text
