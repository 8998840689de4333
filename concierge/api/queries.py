"""Reading keys of the API."""

import hmac

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.api.commands import hash_key
from concierge.api.models import ApiKey, ApiKeyNotFound


def find_key(session: Session, text: str) -> ApiKey | None:
    """The key that reads so and is not revoked.

    It is looked up by its hash, so how long that takes says nothing of the text.
    """
    hashed = hash_key(text)
    key = session.scalar(sa.select(ApiKey).where(ApiKey.hash == hashed, ApiKey.revoked_at.is_(None)))
    return key if key is not None and hmac.compare_digest(key.hash, hashed) else None


def get_key(session: Session, key_id: int) -> ApiKey:
    """The key with this number; raises ApiKeyNotFound."""
    if (key := session.get(ApiKey, key_id)) is None:
        raise ApiKeyNotFound
    return key


def list_keys(session: Session) -> list[ApiKey]:
    """All keys, those that work first, the newest first."""
    return list(session.scalars(sa.select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())))
