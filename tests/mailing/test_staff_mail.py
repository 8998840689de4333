import re

import pytest
import sqlalchemy as sa

from concierge.mailing import jobs
from concierge.mailing.mail import Mail
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.providers.memory import MemoryProvider
from tests.factories import make_editor, make_mailbox


@pytest.fixture
def nadia(session):
    make_mailbox(session)
    editor = make_editor(session)
    session.commit()
    return editor


def test_a_forgotten_password_queues_a_letter_in_her_name(client, session, nadia, config):
    client.post("/reset", data={"email": nadia.email})
    delivery = session.scalar(sa.select(Delivery))
    mail = Mail.from_json(delivery.content)
    assert (delivery.state, delivery.purpose) == (DeliveryState.QUEUED, "staff")
    assert (mail.to.name, mail.to.address) == ("Nadia Ferrant", nadia.email)
    assert (mail.sender.name, mail.sender.address) == ("Maison Solenne", "care@maison-solenne.example")
    assert mail.text.startswith("Dear Nadia,\n")
    assert mail.headers["Auto-Submitted"] == "auto-generated"


def test_the_link_in_the_letter_leads_to_a_new_password(client, session, nadia, config, sessions):
    client.post("/reset", data={"email": nadia.email})
    provider = MemoryProvider()
    jobs.deliver_due(config, sessions, provider)
    (link,) = re.findall(rf"^{re.escape(config.base_url)}(/reset/\S+)$", provider.sent[0].mail.text, re.MULTILINE)
    page = client.get(link, follow_redirects=True)
    assert page.status_code == 200
    assert 'type="password"' in page.text


def test_a_forged_host_does_not_get_into_the_link(client, session, nadia, config):  # T31
    client.post("/reset", data={"email": nadia.email}, headers={"Host": "mallory.example"})
    mail = Mail.from_json(session.scalar(sa.select(Delivery)).content)
    assert "mallory" not in mail.text + (mail.html or "")
    assert f"{config.base_url}/reset/" in mail.text


def test_a_stranger_is_sent_nothing_and_told_nothing(client, session, nadia):  # T32
    known = client.post("/reset", data={"email": nadia.email})
    strange = client.post("/reset", data={"email": "mallory@example.com"})
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 1
    assert known.status_code == strange.status_code


def test_before_there_is_a_mailbox_the_machine_signs(client, session, config):
    nadia = make_editor(session)
    session.commit()
    client.post("/reset", data={"email": nadia.email})
    mail = Mail.from_json(session.scalar(sa.select(Delivery)).content)
    assert mail.sender.address == "concierge@127.0.0.1"
