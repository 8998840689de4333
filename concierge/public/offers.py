"""A piece that is held for her: taken, passed or put off by a button; the mail's buttons only lead here (T30)."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.catalogue.cards import card_of
from concierge.catalogue.naming import price_text
from concierge.catalogue.sizes import system_known
from concierge.errors import BadInput, BadToken, NotFound
from concierge.extensions import db, house_config
from concierge.public.fresh import her_link, too_old
from concierge.public.pages import Opened, bp, language_of, may_lead_to, open_link, show, speaking, zone_of_her
from concierge.public.wishes import offer_words
from concierge.public.wording import ending_words, rest_of
from concierge.web.security import public
from concierge.wishes import links, queries
from concierge.wishes.due import list_to_lapse
from concierge.wishes.models import WishState
from concierge.wishes.offer_models import Offer, OfferAnswered, OfferEnding, OfferLapsed, OfferState
from concierge.wishes.offering import may_be_taken, pass_offer, put_off_offer, take_offer

_LATER = {"week": timedelta(days=7), "month": timedelta(days=30)}
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


class NotThatLong(BadInput):
    """Choose a week or a month."""


@bp.get("/offer/<token>")
@public
def offer_page(token: str) -> ResponseReturnValue:
    """The piece, until when it is hers, and three answers; ?want= brings one of them forward, and does nothing."""
    opened, offer = _open(token)
    if opened.is_expired:
        return too_old("offer", token, offer.customer)
    language, now = language_of(offer.customer), clock.now()
    with speaking(language):
        held = offer_words(offer, zone_of_her(offer.customer), language, now=now)
        rests = rest_of(offer.wish, language, zone_of_her(offer.customer), now=now)
        ending = "" if offer.wish.is_living else ending_words(offer.wish.ended_because)
    may_lead_to(_origin(offer))
    product = offer.variant.product
    return show(
        "public/offer.html",
        language,
        token=token,
        card=card_of(offer.variant, language, system_known(offer.customer.country)),
        price=price_text(offer.price_cents, product.currency, language),
        quantity=offer.quantity,
        standing=_standing(offer, now=now),
        held=held,
        ending=ending,
        rests=rests,
        wanted=request.args.get("want", "take"),
        checkout=_checkout(offer),
        editor=offer.editor.first_name if offer.editor else "",
        link=her_link(offer.customer),
    )


@bp.post("/offer/<token>/take")
@public
def take(token: str) -> ResponseReturnValue:
    """She takes it, and goes on to the shop's checkout with the hold; twice is fine."""
    offer = _answering(token)
    if offer is not None:
        try:
            take_offer(db.session, offer, now=clock.now())
        except (OfferLapsed, OfferAnswered):
            db.session.rollback()
        else:
            db.session.commit()
            return redirect(_checkout(offer) or url_for(".offer_page", token=token), 303)
    return _back(token)


@bp.post("/offer/<token>/pass")
@public
def let_pass(token: str) -> ResponseReturnValue:
    """She lets it pass, and the next one is asked; twice is fine."""
    offer = _answering(token)
    if offer is not None:
        try:
            pass_offer(db.session, offer, now=clock.now())
        except (OfferLapsed, OfferAnswered):
            db.session.rollback()
        else:
            db.session.commit()
    return _back(token)


@bp.post("/offer/<token>/not-now")
@public
def put_off(token: str) -> ResponseReturnValue:
    """Not now, but later: she keeps her place; twice is fine."""
    offer = _answering(token)
    if offer is not None:
        later, now = _LATER.get(request.form.get("for", "week")), clock.now()
        if later is None:
            raise NotThatLong
        try:
            put_off_offer(db.session, offer, until=now + later, now=now)
        except (OfferLapsed, OfferAnswered):
            db.session.rollback()
        else:
            db.session.commit()
    return _back(token)


def _open(token: str) -> tuple[Opened, Offer]:
    opened = open_link(links.OFFER, token, days=house_config().policy.wish_link_days)
    try:
        return opened, queries.get_offer(db.session, opened.number)
    except NotFound as error:
        raise BadToken from error


def _answering(token: str) -> Offer | None:
    """The offer to answer; None when its link is too old, which the page then says."""
    opened, offer = _open(token)
    return None if opened.is_expired else offer


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for(".offer_page", token=token), 303)


def _standing(offer: Offer, *, now: datetime) -> str:
    """Which page she sees: "open", "none", "taken", "bought", "passed", "later", "gone", "lost" or "over"."""
    if offer.ended_at is None:
        return _standing_open(offer, now=now)
    words = {
        OfferEnding.BOUGHT: "bought",
        OfferEnding.BOUGHT_ELSEWHERE: "bought",
        OfferEnding.PASSED: "passed",
        OfferEnding.NOT_NOW: "later",
        OfferEnding.UNITS_GONE: "lost",
    }
    found = words.get(offer.ended_because, "gone") if offer.ended_because else "gone"
    if offer.wish.is_living or found in {"bought", "passed"}:
        return found
    return "bought" if offer.wish.state is WishState.FULFILLED else "over"


def _standing_open(offer: Offer, *, now: datetime) -> str:
    if offer.state is OfferState.TAKEN:
        return "taken"
    if list_to_lapse(db.session, now=now, offer_id=offer.id):
        return "gone"
    return "open" if may_be_taken(db.session, offer) else "none"


def _checkout(offer: Offer) -> str:
    """The product's own page in the shop with the hold token; nothing where the catalogue has no web address (T33)."""
    return links.checkout_link(house_config(), offer.variant.product.link, offer.id) if _origin(offer) else ""


def _origin(offer: Offer) -> str:
    parts = urlsplit(offer.variant.product.link)
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if _ORIGIN.fullmatch(origin) else ""
