"""What each entrance took in and what became of it: to the last mail, and red when a mail is missing."""

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.config import Config
from concierge.conversations.models import Message
from concierge.db import Sessions
from concierge.imap_settings import ImapAccount
from concierge.inbound.models import InboundMail, WatchedFolder
from concierge.inbound.tallying import Fate, list_by_fate, reckon
from tests.factories import NOW, make_editor, make_mailbox, sign_in
from tests.inbound.arriving import arrive, letter, receive


def furnish(config: Config, sessions: Sessions) -> None:
    """A mail of every fate, by several entrances."""
    with sessions() as session:
        make_mailbox(session)
        session.commit()
    arrive(config, sessions, letter())
    arrive(config, sessions, letter(), source="imap")  # the same once more
    away = letter(message_id="away@x", extra="Auto-Submitted: auto-replied", subject="Away")
    arrive(config, sessions, away, source="webhook")
    arrive(config, sessions, b"\r\nno header", source="webhook")
    arrive(config, sessions, letter(message_id="else@x"), recipients=("else@x.example",))
    receive(config, sessions, letter(message_id="waits@x"))


def test_every_mail_is_in_one_column_of_its_entrance(config, sessions, session):
    furnish(config, sessions)
    found = reckon(session)
    assert found.agrees
    told = {
        each.source: (each.accepted, {fate for fate, count in each.fates.items() if count}) for each in found.entrances
    }
    assert told == {
        "smtp": (3, {Fate.FILED, Fate.ASIDE, Fate.WAITING}),
        "webhook": (2, {Fate.AUTOMATIC, Fate.QUARANTINED}),
        "imap": (1, {Fate.DUPLICATE}),
    }
    assert [found.total(fate) for fate in (Fate.FILED, Fate.HELD)] == [1, 0]
    assert found.accepted == 6


def test_each_number_is_as_long_as_its_list(config, sessions, session):
    furnish(config, sessions)
    for entrance in reckon(session).entrances:
        for fate, count in entrance.fates.items():
            assert len(list_by_fate(session, fate, source=entrance.source)) == count


def test_nothing_came_and_nothing_is_wrong(session):
    found = reckon(session)
    assert (found.entrances, found.agrees, found.accepted) == ((), True, 0)


def test_a_mail_whose_message_is_gone_and_a_message_without_a_mail_are_found(config, sessions, session):
    """Negative control: the sums are broken on purpose, each way."""
    furnish(config, sessions)
    filed = sa.select(InboundMail.id).where(InboundMail.message_id.is_not(None), InboundMail.state == "filed")
    lost = session.scalars(filed.order_by(InboundMail.id).limit(1)).one()
    session.execute(sa.update(InboundMail).where(InboundMail.id == lost).values(message_id=None))
    found = reckon(session)
    assert not found.agrees
    assert [(each.source, each.missing) for each in found.entrances if each.missing] == [("smtp", 1)]
    assert [mail.id for mail, _message in list_by_fate(session, Fate.ASTRAY)] == [lost]
    assert found.unexplained == 1


def test_a_message_that_came_by_no_mail_is_enough_that_the_sums_do_not_agree(client, config, sessions, session):
    """Negative control: every mail is in its column; a message that says it came in is in none."""
    furnish(config, sessions)
    astray = session.scalars(sa.select(Message).where(Message.subject == "Away")).one()
    session.execute(sa.delete(InboundMail).where(InboundMail.message_id == astray.id))
    session.commit()
    found = reckon(session)
    assert (found.unexplained, [each.missing for each in found.entrances if each.missing]) == (1, [])
    assert not found.agrees
    assert "The sums do not agree." in nadia(client, session).get("/mail-in?show=entrances").get_data(as_text=True)


def nadia(client: FlaskClient, session: Session) -> FlaskClient:
    editor = make_editor(session)
    session.commit()
    sign_in(client, editor)
    return client


def test_the_page_says_that_the_sums_agree_and_leads_to_each_list(client, config, sessions, session):
    furnish(config, sessions)
    shown = nadia(client, session).get("/mail-in?show=entrances").get_data(as_text=True)
    assert "The sums agree" in shown
    assert "Mail door (SMTP)" in shown
    for fate, source, words in (
        ("filed", "smtp", "Sandals"),
        ("duplicate", "imap", "The same mail is here already."),
        ("automatic", "webhook", "Away"),
        ("quarantine", "webhook", "It has no header"),
        ("aside", "smtp", "none of our mailboxes"),
        ("waiting", "smtp", "as soon as the worker comes to it"),
    ):
        address = f"/mail-in?show={fate}&amp;source={source}"
        assert address in shown
        assert words in client.get(address.replace("&amp;", "&")).get_data(as_text=True)


def test_the_page_says_which_sums_do_not_agree(client, config, sessions, session):
    furnish(config, sessions)
    session.execute(sa.update(InboundMail).where(InboundMail.source == "webhook").values(message_id=None))
    session.commit()
    shown = nadia(client, session).get("/mail-in?show=entrances").get_data(as_text=True)
    assert "The sums do not agree." in shown
    assert "SendGrid Inbound Parse: of one mail nobody can say what became of it." in shown
    assert "One message came in by no mail:" in shown
    assert "Away" in shown
    assert "its message is not there" in client.get("/mail-in?show=astray").get_data(as_text=True)


def test_what_stays_in_a_mailbox_and_what_keeps_it_shut_is_told(app, client, config, session):
    account = ImapAccount(
        name="care", host="imap.x.example", user="care@x.example", password="p", folders="INBOX,Junk,New"
    )
    app.extensions["concierge"] = config.model_copy(update={"imap": (account,)})
    left = [{"uid": 7, "why": "too-large", "size": 43_000_000}, {"uid": 9, "why": "unfetchable", "size": 1}]
    session.add(WatchedFolder(account="care", name="INBOX", validity=1, looked_at=NOW, fault="", left=left))
    refused = "imap.x.example does not let care@x.example in."
    session.add(WatchedFolder(account="care", name="Junk", validity=1, fault=refused, fault_since=NOW, left=[]))
    shown = nadia(client, session).get("/mail-in?show=entrances").get_data(as_text=True)
    for words in ("One mail is larger than we take.", "UID 7", "UID 9", refused, "not yet"):
        assert words in shown


def test_a_message_of_the_demo_came_by_no_door(session, config, sessions):
    furnish(config, sessions)
    session.execute(sa.update(Message).values(raw_key=None))
    assert reckon(session).unexplained == 0
