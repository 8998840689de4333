"""Keyset paging: a page ends at a place, and the next one begins right behind it, however long the list is."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN = re.compile(r"(t?)(-?\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the sort key of its last row, and its id for rows that share the key.

    `tail` tells the second part of a list that is sorted in two (those who wait, then the rest).
    """

    at: datetime
    id: int
    tail: bool = False

    def __str__(self) -> str:
        return f"{'t' if self.tail else ''}{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a long list, and where to go on; `next` is None on the last page."""

    rows: tuple[T, ...]
    next: Place | None


def read_place(token: str | None) -> Place | None:
    """The place in an address; None (the beginning) when there is none or it can't be read."""
    found = _TOKEN.fullmatch(token or "")
    if found is None:
        return None
    try:
        return Place(_EPOCH + timedelta(microseconds=int(found[2])), int(found[3]), tail=bool(found[1]))
    except OverflowError:
        return None
