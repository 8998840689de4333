"""Where she lives is shown as a guess with where it comes from; one click confirms it, and her mails tell it."""

import sqlalchemy as sa

from concierge.audit import AuditEntry
from concierge.customers.models import Customer
from concierge.inbound.headers import read_offset
from tests.factories import make_customer, make_editor, make_mailbox, sign_in
from tests.inbound.arriving import arrive, letter

PLACE = "/customers/{}/place"


def test_a_date_says_by_how_much_its_clock_was_ahead():
    offsets = {
        "Mon, 20 Jul 2026 10:00:00 +0200": 120, "20 Jul 2026 10:00:00 -0430": -270, "Mon, 20 Jul 2026 10:00 EST": None,
        "Mon, 20 Jul 2026 10:00:00 +0000 (UTC)": 0, "Mon, 20 Jul 2026 10:00:00 -0000": None,
        "Mon, 20 Jul 2026 10:00:00": None,
        "Mon, 20 Jul 2026 10:00:00 +9900": None, "Mon, 20 Jul 2026 10:00:00 +0207": None, "soon": None, "": None,
    }  # fmt: skip
    assert {text: read_offset(text) for text in offsets} == offsets


def test_one_click_confirms_a_guess(session, client):
    customer = make_customer(session, "Barbara Weiss", "barbara@example.com")
    customer.country = "AT"
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    page = client.get(f"/customers/{customer.id}").text
    assert "Europe/Vienna" in page and "our guess, from her country" in page and "That’s right" in page
    assert client.post(PLACE.format(customer.id), data={"timezone": "Europe/Vienna"}).status_code == 303
    session.refresh(customer)
    assert (customer.timezone, customer.country) == ("Europe/Vienna", "AT")
    session.commit()
    page = client.get(f"/customers/{customer.id}").text
    assert "our guess, from her country" not in page and "That’s right" not in page
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.verb == "customer.changed")).one()
    assert (entry.editor_id, entry.details) == (nadia.id, {"fields": ["timezone"]})


def test_her_place_is_changed_and_nonsense_is_refused(session, client):
    customer = make_customer(session, "Chloé Martin", "chloe@example.com")
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    url = PLACE.format(customer.id)
    assert client.post(url, data={"country": "CA", "timezone": "America/Vancouver"}).status_code == 303
    for nonsense in ({"timezone": "Atlantis"}, {"timezone": "../etc/passwd"}, {"country": "XX"}):
        assert client.post(url, data=nonsense).status_code == 422, nonsense
    session.refresh(customer)
    assert (customer.country, customer.zone_name) == ("CA", "America/Vancouver")
    session.commit()
    assert 'value="CA" selected' in client.get(url).text


def test_the_dates_of_her_mails_tell_her_zone(session, sessions, config):
    make_mailbox(session)
    session.commit()
    for day, offset in ((12, b"-0700"), (11, b"-0700"), (2, b"+0900")):  # the last is no date of now
        mail = letter(message_id=f"{day}@example.com").replace(
            b"12 May 2026 09:00:00 +0000", b"%d May 2026 02:00:00 %s" % (day, offset)
        )
        arrive(config, sessions, mail)
    arrive(
        config,
        sessions,
        letter(message_id="bot@example.com", extra="Auto-Submitted: auto-replied").replace(b"+0000", b"+1400"),
    )
    customer = session.scalars(sa.select(Customer)).one()
    assert customer.mail_zone == "America/Los_Angeles" == customer.zone_name
    assert [minutes for _at, minutes in customer.offsets] == [-420, -420]
    assert session.scalar(sa.select(Customer.zone_name)) == "America/Los_Angeles"
