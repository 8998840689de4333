"""The head of a letter about a wish: who writes to whom, what it answers, how to ask for no more."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from concierge.addresses import Address


class Head(NamedTuple):
    """All that a mail says before its words."""

    sender: Address
    to: Address
    reply_to: Address
    subject: str
    message_id: str
    references: tuple[str, ...]
    headers: Mapping[str, str]

    def values(self) -> dict[str, Any]:
        """As `mailing.sheets.folded` takes them; the last of the references is what it answers."""
        return {
            "sender": self.sender,
            "to": self.to,
            "reply_to": self.reply_to,
            "subject": self.subject,
            "message_id": self.message_id,
            "in_reply_to": self.references[-1] if self.references else None,
            "references": self.references,
            "headers": self.headers,
        }
