"""A conversation with Barbara, and what her editors write to her: the beginning of every story about drafts."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue import commands as catalogue
from concierge.catalogue.models import Variant
from concierge.conversations import queries as conversations
from concierge.conversations.models import Conversation, Message
from concierge.drafts import body, commands
from concierge.drafts.commands import Content, Sending
from concierge.drafts.models import Draft
from tests.catalogue.builders import make_variant, put_on_shelf
from tests.conversations.stories import receive
from tests.factories import NOW

LIMIT = 18 * 1024 * 1024
LETTER = "Dear Barbara,\n\nthe turquoise pair has just come back in 36, and I have put it aside for you."


def begin(session: Session, **values: object) -> Conversation:
    """Barbara has written about the turquoise sandals."""
    return receive(session, subject="Turquoise sandals", text="Will they come back in 36?", **values).conversation


def write_again(
    session: Session, conversation: Conversation, text: str = "I found them elsewhere!", **values: object
) -> Message:
    """Another mail of hers in the same conversation."""
    first = conversations.last_incoming(session, conversation)
    again = receive(session, subject="Re: Turquoise sandals", text=text, in_reply_to=(first.rfc_message_id,), **values)
    assert again.conversation_id == conversation.id
    return again


def write(
    session: Session, conversation: Conversation, by: Editor, text: str = LETTER, *, now: datetime = NOW
) -> Draft:
    """An answer of hers, saved."""
    draft = commands.open_draft(session, conversation, by=by, now=now)
    content = Content(body.from_text(text), draft.subject)
    return commands.save_draft(session, draft, content, version=draft.version, now=now)


def send(
    session: Session,
    draft: Draft,
    *,
    seen: int | None = None,
    after: timedelta = timedelta(seconds=10),
    now: datetime = NOW,
    overridden: frozenset[str] = frozenset(),
    later: bool = False,
) -> Draft:
    """Press Send, having seen everything unless told otherwise."""
    seen = seen if seen is not None else draft.conversation.last_message_id
    sending = Sending(seen, now + after, overridden, send_later=later)
    return commands.send_draft(session, draft, sending, version=draft.version, limit=LIMIT, by=draft.editor, now=now)


def make_sandals(session: Session, sku: str = "CAL-TUR-36") -> Variant:
    """The turquoise sandals in 36, of which there is one."""
    product = catalogue.add_product(
        session,
        code="CALANQUE",
        designer="Atelier Mirelle",
        category="sandals",
        price_cents=42000,
        texts={"en": ("Calanque sandals", "Of soft kid."), "it": ("Sandali Calanque", "Di capretto morbido.")},
        link="https://maison-solenne.example/products/calanque",
        now=NOW,
    )
    variant = make_variant(session, product, sku=sku, size="36", colour="turquoise")
    put_on_shelf(session, variant, 1, location="Milan")
    return variant
