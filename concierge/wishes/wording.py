"""What the staff's pages call a wish, what it asks for, why it is over, and the proof that she wants it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from concierge.catalogue.naming import price_text
from concierge.config import locale_of
from concierge.customers.models import Consent
from concierge.wishes.models import Wish, WishEnding, WishState, WishWay
from concierge.wishes.offer_models import Offer, OfferState

STATES: Final[dict[WishState, LazyString]] = {
    WishState.UNCONFIRMED: _l("not confirmed yet"),
    WishState.WAITING: _l("waits"),
    WishState.OFFERED: _l("has an offer"),
    WishState.FULFILLED: _l("fulfilled"),
    WishState.WITHDRAWN: _l("withdrawn"),
    WishState.EXPIRED: _l("expired"),
}

ENDINGS: Final[dict[WishEnding, LazyString]] = {
    WishEnding.BOUGHT: _l("bought through our offer"),
    WishEnding.BOUGHT_ELSEWHERE: _l("bought in another way"),
    WishEnding.WITHDRAWN_BY_HER: _l("withdrawn by her"),
    WishEnding.WITHDRAWN_BY_EDITOR: _l("withdrawn by an editor"),
    WishEnding.UNSUBSCRIBED: _l("wants no more mails"),
    WishEnding.NEVER_CONFIRMED: _l("never confirmed"),
    WishEnding.TOO_OLD: _l("too old"),
    WishEnding.NEEDED_BY_PASSED: _l("needed earlier"),
    WishEnding.PASSED_ON_IT: _l("passed on it"),
    WishEnding.CUSTOMER_ERASED: _l("erased with the customer"),
    WishEnding.JOINED: _l("one with an earlier wish of hers"),
}


def facts_of(wish: Wish) -> list[str]:
    """What is said beside the sizes: "two pieces, all or none", "needed by 3 May 2026", "for €400 at most"."""
    facts = []
    if wish.quantity > 1:
        facts.append(ngettext("%(num)d piece", "%(num)d pieces, all or none", wish.quantity))
    if wish.needed_by:
        facts.append(_("needed by %(day)s", day=day_words(wish.needed_by)))
    if wish.ceiling_cents is not None:
        price = price_text(wish.ceiling_cents, wish.product.currency, _language())
        facts.append(_("for %(price)s at most", price=price))
    if wish.or_similar:
        facts.append(_("or something similar"))
    return [str(each) for each in facts]


def state_words(wish: Wish, offer: Offer | None, *, zone: ZoneInfo, now: datetime) -> str:
    """Where it is with its running offer, for the staff; `zone` is the reader's."""
    if wish.ended_because is not None and wish.ended_at is not None:
        return f"{ENDINGS[wish.ended_because]}, {day_words(wish.ended_at, zone)}"
    if wish.state is WishState.WAITING and wish.rests_until and wish.rests_until > now:
        return str(_("rests until %(day)s", day=day_words(wish.rests_until, zone)))
    if offer is not None and offer.state is OfferState.TAKEN:
        return str(_("she took it"))
    return str(STATES[wish.state])


def offer_words(offer: Offer, *, hers: ZoneInfo, here: ZoneInfo) -> str:
    """Where her running offer is, and until when the piece is held by her own clock."""
    if offer.left_at is None:
        return str(_("An offer is made; its mail leaves on %(moment)s.", moment=_moment(offer.leaves_at, here)))
    if offer.held_until is None:
        return str(_("Offered; the hold stands still while our mail is stuck."))
    until = _moment(offer.held_until, hers)
    if hers.utcoffset(offer.held_until.replace(tzinfo=None)) != here.utcoffset(offer.held_until.replace(tzinfo=None)):
        until = str(_("%(moment)s her time (%(here)s here)", moment=until, here=_moment(offer.held_until, here)))
    else:
        until = str(_("%(moment)s her time", moment=until))
    if offer.state is OfferState.TAKEN:
        return str(_("Taken; kept for her until %(moment)s.", moment=until))
    if not offer.is_promised:
        return str(_("Told with others: hers if she takes it while there is one, until %(moment)s.", moment=until))
    return str(_("Held for her until %(moment)s.", moment=until))


def proof_words(consent: Consent, *, zone: ZoneInfo) -> str:
    """When and how she said yes."""
    day = day_words(consent.granted_at, zone)
    ways: dict[str, Any] = {
        "mail": _("She asked for it in writing; noted on %(day)s.", day=day),
        "link": _("She said yes by the link in our letter, on %(day)s.", day=day),
        "form": _("She asked by the form in the shop and said yes by mail, on %(day)s.", day=day),
        "api": _("She asked in the shop and said yes by mail, on %(day)s.", day=day),
    }
    said = str(ways.get(consent.way) or _("She said yes on %(day)s.", day=day))
    if consent.withdrawn_at is not None:
        said += " " + str(_("Taken back on %(day)s.", day=day_words(consent.withdrawn_at, zone)))
    return said


def way_words(wish: Wish) -> str:
    """How it came to us."""
    if wish.way is WishWay.EDITOR and wish.editor:
        return str(_("noted by %(name)s", name=wish.editor.name))
    return str(_("by the form in the shop") if wish.way is WishWay.FORM else _("by the shop’s own program"))


def day_words(day: Any, zone: ZoneInfo | None = None) -> str:
    """ "3 May 2026", of a date or of an instant in `zone`."""
    if isinstance(day, datetime):
        day = day.astimezone(zone).date()
    return str(format_date(day, "d MMMM y", locale=_locale()))


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return str(format_datetime(moment, "EEEE d MMMM, HH:mm", tzinfo=zone, locale=_locale()))


def _language() -> str:
    locale = get_locale()
    return locale.language if locale else "en"


def _locale() -> str:
    return locale_of(_language())


def told(verb: str, details: Mapping[str, Any]) -> str:
    """What was done to a wish, as its history tells it; "" for what nobody needs to read."""
    because = details.get("because", "")
    ending = str(ENDINGS[WishEnding(because)]) if because in set(WishEnding) else str(because)
    said: dict[str, LazyString] = {
        "wish.made": _l("noted"),
        "wish.confirmed": _l("she said yes"),
        "wish.changed": _l("changed"),
        "wish.renewed": _l("renewed"),
        "wish.woken": _l("rests no longer"),
        "wish.asked": _l("asked whether she still wants it"),
        "wish.moved": _l("moved in the queue"),
        "wish.united": _l("one with another wish of hers"),
        "wish.parted": _l("by itself again, as it was"),
        "wish.withdrawn": _l("withdrawn"),
        "wish.expired": _l("ended by itself"),
        "wish.fulfilled": _l("fulfilled"),
        "wish.restored": _l("wanted again, for her order came to nothing"),
        "wish.bought_in_part": _l("some of them bought, the others still wished for"),
    }
    if verb not in said:
        return ""
    return f"{said[verb]}: {ending}" if ending else str(said[verb])
