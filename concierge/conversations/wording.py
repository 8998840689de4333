"""How the states of conversations and of mails on their way are said, and what is doubtful about a sender."""

from flask_babel import gettext as _

from concierge.addresses import readable
from concierge.conversations.likenesses import Doubt, Likeness
from concierge.conversations.models import ConversationState, Message
from concierge.customers.models import Customer
from concierge.mailing.models import Delivery, DeliveryState
from concierge.mailing.reasons import retold


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
    return f"{said}: {retold(delivery.reason)}" if delivery.reason and delivery.state not in _WELL else said


def doubt_words(likeness: Likeness, message: Message, customer: Customer) -> str:
    """What is doubtful about the sender of a mail, and what that means for the answer (T25)."""
    sender, like, name = message.from_address, readable(likeness.like), customer.display_name
    words = {
        Doubt.OURS: _("%(sender)s looks like an address of ours, and is none.", sender=sender),
        Doubt.STAFF: _("The name is %(name)s’s, the address is not: %(sender)s.", name=like, sender=sender),
        Doubt.KNOWN: _(
            "%(sender)s looks like %(like)s, whom we know. It may be somebody else.", sender=sender, like=like
        ),
        Doubt.OTHER: _("From %(sender)s, not from %(name)s. Answers go to %(name)s.", sender=sender, name=name),
        Doubt.FIRST: _("The first mail from this address."),
    }
    return str(words[likeness.doubt])


_WELL = frozenset({DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DELIVERED})
