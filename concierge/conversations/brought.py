"""What hangs on a customer and goes along when she is joined to another; parts above this one add what they own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy.orm import Session

from concierge.accounts.models import Editor
from concierge.customers.models import Customer


class Separation(NamedTuple):
    """What leaves: since when it was here, its conversations, and its addresses as they are compared."""

    since: datetime
    talks: Collection[int]
    addresses: Collection[str]


class _Bring(Protocol):
    def __call__(
        self, session: Session, customer: Customer, other: Customer, *, by: Editor, now: datetime
    ) -> dict[str, Any]: ...


class _GiveBack(Protocol):
    def __call__(
        self,
        session: Session,
        customer: Customer,
        other: Customer,
        brought: dict[str, Any],
        leaving: Separation,
        *,
        by: Editor,
        now: datetime,
    ) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Brought:
    """What a part above this one brings along: the tables of its rows, and what is done with them.

    `stays` tells whether some of them must stay with their own address; `lock` holds what two customers have of them;
    `bring` gives one's to the other, and tells what it did; `changed` are the rows of that which are not as they were;
    `give_back` undoes it, and says what it can't undo.
    """

    tables: Collection[str]
    stays: Callable[[Session, Customer], bool]
    lock: Callable[[Session, Collection[int]], object]
    bring: _Bring
    changed: Callable[[dict[str, Any]], set[int]]
    give_back: _GiveBack


BROUGHT: dict[str, Brought] = {}
