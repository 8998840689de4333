"""Fills a draft from a template: finished text in the customer's language, above what was typed so far."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import ProductCard
from concierge.catalogue.models import Variant
from concierge.conversations.models import Conversation
from concierge.customers.models import Customer
from concierge.drafts import commands
from concierge.drafts.models import Draft
from concierge.templating import commands as templating
from concierge.templating import rendering
from concierge.templating.check import speaks_of
from concierge.templating.models import TemplateVersion

# Said instead of a SKU: she is shown nothing beside it.
WITHOUT = "-"
# Which of her sizes a product of a kind is looked up by; other kinds have a size of their own name.
_SIZE_KIND = {"sandals": "shoes", "boots": "shoes", "pumps": "shoes", "sneakers": "shoes", "loafers": "shoes"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The products a template is filled with: the one it speaks of, and one to show beside it, by SKU."""

    sku: str | None = None
    alternative: str | None = None


def fill_from_template(
    session: Session, draft: Draft, version: TemplateVersion, chosen: Chosen = Chosen(), *, now: datetime
) -> Draft:
    """Put a template's finished text above what was typed, and remember which version it came from.

    Raises FieldMissing when it speaks of a product and none was chosen, VariantNotFound, DraftLeaving.
    """
    text, subject = fill_words(session, draft.conversation, draft.editor, version, chosen)
    commands.fill(session, draft, text, subject, version.id, now=now)
    templating.use_template(session, version, now=now)
    return draft


def fill_words(
    session: Session, conversation: Conversation, editor: Editor, version: TemplateVersion, chosen: Chosen = Chosen()
) -> tuple[str, str]:
    """The finished text (the plain-text twin) and subject of a template, as `editor` would send it here.

    Raises FieldMissing when it speaks of a product and none was chosen, VariantNotFound.
    """
    kind = catalogue.get_variant_by_sku(session, chosen.sku).product.category if chosen.sku else ""
    values = rendering.values_for(
        customer=conversation.customer,
        size=size_of(conversation.customer, kind),
        editor=editor,
        editor_title=editor.title,
        sign_off=editor.sign_off(version.language),
        brand=conversation.mailbox.brand,
        address=conversation.mailbox.address,
        subject=conversation.subject,
        product=_card(session, chosen.sku, version),
        alternative=_card(session, chosen.alternative, version),
    )
    return rendering.render(version.body, values), rendering.render_subject(version.subject, values)


def alternatives_for(session: Session, version: TemplateVersion, sku: str) -> list[Variant]:
    """What a template could show beside a product that is gone, in the same size; none where it has no word for it."""
    if not speaks_of("alternative", version.subject, version.body):
        return []
    return catalogue.list_alternatives(session, catalogue.get_variant_by_sku(session, sku))


def _card(session: Session, sku: str | None, version: TemplateVersion) -> ProductCard | None:
    return catalogue.card(session, sku, version.language) if sku else None


def size_of(customer: Customer, category: str = "") -> str:
    """Her size for this kind of product; without a kind, the one size we know; empty when it would be a guess."""
    if category:
        return customer.size(_SIZE_KIND.get(category, category))
    return customer.sizes[0].value if len(customer.sizes) == 1 else ""
