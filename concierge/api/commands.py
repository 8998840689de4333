"""Making and revoking keys of the API; a key is shown once, and only its hash is kept."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.api.models import ApiKey

# Says what it is, so that secret scanners find one that was published by mistake.
PREFIX = "concierge_"
_NOTED_EVERY = timedelta(minutes=1)


def make_key(
    session: Session, *, name: str, scopes: Iterable[str], by: Editor | None, now: datetime
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can find out again. What it reports has its name as its source."""
    text = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        name=name,
        hash=hash_key(text),
        scopes=sorted(set(scopes)),
        created_at=now,
        created_by_id=by.id if by else None,
    )
    session.add(key)
    audit.record(session, "api_key.made", key, by=by, now=now, name=name, scopes=key.scopes)
    return key, text


def revoke_key(session: Session, key: ApiKey, *, by: Editor | None, now: datetime) -> None:
    """From now on the key opens nothing; twice is fine."""
    if key.revoked_at is None:
        key.revoked_at = now
        audit.record(session, "api_key.revoked", key, by=by, now=now)


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Remember when a key was last used, to the minute."""
    if key.last_used_at is None or now - key.last_used_at >= _NOTED_EVERY:
        key.last_used_at = now


def hash_key(text: str) -> str:
    """What is kept of a key; it is random and long, so a plain hash can't be turned back."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
