"""What the passing words say of an answer: what became of it, never what a clock supposes."""

from html import unescape

import pytest
import sqlalchemy as sa

from concierge.mailing.models import Delivery, DeliveryState
from tests.drafts.people import LETTER, write_again
from tests.drafts.windows import HTMX


@pytest.fixture
def toast(window):
    """Presses Send; then what its toast says, each time the page asks."""
    page = window.press("/send", body_text=LETTER, when="now", headers=HTMX).get_data(as_text=True)
    address = unescape(page.split('data-undo-fate="')[1].split('"')[0])
    return lambda: unescape(window.client.get(address, headers=HTMX).get_data(as_text=True))


def test_the_toast_says_sent_only_when_it_was(window, session, toast):
    assert "On its way to Barbara" in toast()
    assert window.worker() == 1
    assert "On its way to Barbara" in toast() and "Sent" not in toast()
    delivery = session.scalars(sa.select(Delivery)).one()
    delivery.state = DeliveryState.SENT
    session.commit()
    assert "Sent to Barbara" in toast()
    delivery.state, delivery.reason = DeliveryState.FAILED, "No relay answers."
    session.commit()
    assert "It could not be sent: No relay answers." in toast() and 'role="alert"' in toast()


def test_the_toast_says_why_an_answer_came_back(window, session, conversation, toast):
    write_again(session, conversation)
    session.commit()
    assert window.worker() == 0
    assert "This answer came back; it has not been sent. Something newer has arrived" in toast()
    assert "Sent to" not in toast()


def test_the_toast_says_when_it_was_taken_back_in_another_window(window, toast):
    window.press("/undo")
    assert "Taken back; it was not sent." in toast()
    window.press("/discard")
    assert toast().strip() == ""
