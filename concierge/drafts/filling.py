"""Fills a draft from a template: finished text in the customer's language, above what was typed so far."""

from datetime import datetime

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue import queries as catalogue
from concierge.conversations.models import Conversation
from concierge.customers.models import Customer
from concierge.drafts import commands
from concierge.drafts.models import Draft
from concierge.templating import commands as templating
from concierge.templating import rendering
from concierge.templating.models import TemplateVersion

# Which of her sizes a product of a kind is looked up by; other kinds have a size of their own name.
_SIZE_KIND = {"sandals": "shoes", "boots": "shoes", "pumps": "shoes", "sneakers": "shoes", "loafers": "shoes"}


def fill_from_template(
    session: Session, draft: Draft, version: TemplateVersion, *, sku: str | None = None, now: datetime
) -> Draft:
    """Put a template's finished text above what was typed, and remember which version it came from.

    Raises FieldMissing when it speaks of a product and no `sku` was chosen, VariantNotFound, DraftLeaving.
    """
    text, subject = fill_words(session, draft.conversation, draft.editor, version, sku=sku)
    commands.fill(session, draft, text, subject, version.id, now=now)
    templating.use_template(session, version, now=now)
    return draft


def fill_words(
    session: Session, conversation: Conversation, editor: Editor, version: TemplateVersion, *, sku: str | None = None
) -> tuple[str, str]:
    """The finished text (the plain-text twin) and subject of a template, as `editor` would send it here.

    Raises FieldMissing when it speaks of a product and no `sku` was chosen, VariantNotFound.
    """
    card = catalogue.card(session, sku, version.language) if sku else None
    kind = catalogue.get_variant_by_sku(session, sku).product.category if sku else ""
    values = rendering.values_for(
        customer=conversation.customer,
        size=size_of(conversation.customer, kind),
        editor=editor,
        editor_title=editor.title,
        sign_off=editor.sign_off(version.language),
        brand=conversation.mailbox.brand,
        address=conversation.mailbox.address,
        subject=conversation.subject,
        product=card,
    )
    return rendering.render(version.body, values), rendering.render_subject(version.subject, values)


def size_of(customer: Customer, category: str = "") -> str:
    """Her size for this kind of product; without a kind, the one size we know; empty when it would be a guess."""
    if category:
        return customer.size(_SIZE_KIND.get(category, category))
    return customer.sizes[0].value if len(customer.sizes) == 1 else ""
