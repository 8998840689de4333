"""How many wishes and first mails are taken: by address, by network and for the whole house; counted in the database.

One row for each request, whoever asks and by whichever entrance, so any number of processes shares the counts.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import db
from concierge.addresses import normalise, person_behind
from concierge.config import Policy
from concierge.errors import ConciergeError
from concierge.mailing.models import Delivery
from concierge.wishes.models import WishRequest

FIRST_MAIL, FRESH_LINK = "wish_request", "wish_link"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Any number will do, as long as nobody else locks it.
_TURN = 0x57495348


class TooOften(ConciergeError):
    """That was a little too often. Wait an hour, then try again; or simply write to us."""

    status = 429


def network_key(secret: str, address: str) -> str:
    """Where a request came from, as a keyed hash of its /24 or /56: enough to count by, not to find anybody."""
    try:
        host = ip_address(address.partition("%")[0])
    except ValueError:
        return _hashed(secret, "nowhere")
    host = getattr(host, "ipv4_mapped", None) or host
    return _hashed(secret, str(ip_network((host, 24 if host.version == 4 else 56), strict=False)))


def caller_key(secret: str, key_id: int) -> str:
    """The same for a caller of the API who does not say where her customer is."""
    return "key:" + _hashed(secret, f"key {key_id}")[:60]


def _hashed(secret: str, text: str) -> str:
    return hmac.digest(secret.encode(), b"concierge:network:" + text.encode(), hashlib.sha256).hex()


def take_turn(session: Session) -> None:
    """Let whoever counts requests and then adds one do so alone, until the transaction ends."""
    db.take_turn(session, _TURN)


def check_traffic(session: Session, network: str, policy: Policy, *, now: datetime) -> None:
    """Raise TooOften when this network, or everybody together, asked too often; says nothing about any address."""
    from_there = sa.select(sa.func.count()).where(WishRequest.network == network, WishRequest.created_at > now - _HOUR)
    limit = policy.wish_requests_per_key if network.startswith("key:") else policy.wish_requests_per_network
    if (session.scalar(from_there) or 0) >= limit:
        raise TooOften
    if _count_mailed(session, since=now - _HOUR) >= policy.wish_first_mails_per_hour:
        raise TooOften


def may_be_mailed(session: Session, address: str, policy: Policy, *, now: datetime) -> bool:
    """Whether one more mail that she may not have asked for can go to this address today."""
    since = now - _DAY
    first = _count_mailed(session, since=since, person=person_behind(address))
    fresh = session.scalar(
        sa.select(sa.func.count()).where(
            Delivery.to_normalised == normalise(address), Delivery.purpose == FRESH_LINK, Delivery.created_at > since
        )
    )
    return first + (fresh or 0) < policy.wish_first_mails_per_day


def _count_mailed(session: Session, *, since: datetime, person: str = "") -> int:
    statement = sa.select(sa.func.count()).where(WishRequest.delivery_id.is_not(None), WishRequest.created_at > since)
    if person:
        statement = statement.where(WishRequest.normalised == person)
    return session.scalar(statement) or 0
