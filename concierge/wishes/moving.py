"""Wishes go along with the mail in which she asked for them: their offers leave in that conversation."""

from concierge.conversations.carried import CARRIED, Carried
from concierge.wishes.models import Wish


def register() -> None:
    """Let wishes go along with the mails of a conversation."""
    CARRIED["wish"] = Carried(Wish.id, Wish.conversation_id, made_at=Wish.created_at, of_message=Wish.message_id)
