"""How the states of conversations and of mails on their way are said."""

from flask_babel import gettext as _

from concierge.conversations.models import ConversationState
from concierge.mailing.models import Delivery, DeliveryState


def state_words(state: ConversationState) -> str:
    """Where a conversation is, in a word."""
    words = {
        ConversationState.OPEN: _("open"),
        ConversationState.SNOOZED: _("put aside"),
        ConversationState.CLOSED: _("closed"),
    }
    return str(words[state])


def fare(delivery: Delivery) -> str:
    """How a mail of ours fares on its way, with the reason where it did not arrive."""
    words = {
        DeliveryState.QUEUED: _("About to leave"),
        DeliveryState.SENDING: _("Leaving"),
        DeliveryState.SENT: _("Sent"),
        DeliveryState.DEFERRED: _("On its way; her mail server asks for patience"),
        DeliveryState.DELIVERED: _("Arrived"),
        DeliveryState.BOUNCED: _("It came back"),
        DeliveryState.REJECTED: _("Her mail server refused it"),
        DeliveryState.FAILED: _("It could not be sent"),
        DeliveryState.UNCERTAIN: _("We can’t tell whether it left"),
        DeliveryState.WITHHELD: _("It was not sent"),
    }
    said = str(words[delivery.state])
    return f"{said}: {delivery.reason}" if delivery.reason and delivery.state not in _WELL else said


_WELL = frozenset({DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DELIVERED})
