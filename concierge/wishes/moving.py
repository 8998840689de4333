"""Wishes go along: with the mail in which she asked for them, and with her when two customers are one person."""

from concierge.conversations.brought import BROUGHT, Brought
from concierge.conversations.carried import CARRIED, Carried
from concierge.wishes.joining import bring_wishes, must_stay
from concierge.wishes.models import Wish
from concierge.wishes.parting import give_wishes_back, list_changed
from concierge.wishes.standings import lock_living

_TABLES = frozenset({"wish", "wish_variant", "offer", "consent", "purchase"})


def register() -> None:
    """Let wishes go along with the mails of a conversation, and with a customer."""
    CARRIED["wish"] = Carried(Wish.id, Wish.conversation_id, made_at=Wish.created_at, of_message=Wish.message_id)
    BROUGHT["wishes"] = Brought(_TABLES, must_stay, lock_living, bring_wishes, list_changed, give_wishes_back)
