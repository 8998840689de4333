"""Keys for callers of the API; only a hash of each is kept."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from concierge.db import Base, BigId
from concierge.errors import Forbidden, NotFound, RuleBroken

# What a key may be good for.
SCOPES: Final = ("products", "stock", "orders", "wishes")


class ApiKey(Base):
    """A key for one caller, good for its scopes until it is revoked."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    # SHA-256 of the key, which is random and long enough to need no salt
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # some of SCOPES
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKeyNotFound(NotFound):
    """There is no such key."""


class NoKey(Forbidden):
    """This needs a key: send the header Authorization: Bearer concierge_…"""

    status = 401


class OtherScope(Forbidden):
    """This key is not good for that; an admin can make one that is."""


class HoldOver(RuleBroken):
    """This piece is no longer held; sell it only if it is free."""

    status = 410
