"""The mails to somebody not known to read them: they hold our own words and the catalogue's, and nothing else."""

from uuid import uuid4

from concierge.accounts.models import Mailbox
from concierge.addresses import Address
from concierge.catalogue.cards import sizes_words
from concierge.catalogue.models import Product, Variant
from concierge.mailing.letters import Letter, render_letter
from concierge.mailing.mail import Mail

_AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def first_mail(
    mailbox: Mailbox, address: str, *, product: Product, variants: list[Variant], link: str, days: int, language: str
) -> Mail:
    """ "Is this wish yours?": nothing in it was written by whoever filled the form, however she called herself."""
    letter = render_letter(
        "wish_request",
        language,
        house=mailbox.brand,
        piece=product.name(language),
        designer=product.designer,
        sizes=sizes_words(variants, language),
        link=link,
        days=days,
    )
    return _mail(mailbox, address, letter)


def fresh_link_mail(mailbox: Mailbox, address: str, *, link: str, language: str) -> Mail:
    """A link that works again, to the address on file."""
    return _mail(mailbox, address, render_letter("wish_link", language, house=mailbox.brand, link=link))


def _mail(mailbox: Mailbox, address: str, letter: Letter) -> Mail:
    return Mail(
        sender=Address(mailbox.brand, mailbox.address),
        to=Address("", address),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=f"<{uuid4().hex}@{mailbox.domain}>",
        headers=_AUTOMATIC,
    )
