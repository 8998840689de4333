"""Promises from proposal to kept: on the conversation, on the desk, and as a figure."""

import re
from datetime import date

import pytest

from concierge import clock
from concierge.accounts.models import Role
from concierge.followups import promising
from concierge.followups.models import Promise, PromiseMarked, PromiseNotFound, PromiseSettled, PromiseState
from concierge.followups.promising import Tally
from tests.conversations.stories import answer, receive
from tests.factories import DAY, MINUTE, NOW, make_editor, sign_in

SAID = "Dear Barbara,\n\nI’ll look for it in navy by Friday. I will call you tomorrow.\n\nWarmly,\nNadia"


@pytest.fixture
def nadia(session, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return make_editor(session)


@pytest.fixture
def talk(session, nadia):
    conversation = receive(session).conversation
    answer(session, conversation, by=nadia, at=NOW + MINUTE, text=SAID)
    session.commit()
    return conversation


def mark(session, talk, nadia, number=0, now=NOW) -> Promise:
    each = promising.list_proposed(session, talk, now=now)[number]
    return promising.mark_promise(session, talk, each.message_id, each.place, by=nadia, now=now)


def test_what_was_promised_is_proposed_until_somebody_decides(session, talk, nadia):
    proposed = promising.list_proposed(session, talk, now=NOW)
    assert [(each.words, each.due_on) for each in proposed] == [
        ("I’ll look for it in navy by Friday.", date(2026, 5, 15)),
        ("I will call you tomorrow.", date(2026, 5, 13)),
    ]
    mark(session, talk, nadia)
    [other] = promising.list_proposed(session, talk, now=NOW)
    promising.dismiss_promise(session, talk, other.message_id, other.place, by=nadia, now=NOW)
    assert promising.list_proposed(session, talk, now=NOW) == []
    assert [each.due_on for each in promising.list_open(session, talk.id)] == [date(2026, 5, 15)]
    with pytest.raises(PromiseNotFound):
        promising.mark_promise(session, talk, other.message_id, other.place, by=nadia, now=NOW)


def test_what_a_colleague_promised_in_a_quoted_mail_is_not_promised_again(session, nadia):
    conversation = receive(session).conversation
    quoted = "On Mon, 11 May 2026 at 10:12, Chiara <care@maison-solenne.example> wrote:\n> I will call you tomorrow."
    answer(session, conversation, by=nadia, at=NOW + MINUTE, text=f"{quoted}\n\nI’ll look for it in navy by Friday.")
    assert [each.words for each in promising.list_proposed(session, conversation, now=NOW)] == [
        "I’ll look for it in navy by Friday."
    ]


def test_two_colleagues_mark_the_same_sentence_and_one_is_first(session, sessions, talk, nadia, monkeypatch):
    each = promising.list_proposed(session, talk, now=NOW)[0]
    session.commit()
    stale = promising.list_proposed(session, talk, now=NOW)
    session.commit()
    with sessions() as other:
        promising.mark_promise(other, other.merge(talk), each.message_id, each.place, by=other.merge(nadia), now=NOW)
        other.commit()
    monkeypatch.setattr(promising, "list_proposed", lambda *_values, **_named: stale)
    with pytest.raises(PromiseMarked):
        promising.mark_promise(session, talk, each.message_id, each.place, by=nadia, now=NOW)


def test_what_she_wrote_herself_and_old_mails_propose_nothing(session, talk, nadia):
    receive(session, "Anna Rossi", text="I will call you on Friday.")
    anna = receive(session, "Anna Rossi", text="I will call you on Friday.").conversation
    assert promising.list_proposed(session, anna, now=NOW) == []
    assert promising.list_proposed(session, talk, now=NOW + 31 * DAY) == []


def test_on_its_day_it_is_on_the_desk_of_who_made_it(session, talk, nadia):
    mark(session, talk, nadia)
    chiara = make_editor(session, "Chiara Bassi")
    assert promising.list_due(session, nadia, now=NOW) == []
    assert len(promising.list_due(session, nadia, now=NOW + 3 * DAY)) == 1
    assert promising.list_due(session, chiara, now=NOW + 3 * DAY) == []


def test_kept_late_open_and_overdue_are_counted_by_her_own_clock(session, talk, nadia):
    friday, wednesday = mark(session, talk, nadia), mark(session, talk, nadia)
    since = date(2026, 5, 1)
    assert promising.tally(session, nadia, since=since, now=NOW) == Tally(0, 0, 2, 0)
    assert promising.tally(session, nadia, since=since, now=NOW + 2 * DAY) == Tally(0, 0, 2, 1)
    promising.keep_promise(session, wednesday, by=nadia, now=NOW + 2 * DAY)
    promising.keep_promise(session, friday, by=nadia, now=NOW + 3 * DAY)
    assert (wednesday.kept_late, friday.kept_late) == (True, False)
    assert promising.tally(session, nadia, since=since, now=NOW + 9 * DAY) == Tally(1, 1, 0, 0)
    with pytest.raises(PromiseSettled):
        promising.release_promise(session, friday, by=nadia, now=NOW)


def test_from_the_conversation_to_today_and_kept(session, client, talk, nadia, monkeypatch):
    sign_in(client, nadia)
    here = f"/conversations/{talk.id}"
    page = client.get(f"{here}/followups").get_data(as_text=True)
    assert "A promise for Friday 15 May?" in page
    assert 'data-key="h"' in page
    message, place = re.search(r'name="message" value="(\d+)".*?name="place" value="(\d+)"', page, re.DOTALL).groups()
    assert client.post(f"{here}/promises/mark", data={"message": message, "place": place}).status_code == 303
    assert "marked a promise for 15 May" in client.get(here).get_data(as_text=True)
    monkeypatch.setattr(clock, "now", lambda: NOW + 4 * DAY)
    sign_in(client, nadia)
    today = client.get("/today").get_data(as_text=True)
    assert "Promised for Friday 15 May, which is over" in today
    assert "0 kept, 0 kept late, 1 open, of these 1 overdue" in today
    [promise] = promising.list_open(session, talk.id)
    session.commit()
    kept = client.post(f"{here}/promises/{promise.id}/keep", data={"back": "today"})
    assert (kept.status_code, kept.headers["Location"]) == (303, "/today")
    assert "0 kept, 1 kept late" in client.get("/today").get_data(as_text=True)
    assert client.post(f"{here}/promises/{promise.id}/keep").status_code == 409
    assert session.get(Promise, promise.id, populate_existing=True).state is PromiseState.KEPT


def test_a_merchandiser_decides_nothing_and_a_promise_has_one_conversation(session, app, client, talk, nadia):
    promise = mark(session, talk, nadia)
    marta, other = make_editor(session, "Marta Villa", role=Role.MERCHANDISER), receive(session, "Anna Rossi")
    session.commit()
    sign_in(client, nadia)
    assert client.post(f"/conversations/{other.conversation_id}/promises/{promise.id}/keep").status_code == 404
    assert client.post(f"/conversations/{talk.id}/promises/mark").status_code == 404
    client = app.test_client()
    sign_in(client, marta)
    verbs = ("mark", "dismiss", f"{promise.id}/keep", f"{promise.id}/release")
    assert {client.post(f"/conversations/{talk.id}/promises/{verb}").status_code for verb in verbs} == {403}
