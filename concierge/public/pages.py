"""What all pages for customers share: their headers, their language, their signed links and how they say sorry."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_limiter.util import get_remote_address

from concierge.catalogue.cards import ProductCard, card_of
from concierge.catalogue.models import Variant
from concierge.config import LANGUAGES
from concierge.customers.models import Customer
from concierge.customers.zones import zone_of
from concierge.errors import BadToken, ConciergeError
from concierge.extensions import db, house_config
from concierge.web.rendering import render
from concierge.web.security import CONTENT_SECURITY_POLICY
from concierge.wishes import caps, links

# No cookie is read here: a link carries its own proof, so there is no session to forge a request in (RFC 8058, 3.2).
bp = Blueprint("public", __name__)

# What scripts on any shop's pages may read: there is no cookie it could be read with.
_FOR_SHOP_PAGES = {"public.texts", "public.ask"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A signed link that was followed: whose row it names, and whether it is too old to act on."""

    token: str
    number: int
    is_expired: bool


def open_link(purpose: str, token: str, *, days: int | None) -> Opened:
    """Read the link of a mail; raises BadToken when it is not one of ours for this purpose. `days` None: never old."""
    number = links.read(house_config(), purpose, token)
    if days is None:
        return Opened(token, number, is_expired=False)
    try:
        links.read(house_config(), purpose, token, max_age=timedelta(days=days))
    except BadToken:
        return Opened(token, number, is_expired=True)
    return Opened(token, number, is_expired=False)


def caller_network() -> str:
    """Where the request came from, hashed: the address our own proxies tell of, and no header of hers (T34)."""
    return caps.network_key(house_config().secret, get_remote_address())


def asked_language(default: str = "") -> str:
    """The language the form was shown in, else the one we know of her, else what her browser prefers."""
    asked = (request.values.get("language") or "")[:2].lower()
    for language in (asked, default):
        if language in LANGUAGES:
            return language
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say everything within in this language; later the page that says sorry, too."""
    g.customer_language = language
    with force_locale(language):
        yield


def show(template: str, language: str, /, **values: Any) -> str:
    """A page in the customer's language."""
    with speaking(language):
        return render(template, language=language, **values)


def language_of(customer: Customer) -> str:
    """Her language, else English."""
    return customer.language if customer.language in LANGUAGES else LANGUAGES[0]


def zone_of_her(customer: Customer) -> ZoneInfo:
    """Her time zone: her own, else her country's, else the house's."""
    return zone_of(customer.zone_name, customer.country, house_config().policy.zone)


def may_lead_to(origin: str) -> None:
    """Let this page's form end at another origin (browsers hold the answer's redirect to form-action too)."""
    if origin:
        own = "form-action 'self'"
        g.content_security_policy = CONTENT_SECURITY_POLICY.replace(own, f"{own} {origin}")


def cards_of(variants: Sequence[Variant], language: str, system: str = "") -> list[ProductCard]:
    """Variants as a page shows them; `system` is what she reads sizes in."""
    return [card_of(each, language, system) for each in variants]


def wants_json() -> bool:
    """Whether the script of the form asks, not a browser that will show a page."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


@bp.errorhandler(ConciergeError)
def _sorry(error: ConciergeError) -> ResponseReturnValue:
    db.session.rollback()
    language = g.get("customer_language") or asked_language()
    with force_locale(language):
        sentence = error.sentence()
        if wants_json():
            return jsonify(error=sentence), error.status
        return render("public/sorry.html", language=language, sentence=sentence), error.status


@bp.after_request
def _discreet(response: Response) -> Response:
    """Tell nobody where these pages are: no referrer, no index, no copy kept (the address itself is the key)."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.endpoint in _FOR_SHOP_PAGES:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response
