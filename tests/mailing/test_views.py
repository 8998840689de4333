import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.accounts.models import Role
from concierge.addresses import Address
from concierge.conversations.models import Direction, Message
from concierge.mailing import commands
from concierge.mailing.models import Delivery, DeliveryEvent, DeliveryState, Suppression, SuppressionReason
from concierge.mailing.providers.base import TransportError
from concierge.mailing.reasons import Reason
from concierge.mailing.reporting import take_report
from concierge.mailing.reports import Report, ReportKind
from tests.conversations.stories import receive
from tests.factories import make_editor, sign_in
from tests.mailing.samples import NOW, make_mail


@pytest.fixture
def stranded(session) -> Delivery:
    """Nadia's answer, of which nobody knows whether it left."""
    delivery = commands.queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)
    delivery.state, delivery.reason = DeliveryState.UNCERTAIN, "silence"
    session.commit()
    return delivery


def enter(client, session, **values) -> None:
    editor = make_editor(session, **values)
    session.commit()
    sign_in(client, editor)


def test_an_editor_sends_a_stranded_mail_again(client, session, stranded):
    enter(client, session)
    answer = client.post(f"/deliveries/{stranded.id}/send-again", data={"back": "/conversations/7"})
    session.refresh(stranded)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/conversations/7")
    assert stranded.state is DeliveryState.QUEUED


def test_what_a_machine_opened_is_not_said_to_be_opened(client, session, stranded):
    """A scanner's look is kept, and told for what it is."""
    for number, by_machine in enumerate((True, False)):
        opened = Report(f"open-{number}", ReportKind.OPENED, NOW, "sendgrid", key="reply:1", by_machine=by_machine)
        take_report(session, opened, now=NOW)
        kept = session.scalars(sa.select(DeliveryEvent).order_by(DeliveryEvent.id.desc())).first()
        assert kept is not None
        assert kept.details["machine"] is by_machine
    stranded.state = DeliveryState.UNCERTAIN
    session.commit()
    enter(client, session)
    shown = client.get("/mail-out").text
    assert (shown.count("Opened by a machine"), shown.count("Opened")) == (1, 2)
    assert shown.index("Opened by a machine") < shown.rindex("Opened")


def test_sending_again_twice_is_refused_in_words(client, session, stranded):  # F08
    enter(client, session)
    client.post(f"/deliveries/{stranded.id}/send-again")
    answer = client.post(f"/deliveries/{stranded.id}/send-again")
    assert answer.status_code == 409
    assert "go from where it is" in answer.text


def test_an_editor_says_that_it_arrived(client, session, stranded):
    enter(client, session)
    client.post(f"/deliveries/{stranded.id}/confirm-arrival")
    session.refresh(stranded)
    assert stranded.state is DeliveryState.DELIVERED


def test_a_merchandiser_sends_nothing(client, session, stranded):  # T35
    enter(client, session, name="Marta Lindqvist", role=Role.MERCHANDISER)
    assert client.post(f"/deliveries/{stranded.id}/send-again").status_code == 403
    assert client.post(f"/deliveries/{stranded.id}/confirm-arrival").status_code == 403
    session.refresh(stranded)
    assert stranded.state is DeliveryState.UNCERTAIN


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\r\nb", ""])
def test_the_way_back_leads_nowhere_else(client, session, stranded, back):  # T33
    enter(client, session)
    answer = client.post(f"/deliveries/{stranded.id}/send-again", data={"back": back})
    assert answer.headers["Location"] == "/"


def test_a_mail_in_doubt_stands_on_the_page_with_what_is_known(client, session, stranded):  # F03
    enter(client, session)
    page = client.get("/mail-out").text
    assert all(word in page for word in ("barbara", "silence", "It arrived", "Send again", stranded.subject))
    client.post(f"/deliveries/{stranded.id}/confirm-arrival", data={"back": "/mail-out"})
    assert "Nothing is in doubt" in client.get("/mail-out").text


def test_an_italian_reads_in_her_language_why_it_is_in_doubt(client, session, stranded):
    stranded.reason = Reason.WORKER_STOPPED.of()
    enter(client, session, language="it")
    page = client.get("/mail-out").text
    assert "Il processo si è fermato mentre questa mail stava uscendo" in page
    assert "The worker stopped" not in page


def test_a_mail_in_doubt_leads_to_its_conversation_and_says_by_whom_and_when_it_went(client, session):  # F03
    conversation = receive(session).conversation
    delivery = commands.queue_delivery(session, make_mail(), key="reply:1", purpose="reply", now=NOW)
    ours = {"mailbox_id": conversation.mailbox_id, "direction": Direction.OUT, "created_at": NOW}
    session.add(Message(conversation=conversation, delivery=delivery, **ours))
    delivery.state, delivery.claim, delivery.claimed_at = DeliveryState.SENDING, "hers", NOW + timedelta(minutes=7)
    session.flush()
    told = {"claim": "hers", "provider": "sendgrid", "attempts_allowed": 5, "chance": 0.5}
    silence = TransportError("silence", uncertain=True)
    assert commands.record_failure(session, delivery, silence, now=NOW + timedelta(minutes=8), **told)
    enter(client, session)
    page = client.get("/mail-out").text
    assert f'href="/conversations/{conversation.id}"' in page
    assert "Handed over to SendGrid" in page
    assert (NOW + timedelta(minutes=7)).isoformat()[:16] in page
    assert session.scalars(sa.select(DeliveryEvent)).one().details["begun"].startswith("2026-11-20T09:37")


def test_more_in_doubt_than_a_page_holds_are_counted_and_turned_over(client, session):  # F03
    for number in range(51):
        mail = make_mail(to=Address("", f"customer{number:03}@example.com"), message_id=f"<{number}@house.example>")
        commands.queue_delivery(session, mail, key=f"reply:{number}", purpose="reply", now=NOW)
    session.execute(sa.update(Delivery).values(state=DeliveryState.UNCERTAIN))
    enter(client, session)
    first = client.get("/mail-out").text
    assert ("customer049" in first, "customer050" in first) == (True, False)
    assert re.search(r"In doubt\s*<[^>]*>\s*51", first)
    [onward] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(onward).text
    assert ("customer049" in second, "customer050" in second) == (False, True)
    assert 'rel="prev" href="/mail-out"' in second


def test_an_address_is_released_by_hand_for_a_reason(client, session):  # T28
    held = commands.suppress(
        session, "barbara@example.com", reason=SuppressionReason.HARD_BOUNCE, by=None, now=NOW, evidence="550 5.1.1"
    )
    enter(client, session)
    assert "550 5.1.1" in client.get("/mail-out?show=suppressed&q=BARBARA").text
    assert "550 5.1.1" not in client.get("/mail-out?show=suppressed&q=chloe").text
    assert client.post(f"/suppressions/{held.id}/release", data={"because": "  "}).status_code == 409
    assert client.post(f"/suppressions/{held.id}/release", data={"because": "She wrote from it"}).status_code == 303
    session.refresh(held)
    assert held.released_because == "She wrote from it"
    assert "She wrote from it" in client.get("/mail-out?show=released").text


def test_who_releases_one_of_two_is_told_that_the_other_still_holds(client, session):  # T28
    first = commands.suppress(session, "b@bücher.example", reason=SuppressionReason.HARD_BOUNCE, by=None, now=NOW)
    # As two spellings of one mailbox were kept until they were compared in one form.
    second = Suppression(normalised=first.normalised, reason=SuppressionReason.COMPLAINT, created_at=NOW)
    session.add(second)
    session.commit()
    enter(client, session)
    told = client.post(f"/suppressions/{first.id}/release", data={"because": "It works"}, follow_redirects=True).text
    assert "still not mailed: She reported one of our mails as unwanted." in told
    assert "may be mailed again." not in told
    told = client.post(f"/suppressions/{second.id}/release", data={"because": "She asked"}, follow_redirects=True).text
    assert "b@bücher.example may be mailed again." in told
