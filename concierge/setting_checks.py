"""What a single setting has to look like: each check gives the value back, or says in a ValueError what is wrong."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import fsspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from concierge.addresses import is_address

OWN_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
RELAY_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
# Which brokers many machines are told by; the last ones are on this machine (`memory` in this very process, for tests).
BROKERS = frozenset({"redis", "rediss", "amqp", "amqps", "redis+socket", "memory"})


def check_relay_url(url: str) -> str:
    """The relay's URL as it is; raises ValueError saying what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in RELAY_PORTS or not parts.hostname:
        raise ValueError(f"must begin with {_either(f'{each}://' for each in RELAY_PORTS)} and name a host")
    if parts.username and parts.scheme == "smtp" and parts.hostname not in OWN_MACHINE:
        raise ValueError("sends a password unprotected; begin it with smtps:// or smtp+starttls://")
    try:
        parts.port  # noqa: B018 it is read to see whether it can be
    except ValueError:
        raise ValueError("names a port that is none") from None
    return url


def check_order_number(pattern: str) -> str:
    """The pattern of the shop's order numbers, empty for the usual ones; raises ValueError when it is none."""
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no pattern ({error})") from None
    if pattern and (found.groups or found.match("")):
        raise ValueError("must fit a number, and have no groups but (?:…)")
    return pattern


def check_database_url(url: str) -> str:
    """The database's URL as it is; raises ValueError for one we don't speak to."""
    try:
        backend = sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError:
        raise ValueError("can't be read") from None
    if backend not in {"sqlite", "postgresql"}:
        raise ValueError(f"names {backend}; the house keeps its records in postgresql:// or sqlite://")
    return url


def check_blobs_url(url: str) -> str:
    """The store's URL as it is; raises ValueError when fsspec knows no such store."""
    try:
        fsspec.get_filesystem_class(fsspec.utils.get_protocol(url))
    except (ValueError, ImportError) as error:
        raise ValueError(f"can't be used ({error})") from None
    return url


def check_broker_url(url: str) -> str:
    """The broker's URL as it is; raises ValueError saying what it should be."""
    parts = urlsplit(url)
    if parts.scheme not in BROKERS or not (parts.hostname or parts.scheme in {"memory", "redis+socket"}):
        raise ValueError("must begin with redis://, rediss://, amqp:// or amqps:// and name a host")
    return url


def check_web_url(url: str) -> str:
    """A web address as it is; raises ValueError when it is none."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must begin with https:// or http:// and name a host")
    return url


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def check_event_key(text: str) -> str:
    """SendGrid's verification key as it is; raises ValueError when it is no ECDSA key."""
    try:
        key = serialization.load_der_public_key(base64.b64decode(text, validate=True))
    except ValueError:
        raise ValueError("is no public key; copy SendGrid's verification key as it stands") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("is no ECDSA key; copy SendGrid's verification key as it stands")
    return text


def check_receivers(text: str) -> str:
    """Names of mail systems as they are, by commas; raises ValueError for one that can't be such a name."""
    if odd := [each for each in text.replace(",", " ").split() if not re.fullmatch(r"[A-Za-z0-9._:-]{1,255}", each)]:
        raise ValueError(f"{odd[0]} is no name of a mail system")
    return text


def check_return_path(text: str) -> str:
    """Where mail comes back to, as it is; raises ValueError when nothing could be signed at it."""
    local, _at, _domain = text.partition("@")
    if text != "unsigned" and (not is_address(text) or not text.isascii() or "+" in local or len(local) > 23):
        raise ValueError("must be an address with a short name and no +, or unsigned")
    return text


def check_secret(text: str) -> str:
    """A secret as it is; raises ValueError when it can be guessed."""
    if len(text) < 32:
        raise ValueError("is too short")
    return text
