"""The page of mail that could not be read."""

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.conversations.models import Direction, Message
from concierge.inbound.jobs import file_received
from concierge.inbound.models import InboundMail, InboundState
from concierge.inbound.queries import tally
from tests.conversations.stories import receive
from tests.factories import make_editor, make_mailbox, sign_in
from tests.inbound.arriving import CARE, arrive, letter

BROKEN = b"\r\n<script>alert(1)</script> no header"


@pytest.fixture
def nadia(client: FlaskClient, session: Session) -> FlaskClient:
    make_mailbox(session)
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    return client


def page(client: FlaskClient, url: str = "/mail-in") -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_an_empty_quarantine_says_so_kindly(nadia):
    assert "Every mail could be read" in page(nadia)


def test_a_mail_in_quarantine_is_shown_with_its_reason_and_the_count(nadia, config, sessions):
    arrive(config, sessions, BROKEN, envelope_from="mallory@evil.example")
    shown = page(nadia)
    assert "It has no header, so it is not a mail as we know it." in shown
    assert "mallory@evil.example" in shown
    assert "1 came in: 0 filed, 0 waiting, 0 set aside, 1 in quarantine." in shown


def test_its_original_is_saved_never_shown(nadia, config, sessions):
    mail = arrive(config, sessions, BROKEN)
    response = nadia.get(f"/mail-in/{mail.id}/raw")
    assert response.data == BROKEN
    assert response.headers["Content-Disposition"] == f'attachment; filename="mail-{mail.id}.eml"'
    assert response.mimetype == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_try_again_puts_it_back_among_those_to_be_filed(nadia, config, sessions, session):
    mail = arrive(config, sessions, BROKEN)
    assert nadia.post(f"/mail-in/{mail.id}/retry").status_code == 303
    again = session.get_one(InboundMail, mail.id)
    assert (again.state, again.attempts) == (InboundState.RECEIVED, 0)


def test_ignore_sets_it_aside_and_keeps_it(nadia, config, sessions, session):
    mail = arrive(config, sessions, BROKEN)
    assert nadia.post(f"/mail-in/{mail.id}/ignore").status_code == 303
    assert session.get_one(InboundMail, mail.id).state is InboundState.IGNORED
    assert "Set aside by hand." in page(nadia, "/mail-in?show=ignored")


def test_a_filed_mail_cannot_be_tried_again(nadia, config, sessions):
    mail = arrive(config, sessions, letter())
    assert nadia.post(f"/mail-in/{mail.id}/retry").status_code == 409


def test_many_mails_are_shown_page_by_page(nadia, config, sessions):
    for number in range(52):
        arrive(config, sessions, b"\r\n%d" % number)
    first = page(nadia)
    assert first.count("/raw") == 50
    assert "before=3" in first
    assert page(nadia, "/mail-in?before=3").count("/raw") == 2


def test_a_merchandiser_has_no_business_here(client, session):
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert client.get("/mail-in").status_code == 403


def test_an_editors_own_mail_is_filed_when_somebody_says_so_and_never_acts_as_staff(  # T24
    nadia, config, sessions, session
):
    hers = "nadia@maison-solenne.example"
    mail = arrive(config, sessions, letter(f"Nadia <{hers}>"), envelope_from=hers)
    assert mail.reason == "our-own-copy"
    aside = page(nadia, "/mail-in?show=ignored")
    assert "File it" in aside and f"as a customer’s mail from {hers}" in aside
    assert nadia.post(f"/mail-in/{mail.id}/file").status_code == 303
    while file_received(config, sessions):
        pass
    message = session.scalars(sa.select(Message)).one()
    assert (message.from_address, message.editor_id, message.direction) == (hers, None, Direction.IN)
    session.commit()  # lets go of the lock
    assert nadia.post(f"/mail-in/{mail.id}/file").status_code == 409


def test_a_mail_of_two_senders_is_filed_as_its_envelope_says_with_its_oddity_on_the_card(nadia, config, sessions):
    raw = letter("barbara@example.com, mallory@evil.example")
    mail = arrive(config, sessions, raw, envelope_from="mallory@evil.example")
    assert "as a customer’s mail from mallory@evil.example" in page(nadia)
    nadia.post(f"/mail-in/{mail.id}/file")
    while file_received(config, sessions):
        pass
    shown = page(nadia, "/conversations/1")
    assert "mallory@evil.example" in shown and "It claims to be from several people at once." in shown


@pytest.mark.parametrize("envelope", ["", None, CARE])
def test_the_houses_own_mail_and_mail_from_nowhere_are_not_filed_by_hand(nadia, config, sessions, envelope):
    mail = arrive(config, sessions, letter(CARE), envelope_from=envelope)
    assert "File it" not in page(nadia, "/mail-in?show=ignored")
    assert nadia.post(f"/mail-in/{mail.id}/file").status_code == 409


def test_the_page_speaks_of_the_mails_a_demo_is_furnished_with(session):
    receive(session)
    assert (tally(session).furnished, tally(session, demo=True).furnished) == (0, 1)


def test_a_mail_has_no_clothing_size_in_italian(client, session, config, sessions):
    make_mailbox(session)
    editor = make_editor(session, language="it")
    session.commit()
    sign_in(client, editor)
    arrive(config, sessions, BROKEN)
    shown = page(client)
    assert "Messe da parte" in shown
    assert "Dimensione" in shown
    assert "Taglia" not in shown
    assert "Bytes" not in shown
