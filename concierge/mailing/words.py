"""What became of a mail, step by step, in words people read."""

from collections.abc import Callable
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import pgettext

from concierge.mailing.models import DeliveryEvent


def event_words(kind: str, *, by_machine: bool = False) -> str:
    """A step in a mail's history; its own name for one that has no words yet.

    `by_machine`: the provider says that no person opened it, but a scanner or her mail program on its own.
    """
    words: dict[str, Callable[[], str]] = {
        "postponed": lambda: _("Put off, to be tried again"),
        "uncertain": lambda: _("Came to an unknown end"),
        "rejected": lambda: _("Refused for good"),
        "failed": lambda: _("Given up"),
        "withheld": lambda: _("Not sent"),
        "accepted": lambda: _("The provider has it"),
        "put_off": lambda: _("Her mail system asked to wait"),
        "arrived": lambda: _("Her mail system took it"),
        "came_back": lambda: _("Came back"),
        "dropped": lambda: _("Dropped by the provider"),
        "complained": lambda: _("She called it unwanted"),
        "unsubscribed": lambda: _("She asked for no more"),
        "opened": lambda: pgettext("a mail", "Opened"),
        "clicked": lambda: _("A link in it was followed"),
        "released": lambda: _("Let go by hand"),
    }
    if by_machine:
        words |= {
            "opened": lambda: _("Opened by a machine"),
            "clicked": lambda: _("A link in it was followed by a machine"),
        }
    found = words.get(kind)
    return str(found()) if found else kind


def carrier_words(provider: str) -> str:
    """A carrier as a person calls it."""
    return {"sendgrid": "SendGrid", "smtp": "SMTP", "folder": str(_("the folder"))}.get(provider, provider)


def begun_at(event: DeliveryEvent) -> datetime | None:
    """When the mail of which this tells was handed over, if it was noted."""
    found = event.details.get("begun")
    return datetime.fromisoformat(found) if found else None
