"""The inbox through HTTP: without JavaScript, with htmx, by role."""

import pytest

from concierge import clock
from concierge.accounts.models import Role
from concierge.addresses import Address
from concierge.conversations.commands import add_note, assign_conversation, close_conversation
from concierge.conversations.models import Conversation, ConversationState, MessageKind
from tests.conversations.stories import answer, receive
from tests.factories import NOW, make_editor, sign_in

HTMX = {"HX-Request": "true"}


@pytest.fixture
def nadia(session):
    return make_editor(session)


@pytest.fixture
def conversation(session, nadia):
    conversation = receive(session).conversation
    session.commit()
    return conversation


@pytest.fixture
def desk(client, nadia, conversation):
    """Nadia's browser, signed in."""
    sign_in(client, nadia)
    return client


def again(session, conversation):
    """What is in the database now; and no lock is left on it."""
    session.expire_all()
    found = session.get(Conversation, conversation.id)
    session.commit()
    return found


@pytest.fixture
def state_of(session, conversation):
    """A conversation's number, and how to ask for its state."""
    return conversation.id, lambda: again(session, conversation).state.value


def page(response):
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_data(as_text=True)


def test_the_inbox_shows_who_waits(desk):
    text = page(desk.get("/?folder=unassigned"))
    assert "Barbara Rossi" in text
    assert "The turquoise sandals" in text
    assert "is there a pair left in 36?" in text
    assert 'data-show="list"' in text


@pytest.mark.parametrize("folder", ["mine", "unassigned", "open", "snoozed", "closed", "not-for-us", "mentions", "x"])
@pytest.mark.parametrize("rest", ["", "&order=newest", "&after=5-5", "&after=t5-5", "&q=sand", "&tag=x", "&after=junk"])
def test_every_folder_opens(desk, folder, rest):
    page(desk.get(f"/?folder={folder}{rest}"))


def test_the_second_page_goes_on_where_the_first_ended(session, desk, monkeypatch):
    from concierge.conversations import listing

    for number in range(listing.PAGE_SIZE + 2):
        receive(session, subject=f"Matter {number}")
    session.commit()
    first = page(desk.get("/?folder=open"))
    assert "More conversations" in first
    where = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = page(desk.get(where))
    assert f"Matter {listing.PAGE_SIZE + 1}" in second
    assert "Matter 1<" not in second


def test_a_conversation_shows_its_mails_notes_and_history(session, desk, nadia, conversation):
    answer(session, conversation, by=nadia)
    add_note(session, conversation, text="She is a dear.", by=nadia, now=NOW)
    close_conversation(session, conversation, by=nadia, now=NOW)
    session.commit()
    text = page(desk.get(f"/conversations/{conversation.id}"))
    for words in ("is there a pair left in 36?", "yes, one pair", "She is a dear.", "Nadia Ferrant closed this"):
        assert words in text
    assert f"/conversations/{conversation.id}/draft" in text


def test_what_a_mail_says_is_never_markup(session, desk):  # T15
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    filed = receive(session, text=evil, subject=evil, sender=Address(evil, "barbara@example.com"))
    session.commit()
    for address in ("/?folder=open", f"/conversations/{filed.conversation_id}", "/?q=alert"):
        text = page(desk.get(address))
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_conversation_that_is_not_there_is_said_kindly(desk):
    assert desk.get("/conversations/999").status_code == 404


def test_a_verb_without_javascript_leads_back(session, desk, conversation):
    response = desk.post(f"/conversations/{conversation.id}/close?folder=open")
    assert response.status_code == 303
    assert response.headers["Location"] == f"/conversations/{conversation.id}?folder=open"
    assert again(session, conversation).state is ConversationState.CLOSED


def test_a_verb_with_htmx_answers_with_what_changed(desk, conversation):
    response = desk.post(f"/conversations/{conversation.id}/close?seen=1", headers=HTMX)
    text = page(response)
    assert 'id="talk-head"' in text and "Reopen" in text
    assert 'id="messages"' in text and "closed this" in text
    assert "<html" not in text


def test_doing_it_twice_is_refused_with_a_sentence(desk, conversation):
    desk.post(f"/conversations/{conversation.id}/close")
    response = desk.post(f"/conversations/{conversation.id}/close")
    assert response.status_code == 409
    assert "already closed" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("verb", "data", "expected"),
    [
        ("assign", {}, "open"),
        ("close", {}, "closed"),
        ("snooze", {"preset": "tomorrow"}, "snoozed"),
        ("snooze", {"until": "2199-05-13T09:30"}, "snoozed"),
        ("mark-not-for-us", {}, "closed"),
        ("tag", {"tag": "wedding"}, "open"),
        ("notes", {"text": "hm"}, "open"),
        ("mentions/seen", {}, "open"),
    ],
)
def test_each_verb_has_its_address(desk, state_of, verb, data, expected):
    number, state = state_of
    assert desk.post(f"/conversations/{number}/{verb}", data=data).status_code == 303
    assert state() == expected
    page(desk.get(f"/conversations/{number}"))


@pytest.mark.parametrize(
    ("verb", "opposite"),
    [("close", "reopen"), ("assign", "unassign"), ("mark-not-for-us", "unmark-not-for-us")],
)
def test_each_verb_has_its_opposite(session, desk, conversation, verb, opposite):
    assert desk.post(f"/conversations/{conversation.id}/{opposite}").status_code == 409
    assert desk.post(f"/conversations/{conversation.id}/{verb}").status_code == 303
    assert desk.post(f"/conversations/{conversation.id}/{opposite}").status_code == 303
    back = again(session, conversation)
    assert (back.state, back.editor, back.waiting_since) == (ConversationState.OPEN, None, NOW)


def test_a_snooze_without_a_moment_is_refused(desk, conversation):
    for data in ({}, {"preset": "someday"}, {"until": "2001-01-01T00:00"}, {"until": "x"}):
        assert desk.post(f"/conversations/{conversation.id}/snooze", data=data).status_code == 422


def test_a_merchandiser_reads_and_leaves_notes_but_does_not_answer(session, client, conversation):  # T35
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    text = page(client.get(f"/conversations/{conversation.id}"))
    assert "is there a pair left" in text
    assert "/draft" not in text
    assert "/close" not in text
    for verb in ("assign", "unassign", "close", "reopen", "snooze", "wake", "tag", "untag", "mark-not-for-us"):
        assert client.post(f"/conversations/{conversation.id}/{verb}").status_code == 403, verb
    assert client.post(f"/conversations/{conversation.id}/notes", data={"text": "Two in Milan"}).status_code == 303
    assert again(session, conversation).state is ConversationState.OPEN


def test_an_open_page_hears_only_of_changes(session, desk, nadia, conversation):
    first = page(desk.get(f"/conversations/{conversation.id}"))
    where = first.split('id="talk-live"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert desk.get(where, headers=HTMX).status_code == 204
    receive(session, references=(_id(session, conversation),), text="One more thing")
    session.commit()
    changed = page(desk.get(where, headers=HTMX))
    assert "One more thing" in changed
    assert "message--new" in changed
    assert 'id="talk-head"' not in changed, "the head did not change: what is typed in its menus stays"


def _id(session, conversation):
    from concierge.conversations.queries import last_incoming

    return last_incoming(session, conversation).rfc_message_id


def test_an_open_list_hears_only_of_changes(session, desk):
    first = page(desk.get("/?folder=open"))
    where = first.split('id="list"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert desk.get(where, headers=HTMX).status_code == 204
    receive(session, "Chloé Martin")
    session.commit()
    changed = page(desk.get(where, headers=HTMX))
    assert "Chloé Martin" in changed
    assert 'id="folders-live"' in changed


def test_searching_shows_where_the_words_stand(desk):
    text = page(desk.get("/?q=pair"))
    assert "<mark>pair</mark>" in text
    assert "No mail says that" in page(desk.get("/?q=unicorns"))


def test_a_mention_waits_on_her_desk_until_she_has_seen_it(session, desk, nadia, conversation):
    chiara = make_editor(session, "Chiara Bellini")
    add_note(session, conversation, text="@Nadia, what do you think?", by=chiara, now=NOW)
    session.commit()
    assert "Mentions" in page(desk.get("/"))
    assert "A note here asks for you" in page(desk.get(f"/conversations/{conversation.id}"))
    assert "A note here asks for you" in page(desk.get(f"/conversations/{conversation.id}")), "reading changes nothing"
    desk.post(f"/conversations/{conversation.id}/mentions/seen")
    assert "A note here asks for you" not in page(desk.get(f"/conversations/{conversation.id}"))


def test_a_hint_is_shown(session, desk, conversation):  # T23
    stolen = receive(session, "Mallory Black", references=(_id(session, conversation),)).conversation
    session.commit()
    text = page(desk.get(f"/conversations/{stolen.id}"))
    assert "This may belong to another conversation" in text
    assert f"/conversations/{conversation.id}" in text


def test_a_reply_to_elsewhere_is_pointed_out(session, desk):  # T25
    filed = receive(session, reply_to=(Address("", "barbara@evil.example"),))
    session.commit()
    where = f"/conversations/{filed.conversation_id}"
    said = "asks for answers at barbara@evil.example; yours goes to barbara@example.com."
    assert said in page(desk.get(where))
    assert "&lt;barbara@example.com&gt;" in page(desk.get(f"{where}/draft"))
    assert desk.post(f"{where}/answer-elsewhere").status_code == 303
    assert "Your answer goes to barbara@evil.example, as this mail asks." in page(desk.get(where))
    assert "Nadia Ferrant answers at barbara@evil.example" in page(desk.get(where))
    assert "barbara@evil.example" in page(desk.get(f"{where}/draft")).split('class="composer__to"')[1].split("</p>")[0]
    assert desk.post(f"{where}/answer-sender").status_code == 303
    assert said in page(desk.get(where))


def test_where_nothing_else_is_asked_for_nothing_can_be_chosen(session, desk, conversation):  # T25
    assert desk.post(f"/conversations/{conversation.id}/answer-elsewhere").status_code == 409
    receive(session, reply_to=(Address("", "other@example.com"),), references=(_id(session, conversation),))
    session.commit()
    assert desk.post(f"/conversations/{conversation.id}/answer-elsewhere").status_code == 409


def test_automatic_mail_is_folded(session, desk, conversation):
    receive(session, kind=MessageKind.AUTOMATIC, references=(_id(session, conversation),), text="I am away")
    session.commit()
    assert "Sent by a machine" in page(desk.get(f"/conversations/{conversation.id}"))


def test_a_colleague_takes_over_and_the_history_says_so(session, desk, nadia, conversation):
    chiara = make_editor(session, "Chiara Bellini")
    assign_conversation(session, conversation, nadia, by=nadia, now=clock.now())
    session.commit()
    desk.post(f"/conversations/{conversation.id}/assign", data={"editor": chiara.id})
    text = page(desk.get(f"/conversations/{conversation.id}"))
    assert "Nadia Ferrant took this" in text
    assert "Nadia Ferrant gave this to Chiara Bellini" in text


def test_her_other_conversations_stand_beside(session, desk, conversation):
    receive(session, subject="A dress for June")
    session.commit()
    assert "A dress for June" in page(desk.get(f"/conversations/{conversation.id}"))
    assert "A dress for June" in page(desk.get(f"/customers/{conversation.customer_id}/conversations"))
    assert desk.get("/customers/999/conversations").status_code == 404


def test_the_address_an_open_page_refreshes_itself_from_leads_a_visitor_to_the_conversation(desk, conversation):
    answer = desk.get(f"/conversations/{conversation.id}/refresh")
    assert (answer.status_code, answer.location) == (302, f"/conversations/{conversation.id}")


def test_the_key_that_opens_a_conversation_is_not_shown(session, desk, conversation):
    keyed = "CARE+l2kdxyy3dtpfjswrgtk2m47jqgta@maison-solenne.example"
    names = (Address("", keyed), Address(keyed, keyed), Address("", "husband@example.com"))
    receive(session, to=names, references=(_id(session, conversation),))
    session.commit()
    text = page(desk.get(f"/conversations/{conversation.id}"))
    assert "l2kdxyy3" not in text
    assert "to care@maison-solenne.example, care@maison-solenne.example, husband@example.com" in text


def test_a_subject_as_long_as_a_letter_stands_folded_and_whole(session, desk, conversation):
    endless = receive(session, subject="L" * 5_000)
    session.commit()
    text = page(desk.get(f"/conversations/{endless.conversation_id}"))
    assert "The whole subject" in text and "L" * 5_000 in text
    assert "The whole subject" not in page(desk.get(f"/conversations/{conversation.id}"))


def test_an_address_breaks_at_its_at_sign(desk, conversation):
    assert "<dd>barbara<wbr>@example.com</dd>" in page(desk.get(f"/conversations/{conversation.id}"))


def test_what_was_odd_about_a_mail_is_said_on_its_card(session, desk, conversation):  # T10
    odd = receive(session, flags=("winmail", "two-content-types"), references=(_id(session, conversation),))
    away = receive(session, kind=MessageKind.AUTOMATIC, kind_reason="auto-reply-field", text="I am away")
    session.commit()
    text = page(desk.get(f"/conversations/{odd.conversation_id}"))
    assert text.count('class="message__odd"') == 1
    assert "packed in a winmail.dat, which only Outlook opens. It says twice what a part is;" in text
    assert "It is an automatic reply." in page(desk.get(f"/conversations/{away.conversation_id}"))
