"""The mails to somebody not known to read them: they hold our own words and the catalogue's, and nothing else."""

from uuid import uuid4

from concierge.accounts.models import Mailbox
from concierge.addresses import Address
from concierge.catalogue.cards import sized_words
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import colour_name
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
        sizes=_sizes(variants, language),
        link=link,
        days=days,
    )
    return _mail(mailbox, address, letter)


def fresh_link_mail(mailbox: Mailbox, address: str, *, link: str, language: str) -> Mail:
    """A link that works again, to the address on file."""
    return _mail(mailbox, address, render_letter("wish_link", language, house=mailbox.brand, link=link))


def _sizes(variants: list[Variant], language: str) -> str:
    """ "Turquoise, EU 36 · EU 36.5": each colour with its sizes."""
    by_colour: dict[str, list[str]] = {}
    for each in variants:
        by_colour.setdefault(colour_name(each.colour, language), []).append(sized_words(each, ""))
    sized = ((colour, " · ".join(dict.fromkeys(filter(None, sizes)))) for colour, sizes in by_colour.items())
    return "; ".join(", ".join(filter(None, pair)) for pair in sized)


def chosen(variant: Variant, language: str, system: str = "") -> str:
    """A variant as it is chosen among its sisters: "Turquoise, EU 36"; `system` is what she reads sizes in."""
    return ", ".join(filter(None, (colour_name(variant.colour, language), sized_words(variant, system))))


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
