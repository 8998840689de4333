"""What was merged, split or moved, with all that is needed to undo it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from concierge.db import Base, BigId, states
from concierge.errors import NotFound, RuleBroken


class Way(StrEnum):
    """What was done."""

    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"


class Rearrangement(Base):
    """Rows that went from one conversation to another, and how both stood before and after."""

    __tablename__ = "rearrangement"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    way: Mapped[Way] = mapped_column(states(Way, "way"))
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id"))
    target_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id"))
    # {"message": [902, 903], "note": [4], "tag": [2], …}: numbers of rows by what they are, see `carried`
    moved: Mapped[dict[str, Any]]
    # {"source": {…}, "target": {…}}: how each stood, see `standings`
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    done_at: Mapped[datetime]
    done_by_id: Mapped[int] = mapped_column(sa.ForeignKey("editor.id"))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("editor.id"))


class RearrangementNotFound(NotFound):
    """There is nothing of that kind to undo."""


class AlreadyUndone(RuleBroken):
    """This was undone already."""


class RearrangedSince(RuleBroken):
    """These mails were moved again since. Undo that first."""


class SameConversation(RuleBroken):
    """That is the same conversation."""


class OtherCustomer(RuleBroken):
    """That conversation is with another customer. If she is the same person, join her addresses first."""


class NothingLeft(RuleBroken):
    """Nothing would be left here. Merge the two conversations instead."""


class NotSplittable(RuleBroken):
    """Nothing stands before this mail, so there is nothing to split it from."""


class NoHint(RuleBroken):
    """Nothing says that this belongs to another conversation."""


class KnownByHerself(RuleBroken):
    """She is a customer of her own, with mails of her own. If both are one person, join her addresses first."""
