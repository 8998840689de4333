"""What browsers kept our pages from doing, counted: no row says whose page it was, nor what stood on it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from concierge.db import Base, BigId


class Breach(Base):
    """Something a kind of page tried against its own policy: against which part of it, and where it would have led."""

    __tablename__ = "breach"
    __table_args__ = (sa.UniqueConstraint("page", "directive", "blocked"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # the name of the view
    page: Mapped[str] = mapped_column(sa.String(80))
    directive: Mapped[str] = mapped_column(sa.String(40))
    # a host, or a word of the standard such as "inline"
    blocked: Mapped[str] = mapped_column(sa.String(100))
    count: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
