"""The signed links in mails about wishes: each is good for one purpose and one row; GET shows, POST acts."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from concierge import tokens
from concierge.config import Config
from concierge.errors import BadToken

WISHES, OFFER, UNSUBSCRIBE, REQUEST, CONFIRM, HOLD = (
    "her-wishes",
    "offer",
    "unsubscribe-wishes",
    "wish-request",
    "wish-confirm",
    "hold",
)


def wishes_link(config: Config, customer_id: int) -> str:
    """Her page of wishes."""
    return _link(config, "wishes", WISHES, customer_id)


def offer_link(config: Config, offer_id: int) -> str:
    """An offer's page, where she takes the piece, passes, or says not now."""
    return _link(config, "offer", OFFER, offer_id)


def unsubscribe_link(config: Config, customer_id: int) -> str:
    """No more mails about wishes: one click by POST (RFC 8058), a page with a button by GET."""
    return _link(config, "unsubscribe", UNSUBSCRIBE, customer_id)


def wishes_links(config: Config, customer_ids: Sequence[int]) -> list[str]:
    """`wishes_link` for many."""
    return _links(config, "wishes", WISHES, customer_ids)


def offer_links(config: Config, offer_ids: Sequence[int]) -> list[str]:
    """`offer_link` for many."""
    return _links(config, "offer", OFFER, offer_ids)


def unsubscribe_links(config: Config, customer_ids: Sequence[int]) -> list[str]:
    """`unsubscribe_link` for many."""
    return _links(config, "unsubscribe", UNSUBSCRIBE, customer_ids)


def request_link(config: Config, request_id: int) -> str:
    """Yes to what a form asked for this address."""
    return _link(config, "wish-request", REQUEST, request_id)


def confirm_link(config: Config, wish_id: int) -> str:
    """Yes to a wish an editor noted for her."""
    return _link(config, "wish", CONFIRM, wish_id)


def hold_token(config: Config, offer_id: int) -> str:
    """What the shop's checkout hands back with the order, so that the held unit is the one sold."""
    return tokens.sign(config.secret, HOLD, str(offer_id))


def checkout_link(config: Config, link: str, offer_id: int) -> str:
    """A product's page in the shop with the hold token, e.g. …/sandals?hold=…"""
    parts = urlsplit(link)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}hold={hold_token(config, offer_id)}"))


def read(config: Config, purpose: str, token: str, *, max_age: timedelta | None = None) -> int:
    """The row's number in a token made for `purpose`; raises BadToken."""
    payload = tokens.unsign(config.secret, purpose, token, max_age=max_age)
    if not payload.isdecimal():
        raise BadToken
    return int(payload)


def _link(config: Config, page: str, purpose: str, number: int) -> str:
    return f"{config.base_url}/{page}/{tokens.sign(config.secret, purpose, str(number))}"


def _links(config: Config, page: str, purpose: str, numbers: Sequence[int]) -> list[str]:
    signed = tokens.sign_many(config.secret, purpose, [str(number) for number in numbers])
    return [f"{config.base_url}/{page}/{token}" for token in signed]
