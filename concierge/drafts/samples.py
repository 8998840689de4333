"""A template's wording made into the mail a customer would get: a real one, or somebody made up."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from concierge.accounts import queries as accounts
from concierge.accounts.models import Editor, Mailbox, MailboxNotFound
from concierge.addresses import Address
from concierge.catalogue import queries as catalogue
from concierge.catalogue.cards import ProductCard
from concierge.catalogue.models import Variant
from concierge.customers.models import Customer
from concierge.drafts import body, filling
from concierge.drafts.letter import Written
from concierge.templating import merge_fields, rendering


@dataclass(frozen=True, slots=True)
class Wording:
    """What is being written, in which language, and for whom; without a customer, for one made up or a stranger."""

    language: str
    subject: str
    body: str
    customer_id: int | None = None
    sku: str | None = None
    for_stranger: bool = False


def written(session: Session, wording: Wording, editor: Editor) -> Written:
    """What the mail would say; raises what rendering raises, and MailboxNotFound in a house without one."""
    mailbox = _mailbox(session, wording.language)
    customer = session.get(Customer, wording.customer_id) if wording.customer_id else None
    variant = _variant(session, wording.sku)
    values = _values(session, wording, editor, mailbox, customer=customer, variant=variant)
    text = rendering.render(wording.body, values)
    made = body.from_text(text)
    to = (
        Address(customer.name, customer.address)
        if customer
        else Address(values["customer.name"], "barbara@example.com")
    )
    return Written(
        body=made,
        subject=rendering.render_subject(wording.subject, values),
        language=wording.language,
        editor=editor,
        mailbox=mailbox,
        to=to,
        cards=catalogue.cards(session, body.cards(made), wording.language),
    )


def _values(
    session: Session,
    wording: Wording,
    editor: Editor,
    mailbox: Mailbox,
    *,
    customer: Customer | None,
    variant: Variant | None,
) -> Mapping[str, str]:
    sample = merge_fields.sample_values()
    category = variant.product.category if variant else ""
    known = rendering.values_for(
        customer=customer,
        size=filling.size_of(customer, category) if customer else sample["customer.size"],
        editor=editor,
        editor_title=editor.title,
        sign_off=editor.sign_off(wording.language),
        brand=mailbox.brand,
        address=mailbox.address,
        subject=sample["conversation.subject"],
        product=catalogue.card(session, variant.sku, wording.language) if variant else None,
        alternative=_alternative(session, wording, variant) if variant else None,
    )
    if wording.for_stranger:
        known |= dict.fromkeys(("customer.name", "customer.first_name", "customer.size", "conversation.subject"), "")
    elif customer is None:
        known |= {name: value for name, value in sample.items() if name.startswith("customer.")}
    return {**sample, **known}


def _alternative(session: Session, wording: Wording, variant: Variant) -> ProductCard | None:
    """What would be shown beside it; nothing to a stranger, so that both ways to read can be seen."""
    found = [] if wording.for_stranger else catalogue.list_alternatives(session, variant, limit=1)
    return catalogue.card(session, found[0].sku, wording.language) if found else None


def _mailbox(session: Session, language: str) -> Mailbox:
    mailboxes = accounts.list_mailboxes(session, active_only=True)
    fitting = [each for each in mailboxes if each.language == language] or mailboxes
    if not fitting:
        raise MailboxNotFound
    return fitting[0]


def _variant(session: Session, sku: str | None) -> Variant | None:
    """The product chosen, else the first the house has, so that a card has something to show."""
    if sku:
        return catalogue.get_variant_by_sku(session, sku)
    return next(iter(catalogue.search_variants(session, "", limit=1)), None)
