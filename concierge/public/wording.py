"""What a wish, an offer and an address are called on the customer's own pages, in the language being spoken."""

from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext

from concierge.catalogue.models import Product
from concierge.catalogue.naming import price_text
from concierge.public.moments import day_words
from concierge.wishes.models import Wish, WishEnding, WishState


class Precise(Protocol):
    """What a wish and a request say beside the sizes."""

    @property
    def quantity(self) -> int: ...

    @property
    def needed_by(self) -> date | None: ...

    @property
    def ceiling_cents(self) -> int | None: ...

    @property
    def or_similar(self) -> bool: ...


def facts_of(wanted: Precise, product: Product, language: str) -> list[str]:
    """What she said more precisely: "two at once", "by 3 May 2026", "for €400 at most", "or something similar"."""
    facts = []
    if wanted.quantity > 1:
        facts.append(ngettext("%(num)d piece", "%(num)d pieces, all or none", wanted.quantity))
    if wanted.needed_by:
        facts.append(_("needed by %(day)s", day=day_words(wanted.needed_by, language)))
    if wanted.ceiling_cents is not None:
        price = price_text(wanted.ceiling_cents, product.currency, language)
        facts.append(_("for %(price)s at most", price=price))
    if wanted.or_similar:
        facts.append(_("or something similar"))
    return facts


def state_of(wish: Wish, language: str, zone: ZoneInfo, *, now: datetime) -> str:
    """Where her wish is, in a sentence."""
    if wish.state is WishState.UNCONFIRMED:
        return str(_("Noted for you by %(name)s; it counts once you say yes.", name=_noted_by(wish)))
    if rests := rest_of(wish, language, zone, now=now):
        return str(_("Resting until %(day)s; your place stays yours.", day=rests))
    if wish.is_living:
        since = day_words(wish.confirmed_at or wish.created_at, language, zone)
        return str(_("We are looking out for it, since %(day)s.", day=since))
    return str(ending_words(wish.ended_because))


def rest_of(wish: Wish, language: str, zone: ZoneInfo, *, now: datetime) -> str:
    """Until when we do not write to her about it: she said not now, or an offer went by in silence; "" when we do."""
    if not (wish.is_living and wish.rests_until and wish.rests_until > now):
        return ""
    return day_words(wish.rests_until, language, zone)


def ending_words(because: WishEnding | None) -> str:
    """Why a wish is over, as one tells her."""
    words = {
        WishEnding.BOUGHT: _("It is yours."),
        WishEnding.BOUGHT_ELSEWHERE: _("You have found it."),
        WishEnding.WITHDRAWN_BY_HER: _("You withdrew it."),
        WishEnding.UNSUBSCRIBED: _("Ended when you asked for no more mails."),
        WishEnding.NEVER_CONFIRMED: _("It was never confirmed."),
        WishEnding.NEEDED_BY_PASSED: _("The day you needed it by has passed."),
        WishEnding.PASSED_ON_IT: _("You let it pass."),
        WishEnding.JOINED: _("You wished for it twice; it is one wish now."),
    }
    return str(words.get(because) if because in words else _("This wish is over."))


def veiled(address: str) -> str:
    """An address its owner recognises and nobody else can write to: "b…@e….com"."""
    local, _at, domain = address.rpartition("@")
    name, dot, ending = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{ending}" if local and name else "…"


def _noted_by(wish: Wish) -> str:
    return wish.editor.first_name if wish.editor else wish.mailbox.brand
