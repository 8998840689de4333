"""While a colleague is away: what waits of hers stands on the day of who writes for her; what she planned leaves."""

import pytest
import sqlalchemy as sa

from concierge.accounts.commands import enter_absence
from concierge.conversations.models import Message
from concierge.followups import jobs
from concierge.followups.conditions import Asking
from concierge.mailing.models import Delivery
from tests.factories import DAY, HOUR, NOW, make_editor, sign_in
from tests.followups.builders import FRIDAY, answered, follow_up

TODAY = NOW.date()


@pytest.fixture
def chiara(session, nadia):
    return make_editor(session, "Chiara Bassi")


def leave(session, editor, stand_in=None, *, days=3):
    enter_absence(session, editor, first_day=TODAY, last_day=TODAY + days * DAY, stand_in=stand_in, by=editor, now=NOW)
    session.commit()


def today(client, editor):
    sign_in(client, editor)
    return client.get("/today").get_data(as_text=True)


@pytest.fixture
def hers(session, nadia):
    """Anna wrote to Nadia again, and a follow-up of Nadia's to Bruna waits for a yes."""
    anna, bruna = answered(session, nadia, "Anna Rossi"), answered(session, nadia, "Bruna Rossi")
    anna.receive(at=NOW + HOUR, is_answered=False)
    follow_up(session, bruna, nadia).ask(Asking.LATE, now=NOW)
    session.commit()


def test_what_waits_of_hers_is_on_the_day_of_whom_she_named(app, session, nadia, chiara, hers):
    dora = make_editor(session, "Dora Neri")
    session.commit()
    assert "Anna Rossi" not in today(app.test_client(), chiara), "she is there"
    leave(session, nadia, chiara)
    shown = today(app.test_client(), chiara)
    assert "For Nadia Ferrant, away until Friday" in shown
    assert "Anna Rossi" in shown and "Bruna Rossi" in shown
    assert "Nadia Ferrant, away" not in today(app.test_client(), dora)
    assert "You are away today, says your profile" in today(app.test_client(), nadia)


def test_where_nobody_is_named_every_colleague_who_is_there_sees_it(app, session, nadia, chiara, hers):
    dora = make_editor(session, "Dora Neri")
    leave(session, nadia)
    leave(session, dora, nadia)
    assert "For Nadia Ferrant, away until Friday" in today(app.test_client(), chiara)
    assert "For Nadia Ferrant" not in today(app.test_client(), dora)
    assert "For Dora Neri" not in today(app.test_client(), chiara), "nothing of hers waits, and she named another"


def test_whom_she_named_is_told_though_nothing_waits(client, session, nadia, chiara):
    leave(session, nadia, chiara, days=1)
    shown = today(client, chiara)
    assert "For Nadia Ferrant, away until tomorrow" in shown
    assert "nothing of hers waits" in shown


def test_what_she_planned_leaves_in_her_name_all_the_same(session, sessions, config, at, nadia, chiara):
    conversation = answered(session, nadia)
    follow_up(session, conversation, nadia)
    leave(session, nadia, chiara)
    at(FRIDAY)
    assert jobs.release_due(config, sessions) == 1
    [message] = session.scalars(sa.select(Message).join(Delivery, Delivery.id == Message.delivery_id))
    assert message.editor_id == nadia.id
    session.commit()


def test_a_conversation_says_that_its_editor_is_away_and_who_else_is(client, session, nadia, chiara):
    conversation = answered(session, nadia)
    leave(session, nadia, chiara)
    sign_in(client, chiara)
    here = f"/conversations/{conversation.id}"
    assert client.get(here).get_data(as_text=True).count("away until Friday") == 1
    leave(session, chiara, days=1)
    client.post(f"{here}/assign", data={"editor": chiara.id})
    shown = client.get(here).get_data(as_text=True)
    assert "Nadia Ferrant · away until Friday" in shown
    assert shown.count("away until tomorrow") == 1
